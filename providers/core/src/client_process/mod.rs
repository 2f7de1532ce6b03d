//! A client library in a process of its own: started by a check, for that check alone.
//!
//! Some clients block where they like, read the environment and take the identity of their process.
//! A child has none of these: its environment is the one given, it is one link's alone, and it is
//! killed with the value that holds it. It is a pipe of lines, a JSON document each: a question goes
//! in, an answer comes out.

mod confine;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use confine::confine;

use crate::secret::Secret;

/// Checks at once in the whole program that run a client: each has some threads and 15 MiB of
/// memory, and on a small machine more of them only wait for each other.
static PLACES: Semaphore = Semaphore::const_new(4);

/// No answer is longer, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Waits for a place among the checks that run a client. The caller holds the deadline.
///
/// A check takes one place, however many processes it starts: two that wait for each other's second
/// place would wait for ever.
pub async fn place() -> Option<SemaphorePermit<'static>> {
    PLACES.acquire().await.ok()
}

/// A running client. The process is killed when this is dropped.
#[derive(Debug)]
pub struct ClientProcess {
    child: Child,
    /// Its end tells the client that nobody waits any more.
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The beginning of a line.
    heard: Vec<u8>,
}

impl ClientProcess {
    /// Starts `program WORD` with no environment but the one given.
    ///
    /// # Errors
    ///
    /// When the system starts no process.
    pub fn start(
        program: &Path,
        word: &str,
        environment: &[(&'static str, OsString)],
    ) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(word)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for linkdial, which then ends the child.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (input, output) = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
            heard: Vec::new(),
        })
    }

    /// Sends one line and waits for one. The caller holds the deadline.
    ///
    /// # Errors
    ///
    /// When the process has ended, or answers something else or too much.
    pub async fn ask<A: DeserializeOwned>(&mut self, question: &impl Serialize) -> io::Result<A> {
        self.tell(question).await?;
        self.hear().await
    }

    /// Sends one line.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub async fn tell(&mut self, question: &impl Serialize) -> io::Result<()> {
        // It may hold secrets, and no copy stays.
        let line = Secret::new(serde_json::to_string(question)? + "\n");
        self.input.write_all(line.expose().as_bytes()).await
    }

    /// Waits for one line. Whoever gives up may ask again: nothing of it is lost.
    ///
    /// # Errors
    ///
    /// When the process has ended, or answers something else or too much.
    pub async fn hear<A: DeserializeOwned>(&mut self) -> io::Result<A> {
        let left = MAX_ANSWER.saturating_sub(self.heard.len() as u64);
        let mut output = (&mut self.output).take(left);
        output.read_until(b'\n', &mut self.heard).await?;
        let line = std::mem::take(&mut self.heard);
        Ok(serde_json::from_slice(&line)?)
    }

    /// Ends the process, which has told everything: what is left of it may block for long.
    ///
    /// # Errors
    ///
    /// When the system can not end it.
    pub async fn end(mut self) -> io::Result<()> {
        self.child.start_kill()?;
        self.child.wait().await.map(drop)
    }
}
