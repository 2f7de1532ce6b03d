//! The write stage against scripted answers: what stays, what is said of it, and in which order.

mod common;

use common::{SHARED_KEY, blob, config, dial_with, error, listing, settings, xml};
use linkdial_core::testing::record::{diagnosis, evidence, note, passed, summary};
use linkdial_core::{Intent, Settings, Stage, Step};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Answer, Match, Recorded, Script, ScriptedHttp};

const SENTINEL: &str = "written by linkdial to prove that this link can write; safe to delete\n";

/// Lists an empty container; the rest is the test's.
fn script() -> Script {
    ScriptedHttp::script().on(Match::any().query("comp=list"), [listing("")])
}

fn created() -> Answer {
    Answer::status(201)
        .header("etag", "\"0x8DCAFE\"")
        .header("last-modified", "Wed, 25 Nov 2026 10:16:22 GMT")
        .header("x-ms-request-id", common::REQUEST_ID)
}

fn content(body: &str) -> Answer {
    let length = body.len();
    Answer::status(206)
        .header("content-range", &format!("bytes 0-{}/{length}", length - 1))
        .header("x-ms-blob-type", "BlockBlob")
        .header("etag", "\"0x8DCAFE\"")
        .body(body.to_owned())
}

fn deleted() -> Answer {
    Answer::status(202).header("x-ms-request-id", common::REQUEST_ID)
}

fn write(server: &ScriptedHttp) -> Vec<Step> {
    write_as(SHARED_KEY, server)
}

fn write_as(credentials: &str, server: &ScriptedHttp) -> Vec<Step> {
    let settings = Settings {
        write: true,
        ..settings()
    };
    dial_with(
        credentials,
        &config(server),
        Some("box/out/"),
        Intent::WRITE,
        settings,
    )
}

fn asked(server: &ScriptedHttp, method: &str) -> Vec<Recorded> {
    let mut requests = server.requests();
    requests.retain(|request| request.method == method);
    requests
}

#[test]
fn a_sentinel_is_put_where_nothing_is_and_only_it_is_deleted() {
    let server = script()
        .on(Match::any().method("PUT"), [created()])
        .on(Match::any().method("GET"), [content(SENTINEL)])
        .on(Match::any().method("DELETE"), [deleted()])
        .start();
    let steps = write(&server);
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert!(passed(&steps).contains(&Stage::Write));
    // Nothing was there before, so that the put may have made what is above it.
    let kept = note(&steps, "kept").unwrap();
    assert!(kept.contains("the directory `box/out` stays"), "{kept}");
    let put = &asked(&server, "PUT")[0];
    assert_eq!(put.header("if-none-match"), Some("*"));
    assert_eq!(put.header("x-ms-blob-type"), Some("BlockBlob"));
    assert_eq!(put.header("x-ms-blob-content-type"), Some("text/plain"));
    assert_eq!(put.body, SENTINEL);
    assert!(
        put.path.starts_with("/box/out%2F.linkdial-"),
        "{}",
        put.path
    );
    let deletes = asked(&server, "DELETE");
    assert_eq!(deletes.len(), 1);
    assert_eq!(deletes[0].header("if-match"), Some("\"0x8DCAFE\""));
    assert_eq!(deletes[0].path, put.path);
    for request in server.requests() {
        let signature = request.header("authorization").unwrap();
        assert!(signature.starts_with("SharedKey orders:"), "{signature}");
    }
}

#[test]
fn every_version_of_the_sentinel_is_deleted() {
    let version = "2026-11-25T10:16:22.8096444Z";
    let server = script()
        .on(
            Match::any().method("PUT"),
            [created().header("x-ms-version-id", version)],
        )
        .on(Match::any().method("GET"), [content(SENTINEL)])
        .on(Match::any().method("DELETE"), [deleted()])
        .start();
    assert_eq!(summary(&write(&server)), "pass");
    let deletes = asked(&server, "DELETE");
    assert_eq!(deletes.len(), 2);
    assert_eq!(deletes[0].query, "");
    assert!(deletes[1].query.contains("versionid=2026-11-25T10"));
    // Its rights may end with the first of the two.
    let refusing = || {
        script()
            .on(
                Match::any().method("PUT"),
                [created().header("x-ms-version-id", version)],
            )
            .on(Match::any().method("GET"), [content(SENTINEL)])
            .on(
                Match::any().method("DELETE"),
                [
                    deleted(),
                    error(403, "AuthorizationPermissionMismatch", "m"),
                ],
            )
            .start()
    };
    let server = refusing();
    let steps = write(&server);
    let expected = "warn write.leftover CREDENTIALS/account_key";
    assert_eq!(summary(&steps), expected);
    assert_eq!(evidence(&steps, "version"), Some(version));
    let hint = |steps: &[Step]| diagnosis(steps).unwrap().hint.clone().unwrap();
    assert!(!hint(&steps).contains("signature"));
    let server = refusing();
    let credentials = common::sas("sr=c&sp=rlcwd&se=2099-01-01");
    let steps = write_as(&credentials, &server);
    assert_eq!(evidence(&steps, "version"), Some(version));
    assert!(hint(&steps).contains("x (delete version)"));
}

