//! The answer to a Metadata request.

use bytes::Bytes;

use crate::reader::Reader;

/// The newest version that this reader knows.
pub(crate) const NEWEST: i16 = 12;
/// Strings and arrays are compact from here on, and tagged fields follow.
const FLEXIBLE: i16 = 9;
/// No cluster has more brokers: an answer that tells of more is none.
const MAX_BROKERS: usize = 10_000;
/// Says that the broker tells nothing about rights.
const NOT_TOLD: i32 = i32::MIN;

/// The bit of each operation (`org.apache.kafka.common.acl.AclOperation`).
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;

/// The cluster as one broker tells of it.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) brokers: Vec<Broker>,
    /// Its id; empty where the broker does not tell.
    pub(crate) cluster: String,
    pub(crate) controller: Option<i32>,
    pub(crate) topics: Vec<Topic>,
}

/// A broker as it wants to be dialled.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Broker {
    pub(crate) id: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

/// A topic, or why there is none.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Topic {
    pub(crate) error: i16,
    pub(crate) name: String,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) rights: Option<Rights>,
}

/// A partition of a topic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Partition {
    pub(crate) index: i32,
    /// The broker that leads it, where one does.
    pub(crate) leader: Option<i32>,
}

impl Topic {
    /// Returns the partitions that a broker leads.
    pub(crate) fn led_by(&self, broker: i32) -> Vec<i32> {
        let led = self
            .partitions
            .iter()
            .filter(|it| it.leader == Some(broker));
        led.map(|it| it.index).collect()
    }

    /// Returns the partitions that nobody leads.
    pub(crate) fn leaderless(&self) -> Vec<i32> {
        let alone = self.partitions.iter().filter(|it| it.leader.is_none());
        alone.map(|it| it.index).collect()
    }
}

/// What the broker's authorizer allows on a topic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Rights(i32);

impl Rights {
    fn read(bits: i32) -> Option<Self> {
        (bits != NOT_TOLD).then_some(Self(bits))
    }

    pub(crate) const fn may_read(self) -> bool {
        self.0 & READ != 0
    }

    pub(crate) const fn may_write(self) -> bool {
        self.0 & WRITE != 0
    }

    /// Returns the names of the operations.
    pub(crate) fn names(self) -> String {
        let names = [
            (3, "Read"),
            (4, "Write"),
            (5, "Create"),
            (6, "Delete"),
            (7, "Alter"),
            (8, "Describe"),
            (9, "ClusterAction"),
            (10, "DescribeConfigs"),
            (11, "AlterConfigs"),
        ];
        let held = names.iter().filter(|(bit, _)| self.0 & (1 << bit) != 0);
        let held: Vec<&str> = held.map(|(_, name)| *name).collect();
        if held.is_empty() {
            "none".to_owned()
        } else {
            held.join(", ")
        }
    }
}

impl Metadata {
    /// Reads the body of an answer; `None` when it is none.
    pub(crate) fn read(body: Bytes, version: i16) -> Option<Self> {
        let mut reader = Reader::new(body, version >= FLEXIBLE);
        if version >= 3 {
            reader.skip(4)?; // how long the client has to wait
        }
        let brokers = reader.array_up_to(MAX_BROKERS, |reader| broker(reader, version))?;
        let cluster = if version >= 2 {
            reader.text()?
        } else {
            String::new()
        };
        let controller = if version >= 1 {
            Some(reader.int()?).filter(|id| *id >= 0)
        } else {
            None
        };
        let topics = reader.array(|reader| topic(reader, version))?;
        Some(Self {
            brokers,
            cluster,
            controller,
            topics,
        })
    }
}

fn broker(reader: &mut Reader, version: i16) -> Option<Broker> {
    let broker = Broker {
        id: reader.int()?,
        host: reader.text()?,
        port: reader.int()?,
    };
    if version >= 1 {
        reader.text()?; // the rack
    }
    reader.tags()?;
    Some(broker)
}

