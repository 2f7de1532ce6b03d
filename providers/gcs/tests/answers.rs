//! What Google answers, replayed, and the finding each answer leads to.
//!
//! Codes and sentences are those of the Cloud Storage documentation (HTTP status and error codes
//! for XML) and of answers that people quote in public; every one travels over a real socket
//! through the real client.

mod common;

use std::time::{Duration, Instant};

use common::{
    HMAC, ONE, config, dial, dial_with, error, listing, service_account, settings, write, xml,
};
use linkdial_core::store::SENTINEL;
use linkdial_core::testing::record::{diagnosis, evidence, note, passed, summary};
use linkdial_core::{Blame, Intent, Retry, Settings, Stage};
use linkdial_testcontainers::broken::Broken;
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};

const ID: &str = "CREDENTIALS/access_id";
const SECRET: &str = "CREDENTIALS/secret_key";

/// Status, code, sentence and details of each answer to a listing with an HMAC key, and the finding.
const TO_HMAC_KEYS: &str = "
403 | InvalidSecurity | The provided security credentials are not valid. | Incorrect Authorization header | fail authenticate.unknown-key CREDENTIALS/access_id
403 | InvalidAccessKeyId | The User Id you provided does not exist in our records. | | fail authenticate.unknown-key CREDENTIALS/access_id
403 | SignatureDoesNotMatch | Access denied. | The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method. | fail authenticate.bad-secret CREDENTIALS/secret_key
403 | InvalidSecurity | The provided security credentials are not valid. | The HMAC key is inactive. | fail authenticate.method-disabled CREDENTIALS/access_id
403 | AccessDenied | Access denied. | Denied by constraints/storage.restrictAuthTypes. | fail authenticate.method-disabled CREDENTIALS/access_id
403 | AccessDenied | Access denied. | Cloud Storage API has not been used in project 42 before or it is disabled. | fail access.denied CREDENTIALS/access_id
403 | RequestTimeTooSkewed | The difference between the request time and the current time is too large. | | fail authenticate.clock-skew
401 | AuthenticationRequired | Authentication required. | | fail authenticate.bad-credentials CREDENTIALS/access_id
403 | AccessDenied | Access denied. | robot@p.iam.gserviceaccount.com does not have storage.objects.list access to the Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it may not exist). | fail access.denied CREDENTIALS/access_id
403 | AccessDenied | Request is prohibited by organization's policy. | vpcServiceControlsUniqueIdentifier: x | fail access.denied
403 | AccessDenied | Access denied. | There is an IP filtering condition that is preventing access to the resource. | fail access.denied
400 | InvalidArgument | Invalid argument. | Cannot use ACL API when uniform bucket-level access is enabled. | fail access.denied CREDENTIALS/access_id
400 | UserProjectMissing | Bucket is a requester pays bucket but no user project provided. | Bucket is a requester pays bucket but no user project provided. | fail access.denied
403 | UserProjectAccountProblem | The project to be billed is associated with a closed billing account. | The billing account for the owning project is disabled in state closed | fail access.denied
403 | AccountProblem | There is a problem with your account. | | fail access.denied
404 | NoSuchBucket | The specified bucket does not exist. | | fail access.not-found
400 | InvalidBucketName | The specified bucket is not valid. | Invalid bucket name | fail access.not-found
301 | PermanentRedirect | The bucket you are attempting to access must be addressed using the specified endpoint. | | fail access.wrong-region CONFIG/endpoint_url
429 | SlowDown | Please reduce your request rate. | | warn access.throttled
429 | TooManyRequests | The project exceeded the rate limit. | | warn access.throttled
503 | ServiceUnavailable | We encountered an internal error. Please try again. | | fail access.server-error
500 | InternalError | We encountered an internal error. Please try again. | | fail access.server-error
412 | PreconditionFailed | At least one of the preconditions you specified did not hold. | | fail access.request-refused
";

#[test]
fn every_answer_to_an_hmac_key_has_its_code() {
    for line in TO_HMAC_KEYS.trim().lines() {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[status, code, message, details, expected] = &parts[..] else {
            panic!("{line}");
        };
        let status = status.parse().unwrap();
        let steps = listing(HMAC, error(status, code, message, details));
        assert_eq!(summary(&steps), expected, "{line}");
        assert_eq!(evidence(&steps, "remote_code"), Some(code));
        assert_eq!(evidence(&steps, "request_id"), Some("ABPtcPpY"));
        assert_eq!(evidence(&steps, "operation"), Some("storage.objects.list"));
        let details = (!details.is_empty()).then_some(details);
        assert_eq!(evidence(&steps, "remote_details"), details);
        assert!(diagnosis(&steps).unwrap().hint.is_some(), "{code}");
    }
}

