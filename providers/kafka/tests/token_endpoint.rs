//! Tokens by client credentials: what is asked, what is taken, and every fault on a real socket.

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use linkdial_core::net::Net;
use linkdial_core::testing::Link;
use linkdial_core::{Code, Intent, Outcome, Retry, Settings, Stage, Step, verdict};
use linkdial_testcontainers::broken::RefusedPort;
use linkdial_testcontainers::{Answer, Certificates, ScriptedHttp, TokenIssuer};
use serde_json::json;
use support::peer::{Peer, Script};
use support::{ask, ask_with, clause, evidence, expect, link, note, pointers, settings, walked};

const FAIL: Outcome = Outcome::Fail;
const ID: &str = "loader";
const URL: &str = "/sasl.oauthbearer.token.endpoint.url";
const CLIENT: [&str; 2] = [
    "/sasl.oauthbearer.client.secret",
    "/sasl.oauthbearer.client.id",
];

/// A link that fetches its tokens at a URL, with more in CONFIG.
fn oidc_with(url: &str, secret: &str, more: &[(&str, &str)], target: &str) -> Link {
    let mut config = vec![
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "OAUTHBEARER"),
        ("sasl.oauthbearer.method", "oidc"),
        ("sasl.oauthbearer.client.id", ID),
        ("sasl.oauthbearer.token.endpoint.url", url),
    ];
    for (key, value) in more {
        config.retain(|(known, _)| known != key);
        config.push((key, value));
    }
    let credentials = clause(&[("sasl.oauthbearer.client.secret", secret)]);
    link(&clause(&config), &credentials, Some(target))
}

fn oidc(url: &str, peer: &Peer) -> Link {
    oidc_with(url, "loader-pw", &[], &peer.target())
}

/// A broker that takes the tokens of the client.
fn broker() -> Peer {
    Peer::start(Script {
        mechanisms: Some(vec!["OAUTHBEARER"]),
        tokens_of: Some(ID),
        ..Script::default()
    })
}

fn jwt(claims: &serde_json::Value) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let header = encode(r#"{"alg":"none"}"#);
    format!("{header}.{}.", encode(&claims.to_string()))
}

fn soon() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later");
    now.as_secs() + 300
}

fn json_answer(status: u16, body: &serde_json::Value) -> Answer {
    Answer::status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(body.to_string())
}

fn lends(token: &str) -> Answer {
    json_answer(200, &json!({"access_token": token, "token_type": "Bearer"}))
}

fn url(server: &ScriptedHttp) -> String {
    format!("http://{}/token", server.addr())
}

async fn answered(answer: Answer) -> (Vec<Step>, Peer) {
    let (server, peer) = (ScriptedHttp::always([answer]), broker());
    let steps = ask(&oidc(&url(&server), &peer)).await;
    assert_eq!(server.requests().len(), 1, "asked once, whatever came");
    (steps, peer)
}

#[tokio::test]
async fn a_token_is_fetched_once_and_logs_in_to_every_broker() {
    let issuer = TokenIssuer::start();
    let second = broker();
    let peer = Peer::start(Script {
        mechanisms: Some(vec!["OAUTHBEARER"]),
        tokens_of: Some(ID),
        brokers: vec![(2, "127.0.0.1".to_owned(), i32::from(second.port()))],
        ..Script::default()
    });
    let more = [("sasl.oauthbearer.scope", "kafka")];
    let target = peer.target();
    let link = oidc_with(&issuer.token_endpoint(), "loader-pw", &more, &target);
    let steps = ask(&link).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let pass = Outcome::Pass;
    assert_eq!(
        walked(&steps)[..5],
        [
            (Stage::Define, "", pass),
            (Stage::Resolve, "token", pass),
            (Stage::Connect, "token", pass),
            (Stage::Authenticate, "token", pass),
            (Stage::Resolve, "bootstrap", pass),
        ]
    );
    assert!(walked(&steps).contains(&(Stage::Authenticate, "advertised", pass)));
    assert_eq!(note(&steps, "issuer"), "https://issuer.linkdial.test");
    assert_eq!(note(&steps, "audience"), "kafka");
    assert_eq!(note(&steps, "subject"), ID);
    assert_eq!(note(&steps, "token_type"), "Bearer");
    assert!(note(&steps, "expires").ends_with('Z'));
    let requests = issuer.requests();
    let [request] = &requests[..] else {
        panic!("{requests:#?}");
    };
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.body,
        "grant_type=client_credentials&scope=kafka".as_bytes()
    );
    assert_eq!(request.header("accept"), Some("application/json"));
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(request.header("content-type"), form);
    let token = peer.seen();
    let token = token.iter().find(|it| it.key == 36).unwrap();
    let token = String::from_utf8_lossy(&token.body);
    let token = token.split("Bearer ").nth(1).unwrap();
    let token = token.split('\u{1}').next().unwrap();
    assert!(!format!("{steps:?}").contains(token));
}

