//! What Azure answers, replayed, and the finding each answer leads to.
//!
//! The bodies are those of the Azure Storage REST API (Common REST API error codes, Blob service
//! error codes, SAS error codes) and of answers that users of it have published; every one travels
//! over a real socket through the real client.

mod common;

use std::time::{Duration, Instant};

use common::{
    SHARED_KEY, UNPROVED, blob, config, detailed, dial, dial_with, error, good_sas, listed,
    listing, one_byte, sas, settings, xml,
};
use linkdial_core::testing::record::{diagnosis, evidence, note, passed, summary};
use linkdial_core::{Blame, Intent, Retry, Settings, Stage, Step};
use linkdial_testcontainers::broken::Broken;
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};

/// Status, code and message of an answer to a listing with an account's key, and what is found.
const LISTING: &[(u16, &str, &str, &str)] = &[
    (
        403,
        "AuthenticationFailed",
        UNPROVED,
        "fail authenticate.bad-secret CREDENTIALS/account_key",
    ),
    (
        403,
        "AuthorizationFailure",
        UNPROVED,
        "fail authenticate.bad-secret CREDENTIALS/account_key",
    ),
    (
        400,
        "InvalidAuthenticationInfo",
        "Authentication information is not given in the correct format.",
        "fail authenticate.bad-credentials CREDENTIALS/account_key",
    ),
    (
        401,
        "NoAuthenticationInformation",
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        "fail authenticate.required CREDENTIALS/account_key",
    ),
    (
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this storage account.",
        "fail authenticate.method-disabled CREDENTIALS/account_key",
    ),
    (
        403,
        "AccountIsDisabled",
        "The specified account is disabled.",
        "fail authenticate.method-disabled CREDENTIALS/account_name",
    ),
    (
        403,
        "AuthorizationFailure",
        "This request is not authorized to perform this operation.",
        "fail access.denied",
    ),
    (
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
        "fail access.denied CREDENTIALS/account_key",
    ),
    (
        403,
        "AuthorizationResourceTypeMismatch",
        "This request is not authorized to perform this operation using this resource type.",
        "fail access.denied CREDENTIALS/account_key",
    ),
    (
        403,
        "AuthorizationServiceMismatch",
        "This request is not authorized to perform this operation using this service.",
        "fail access.denied CREDENTIALS/account_key",
    ),
    (
        403,
        "AuthorizationSourceIPMismatch",
        "This request is not authorized to perform this operation using this source IP 192.0.2.7.",
        "fail access.denied CREDENTIALS/account_key",
    ),
    (
        403,
        "InsufficientAccountPermissions",
        "Read operations are currently disabled.",
        "fail access.denied CREDENTIALS/account_name",
    ),
    (
        400,
        "AccountRequiresHttps",
        "The account being accessed does not support http.",
        "fail tls.required CONFIG/endpoint_url",
    ),
    (
        403,
        "AuthorizationProtocolMismatch",
        "This request is not authorized to perform this operation using this protocol.",
        "fail tls.required CONFIG/endpoint_url",
    ),
    // It asks for metadata, which are encrypted as well.
    (
        403,
        "KeyVaultEncryptionKeyNotFound",
        "The key vault key is not found to unwrap the encryption key.",
        "fail read.kms-denied",
    ),
    (
        404,
        "ContainerNotFound",
        "The specified container does not exist.",
        "fail access.not-found",
    ),
    (
        404,
        "ResourceNotFound",
        "The specified resource does not exist.",
        "fail authenticate.unknown-key CONFIG/endpoint_url",
    ),
    (
        409,
        "ContainerBeingDeleted",
        "The specified container is being deleted.",
        "fail access.not-found",
    ),
    (
        409,
        "ContainerDisabled",
        "The specified container was disabled by the administrator.",
        "fail access.denied",
    ),
    (
        400,
        "InvalidResourceName",
        "The specified resource name contains invalid characters.",
        "fail access.not-found",
    ),
    (
        409,
        "AccountBeingCreated",
        "The specified account is in the process of being created.",
        "fail access.server-error",
    ),
    (
        503,
        "ServerBusy",
        "The server is currently unable to receive requests.",
        "warn access.throttled",
    ),
    (
        500,
        "InternalError",
        "The server encountered an internal error.",
        "fail access.server-error",
    ),
    (
        500,
        "OperationTimedOut",
        "The operation could not be completed within the permitted time.",
        "fail access.server-error",
    ),
    (
        409,
        "EndpointUnsupportedAccountFeatures",
        "Blob API is not yet supported for hierarchical namespace accounts.",
        "fail access.request-refused",
    ),
    (
        400,
        "InvalidHeaderValue",
        "The value for one of the HTTP headers is not in the correct format.",
        "fail access.request-refused",
    ),
];
/// Lists one blob and answers the read of it.
fn read(answer: Answer) -> Vec<Step> {
    let server = ScriptedHttp::script()
        .on(
            Match::any().query("comp=list"),
            [listing(&blob("in/a.csv", 6, ""))],
        )
        .on(Match::any(), [answer])
        .start();
    dial(SHARED_KEY, &config(&server), Some("box/in/"))
}