#[test]
fn who_pays_is_no_question_of_the_identity() {
    for (code, blame, proved) in [
        ("UserProjectMissing", Blame::Configuration, false),
        ("UserProjectAccountProblem", Blame::Configuration, false),
        ("AccessDenied", Blame::Permission, true),
    ] {
        let steps = listing(HMAC, error(403, code, "", ""));
        assert_eq!(diagnosis(&steps).unwrap().blame, blame, "{code}");
        assert_eq!(
            passed(&steps).contains(&Stage::Authenticate),
            proved,
            "{code}"
        );
    }
    let steps = listing("{}", error(400, "UserProjectMissing", "", ""));
    assert_eq!(summary(&steps), "fail access.denied");
}

#[test]
fn an_ip_filter_does_not_look_at_the_identity() {
    let details = "There is an IP filtering condition that is preventing access to the resource.";
    for credentials in [HMAC, "{}"] {
        let steps = listing(
            credentials,
            error(403, "AccessDenied", "Access denied.", details),
        );
        assert_eq!(summary(&steps), "fail access.denied", "{credentials}");
        assert_eq!(diagnosis(&steps).unwrap().blame, Blame::Network);
        assert!(!passed(&steps).contains(&Stage::Authenticate));
    }
}

#[test]
fn a_regional_signature_that_a_store_refuses_names_the_key() {
    let refused = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong; expecting 'auto'</Message><Region>auto</Region></Error>";
    let server = ScriptedHttp::always([Answer::status(400).body(refused)]);
    let config = format!(
        r#"{{"endpoint_url":"{}","region":"us-east1"}}"#,
        server.url()
    );
    let steps = dial(HMAC, &config, Some("bucket"));
    assert_eq!(summary(&steps), "fail access.wrong-region CONFIG/region");
    assert_eq!(evidence(&steps, "region"), Some("us-east1"));
    assert_eq!(evidence(&steps, "expected_region"), Some("auto"));
}

