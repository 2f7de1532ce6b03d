//! What stores answer, replayed, and the finding each answer leads to.
//!
//! The bodies are those of the Amazon S3 API Reference (Error responses) and of recorded answers;
//! every one travels over a real socket through the real client.

mod common;

use std::time::{Duration, Instant};

use common::{decisive, dial, dial_with, evidence, passed, settings, summary};
use linkdial_core::{Code, Intent, Retry, Settings, Stage};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Answer, Certificates, Match, ScriptedHttp};

const PAIR: &str = r#"{"aws_access_key_id":"AKIAMARKED","aws_secret_access_key":"m4rk3d/secret+"}"#;

const EMPTY: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"#;
const ONE: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix><KeyCount>1</KeyCount><MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key><Size>6</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"#;

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::status(status)
        .header("content-type", "application/xml")
        .header("x-amz-request-id", "4442587FB7D0A2F9")
        .body(format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"#
        ))
}

fn xml(body: &str) -> Answer {
    Answer::status(200)
        .header("content-type", "application/xml")
        .body(body.to_owned())
}

fn config(server: &ScriptedHttp) -> String {
    format!(r#"{{"endpoint_url":"{}"}}"#, server.url())
}

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
        (
            403,
            "AllAccessDisabled",
            "disabled",
            "fail access.denied CREDENTIALS/aws_access_key_id",
        ),
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
            "fail access.server-error",
        ),
    ] {
        let steps = listing(error(status, code, message));
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(evidence(&steps, "remote_code"), Some(code));
        assert_eq!(evidence(&steps, "request_id"), Some("4442587FB7D0A2F9"));
        assert!(
            decisive(&steps).unwrap().hint.is_some(),
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
        decisive(&steps).unwrap().hint.as_deref(),
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
    assert!(decisive(&steps).unwrap().message.contains("behind"));
}

#[test]
fn a_retry_time_is_kept() {
    let steps = listing(error(503, "SlowDown", "").header("retry-after", "7"));
    assert_eq!(
        decisive(&steps).unwrap().retry,
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
fn read_faults_have_their_codes() {
    for (answer, expected) in [
        (
            error(403, "AccessDenied", "Access Denied"),
            "fail read.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            error(
                403,
                "AccessDenied",
                "User: x is not authorized to perform: kms:Decrypt",
            ),
            "fail read.kms-denied",
        ),
        (
            error(400, "KMS.DisabledException", "disabled"),
            "fail read.kms-denied",
        ),
        (
            error(
                403,
                "InvalidObjectState",
                "The operation is not valid for the object's storage class",
            ),
            "fail read.archived",
        ),
        (
            error(
                400,
                "InvalidRequest",
                "The object was stored using a form of Server Side Encryption.",
            ),
            "fail read.key-required CONFIG/x-amz-server-side-encryption-customer-key",
        ),
        (error(404, "NoSuchKey", ""), "fail access.not-found"),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any(), [answer])
            .start();
        let steps = dial(PAIR, &config(&server), Some("bucket"));
        assert_eq!(summary(&steps), expected);
        assert!(passed(&steps).contains(&Stage::Access));
    }
}

#[test]
fn one_byte_is_read_and_nothing_is_written() {
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(ONE)])
        .on(
            Match::any(),
            [Answer::status(206)
                .header("content-range", "bytes 0-0/6")
                .body("h")],
        )
        .start();
    let steps = dial(PAIR, &config(&server), Some("bucket"));
    assert_eq!(summary(&steps), "pass");
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "one list, one read");
    assert!(requests.iter().all(|request| request.method == "GET"));
    assert_eq!(requests[1].path, "/bucket/a.csv");
    assert_eq!(requests[1].header("range"), Some("bytes=0-0"));
}

#[test]
fn the_object_read_has_one_of_the_suffixes_and_the_payer_is_named() {
    let body = ONE.replace(
        "<Contents>",
        "<Contents><Key>dir/</Key><Size>0</Size></Contents><Contents><Key>b.json</Key><Size>9</Size></Contents><Contents>",
    );
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(&body)])
        .on(Match::any(), [Answer::status(206).body("h")])
        .start();
    let config = format!(
        r#"{{"endpoint_url":"{}","suffixes":["json"],"request_payer":"requester"}}"#,
        server.url()
    );
    let steps = dial(PAIR, &config, Some("bucket"));
    assert_eq!(summary(&steps), "pass");
    let requests = server.requests();
    assert_eq!(requests[1].path, "/bucket/b.json");
    for request in &requests {
        assert_eq!(request.header("x-amz-request-payer"), Some("requester"));
    }
}

#[test]
fn an_empty_listing_passes_with_a_note() {
    let steps = listing(xml(EMPTY));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(common::note(&steps, "objects"), Some("0"));
}

