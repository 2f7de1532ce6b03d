//! Apache Kafka, one node that is broker and controller at once, with a topic inside.

mod admin;
mod broker;
mod cluster;
mod contents;
mod kerberos;
mod listener;
mod secured;
mod settings;
mod user;
mod wire;

use std::collections::BTreeSet;
use std::io;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[cfg(feature = "containers")]
pub(crate) use broker::jars;
pub use cluster::KafkaCluster;
use contents::Brokers;
pub use contents::KafkaContents;
pub use listener::KafkaListener;
pub use secured::{KafkaOptions, SecuredKafka};
use settings::{Listener, Node, Properties};
pub use user::KafkaUser;
use wire::{Client, TopicMetadata};

use crate::image::Image;
use crate::server::{Backend, Launch, Place, Server, Tls, shared};
use crate::statement::{identifier, literal};
use crate::wire::Wire;
use crate::{Error, LinkStatement, versions};

/// How long a start may take on a busy machine; it usually takes two seconds.
const START: Duration = Duration::from_mins(2);

/// What is waited for between two attempts.
const INTERVAL: Duration = Duration::from_millis(20);

/// Error codes that pass: `LEADER_NOT_AVAILABLE`, `NOT_LEADER_OR_FOLLOWER`, `REQUEST_TIMED_OUT`,
/// `COORDINATOR_LOAD_IN_PROGRESS`, `COORDINATOR_NOT_AVAILABLE` and `NOT_CONTROLLER`.
const PASSING: [i16; 6] = [5, 6, 7, 14, 15, 41];

const TOPIC_ALREADY_EXISTS: i16 = 36;

/// The port inside a container, where nobody else listens.
const PORT: u16 = 9092;

/// The id of the only broker.
const ONLY: i32 = 1;

/// The id of every cluster: they never meet.
const CLUSTER_ID: &str = "bGlua2RpYWwtdGVzdHMtMQ";

pub(crate) const BACKEND: Backend = Backend {
    name: "kafka",
    image: Image {
        repository: "apache/kafka",
        tag: versions::KAFKA,
        variable: "LINKDIAL_KAFKA_IMAGE",
        port: PORT,
        command: &[],
        pull: true,
    },
    program: broker::program,
    start: START,
    further: 0,
};

/// An Apache Kafka broker on loopback in plain text; it ends with the handle.
///
/// Inside is the topic `orders` with three partitions and no record. No other topic appears by
/// itself.
#[derive(Debug)]
pub struct Kafka {
    server: Server,
    client: Client,
}

impl Deref for Kafka {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// A topic as the broker tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KafkaTopic {
    /// Its name.
    pub name: String,
    /// The leading broker of each partition, if there is one.
    pub leaders: Vec<Option<i32>>,
}

impl Kafka {
    /// Installs Kafka if needed (a minute, once), starts it and makes its topic (two seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or its topic cannot be made.
    pub fn start() -> Result<Self, Error> {
        let ready = |wire: &Wire| is_ready(&Client::new(wire.address));
        let server = Server::start(&BACKEND, Tls::default(), settings, ready)?;
        let kafka = Self::of(server);
        kafka.create_topic("orders", 3)?;
        Ok(kafka)
    }

    fn of(server: Server) -> Self {
        let client = Client::new(server.addr());
        Self { server, client }
    }

    /// The broker that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        shared(&SHARED, Self::start)
    }

    /// The address as the target of a pipeline takes it: `127.0.0.1:PORT`.
    pub fn bootstrap(&self) -> String {
        self.addr().to_string()
    }

    /// The `host:port` of each broker, as the cluster advertises it.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    pub fn brokers(&self) -> Result<Vec<String>, Error> {
        let metadata = self.client.metadata(None);
        Ok(metadata
            .map_err(Error::io("ask Kafka for brokers"))?
            .brokers)
    }

    /// All topics, internal ones such as `__consumer_offsets` too.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or tells of an error of a topic.
    pub fn topics(&self) -> Result<Vec<KafkaTopic>, Error> {
        self.all().topics()
    }

    /// All groups of consumers.
    ///
    /// # Errors
    ///
    /// When the broker does not answer or refuses.
    pub fn groups(&self) -> Result<BTreeSet<String>, Error> {
        self.all().groups()
    }

    /// All transactional ids of producers.
    ///
    /// # Errors
    ///
    /// When the broker does not answer or refuses.
    pub fn transactional_ids(&self) -> Result<BTreeSet<String>, Error> {
        self.all().transactional_ids()
    }

    /// The end offset of each partition of a topic; nothing where there is no leader.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or there is no such topic.
    pub fn end_offsets(&self, topic: &str) -> Result<Vec<Option<i64>>, Error> {
        self.all().end_offsets(topic)
    }

    /// All that clients may leave behind, to compare before and after.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or tells of an error.
    pub fn contents(&self) -> Result<KafkaContents, Error> {
        self.all().contents()
    }

    fn all(&self) -> Brokers {
        Brokers(vec![(ONLY, Client::new(self.addr()))])
    }

    /// Asks for one topic as consumers and producers do.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or there is no such topic.
    pub fn topic(&self, name: &str) -> Result<KafkaTopic, Error> {
        topic(&self.client, name)
    }

    /// Makes a topic and waits until each partition has a leader.
    ///
    /// # Errors
    ///
    /// When the broker does not answer or refuses, or a partition gets no leader in time.
    pub fn create_topic(&self, name: &str, partitions: u16) -> Result<(), Error> {
        create_topic(&self.client, name, partitions, 1)?;
        self.server
            .wait(START, || is_led(&self.client, name, partitions))
    }

    /// A ready `CREATE LINK`.
    pub fn create_link(&self, name: &str) -> LinkStatement {
        plain_link(name)
    }

    /// A ready `CREATE PIPELINE` that reads a topic of this broker through the link.
    pub fn create_pipeline(&self, name: &str, topic: &str, link: &LinkStatement) -> String {
        pipeline(name, &self.bootstrap(), topic, link)
    }
}

