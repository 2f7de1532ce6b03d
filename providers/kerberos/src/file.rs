//! Who may read a file of this machine.

use std::path::Path;

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
