//! What the security token service answers, replayed, and the finding each answer leads to.

mod common;

use std::time::Duration;

use common::{PAIR, config, dial, dial_with, error, settings, xml};
use linkdial_core::testing::record::{evidence, summary};
use linkdial_core::{Intent, Settings};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};

const ROLE: &str = r#"{"aws_access_key_id":"AKIAMARKED","aws_secret_access_key":"m4rk3d/secret+","role_arn":"arn:aws:iam::123456789012:role/reader"}"#;

fn sts_error(code: &str, message: &str) -> Answer {
    Answer::status(403)
        .header("content-type", "text/xml")
        .body(format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r1</RequestId></ErrorResponse>"
        ))
}

#[test]
fn the_token_service_has_words_of_its_own() {
    let refused = "User: arn:aws:iam::123456789012:user/loader is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/reader";
    let stale = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T003000Z - 15 min.)";
    for (code, message, expected) in [
        (
            "AccessDenied",
            refused,
            "fail authenticate.role-refused CREDENTIALS/role_arn",
        ),
        (
            "InvalidClientTokenId",
            "invalid",
            "fail authenticate.unknown-key CREDENTIALS/aws_access_key_id",
        ),
        (
            "SignatureDoesNotMatch",
            "does not match",
            "fail authenticate.bad-secret CREDENTIALS/aws_secret_access_key",
        ),
        (
            "SignatureDoesNotMatch",
            stale,
            "fail authenticate.clock-skew",
        ),
        (
            "ExpiredToken",
            "expired",
            "fail authenticate.token-expired CREDENTIALS/aws_session_token",
        ),
    ] {
        let server = ScriptedHttp::always([sts_error(code, message)]);
        let steps = dial(ROLE, &config(&server), Some("bucket"));
        assert_eq!(summary(&steps), expected, "{code}: {message}");
    }
    let server = ScriptedHttp::always([sts_error("AccessDenied", refused)]);
    let steps = dial(ROLE, &config(&server), Some("bucket"));
    assert_eq!(
        evidence(&steps, "caller"),
        Some("arn:aws:iam::123456789012:user/loader")
    );
    let server = ScriptedHttp::always([Answer::status(200).body("<html></html>")]);
    let steps = dial(ROLE, &config(&server), Some("bucket"));
    assert_eq!(
        summary(&steps),
        "fail access.not-this-service CONFIG/endpoint_url"
    );
}

#[test]
fn what_a_role_may_not_do_is_the_roles_matter() {
    let lent = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>l3nt-secret</SecretAccessKey><SessionToken>l3nt-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let server = ScriptedHttp::script()
        .on(Match::any().method("POST"), [xml(lent)])
        .on(
            Match::any(),
            [error(403, "AccessDenied", "l3nt-secret l3nt-token")],
        )
        .start();
    let steps = dial(ROLE, &config(&server), Some("bucket"));
    assert_eq!(
        summary(&steps),
        "fail access.denied CREDENTIALS/role_arn",
        "{steps:#?}"
    );
    assert_eq!(
        evidence(&steps, "role"),
        Some("arn:aws:iam::123456789012:role/reader")
    );
    assert!(!format!("{steps:?}").contains("l3nt-"));
}

#[test]
fn silence_at_a_login_of_its_own_is_a_login_that_timed_out() {
    let quick = || Settings {
        stage_timeout: Duration::from_millis(300),
        ..settings()
    };
    let silent = Broken::start(Fault::Silent);
    let config = format!(r#"{{"endpoint_url":"{}"}}"#, silent.url());
    for (credentials, target) in [(ROLE, Some("bucket")), (PAIR, None)] {
        let steps = dial_with(credentials, &config, target, Intent::READ, quick());
        assert_eq!(
            summary(&steps),
            "fail authenticate.timed-out CONFIG/endpoint_url"
        );
    }
}
