//! The other side: runs librdkafka and tells what it has seen.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use linkdial_core::client_process::confine;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::util::get_rdkafka_version;

use super::order::{Answer, Order, Outcome};

/// Nobody orders more, in bytes: certificates may be among the options.
const MAX_ORDER: u64 = 8 * 1024 * 1024;

/// No client needs more memory, in bytes; a peer decides how much it is told and how many brokers
/// there are.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;

/// Lines and errors beyond this many say nothing new.
const MAX_LINES: usize = 50;

/// How long the first try may take. A failed one uses all of it, its reason comes only to who polls
/// afterwards, and an answer that comes later is lost: each further try takes twice as long.
const FIRST_TRY: Duration = Duration::from_millis(200);

/// How long one poll waits for an event.
const POLL: Duration = Duration::from_millis(2);

/// How many polls follow a try: each takes one event.
const POLLS: usize = 12;

/// Reads one order, runs librdkafka, writes one answer.
///
/// Returns when the client is done, when the time of the order is up or when the input ends, even
/// where the library still blocks: the caller has to end the process then.
///
/// # Errors
///
/// When the order can not be read or the answer not be written.
pub fn run<R: Read + Send + 'static>(input: R, output: &mut dyn Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    (&mut input).take(MAX_ORDER).read_until(b'\n', &mut line)?;
    let order: Order = serde_json::from_slice(&line)?;
    drop(line);
    // Before there is any thread: each one takes what it may from the one that starts it.
    confine(Some(&order.ports), MEMORY)?;
    let limit = Duration::from_millis(order.limit_ms);
    let (done, waiting) = mpsc::channel();
    let gone = done.clone();
    thread::spawn(move || {
        // Whatever comes is no order, and the end says that nobody waits any more.
        let ended = io::copy(&mut input, &mut io::sink());
        gone.send(ended.ok().and(None)).ok()
    });
    let seen = Seen::default();
    let work = seen.clone();
    thread::spawn(move || dial(&order, limit, &work, &done));
    let outcome = match waiting.recv_timeout(limit) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return Ok(()),
        Err(_) => Outcome::Failed,
    };
    let notes = std::mem::take(&mut *seen.lock());
    let answer = Answer {
        version: get_rdkafka_version().1,
        outcome,
        errors: notes.errors,
        log: notes.log,
    };
    serde_json::to_writer(&mut *output, &answer)?;
    // Who waits need not wait for the end of this process.
    output.write_all(b"\n")?;
    output.flush()
}

/// Where the outcome goes.
type Done = mpsc::Sender<Option<Outcome>>;

fn dial(order: &Order, limit: Duration, seen: &Seen, done: &Done) {
    match &order.token {
        Some(token) => {
            let token = OAuthToken {
                token: token.value.clone(),
                principal_name: token.principal.clone(),
                lifetime_ms: token.expires_ms,
            };
            let seen = seen.clone();
            dial_as(order, limit, WithToken { seen, token }, done);
        }
        None => dial_as(order, limit, seen.clone(), done),
    }
}

fn dial_as<C: ConsumerContext + AsRef<Seen> + 'static>(
    order: &Order,
    limit: Duration,
    context: C,
    done: &Done,
) {
    let mut config = ClientConfig::new();
    // Two lines that say why a peer hangs up are of this level.
    config.set_log_level(RDKafkaLogLevel::Info);
    for (name, value) in &order.options {
        config.set(name, value);
    }
    let client: BaseConsumer<C> = match config.create_with_context(context) {
        Ok(client) => client,
        Err(error) => {
            done.send(Some(Outcome::Unusable(error.to_string()))).ok();
            return;
        }
    };
    // Before the client is dropped, which may block for long.
    done.send(Some(get_through(&client, order, limit))).ok();
}

fn get_through<C: ConsumerContext + AsRef<Seen>>(
    client: &BaseConsumer<C>,
    order: &Order,
    limit: Duration,
) -> Outcome {
    let started = Instant::now();
    let seen = client.context().as_ref().as_ref().clone();
    if order.token.is_some() {
        // The library asks for the token only while it is polled.
        poll(client);
    }
    let mut patience = FIRST_TRY;
    loop {
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Outcome::Failed;
        }
        let through = ask(client, order, patience.min(left));
        if let Some(through) = through {
            return through;
        }
        for _ in 0..POLLS {
            poll(client);
        }
        if seen.is_decided() {
            return Outcome::Failed;
        }
        patience *= 2;
    }
}

/// Asks once for what the order wants to know.
fn ask<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    order: &Order,
    patience: Duration,
) -> Option<Outcome> {
    if order.topic.is_none() && !order.brokers {
        // It comes with the metadata that the library fetches by itself, and that of no topic.
        let cluster = client.client().fetch_cluster_id(patience);
        return cluster.map(|_| Outcome::Through {
            brokers: Vec::new(),
            topic_error: 0,
        });
    }
    let metadata = client.fetch_metadata(order.topic.as_deref(), patience);
    metadata.ok().as_ref().map(through)
}

/// Takes one event; what it says comes to the context.
fn poll<C: ConsumerContext>(client: &BaseConsumer<C>) {
    // There is no record to take: nothing is subscribed.
    drop(client.poll(POLL));
}

fn through(metadata: &Metadata) -> Outcome {
    let brokers = metadata.brokers().iter();
    let topic = metadata.topics().first();
    let error = topic.and_then(MetadataTopic::error);
    Outcome::Through {
        brokers: brokers
            .map(|it| (it.id(), it.host().to_owned(), it.port()))
            .collect(),
        // Those of the protocol have its numbers; the library's own are negative.
        topic_error: error.map_or(0, |error| i16::try_from(error as i32).unwrap_or(i16::MIN)),
    }
}

/// What the library has told so far.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    errors: Vec<(String, String)>,
    log: Vec<String>,
    decided: bool,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_decided(&self) -> bool {
        self.lock().decided
    }

    fn take_log(&self, message: &str) {
        let mut notes = self.lock();
        if notes.log.len() < MAX_LINES && !notes.log.iter().any(|known| known == message) {
            notes.log.push(message.to_owned());
        }
    }

    fn take_error(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let mut notes = self.lock();
        // These do not mend themselves by another try. All others may, and the time decides.
        notes.decided |= matches!(
            code,
            Some(
                RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::SSL
                    | RDKafkaErrorCode::Resolve
            )
        );
        let told = (
            code.map_or_else(String::new, |code| format!("{code:?}")),
            reason.to_owned(),
        );
        // The same error comes again at every poll.
        if notes.errors.len() < MAX_LINES && !notes.errors.contains(&told) {
            notes.errors.push(told);
        }
    }
}

impl AsRef<Self> for Seen {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl ClientContext for Seen {
    fn log(&self, _: RDKafkaLogLevel, _: &str, message: &str) {
        self.take_log(message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.take_error(&error, reason);
    }
}

impl ConsumerContext for Seen {}

/// Gives the library the token of the order.
struct WithToken {
    seen: Seen,
    token: OAuthToken,
}

impl AsRef<Seen> for WithToken {
    fn as_ref(&self) -> &Seen {
        &self.seen
    }
}

impl ClientContext for WithToken {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _: RDKafkaLogLevel, _: &str, message: &str) {
        self.seen.take_log(message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.seen.take_error(&error, reason);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        Ok(OAuthToken {
            token: self.token.token.clone(),
            principal_name: self.token.principal_name.clone(),
            lifetime_ms: self.token.lifetime_ms,
        })
    }
}

impl ConsumerContext for WithToken {}