#[test]
fn every_listing_error_has_its_code() {
    for &(status, code, message, expected) in LISTING {
        let steps = listed(SHARED_KEY, error(status, code, message));
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(evidence(&steps, "remote_code"), Some(code));
        assert_eq!(evidence(&steps, "remote_message"), Some(message));
        assert_eq!(evidence(&steps, "request_id"), Some(common::REQUEST_ID));
        assert!(
            diagnosis(&steps).unwrap().hint.is_some(),
            "{code} has no hint"
        );
    }
}

#[test]
fn a_wrong_key_at_the_emulator_is_no_firewall() {
    for (message, blame) in [
        (UNPROVED, Blame::Identity),
        (
            "This request is not authorized to perform this operation.",
            Blame::Network,
        ),
    ] {
        let steps = listed(SHARED_KEY, error(403, "AuthorizationFailure", message));
        assert_eq!(diagnosis(&steps).unwrap().blame, blame, "{message}");
    }
}

#[test]
fn every_error_of_a_read_has_its_code() {
    for (status, code, expected) in [
        (409, "BlobArchived", "fail read.archived"),
        (409, "BlobBeingRehydrated", "fail read.archived"),
        (
            409,
            "BlobUsesCustomerSpecifiedEncryption",
            "fail read.key-required",
        ),
        (
            403,
            "AuthorizationPermissionMismatch",
            "fail read.denied CREDENTIALS/account_key",
        ),
        (403, "AuthorizationFailure", "fail read.denied"),
        (403, "KeyVaultEncryptionKeyNotFound", "fail read.kms-denied"),
        // Deleted since the listing, softly or not.
        (404, "BlobNotFound", "fail access.not-found"),
    ] {
        let steps = read(error(status, code, "m"));
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(evidence(&steps, "resource"), Some("box/in/a.csv"));
    }
    let steps = read(one_byte());
    assert_eq!(summary(&steps), "pass");
    assert_eq!(note(&steps, "object"), Some("box/in/a.csv"));
    for other in [
        Answer::status(200).body("hello"),
        Answer::status(200)
            .header("content-type", "text/html")
            .body("<html></html>"),
        one_byte().body(""),
    ] {
        let steps = read(other);
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url"
        );
    }
}

#[test]
fn what_is_archived_is_read_last() {
    let cold = blob("in/a.csv", 6, "").replace("Hot", "Archive");
    let both = format!("{cold}{}", blob("in/b.csv", 6, ""));
    let server = ScriptedHttp::script()
        .on(Match::any().query("comp=list"), [listing(&both)])
        .on(
            Match::path("/box/in%2Fa.csv"),
            [error(409, "BlobArchived", "m")],
        )
        .on(Match::any(), [one_byte()])
        .start();
    let steps = dial(SHARED_KEY, &config(&server), Some("box/in/"));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(note(&steps, "object"), Some("box/in/b.csv"));
}

#[test]
fn directories_of_a_hierarchical_namespace_are_not_read() {
    let folder = "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>";
    let server = ScriptedHttp::always([listing(&blob("in/year", 0, folder))]);
    let steps = dial(SHARED_KEY, &config(&server), Some("box/in/"));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(note(&steps, "objects"), Some("0"));
    let asked = server.requests();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].query.contains("include=metadata"));
}

