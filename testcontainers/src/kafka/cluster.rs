use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use super::contents::Brokers;
use super::settings::{Listener, Node, Properties};
use super::wire::Client;
use super::{CLUSTER_ID, START, broker, create_topic, is_led, pipeline, plain_link, topic};
use crate::process::{Process, with_ports};
use crate::runtime::Runtime;
use crate::server::{DATA, Place};
use crate::{Error, KafkaContents, KafkaTopic, LinkStatement, Scratch};

/// How many brokers there are; two of them are enough to go on.
const SIZE: usize = 3;

/// The partitions of the topic.
const PARTITIONS: u16 = 3;

/// Longer than any test: a broker that is killed stays advertised, with what it leads.
const SESSION_MS: &str = "600000";

/// Three Apache Kafka brokers on loopback in plain text, as processes; they end with the handle.
///
/// Inside is the topic `orders` with three partitions, each on all brokers, and each broker leads
/// one of them.
#[derive(Debug)]
pub struct KafkaCluster {
    brokers: Vec<Broker>,
}

#[derive(Debug)]
struct Broker {
    address: SocketAddr,
    /// Gone when it was killed. The process first: its folder goes only after it has gone.
    running: Option<(Process, Scratch)>,
}

impl KafkaCluster {
    /// Installs Kafka if needed (a minute, once), starts the brokers and makes the topic (some
    /// seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or its topic cannot be made.
    pub fn start() -> Result<Self, Error> {
        let cluster = with_ports(2 * SIZE, Self::launch)?;
        cluster.fill()?;
        Ok(cluster)
    }

    /// The first half of the ports is for clients, the other one for the controllers.
    fn launch(ports: &[u16]) -> Result<Self, Error> {
        let (ports, controllers) = ports.split_at(SIZE);
        let brokers = ports.iter().zip(1..);
        let brokers = brokers.map(|(port, id)| Broker::start(id, *port, controllers));
        let cluster = Self {
            brokers: brokers.collect::<Result<_, _>>()?,
        };
        let mut addresses: Vec<_> = cluster.addresses().collect();
        addresses.sort();
        for broker in &cluster.brokers {
            broker.wait(|client| {
                let metadata = client.metadata(None).map_err(|error| error.to_string())?;
                let mut known = metadata.brokers.clone();
                known.sort();
                if metadata.controller >= 0 && known == addresses {
                    return Ok(());
                }
                Err(format!("the cluster is not complete: {metadata:?}"))
            })?;
        }
        Ok(cluster)
    }

    fn fill(&self) -> Result<(), Error> {
        let first = &self.brokers[0];
        let replicas = i16::try_from(SIZE).expect("there are few brokers");
        create_topic(&first.client(), "orders", PARTITIONS, replicas)?;
        for broker in &self.brokers {
            broker.wait(|client| is_led(client, "orders", PARTITIONS))?;
        }
        Ok(())
    }

    fn addresses(&self) -> impl Iterator<Item = String> {
        self.brokers.iter().map(|it| it.address.to_string())
    }

    /// The addresses of all brokers, killed ones too, as the target of a pipeline takes them.
    pub fn bootstrap(&self) -> String {
        self.addresses().collect::<Vec<_>>().join(",")
    }

    /// The address of a broker, by its number from 1.
    ///
    /// # Panics
    ///
    /// When there is no such broker.
    pub fn addr(&self, broker: usize) -> SocketAddr {
        self.brokers[broker - 1].address
    }

    /// The process id of a broker, by its number from 1, unless it was killed.
    ///
    /// # Panics
    ///
    /// When there is no such broker.
    pub fn pid(&self, broker: usize) -> Option<u32> {
        let running = self.brokers[broker - 1].running.as_ref();
        running.map(|(process, _)| process.pid())
    }

    /// Kills a broker, by its number from 1.
    ///
    /// The others advertise it on, and the partition that it leads stays without another leader.
    ///
    /// # Panics
    ///
    /// When there is no such broker.
    pub fn kill(&mut self, broker: usize) {
        self.brokers[broker - 1].running = None;
    }

