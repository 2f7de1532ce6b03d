//! This side: asks the process, each question with a number.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use linkdial_core::client_process::ClientProcess;
use tokio::sync::Mutex;

use super::CLIENT;
use super::order::{Answer, Answered, Asked, Failure, Order, Question};

/// A process that runs hdfs-native against one `NameNode`.
#[derive(Debug)]
pub(crate) struct Client(Mutex<Conversation>);

#[derive(Debug)]
struct Conversation {
    process: ClientProcess,
    number: u64,
}

/// What came of a question; the error is that of the process.
pub(super) type Asking = io::Result<Result<Answer, Failure>>;

impl Client {
    /// Starts the process.
    pub(crate) async fn start(
        program: &Path,
        environment: &[(&'static str, OsString)],
        order: &Order,
    ) -> io::Result<Self> {
        let mut process = ClientProcess::start(program, CLIENT, environment)?;
        process.tell(order).await?;
        Ok(Self(Mutex::new(Conversation { process, number: 0 })))
    }

    /// Asks, and waits for the answer to this question. The caller holds the deadline.
    pub(crate) async fn ask(&self, question: Question) -> Asking {
        let mut conversation = self.0.lock().await;
        conversation.number += 1;
        let number = conversation.number;
        let process = &mut conversation.process;
        process.tell(&Asked { number, question }).await?;
        loop {
            let answered: Answered = process.hear().await?;
            // One that nobody waits for any more.
            if answered.number == number {
                return Ok(answered.answer);
            }
        }
    }
}
