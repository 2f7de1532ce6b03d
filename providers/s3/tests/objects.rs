//! Reading one byte and writing a sentinel, against replayed answers.

mod common;

use common::{EMPTY, ONE, PAIR, config, dial, dial_with, error, settings, xml};
use linkdial_core::testing::record::{note, passed, summary};
use linkdial_core::{Code, Intent, Settings, Stage};
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};

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
            "fail read.kms-denied CREDENTIALS/aws_access_key_id",
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
            1,
        ),
        (error(503, "SlowDown", ""), "warn access.throttled", 1),
        (
            error(500, "InternalError", "We encountered an internal error."),
            "fail access.server-error",
            1,
        ),
        (
            Answer::status(504).body("<html></html>"),
            "fail access.server-error",
            1,
        ),
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
    let unproven = note(&steps, "unproven").unwrap();
    assert!(unproven.contains("--write"), "{unproven}");
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
    assert_eq!(note(&steps, "object"), Some("bucket/a.csv"));
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
