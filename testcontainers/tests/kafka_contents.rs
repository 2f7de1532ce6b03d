//! What clients leave in a broker shows, and what leaves nothing does too.

#![cfg(unix)] // the layout of a Python environment
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/python.rs"]
mod python;

use std::collections::BTreeSet;

use linkdial_testcontainers::{Error, Kafka};
use serde_json::{Value, json};

/// Has the client list topics, and leave something in one if there is one to leave it in.
fn visit(kafka: &Kafka, leave: Option<&str>) -> Value {
    let settings = json!({"bootstrap.servers": kafka.bootstrap()});
    let cases = json!([{"settings": settings, "leave": leave}]);
    serde_json::from_str(&python::run_script("kafka.py", &[], &cases.to_string())).unwrap()
}

#[test]
fn contents_tell_who_was_there() {
    let kafka = Kafka::start().unwrap();
    let fresh = kafka.contents().unwrap();
    assert_eq!(fresh.end_offsets.len(), 1);
    assert_eq!(fresh.end_offsets["orders"], [Some(0); 3]);
    assert!(fresh.groups.is_empty() && fresh.transactional_ids.is_empty());

    // Whoever only looks leaves nothing.
    assert_eq!(visit(&kafka, None), json!([{"topics": ["orders"]}]));
    assert_eq!(kafka.contents().unwrap(), fresh);

    visit(&kafka, Some("orders"));
    let contents = kafka.contents().unwrap();
    // The record, and the mark at the end of its transaction.
    assert_eq!(contents.end_offsets["orders"], [Some(2), Some(0), Some(0)]);
    let left = |name: &str| BTreeSet::from([name.to_owned()]);
    assert_eq!(contents.groups, left("left-group"));
    assert_eq!(contents.transactional_ids, left("left-transaction"));
    let topics: Vec<_> = contents.end_offsets.keys().collect();
    assert_eq!(
        topics,
        ["__consumer_offsets", "__transaction_state", "orders"]
    );
    assert_eq!(kafka.groups().unwrap(), contents.groups);
    let ids = kafka.transactional_ids().unwrap();
    assert_eq!(ids, contents.transactional_ids);
    let ends = kafka.end_offsets("orders").unwrap();
    assert_eq!(ends, contents.end_offsets["orders"]);
    let error = kafka.end_offsets("nowhere").unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}
