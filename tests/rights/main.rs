//! Rights that are missing and secrets that count, against real servers through the real binary: what
//! the report prints is given to the server as it is, and lets the link in; with less it does not.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod azure;
mod gcs;
mod hdfs;
mod kafka;
#[path = "../lab/mod.rs"]
mod lab;
mod proofs;
mod s3;

use serde_json::Value;

/// The checks of a script.
fn checks(arguments: &[&str], script: &str) -> Vec<Value> {
    let report = lab::report(arguments, script);
    report["checks"].as_array().unwrap().clone()
}

/// The texts of what a check says would grant the rights.
fn policies(check: &Value) -> Vec<&str> {
    let policies = check["diagnosis"]["policy"].as_array();
    let policies = policies.unwrap_or_else(|| panic!("no policy in {check:#}"));
    let texts = policies.iter().map(|policy| policy["text"].as_str());
    texts.map(Option::unwrap).collect()
}

/// The only one of these texts.
fn policy(check: &Value) -> &str {
    let all = policies(check);
    assert_eq!(all.len(), 1, "{check:#}");
    all[0]
}

/// The words of a command whose words need no quotes.
fn words(command: &str) -> Vec<&str> {
    assert!(!command.contains(['\'', '"', '\\']), "{command}");
    command.split(' ').collect()
}

/// The words behind an option of a command, each time it stands there.
fn values<'a>(words: &[&'a str], option: &str) -> Vec<&'a str> {
    let pairs = words.windows(2).filter(|pair| pair[0] == option);
    pairs.map(|pair| pair[1]).collect()
}
