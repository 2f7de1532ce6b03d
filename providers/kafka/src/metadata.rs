//! The answer to a Metadata request, read within the bounds of what came.
//!
//! `kafka-protocol` reserves room for as many elements as an answer says that it has, which is a
//! matter of the answer's honesty. Here the bytes that came are the bound.

use bytes::{Buf as _, Bytes};

/// The newest version that this reader knows.
pub(crate) const NEWEST: i16 = 12;
/// Strings and arrays are compact from here on, and tagged fields follow.
const FLEXIBLE: i16 = 9;
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
    pub(crate) partitions: usize,
    /// Partitions without a leader.
    pub(crate) leaderless: Vec<i32>,
    pub(crate) rights: Option<Rights>,
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
        let mut reader = Reader {
            rest: body,
            version,
        };
        if version >= 3 {
            reader.skip(4)?; // how long the client has to wait
        }
        let brokers = reader.array(Reader::broker)?;
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
        let topics = reader.array(Reader::topic)?;
        Some(Self {
            brokers,
            cluster,
            controller,
            topics,
        })
    }
}

struct Reader {
    rest: Bytes,
    version: i16,
}

impl Reader {
    fn flexible(&self) -> bool {
        self.version >= FLEXIBLE
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        (bytes <= self.rest.len()).then(|| self.rest.advance(bytes))
    }

    fn short(&mut self) -> Option<i16> {
        self.rest.try_get_i16().ok()
    }

    fn int(&mut self) -> Option<i32> {
        self.rest.try_get_i32().ok()
    }

    fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.rest.try_get_u8().ok()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).ok();
            }
        }
        None
    }

    /// Returns a text, empty where the answer has null.
    fn text(&mut self) -> Option<String> {
        let length = if self.flexible() {
            self.varint()?.checked_sub(1)
        } else {
            usize::try_from(self.short()?).ok()
        };
        let Some(length) = length else {
            return Some(String::new());
        };
        if length > self.rest.len() {
            return None;
        }
        let text = self.rest.split_to(length);
        String::from_utf8(text.into()).ok()
    }

    fn count(&mut self) -> Option<usize> {
        Some(if self.flexible() {
            self.varint()?.saturating_sub(1)
        } else {
            usize::try_from(self.int()?).unwrap_or(0)
        })
    }

    /// Reads an array: it grows as its elements come, whatever number it claims.
    fn array<T>(&mut self, element: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Some(elements)
    }

    fn tags(&mut self) -> Option<()> {
        if self.flexible() {
            for _ in 0..self.varint()? {
                self.varint()?;
                let length = self.varint()?;
                self.skip(length)?;
            }
        }
        Some(())
    }

    fn broker(&mut self) -> Option<Broker> {
        let broker = Broker {
            id: self.int()?,
            host: self.text()?,
            port: self.int()?,
        };
        if self.version >= 1 {
            self.text()?; // the rack
        }
        self.tags()?;
        Some(broker)
    }

    fn topic(&mut self) -> Option<Topic> {
        let error = self.short()?;
        let name = self.text()?;
        if self.version >= 10 {
            self.skip(16)?; // its UUID
        }
        if self.version >= 1 {
            self.skip(1)?; // whether it is internal
        }
        let partitions = self.array(Self::partition)?;
        let rights = if self.version >= 8 {
            Rights::read(self.int()?)
        } else {
            None
        };
        self.tags()?;
        let leaderless = partitions.iter().filter(|(_, led)| !led);
        Some(Topic {
            error,
            name,
            rights,
            leaderless: leaderless.map(|(index, _)| *index).collect(),
            partitions: partitions.len(),
        })
    }

    /// Reads a partition: its index and whether it has a leader.
    fn partition(&mut self) -> Option<(i32, bool)> {
        self.skip(2)?; // an error, which without a leader says why
        let index = self.int()?;
        let leader = self.int()?;
        if self.version >= 7 {
            self.skip(4)?; // the leader's epoch
        }
        let lists = if self.version >= 5 { 3 } else { 2 };
        for _ in 0..lists {
            let nodes = self.count()?;
            self.skip(nodes.checked_mul(4)?)?;
        }
        self.tags()?;
        Some((index, leader >= 0))
    }
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
            assert_eq!((topic.name.as_str(), topic.partitions), ("orders", 2));
            assert_eq!(topic.leaderless, [1]);
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
