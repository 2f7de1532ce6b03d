//! The other side: runs librdkafka and tells what it has seen.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::util::get_rdkafka_version;

use super::order::{Answer, Order, Outcome};

/// Nobody orders more, in bytes: certificates may be among the options.
const MAX_ORDER: u64 = 8 * 1024 * 1024;

/// Lines and errors beyond this many say nothing new.
const MAX_LINES: usize = 50;

/// How long one try may take. A failed one uses all of it, and its reason comes only to who polls
/// afterwards.
const TRY: Duration = Duration::from_millis(200);

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
    thread::spawn(move || done.send(Some(dial(&order, limit, &work))).ok());
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
    output.flush()
}

fn dial(order: &Order, limit: Duration, seen: &Seen) -> Outcome {
    match &order.token {
        Some(token) => {
            let token = OAuthToken {
                token: token.value.clone(),
                principal_name: token.principal.clone(),
                lifetime_ms: token.expires_ms,
            };
            let seen = seen.clone();
            dial_as(order, limit, WithToken { seen, token })
        }
        None => dial_as(order, limit, seen.clone()),
    }
}

fn dial_as<C: ConsumerContext + AsRef<Seen> + 'static>(
    order: &Order,
    limit: Duration,
    context: C,
) -> Outcome {
    let started = Instant::now();
    let mut config = ClientConfig::new();
    // Two lines that say why a peer hangs up are of this level.
    config.set_log_level(RDKafkaLogLevel::Info);
    for (name, value) in &order.options {
        config.set(name, value);
    }
    let client: BaseConsumer<C> = match config.create_with_context(context) {
        Ok(client) => client,
        Err(error) => return Outcome::Unusable(error.to_string()),
    };
    let seen = client.context().as_ref().as_ref().clone();
    if order.token.is_some() {
        // The library asks for the token only while it is polled.
        poll(&client);
    }
    while started.elapsed() < limit {
        let metadata = client.fetch_metadata(order.topic.as_deref(), TRY);
        if let Ok(metadata) = metadata {
            return through(&metadata);
        }
        for _ in 0..POLLS {
            poll(&client);
        }
        if seen.is_decided() {
            break;
        }
    }
    Outcome::Failed
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