#[test]
fn requests_are_signed_for_google() {
    let server = ScriptedHttp::always([
        xml(ONE),
        Answer::status(206)
            .header("content-range", "bytes 0-0/6")
            .body("h"),
    ]);
    let steps = dial(HMAC, &config(&server.url()), Some("bucket/in/*.csv"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert_eq!(note(&steps, "object"), Some("bucket/in/a.csv"));
    for request in server.requests() {
        let signature = request.header("authorization").unwrap();
        assert!(signature.contains("/auto/s3/aws4_request"), "{signature}");
        // Google's front end changes that header before the signature is looked at.
        assert!(!signature.contains("accept-encoding"), "{signature}");
        assert!(request.path.starts_with("/bucket"), "{}", request.path);
    }
}

#[test]
fn without_a_bucket_the_identity_is_proved_alone() {
    let buckets = "<?xml version='1.0' encoding='UTF-8'?><ListAllMyBucketsResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Owner><ID>x</ID></Owner><Buckets><Bucket><Name>one</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>";
    let alone = |credentials: &str, answer: Answer| {
        let server = ScriptedHttp::always([answer]);
        let steps = dial(credentials, &config(&server.url()), None);
        (steps, server.requests())
    };
    let (steps, requests) = alone(HMAC, xml(buckets));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert_eq!(note(&steps, "buckets"), Some("1"));
    assert_eq!(note(&steps, "key_id"), Some("GOOG1MARKED"));
    assert!(
        note(&steps, "unproven")
            .unwrap()
            .contains("no bucket was tried")
    );
    assert_eq!(requests[0].header("x-amz-project-id"), None);

    let (steps, requests) = alone(&service_account(), xml(buckets));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert_eq!(
        requests[0].header("x-amz-project-id"),
        Some("linkdial-test")
    );

    for refused in [
        error(
            403,
            "AccessDenied",
            "Access denied.",
            "storage.buckets.list",
        ),
        error(
            400,
            "InvalidArgument",
            "Invalid argument.",
            "Missing project id",
        ),
    ] {
        let (steps, _) = alone(HMAC, refused);
        assert_eq!(summary(&steps), "pass", "{steps:#?}");
        assert_eq!(note(&steps, "buckets"), None);
        assert!(note(&steps, "unproven").is_some());
    }
    let (steps, _) = alone(
        HMAC,
        error(403, "SignatureDoesNotMatch", "Access denied.", ""),
    );
    assert_eq!(
        summary(&steps),
        format!("fail authenticate.bad-secret {SECRET}")
    );
    let (steps, _) = alone(HMAC, error(403, "UserProjectAccountProblem", "", ""));
    assert_eq!(summary(&steps), "fail access.denied");
    let (steps, requests) = alone("{}", xml(buckets));
    assert_eq!(summary(&steps), "unverified define.no-target");
    assert!(requests.is_empty());
}

#[test]
fn an_anonymous_link_signs_nothing() {
    let server = ScriptedHttp::always([xml(ONE), Answer::status(206).body("h")]);
    let steps = dial("{}", &config(&server.url()), Some("bucket"));
    assert_eq!(summary(&steps), "pass");
    assert!(!passed(&steps).contains(&Stage::Authenticate));
    for request in server.requests() {
        assert_eq!(request.header("authorization"), None);
    }
    for (status, code, message, details) in [
        (
            403,
            "AccessDenied",
            "Access denied.",
            "Anonymous caller does not have storage.objects.list access to the Google Cloud Storage bucket.",
        ),
        (
            401,
            "AuthenticationRequired",
            "Authentication required.",
            "",
        ),
        (
            403,
            "AccessDenied",
            "Access denied.",
            "Denied by constraints/storage.restrictAuthTypes.",
        ),
    ] {
        let steps = listing("{}", error(status, code, message, details));
        assert_eq!(summary(&steps), format!("fail authenticate.required {ID}"));
    }
}

#[test]
fn reading_an_object_can_fail_in_its_own_way() {
    for (status, code, message, expected) in [
        (
            403,
            "AccessDenied",
            "Access denied.",
            format!("fail read.denied {ID}"),
        ),
        (
            400,
            "ResourceIsEncryptedWithCustomerEncryptionKey",
            "The resource is encrypted with a customer encryption key.",
            "fail read.key-required".to_owned(),
        ),
        (
            403,
            "CloudKmsDisabledKey",
            "Cloud KMS key is disabled, destroyed, or scheduled to be destroyed.",
            "fail read.kms-denied".to_owned(),
        ),
        (
            404,
            "NoSuchKey",
            "The specified key does not exist.",
            "fail access.not-found".to_owned(),
        ),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any(), [error(status, code, message, "")])
            .start();
        let steps = dial(HMAC, &config(&server.url()), Some("bucket/in/"));
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(evidence(&steps, "operation"), Some("storage.objects.get"));
    }
}

#[test]
fn the_generation_that_was_written_is_the_one_deleted() {
    let sentinel = "written by linkdial to prove that this link can write; safe to delete\n";
    let put = || Answer::status(200).header("x-goog-generation", "1700000000000042");
    let server = |delete: Answer| {
        ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any().method("PUT"), [put()])
            .on(
                Match::any().method("GET"),
                [Answer::status(200).body(sentinel)],
            )
            .on(Match::any().method("DELETE"), [delete])
            .start()
    };
    let good = server(Answer::status(204));
    for credentials in [HMAC, &service_account()] {
        let steps = write(credentials, &config(&good.url()), "bucket/in/");
        assert_eq!(summary(&steps), "pass", "{steps:#?}");
        let deleted = good.requests().pop().unwrap();
        assert_eq!(deleted.method, "DELETE");
        assert!(
            deleted.query.contains("generation=1700000000000042"),
            "{}",
            deleted.query
        );
    }
    let held = server(error(
        403,
        "RetentionPolicyNotMet",
        "Object is subject to bucket's retention policy.",
        "",
    ));
    let steps = write(HMAC, &config(&held.url()), "bucket/in/");
    assert_eq!(summary(&steps), "warn write.leftover");
    let hint = diagnosis(&steps).unwrap().hint.as_deref().unwrap();
    assert!(hint.contains("storage.objects.delete"), "{hint}");
    assert_eq!(evidence(&steps, "version"), Some("1700000000000042"));
}

#[test]
fn writing_can_fail_in_its_own_way() {
    for (status, code, expected) in [
        (403, "AccessDenied", format!("fail write.denied {ID}")),
        (
            403,
            "CloudKmsEncryptionKeyNotFound",
            "fail write.kms-denied".to_owned(),
        ),
        (403, "InsufficientQuota", "fail write.no-space".to_owned()),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any(), [error(status, code, "", "")])
            .start();
        let steps = write(HMAC, &config(&server.url()), "bucket/in/");
        assert_eq!(summary(&steps), expected, "{code}");
        assert_eq!(server.requests().len(), 2, "what is refused is not deleted");
    }
}

