//! The properties of a broker, the same for both runtimes.

use std::net::{Ipv4Addr, SocketAddr};

use super::{CLUSTER_ID, PORT};
use crate::runtime::Runtime;
use crate::server::{DATA, Launch, Place};

/// A node of a cluster: a broker and a controller at once.
pub(super) struct Node {
    /// Its number, from 1.
    pub(super) id: usize,
    /// The ports of all controllers of the cluster, in the order of their nodes.
    pub(super) controllers: Vec<u16>,
    /// Where it keeps its records.
    pub(super) data: String,
    /// Where it reaches itself when it cannot do so at the address that it advertises: it marks
    /// the ends of transactions over a connection of its own.
    pub(super) own: Option<SocketAddr>,
}

/// The listener at [`Node::own`].
const OWN: &str = "OWN";

impl Node {
    /// The only one of its cluster.
    pub(super) fn alone(place: &Place) -> Self {
        let (controller, own) = match place.runtime {
            Runtime::Docker => (PORT + 1, Some((Ipv4Addr::LOCALHOST, PORT + 2).into())),
            Runtime::Local => (place.spare, None),
        };
        Self {
            id: 1,
            controllers: vec![controller],
            data: place.path(DATA),
            own,
        }
    }

    fn controller(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.controllers[self.id - 1]))
    }

    fn voters(&self) -> String {
        let voters = self.controllers.iter().zip(1..);
        let voters = voters.map(|(port, id)| format!("{id}@127.0.0.1:{port}"));
        voters.collect::<Vec<_>>().join(",")
    }
}

/// A door of a broker.
pub(super) struct Listener {
    pub(super) name: &'static str,
    pub(super) protocol: &'static str,
    pub(super) listen: SocketAddr,
    /// The `host:port` that clients are sent to.
    pub(super) advertised: String,
}

impl Listener {
    /// The one without TLS and login.
    pub(super) fn plaintext(place: &Place) -> Self {
        Self {
            name: "PLAINTEXT",
            protocol: "PLAINTEXT",
            listen: place.listen,
            advertised: place.address.to_string(),
        }
    }
}

/// The properties of one broker.
#[derive(Debug, Default)]
pub(super) struct Properties {
    lines: Vec<(String, String)>,
    /// Those of its Java.
    java: Vec<(String, String)>,
}

impl Properties {
    pub(super) fn new(node: &Node, listeners: &[Listener]) -> Self {
        let own = node.own.map(|address| Listener {
            name: OWN,
            protocol: "PLAINTEXT",
            listen: address,
            advertised: address.to_string(),
        });
        let list = |controller: Option<String>, show: fn(&Listener) -> String| {
            let shown = listeners.iter().chain(&own).map(show).chain(controller);
            shown.collect::<Vec<_>>().join(",")
        };
        let fixed = [
            ("process.roles", "broker,controller"),
            ("controller.listener.names", "CONTROLLER"),
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
        let controller = format!("CONTROLLER://{}", node.controller());
        let of_the_run = [
            ("node.id", node.id.to_string()),
            ("log.dirs", node.data.clone()),
            (
                "listeners",
                list(Some(controller), |it| {
                    format!("{}://{}", it.name, it.listen)
                }),
            ),
            (
                "advertised.listeners",
                list(None, |it| format!("{}://{}", it.name, it.advertised)),
            ),
            (
                "listener.security.protocol.map",
                list(Some("CONTROLLER:PLAINTEXT".to_owned()), |it| {
                    format!("{}:{}", it.name, it.protocol)
                }),
            ),
            ("controller.quorum.voters", node.voters()),
        ];
        let mut properties = Self::default();
        for (name, value) in fixed {
            properties.set(name, value);
        }
        for (name, value) in of_the_run {
            properties.set(name, value);
        }
        if let Some(own) = &own {
            properties.set("inter.broker.listener.name", own.name);
        }
        properties
    }

    /// Sets a property, instead of what it was set to before.
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.lines.retain(|(known, _)| *known != name);
        self.lines.push((name, value.into()));
    }