#[test]
fn soft_delete_is_noted() {
    let server = script()
        .on(Match::any().method("PUT"), [created()])
        .on(Match::any().method("GET"), [content(SENTINEL)])
        .on(
            Match::any().method("DELETE"),
            [deleted().header("x-ms-delete-type-permanent", "false")],
        )
        .start();
    let steps = write(&server);
    assert_eq!(summary(&steps), "pass");
    assert!(note(&steps, "kept").unwrap().contains("soft delete"));
}

#[test]
fn what_comes_back_changed_is_said_and_still_deleted() {
    for changed in [
        SENTINEL.to_uppercase(),
        format!("{SENTINEL}x"),
        "x".to_owned(),
    ] {
        let server = script()
            .on(Match::any().method("PUT"), [created()])
            .on(Match::any().method("GET"), [content(&changed)])
            .on(Match::any().method("DELETE"), [deleted()])
            .start();
        let steps = write(&server);
        assert_eq!(summary(&steps), "fail write.readback-differs");
        assert_eq!(asked(&server, "DELETE").len(), 1);
    }
}

#[test]
fn what_is_refused_was_not_stored() {
    for (status, code, message, expected) in [
        (
            403,
            "AuthorizationPermissionMismatch",
            "m",
            "fail write.denied CREDENTIALS/account_key",
        ),
        (
            403,
            "AuthorizationFailure",
            "This request is not authorized to perform this operation.",
            "fail write.denied",
        ),
        (
            403,
            "InsufficientAccountPermissions",
            "Write operations are not allowed.",
            "fail write.denied CREDENTIALS/account_name",
        ),
        (
            403,
            "KeyVaultVaultNotFound",
            "The key vault is not found for encryption.",
            "fail write.kms-denied",
        ),
        (
            403,
            "KeyVaultAccessTokenCannotBeAcquired",
            "m",
            "fail write.kms-denied",
        ),
        (
            409,
            "BlobAlreadyExists",
            "The specified blob already exists.",
            "fail access.request-refused",
        ),
        (
            409,
            "BlobImmutableDueToPolicy",
            "This operation is not permitted as the blob is immutable due to a policy.",
            "fail write.denied",
        ),
    ] {
        let server = script()
            .on(Match::any().method("PUT"), [error(status, code, message)])
            .start();
        let steps = write(&server);
        assert_eq!(summary(&steps), expected, "{code}");
        assert!(asked(&server, "DELETE").is_empty(), "{code}");
    }
}

#[test]
fn what_a_faulty_server_may_have_stored_is_deleted() {
    for (status, code, expected) in [
        (500, "OperationTimedOut", "fail access.server-error"),
        (503, "ServerBusy", "warn access.throttled"),
        (408, "RequestTimeout", "fail access.request-refused"),
        (412, "ConditionNotMet", "fail access.request-refused"),
    ] {
        let server = script()
            .on(Match::any().method("PUT"), [error(status, code, "m")])
            .on(Match::any().method("DELETE"), [deleted()])
            .start();
        assert_eq!(summary(&write(&server)), expected, "{code}");
        let deletes = asked(&server, "DELETE").len();
        assert_eq!(deletes, usize::from(status != 412), "{code}");
    }
    // A gateway speaks for a store that may have it, and may be in the way again.
    let server = script()
        .on(
            Match::any().method("PUT"),
            [Answer::status(504).body("<html></html>")],
        )
        .on(Match::any().method("DELETE"), [Answer::status(502)])
        .start();
    let steps = write(&server);
    assert_eq!(summary(&steps), "fail access.server-error");
    let mut findings = steps.iter().filter_map(|step| step.diagnosis.as_ref());
    let left = findings.find(|it| it.code.as_str() == "write.leftover");
    assert!(left.unwrap().message.contains("may be there"));
}

