//! Files of this machine that a link names: regular, and of a bounded length.

use std::io;
use std::path::Path;

use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

/// Reads a regular file of at most `most` bytes. What it is and how long is asked of the open file,
/// and read no further: a file of the kernel has no length and no end, and a link may name any.
///
/// # Errors
///
/// Those of the system; [`io::ErrorKind::Other`] for what is no regular file, and for a longer one.
pub async fn read_file(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    // A pipe would already block here.
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = tokio::fs::File::open(path).await?;
    if !file.metadata().await?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(most + 1).read_to_end(&mut bytes).await?;
    if read as u64 > most {
        return Err(io::Error::other(format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}
