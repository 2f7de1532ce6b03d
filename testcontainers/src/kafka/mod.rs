//! Apache Kafka, one node that is broker and controller at once, with a topic inside.

mod broker;
mod wire;

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(feature = "containers")]
pub(crate) use broker::jars;
use wire::{Client, TopicMetadata};

use crate::image::Image;
use crate::server::{Backend, DATA, Launch, Place, Server, Tls, shared};
use crate::statement::{identifier, literal};
use crate::wire::Wire;
use crate::{Error, LinkStatement, Runtime, versions};

/// How long a start may take on a busy machine; it usually takes two seconds.
const START: Duration = Duration::from_mins(2);

/// The port inside a container, where nobody else listens.
const PORT: u16 = 9092;

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
        let client = Client::new(server.addr());
        let kafka = Self { server, client };
        kafka.create_topic("orders", 3)?;
        Ok(kafka)
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

    /// All topics.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or tells of an error of a topic.
    pub fn topics(&self) -> Result<Vec<KafkaTopic>, Error> {
        let metadata = self.client.metadata(None);
        let topics = metadata.map_err(Error::io("ask Kafka for topics"))?.topics;
        topics.into_iter().map(KafkaTopic::read).collect()
    }

    /// Asks for one topic as consumers and producers do.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or there is no such topic.
    pub fn topic(&self, name: &str) -> Result<KafkaTopic, Error> {
        let metadata = self.client.metadata(Some(name));
        let topics = metadata.map_err(Error::io("ask Kafka for a topic"))?.topics;
        let topic = topics.into_iter().next().ok_or_else(|| Error::Refused {
            doing: format!("ask Kafka for the topic {name}"),
            answer: "the answer names no topic".to_owned(),
        })?;
        KafkaTopic::read(topic)
    }

    /// Makes a topic and waits until each partition has a leader.
    ///
    /// # Errors
    ///
    /// When the broker does not answer or refuses, or a partition gets no leader in time.
    pub fn create_topic(&self, name: &str, partitions: u16) -> Result<(), Error> {
        let code = self.client.create_topic(name, partitions.into());
        let code = code.map_err(Error::io("make a topic of Kafka"))?;
        if code != 0 {
            return Err(refused(&format!("make the topic {name}"), code));
        }
        self.server.wait(START, || {
            let topic = self.topic(name).map_err(|error| error.to_string())?;
            let led = topic.leaders.iter().filter(|leader| leader.is_some());
            if led.count() == usize::from(partitions) {
                return Ok(());
            }
            Err(format!("{name} lacks partitions or leaders: {topic:?}"))
        })
    }

    /// A ready `CREATE LINK`.
    pub fn create_link(&self, name: &str) -> LinkStatement {
        LinkStatement::new(name, "KAFKA")
            .config("security.protocol", "plaintext")
            .with_empty_credentials()
    }

    /// A ready `CREATE PIPELINE` that reads a topic of this broker through the link.
    pub fn create_pipeline(&self, name: &str, topic: &str, link: &LinkStatement) -> String {
        format!(
            "CREATE PIPELINE {} AS LOAD DATA LINK {} {} INTO TABLE t;\n",
            identifier(name),
            link.quoted_name(),
            literal(&format!("{}/{topic}", self.bootstrap())),
        )
    }
}

