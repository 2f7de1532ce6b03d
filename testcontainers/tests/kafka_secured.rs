//! Every way into the broker, for the users that it has.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use linkdial_testcontainers::{KafkaListener, KafkaUser, SecuredKafka};

#[test]
fn listeners_have_ports_of_their_own() {
    let kafka = SecuredKafka::shared();
    let mut ports: Vec<_> = KafkaListener::ALL
        .into_iter()
        .map(|listener| kafka.addr_of(listener).port())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    // Both kinds of SCRAM share one.
    assert_eq!(ports.len(), KafkaListener::ALL.len() - 1);
    assert_eq!(kafka.brokers().unwrap(), [kafka.bootstrap()]);
    for topic in ["orders", "empty", "secret"] {
        let partitions = if topic == "orders" { 3 } else { 2 };
        let leaders = kafka.topic(topic).unwrap().leaders;
        assert_eq!(leaders, vec![Some(1); partitions], "{topic}");
    }
}

#[test]
fn print_statements() {
    let kafka = SecuredKafka::shared();
    println!("{:?}", kafka.addr());
    println!(
        "{}",
        kafka.create_link_for("x", KafkaListener::MutualTls, KafkaUser::Alice)
    );
}
