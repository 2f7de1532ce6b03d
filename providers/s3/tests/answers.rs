//! What stores answer, replayed, and the finding each answer leads to.
//!
//! The bodies are those of the Amazon S3 API Reference (Error responses) and of recorded answers;
//! every one travels over a real socket through the real client.

mod common;

use std::time::{Duration, Instant};

use common::{EMPTY, PAIR, config, dial, dial_with, error, settings, xml};
use linkdial_core::testing::record::{diagnosis, evidence, note, passed, summary};
use linkdial_core::{Intent, Retry, Settings, Stage};
use linkdial_testcontainers::broken::Broken;
use linkdial_testcontainers::{Answer, ScriptedHttp};

fn listing(answer: Answer) -> Vec<linkdial_core::Step> {
    let server = ScriptedHttp::always([answer]);
    dial(PAIR, &config(&server), Some("bucket/in/"))
}

#[test]
fn every_listing_error_has_its_code() {
    for (status, code, message, expected) in [
        (
            403,
            "InvalidAccessKeyId",
            "does not exist in our records",
            "fail authenticate.unknown-key CREDENTIALS/aws_access_key_id",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "does not match",
            "fail authenticate.bad-secret CREDENTIALS/aws_secret_access_key",
        ),
        (
            400,
            "ExpiredToken",
            "The provided token has expired.",
            "fail authenticate.token-expired CREDENTIALS/aws_session_token",
        ),
        (
            400,
            "InvalidToken",
            "malformed",
            "fail authenticate.token-invalid CREDENTIALS/aws_session_token",
        ),
        (
            403,
            "RequestTimeTooSkewed",
            "too large",
            "fail authenticate.clock-skew",
        ),
        (
            403,
            "AccessDenied",
            "Access Denied",
            "fail access.denied CREDENTIALS/aws_access_key_id",
        ),
        (403, "AllAccessDisabled", "disabled", "fail access.denied"),
        (
            404,
            "NoSuchBucket",
            "does not exist",
            "fail access.not-found",
        ),
        (
            301,
            "PermanentRedirect",
            "must be addressed using the specified endpoint",
            "fail access.wrong-region CONFIG/region",
        ),
        (
            503,
            "SlowDown",
            "Reduce your request rate.",
            "warn access.throttled",
        ),
        (
            500,
            "InternalError",
            "We encountered an internal error.",
            "fail access.server-error",
        ),
        (
            501,
            "NotImplemented",
            "not implemented",
            "fail access.request-refused",
        ),
        (
            400,
            "RequestTimeout",
            "not read from or written to within the timeout period",
            "fail access.timed-out CONFIG/endpoint_url",
        ),
    ] {
        let steps = listing(error(status, code, message));
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(evidence(&steps, "remote_code"), Some(code));
        assert_eq!(evidence(&steps, "request_id"), Some("4442587FB7D0A2F9"));
        assert!(
            diagnosis(&steps).unwrap().hint.is_some(),
            "{code} has no hint"
        );
    }
}

#[test]
fn a_refused_right_proves_the_identity_and_a_fault_does_not() {
    let steps = listing(error(403, "AccessDenied", "Access Denied"));
    assert!(passed(&steps).contains(&Stage::Authenticate));
    let steps = listing(error(503, "SlowDown", ""));
    assert!(!passed(&steps).contains(&Stage::Authenticate));
}

#[test]
fn a_wrong_region_names_both() {
    let steps = listing(
        Answer::status(400)
            .header("content-type", "application/xml")
            .body("<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>"),
    );
    assert_eq!(summary(&steps), "fail access.wrong-region CONFIG/region");
    assert_eq!(evidence(&steps, "region"), Some("us-east-1"));
    assert_eq!(evidence(&steps, "expected_region"), Some("eu-west-1"));
    let steps =
        listing(error(301, "PermanentRedirect", "").header("x-amz-bucket-region", "ap-south-1"));
    assert_eq!(evidence(&steps, "expected_region"), Some("ap-south-1"));
    assert_eq!(
        diagnosis(&steps).unwrap().hint.as_deref(),
        Some("set `region` to `ap-south-1` in CONFIG")
    );
}

#[test]
fn clock_skew_comes_in_seconds_with_its_sign() {
    let server_time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1200);
    let steps = listing(Answer::status(403).header("content-type", "application/xml").body(format!(
        "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message><ServerTime>{server_time}</ServerTime></Error>"
    )));
    let skew: i64 = evidence(&steps, "skew_seconds").unwrap().parse().unwrap();
    assert!((-1205..=-1195).contains(&skew), "{skew}");
    assert!(diagnosis(&steps).unwrap().message.contains("behind"));
}

