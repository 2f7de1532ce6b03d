//! The process that runs librdkafka for a check.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linkdial_testcontainers::KafkaListener::{Gssapi, Plain, Plaintext};
use linkdial_testcontainers::KafkaUser::Alice;
use linkdial_testcontainers::SecuredKafka;
use linkdial_testcontainers::broken::{Broken, Fault};
use serde_json::{Value, json};

use crate::lab::{note, pass, path, verify};

/// More than a loaded machine needs, and less than any deadline of a client.
const PROMPT: Duration = Duration::from_secs(4);

fn start() -> Child {
    Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .arg("run-kafka-client")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn order(address: &str, limit: u64) -> Value {
    json!({
        "options": [["bootstrap.servers", address]],
        "token": null,
        "topic": "orders",
        "brokers": false,
        "limit_ms": limit,
    })
}

fn ended(mut child: Child) -> (Option<i32>, String) {
    let started = Instant::now();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let code = child.wait().unwrap().code();
    assert!(started.elapsed() < PROMPT, "{:?}", started.elapsed());
    (code, text)
}

#[test]
fn it_ends_at_its_deadline_whoever_is_silent() {
    let silent = Broken::start(Fault::Silent);
    let mut child = start();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", order(&silent.addr().to_string(), 500)).unwrap();
    let (code, text) = ended(child);
    assert_eq!(code, Some(0));
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["outcome"], "failed", "{answer}");
    drop(input);
}

#[test]
fn it_ends_when_nobody_waits_any_more() {
    let silent = Broken::start(Fault::Silent);
    let mut child = start();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", order(&silent.addr().to_string(), 60_000)).unwrap();
    drop(input);
    assert_eq!(ended(child), (Some(0), String::new()));
}

#[test]
fn what_is_no_order_is_refused() {
    for text in ["", "no order\n", "{}\n", "[1, 2\n"] {
        let mut child = start();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert_eq!(ended(child), (Some(3), String::new()), "{text}");
    }
}

#[test]
fn nothing_of_an_order_stands_on_a_command_line() {
    let silent = Broken::start(Fault::Silent);
    let mut child = start();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", order(&silent.addr().to_string(), 60_000)).unwrap();
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{}/{file}", child.id())).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains(&silent.addr().to_string()), "{text}");
    }
    drop(input);
    ended(child);
}

#[test]
fn brokers_without_a_topic_are_confirmed_as_well() {
    let kafka = SecuredKafka::shared();
    let link = |name: &str, listener| kafka.create_link_for(name, listener, Alice);
    let checks = verify(
        &["--krb5-conf", path(&kafka.kdc().krb5_conf())],
        &[
            pass(link("plaintext", Plaintext), kafka.bootstrap_of(Plaintext)),
            pass(link("plain", Plain), kafka.bootstrap_of(Plain)),
            pass(link("gssapi", Gssapi), kafka.bootstrap_of(Gssapi)),
        ],
    );
    for check in &checks {
        assert!(note(check, "client").starts_with("librdkafka"), "{check:#}");
    }
}