fn topic(reader: &mut Reader, version: i16) -> Option<Topic> {
    let error = reader.short()?;
    let name = reader.text()?;
    if version >= 10 {
        reader.skip(16)?; // its UUID
    }
    if version >= 1 {
        reader.skip(1)?; // whether it is internal
    }
    let partitions = reader.array(|reader| partition(reader, version))?;
    let rights = if version >= 8 {
        Rights::read(reader.int()?)
    } else {
        None
    };
    reader.tags()?;
    Some(Topic {
        error,
        name,
        partitions,
        rights,
    })
}

fn partition(reader: &mut Reader, version: i16) -> Option<Partition> {
    reader.skip(2)?; // an error, which without a leader says why
    let index = reader.int()?;
    let leader = reader.int()?;
    if version >= 7 {
        reader.skip(4)?; // the leader's epoch
    }
    let lists = if version >= 5 { 3 } else { 2 };
    for _ in 0..lists {
        let nodes = reader.count()?;
        reader.skip(nodes.checked_mul(4)?)?;
    }
    reader.tags()?;
    let leader = Some(leader).filter(|id| *id >= 0);
    Some(Partition { index, leader })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::metadata_response::{
        MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };
    use kafka_protocol::messages::{BrokerId, TopicName};
    use kafka_protocol::protocol::{Encodable as _, StrBytes};

    use super::*;

    fn encoded(version: i16) -> Bytes {
        let broker = MetadataResponseBroker::default()
            .with_node_id(BrokerId(3))
            .with_host(StrBytes::from_static_str("b3.example.com"))
            .with_port(9092);
        let partition = |index, leader| {
            MetadataResponsePartition::default()
                .with_partition_index(index)
                .with_leader_id(BrokerId(leader))
                .with_replica_nodes(vec![BrokerId(3), BrokerId(4)])
                .with_isr_nodes(vec![BrokerId(3)])
        };
        let mut topic = MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str("orders"))))
            .with_partitions(vec![partition(0, 3), partition(1, -1)]);
        if version >= 8 {
            topic = topic.with_topic_authorized_operations(1 << 3 | 1 << 8);
        }
        let mut answer = MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_topics(vec![topic]);
        if version >= 1 {
            answer = answer.with_controller_id(BrokerId(3));
        }
        if version >= 2 {
            answer = answer.with_cluster_id(Some(StrBytes::from_static_str("lab")));
        }
        let mut bytes = BytesMut::new();
        answer.encode(&mut bytes, version).unwrap();
        bytes.freeze()
    }

    #[test]
    fn every_version_is_read_as_it_was_written() {
        for version in 0..=NEWEST {
            let metadata = Metadata::read(encoded(version), version).unwrap();
            let broker = Broker {
                id: 3,
                host: "b3.example.com".to_owned(),
                port: 9092,
            };
            assert_eq!(metadata.brokers, [broker], "{version}");
            assert_eq!(!metadata.cluster.is_empty(), version >= 2);
            assert_eq!(metadata.controller.is_some(), version >= 1);
            let topic = &metadata.topics[0];
            assert_eq!((topic.name.as_str(), topic.partitions.len()), ("orders", 2));
            assert_eq!((topic.led_by(3), topic.leaderless()), (vec![0], vec![1]));
            let rights = topic.rights.map(Rights::names);
            assert_eq!(rights.is_some(), version >= 8);
            assert!(rights.is_none_or(|names| names == "Read, Describe"));
        }
    }

    #[test]
    fn a_cut_or_lying_answer_is_none() {
        for version in [0, 8, NEWEST] {
            let whole = encoded(version);
            // The end of a flexible answer is a count of tags that nobody needs.
            for length in 0..whole.len() - 8 {
                assert_eq!(Metadata::read(whole.slice(..length), version), None);
            }
        }
        let endless = Bytes::from_static(&[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(Metadata::read(endless, 3), None);
    }
}
