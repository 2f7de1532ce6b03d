//! A real Apache Kafka.

mod support;

use linkdial_core::{Code, Intent, Outcome, Stage, verdict};
use linkdial_testcontainers::Kafka;
use support::{ask, ask_with, expect, link, note, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_real_broker_passes_and_keeps_no_trace() {
    let kafka = Kafka::shared();
    let config = r#"{"security.protocol": "plaintext"}"#;
    let target = |topic: &str| format!("{}/{topic}", kafka.bootstrap());
    let before = kafka.topics().unwrap();
    let both = Intent::READ.and(Intent::WRITE);
    let orders = link(config, "{}", Some(&target("orders")));
    let steps = ask_with(&orders, settings(), both).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    for stage in [Stage::Access, Stage::Read, Stage::Write] {
        assert!(steps.iter().any(|step| step.stage == stage), "{steps:#?}");
    }
    assert_eq!(note(&steps, "brokers"), "1");
    assert_eq!(note(&steps, "partitions"), "3");
    assert!(!note(&steps, "cluster").is_empty());

    let missing = link(config, "{}", Some(&target("nowhere")));
    let steps = ask(&missing).await;
    expect(&steps, Outcome::Fail, Code::AccessNotFound, "bootstrap");
    assert_eq!(kafka.topics().unwrap(), before);

    let sasl = r#"{"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN"}"#;
    let login = r#"{"sasl.username": "u", "sasl.password": "p4ssw0rd"}"#;
    let steps = ask(&link(sasl, login, Some(&target("orders")))).await;
    let code = Code::AuthenticateMechanismNotOffered;
    expect(&steps, Outcome::Fail, code, "bootstrap");

    let tls = r#"{"security.protocol": "ssl"}"#;
    let steps = ask(&link(tls, "{}", Some(&target("orders")))).await;
    expect(&steps, Outcome::Fail, Code::TlsNotTls, "bootstrap");
}