#[tokio::test]
async fn nothing_is_escaped_since_the_client_escapes_nothing() {
    let (server, peer) = (ScriptedHttp::always([Answer::status(401)]), broker());
    let more = [
        ("sasl.oauthbearer.client.id", "a+b%2Fc"),
        ("sasl.oauthbearer.scope", "read write"),
    ];
    let target = peer.target();
    ask(&oidc_with(&url(&server), "s:c&r=t ä%", &more, &target)).await;
    let requests = server.requests();
    let login = requests[0].header("authorization").unwrap();
    let login = STANDARD.decode(login.strip_prefix("Basic ").unwrap());
    assert_eq!(login.unwrap(), "a+b%2Fc:s:c&r=t ä%".as_bytes());
    assert_eq!(
        requests[0].body,
        "grant_type=client_credentials&scope=read write".as_bytes()
    );
}

#[tokio::test]
async fn a_refused_request_names_the_key_that_may_be_guilty() {
    let error = |status, error: &str| {
        let body = json!({"error": error, "error_description": "told by the server"});
        json_answer(status, &body)
    };
    let html = |status| {
        Answer::status(status)
            .header("content-type", "text/html")
            .body("<!doctype html><title>Log in</title>")
    };
    let (id, scope) = (CLIENT[1], "/sasl.oauthbearer.scope");
    for (answer, keys) in [
        (error(401, "invalid_client"), &CLIENT[..]),
        (error(400, "invalid_client"), &CLIENT),
        (error(401, "unauthorized_client"), &CLIENT),
        (Answer::status(401), &CLIENT),
        (error(400, "unauthorized_client"), &[id]),
        (error(400, "unsupported_grant_type"), &[id]),
        (error(403, "access_denied"), &[id]),
        (error(400, "invalid_scope"), &[scope]),
        (error(400, "invalid_request"), &[URL]),
        (Answer::status(404), &[URL]),
        (Answer::status(405), &[URL]),
        (html(403), &[URL]),
        (html(200), &[URL]),
        (Answer::status(200), &[URL]),
        (
            Answer::status(200).body(r#"{"access_token": "a.b.c"}"#),
            &[URL],
        ),
        (json_answer(200, &json!({"id_token": "a.b.c"})), &[URL]),
        (json_answer(200, &json!({"access_token": 7})), &[URL]),
        (json_answer(200, &json!(["access_token"])), &[URL]),
        (lends(&"a".repeat(300_000)), &[URL]),
    ] {
        let (steps, peer) = answered(answer.clone()).await;
        let found = expect(&steps, FAIL, Code::AuthenticateTokenEndpoint, "token");
        assert_eq!(pointers(&found), keys, "{answer:?}");
        assert_eq!(found.retry, Retry::Never, "{answer:?}");
        assert!(
            peer.seen().is_empty(),
            "no broker is dialled without a token"
        );
    }
    let (steps, _) = answered(error(400, "invalid_client")).await;
    let found = support::finding(&steps);
    assert_eq!(evidence(&found, "status"), "400");
    assert_eq!(evidence(&found, "error"), "invalid_client");
    assert_eq!(evidence(&found, "error_description"), "told by the server");
}

#[tokio::test]
async fn a_server_in_trouble_may_be_well_later() {
    for status in [429, 500, 503] {
        let (steps, _) = answered(Answer::status(status)).await;
        let found = expect(&steps, FAIL, Code::AuthenticateTokenEndpoint, "token");
        assert_eq!(found.retry, Retry::Later, "{status}");
        assert!(found.keys.is_empty(), "{found:?}");
    }
    let (steps, _) = answered(Answer::silence()).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTimedOut, "token");
    assert_eq!(pointers(&found), [URL]);
}

#[tokio::test]
async fn no_redirect_gets_the_secret() {
    let other = ScriptedHttp::always([lends(&jwt(&json!({"sub": ID, "exp": soon()})))]);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}?ticket=QZXJ", url(&other));
        let (steps, _) = answered(Answer::status(status).header("location", &location)).await;
        let found = expect(&steps, FAIL, Code::AuthenticateTokenEndpoint, "token");
        assert_eq!(pointers(&found), [URL]);
        let shown = format!("{}?[redacted]", url(&other));
        assert_eq!(evidence(&found, "location"), shown);
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn only_a_token_that_the_client_takes_is_used() {
    for (token, word) in [
        ("opaque-t0ken".to_owned(), "no JWT"),
        (jwt(&json!({"sub": ID})), "no JWT"),
        (jwt(&json!({"sub": ID, "exp": 0})), "no JWT"),
        (jwt(&json!({"exp": soon()})), "without `sub`"),
        (format!("{}\u{1}", jwt(&json!({}))), "characters"),
    ] {
        let (steps, peer) = answered(lends(&token)).await;
        let found = expect(&steps, FAIL, Code::AuthenticateTokenInvalid, "token");
        assert_eq!(pointers(&found), [URL]);
        let told = evidence(&found, "token");
        assert!(told.contains(word), "{token}: {told}");
        assert!(peer.seen().is_empty());
    }
    let old = jwt(&json!({"sub": ID, "exp": 1_700_000_000, "iss": "https://idp"}));
    let (steps, _) = answered(lends(&old)).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenExpired, "token");
    assert_eq!(pointers(&found), [URL]);
    assert_eq!(evidence(&found, "expires"), "2023-11-14T22:13:20Z");
    assert_eq!(evidence(&found, "issuer"), "https://idp");
    assert!(!format!("{steps:?}").contains(&old));
}

