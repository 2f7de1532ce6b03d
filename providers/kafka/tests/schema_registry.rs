//! The registry that a pipeline names: every row of the table in `schema_registry.rs`.

mod support;

use std::fs;

use linkdial_core::net::Net;
use linkdial_core::testing::Link;
use linkdial_core::{Code, Intent, Outcome, Settings, Stage, Step, Target, verdict};
use linkdial_testcontainers::broken::RefusedPort;
use linkdial_testcontainers::{Answer, Certificates, Scratch, Script as Http, ScriptedHttp};
use serde_json::json;
use support::peer::{Peer, Script};
use support::{
    ask, ask_with, clause, decided, evidence, expect, link, note, pointers, settings, walked,
};

const FAIL: Outcome = Outcome::Fail;
const PASS: Outcome = Outcome::Pass;
const USER: &str = "/schema.registry.username";
const PASSWORD: &str = "/schema.registry.password";
const CA: &str = "schema.registry.ssl.ca.location";
const CERTIFICATE: &str = "schema.registry.ssl.certificate.location";
const KEY: &str = "schema.registry.ssl.key.location";

const LOGIN: [(&str, &str); 2] = [
    ("schema.registry.username", "reader"),
    ("schema.registry.password", "r3gistry-p4ss"),
];

/// A link without a word about brokers, used with a registry.
fn with(peer: &Peer, registry: &str, config: &[(&str, &str)], login: &[(&str, &str)]) -> Link {
    let target = Target::new(peer.target()).with_registry(Some(registry.to_owned()));
    Link {
        target: Some(target),
        ..link(&clause(config), &clause(login), None)
    }
}

fn broker() -> Peer {
    Peer::start(Script::default())
}

fn subjects(names: &[&str]) -> Answer {
    Answer::status(200)
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .body(json!(names).to_string())
}

fn refusal(status: u16, code: u32) -> Answer {
    Answer::status(status)
        .header("content-type", "application/json")
        .body(json!({"error_code": code, "message": "told by the registry"}).to_string())
}

async fn answered(answer: Answer, login: &[(&str, &str)]) -> Vec<Step> {
    let registry = ScriptedHttp::always([answer]);
    let steps = ask(&with(&broker(), &registry.addr().to_string(), &[], login)).await;
    assert_eq!(registry.requests().len(), 1, "asked once, whatever came");
    steps
}

#[tokio::test]
async fn subjects_are_listed_after_the_brokers() {
    let registry = ScriptedHttp::always([subjects(&["orders-value", "clicks-value"])]);
    let peer = broker();
    let steps = ask(&with(&peer, &registry.addr().to_string(), &[], &[])).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");
    let walked = walked(&steps);
    assert_eq!(
        walked[walked.len() - 4..],
        [
            (Stage::Access, "", Outcome::Skip),
            (Stage::Resolve, "registry", PASS),
            (Stage::Connect, "registry", PASS),
            (Stage::Access, "registry", PASS),
        ]
    );
    assert_eq!(note(&steps, "subjects"), "2");
    let requests = registry.requests();
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("GET", "/subjects")
    );
    assert_eq!(requests[0].header("authorization"), None);
    let accept = requests[0].header("accept").unwrap();
    assert!(accept.starts_with("application/vnd.schemaregistry.v1+json"));
    // A registry of Apicurio has a path in front.
    let address = format!("http://{}/apis/ccompat/v7/", registry.addr());
    let steps = ask(&with(&peer, &address, &[], &[])).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");
    assert_eq!(registry.requests()[1].path, "/apis/ccompat/v7/subjects");
}

