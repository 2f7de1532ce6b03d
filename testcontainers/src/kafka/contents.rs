//! What a cluster holds, and so what clients have left there, over the same protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::wire::{Api, Client, Fields, invalid, put_i32, put_i64, put_string};
use super::{settled, topic};
use crate::{Error, KafkaTopic};

const LIST_OFFSETS: Api = (2, 1);
const LIST_GROUPS: Api = (16, 2);
const LIST_TRANSACTIONS: Api = (66, 0);

/// What is spoken here.
pub(super) const APIS: [Api; 3] = [LIST_OFFSETS, LIST_GROUPS, LIST_TRANSACTIONS];

/// The timestamp that stands for the end of a partition.
const END: i64 = -1;

/// What clients may leave in a cluster; two of them differ when somebody has left something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KafkaContents {
    /// The end offset of each partition of each topic, internal ones too; nothing where the leader
    /// was killed.
    pub end_offsets: BTreeMap<String, Vec<Option<i64>>>,
    /// The groups of consumers.
    pub groups: BTreeSet<String>,
    /// The transactional ids of producers.
    pub transactional_ids: BTreeSet<String>,
}

/// What one broker answers: its error code, 0 for success, and names.
type Names = (i16, Vec<String>);

/// The living brokers of a cluster, each with its id.
pub(super) struct Brokers(pub(super) Vec<(i32, Client)>);

impl Brokers {
    pub(super) fn topics(&self) -> Result<Vec<KafkaTopic>, Error> {
        let metadata = self.first()?.metadata(None);
        let topics = metadata.map_err(Error::io("ask Kafka for topics"))?.topics;
        topics.into_iter().map(KafkaTopic::read).collect()
    }

    /// Each broker tells of the groups that it coordinates.
    pub(super) fn groups(&self) -> Result<BTreeSet<String>, Error> {
        self.collect("ask for groups", Client::groups)
    }

    /// Each broker tells of the transactions that it coordinates.
    pub(super) fn transactional_ids(&self) -> Result<BTreeSet<String>, Error> {
        self.collect("ask for transactions", Client::transactional_ids)
    }

    pub(super) fn end_offsets(&self, name: &str) -> Result<Vec<Option<i64>>, Error> {
        self.ends(&topic(self.first()?, name)?)
    }

    pub(super) fn contents(&self) -> Result<KafkaContents, Error> {
        let topics = self.topics()?.into_iter();
        let ends = topics.map(|topic| Ok((topic.name.clone(), self.ends(&topic)?)));
        Ok(KafkaContents {
            end_offsets: ends.collect::<Result<_, Error>>()?,
            groups: self.groups()?,
            transactional_ids: self.transactional_ids()?,
        })
    }

    fn ends(&self, topic: &KafkaTopic) -> Result<Vec<Option<i64>>, Error> {
        let partitions = topic.leaders.iter().zip(0..);
        let ends = partitions.map(|(leader, partition)| {
            let mut brokers = self.0.iter().filter(|(id, _)| Some(*id) == *leader);
            let Some((_, broker)) = brokers.next() else {
                return Ok(None);
            };
            let doing = format!("ask for the end of {}/{partition}", topic.name);
            settled(&doing, |_| broker.end_offset(&topic.name, partition)).map(Some)
        });
        ends.collect()
    }

    fn collect(
        &self,
        doing: &str,
        ask: fn(&Client) -> io::Result<Names>,
    ) -> Result<BTreeSet<String>, Error> {
        let brokers = self.0.iter();
        let told = brokers.map(|(_, broker)| settled(doing, |_| ask(broker)));
        let told: Vec<_> = told.collect::<Result<_, _>>()?;
        Ok(told.into_iter().flatten().collect())
    }

    fn first(&self) -> Result<&Client, Error> {
        let first = self.0.first().map(|(_, broker)| broker);
        first.ok_or_else(|| Error::Refused {
            doing: "ask Kafka".to_owned(),
            answer: "no broker lives".to_owned(),
        })
    }
}

impl Client {
    /// The groups that the broker coordinates.
    fn groups(&self) -> io::Result<Names> {
        let answer = self.call(LIST_GROUPS, &[])?;
        let mut answer = Fields::new(&answer);
        let _throttled = answer.i32()?;
        let code = answer.i16()?;
        let groups = answer.array(|group| {
            let name = group.string()?;
            let _kind = group.string()?;
            Ok(name)
        })?;
        Ok((code, groups))
    }

    /// The transactional ids that the broker coordinates.
    fn transactional_ids(&self) -> io::Result<Names> {
        // The header's tagged fields, no filter of either kind, and tagged fields again.
        let answer = self.call(LIST_TRANSACTIONS, &[0, 1, 1, 0])?;
        let mut answer = Fields::new(&answer);
        let _tagged = answer.take::<1>()?;
        let _throttled = answer.i32()?;
        let code = answer.i16()?;
        for _ in 0..answer.compact_length()? {
            let _unknown_filter = answer.compact()?;
        }
        let mut ids = Vec::new();
        for _ in 0..answer.compact_length()? {
            ids.push(String::from_utf8_lossy(answer.compact()?).into_owned());
            let _producer = answer.i64()?;
            let _state = answer.compact()?;
            let _tagged = answer.take::<1>()?;
        }
        Ok((code, ids))
    }

    /// The broker's error code, 0 for success, and the offset of the next record of a partition.
    fn end_offset(&self, topic: &str, partition: i32) -> io::Result<(i16, i64)> {
        let mut body = Vec::new();
        // Not a broker itself.
        put_i32(&mut body, -1);
        put_i32(&mut body, 1);
        put_string(&mut body, topic)?;
        put_i32(&mut body, 1);
        put_i32(&mut body, partition);
        put_i64(&mut body, END);
        let answer = self.call(LIST_OFFSETS, &body)?;
        let topics = Fields::new(&answer).array(|topic| {
            let _name = topic.string()?;
            topic.array(|partition| {
                let _partition = partition.i32()?;
                let code = partition.i16()?;
                let _timestamp = partition.i64()?;
                Ok((code, partition.i64()?))
            })
        })?;
        let mut partitions = topics.into_iter().flatten();
        partitions
            .next()
            .ok_or_else(|| invalid("the answer names no partition"))
    }
}
