//! The answer to a `ListOffsets` request: whether the leader of a partition serves it.

use bytes::Bytes;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::reader::Reader;

/// The newest version that is asked for: later ones are spelled in another way and tell no more.
pub(crate) const NEWEST: i16 = 5;
/// Version 0 answers with a list, and is gone from brokers of today (KIP-896).
pub(crate) const OLDEST: i16 = 1;

/// Asks for the offset of the next record.
const LATEST: i64 = -1;

/// Who is no replica asks with this id.
const CONSUMER: BrokerId = BrokerId(-1);

/// Asks for the ends of partitions of one topic.
pub(crate) fn request(topic: &str, partitions: &[i32]) -> ListOffsetsRequest {
    let partitions = partitions.iter().map(|index| {
        ListOffsetsPartition::default()
            .with_partition_index(*index)
            .with_timestamp(LATEST)
    });
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partitions(partitions.collect());
    ListOffsetsRequest::default()
        .with_replica_id(CONSUMER)
        .with_topics(vec![topic])
}

/// Reads the error code of each partition of a topic; `None` when the body is no such answer.
pub(crate) fn read(body: Bytes, version: i16, wanted: &str) -> Option<Vec<(i32, i16)>> {
    let mut reader = Reader::new(body, false);
    if version >= 2 {
        reader.skip(4)?; // how long the client has to wait
    }
    let topics = reader.array(|reader| {
        let topic = reader.text()?;
        let partitions = reader.array(|reader| {
            let (index, error) = (reader.int()?, reader.short()?);
            reader.skip(16)?; // a timestamp, and the offset
            if version >= 4 {
                reader.skip(4)?; // the leader's epoch
            }
            Some((index, error))
        })?;
        Some((topic, partitions))
    })?;
    let ours = topics.into_iter().filter(|(topic, _)| topic == wanted);
    Some(ours.flat_map(|(_, partitions)| partitions).collect())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::ListOffsetsResponse;
    use kafka_protocol::messages::list_offsets_response::{
        ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
    };
    use kafka_protocol::protocol::Encodable as _;

    use super::*;

    #[test]
    fn every_version_is_read_as_it_was_written_and_a_cut_one_is_none() {
        let partition = |index, error| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(index)
                .with_error_code(error)
        };
        let topic = ListOffsetsTopicResponse::default()
            .with_name(TopicName(StrBytes::from_static_str("orders")))
            .with_partitions(vec![partition(0, 0), partition(7, 6)]);
        for version in OLDEST..=NEWEST {
            let answer = ListOffsetsResponse::default().with_topics(vec![topic.clone()]);
            let mut bytes = BytesMut::new();
            answer.encode(&mut bytes, version).unwrap();
            let bytes = bytes.freeze();
            for length in 0..bytes.len() {
                assert_eq!(read(bytes.slice(..length), version, "orders"), None);
            }
            assert_eq!(read(bytes.clone(), version, "other"), Some(Vec::new()));
            let told = read(bytes, version, "orders");
            assert_eq!(told, Some(vec![(0, 0), (7, 6)]));
        }
    }
}