#[test]
fn what_a_faulty_server_may_have_stored_is_deleted() {
    for (delete, kept) in [
        (
            Answer::status(204),
            Some("where versions are kept, one of the sentinel may remain"),
        ),
        (
            error(404, "NoSuchKey", "The specified key does not exist.", ""),
            None,
        ),
    ] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(
                Match::any().method("PUT"),
                [error(503, "ServiceUnavailable", "", "")],
            )
            .on(Match::any().method("DELETE"), [delete])
            .start();
        let steps = write(HMAC, &config(&server.url()), "bucket/in/");
        assert_eq!(summary(&steps), "fail access.server-error");
        assert_eq!(server.requests().pop().unwrap().method, "DELETE");
        let mut findings = steps.iter().filter_map(|step| step.diagnosis.as_ref());
        assert!(!findings.any(|it| it.code.as_str() == "write.leftover"));
        assert_eq!(note(&steps, "kept"), kept);
    }
}

#[test]
fn a_retry_time_is_kept() {
    let steps = listing(
        HMAC,
        error(503, "ServiceUnavailable", "", "").header("retry-after", "7"),
    );
    assert_eq!(summary(&steps), "warn access.throttled");
    let retry = diagnosis(&steps).unwrap().retry;
    assert_eq!(retry, Retry::After(Duration::from_secs(7)));
}