fn plain_link(name: &str) -> LinkStatement {
    LinkStatement::new(name, "KAFKA")
        .config("security.protocol", "plaintext")
        .with_empty_credentials()
}

fn pipeline(name: &str, bootstrap: &str, topic: &str, link: &LinkStatement) -> String {
    format!(
        "CREATE PIPELINE {} AS LOAD DATA LINK {} {} INTO TABLE t;\n",
        identifier(name),
        link.quoted_name(),
        literal(&format!("{bootstrap}/{topic}")),
    )
}

fn topic(client: &Client, name: &str) -> Result<KafkaTopic, Error> {
    let metadata = client.metadata(Some(name));
    let topics = metadata.map_err(Error::io("ask Kafka for a topic"))?.topics;
    let topic = topics.into_iter().next().ok_or_else(|| Error::Refused {
        doing: format!("ask Kafka for the topic {name}"),
        answer: "the answer names no topic".to_owned(),
    })?;
    KafkaTopic::read(topic)
}

fn create_topic(client: &Client, name: &str, partitions: u16, replicas: i16) -> Result<(), Error> {
    settled(&format!("make the topic {name}"), |attempt| {
        let code = client.create_topic(name, partitions.into(), replicas)?;
        // The attempt before this one came too late to be told of, and not to be done.
        let code = if attempt > 1 && code == TOPIC_ALREADY_EXISTS {
            0
        } else {
            code
        };
        Ok((code, ()))
    })
}

/// Agrees when each partition of a topic has a leader.
fn is_led(client: &Client, name: &str, partitions: u16) -> Result<(), String> {
    let topic = topic(client, name).map_err(|error| error.to_string())?;
    let led = topic.leaders.iter().filter(|leader| leader.is_some());
    if led.count() == usize::from(partitions) {
        return Ok(());
    }
    Err(format!("{name} lacks partitions or leaders: {topic:?}"))
}

impl KafkaTopic {
    fn read(topic: TopicMetadata) -> Result<Self, Error> {
        succeeded(&format!("look up the topic {}", topic.name), topic.error)?;
        let mut partitions = topic.partitions;
        partitions.sort_unstable();
        let leaders = partitions.into_iter();
        let leaders = leaders.map(|(_, leader)| (leader >= 0).then_some(leader));
        Ok(Self {
            name: topic.name,
            leaders: leaders.collect(),
        })
    }
}

/// Asks again, with the number of the attempt, while the broker is taking something over or its
/// disk keeps it waiting.
fn settled<T>(doing: &str, ask: impl Fn(u32) -> io::Result<(i16, T)>) -> Result<T, Error> {
    let begin = Instant::now();
    let mut attempt = 1;
    loop {
        let answer = ask(attempt);
        let again = match &answer {
            Ok((code, _)) => PASSING.contains(code),
            // A broker that is still coming up may hang up.
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::TimedOut
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
            ),
        };
        if again && begin.elapsed() < START {
            std::thread::sleep(INTERVAL);
            attempt += 1;
            continue;
        }
        let (code, value) = answer.map_err(Error::io(format!("{doing} of Kafka")))?;
        return succeeded(doing, code).map(|()| value);
    }
}

/// An error unless the code is 0.
fn succeeded(doing: &str, code: i16) -> Result<(), Error> {
    let name = match code {
        0 => return Ok(()),
        3 => "UNKNOWN_TOPIC_OR_PARTITION",
        5 => "LEADER_NOT_AVAILABLE",
        7 => "REQUEST_TIMED_OUT",
        17 => "INVALID_TOPIC_EXCEPTION",
        TOPIC_ALREADY_EXISTS => "TOPIC_ALREADY_EXISTS",
        37 => "INVALID_PARTITIONS",
        _ => "another error of the protocol",
    };
    Err(Error::Refused {
        doing: format!("{doing} of Kafka"),
        answer: format!("{name} ({code})"),
    })
}

/// Agrees when the broker lists itself at the address that it was asked at and knows the
/// controller.
fn is_ready(client: &Client) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    client.check_versions(&contents::APIS).map_err(told)?;
    let metadata = client.metadata(None).map_err(told)?;
    if metadata.controller >= 0 && metadata.brokers == [client.address().to_string()] {
        return Ok(());
    }
    Err(format!("the cluster is not complete: {metadata:?}"))
}

fn settings(place: &Place) -> Launch {
    Properties::new(&Node::alone(place), &[Listener::plaintext(place)]).launch(place)
}
