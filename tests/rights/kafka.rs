//! Commands of `kafka-acls.sh`, as a broker takes what they say.

use linkdial_testcontainers::KafkaListener::Plain;
use linkdial_testcontainers::KafkaUser::Nobody;
use linkdial_testcontainers::SecuredKafka;
use serde_json::Value;

use crate::{checks, policy, values, words};

/// Gives the broker what a printed command says; returns the operations.
fn run(kafka: &SecuredKafka, command: &str) -> Vec<String> {
    let words = words(command);
    assert_eq!(words[0], "kafka-acls.sh");
    assert_eq!(
        values(&words, "--bootstrap-server"),
        [kafka.bootstrap_of(Plain)]
    );
    assert_eq!(values(&words, "--resource-pattern-type"), ["literal"]);
    let (principals, topics) = (
        values(&words, "--allow-principal"),
        values(&words, "--topic"),
    );
    let operations = values(&words, "--operation");
    for operation in &operations {
        kafka.allow(principals[0], operation, topics[0]).unwrap();
    }
    operations.into_iter().map(str::to_owned).collect()
}

fn check(kafka: &SecuredKafka, topic: &str, used: &str) -> Value {
    let link = kafka.create_link_for("l", Plain, Nobody).to_string();
    let target = format!("{}/{topic}", kafka.bootstrap_of(Plain));
    checks(
        &[],
        &format!("-- linkdial: target '{target}' {used}\n{link}"),
    )
    .remove(0)
}

#[test]
fn who_reads_is_allowed_to_read() {
    let kafka = SecuredKafka::shared();
    kafka.create_topic("rights-read", 1).unwrap();
    let refused = check(kafka, "rights-read", "read");
    assert_eq!(refused["code"], "access.denied", "{refused:#}");
    // Less than what is printed is not enough.
    kafka
        .allow("User:nobody", "Describe", "rights-read")
        .unwrap();
    let described = check(kafka, "rights-read", "read");
    assert_eq!(described["code"], "read.denied", "{described:#}");
    assert_eq!(policy(&refused), policy(&described));
    assert_eq!(run(kafka, policy(&refused)), ["Read"]);
    let passed = check(kafka, "rights-read", "read");
    assert_eq!(passed["verdict"], "pass", "{passed:#}");
}

#[test]
fn who_writes_is_allowed_to_write() {
    let kafka = SecuredKafka::shared();
    kafka.create_topic("rights-write", 1).unwrap();
    let refused = check(kafka, "rights-write", "write");
    assert_eq!(refused["code"], "access.denied", "{refused:#}");
    kafka.allow("User:nobody", "Read", "rights-write").unwrap();
    let reads = check(kafka, "rights-write", "write");
    assert_eq!(reads["code"], "write.denied", "{reads:#}");
    assert_eq!(run(kafka, policy(&refused)), ["Write"]);
    let passed = check(kafka, "rights-write", "write");
    assert_eq!(passed["verdict"], "pass", "{passed:#}");
}
