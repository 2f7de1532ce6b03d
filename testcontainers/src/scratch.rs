use std::path::{Path, PathBuf};
use std::process::Child;

use crate::Error;
use crate::shell::{release, shell};

/// A folder that goes away with its handle, and with the process when that is killed.
///
/// A small shell holds the other end of a pipe: its end is seen even when no destructor runs, as
/// with `SIGKILL`, or when the handle lives in a `static`.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    watcher: Child,
}

/// A server that is killed at the same moment may still write for some milliseconds.
const WATCH: &str = r#"
trap '' INT HUP QUIT TERM
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && exit; sleep 0.1; done
"#;

impl Scratch {
    /// Makes a new, empty folder among the system's temporary files.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("linkdial-{prefix}-"))
            .tempdir()
            .map_err(Error::io("make a temporary folder"))?;
        let watcher = shell(WATCH).arg(folder.path()).spawn();
        let watcher = watcher.map_err(Error::io("start sh"))?;
        Ok(Self {
            path: folder.keep(),
            watcher,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the folder and says where it is.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf, Error> {
        let file = self.path.join(name);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io("make a folder"))?;
        }
        std::fs::write(&file, contents).map_err(Error::io(format!("write {}", file.display())))?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        release(&mut self.watcher);
    }
}