#[test]
fn clock_skew_is_found_by_azures_words_and_by_its_date() {
    let detail = "Request date header too old: 'Fri, 04 Oct 2019 18:02:12 GMT'";
    let steps = listed(
        SHARED_KEY,
        detailed(403, "AuthenticationFailed", UNPROVED, detail),
    );
    assert_eq!(summary(&steps), "fail authenticate.clock-skew");
    let long_ago = error(403, "AuthenticationFailed", UNPROVED)
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let steps = listed(SHARED_KEY, long_ago);
    assert_eq!(summary(&steps), "fail authenticate.clock-skew");
    let skew: i64 = evidence(&steps, "skew_seconds").unwrap().parse().unwrap();
    assert!(skew > 0, "{skew}");
    let finding = diagnosis(&steps).unwrap();
    assert!(finding.message.contains("ahead"));
    assert!(finding.hint.as_deref().unwrap().contains("15 minutes"));
}

#[test]
fn a_shared_signature_holds_no_time_of_this_machine() {
    for (date, expected) in [
        (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        (
            "Thu, 01 Jan 2099 00:00:00 GMT",
            "fail authenticate.token-expired CREDENTIALS/sas_token",
        ),
    ] {
        let answer = error(403, "AuthenticationFailed", UNPROVED).header("date", date);
        assert_eq!(summary(&listed(&good_sas(), answer)), expected, "{date}");
    }
}

#[test]
fn a_refused_right_proves_the_identity_and_a_firewall_does_not() {
    for (code, message, proved) in [
        ("AuthorizationPermissionMismatch", "m", true),
        ("ContainerNotFound", "m", true),
        ("InvalidResourceName", "m", false),
        (
            "AuthorizationFailure",
            "This request is not authorized to perform this operation.",
            false,
        ),
        ("AuthorizationSourceIPMismatch", "m", false),
        ("InsufficientAccountPermissions", "m", false),
        ("ServerBusy", "m", false),
    ] {
        let steps = listed(SHARED_KEY, error(403, code, message));
        assert_eq!(
            passed(&steps).contains(&Stage::Authenticate),
            proved,
            "{code}"
        );
    }
}

#[test]
fn a_retry_time_is_kept() {
    let steps = listed(
        SHARED_KEY,
        error(503, "ServerBusy", "").header("retry-after", "7"),
    );
    assert_eq!(
        diagnosis(&steps).unwrap().retry,
        Retry::After(Duration::from_secs(7))
    );
}

#[test]
fn nothing_is_tried_twice() {
    for status in [500, 503, 408, 429] {
        let server = ScriptedHttp::always([error(status, "InternalError", "")]);
        dial(SHARED_KEY, &config(&server), Some("box"));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn what_is_not_azure_is_said_so() {
    let other = "<EnumerationResults ContainerName=\"other\"><Blobs/></EnumerationResults>";
    for answer in [
        Answer::status(200)
            .header("content-type", "text/html")
            .body("<!DOCTYPE html><html><form></form></html>"),
        Answer::status(200).body(""),
        Answer::status(200).body(r#"{"ok":true}"#),
        Answer::status(404).body("not found"),
        Answer::status(403).body("<html>blocked</html>"),
        Answer::status(403).body("<Fault><Code>x</Code></Fault>"),
        xml(other.to_owned()),
        xml("<ListBucketResult><Name>box</Name></ListBucketResult>".to_owned()),
    ] {
        let steps = listed(SHARED_KEY, answer.clone());
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url",
            "{answer:?}"
        );
    }
    let steps = listed(
        SHARED_KEY,
        Answer::status(302).header("location", "https://login.example/?sig=m4rk3d"),
    );
    assert_eq!(
        summary(&steps),
        "fail access.redirected CONFIG/endpoint_url"
    );
    assert_eq!(evidence(&steps, "location"), Some("https://login.example/"));
    for body in ["<html></html>", "<EnumerationResults/>", ""] {
        let server = ScriptedHttp::always([xml(body.to_owned())]);
        let steps = dial(SHARED_KEY, &config(&server), None);
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url",
            "{body}"
        );
    }
}

#[test]
fn the_walk_ends_where_until_says() {
    let denied = || error(403, "AuthorizationPermissionMismatch", "m");
    let good = || listing(&blob("in/a.csv", 6, ""));
    for (until, answer, expected, asked) in [
        (Stage::Connect, good(), "pass", 0),
        (Stage::Authenticate, good(), "pass", 1),
        (Stage::Authenticate, denied(), "pass", 1),
        (Stage::Access, good(), "pass", 1),
        (
            Stage::Access,
            denied(),
            "fail access.denied CREDENTIALS/account_key",
            1,
        ),
    ] {
        let server = ScriptedHttp::always([answer]);
        let settings = Settings {
            until,
            ..settings()
        };
        let intent = Intent::READ.and(Intent::WRITE);
        let steps = dial_with(
            SHARED_KEY,
            &config(&server),
            Some("box/in/"),
            intent,
            settings,
        );
        assert_eq!(summary(&steps), expected, "{until}");
        assert_eq!(server.requests().len(), asked, "{until}");
        assert!(
            passed(&steps).iter().all(|&stage| stage <= until),
            "{until}"
        );
    }
    // What a signature says of later stages is not asked for either.
    let server = ScriptedHttp::always([listing("")]);
    let settings = Settings {
        until: Stage::Connect,
        ..settings()
    };
    let credentials = sas("sr=c&sp=r&se=2020-01-01");
    let steps = dial_with(
        &credentials,
        &config(&server),
        Some("box"),
        Intent::READ,
        settings,
    );
    assert!(passed(&steps).contains(&Stage::Connect));
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
        let steps = dial_with(SHARED_KEY, &config, Some("box"), Intent::READ, quick());
        assert_eq!(summary(&steps), format!("fail {code} CONFIG/endpoint_url"));
        assert!(started.elapsed() < Duration::from_millis(900), "{code}");
    }
}

#[test]
fn what_the_server_echoes_holds_no_secret() {
    let signature = common::SIGNATURE;
    let echo = format!(
        "{} {signature} m4rk3dm4rk3d/sig+AAAAAAAAAAAAAAAAAAAAAAAAAA=",
        common::KEY
    );
    for credentials in [SHARED_KEY.to_owned(), good_sas()] {
        for answer in [
            error(403, "AuthorizationPermissionMismatch", &echo),
            detailed(403, "AuthenticationFailed", &echo, &echo),
            error(500, "InternalError", &echo),
            error(400, &echo, &echo),
            Answer::status(302).header("location", &format!("http://x/?sig={signature}")),
        ] {
            let steps = listed(&credentials, answer);
            let shown = format!("{steps:?}");
            let ours = if credentials == SHARED_KEY {
                common::KEY
            } else {
                signature
            };
            assert!(!shown.contains(ours), "{shown}");
            assert!(!shown.contains(&ours[..16]), "{shown}");
        }
    }
}

#[test]
fn an_emulator_without_the_account_in_its_address_is_told() {
    let server = ScriptedHttp::always([error(404, "ResourceNotFound", "m")]);
    let config = format!(r#"{{"endpoint_url":"{}"}}"#, server.url());
    let steps = dial(SHARED_KEY, &config, Some("box/in/"));
    let expected = "fail authenticate.unknown-key CONFIG/endpoint_url";
    assert_eq!(summary(&steps), expected);
    let hint = diagnosis(&steps).unwrap().hint.clone().unwrap();
    assert_eq!(hint, format!("write {}/orders", server.url()));
}

#[test]
fn a_store_of_the_other_protocol_is_another_service() {
    let answer = Answer::status(400)
        .header("x-amz-request-id", "18C1")
        .header("content-type", "application/xml")
        .body("<Error><Code>InvalidRequest</Code><Message>m</Message></Error>");
    let expected = "fail access.not-this-service CONFIG/endpoint_url";
    let server = ScriptedHttp::always([answer]);
    let steps = dial(SHARED_KEY, &config(&server), Some("box/in/"));
    assert_eq!(summary(&steps), expected);
}
