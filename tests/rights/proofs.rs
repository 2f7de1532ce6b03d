//! `--prove`: one wrong secret more, which every server that checks refuses.

use std::fs;
use std::process::{Command, Output, Stdio};

use linkdial_testcontainers::KafkaListener::{
    Gssapi, MutualTls, Oidc, Plain, Plaintext, ScramSha256,
};
use linkdial_testcontainers::KafkaUser::Alice;
use linkdial_testcontainers::{
    Answer, Azurite, Certificates, FakeGcs, HdfsPath, HdfsUser, LinkStatement, Match, Minio,
    ScriptedHttp, SecuredHdfs, SecuredKafka, SharedAccess, User,
};
use serde_json::Value;

use crate::checks;
use crate::lab::{every_text, path};

/// Every link with its target, in one script.
fn script(links: &[(LinkStatement, String)]) -> String {
    let lines = links
        .iter()
        .map(|(link, target)| format!("-- linkdial: target '{target}'\n{link}"));
    lines.collect()
}

/// The notes of a name in a check.
fn notes<'a>(check: &'a Value, name: &str) -> Vec<&'a str> {
    let steps = check["steps"].as_array().unwrap().iter();
    steps
        .filter_map(|step| step["notes"][name].as_str())
        .collect()
}

/// Dials with a wrong secret too and returns the checks.
fn prove(arguments: &[&str], links: &[(LinkStatement, String)]) -> Vec<Value> {
    let ca = path(Certificates::shared().ca_file());
    let all = ["--prove", "--ca-file", ca];
    let all: Vec<_> = all.iter().chain(arguments).copied().collect();
    let script = script(links);
    let plain = checks(&all[1..], &script);
    let proved = checks(&all, &script);
    for (plain, proved) in plain.iter().zip(&proved) {
        assert!(notes(plain, "wrong_secret").is_empty(), "{plain:#}");
        let fails = |check: &Value| check["verdict"] == "fail";
        assert_eq!(fails(plain), fails(proved), "{proved:#}");
    }
    proved
}

fn refused_with(check: &Value, code: &str) {
    let wanted = format!("refused: {code}");
    assert_eq!(notes(check, "wrong_secret"), [wanted.as_str()], "{check:#}");
}

fn has_no_secret(check: &Value) {
    assert!(notes(check, "wrong_secret").is_empty(), "{check:#}");
    let unproven = notes(check, "unproven");
    let told = |note: &&str| note.starts_with("no wrong secret was tried");
    assert!(unproven.iter().any(told), "{check:#}");
}

#[test]
fn stores_refuse_a_wrong_signature() {
    let (minio, azurite) = (Minio::shared(), Azurite::shared());
    let reader = User::ReadOnly.login();
    let session = minio.assume_role(User::ReadOnly).unwrap();
    let role = minio
        .create_link("role", &reader)
        .credential("role_arn", "arn:aws:iam::123456789012:role/any");
    let access = SharedAccess::container("private").permissions("rl");
    let token = access.expires_in(3600).sign(&azurite.account()).unwrap();
    let denied = User::NoPolicy.login();
    let hmac = Minio::shared_gcs().create_gcs_link("hmac", &User::ReadOnly.hmac_login());
    let to = |link| (link, "private".to_owned());
    let links = [
        to(minio.create_link("key", &reader)),
        to(minio.create_link("session", &session)),
        to(role),
        to(minio.create_link("denied", &denied)),
        to(azurite.create_link("azure", &azurite.account())),
        to(azurite.shared_access_link("sas", &token)),
        to(hmac),
        (minio.anonymous_link("nobody"), "public".to_owned()),
    ];
    let checks = prove(&[], &links);
    let codes = [
        "authenticate.bad-secret",
        "authenticate.bad-secret",
        "authenticate.bad-secret",
        "authenticate.bad-secret",
        "authenticate.bad-secret",
        "authenticate.token-invalid",
        "authenticate.bad-secret",
    ];
    for (check, code) in checks.iter().zip(codes) {
        refused_with(check, code);
    }
    has_no_secret(&checks[7]);
}

#[test]
fn a_server_that_checks_nothing_is_told() {
    let gcs = FakeGcs::shared_tls();
    let account = linkdial_testcontainers::ServiceAccount::shared();
    let link = gcs.service_account_link("account", account);
    let checks = prove(&[], &[(link, "private".to_owned())]);
    let steps = checks[0]["steps"].as_array().unwrap();
    let told = steps
        .iter()
        .find(|it| it["diagnosis"]["code"] == "authenticate.not-enforced");
    let told = told.unwrap_or_else(|| panic!("{:#}", checks[0]));
    assert_eq!(told["outcome"], "warn");
    let key = &told["diagnosis"]["keys"][0]["pointer"];
    assert_eq!(key, "/service_account_key");
}

fn http(name: &str, header: &str, value: &str) -> LinkStatement {
    LinkStatement::new(name, "HTTP").credential("headers", serde_json::json!({header: value}))
}

/// Answers `GET` in turn, all other requests well.
fn server(answers: impl IntoIterator<Item = Answer>) -> ScriptedHttp {
    ScriptedHttp::script()
        .on(Match::any().method("GET"), answers)
        .on(Match::any(), [Answer::status(204)])
        .start()
}