#[test]
fn what_can_not_be_deleted_is_named() {
    for (code, message) in [
        (
            "LeaseIdMissing",
            "There is currently a lease on the blob and no lease ID was specified.",
        ),
        ("AuthorizationPermissionMismatch", "m"),
        (
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        ),
    ] {
        let server = script()
            .on(Match::any().method("PUT"), [created()])
            .on(Match::any().method("GET"), [content(SENTINEL)])
            .on(Match::any().method("DELETE"), [error(412, code, message)])
            .start();
        let steps = write(&server);
        // Whoever lacks a right is named; a lease or a condition is nobody's.
        let key = if code == "AuthorizationPermissionMismatch" {
            " CREDENTIALS/account_key"
        } else {
            ""
        };
        assert_eq!(
            summary(&steps),
            format!("warn write.leftover{key}"),
            "{code}"
        );
        let resource = evidence(&steps, "resource").unwrap();
        assert!(resource.starts_with("box/out/.linkdial-"), "{resource}");
        let hint = diagnosis(&steps).unwrap().hint.as_deref().unwrap();
        assert!(hint.contains("lease"), "{hint}");
    }
}

#[test]
fn a_put_without_an_answer_is_cleaned_up() {
    for (answer, removed) in [(error(404, "BlobNotFound", "m"), false), (deleted(), true)] {
        let server = script()
            .on(Match::any().method("PUT"), [Answer::silence()])
            .on(Match::any().method("DELETE"), [answer])
            .start();
        let settings = Settings {
            write: true,
            stage_timeout: std::time::Duration::from_millis(500),
            ..settings()
        };
        let steps = dial_with(
            SHARED_KEY,
            &config(&server),
            Some("box/out/"),
            Intent::WRITE,
            settings,
        );
        assert_eq!(summary(&steps), "fail access.timed-out CONFIG/endpoint_url");
        let deletes = asked(&server, "DELETE");
        assert_eq!(deletes.len(), 1);
        assert_eq!(deletes[0].header("if-match"), None);
        let mut left = steps.iter().filter_map(|step| step.diagnosis.as_ref());
        let left = left.find(|it| it.code.as_str() == "write.leftover");
        // What was not there to delete may still be on its way.
        assert_eq!(left.is_none(), removed);
        assert!(left.is_none_or(|it| it.message.ends_with("may still appear")));
        // The delete named no version, so that one may be behind what it took away.
        let kept = note(&steps, "kept");
        assert_eq!(
            kept.is_some_and(|it| it.contains("versions are kept")),
            removed
        );
    }
}

#[test]
fn both_uses_read_and_write() {
    let server = ScriptedHttp::script()
        .on(
            Match::any().query("comp=list"),
            [listing(&blob("out/a.csv", 6, ""))],
        )
        .on(Match::path("/box/out%2Fa.csv"), [common::one_byte()])
        .on(Match::any().method("PUT"), [created()])
        .on(Match::any().method("GET"), [content(SENTINEL)])
        .on(Match::any().method("DELETE"), [deleted()])
        .start();
    let settings = Settings {
        write: true,
        ..settings()
    };
    let both = Intent::READ.and(Intent::WRITE);
    let steps = dial_with(
        SHARED_KEY,
        &config(&server),
        Some("box/out/"),
        both,
        settings,
    );
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert!(passed(&steps).ends_with(&[Stage::Read, Stage::Write]));
    assert_eq!(note(&steps, "kept"), None);
}

#[test]
fn a_store_that_hangs_up_is_named() {
    let server = Broken::start(Fault::ResetAfterRequest);
    let config = format!(r#"{{"endpoint_url":"{}"}}"#, server.url());
    let settings = Settings {
        write: true,
        ..settings()
    };
    let steps = dial_with(SHARED_KEY, &config, Some("box"), Intent::WRITE, settings);
    assert_eq!(summary(&steps), "fail connect.reset CONFIG/endpoint_url");
    // A good answer of another document is none.
    let server = ScriptedHttp::always([xml("<Blobs/>".to_owned())]);
    let steps = write(&server);
    assert_eq!(
        summary(&steps),
        "fail access.not-this-service CONFIG/endpoint_url"
    );
}