#[test]
fn a_retry_time_is_kept() {
    let steps = listing(error(503, "SlowDown", "").header("retry-after", "7"));
    assert_eq!(
        diagnosis(&steps).unwrap().retry,
        Retry::After(Duration::from_secs(7))
    );
}

#[test]
fn what_is_not_s3_is_said_so() {
    for answer in [
        Answer::status(200)
            .header("content-type", "text/html")
            .body("<!DOCTYPE html><html><form></form></html>"),
        Answer::status(200).body(""),
        Answer::status(200).body(r#"{"ok":true}"#),
        Answer::status(404).body("not found"),
        Answer::status(403).body("<html>blocked</html>"),
        xml(&EMPTY.replace("<Name>bucket</Name>", "<Name>other</Name>")),
        xml("<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"),
    ] {
        let steps = listing(answer);
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url"
        );
    }
    let steps = listing(Answer::status(302).header("location", "https://login.example/"));
    assert_eq!(
        summary(&steps),
        "fail access.redirected CONFIG/endpoint_url"
    );
    assert_eq!(evidence(&steps, "location"), Some("https://login.example/"));
}

#[test]
fn a_bucket_in_the_host_name_that_the_store_ignores_is_the_wrong_style() {
    let server = ScriptedHttp::always([xml(
        "<ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets></Buckets></ListAllMyBucketsResult>",
    )]);
    let port = server.addr().port();
    let config =
        format!(r#"{{"endpoint_url":"http://store.test:{port}","s3_force_path_style":false}}"#);
    let settings = Settings {
        net: linkdial_core::net::Net::builder()
            .resolve("bucket.store.test", server.addr().ip())
            .build(),
        ..Settings::default()
    };
    let steps = dial_with(PAIR, &config, Some("bucket"), Intent::READ, settings);
    assert_eq!(
        summary(&steps),
        "fail access.wrong-style CONFIG/s3_force_path_style"
    );
    let asked = &server.requests()[0];
    assert_eq!(
        asked.header("host"),
        Some(format!("bucket.store.test:{port}").as_str())
    );
}

#[test]
fn an_empty_listing_passes_with_a_note() {
    let steps = listing(xml(EMPTY));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(note(&steps, "objects"), Some("0"));
}

#[test]
fn an_anonymous_link_signs_nothing() {
    let server = ScriptedHttp::always([xml(EMPTY)]);
    let steps = dial("{}", &config(&server), Some("bucket"));
    assert_eq!(summary(&steps), "pass");
    assert!(!passed(&steps).contains(&Stage::Authenticate));
    assert_eq!(server.requests()[0].header("authorization"), None);
    let refused = ScriptedHttp::always([error(403, "AccessDenied", "")]);
    let steps = dial("{}", &config(&refused), Some("bucket"));
    assert_eq!(
        summary(&steps),
        "fail authenticate.required CREDENTIALS/aws_access_key_id"
    );
    let steps = dial("{}", &config(&server), None);
    assert_eq!(summary(&steps), "unverified define.no-target");
}

#[test]
fn broken_servers_are_named_in_time() {
    let quick = || Settings {
        stage_timeout: Duration::from_millis(400),
        ..settings()
    };
    for (server, code) in Broken::http_servers() {
        let config = format!(r#"{{"endpoint_url":"{}"}}"#, server.url());
        let started = Instant::now();
        let steps = dial_with(PAIR, &config, Some("bucket"), Intent::READ, quick());
        assert_eq!(summary(&steps), format!("fail {code} CONFIG/endpoint_url"));
        assert!(started.elapsed() < Duration::from_millis(900), "{code}");
    }
}

#[test]
fn what_the_server_echoes_holds_no_secret() {
    let echo = "m4rk3d/secret+ m4rk3d%2Fsecret%2B bTRyazNkL3NlY3JldCs=";
    for answer in [
        error(403, "AccessDenied", echo),
        error(500, "InternalError", echo),
        error(400, echo, echo),
        Answer::status(302).header("location", "http://x/?k=m4rk3d%2Fsecret%2B"),
    ] {
        let steps = listing(answer);
        let shown = format!("{steps:?}");
        assert!(!shown.contains("m4rk3d"), "{shown}");
        assert!(!shown.contains("bTRyazNk"), "{shown}");
    }
}

#[test]
fn a_code_that_stands_for_several_faults_is_told_apart() {
    let malformed = "The authorization header is malformed; the Credential is mal-formed";
    for (status, code, message, expected) in [
        (
            400,
            "AuthorizationHeaderMalformed",
            malformed,
            "fail authenticate.unknown-key CREDENTIALS/aws_access_key_id",
        ),
        (
            405,
            "MethodNotAllowed",
            "not allowed",
            "fail access.request-refused",
        ),
        (
            400,
            "InvalidRequest",
            "Missing header",
            "fail access.request-refused",
        ),
        (
            503,
            "ServiceUnavailable",
            "down",
            "fail access.server-error",
        ),
        (
            503,
            "ServiceUnavailable",
            "Please reduce your request rate.",
            "warn access.throttled",
        ),
        (
            403,
            "NotSignedUp",
            "not signed up",
            "fail authenticate.unknown-key CREDENTIALS/aws_access_key_id",
        ),
    ] {
        let steps = listing(error(status, code, message));
        assert_eq!(summary(&steps), expected, "{code}: {message}");
    }
}

#[test]
fn a_target_that_does_not_fit_is_not_dialled() {
    let server = ScriptedHttp::always([xml(EMPTY)]);
    let steps = dial(PAIR, &config(&server), Some("https://host/bucket"));
    assert_eq!(summary(&steps), "fail define.target-invalid");
    assert!(server.requests().is_empty());
    let steps = dial(PAIR, &config(&server), Some("s3://bucket/in/"));
    assert_eq!(summary(&steps), "warn define.target-scheme");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_secret_in_the_place_of_the_id_is_not_shown() {
    let secret = "bGFiLXJvb3QtaG1hYy1zZWNyZXQtLS0tLS0tLS0t";
    let credentials =
        format!(r#"{{"aws_access_key_id":"{secret}","aws_secret_access_key":"m4rk3d/secret+"}}"#);
    let echo = error(403, "InvalidAccessKeyId", &format!("no key {secret}"));
    let server = ScriptedHttp::always([echo]);
    let config = format!(r#"{{"endpoint_url":"{}"}}"#, server.url());
    let steps = dial(&credentials, &config, Some("bucket"));
    let shown = format!("{steps:?}");
    assert!(shown.contains("no key [redacted]"), "{shown}");
    assert!(!shown.contains(secret), "{shown}");
}

#[test]
fn a_swapped_pair_shows_no_secret_unless_the_server_knows_the_id() {
    let secret = "Tr0ub4dor-and-3";
    let swapped =
        format!(r#"{{"aws_access_key_id":"{secret}","aws_secret_access_key":"minio-user"}}"#);
    let echo = format!("The key {secret} does not exist in our records.");
    for (code, shown) in [
        ("InvalidAccessKeyId", false),
        ("InvalidRequest", false),
        ("SignatureDoesNotMatch", true),
        ("AccessDenied", true),
    ] {
        for target in [Some("bucket"), None] {
            let server = ScriptedHttp::always([error(403, code, &echo)]);
            let steps = dial(&swapped, &config(&server), target);
            let text = format!("{steps:?}");
            if shown {
                let known = evidence(&steps, "key_id").or_else(|| note(&steps, "key_id"));
                assert_eq!(known, Some(secret), "{code} {target:?}");
            } else {
                assert!(!text.contains("Tr0ub4dor"), "{code}: {text}");
                assert_eq!(evidence(&steps, "key_id"), None);
                let message = evidence(&steps, "remote_message").unwrap();
                assert_eq!(message, "The key [redacted] does not exist in our records.");
            }
            assert!(!text.contains("minio-user"), "{code}: {text}");
        }
    }
    let server = ScriptedHttp::always([error(403, "InvalidAccessKeyId", "")]);
    let steps = dial(PAIR, &config(&server), Some("bucket"));
    assert_eq!(evidence(&steps, "key_id"), Some("AKIAMARKED"));
    let hint = diagnosis(&steps).unwrap().hint.as_ref().unwrap();
    assert!(hint.contains("swapped"), "{hint}");
}

#[test]
fn a_missing_session_token_is_not_called_invalid() {
    let steps = listing(error(400, "InvalidToken", "malformed"));
    let found = diagnosis(&steps).unwrap();
    assert!(found.message.contains("the link has none"), "{found:?}");
    assert!(
        found.hint.as_ref().unwrap().starts_with("add the"),
        "{found:?}"
    );
    let server = ScriptedHttp::always([error(400, "InvalidToken", "malformed")]);
    let with_token = r#"{"aws_access_key_id":"ASIAMARKED","aws_secret_access_key":"m4rk3d/secret+","aws_session_token":"m4rk3d-token"}"#;
    let steps = dial(with_token, &config(&server), Some("bucket"));
    let found = diagnosis(&steps).unwrap();
    assert!(found.message.contains("is not valid"), "{found:?}");
}
