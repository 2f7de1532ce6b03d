//! Entry points for hostile bytes, as those of `linkdial_core::fuzz`: what brokers, token endpoints and
//! schema registries answer, and files of keys.

use bytes::Bytes;
use jiff::Timestamp;
use linkdial_core::Secret;
use linkdial_core::fuzz::Target;

use crate::metadata::{self, Metadata};
use crate::token::{self, Claims};
use crate::{login, offsets, private_key, scram, web, wire};

/// The readers of this crate.
pub const TARGETS: &[Target] = &[
    ("bearer_token", bearer_token),
    ("kafka_frames", kafka_frames),
    ("kafka_metadata", kafka_metadata),
    ("private_key", private_key),
    ("scram", scram::fuzz),
    ("web_answer", web::fuzz),
];

/// A token, of which only its middle part is read.
fn bearer_token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let claims = Claims::read(&text);
    claims.expired(Timestamp::UNIX_EPOCH);
    assert_eq!(claims.listed().len(), 4);
    token::is_spelled(&text);
}

fn kafka_frames(bytes: &[u8]) {
    for frame in wire::fuzz(bytes) {
        login::fuzz(&frame.slice(4..));
    }
    login::fuzz(&Bytes::copy_from_slice(bytes));
}

/// The first byte is the version of the answer.
fn kafka_metadata(bytes: &[u8]) {
    let Some((&version, body)) = bytes.split_first() else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    let read = |newest: i16| i16::from(version) % (newest + 1);
    if let Some(metadata) = Metadata::read(body.clone(), read(metadata::NEWEST)) {
        assert!(metadata.brokers.len() <= body.len());
        for topic in &metadata.topics {
            assert!(topic.leaderless().len() <= topic.partitions.len());
            assert!(topic.led_by(1).len() <= topic.partitions.len());
            topic.rights.map(metadata::Rights::names);
        }
    }
    if let Some(told) = offsets::read(body.clone(), read(offsets::NEWEST), "topic") {
        assert!(told.len() <= body.len());
    }
}

fn private_key(bytes: &[u8]) {
    private_key::form(bytes);
    drop(private_key::open(bytes, &Secret::new("pencil")));
}