    /// Sets a property of its Java.
    pub(super) fn set_java(&mut self, name: &str, value: impl Into<String>) {
        self.java.push((name.to_owned(), value.into()));
    }

    /// How the broker is started with them.
    pub(super) fn launch(self, place: &Place) -> Launch {
        let option = |(name, value): &(String, String)| format!("-D{name}={value}");
        let java: Vec<_> = self.java.iter().map(option).collect();
        match place.runtime {
            // The image makes properties of its variables, formats the storage and starts.
            Runtime::Docker => {
                let launch = Launch::default()
                    .variable("CLUSTER_ID", CLUSTER_ID)
                    .variable("KAFKA_HEAP_OPTS", "-Xmx256m")
                    .variable("KAFKA_OPTS", java.join(" "))
                    .variable(
                        "KAFKA_JVM_PERFORMANCE_OPTS",
                        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                    );
                self.lines
                    .into_iter()
                    .fold(launch, |launch, (name, value)| {
                        launch.variable(&variable(&name), value)
                    })
            }
            Runtime::Local => Launch::default()
                .arguments(java)
                .arguments([
                    format!("-Djava.io.tmpdir={}", place.folder.display()),
                    "kafka.Kafka".to_owned(),
                    place.path("server.properties"),
                ])
                .file("server.properties", self.text()),
        }
    }

    fn text(&self) -> String {
        let lines = self.lines.iter().map(|(name, value)| {
            // A backslash begins an escape there.
            format!("{name}={}\n", value.replace('\\', r"\\"))
        });
        lines.collect()
    }
}

/// The variable of which the image makes this property.
fn variable(name: &str) -> String {
    let name = name.to_uppercase().replace('_', "__");
    format!("KAFKA_{}", name.replace('-', "___").replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn launch(runtime: Runtime, listen: &str) -> Launch {
        let place = Place {
            runtime,
            folder: PathBuf::from("/run"),
            listen: listen.parse().unwrap(),
            address: "127.0.0.1:40000".parse().unwrap(),
            spare: 40001,
            further: Vec::new(),
        };
        Properties::new(&Node::alone(&place), &[Listener::plaintext(&place)]).launch(&place)
    }

    #[test]
    fn process_gets_properties_as_a_file() {
        let launch = launch(Runtime::Local, "127.0.0.1:40000");
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
        let launch = launch(Runtime::Docker, "0.0.0.0:9092");
        assert!(launch.files.is_empty() && launch.arguments.is_empty());
        for (name, value) in [
            (
                "KAFKA_LISTENERS",
                "PLAINTEXT://0.0.0.0:9092,OWN://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093",
            ),
            (
                "KAFKA_ADVERTISED_LISTENERS",
                "PLAINTEXT://127.0.0.1:40000,OWN://127.0.0.1:9094",
            ),
            ("KAFKA_INTER_BROKER_LISTENER_NAME", "OWN"),
        ] {
            let variable = (name.to_owned(), value.to_owned());
            assert!(launch.variables.contains(&variable), "{launch:?}");
        }
    }

    #[test]
    fn variable_keeps_dashes_and_underscores() {
        assert_eq!(
            variable("scram-sha-256.a_b"),
            "KAFKA_SCRAM___SHA___256_A__B"
        );
    }

    #[test]
    fn later_setting_wins() {
        let mut properties = Properties::default();
        for value in ["1", "2"] {
            properties.set("a.b", value);
        }
        assert_eq!(properties.text(), "a.b=2\n");
    }

    #[test]
    fn nodes_of_a_cluster_know_each_other() {
        let node = Node {
            id: 2,
            controllers: vec![41, 42],
            data: String::new(),
            own: None,
        };
        let text = Properties::new(&node, &[]).text();
        for line in [
            "node.id=2\n",
            "listeners=CONTROLLER://127.0.0.1:42\n",
            "controller.quorum.voters=1@127.0.0.1:41,2@127.0.0.1:42\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