    /// The `host:port` of each broker, as this one advertises it, by its number from 1.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    ///
    /// # Panics
    ///
    /// When there is no such broker.
    pub fn brokers(&self, asked: usize) -> Result<Vec<String>, Error> {
        let metadata = self.brokers[asked - 1].client().metadata(None);
        Ok(metadata
            .map_err(Error::io("ask Kafka for brokers"))?
            .brokers)
    }

    /// Asks a broker for a topic as consumers and producers do, by its number from 1.
    ///
    /// # Errors
    ///
    /// When the broker does not answer, or there is no such topic.
    ///
    /// # Panics
    ///
    /// When there is no such broker.
    pub fn topic(&self, asked: usize, name: &str) -> Result<KafkaTopic, Error> {
        topic(&self.brokers[asked - 1].client(), name)
    }

    /// All topics, internal ones such as `__consumer_offsets` too.
    ///
    /// # Errors
    ///
    /// When the first living broker does not answer, or tells of an error of a topic.
    pub fn topics(&self) -> Result<Vec<KafkaTopic>, Error> {
        self.living().topics()
    }

    /// All groups of consumers that living brokers coordinate.
    ///
    /// # Errors
    ///
    /// When a living broker does not answer or refuses.
    pub fn groups(&self) -> Result<BTreeSet<String>, Error> {
        self.living().groups()
    }

    /// All transactional ids of producers that living brokers coordinate.
    ///
    /// # Errors
    ///
    /// When a living broker does not answer or refuses.
    pub fn transactional_ids(&self) -> Result<BTreeSet<String>, Error> {
        self.living().transactional_ids()
    }

    /// The end offset of each partition of a topic; nothing where the leader was killed.
    ///
    /// # Errors
    ///
    /// When a living broker does not answer, or there is no such topic.
    pub fn end_offsets(&self, topic: &str) -> Result<Vec<Option<i64>>, Error> {
        self.living().end_offsets(topic)
    }

    /// All that clients may leave behind, to compare before and after.
    ///
    /// # Errors
    ///
    /// When a living broker does not answer, or tells of an error.
    pub fn contents(&self) -> Result<KafkaContents, Error> {
        self.living().contents()
    }

    fn living(&self) -> Brokers {
        let brokers = self.brokers.iter().zip(1..);
        let living = brokers.filter(|(broker, _)| broker.running.is_some());
        Brokers(living.map(|(broker, id)| (id, broker.client())).collect())
    }

    /// A ready `CREATE LINK`.
    pub fn create_link(&self, name: &str) -> LinkStatement {
        plain_link(name)
    }

    /// A ready `CREATE PIPELINE` that reads a topic of this cluster through the link.
    pub fn create_pipeline(&self, name: &str, topic: &str, link: &LinkStatement) -> String {
        pipeline(name, &self.bootstrap(), topic, link)
    }
}

impl Broker {
    /// Starts one without waiting for it: it is ready only with the others.
    fn start(id: usize, port: u16, controllers: &[u16]) -> Result<Self, Error> {
        let folder = Scratch::new("kafka")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let place = Place {
            runtime: Runtime::Local,
            folder: folder.path().to_owned(),
            listen: address,
            address,
            spare: controllers[id - 1],
            further: Vec::new(),
        };
        let node = Node {
            id,
            controllers: controllers.to_vec(),
            data: place.path(DATA),
            own: None,
        };
        let mut properties = Properties::new(&node, &[Listener::plaintext(&place)]);
        properties.set("broker.session.timeout.ms", SESSION_MS);
        // The storage was formatted for the first node.
        let meta = format!("version=1\ncluster.id={CLUSTER_ID}\nnode.id={id}\n");
        let launch = properties.launch(&place).file("meta.properties", meta);
        for (name, contents) in &launch.files {
            folder.write(name, contents)?;
        }
        let mut command = broker::program()?;
        command.args(launch.arguments);
        let process = Process::start("kafka", &folder, &command)?;
        Ok(Self {
            address,
            running: Some((process, folder)),
        })
    }

    fn client(&self) -> Client {
        Client::new(self.address)
    }

    fn wait(&self, ready: impl Fn(&Client) -> Result<(), String>) -> Result<(), Error> {
        let client = self.client();
        match &self.running {
            Some((process, _)) => process.wait(START, || ready(&client)),
            None => Ok(()),
        }
    }
}
