//! This side: asks the process, each question with a number.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use linkdial_core::client_process::ClientProcess;
use linkdial_core::{Code, Diagnosis};
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

impl Client {
    /// Starts the process.
    pub(crate) async fn start(
        program: &Path,
        environment: &[(&'static str, OsString)],
        order: &Order,
    ) -> Result<Self, Diagnosis> {
        let starting = async {
            let mut process = ClientProcess::start(program, CLIENT, environment)?;
            process.tell(order).await?;
            Ok(Self(Mutex::new(Conversation { process, number: 0 })))
        };
        starting.await.map_err(|error: io::Error| unstarted(&error))
    }

    /// Asks, and waits for the answer to this question. The caller holds the deadline.
    ///
    /// The finding is about the process itself, the failure what the client ran into.
    pub(crate) async fn ask(
        &self,
        question: Question,
    ) -> Result<Result<Answer, Failure>, Diagnosis> {
        let answer = self.exchange(question).await;
        answer.map_err(|error| ended(&error))
    }

    async fn exchange(&self, question: Question) -> io::Result<Result<Answer, Failure>> {
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

/// The system starts no process, or not to its end: a shortage of this machine.
fn unstarted(error: &io::Error) -> Diagnosis {
    Diagnosis::new(
        Code::DefineNotCompiledIn,
        "the client could not be started in a process of its own",
    )
    .evidence("error", error)
    .hint("this machine may lack memory or processes; run it again")
}

/// The process has ended over a question: the peer has sent what it could not bear.
fn ended(error: &io::Error) -> Diagnosis {
    Diagnosis::new(
        Code::AccessServerError,
        "the client ended while it read what the cluster sent",
    )
    .evidence("error", error)
    .hint("what was sent is broken, or takes more memory than a client is given; look at the server's log")
}
