//! Stores checks while others still run, so that a killed sweep leaves what it had found.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::history::PastCheck;
use crate::registry::{Registry, RegistryError};

/// Checks that are stored at once, unless another process has held the registry meanwhile.
const BATCH: usize = 256;
/// A check is stored this long after it ended at most.
const DELAY: Duration = Duration::from_secs(1);
/// How often a registry is asked once more that another process holds; each time waits for seconds.
const TRIES: usize = 6;

/// Does work that hands over checks, and stores them meanwhile on a thread of its own: a registry
/// blocks, and dials must not wait for it. Another process may hold the registry for a while; after
/// any other failure nothing more is stored.
pub(super) fn keeping<T>(
    registry: &Registry,
    sweep: u64,
    work: impl FnOnce(&dyn Fn(PastCheck)) -> T,
) -> (T, Result<(), RegistryError>) {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel::<PastCheck>();
        let store = scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            loop {
                let due = Instant::now() + DELAY;
                let mut over = false;
                loop {
                    let left = due.saturating_duration_since(Instant::now());
                    match receiver.recv_timeout(left) {
                        Ok(check) => batch.push(check),
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => {
                            over = true;
                            break;
                        }
                    }
                    if batch.len() >= BATCH {
                        break;
                    }
                }
                if over {
                    return patiently(|| registry.add_to_sweep(sweep, &batch));
                }
                if batch.is_empty() {
                    continue;
                }
                match registry.add_to_sweep(sweep, &batch) {
                    Ok(()) => batch.clear(),
                    // Once more with the next ones.
                    Err(RegistryError::Locked(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        });
        let done = work(&|check| {
            // Who stores has failed, and says so at the end.
            sender.send(check).ok();
        });
        drop(sender);
        let stored = store.join();
        let stored = stored.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (done, stored)
    })
}

/// Asks a registry again that another process holds.
pub(super) fn patiently<T>(
    mut ask: impl FnMut() -> Result<T, RegistryError>,
) -> Result<T, RegistryError> {
    for _ in 1..TRIES {
        match ask() {
            Err(RegistryError::Locked(_)) => {}
            answer => return answer,
        }
    }
    ask()
}
