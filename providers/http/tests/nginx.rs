//! What linkdial says of a real nginx: the exact code and the guilty key.

mod support;

use std::time::Duration;

use linkdial_core::testing::decisive;
use linkdial_core::{Code, Outcome, Retry, Settings, Stage, verdict};
use linkdial_testcontainers::{Certificates, HttpEndpoint, Nginx, NginxOptions};
use support::{API_KEY, BEARER, ask, evidence, finding, pointers, settings};

const NOBODY: &str = r#"{"headers": {}}"#;
const AUTHORIZATION: &str = "/headers/Authorization";

/// The clause of a link that sends this header.
fn sending((name, value): (&str, String)) -> String {
    format!(r#"{{"headers": {{"{name}": "{value}"}}}}"#)
}

fn patient() -> Settings {
    Settings {
        stage_timeout: Duration::from_secs(5),
        ..settings()
    }
}

#[tokio::test]
async fn good_logins_pass() {
    for nginx in [Nginx::shared(), Nginx::shared_tls()] {
        for (path, credentials) in [
            ("/", NOBODY.to_owned()),
            ("/basic", sending(HttpEndpoint::basic())),
            ("/bearer", sending(HttpEndpoint::bearer())),
            ("/header", sending(HttpEndpoint::api_key())),
        ] {
            let steps = ask(&credentials, &nginx.url(path), patient()).await;
            assert_eq!(verdict(&steps), Outcome::Pass, "{path}: {steps:#?}");
            assert_eq!(steps.last().unwrap().stage, Stage::Access, "{path}");
        }
    }
}

#[tokio::test]
async fn each_path_has_its_code_and_key() {
    let basic = r#"{"headers": {"Authorization": "Basic bGFiOndyb25n"}}"#;
    let rows = [
        (
            "/basic",
            basic,
            Code::AuthenticateBadCredentials,
            AUTHORIZATION,
        ),
        (
            "/basic",
            BEARER,
            Code::AuthenticateBadCredentials,
            AUTHORIZATION,
        ),
        ("/basic", NOBODY, Code::AuthenticateRequired, AUTHORIZATION),
        (
            "/bearer",
            BEARER,
            Code::AuthenticateBadCredentials,
            AUTHORIZATION,
        ),
        ("/bearer", NOBODY, Code::AuthenticateRequired, AUTHORIZATION),
        ("/header", API_KEY, Code::AccessDenied, "/headers/X-Api-Key"),
        ("/header", NOBODY, Code::AccessDenied, AUTHORIZATION),
        (
            "/401",
            API_KEY,
            Code::AuthenticateBadCredentials,
            "/headers/X-Api-Key",
        ),
        ("/403", BEARER, Code::AccessDenied, AUTHORIZATION),
        ("/404", BEARER, Code::AccessNotFound, ""),
        ("/elsewhere", BEARER, Code::AccessNotFound, ""),
        ("/405", BEARER, Code::AccessMethodRefused, ""),
        ("/function", BEARER, Code::AccessMethodRefused, ""),
        ("/429", BEARER, Code::AccessThrottled, ""),
        ("/500", BEARER, Code::AccessServerError, ""),
        ("/503", BEARER, Code::AccessThrottled, ""),
        ("/redirect", BEARER, Code::AccessRedirected, ""),
        ("/login", BEARER, Code::AccessNotThisService, ""),
    ];
    for nginx in [Nginx::shared(), Nginx::shared_tls()] {
        for (path, credentials, code, key) in rows {
            let finding = finding(credentials, &nginx.url(path)).await;
            assert_eq!(finding.code, code, "{path}: {finding:#?}");
            assert_eq!(finding.outcome, code.outcome(), "{path}");
            assert_eq!(pointers(&finding).join(" "), key, "{path}");
            assert!(evidence(&finding, "server").starts_with("nginx"), "{path}");
            assert!(finding.hint.is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn its_own_words_are_kept() {
    let nginx = Nginx::shared();
    let wanted = finding(BEARER, &nginx.url("/basic")).await;
    assert_eq!(evidence(&wanted, "scheme"), "Basic");
    assert_eq!(evidence(&wanted, "realm"), "lab");
    assert!(wanted.hint.unwrap().contains("the link sends Bearer"));
    for path in ["/429", "/503"] {
        let wait = finding(BEARER, &nginx.url(path)).await;
        assert_eq!(wait.retry, Retry::After(Duration::from_secs(7)), "{path}");
    }
    let away = finding(BEARER, &nginx.url("/redirect")).await;
    let port = nginx.addr().port();
    assert_eq!(
        evidence(&away, "location"),
        format!("http://localhost:{port}/")
    );
}

#[tokio::test]
async fn zero_rows_prove_a_function() {
    let nginx = Nginx::shared();
    let unproven = finding(BEARER, &nginx.url("/function")).await;
    assert_eq!(evidence(&unproven, "allow"), "POST");
    for path in ["/function", "/bearer"] {
        let credentials = sending(HttpEndpoint::bearer());
        let post_empty = Settings {
            post_empty: true,
            ..patient()
        };
        let steps = ask(&credentials, &nginx.url(path), post_empty).await;
        assert_eq!(verdict(&steps), Outcome::Pass, "{path}: {steps:#?}");
    }
}

#[tokio::test]
async fn each_certificate_has_its_code() {
    let certificates = Certificates::shared();
    for (identity, code) in [
        (certificates.unknown_issuer(), Code::TlsUnknownIssuer),
        (certificates.expired(), Code::TlsExpired),
        (certificates.not_yet_valid(), Code::TlsNotYetValid),
        (certificates.wrong_name(), Code::TlsNameMismatch),
    ] {
        let nginx = NginxOptions::default()
            .tls(certificates, identity)
            .start()
            .unwrap();
        let finding = finding(BEARER, &nginx.url("/")).await;
        assert_eq!(finding.code, code, "{finding:#?}");
    }
}

#[tokio::test]
async fn the_wrong_scheme_is_named() {
    let (plain, tls) = (Nginx::shared(), Nginx::shared_tls());
    let required = finding(BEARER, &format!("http://{}/", tls.addr())).await;
    assert_eq!(required.code, Code::TlsRequired, "{required:#?}");
    let url = format!("https://{}/", plain.addr());
    let steps = ask(BEARER, &url, patient()).await;
    assert_eq!(decisive(&steps), Some(Code::TlsNotTls), "{steps:#?}");
}

/// nginx shakes hands all the same; the in-process server breaks the handshake. Both are one code.
#[tokio::test]
async fn a_client_certificate_is_missed() {
    let certificates = Certificates::shared();
    let nginx = Nginx::shared_mutual_tls();
    let other = HttpEndpoint::start_tls(certificates.mutual_tls(certificates.good()));
    for url in [nginx.url("/"), nginx.url("/404"), other.url("/")] {
        let wanted = finding(BEARER, &url).await;
        assert_eq!(
            wanted.code,
            Code::TlsClientCertificateRequired,
            "{url}: {wanted:#?}"
        );
    }
    let wanted = finding(BEARER, &nginx.url("/")).await;
    assert_eq!(evidence(&wanted, "status"), "400");
    let required = finding(BEARER, &format!("http://{}/", nginx.addr())).await;
    assert_eq!(required.code, Code::TlsRequired, "{required:#?}");
}

/// A token may be longer than the buffers of a server (`large_client_header_buffers`, 8 KiB).
#[tokio::test]
async fn a_header_that_is_too_long_is_named() {
    let credentials = format!(
        r#"{{"headers": {{"X-Short": "s", "Authorization": "Bearer {}"}}}}"#,
        "x".repeat(12_000)
    );
    for nginx in [Nginx::shared(), Nginx::shared_tls()] {
        for path in ["/", "/bearer", "/404"] {
            let long = finding(&credentials, &nginx.url(path)).await;
            assert_eq!(long.code, Code::AccessRequestRefused, "{long:#?}");
            assert_eq!(pointers(&long), [AUTHORIZATION]);
        }
    }
}
