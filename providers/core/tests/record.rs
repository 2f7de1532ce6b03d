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

const SWAPPED: &str = "Tr0ub4dor-and-3";

fn refused(code: Code) -> Diagnosis {
    Diagnosis::new(code, format!("the server does not like {SWAPPED}"))
        .evidence("key_id", SWAPPED)
        .evidence("remote_message", format!("no user '{SWAPPED}' here"))
        .hint(format!("look for {SWAPPED}"))
}

#[tokio::test]
async fn a_name_is_shown_once_the_server_knows_it() {
    let endpoint = Endpoint::new(Role::Endpoint, "store.example", 1);
    for (code, shown) in [
        (Code::AuthenticateUnknownKey, false),
        (Code::AuthenticateBadCredentials, false),
        (Code::AccessNotThisService, false),
        (Code::AuthenticateBadSecret, true),
        (Code::AccessDenied, true),
    ] {
        let mut probe = probe(None);
        probe.withhold(SWAPPED);
        probe.finding(Some(&endpoint), refused(code));
        probe.note("user", SWAPPED);
        probe.amend(|it| it.evidence("user", SWAPPED));
        let steps = probe.into_steps();
        let names = steps[0].diagnosis.as_ref().unwrap().evidence.iter();
        let names: Vec<&str> = names.map(|(name, _)| *name).collect();
        if shown {
            assert_eq!(names, ["key_id", "remote_message", "user"]);
        } else {
            assert_eq!(names, ["remote_message"], "{code}");
            assert!(steps[0].notes.is_empty(), "{code}");
            let text = format!("{steps:?}").to_lowercase();
            assert!(!text.contains("tr0ub4dor"), "{steps:#?}");
        }
    }
    // One that logged in is known to its own server, and not to another.
    let registry = Endpoint::new(Role::Registry, "registry.example", 1);
    let mut probe = probe(None);
    probe.withhold(SWAPPED);
    probe.pass(Stage::Authenticate, Some(&endpoint));
    probe.note("key_id", SWAPPED);
    probe.finding(Some(&endpoint), refused(Code::AccessServerError));
    probe.finding(Some(&registry), refused(Code::AuthenticateUnknownKey));
    let steps = probe.into_steps();
    assert_eq!(steps[0].notes.len(), 1);
    assert_eq!(steps[1].diagnosis.as_ref().unwrap().evidence.len(), 2);
    assert!(!format!("{:?}", steps[2]).contains(SWAPPED));
}

#[tokio::test]
async fn a_name_that_everybody_reads_takes_nothing_out_of_a_record() {
    let endpoint = Endpoint::new(Role::Endpoint, "minio", 9000);
    let mut probe = probe(None);
    probe.withhold("minio");
    let message = format!("{endpoint} does not know the key id");
    probe.finding(
        Some(&endpoint),
        Diagnosis::new(Code::AuthenticateUnknownKey, message.as_str()),
    );
    let steps = probe.into_steps();
    assert_eq!(steps[0].diagnosis.as_ref().unwrap().message, message);
}
