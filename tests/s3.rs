//! A script of S3 links against real servers through the real binary: exact code and guilty key of
//! each, for people and for programs, and no secret in either.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use linkdial::report::Format;
use linkdial_testcontainers::{Certificates, LinkStatement, Login, Minio, Moto, SSE_C_KEY, User};
use serde_json::Value;

/// One link with its target, and what is to be said of it.
struct Case {
    link: LinkStatement,
    target: Option<&'static str>,
    verdict: &'static str,
    code: Option<&'static str>,
    /// Clause and pointer of the guilty key.
    key: Option<(&'static str, &'static str)>,
}

const KEY_ID: (&str, &str) = ("CREDENTIALS", "/aws_access_key_id");
const SECRET: (&str, &str) = ("CREDENTIALS", "/aws_secret_access_key");
const TOKEN: (&str, &str) = ("CREDENTIALS", "/aws_session_token");
const ROLE: (&str, &str) = ("CREDENTIALS", "/role_arn");
const ENDPOINT: (&str, &str) = ("CONFIG", "/endpoint_url");
const CUSTOMER_KEY: (&str, &str) = ("CONFIG", "/x-amz-server-side-encryption-customer-key");

fn pass(link: LinkStatement, target: &'static str) -> Case {
    Case {
        link,
        target: Some(target),
        verdict: "pass",
        code: None,
        key: None,
    }
}

fn fail(
    link: LinkStatement,
    target: &'static str,
    code: &'static str,
    key: Option<(&'static str, &'static str)>,
) -> Case {
    Case {
        link,
        target: Some(target),
        verdict: "fail",
        code: Some(code),
        key,
    }
}

fn script(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        text.push_str(&case.link.to_string());
    }
    for (number, case) in cases.iter().enumerate() {
        if let Some(target) = case.target {
            let name = case.link.quoted_name();
            writeln!(
                text,
                "CREATE PIPELINE p{number} AS LOAD DATA LINK {name} '{target}' INTO TABLE t;"
            )
            .unwrap();
        }
    }
    text
}

/// Runs the binary once for both audiences and holds each case against its check.
fn verify(cases: &[Case], secrets: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = script(cases);
    fs::write(path("links.sql"), &text).unwrap();
    let formats = Format::ALL.map(Format::as_str);
    let outputs = formats.map(|format| format!("{format}={}", path(format)));
    let output = Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .env_clear()
        .args(["verify", &path("links.sql"), "--log", "trace", "--ca-file"])
        .arg(Certificates::shared().ca_file())
        .arg("-v")
        .args(outputs.iter().flat_map(|output| ["--output", output]))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let human = String::from_utf8(output.stdout).unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let json = fs::read_to_string(path("json")).unwrap();
    let report: Value = serde_json::from_str(&json).unwrap();
    let checks: HashMap<&str, &Value> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["link"].as_str().unwrap(), check))
        .collect();
    for case in cases {
        let name = case.link.quoted_name();
        let check = checks[name.as_str()];
        assert_eq!(check["verdict"], case.verdict, "{name}: {check:#}");
        assert_eq!(check["code"].as_str(), case.code, "{name}: {check:#}");
        let line = human
            .lines()
            .find(|line| line.split_whitespace().any(|word| word == name))
            .unwrap_or_else(|| panic!("{name} is not in the report:\n{human}"));
        assert!(line.contains(case.verdict), "{line}");
        let Some(code) = case.code else { continue };
        assert!(human.contains(code), "{code} is not in:\n{human}");
        let guilty = &check["diagnosis"]["keys"][0];
        let found = case.key.map(|_| {
            (
                guilty["clause"].as_str().unwrap(),
                guilty["pointer"].as_str().unwrap(),
            )
        });
        assert_eq!(found, case.key, "{name}: {check:#}");
        if let Some((_, pointer)) = case.key {
            let line = usize::try_from(guilty["line"].as_u64().unwrap()).unwrap();
            let key = pointer.trim_start_matches('/');
            let there = text.lines().nth(line - 1).unwrap();
            assert!(
                there.contains(key)
                    || there.contains("CREDENTIALS")
                    || there.contains("CREATE LINK"),
                "{name} points at `{there}`"
            );
        }
    }
    let mut texts = vec![("standard output", human), ("log", log.clone())];
    texts.extend(formats.map(|format| (format, fs::read_to_string(path(format)).unwrap())));
    for (kind, shown) in texts {
        for secret in secrets {
            assert!(!shown.contains(secret), "{kind} shows {secret}");
        }
    }
    let failed = cases.iter().any(|case| case.verdict == "fail");
    assert_eq!(output.status.code(), Some(i32::from(failed)), "{log}");
}

