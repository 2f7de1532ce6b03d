//! The other side: runs hdfs-native and tells what came of it.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use bytes::Bytes;
use hdfs_native::client::FileStatus;
use hdfs_native::file::FileReader;
use hdfs_native::{ClientBuilder, HdfsError, WriteOptions};
use linkdial_core::CLEANUP_TIMEOUT;
use linkdial_core::client_process::confine;
use tokio::runtime;

use super::heard;
use super::order::{
    Answer, Answered, Asked, Block, Failure, Kind, Listing, Looked, MAX_TEXT, Order, Question,
    Replica, Status,
};
use crate::keys::DATA_PROTECTION;

/// Nobody asks more in one line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// No check needs more memory, in bytes: a peer decides how much it is told.
const MEMORY: u64 = 1024 * 1024 * 1024;

/// Entries of a folder that are looked at: enough to find a file that may be read.
const LISTED: usize = 100;

/// Paths beyond so many bytes together are not looked at.
const MAX_LISTING: usize = 256 * 1024;

/// Reads an order and questions, runs hdfs-native, writes an answer to each.
///
/// Returns when the input ends, even where the library still blocks: the caller has to end the
/// process then.
///
/// # Errors
///
/// When the order can not be read or an answer not be written.
pub fn run<R: Read + Send + 'static>(input: R, output: &mut dyn Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let order: Order = serde_json::from_slice(&line(&mut input)?)?;
    // Which DataNodes there are is not known yet, so no ports. Before there is any thread.
    confine(None, MEMORY)?;
    heard::listen(order.service.clone())?;
    let (answers, answered) = mpsc::channel();
    let (questions, asked) = tokio::sync::mpsc::unbounded_channel();
    let made = Arc::new(Mutex::new(None));
    let written = Arc::clone(&made);
    let gone = answers.clone();
    thread::spawn(move || {
        while let Ok(line) = line(&mut input) {
            let Ok(question) = serde_json::from_slice::<Asked>(&line) else {
                break;
            };
            if questions.send(question).is_err() {
                break;
            }
        }
        // The end says that nobody waits any more. Who was killed while it wrote can not ask for this.
        let left = made.lock().unwrap_or_else(PoisonError::into_inner).take();
        let asked = left.is_some_and(|path| {
            let question = Question::Delete { path };
            let number = LAST;
            questions.send(Asked { number, question }).is_ok()
        });
        if !asked {
            gone.send(None).ok();
        }
        asked
    });
    thread::spawn(move || {
        // However it ends, nobody waits for more.
        let _end = End(answers.clone());
        work(order, asked, written, &answers)
    });
    let mut told = Ok(());
    while let Ok(Some(answer)) = answered.recv() {
        // Where nobody reads any more, there may still be something to delete.
        let line = serde_json::to_string(&answer)? + "\n";
        told = told.and_then(|()| output.write_all(line.as_bytes()));
        told = told.and_then(|()| output.flush());
    }
    told
}

/// The number of a question that nobody waits for.
const LAST: u64 = u64::MAX;

fn line(input: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

type Answers = mpsc::Sender<Option<Answered>>;

/// Says at its end that no more answers come.
struct End(Answers);

impl Drop for End {
    fn drop(&mut self) {
        self.0.send(None).ok();
    }
}

fn work(
    order: Order,
    mut asked: tokio::sync::mpsc::UnboundedReceiver<Asked>,
    made: Arc<Mutex<Option<String>>>,
    answers: &Answers,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let desk = Arc::new(Desk::open(order, made));
        while let Some(Asked { number, question }) = asked.recv().await {
            if number == LAST {
                let last = Box::pin(desk.answer(question));
                let answer = tokio::time::timeout(CLEANUP_TIMEOUT, last).await;
                drop(answer);
                break;
            }
            let desk = Arc::clone(&desk);
            let answers = answers.clone();
            // Beside each other: what is written has to be deleted while the write still hangs.
            tokio::spawn(async move {
                let answering = tokio::spawn(async move { Box::pin(desk.answer(question)).await });
                let answer = answering.await.unwrap_or_else(|_| Err(panicked()));
                let answer = match heard::shut() {
                    Some(kind) => Err(Failure::of(kind, "the gate was shut")),
                    None => answer,
                };
                answers.send(Some(Answered { number, answer })).ok()
            });
        }
    });
    Ok(())
}

