//! Programs whose clock is wrong.

use std::path::PathBuf;

use crate::Error;

/// The variables that put the clock of a program wrong by so many seconds, ahead or, with a minus,
/// behind, where the program takes the time from the C library. Its deadlines are as long as ever.
///
/// # Errors
///
/// When libfaketime is not installed.
pub fn wrong_clock(seconds: i64) -> Result<[(&'static str, String); 3], Error> {
    Ok([
        ("LD_PRELOAD", library()?.display().to_string()),
        ("FAKETIME", format!("{seconds:+}")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}

/// The library, in the version for programs with threads.
fn library() -> Result<PathBuf, Error> {
    const NAME: &str = "faketime/libfaketimeMT.so.1";
    // Debian has folders of architectures.
    let folders = ["/usr/lib", "/usr/lib64"].map(PathBuf::from);
    let below = std::fs::read_dir(&folders[0]).into_iter().flatten();
    let below = below.filter_map(Result::ok).map(|entry| entry.path());
    let mut all = below.chain(folders.iter().cloned());
    let found = all.find_map(|folder| Some(folder.join(NAME)).filter(|it| it.is_file()));
    found.ok_or_else(|| Error::Install {
        what: "libfaketime".to_owned(),
        reason: format!("there is no {NAME}; on Debian install faketime"),
    })
}
