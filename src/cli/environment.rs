//! The one gate to the environment. (Options that have a variable are read by the argument parser.)
#![expect(
    clippy::disallowed_methods,
    reason = "the variables that the user names, and conventions about folders and colours"
)]

use std::path::{Path, PathBuf};

use linkdial_core::Secret;

/// Returns a variable that `--vars-env` names.
pub(super) fn variable(name: &str) -> Result<Secret, &'static str> {
    match std::env::var(name) {
        Ok(value) => Ok(Secret::new(value)),
        Err(std::env::VarError::NotPresent) => Err("is not set"),
        Err(std::env::VarError::NotUnicode(_)) => Err("is not UTF-8"),
    }
}

/// Returns whether the argument parser took this path from `LINKDIAL_CA_FILE`, or could have.
pub(super) fn is_ca_file(path: &Path) -> bool {
    std::env::var_os("LINKDIAL_CA_FILE").is_some_and(|value| value.as_os_str() == path.as_os_str())
}

/// Returns the registry that commands without `--registry` open.
pub(super) fn registry() -> Option<String> {
    std::env::var("LINKDIAL_REGISTRY").ok()
}

/// Returns the key file that commands without `--key-file` read.
pub(super) fn key_file() -> Option<PathBuf> {
    std::env::var_os("LINKDIAL_KEY_FILE").map(PathBuf::from)
}

/// Returns whether the argument parser took this path from `KRB5_CONFIG`, or could have.
pub(super) fn is_krb5_config(path: &Path) -> bool {
    let value = std::env::var_os("KRB5_CONFIG").unwrap_or_default();
    std::env::split_paths(&value).any(|file| file == path)
}

/// Returns whether systemd has laid this file out for this service alone (`LoadCredential`).
pub(super) fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY")
        .is_some_and(|folder| path.parent() == Some(folder.as_ref()))
}

/// Returns the user's folder for data that programs keep (XDG Base Directory Specification).
pub(super) fn data_folder() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    folder("XDG_DATA_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(folder("HOME")?.join(".local/share")))
        .filter(|folder| folder.is_absolute())
}

/// Returns whether the user asks every program for plain text (no-color.org), or has a terminal
/// that knows nothing else.
pub(super) fn refuses_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}
