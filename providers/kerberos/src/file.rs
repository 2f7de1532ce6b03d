//! Reads one small file of this machine.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

/// Reads a regular file of at most `most` bytes; a device or a pipe would never end.
pub(crate) async fn read(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let facts = tokio::fs::metadata(path).await?;
    if !facts.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if facts.len() > most {
        return Err(io::Error::other(format!("it is longer than {most} bytes")));
    }
    Ok(Zeroizing::new(tokio::fs::read(path).await?))
}

/// Returns who besides the owner may read a file of keys; `None` where nobody may.
#[cfg(unix)]
pub(crate) async fn exposed_to(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = tokio::fs::metadata(path).await.ok()?.permissions().mode();
    match (mode & 0o004 != 0, mode & 0o040 != 0) {
        (true, _) => Some("everybody"),
        (false, true) => Some("its group"),
        (false, false) => None,
    }
}

/// Modes are those of Unix.
#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "as its twin")]
pub(crate) async fn exposed_to(_path: &Path) -> Option<&'static str> {
    None
}
