//! Kafka starts, its topic is there, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::TcpStream;
use std::path::PathBuf;

use linkdial_testcontainers::{Error, Kafka};

/// The code of a refused call, as `NAME (number)`.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::Refused { answer, .. } => answer,
        other => panic!("{other}"),
    }
}

/// Whether nothing of a broker is left: its port, and as a process itself and its folder.
#[track_caller]
fn assert_gone(port: u16, process: Option<u32>, folder: Option<PathBuf>) {
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(process.is_none_or(|pid| !PathBuf::from(format!("/proc/{pid}")).exists()));
    assert!(folder.is_none_or(|folder| !folder.exists()));
}

#[test]
fn broker_lists_itself_at_the_address_it_advertises() {
    let kafka = Kafka::shared();
    assert!(kafka.addr().ip().is_loopback());
    assert_eq!(kafka.bootstrap(), kafka.addr().to_string());
    assert_eq!(kafka.brokers().unwrap(), [kafka.bootstrap()]);
}

#[test]
fn topic_has_three_partitions_with_leaders() {
    let kafka = Kafka::shared();
    let orders = kafka.topic("orders").unwrap();
    assert_eq!(orders.name, "orders");
    assert_eq!(orders.leaders, [Some(1); 3]);
    assert!(kafka.topics().unwrap().contains(&orders));
}

#[test]
fn unknown_topic_is_not_made() {
    let kafka = Kafka::shared();
    for _ in 0..2 {
        assert_eq!(
            refused(kafka.topic("nowhere")),
            "UNKNOWN_TOPIC_OR_PARTITION (3)"
        );
    }
    let topics = kafka.topics().unwrap();
    assert!(
        topics.iter().all(|topic| topic.name != "nowhere"),
        "{topics:?}"
    );
}

#[test]
fn topics_are_made_once() {
    let kafka = Kafka::shared();
    kafka.create_topic("returns", 2).unwrap();
    assert_eq!(kafka.topic("returns").unwrap().leaders, [Some(1); 2]);
    assert_eq!(
        refused(kafka.create_topic("returns", 2)),
        "TOPIC_ALREADY_EXISTS (36)"
    );
}

#[test]
fn handle_takes_the_broker_along() {
    let kafka = Kafka::start().unwrap();
    let (port, pid) = (kafka.addr().port(), kafka.pid());
    let folder = kafka.folder().map(PathBuf::from);
    if let (Some(pid), true) = (pid, PathBuf::from("/proc/self").exists()) {
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(command.contains("kafka.Kafka"), "{command}");
    }
    if let Some(folder) = &folder {
        assert!(folder.join("data/meta.properties").is_file());
    }
    drop(kafka);
    assert_gone(port, pid, folder);
}

#[test]
fn panic_takes_the_broker_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let kafka = Kafka::start().unwrap();
        let folder = kafka.folder().map(PathBuf::from);
        sender
            .send((kafka.addr().port(), kafka.pid(), folder))
            .unwrap();
        panic!("on purpose");
    });
    let (port, pid, folder) = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert_gone(port, pid, folder);
}

#[test]
fn statements_are_ready_to_use() {
    let kafka = Kafka::shared();
    let link = kafka.create_link("db.my-stream");
    assert_eq!(
        link.to_string(),
        "CREATE LINK db.`my-stream` AS KAFKA\n\
         CREDENTIALS '{}'\n\
         CONFIG '{\"security.protocol\":\"plaintext\"}';\n"
    );
    assert_eq!(
        kafka.create_pipeline("p", "orders", &link),
        format!(
            "CREATE PIPELINE p AS LOAD DATA LINK db.`my-stream` '{}/orders' INTO TABLE t;\n",
            kafka.bootstrap()
        )
    );
}
