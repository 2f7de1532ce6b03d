//! One order, one process, one answer.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use linkdial_core::Secret;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::CLIENT;
use super::order::{Answer, Order};

/// Clients at once in the whole program: each has three threads and 15 MiB of memory, and on a
/// small machine more of them only wait for each other.
static CLIENTS: Semaphore = Semaphore::const_new(4);

/// No answer is longer, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Waits for a place among the clients. The caller holds the deadline.
pub(super) async fn place() -> Option<SemaphorePermit<'static>> {
    CLIENTS.acquire().await.ok()
}

/// Runs an order. The process gets no environment but the one given, and is killed when the future
/// is dropped.
pub(super) async fn run(
    program: &Path,
    environment: &[(&'static str, OsString)],
    order: &Order,
) -> io::Result<Answer> {
    let line = Secret::new(serde_json::to_string(order)?);
    let mut child = Command::new(program)
        .arg(CLIENT)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C is for linkdial, which then ends the child.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (mut input, output) = child
        .stdin
        .take()
        .zip(child.stdout.take())
        .ok_or(io::ErrorKind::BrokenPipe)?;
    let mut answer = Vec::new();
    input.write_all(line.expose().as_bytes()).await?;
    input.write_all(b"\n").await?;
    // The input stays open: its end tells the client that nobody waits any more.
    let mut output = BufReader::new(output).take(MAX_ANSWER);
    output.read_until(b'\n', &mut answer).await?;
    drop(input);
    // It has told everything, and what is left of it may block for long.
    child.start_kill()?;
    child.wait().await?;
    Ok(serde_json::from_slice(&answer)?)
}
