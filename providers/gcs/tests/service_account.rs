//! Service accounts: the tokens that their keys sign, and what Google says when it takes none.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::{ONE, config, dial, dial_with, error, listing, service_account, settings, xml};
use linkdial_core::testing::record::{diagnosis, evidence, passed, summary};
use linkdial_core::{Intent, Settings, Stage};
use linkdial_testcontainers::{Answer, ScriptedHttp, ServiceAccount};

const FILE: &str = "CREDENTIALS/service_account_key";

/// Checks a token as Google does (RFC 7515, section 5.2) and returns its claims.
fn claims(token: &str) -> serde_json::Value {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let pem = ServiceAccount::shared().public_key_pem();
    let der: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, STANDARD.decode(der).unwrap());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
fn a_service_account_signs_a_token_for_itself() {
    let server = ScriptedHttp::always([xml(ONE), Answer::status(206).body("h")]);
    let config = config(&server.url());
    // Both would lead its client astray.
    let mut file = ServiceAccount::shared().json();
    file["gcs_base_url"] = "http://127.0.0.1:9".into();
    file["disable_oauth"] = true.into();
    let credentials = serde_json::json!({"service_account_key": file.to_string()}).to_string();
    let steps = dial(&credentials, &config, Some("bucket/in/"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    // Signing is no stage of its own: who answers decides.
    let walked = [
        Stage::Resolve,
        Stage::Connect,
        Stage::Authenticate,
        Stage::Access,
        Stage::Read,
    ];
    assert_eq!(passed(&steps), walked);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let token = request.header("authorization").unwrap();
        let token = token.strip_prefix("Bearer ").unwrap();
        let claims = claims(token);
        assert_eq!(claims["iss"], ServiceAccount::shared().client_email());
        assert_eq!(claims["sub"], claims["iss"]);
        let seconds = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(seconds("exp") - seconds("iat"), 3600);
        assert!(seconds("iat").abs_diff(jiff::Timestamp::now().as_second()) < 60);
        assert!(request.header("x-amz-date").is_none());
        assert!(!format!("{steps:?}").contains(&token[..40]));
    }
}

#[test]
fn the_stages_before_the_identity_need_no_token() {
    let server = ScriptedHttp::always([xml(ONE)]);
    let settings = Settings {
        until: Stage::Connect,
        ..settings()
    };
    let (credentials, config) = (service_account(), config(&server.url()));
    let target = Some("bucket");
    let steps = dial_with(&credentials, &config, target, Intent::READ, settings);
    assert_eq!(passed(&steps), [Stage::Resolve, Stage::Connect]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_refused_token_is_the_key_file_or_the_clock() {
    let refused = || {
        error(
            401,
            "AuthenticationRequired",
            "Authentication required.",
            "",
        )
        .header(
            "www-authenticate",
            "Bearer realm=\"https://accounts.google.com/\", error=invalid_token",
        )
    };
    let steps = listing(&service_account(), refused());
    assert_eq!(
        summary(&steps),
        format!("fail authenticate.bad-credentials {FILE}")
    );
    assert!(
        evidence(&steps, "challenge")
            .unwrap()
            .contains("invalid_token")
    );
    let email = ServiceAccount::shared().client_email();
    assert_eq!(evidence(&steps, "principal"), Some(email.as_str()));

    let server_time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(7200);
    let date =
        jiff::fmt::rfc2822::to_string(&server_time.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
    let steps = listing(&service_account(), refused().header("date", &date));
    assert_eq!(summary(&steps), "fail authenticate.clock-skew");
    let skew: i64 = evidence(&steps, "skew_seconds").unwrap().parse().unwrap();
    assert!((7195..=7205).contains(&skew), "{skew}");
    let hint = diagnosis(&steps).unwrap().hint.as_deref().unwrap();
    assert!(hint.contains("beyond 5 minutes"), "{hint}");

    let details = "robot@p.iam.gserviceaccount.com does not have storage.objects.list access.";
    for (answer, expected) in [
        (
            error(403, "AccessDenied", "Access denied.", details),
            format!("fail access.denied {FILE}"),
        ),
        (
            error(
                403,
                "AccessDenied",
                "Access denied.",
                "Service account is disabled.",
            ),
            format!("fail authenticate.method-disabled {FILE}"),
        ),
        (
            error(400, "ExpiredToken", "The provided token has expired.", ""),
            format!("fail authenticate.token-expired {FILE}"),
        ),
        (
            error(400, "InvalidToken", "The provided token is malformed.", ""),
            format!("fail authenticate.token-invalid {FILE}"),
        ),
    ] {
        let steps = listing(&service_account(), answer);
        assert_eq!(summary(&steps), expected);
        let hint = diagnosis(&steps).unwrap().hint.as_deref().unwrap();
        assert!(!hint.contains("HMAC"), "{hint}");
    }
}

#[test]
fn a_token_that_comes_back_is_not_shown() {
    let server = ScriptedHttp::always([xml(&ONE.replace("in/a.csv", "in/"))]);
    dial(&service_account(), &config(&server.url()), Some("bucket"));
    let request = &server.requests()[0];
    // Its first part is the same each time.
    let header = request.header("authorization").unwrap();
    let header = header.strip_prefix("Bearer ").unwrap();
    let header = header.split('.').next().unwrap();
    let echo = error(403, "AccessDenied", &format!("denied: {header}"), header);
    let steps = listing(&service_account(), echo);
    assert_eq!(
        evidence(&steps, "remote_message"),
        Some("denied: [redacted]")
    );
    assert!(!format!("{steps:?}").contains(&header[..16]));
}