#[tokio::test]
async fn user_and_password_are_those_of_the_link_or_of_the_url() {
    let registry = ScriptedHttp::always([subjects(&[])]);
    let peer = broker();
    let address = registry.addr().to_string();
    let in_url = format!("http://u:p%3Aw0rd@{address}");
    for (address, login, sent) in [
        (&address, &LOGIN[..], "Basic cmVhZGVyOnIzZ2lzdHJ5LXA0c3M="),
        (&in_url, &[], "Basic dTpwOncwcmQ="),
        (&in_url, &LOGIN, "Basic cmVhZGVyOnIzZ2lzdHJ5LXA0c3M="),
    ] {
        let steps = ask(&with(&peer, address, &[], login)).await;
        assert_eq!(verdict(&steps), PASS, "{steps:#?}");
        assert!(walked(&steps).contains(&(Stage::Authenticate, "registry", PASS)));
        let requests = registry.requests();
        let last = requests.last().unwrap();
        assert_eq!(last.header("authorization"), Some(sent));
        let shown = format!("{steps:?}");
        assert!(
            !shown.contains("w0rd") && !shown.contains("p4ss"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_its_finding() {
    let html = |status| {
        Answer::status(status)
            .header("content-type", "text/html")
            .body("<!doctype html><title>Console</title>")
    };
    let other = Code::AccessNotThisService;
    let both = [PASSWORD, USER];
    for (answer, login, code, keys) in [
        (
            refusal(401, 401),
            &[][..],
            Code::AuthenticateRequired,
            &[USER, PASSWORD][..],
        ),
        (
            refusal(401, 401),
            &LOGIN,
            Code::AuthenticateBadCredentials,
            &both,
        ),
        (refusal(403, 40_301), &LOGIN, Code::AccessDenied, &[USER]),
        (refusal(403, 40_301), &[], Code::AccessDenied, &[USER]),
        (refusal(422, 42_201), &[], Code::AccessRequestRefused, &[]),
        (Answer::status(422), &[], other, &[]),
        (refusal(500, 50_001), &[], Code::AccessServerError, &[]),
        (html(503), &[], Code::AccessServerError, &[]),
        (refusal(404, 404), &[], other, &[]),
        (html(404), &[], other, &[]),
        (html(200), &[], other, &[]),
        (Answer::status(204), &[], other, &[]),
        (Answer::status(200).body("{}"), &[], other, &[]),
        (Answer::status(200).body("[1]"), &[], other, &[]),
        (
            Answer::status(302).header("location", "https://login.example.com/?t=QZXJ"),
            &[],
            Code::AccessRedirected,
            &[],
        ),
    ] {
        let steps = answered(answer.clone(), login).await;
        let found = expect(&steps, FAIL, code, "registry");
        assert_eq!(pointers(&found), keys, "{answer:?}");
        assert!(!format!("{found:?}").contains("QZXJ"), "{found:?}");
    }
    let steps = answered(Answer::status(429), &[]).await;
    expect(&steps, Outcome::Warn, Code::AccessThrottled, "registry");
    let steps = answered(Answer::silence(), &LOGIN).await;
    expect(&steps, FAIL, Code::AccessTimedOut, "registry");

    let swapped = [
        ("schema.registry.username", "Tr0ub4dor-and-3"),
        ("schema.registry.password", "reader"),
    ];
    let body = json!({"error_code": 401, "message": "no user Tr0ub4dor-and-3"}).to_string();
    let echo = Answer::status(401).header("content-type", "application/json");
    let steps = answered(echo.body(body), &swapped).await;
    assert!(!format!("{steps:?}").contains("Tr0ub4dor"), "{steps:#?}");

    let steps = answered(refusal(403, 40_301), &LOGIN).await;
    let found = support::finding(&steps);
    assert_eq!(evidence(&found, "user"), "reader");
    assert_eq!(evidence(&found, "status"), "403");
    assert_eq!(evidence(&found, "remote_code"), "40301");
    assert_eq!(evidence(&found, "remote_message"), "told by the registry");
    assert_eq!(evidence(&found, "user"), "reader");
    // It knew who asked.
    assert!(walked(&steps).contains(&(Stage::Authenticate, "registry", PASS)));
}

#[tokio::test]
async fn a_long_list_is_counted_as_far_as_it_is_read() {
    let names = |count: usize| -> Vec<String> {
        let names = (0..count).map(|number| format!("topic-with-a-long-name-{number:08}-value"));
        names.collect()
    };
    for (count, told) in [(10_000, "10000"), (60_000, "more than were read")] {
        let body = json!(names(count)).to_string();
        let steps = answered(Answer::status(200).body(body), &[]).await;
        assert_eq!(verdict(&steps), PASS, "{steps:#?}");
        assert_eq!(note(&steps, "subjects"), told);
    }
    let page = "<p>".repeat(600_000);
    let steps = answered(Answer::status(200).body(page), &[]).await;
    expect(&steps, FAIL, Code::AccessNotThisService, "registry");
}

#[tokio::test]
async fn a_registry_that_can_not_be_reached_fails_beside_the_brokers() {
    let dead = RefusedPort::start();
    let steps = ask(&with(&broker(), &dead.addr().to_string(), &[], &[])).await;
    expect(&steps, FAIL, Code::ConnectRefused, "registry");
    // A dead broker does not hide it.
    let peer = Peer::start(Script {
        brokers: vec![(7, "127.0.0.1".to_owned(), i32::from(dead.addr().port()))],
        ..Script::default()
    });
    let steps = ask(&with(&peer, &dead.addr().to_string(), &[], &[])).await;
    let failed = steps.iter().filter(|step| step.outcome == FAIL);
    let roles: Vec<&str> = failed
        .map(|step| step.endpoint.as_ref().unwrap().role.as_str())
        .collect();
    assert_eq!(roles, ["advertised", "registry"]);

    for wrong in ["", "registry:port", "ftp://registry:8081", "a:1,b:2"] {
        let steps = ask(&with(&broker(), wrong, &[], &[])).await;
        expect(&steps, FAIL, Code::DefineTargetInvalid, "");
    }
}

#[tokio::test]
async fn keys_of_a_registry_that_no_pipeline_names_are_only_read() {
    let peer = broker();
    let config = clause(&[(CA, "/on/the/cluster/ca.pem")]);
    let steps = ask(&link(&config, &clause(&LOGIN), Some(&peer.target()))).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");
    let settings = Settings {
        until: Stage::Tls,
        ..settings()
    };
    let registry = ScriptedHttp::always([subjects(&[])]);
    let named = with(&peer, &registry.addr().to_string(), &[], &[]);
    let steps = ask_with(&named, settings, Intent::READ).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");
    assert!(registry.requests().is_empty());
}

#[tokio::test]
async fn a_registry_has_certificates_of_its_own() {
    let certificates = Certificates::shared();
    let client = certificates.client();
    let scratch = Scratch::new("kafka-registry").unwrap();
    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = file("ca.pem", certificates.ca_pem());
    let certificate = file("c.pem", client.certificate_pem());
    let key = file("c.key", client.key_pem());
    let (ca, certificate, key) = (
        (CA, ca.as_str()),
        (CERTIFICATE, certificate.as_str()),
        (KEY, key.as_str()),
    );
    let peer = broker();
    let serve = |tls| {
        let script = Http::default().on(linkdial_testcontainers::Match::any(), [subjects(&[])]);
        script.start_tls(tls)
    };
    let tls = serve(certificates.server_tls(certificates.good()));
    // Keys about TLS ask for it where the address has no scheme.
    for address in [tls.addr().to_string(), format!("https://{}", tls.addr())] {
        let steps = ask(&with(&peer, &address, &[ca], &[])).await;
        assert_eq!(verdict(&steps), PASS, "{steps:#?}");
        assert!(walked(&steps).contains(&(Stage::Tls, "registry", PASS)));
    }
    let https = format!("https://{}", tls.addr());
    let steps = ask(&with(&peer, &https, &[], &[])).await;
    let found = expect(&steps, FAIL, Code::TlsUnknownIssuer, "registry");
    assert_eq!(pointers(&found), [format!("/{CA}")]);
    let net = Net::builder().ca_pem(certificates.ca_pem().as_bytes());
    let trusting = Settings {
        net: net.unwrap().build(),
        ..settings()
    };
    let steps = ask_with(&with(&peer, &https, &[], &[]), trusting, Intent::READ).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");

    let missing = (CA, "/on/the/cluster/ca.pem");
    let steps = ask(&with(&peer, &https, &[missing], &[])).await;
    assert_eq!(verdict(&steps), Outcome::Unverified, "{steps:#?}");
    let found = expect(&steps, Outcome::Unverified, Code::DefineFileNotHere, "");
    assert_eq!(pointers(&found), [format!("/{CA}")]);
    let last = steps.last().unwrap();
    assert_eq!(
        last.diagnosis.as_ref().unwrap().code,
        Code::TlsUnknownIssuer
    );

    let mutual = serve(certificates.mutual_tls(certificates.good()));
    let address = mutual.addr().to_string();
    let steps = ask(&with(&peer, &address, &[ca, certificate, key], &[])).await;
    assert_eq!(verdict(&steps), PASS, "{steps:#?}");
    let steps = ask(&with(&peer, &address, &[ca], &[])).await;
    let code = Code::TlsClientCertificateRequired;
    let found = expect(&steps, FAIL, code, "registry");
    assert_eq!(pointers(&found), [format!("/{CERTIFICATE}")]);

    let plain = ScriptedHttp::always([subjects(&[])]);
    let steps = ask(&with(&peer, &plain.addr().to_string(), &[ca], &[])).await;
    expect(&steps, FAIL, Code::TlsNotTls, "registry");
    let steps = ask(&with(&peer, &tls.addr().to_string(), &[], &[])).await;
    expect(&steps, FAIL, Code::TlsRequired, "registry");

    let steps = ask(&with(&peer, &address, &[ca, certificate], &[])).await;
    let found = expect(&steps, FAIL, Code::DefineMissingKey, "");
    assert_eq!(pointers(&found), [format!("/{KEY}")]);
}

#[tokio::test]
async fn a_registry_that_repeats_what_it_was_sent_shows_no_secret() {
    let told = "Basic cmVhZGVyOnIzZ2lzdHJ5LXA0c3M= is reader:r3gistry-p4ss";
    let answer = Answer::status(401).body(json!({"message": told}).to_string());
    let steps = answered(answer, &LOGIN).await;
    let found = decided(&steps).diagnosis.clone().unwrap();
    assert!(evidence(&found, "remote_message").contains("[redacted]"));
    let shown = format!("{steps:?}");
    assert!(
        !shown.contains("p4ss") && !shown.contains("cmVhZGVy"),
        "{shown}"
    );
}