#[test]
fn what_is_not_google_is_said_so() {
    for answer in [
        Answer::status(200)
            .header("content-type", "text/html")
            .body("<!DOCTYPE html><html></html>"),
        Answer::status(200).body(r#"{"kind":"storage#objects"}"#),
        Answer::status(401).body("<html>log in</html>"),
        Answer::status(403).body("<html>blocked</html>"),
        xml(&ONE.replace("<Name>bucket</Name>", "<Name>other</Name>")),
    ] {
        let steps = listing(HMAC, answer);
        assert_eq!(
            summary(&steps),
            "fail access.not-this-service CONFIG/endpoint_url"
        );
    }
    let steps = listing(
        HMAC,
        Answer::status(302).header("location", "https://accounts.example/x?k=1"),
    );
    assert_eq!(
        summary(&steps),
        "fail access.redirected CONFIG/endpoint_url"
    );
    assert_eq!(
        evidence(&steps, "location"),
        Some("https://accounts.example/x")
    );
}

#[test]
fn broken_servers_are_named_in_time() {
    let quick = || Settings {
        stage_timeout: Duration::from_millis(400),
        ..settings()
    };
    for (server, code) in Broken::http_servers() {
        for credentials in [HMAC, &service_account()] {
            let started = Instant::now();
            let steps = dial_with(
                credentials,
                &config(&server.url()),
                Some("bucket"),
                Intent::READ,
                quick(),
            );
            assert_eq!(summary(&steps), format!("fail {code} CONFIG/endpoint_url"));
            assert!(started.elapsed() < Duration::from_millis(900), "{code}");
        }
    }
}

#[test]
fn what_the_server_echoes_holds_no_secret() {
    let echo = "m4rk3d/secret+ m4rk3d%2Fsecret%2B bTRyazNkL3NlY3JldCs=";
    for answer in [
        error(403, "AccessDenied", echo, echo),
        error(500, "InternalError", echo, echo),
        error(400, echo, echo, echo),
        Answer::status(302).header("location", "http://x/m4rk3d%2Fsecret%2B"),
        error(401, "AuthenticationRequired", "", "").header("www-authenticate", echo),
    ] {
        let shown = format!("{:?}", listing(HMAC, answer));
        assert!(!shown.contains("m4rk3d"), "{shown}");
        assert!(!shown.contains("bTRyazNk"), "{shown}");
    }
}

#[test]
fn a_target_that_does_not_fit_is_not_dialled() {
    let server = ScriptedHttp::always([xml(ONE), Answer::status(206).body("h")]);
    let steps = dial(HMAC, &config(&server.url()), Some("https://host/bucket"));
    assert_eq!(summary(&steps), "fail define.target-invalid");
    assert!(server.requests().is_empty());
    let steps = dial(HMAC, &config(&server.url()), Some("gs://bucket/in/"));
    assert_eq!(summary(&steps), "warn define.target-scheme");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_secret_in_the_place_of_the_id_is_not_shown() {
    let secret = "bGFiLXJvb3QtaG1hYy1zZWNyZXQtLS0tLS0tLS0t";
    let credentials = format!(r#"{{"access_id":"{secret}","secret_key":"m4rk3d/secret+"}}"#);
    let echo = error(403, "InvalidAccessKeyId", &format!("no key {secret}"), "");
    let steps = listing(&credentials, echo);
    assert_eq!(
        evidence(&steps, "remote_message"),
        Some("no key [redacted]")
    );
    // The id of a service account is as long, and no secret.
    let id = format!("GOOG1{}", "E".repeat(56));
    let credentials = format!(r#"{{"access_id":"{id}","secret_key":"m4rk3d/secret+"}}"#);
    let echo = error(403, "InvalidAccessKeyId", &format!("no key {id}"), "");
    let steps = listing(&credentials, echo);
    assert_eq!(evidence(&steps, "key_id"), Some(id.as_str()));
}

#[test]
fn what_may_still_appear_after_a_put_without_an_answer_is_named() {
    let missing = || error(404, "NoSuchKey", "The specified key does not exist.", "");
    for delete in [missing(), Answer::status(204)] {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any().method("PUT"), [Answer::silence()])
            .on(Match::any().method("DELETE"), [delete])
            .start();
        let settings = Settings {
            write: true,
            stage_timeout: Duration::from_millis(300),
            ..settings()
        };
        let config = config(&server.url());
        let steps = dial_with(HMAC, &config, Some("bucket/in/"), Intent::WRITE, settings);
        let left = steps.last().unwrap().diagnosis.as_ref().unwrap();
        assert_eq!(left.code.as_str(), "write.leftover");
        assert!(
            left.message.ends_with("may still appear"),
            "{}",
            left.message
        );
    }
}

#[test]
fn a_version_that_is_none_leaves_the_sentinel() {
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(ONE)])
        .on(
            Match::any().method("PUT"),
            [Answer::status(200).header("x-goog-generation", &"'".repeat(5_000))],
        )
        .on(
            Match::any().method("GET"),
            [Answer::status(200).body(SENTINEL.to_vec())],
        )
        .on(Match::any().method("DELETE"), [Answer::status(204)])
        .start();
    let steps = write(HMAC, &config(&server.url()), "bucket/in/");
    assert_eq!(summary(&steps), "warn write.leftover");
    let mut requests = server.requests().into_iter();
    assert!(requests.all(|request| request.method != "DELETE"));
}

#[test]
fn a_listing_that_does_not_end_is_none() {
    let start = ONE.split_once("<Contents>").unwrap().0;
    for cut in [
        start.to_owned(),
        format!("{start}{}", "<a>".repeat(100_000)),
    ] {
        let steps = listing(HMAC, xml(&cut));
        let expected = "fail access.not-this-service CONFIG/endpoint_url";
        assert_eq!(summary(&steps), expected);
        let answer = evidence(&steps, "answer");
        assert_eq!(answer, Some("a listing that does not end"));
    }
}

#[test]
fn what_a_listing_says_is_not_about_writing() {
    let steps = listing(HMAC, error(507, "Unknown", "full", ""));
    assert_eq!(summary(&steps), "fail access.server-error");
    let missing = error(500, "InternalError", "no bucket named bucket", "");
    let steps = listing(HMAC, missing);
    assert!(summary(&steps).starts_with("fail access.not-found"));
}

#[test]
fn a_broken_head_is_no_other_protocol() {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let read = stream.read(&mut [0; 4096]).unwrap();
        assert!(read > 0);
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: -5\r\n\r\n")
            .unwrap();
    });
    let steps = dial(HMAC, &config(&url), Some("bucket/in/"));
    server.join().unwrap();
    let finding = diagnosis(&steps).unwrap();
    assert_eq!(finding.code.as_str(), "access.not-this-service");
    let message = &finding.message;
    assert!(message.ends_with("a broken head of HTTP/1.1"), "{message}");
}

#[test]
fn a_swapped_pair_shows_no_secret() {
    let swapped = r#"{"access_id":"Tr0ub4dor-and-3","secret_key":"id-of-a-store"}"#;
    let echo = "no key Tr0ub4dor-and-3";
    let steps = listing(swapped, error(403, "InvalidAccessKeyId", echo, echo));
    let text = format!("{steps:?}");
    assert!(!text.contains("Tr0ub4dor"), "{text}");
    assert_eq!(evidence(&steps, "key_id"), None);
    assert!(
        diagnosis(&steps)
            .unwrap()
            .hint
            .as_ref()
            .unwrap()
            .contains("swapped")
    );
    let steps = listing(HMAC, error(403, "InvalidAccessKeyId", "", ""));
    assert_eq!(evidence(&steps, "key_id"), Some("GOOG1MARKED"));
}
