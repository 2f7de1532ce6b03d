//! What the clauses and the target of an HTTP link may say. No packet is sent.

use linkdial_core::testing::{Link, decisive, definition, dial};
use linkdial_core::{ClauseName, Code, Driver, Intent, Kind, Outcome, Settings, Target};
use linkdial_http::Http;

/// Returns code, outcome and first key of every finding.
fn findings(credentials: &str) -> Vec<(Code, Outcome, String)> {
    let opened = Driver::of::<Http>().open(&definition(Kind::Http, "", credentials));
    let findings = opened.findings.into_iter();
    findings
        .map(|it| (it.code, it.outcome, it.keys[0].pointer.clone()))
        .collect()
}

fn only(credentials: &str, code: Code, outcome: Outcome, pointer: &str) {
    assert_eq!(
        findings(credentials),
        [(code, outcome, pointer.to_owned())],
        "{credentials}"
    );
}

fn header(name: &str, value: &str) -> String {
    format!(r#"{{"headers": {{"{name}": "{value}"}}}}"#)
}

#[test]
fn good_headers_have_no_finding() {
    for credentials in [
        "",
        "{}",
        r#"{"headers": {}}"#,
        &header("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),
        &header("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.c2ln"),
        &header("Authorization", "ApiKey anything goes here"),
        &header("X-Functions-Key", "a/b+c=="),
    ] {
        assert_eq!(findings(credentials), [], "{credentials}");
    }
}

#[test]
fn header_names_are_tokens_and_the_links_own() {
    let fail = Outcome::Fail;
    for name in ["Authorization:", "a b", "ключ", ""] {
        let place = format!("/headers/{name}");
        only(
            &header(name, "v4lue"),
            Code::DefineInvalidValue,
            fail,
            &place,
        );
    }
    for name in ["Host", "content-length", "Connection", "Transfer-Encoding"] {
        let place = format!("/headers/{name}");
        only(
            &header(name, "v4lue"),
            Code::DefineInvalidValue,
            fail,
            &place,
        );
    }
    only(
        &header(" X-Key", "v4lue"),
        Code::DefineStrayWhitespace,
        fail,
        "/headers/ X-Key",
    );
    only(
        &header("a/b~c d", "v"),
        Code::DefineInvalidValue,
        fail,
        "/headers/a~1b~0c d",
    );
}

#[test]
fn header_values_can_be_sent() {
    let place = "/headers/X-Key";
    for value in [r"a\r\nX-Other: b", r"a\u0000b", "a\u{fc}b", "a\u{201d}"] {
        let credentials = header("X-Key", value);
        only(&credentials, Code::DefineInvalidValue, Outcome::Fail, place);
    }
    only(
        &header("X-Key", r"abc\n"),
        Code::DefineStrayWhitespace,
        Outcome::Fail,
        place,
    );
    only(
        &header("X-Key", " abc"),
        Code::DefineStrayWhitespace,
        Outcome::Fail,
        place,
    );
    only(
        &header("X-Key", "<your-key>"),
        Code::DefinePlaceholderValue,
        Outcome::Fail,
        place,
    );
}

#[test]
fn authorization_is_read_by_its_scheme() {
    let place = "/headers/Authorization";
    let check =
        |value: &str, code, outcome| only(&header("Authorization", value), code, outcome, place);
    // The example of the vendor's page: `root:testing` and a line feed.
    check(
        "Basic cm9vdDp0ZXN0aW5nCg==",
        Code::DefineStrayWhitespace,
        Outcome::Warn,
    );
    check(
        "Basic user:password",
        Code::DefineInvalidValue,
        Outcome::Fail,
    );
    check("Basic dXNlcg==", Code::DefineInvalidValue, Outcome::Fail);
    check("Basic", Code::DefineInvalidValue, Outcome::Fail);
    check("Bearer", Code::DefineInvalidValue, Outcome::Fail);
    check("Bearer Bearer abc", Code::DefineInvalidValue, Outcome::Fail);
    check("bearer {abc}", Code::DefineInvalidValue, Outcome::Fail);
}

#[test]
fn all_findings_come_at_once() {
    let credentials = r#"{"headers": {"Host": "h", "X": "a\u0000", "x": "b"}, "header": 1}"#;
    let codes: Vec<Code> = findings(credentials)
        .into_iter()
        .map(|(code, ..)| code)
        .collect();
    assert_eq!(
        codes,
        [
            Code::DefineInvalidValue,
            Code::DefineInvalidValue,
            Code::DefineConflictingKeys,
            Code::DefineUnknownKey,
        ]
    );
}

#[test]
fn headers_in_config_are_taken_with_a_warning() {
    let config = r#"{"headers": {"Authorization": "Basic ???"}}"#;
    let opened = Driver::of::<Http>().open(&definition(Kind::Http, config, ""));
    let codes: Vec<Code> = opened.findings.iter().map(|it| it.code).collect();
    assert_eq!(
        codes,
        [Code::DefineSecretInConfig, Code::DefineInvalidValue]
    );
    assert!(
        opened
            .findings
            .iter()
            .all(|it| it.keys[0].clause == ClauseName::Config)
    );
}

#[tokio::test]
async fn a_target_is_an_http_url_without_a_login() {
    let driver = Driver::of::<Http>();
    let link = |target: Option<&str>| Link {
        definition: definition(Kind::Http, "", "{}"),
        target: target.map(Target::new),
    };
    let rows = [
        (None, Code::DefineNoTarget, Outcome::Unverified),
        (
            Some("127.0.0.1:80/x"),
            Code::DefineTargetInvalid,
            Outcome::Fail,
        ),
        (
            Some("ftp://127.0.0.1/x"),
            Code::DefineTargetInvalid,
            Outcome::Fail,
        ),
        (Some("http://"), Code::DefineTargetInvalid, Outcome::Fail),
        (
            Some("bucket/prefix"),
            Code::DefineTargetInvalid,
            Outcome::Fail,
        ),
        (
            Some("http://me:s3cr3t@127.0.0.1:1/"),
            Code::DefineTargetInvalid,
            Outcome::Fail,
        ),
    ];
    for (target, code, outcome) in rows {
        let steps = dial(&driver, &link(target), Settings::default(), Intent::READ).await;
        assert_eq!(decisive(&steps), Some(code), "{target:?}: {steps:#?}");
        assert_eq!(steps.last().unwrap().outcome, outcome);
        assert!(!format!("{steps:?}").contains("s3cr3t"));
    }
}

#[test]
fn a_placeholder_behind_a_scheme_is_one() {
    for value in [
        "Bearer <token>",
        "Basic <base64>",
        "ApiKey your_api_key",
        "<token>",
    ] {
        let place = "/headers/Authorization";
        let (code, fail) = (Code::DefinePlaceholderValue, Outcome::Fail);
        only(&header("Authorization", value), code, fail, place);
    }
}