/// A client, and what it keeps between two questions.
struct Desk {
    order: Order,
    client: Result<hdfs_native::Client, Failure>,
    /// A file, with the copies of its first block as the `NameNode` told of them.
    reader: tokio::sync::Mutex<Option<(FileReader, Vec<Replica>)>>,
    /// What was written and is still to be deleted.
    made: Arc<Mutex<Option<String>>>,
}

impl Desk {
    fn open(order: Order, made: Arc<Mutex<Option<String>>>) -> Self {
        Self {
            client: client_of(&order).map_err(failure),
            order,
            reader: tokio::sync::Mutex::default(),
            made,
        }
    }

    fn made(&self, path: Option<&str>) {
        let path = path.map(str::to_owned);
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }

    async fn answer(&self, question: Question) -> Result<Answer, Failure> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        heard::forget();
        match question {
            Question::LogIn => log_in(client).await,
            Question::Look { path } => look(client, &path).await.map(Answer::Looked),
            Question::Locate { path } => {
                let reader = client.read(&path).await.map_err(failure)?;
                let empty = reader.file_length() == 0;
                let mut kept = self.reader.lock().await;
                match heard::replicas() {
                    Some(replicas) => {
                        *kept = Some((reader, replicas.clone()));
                        Ok(Answer::Located(Block { replicas, empty }))
                    }
                    None => Err(Failure::of(
                        Kind::Mute,
                        "it does not say where the block is",
                    )),
                }
            }
            Question::Read => match &*self.reader.lock().await {
                Some((reader, _)) => first_byte(reader).await,
                None => Err(panicked()),
            },
            Question::ReadAgain { path, otherwise } => {
                let mut order = self.order.clone();
                let options = order.options.len();
                if otherwise {
                    // Only whether it is there matters to this client.
                    order.options.retain(|(name, _)| name != DATA_PROTECTION);
                    if order.options.len() == options {
                        let any = (DATA_PROTECTION.to_owned(), "authentication".to_owned());
                        order.options.push(any);
                    }
                }
                let client = client_of(&order).map_err(failure)?;
                let reader = client.read(&path).await.map_err(failure)?;
                // Only from where linkdial has been.
                let known = self.reader.lock().await;
                let known = known.as_ref().map(|(_, replicas)| replicas.as_slice());
                let known = known.unwrap_or_default();
                match heard::replicas() {
                    Some(now) if now.iter().all(|it| known.contains(it)) => {
                        first_byte(&reader).await
                    }
                    _ => Err(Failure::of(
                        Kind::Mute,
                        "the NameNode names other DataNodes now",
                    )),
                }
            }
            Question::ProveWrite { path } => {
                let options = WriteOptions::default().create_parent(false);
                self.made(Some(&path));
                client.create(&path, options).await.map_err(failure)?;
                // Somebody has made the folder meanwhile.
                Ok(match client.delete(&path, false).await {
                    Ok(true) => Answer::Done,
                    Ok(false) | Err(_) => Answer::Left,
                })
            }
            Question::Put { path, text } => {
                let options = WriteOptions::default().create_parent(false);
                self.made(Some(&path));
                let mut writer = client.create(&path, options).await.map_err(failure)?;
                let writing = async {
                    Box::pin(writer.write_bytes(Bytes::from(text))).await?;
                    Box::pin(writer.close()).await
                };
                // From here on it is a DataNode that answers.
                Box::pin(writing).await.map_err(of_a_block)?;
                Ok(Answer::Written(heard::challenge()))
            }
            Question::Fetch { path, most } => {
                let reader = client.read(&path).await.map_err(failure)?;
                let length = reader.file_length().min(most);
                // The client panics beyond the end.
                let text = match length {
                    0 => Bytes::new(),
                    _ => reader.read_range(0, length).await.map_err(failure)?,
                };
                Ok(Answer::Text(String::from_utf8_lossy(&text).into_owned()))
            }
            Question::Delete { path } => {
                let deleted = client.delete(&path, false).await;
                if deleted.is_ok() {
                    self.made(None);
                }
                deleted.map(Answer::Deleted).map_err(failure)
            }
        }
    }
}

fn client_of(order: &Order) -> hdfs_native::Result<hdfs_native::Client> {
    let mut builder = ClientBuilder::new()
        .with_url(&order.url)
        .with_config(order.options.clone())
        // It would look for one of its own.
        .with_config_dir("/nonexistent");
    if let Some(user) = &order.user {
        builder = builder.with_user(user);
    }
    if let Some((principal, path)) = &order.keytab {
        builder = builder
            .with_kerberos_principal(principal)
            .with_kerberos_keytab(path);
    }
    builder.build()
}

