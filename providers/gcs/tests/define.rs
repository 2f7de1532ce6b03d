//! Every `define.*` finding of a GCS link, from the text of its clauses.

mod common;

use common::{HMAC, open};
use linkdial_core::testing::record;
use linkdial_testcontainers::ServiceAccount;
use serde_json::{Value, json};

/// The findings as `outcome code CLAUSE/pointer`.
fn findings(credentials: &str, config: &str) -> Vec<String> {
    record::findings(&open(credentials, config).findings)
}

const EXTENSION: &str = "warn define.extension-key CREDENTIALS/service_account_key";

/// CREDENTIALS with the key file, changed.
fn account(change: impl Fn(&mut Value)) -> String {
    let mut file = ServiceAccount::shared().json();
    change(&mut file);
    json!({"service_account_key": file}).to_string()
}

#[test]
fn the_good_examples_have_no_finding() {
    for (credentials, config) in [
        (HMAC, ""),
        (HMAC, r#"{"region":"us-east1"}"#),
        (
            HMAC,
            r#"{"region":"EU","disable_gunzip":"true","suffixes":["csv"]}"#,
        ),
        ("{}", ""),
        ("", ""),
    ] {
        let opened = open(credentials, config);
        assert_eq!(
            findings(credentials, config),
            [""; 0],
            "{credentials} {config}"
        );
        let provider = opened.provider.unwrap();
        let endpoint = provider.endpoint(None).unwrap();
        assert_eq!(endpoint.to_string(), "storage.googleapis.com:443");
        assert_eq!(endpoint.key, None);
    }
}

#[test]
fn identity_rules() {
    for (credentials, expected) in [
        (
            r#"{"access_id":"GOOG1A"}"#,
            "fail define.missing-key CREDENTIALS/secret_key",
        ),
        (
            r#"{"secret_key":"s3cr3t"}"#,
            "fail define.missing-key CREDENTIALS/access_id",
        ),
        (
            r#"{"acces_id":"GOOG1A","secret_key":"s3cr3t"}"#,
            "fail define.missing-key CREDENTIALS/acces_id",
        ),
        (
            r#"{"access_id":"abcdefghijabcdefghijabcdefghijabcdefghij","secret_key":"GOOGTS7C7FUP3AIRVJTE2BCD"}"#,
            "fail define.invalid-value CREDENTIALS/access_id",
        ),
        (
            r#"{"access_id":"GOOG1A","secret_key":"s3cr3t "}"#,
            "fail define.stray-whitespace CREDENTIALS/secret_key",
        ),
        (
            r#"{"access_id":"GOOG1A\nB","secret_key":"s3cr3t"}"#,
            "fail define.invalid-value CREDENTIALS/access_id",
        ),
        (
            r#"{"access_id":"GOOG1Ä","secret_key":"s3cr3t"}"#,
            "fail define.invalid-value CREDENTIALS/access_id",
        ),
        (
            r#"{"access_id":"GOOG1A","secret_key":"s3c\u0000r3t"}"#,
            "fail define.invalid-value CREDENTIALS/secret_key",
        ),
        (
            r#"{"access_id":"your_google_access_key","secret_key":"s3cr3t"}"#,
            "fail define.placeholder-value CREDENTIALS/access_id",
        ),
        (
            r#"{"aws_access_key_id":"AKIA1"}"#,
            "fail define.unknown-key CREDENTIALS/aws_access_key_id",
        ),
    ] {
        assert_eq!(findings(credentials, ""), [expected], "{credentials}");
    }
}

#[test]
fn what_is_there_and_empty_makes_no_anonymous_link() {
    let empty = |key: &str| format!("fail define.invalid-value CREDENTIALS/{key}");
    for (credentials, expected) in [
        (
            r#"{"access_id":"","secret_key":""}"#,
            vec![empty("access_id"), empty("secret_key")],
        ),
        (
            r#"{"access_id":"GOOG1A","secret_key":""}"#,
            vec![empty("secret_key")],
        ),
        (
            r#"{"service_account_key":{}}"#,
            vec![EXTENSION.to_owned(), empty("service_account_key")],
        ),
        (
            r#"{"service_account_key":""}"#,
            vec![EXTENSION.to_owned(), empty("service_account_key")],
        ),
    ] {
        assert_eq!(findings(credentials, ""), expected, "{credentials}");
    }
    let endpoint = findings(HMAC, r#"{"endpoint_url":""}"#);
    assert_eq!(endpoint[1], "fail define.invalid-value CONFIG/endpoint_url");
}

#[test]
fn config_rules() {
    let extension = "warn define.extension-key CONFIG/endpoint_url";
    let invalid = "fail define.invalid-value CONFIG/endpoint_url";
    for (config, expected) in [
        (r#"{"endpoint_url":"http://store:9000"}"#, vec![extension]),
        (r#"{"endpoint_url":"store:9000"}"#, vec![extension, invalid]),
        (
            r#"{"endpoint_url":"http://store/bucket"}"#,
            vec![extension, invalid],
        ),
        (
            r#"{"endpoint_url":"http://u:p@store"}"#,
            vec![extension, invalid],
        ),
        (
            r#"{"endpoint_url":"https://s3.amazonaws.com"}"#,
            vec![extension, invalid],
        ),
        (
            r#"{"endpoint_url":"https://bucket.storage.googleapis.com"}"#,
            vec![extension, invalid],
        ),
        (
            r#"{"region":"us east"}"#,
            vec!["fail define.invalid-value CONFIG/region"],
        ),
        (
            r#"{"suffixes":"csv"}"#,
            vec!["fail define.wrong-type CONFIG/suffixes"],
        ),
        (
            r#"{"secret_key":"s3cr3t","access_id":"GOOG1A"}"#,
            vec!["warn define.secret-in-config CONFIG/secret_key"],
        ),
    ] {
        assert_eq!(findings("", config), expected, "{config}");
    }
}

#[test]
fn a_key_file_is_taken_as_an_object_and_as_text() {
    let file = ServiceAccount::shared().json();
    for value in [file.clone(), json!(file.to_string())] {
        let credentials = json!({"service_account_key": value}).to_string();
        assert_eq!(findings(&credentials, ""), [EXTENSION]);
    }
    let both = json!({"service_account_key": file, "access_id": "GOOG1A", "secret_key": "s"});
    assert_eq!(
        findings(&both.to_string(), ""),
        [
            EXTENSION,
            "fail define.conflicting-keys CREDENTIALS/service_account_key"
        ]
    );
}

#[test]
fn a_token_does_not_travel_in_the_clear() {
    let credentials = account(|_| {});
    let refused = [
        EXTENSION,
        "fail define.conflicting-keys CONFIG/endpoint_url",
    ];
    for (url, allowed) in [
        ("http://store:9000", false),
        ("http://192.0.2.7", false),
        ("http://[2001:db8::1]", false),
        ("http://localhost.example.com", false),
        ("http://127.0.0.1:9000", true),
        ("http://[::1]:9000", true),
        ("http://localhost:9000", true),
        ("https://store:9000", true),
    ] {
        let config = json!({"endpoint_url": url}).to_string();
        let expected = &refused[..if allowed { 1 } else { 2 }];
        assert_eq!(findings(&credentials, &config), expected, "{url}");
        let opened = open(&credentials, &config);
        if let Some(conflict) = opened.findings.get(1) {
            assert_eq!(conflict.keys[1].pointer, "/service_account_key");
        }
    }
    // A signature gives nothing away.
    let config = r#"{"endpoint_url":"http://store:9000"}"#;
    assert_eq!(
        findings(HMAC, config),
        ["warn define.extension-key CONFIG/endpoint_url"]
    );
    // Both keys are named at once.
    let both = open(&credentials, config).findings.swap_remove(0);
    assert_eq!(
        both.message,
        "`service_account_key` and `endpoint_url` are keys of linkdial that SingleStore does not document"
    );
    assert_eq!(both.keys.len(), 2);
}

#[test]
fn what_is_wrong_in_a_key_file_is_named_in_place() {
    let set = |key: &'static str, value: Value| account(move |file| file[key] = value.clone());
    let without = |key: &'static str| {
        account(move |file| {
            file.as_object_mut().unwrap().remove(key);
        })
    };
    let pem = ServiceAccount::shared().private_key_pem();
    for (credentials, expected) in [
        (
            set("type", json!("authorized_user")),
            "define.invalid-value CREDENTIALS/service_account_key/type",
        ),
        (
            set("type", json!("external_account")),
            "define.invalid-value CREDENTIALS/service_account_key/type",
        ),
        (
            without("type"),
            "define.invalid-value CREDENTIALS/service_account_key/type",
        ),
        (
            without("client_email"),
            "define.missing-key CREDENTIALS/service_account_key/client_email",
        ),
        (
            without("private_key"),
            "define.missing-key CREDENTIALS/service_account_key/private_key",
        ),
        (
            set("private_key_id", json!("")),
            "define.missing-key CREDENTIALS/service_account_key/private_key_id",
        ),
        (
            set("private_key", json!("nonsense")),
            "define.invalid-value CREDENTIALS/service_account_key/private_key",
        ),
        (
            set("private_key", json!(pem[..900])),
            "define.invalid-value CREDENTIALS/service_account_key/private_key",
        ),
        (
            set("private_key", json!(pem.replace('\n', "\\n"))),
            "define.invalid-value CREDENTIALS/service_account_key/private_key",
        ),
        (
            json!({"service_account_key": "{\"type\":"}).to_string(),
            "define.invalid-value CREDENTIALS/service_account_key",
        ),
        (
            json!({"service_account_key": "/keys/robot.json"}).to_string(),
            "define.invalid-value CREDENTIALS/service_account_key",
        ),
        (
            json!({"service_account_key": true}).to_string(),
            "define.wrong-type CREDENTIALS/service_account_key",
        ),
    ] {
        let found = findings(&credentials, "");
        assert_eq!(found[0], EXTENSION);
        assert_eq!(found[1], format!("fail {expected}"));
        let shown = format!("{:?}", open(&credentials, ""));
        for line in pem.lines().filter(|line| !line.starts_with("--")) {
            assert!(!shown.contains(line), "{shown}");
        }
    }
    let text = json!({"service_account_key": json!({"type": "service_account"}).to_string()});
    let found = findings(&text.to_string(), "");
    assert_eq!(
        found[1],
        "fail define.missing-key CREDENTIALS/service_account_key"
    );
}

#[test]
fn nothing_of_a_private_key_is_shown() {
    let pem = ServiceAccount::shared().private_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let elliptic = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n";
    for (private_key, reason) in [
        (pem.replace('\n', ""), "its line breaks are missing"),
        (
            pem.replace('\n', "\\n"),
            "its line breaks are the two characters `\\n`",
        ),
        (pem[..900].to_owned(), "no END line"),
        (elliptic.to_owned(), "no END line"),
        (body, "no BEGIN line"),
        (
            pem.replace("MII", "MIJ"),
            "what stands between BEGIN and END is no key of RSA",
        ),
    ] {
        let credentials = account(|file| file["private_key"] = json!(private_key));
        let opened = open(&credentials, "");
        let finding = opened.findings.last().unwrap();
        assert_eq!(
            finding.message,
            "the private key of the service account can not be read"
        );
        assert_eq!(finding.evidence, [("reason", reason.to_owned())]);
        // Neither in decimal: an error of the parser shows the bytes so.
        let bytes: Vec<u8> = private_key.bytes().skip(28).take(8).collect();
        let decimal = format!("{bytes:?}");
        let shown = format!("{:?}", opened.findings);
        assert!(!shown.contains(decimal.trim_matches(['[', ']'])), "{shown}");
    }
}

#[test]
fn keys_of_another_kind_make_no_anonymous_link() {
    for (credentials, hint) in [
        (
            r#"{"aws_access_key_id":"GOOG1A","aws_secret_access_key":"s3cr3t"}"#,
            "for a link to GCS write `access_id` for `aws_access_key_id`, `secret_key` for `aws_secret_access_key`",
        ),
        (
            r#"{"accessId":"GOOG1A","secretKey":"s3cr3t","region":"us-east1"}"#,
            "for a link to GCS write `access_id` for `accessId`, `secret_key` for `secretKey`",
        ),
        (
            r#"{"user":"GOOG1A"}"#,
            "the keys of GCS links are called `access_id`, `secret_key`, `service_account_key`",
        ),
    ] {
        let opened = open(credentials, "");
        assert!(opened.provider.is_none());
        let [finding] = opened.findings.as_slice() else {
            panic!("{:#?}", opened.findings);
        };
        assert_eq!(finding.code.as_str(), "define.unknown-key");
        assert_eq!(finding.outcome, linkdial_core::Outcome::Fail);
        assert_eq!(finding.hint.as_deref(), Some(hint));
    }
}

#[test]
fn a_key_file_in_the_place_of_the_clause_is_one_finding() {
    let file = ServiceAccount::shared().json().to_string();
    // SQL may have unescaped its line breaks.
    for credentials in [file.replace("\\n", "\n"), file] {
        let opened = open(&credentials, "");
        let [finding] = opened.findings.as_slice() else {
            panic!("{:#?}", opened.findings);
        };
        assert_eq!(
            finding.message,
            "CREDENTIALS is the key file of a service account, which SingleStore does not take"
        );
        assert_eq!(finding.outcome, linkdial_core::Outcome::Fail);
        let hint = finding.hint.as_deref().unwrap();
        assert!(hint.contains("`service_account_key`"), "{hint}");
    }
}

#[test]
fn a_member_of_a_key_file_that_stands_twice_is_named() {
    let file = ServiceAccount::shared().json().to_string();
    let file = file.replacen('{', r#"{"type":"service_account","#, 1);
    let opened = open(&json!({"service_account_key": file}).to_string(), "");
    let finding = opened.findings.last().unwrap();
    assert_eq!(finding.message, "`service_account_key` has a member twice");
}
