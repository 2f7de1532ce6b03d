//! TLS is taken away from no link that would send a secret without it.

use linkdial_testcontainers::{Answer, Certificates, HttpEndpoint, LinkStatement, ScriptedHttp};

use crate::bench::{check, pipeline, report};

/// Verifies links that ask a plain server for TLS, and returns what it was asked.
fn asked(script: impl Fn(&str) -> String) -> usize {
    let server = ScriptedHttp::always([Answer::status(200).body("")]);
    let script = script(&server.url().replace("http:", "https:"));
    let report = report(&script, &[]);
    let check = check(&report);
    assert_eq!(check["code"], "tls.not-tls", "{check:#}");
    assert!(check["correction"].is_null(), "{check:#}");
    server.requests().len()
}

#[test]
fn a_rename_beside_it_may_bring_a_secret_in() {
    let token = |url: &str| {
        LinkStatement::new("a", "S3")
            .credential("aws_access_key_id", "AKIAMARKED")
            .credential("aws_secret_access_key", "m4rk3d/secret+")
            .credential("session_token", "m4rk3d-token")
            .config("region", "us-east-1")
            .config("endpoint_url", url)
            .to_string()
            + &pipeline("a", "bucket/x")
    };
    assert_eq!(asked(token), 0);
    let headers = |url: &str| {
        format!(
            "CREATE LINK a AS HTTP CREDENTIALS '{{}}' \
             CONFIG '{{\"Headers\":{{\"Authorization\":\"Bearer m4rk3d-token\"}}}}';\n\
             CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE '{url}/p' FORMAT JSON LINK a;\n"
        )
    };
    assert_eq!(asked(headers), 0);
}

/// A certificate for the host says nothing about who listens at its other ports.
#[test]
fn a_server_does_not_choose_the_port_that_headers_go_to() {
    let certificates = Certificates::shared();
    let tls = certificates.server_tls(certificates.good());
    let other = ScriptedHttp::script().start_tls(tls);
    let to = other.url().replace("localhost", "127.0.0.1");
    let moved = Answer::status(307).header("location", &format!("{to}/p"));
    let server = ScriptedHttp::always([moved]);
    let script = HttpEndpoint::create_link("a", [HttpEndpoint::bearer()]).to_string()
        + &format!(
            "CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE '{}/p' FORMAT JSON LINK a;\n",
            server.url()
        );
    let report = report(&script, &[]);
    let check = check(&report);
    assert_eq!(check["code"], "access.redirected", "{check:#}");
    assert!(check["correction"].is_null(), "{check:#}");
    assert_eq!(other.requests().len(), 0);
}