#[test]
fn write_faults_have_their_codes_and_leave_nothing() {
    let intent = Intent::WRITE;
    let allowed = || Settings {
        write: true,
        ..settings()
    };
    for (put, expected, deletes) in [
        (
            error(403, "AccessDenied", "Access Denied"),
            "fail write.denied CREDENTIALS/aws_access_key_id",
            0,
        ),
        (
            error(400, "KMS.NotFoundException", "x"),
            "fail write.kms-denied CONFIG/x-amz-server-side-encryption-aws-kms-key-id",
            0,
        ),
        (
            error(507, "XMinioStorageFull", "full"),
            "fail write.no-space",
            0,
        ),
        (error(503, "SlowDown", ""), "warn access.throttled", 0),
        (Answer::status(200), "fail write.readback-differs", 1),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(EMPTY)])
            .on(Match::any().method("PUT"), [put])
            .on(Match::any().method("DELETE"), [Answer::status(204)])
            .on(Match::any(), [Answer::status(200).body("something else")])
            .start();
        let steps = dial_with(
            PAIR,
            &config(&server),
            Some("bucket/out/x"),
            intent,
            allowed(),
        );
        assert_eq!(summary(&steps), expected);
        let requests = server.requests();
        let count = |method: &str| requests.iter().filter(|it| it.method == method).count();
        assert_eq!((count("PUT"), count("DELETE")), (1, deletes), "{expected}");
        let put = requests.iter().find(|it| it.method == "PUT").unwrap();
        assert!(
            put.path.starts_with("/bucket/out/x.linkdial-"),
            "{}",
            put.path
        );
    }
    // Asked for encryption that is not confirmed; a sentinel that can not be deleted.
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(EMPTY)])
        .on(
            Match::any().method("DELETE"),
            [error(403, "AccessDenied", "")],
        )
        .on(Match::any(), [Answer::status(200)])
        .start();
    let config = format!(
        r#"{{"endpoint_url":"{}","x-amz-server-side-encryption":"AES256"}}"#,
        server.url()
    );
    let steps = dial_with(PAIR, &config, Some("bucket"), intent, allowed());
    assert_eq!(summary(&steps), "fail write.not-encrypted");
    let codes: Vec<Code> = steps
        .iter()
        .filter_map(|step| Some(step.diagnosis.as_ref()?.code))
        .collect();
    assert_eq!(codes, [Code::WriteNotEncrypted, Code::WriteLeftover]);
}

#[test]
fn without_leave_to_write_nothing_is_written() {
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(EMPTY)])
        .on(Match::any(), [Answer::status(200)])
        .start();
    let steps = dial_with(
        PAIR,
        &config(&server),
        Some("bucket"),
        Intent::WRITE,
        settings(),
    );
    assert_eq!(summary(&steps), "pass");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
    let unproven = common::note(&steps, "unproven").unwrap();
    assert!(unproven.contains("--write"), "{unproven}");
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
    let tls = || Certificates::shared().server_tls(Certificates::shared().good());
    for (server, expected) in [
        (
            Broken::start(Fault::Silent),
            "fail access.timed-out CONFIG/endpoint_url",
        ),
        (
            Broken::start(Fault::ResetAfterRequest),
            "fail connect.reset CONFIG/endpoint_url",
        ),
        (
            Broken::start(Fault::EndlessBody),
            "fail access.not-this-service CONFIG/endpoint_url",
        ),
        (
            Broken::start(Fault::EndlessHeader),
            "fail access.not-this-service CONFIG/endpoint_url",
        ),
        (
            Broken::start_tls(Fault::Silent, tls()),
            "fail access.timed-out CONFIG/endpoint_url",
        ),
    ] {
        let config = format!(r#"{{"endpoint_url":"{}"}}"#, server.url());
        let started = Instant::now();
        let steps = dial_with(PAIR, &config, Some("bucket"), Intent::READ, quick());
        assert_eq!(summary(&steps), expected);
        assert!(started.elapsed() < Duration::from_millis(700), "{expected}");
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
fn a_read_without_a_byte_proves_nothing() {
    for answer in [
        Answer::status(206).header("content-range", "bytes 0-0/6"),
        Answer::status(200)
            .header("content-type", "text/html")
            .body("<html>login</html>"),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any(), [answer])
            .start();
        let steps = dial(PAIR, &config(&server), Some("bucket"));
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url"
        );
    }
}

#[test]
fn the_next_object_is_tried_when_one_is_gone() {
    let two = ONE.replace(
        "<Contents>",
        "<Contents><Key>0.csv</Key><Size>6</Size></Contents><Contents>",
    );
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(&two)])
        .on(Match::path("/bucket/0.csv"), [error(404, "NoSuchKey", "")])
        .on(Match::any(), [Answer::status(206).body("h")])
        .start();
    let steps = dial(PAIR, &config(&server), Some("bucket"));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(common::note(&steps, "object"), Some("bucket/a.csv"));
}

#[test]
fn the_version_that_was_written_is_the_one_deleted() {
    let sentinel = "written by linkdial to prove that this link can write; safe to delete\n";
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(EMPTY)])
        .on(
            Match::any().method("PUT"),
            [Answer::status(200).header("x-amz-version-id", "v-17")],
        )
        .on(Match::any().method("DELETE"), [Answer::status(204)])
        .on(Match::any(), [Answer::status(200).body(sentinel)])
        .start();
    let allowed = Settings {
        write: true,
        ..settings()
    };
    let steps = dial_with(
        PAIR,
        &config(&server),
        Some("bucket/"),
        Intent::WRITE,
        allowed,
    );
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    let requests = server.requests();
    let delete = requests.iter().find(|it| it.method == "DELETE").unwrap();
    assert!(delete.query.contains("versionId=v-17"), "{}", delete.query);
}

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