#[test]
fn an_endpoint_is_asked_once_more_with_one_other_character() {
    let bearer = "Bearer s3cr3t-t0ken-of-the-link";
    for (header, value, second, note) in [
        (
            "Authorization",
            bearer,
            401,
            Some("refused: authenticate.bad-credentials"),
        ),
        (
            "X-Api-Key",
            "k3y-0f-the-link",
            403,
            Some("refused: access.denied"),
        ),
        ("Authorization", bearer, 503, None),
        ("Authorization", bearer, 404, None),
    ] {
        let server = server([Answer::status(200), Answer::status(second)]);
        let script = script(&[(http("l", header, value), server.url())]);
        let check = checks(&["--prove"], &script).remove(0);
        assert_eq!(check["verdict"], "pass", "{check:#}");
        assert_eq!(notes(&check, "wrong_secret"), Vec::from_iter(note));
        let unproven = notes(&check, "unproven");
        assert_eq!(unproven.is_empty(), note.is_some(), "{check:#}");
        let requests = server.requests();
        let sent = |number: usize| {
            let request: &linkdial_testcontainers::Recorded = &requests[number];
            request.headers[header].to_str().unwrap().to_owned()
        };
        let count = requests.len();
        let wrong: Vec<_> = (0..count).filter(|&it| sent(it) != value).collect();
        assert_eq!(wrong, [count - 1], "{requests:#?}");
        let wrong = sent(count - 1);
        assert_eq!(wrong.len(), value.len());
        let differ = wrong.chars().zip(value.chars()).filter(|(a, b)| a != b);
        assert_eq!(differ.count(), 1);
    }
}

#[test]
fn an_open_endpoint_is_told_and_not_registered() {
    let open = ScriptedHttp::always([Answer::status(200)]);
    let link = http("l", "Authorization", "Bearer s3cr3t-t0ken-of-the-link");
    let script = script(&[(link, open.url())]);
    let check = checks(&["--prove"], &script).remove(0);
    assert_eq!(check["code"], "authenticate.not-enforced", "{check:#}");
    assert_eq!(check["verdict"], "warn");
    let key = &check["diagnosis"]["keys"][0]["pointer"];
    assert_eq!(key, "/headers/Authorization");
    for (name, text) in every_text(&["--prove"], &script) {
        // The wrong secret is almost the right one.
        for secret in ["s3cr3t-t0ken", "of-the-link"] {
            assert!(!text.contains(secret), "{name} shows {secret}:\n{text}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("links.sql");
    fs::write(&file, format!("USE shop;\n{script}")).unwrap();
    let run = |command: &str, arguments: &[&str]| -> Output {
        let mut linkdial = Command::new(env!("CARGO_BIN_EXE_linkdial"));
        let linkdial = linkdial.env_clear().env("XDG_DATA_HOME", folder.path());
        let linkdial = linkdial.arg(command).args(arguments).stdin(Stdio::null());
        linkdial.output().unwrap()
    };
    let refused = run("apply", &["--prove", path(&file)]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("authenticate.not-enforced"), "{said}");
    let registered = run("apply", &[path(&file)]);
    assert_eq!(registered.status.code(), Some(0), "{registered:?}");
    let checked = run("check", &["--prove"]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("authenticate.not-enforced"), "{said}");
    // Never in a sweep.
    let sweep = run("sweep", &["--prove"]);
    assert_eq!(sweep.status.code(), Some(2), "{sweep:?}");
}

#[test]
fn a_link_without_a_secret_is_not_proved() {
    let open = ScriptedHttp::always([Answer::status(200)]);
    let link = LinkStatement::new("l", "HTTP").with_empty_credentials();
    let check = checks(&["--prove"], &script(&[(link, open.url())])).remove(0);
    assert_eq!(check["verdict"], "pass", "{check:#}");
    has_no_secret(&check);
}

#[test]
fn brokers_and_their_kdc_refuse_wrong_secrets() {
    let kafka = SecuredKafka::shared();
    let to = |listener| {
        let name = format!("{listener:?}");
        let target = format!("{}/orders", kafka.bootstrap_of(listener));
        (kafka.create_link_for(&name, listener, Alice), target)
    };
    let links = [Plain, ScramSha256, Oidc, Gssapi, MutualTls, Plaintext].map(to);
    let conf = kafka.kdc().krb5_conf();
    let checks = prove(&["--krb5-conf", path(&conf)], &links);
    for (check, code) in checks.iter().zip([
        "authenticate.bad-credentials",
        "authenticate.bad-credentials",
        "authenticate.token-endpoint",
        "authenticate.keytab-stale",
    ]) {
        refused_with(check, code);
    }
    for check in &checks[4..] {
        assert_eq!(check["verdict"], "pass", "{check:#}");
        has_no_secret(check);
    }
}

#[test]
fn a_wrong_key_of_a_keytab_is_refused_before_any_namenode() {
    let hdfs = SecuredHdfs::shared();
    let link = hdfs.create_link_for("l", HdfsUser::Alice);
    let conf = hdfs.kdc().krb5_conf();
    let links = [(link, hdfs.url(HdfsPath::Data))];
    let checks = prove(&["--krb5-conf", path(&conf)], &links);
    assert_eq!(checks[0]["verdict"], "pass", "{:#}", checks[0]);
    refused_with(&checks[0], "authenticate.keytab-stale");
}