impl KafkaTopic {
    fn read(topic: TopicMetadata) -> Result<Self, Error> {
        if topic.error != 0 {
            return Err(refused(
                &format!("look up the topic {}", topic.name),
                topic.error,
            ));
        }
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

fn refused(doing: &str, code: i16) -> Error {
    let name = match code {
        3 => "UNKNOWN_TOPIC_OR_PARTITION",
        5 => "LEADER_NOT_AVAILABLE",
        7 => "REQUEST_TIMED_OUT",
        17 => "INVALID_TOPIC_EXCEPTION",
        36 => "TOPIC_ALREADY_EXISTS",
        37 => "INVALID_PARTITIONS",
        _ => "another error of the protocol",
    };
    Error::Refused {
        doing: format!("{doing} of Kafka"),
        answer: format!("{name} ({code})"),
    }
}

/// Agrees when the broker lists itself at the address that it was asked at and knows the
/// controller.
fn is_ready(client: &Client) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    client.check_versions().map_err(told)?;
    let metadata = client.metadata(None).map_err(told)?;
    if metadata.controller >= 0 && metadata.brokers == [client.address().to_string()] {
        return Ok(());
    }
    Err(format!("the cluster is not complete: {metadata:?}"))
}

/// The broker's properties, the same for both runtimes.
fn properties(place: &Place) -> Vec<(&'static str, String)> {
    let log = place.path(DATA);
    let controller = match place.runtime {
        Runtime::Docker => PORT + 1,
        Runtime::Local => place.spare,
    };
    let (listen, address) = (place.listen, place.address);
    let fixed = [
        ("process.roles", "broker,controller"),
        ("node.id", "1"),
        ("controller.listener.names", "CONTROLLER"),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ),
        ("auto.create.topics.enable", "false"),
        ("group.initial.rebalance.delay.ms", "0"),
        // One broker cannot hold three replicas.
        ("offsets.topic.num.partitions", "1"),
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.num.partitions", "1"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("share.coordinator.state.topic.num.partitions", "1"),
        ("share.coordinator.state.topic.replication.factor", "1"),
        ("share.coordinator.state.topic.min.isr", "1"),
        // Small, for many brokers at once.
        ("num.network.threads", "1"),
        ("num.io.threads", "2"),
        ("background.threads", "1"),
        ("log.cleaner.dedupe.buffer.size", "2097152"),
    ];
    let of_the_run = [
        ("log.dirs", log),
        (
            "listeners",
            format!("PLAINTEXT://{listen},CONTROLLER://127.0.0.1:{controller}"),
        ),
        ("advertised.listeners", format!("PLAINTEXT://{address}")),
        (
            "controller.quorum.voters",
            format!("1@127.0.0.1:{controller}"),
        ),
    ];
    let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
    fixed.into_iter().chain(of_the_run).collect()
}

fn settings(place: &Place) -> Launch {
    let properties = properties(place);
    match place.runtime {
        // The image makes properties of its variables, formats the storage and starts.
        Runtime::Docker => {
            let launch = Launch::default()
                .variable("CLUSTER_ID", CLUSTER_ID)
                .variable("KAFKA_HEAP_OPTS", "-Xmx256m")
                .variable(
                    "KAFKA_JVM_PERFORMANCE_OPTS",
                    "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                );
            properties
                .into_iter()
                .fold(launch, |launch, (name, value)| {
                    let name = name.to_uppercase().replace('.', "_");
                    launch.variable(&format!("KAFKA_{name}"), value)
                })
        }
        Runtime::Local => {
            let lines = properties.iter().map(|(name, value)| {
                // A backslash begins an escape there.
                format!("{name}={}\n", value.replace('\\', r"\\"))
            });
            Launch::default()
                .arguments([
                    format!("-Djava.io.tmpdir={}", place.folder.display()),
                    "kafka.Kafka".to_owned(),
                    place.path("server.properties"),
                ])
                .file("server.properties", lines.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn place(runtime: Runtime, listen: &str) -> Place {
        Place {
            runtime,
            folder: PathBuf::from("/run"),
            listen: listen.parse().unwrap(),
            address: "127.0.0.1:40000".parse().unwrap(),
            spare: 40001,
        }
    }

    #[test]
    fn process_gets_properties_as_a_file() {
        let launch = settings(&place(Runtime::Local, "127.0.0.1:40000"));
        assert_eq!(launch.variables, []);
        let (name, text) = &launch.files[0];
        assert_eq!(name, "server.properties");
        let text = String::from_utf8_lossy(text);
        for line in [
            "log.dirs=/run/data\n",
            "listeners=PLAINTEXT://127.0.0.1:40000,CONTROLLER://127.0.0.1:40001\n",
            "controller.quorum.voters=1@127.0.0.1:40001\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn container_gets_properties_as_variables() {
        let launch = settings(&place(Runtime::Docker, "0.0.0.0:9092"));
        assert!(launch.files.is_empty() && launch.arguments.is_empty());
        for (name, value) in [
            (
                "KAFKA_LISTENERS",
                "PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093",
            ),
            ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://127.0.0.1:40000"),
        ] {
            let variable = (name.to_owned(), value.to_owned());
            assert!(launch.variables.contains(&variable), "{launch:?}");
        }
    }
}
