//! One sweep of a registry at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::RegistryError;

/// The right to sweep a registry; ends when it is dropped, and with its process however that ends.
#[derive(Debug)]
pub(crate) struct SweepLock {
    _lock: File,
}

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(10);

impl SweepLock {
    /// Somebody who looks at the history holds the lock for a moment.
    pub(super) const PATIENCE: Duration = Duration::from_secs(1);

    /// Takes the lock beside the registry. The file stays: to remove it would let two have it.
    pub(super) fn take(registry: &Path, patience: Duration) -> Result<Self, RegistryError> {
        let failed = |source| RegistryError::Open {
            path: registry.to_owned(),
            source,
        };
        // Two names of one file share the lock.
        let path = std::fs::canonicalize(registry).map_err(failed)?;
        let path = path.with_added_extension("sweep");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut lock = options.open(path).map_err(failed)?;
        let deadline = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    // Who writes it now may not be done; what can not be read is not told.
                    let mut by = String::new();
                    (&lock).take(200).read_to_string(&mut by).ok();
                    return Err(RegistryError::SweepRuns {
                        path: registry.to_owned(),
                        by: by.trim().to_owned(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let note = format!(
            "process {} since {:.0}\n",
            std::process::id(),
            Timestamp::now()
        );
        let mut write = || -> io::Result<()> {
            lock.set_len(0)?;
            lock.rewind()?;
            lock.write_all(note.as_bytes())
        };
        write().map_err(failed)?;
        Ok(Self { _lock: lock })
    }
}