#[test]
fn twelve_links_and_a_minio() {
    let plain = Minio::shared();
    let tls = Minio::shared_tls();
    let reader = User::ReadOnly.login();
    let wrong = Login::new(reader.access_key_id.as_str(), "m4rked-wrong-secret");
    let unknown = Login::new("AKIANOBODY", "m4rked-unknown-secret");
    let mut garbage = plain.assume_role(User::ReadOnly).unwrap();
    garbage.session_token = Some("m4rked-garbage-token".to_owned());
    let other_key = b"another key of thirty-two bytes!";
    let role = plain
        .create_link("assumed_role", &reader)
        .credential("role_arn", "arn:aws:iam::123456789012:role/any");
    let to_plain_port = plain.create_link("https_to_plain", &reader).config(
        "endpoint_url",
        plain.endpoint_url().replace("http:", "https:"),
    );
    let foreign = Certificates::shared();
    let stranger = linkdial_testcontainers::ScriptedHttp::script()
        .start_tls(foreign.server_tls(foreign.unknown_issuer()));
    let wrong_ca = tls
        .create_link("wrong_ca", &reader)
        .config("endpoint_url", stranger.url());
    let missing = plain.create_link("missing_bucket", &User::Root.login());
    let cases = [
        pass(plain.create_link("right", &reader), "private/team/a/"),
        pass(tls.create_link("right_tls", &reader), "private"),
        pass(plain.anonymous_link("anonymous"), "public/*.txt"),
        pass(role, "private"),
        pass(tls.encrypted_link("sse_c", &reader, SSE_C_KEY), "sse-c"),
        fail(
            plain.create_link("wrong_secret", &wrong),
            "private",
            "authenticate.bad-secret",
            Some(SECRET),
        ),
        fail(
            tls.create_link("wrong_secret_tls", &wrong),
            "private",
            "authenticate.bad-secret",
            Some(SECRET),
        ),
        fail(
            plain.create_link("unknown_key", &unknown),
            "private",
            "authenticate.unknown-key",
            Some(KEY_ID),
        ),
        fail(
            plain.create_link("garbage_token", &garbage),
            "private",
            "authenticate.token-invalid",
            Some(TOKEN),
        ),
        fail(missing, "no-such-bucket", "access.not-found", None),
        fail(
            plain.create_link("denied_prefix", &User::Prefix.login()),
            "private/other/",
            "access.denied",
            Some(KEY_ID),
        ),
        fail(wrong_ca, "private", "tls.unknown-issuer", Some(ENDPOINT)),
        fail(to_plain_port, "private", "tls.not-tls", Some(ENDPOINT)),
        fail(
            tls.encrypted_link("sse_c_other", &reader, other_key),
            "sse-c",
            "read.key-mismatch",
            Some(CUSTOMER_KEY),
        ),
    ];
    verify(
        &cases,
        &[
            "m4rked",
            reader.secret_access_key.as_str(),
            garbage.secret_access_key.as_str(),
            "linkdial-test-customer-key",
            "bGlua2RpYWwtdGVzdC1jdXN0b21lci1rZXk",
        ],
    );
}

#[test]
fn a_role_is_refused_where_authentication_is_on() {
    let moto = Moto::shared();
    let cases = [
        pass(moto.role_link("member", moto.member()), "private"),
        fail(
            moto.role_link("stranger", moto.stranger()),
            "private",
            "authenticate.role-refused",
            Some(ROLE),
        ),
    ];
    verify(&cases, &[moto.stranger().secret_access_key.as_str()]);
}

/// Variables that other programs read: none of them may decide a dial.
#[test]
fn trust_and_identity_come_from_no_variable() {
    let tls = Minio::shared_tls();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.sql");
    let link = tls.create_link("orders", &User::ReadOnly.login());
    let anonymous = tls.anonymous_link("nobody");
    let text = format!(
        "{link}{anonymous}\
         CREATE PIPELINE p AS LOAD DATA LINK orders 'private' INTO TABLE t;\n\
         CREATE PIPELINE q AS LOAD DATA LINK nobody 'private' INTO TABLE t;\n"
    );
    fs::write(&path, text).unwrap();
    let ca = Certificates::shared().ca_file();
    let login = User::ReadOnly.login();
    let codes = |trusted: &str, arguments: &[&std::ffi::OsStr]| -> Vec<Option<String>> {
        let output = Command::new(env!("CARGO_BIN_EXE_linkdial"))
            .env_clear()
            .env("SSL_CERT_FILE", trusted)
            .env("SSL_CERT_DIR", trusted)
            .env("AWS_CA_BUNDLE", trusted)
            .env("CURL_CA_BUNDLE", trusted)
            .env("AWS_ACCESS_KEY_ID", &login.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &login.secret_access_key)
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            .env("AWS_REGION", "eu-west-1")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("ALL_PROXY", "http://127.0.0.1:9")
            .args(["verify", "--format", "json"])
            .arg(&path)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        checks
            .iter()
            .map(|check| check["code"].as_str().map(str::to_owned))
            .collect()
    };
    let refused = Some("authenticate.required".to_owned());
    let missing = folder.path().join("missing.pem");
    let with_ca = ["--ca-file".as_ref(), ca.as_os_str()];
    assert_eq!(codes(missing.to_str().unwrap(), &with_ca), [None, refused]);
    let unknown = Some("tls.unknown-issuer".to_owned());
    assert_eq!(codes(ca.to_str().unwrap(), &[]), [unknown.clone(), unknown]);
}