/// Asks for what every cluster has: an exception is an answer to somebody who was let in.
async fn log_in(client: &hdfs_native::Client) -> Result<Answer, Failure> {
    match client.get_file_info("/").await.map_err(failure) {
        Ok(_) => Ok(Answer::Done),
        Err(answered) if answered.kind == Kind::Exception => Ok(Answer::Done),
        Err(failure) => Err(failure),
    }
}

async fn look(client: &hdfs_native::Client, path: &str) -> Result<Looked, Failure> {
    let status = client.get_file_info(path).await.map_err(failure)?;
    let listing = if status.isdir {
        Some(list(client, path).await)
    } else {
        None
    };
    Ok(Looked {
        status: told(status),
        listing,
    })
}

async fn list(client: &hdfs_native::Client, path: &str) -> Result<Listing, Failure> {
    let page = client.list_status_iter(path, false);
    let mut entries = Vec::new();
    let mut left = MAX_LISTING;
    while let Some(entry) = page.next().await {
        if entries.len() == LISTED || left == 0 {
            return Ok(Listing {
                entries,
                truncated: true,
            });
        }
        let entry = told(entry.map_err(failure)?);
        left = left.saturating_sub(entry.path.len());
        // An answer has to fit into a line.
        if left > 0 {
            entries.push(entry);
        }
    }
    Ok(Listing {
        entries,
        truncated: false,
    })
}

async fn first_byte(reader: &FileReader) -> Result<Answer, Failure> {
    // The client panics beyond the end.
    if reader.file_length() > 0 {
        let byte = reader.read_range(0, 1).await.map_err(failure)?;
        if byte.is_empty() {
            return Err(Failure::of(Kind::Data, "no byte came"));
        }
    }
    Ok(Answer::Read(heard::warnings(), heard::challenge()))
}

fn told(status: FileStatus) -> Status {
    Status {
        path: status.path,
        folder: status.isdir,
        length: u64::try_from(status.length).unwrap_or(u64::MAX),
        owner: status.owner,
        group: status.group,
        mode: status.permission,
    }
}

/// The same for what happens to a block, after the `NameNode` has said yes.
fn of_a_block(error: HdfsError) -> Failure {
    let failure = failure(error);
    let kind = match failure.kind {
        Kind::Stream | Kind::Client => Kind::Data,
        kind => kind,
    };
    Failure {
        kind,
        made: true,
        ..failure
    }
}

fn failure(error: HdfsError) -> Failure {
    let (kind, class, message) = match error {
        HdfsError::RPCError(class, text) => (Kind::Exception, class, text),
        HdfsError::FatalRPCError(class, text) => (Kind::Fatal, class, text),
        HdfsError::FileNotFound(path) => {
            let class = "java.io.FileNotFoundException".to_owned();
            (Kind::Exception, class, path)
        }
        HdfsError::AlreadyExists(path) => {
            let class = "org.apache.hadoop.fs.FileAlreadyExistsException".to_owned();
            (Kind::Exception, class, path)
        }
        HdfsError::GSSAPIError(_, minor, text) => (Kind::Gss(minor), String::new(), text),
        HdfsError::SASLError(text) => (Kind::Fatal, "SaslException".to_owned(), text),
        HdfsError::NoSASLMechanism => {
            let text = "no mechanism in common".to_owned();
            (Kind::Fatal, "SaslException".to_owned(), text)
        }
        HdfsError::IOError(error) => match heard::fatal() {
            Some((class, text)) => (Kind::Fatal, class, text),
            None => (Kind::Stream, String::new(), error.to_string()),
        },
        // Its text describes every DataNode at length.
        HdfsError::DataTransferError(text) => {
            let text = text.split(':').next().unwrap_or_default();
            (Kind::Data, String::new(), text.to_owned())
        }
        HdfsError::UnsupportedFeature(text) | HdfsError::UnsupportedErasureCodingPolicy(text) => {
            (Kind::Unsupported, String::new(), text)
        }
        other => (Kind::Client, String::new(), other.to_string()),
    };
    Failure {
        class: class.chars().take(MAX_TEXT).collect(),
        log: heard::warnings(),
        // Java sends its whole stack along.
        ..Failure::of(kind, message.lines().next().unwrap_or_default())
    }
}

fn panicked() -> Failure {
    Failure::of(Kind::Client, "the client ended itself")
}
