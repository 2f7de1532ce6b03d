//! What the record of a probe shows of secrets and of long texts.

use std::sync::Arc;

use linkdial_core::{
    Code, Diagnosis, Endpoint, Intent, Probe, REDACTED, Redactor, Role, Settings, Stage, Target,
};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "QzXjKvWpYb7";

fn probe(target: Option<Target>) -> Probe {
    let mut redactor = Redactor::default();
    redactor.add(SECRET);
    Probe::new(
        Arc::new(Settings::default()),
        CancellationToken::new(),
        redactor,
        target,
        Intent::READ,
    )
}

#[tokio::test]
async fn a_secret_in_the_place_of_a_host_is_not_shown() {
    let mut probe = probe(None);
    let host = format!("{}.localhost", SECRET.to_lowercase());
    let endpoint = Endpoint::new(Role::Endpoint, &host, 1);
    probe.pass(Stage::Connect, Some(&endpoint));
    probe.finding(
        Some(&endpoint),
        Diagnosis::new(Code::ConnectRefused, format!("{endpoint} refused")),
    );
    let steps = probe.into_steps();
    assert!(
        !format!("{steps:?}").to_lowercase().contains("qzxj"),
        "{steps:#?}"
    );
    for step in &steps {
        let shown = step.endpoint.as_ref().map(ToString::to_string);
        assert_eq!(shown, Some(format!("{REDACTED}.localhost:1")));
    }
}

#[tokio::test]
async fn every_text_of_a_record_is_short() {
    let long = "x".repeat(1_000_000);
    let mut probe = probe(None);
    probe.finding(
        None,
        Diagnosis::new(Code::AccessDenied, long.as_str())
            .evidence("answer", &long)
            .hint(long.as_str()),
    );
    probe.note("answer", &long);
    let steps = probe.into_steps();
    let shown = format!("{steps:?}");
    assert!(shown.len() < 4 * 520 + 1000, "{}", shown.len());
    assert_eq!(shown.matches("x…").count(), 4);
}

#[tokio::test]
async fn the_secrets_of_the_target_are_known() {
    let mut probe = probe(Some(Target::new("https://u:pa/wQZX@h/p?sig=SIGN%2F1")));
    probe.pass(Stage::Access, None);
    probe.note("echo", "pa/wQZX SIGN/1 u");
    assert_eq!(
        probe.into_steps()[0].notes,
        [("echo", format!("{REDACTED} {REDACTED} u"))]
    );
}