#[tokio::test]
async fn a_broker_that_refuses_the_token_is_told_with_its_claims() {
    let claims = json!({"sub": "another", "exp": soon(), "iss": "https://idp", "aud": ["a", "b"]});
    let (steps, _) = answered(lends(&jwt(&claims))).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenInvalid, "bootstrap");
    assert_eq!(pointers(&found), [URL]);
    assert_eq!(evidence(&found, "issuer"), "https://idp");
    assert_eq!(evidence(&found, "audience"), "a, b");
    assert!(evidence(&found, "expires").ends_with('Z'));

    let (server, peer) = (ScriptedHttp::always([lends(&jwt(&claims))]), broker());
    let more = [("sasl.oauthbearer.scope", "kafka")];
    let target = peer.target();
    let steps = ask(&oidc_with(&url(&server), "pw-of-loader", &more, &target)).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenInvalid, "bootstrap");
    assert_eq!(pointers(&found), ["/sasl.oauthbearer.scope", URL]);
}

#[tokio::test]
async fn the_ladder_to_the_token_endpoint_has_its_role_and_key() {
    let certificates = Certificates::shared();
    let peer = broker();
    let dead = RefusedPort::start();
    let steps = ask(&oidc(&format!("http://{}/t", dead.addr()), &peer)).await;
    let found = expect(&steps, FAIL, Code::ConnectRefused, "token");
    assert_eq!(pointers(&found), [URL]);

    let tls = TokenIssuer::start_tls(certificates.server_tls(certificates.good()));
    let steps = ask(&oidc(&tls.token_endpoint(), &peer)).await;
    let found = expect(&steps, FAIL, Code::TlsUnknownIssuer, "token");
    assert_eq!(pointers(&found), [URL]);
    let hint = found.hint.unwrap();
    assert!(
        hint.contains("--ca-file") && hint.contains("every node"),
        "{hint}"
    );
    let trusting = Settings {
        net: Net::builder()
            .ca_pem(certificates.ca_pem().as_bytes())
            .unwrap()
            .build(),
        ..settings()
    };
    let link = oidc(&tls.token_endpoint(), &peer);
    let steps = ask_with(&link, trusting, Intent::READ).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert!(walked(&steps).contains(&(Stage::Tls, "token", Outcome::Pass)));

    let plain = tls.token_endpoint().replace("https:", "http:");
    let steps = ask(&oidc(&plain, &peer)).await;
    let found = expect(&steps, FAIL, Code::TlsRequired, "token");
    assert_eq!(pointers(&found), [URL]);
    let issuer = TokenIssuer::start();
    let encrypted = issuer.token_endpoint().replace("http:", "https:");
    let steps = ask(&oidc(&encrypted, &peer)).await;
    let found = expect(&steps, FAIL, Code::TlsNotTls, "token");
    assert_eq!(pointers(&found), [URL]);
}

#[tokio::test]
async fn no_token_is_fetched_where_the_login_is_not_walked() {
    let (server, peer) = (ScriptedHttp::always([Answer::status(500)]), broker());
    let settings = Settings {
        until: Stage::Connect,
        ..settings()
    };
    let steps = ask_with(&oidc(&url(&server), &peer), settings, Intent::READ).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_repeats_what_it_was_sent_shows_no_secret() {
    let peer = broker();
    let secret = "QZXJ-s3cret-of-client";
    let basic = STANDARD.encode(format!("{ID}:{secret}"));
    let told = format!("you sent {secret} and Basic {basic}");
    let body = json!({"error": told, "error_description": told});
    let server = ScriptedHttp::always([json_answer(400, &body)]);
    let steps = ask(&oidc_with(&url(&server), secret, &[], &peer.target())).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenEndpoint, "token");
    assert!(evidence(&found, "error").contains("[redacted]"));
    let shown = format!("{steps:?}");
    assert!(
        !shown.contains("QZXJ") && !shown.contains(&basic),
        "{shown}"
    );
}
