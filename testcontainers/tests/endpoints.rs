//! The HTTP endpoint, the S3 server in the process, moto and the issuer of tokens answer as their
//! tables say.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linkdial_testcontainers::{
    Answer, Certificates, Error, HttpEndpoint, Login, Moto, S3Server, TokenIssuer,
    TokenIssuerOptions,
};
use support::client;

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let text = result.unwrap_err().to_string();
    text.split_once("<Code>")
        .unwrap_or(("", &text))
        .1
        .split('<')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn each_path_has_its_answer() {
    let endpoint = HttpEndpoint::start();
    let client = client(&Certificates::shared().client_tls());
    let asked = support::each_path_has_its_answer(&client, |path| endpoint.url(path)).await;
    let echo = client
        .get(endpoint.url("/echo-401"))
        .header("x-mark", "m")
        .send()
        .await
        .unwrap();
    assert!(
        echo.headers()["x-echo"]
            .to_str()
            .unwrap()
            .contains("x-mark: m")
    );
    assert!(echo.text().await.unwrap().contains("x-mark: m\n"));
    assert_eq!(endpoint.requests().len(), asked + 1);
}

#[tokio::test]
async fn mutual_endpoint_wants_a_certificate() {
    let certificates = Certificates::shared();
    let endpoint = HttpEndpoint::start_tls(certificates.mutual_tls(certificates.good()));
    let with = client(&certificates.client_tls_with(certificates.client()));
    assert_eq!(
        with.get(endpoint.url("/")).send().await.unwrap().status(),
        200
    );
    assert!(endpoint.requests()[0].client_certificate);
    let without = client(&certificates.client_tls());
    assert!(without.get(endpoint.url("/")).send().await.is_err());
    assert_eq!(endpoint.requests().len(), 1);
}

#[test]
fn http_statements_are_ready_to_use() {
    let endpoint = HttpEndpoint::start();
    let link = HttpEndpoint::create_link("web", [HttpEndpoint::bearer()]);
    assert_eq!(
        link.to_string(),
        "CREATE LINK web AS HTTP\n\
         CREDENTIALS '{\"headers\":{\"Authorization\":\"Bearer lab-token\"}}';\n"
    );
    let function = endpoint.create_function("f", "/bearer", &link);
    assert!(
        function.contains(&format!("SERVICE \"{}\"", endpoint.url("/bearer"))),
        "{function}"
    );
    assert!(function.ends_with("LINK web;\n"), "{function}");
}

#[test]
fn s3_server_checks_signatures_and_keeps_files() {
    for server in [S3Server::start().unwrap(), S3Server::start_tls().unwrap()] {
        let store = server.store();
        assert_eq!(
            store.list("demo", "").unwrap(),
            ["orders/2026/one.csv", "top.txt"]
        );
        assert_eq!(store.get("demo", "top.txt").unwrap(), b"hello\n");
        store.put("demo", "orders/two.csv", b"x").unwrap();
        assert!(server.folder().join("demo/orders/two.csv").is_file());
        store.delete("demo", "orders/two.csv").unwrap();
        assert!(!server.folder().join("demo/orders/two.csv").exists());
        assert_eq!(refused(store.list("nowhere", "")), "NoSuchBucket");
        let id = S3Server::login().access_key_id;
        let wrong = store.with_login(Login::new(id, "wrong"));
        assert_eq!(refused(wrong.list("demo", "")), "SignatureDoesNotMatch");
        let unknown = store.with_login(Login::new("NOBODY", "wrong"));
        assert_eq!(refused(unknown.list("demo", "")), "NotSignedUp");
    }
}

#[test]
fn moto_refuses_the_role_to_a_stranger() {
    let moto = Moto::shared();
    let stranger = moto.store_as(moto.stranger().clone());
    assert_eq!(
        refused(stranger.assume_role(moto.role_arn())),
        "AccessDenied"
    );
    let member = moto.store_as(moto.member().clone());
    let temporary = member.assume_role(moto.role_arn()).unwrap();
    assert!(temporary.session_token.is_some());
    assert_eq!(
        moto.store_as(temporary).list("private", "").unwrap(),
        ["top.txt"]
    );
    let wrong = Login::new(moto.member().access_key_id.as_str(), "wrong");
    assert_eq!(
        refused(moto.store_as(wrong).list("private", "")),
        "SignatureDoesNotMatch"
    );
    let text = moto.role_link("r", moto.stranger()).to_string();
    assert!(
        text.contains(&format!(r#""role_arn":"{}""#, moto.role_arn())),
        "{text}"
    );
}

/// What a client asks an issuer of tokens for.
const GRANT: &str = "grant_type=client_credentials";

async fn ask(request: reqwest::RequestBuilder, body: String) -> (u16, serde_json::Value) {
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn secret_is_taken_from_the_header_and_from_the_body() {
    let issuer = TokenIssuer::start();
    let client = client(&Certificates::shared().client_tls());
    let post = || client.post(issuer.token_endpoint());
    let in_header = post().basic_auth("alice", Some("alice-pw"));
    let in_body = format!("{GRANT}&client_id=alice&client_secret=alice%2Dpw");
    for (request, body) in [(in_header, GRANT.to_owned()), (post(), in_body)] {
        let (status, answer) = ask(request, body).await;
        assert_eq!(status, 200);
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"], 300);
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(token.split('.').count(), 3, "{token}");
    }
    let wrong = post().basic_auth("alice", Some("not-it"));
    let refused = serde_json::json!({"error": "invalid_client"});
    assert_eq!(ask(wrong, GRANT.to_owned()).await, (401, refused.clone()));
    assert_eq!(ask(post(), GRANT.to_owned()).await, (401, refused));
    let other = post().basic_auth("alice", Some("alice-pw"));
    let refused = serde_json::json!({"error": "unsupported_grant_type"});
    let body = "grant_type=password".to_owned();
    assert_eq!(ask(other, body).await, (400, refused));
    assert_eq!(issuer.requests().len(), 5);
}

/// What the tokens say that a client gets from an issuer.
async fn claims(issuer: &TokenIssuer, client: &reqwest::Client) -> serde_json::Value {
    let request = client.post(issuer.token_endpoint());
    let request = request.basic_auth("alice", Some("alice-pw"));
    let (status, answer) = ask(request, GRANT.to_owned()).await;
    assert_eq!(status, 200);
    let token = answer["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let mut claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    // By the clock of this machine, which the test shares.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = claims["exp"].as_u64().unwrap();
    claims["ended"] = (end < now.as_secs()).into();
    claims
}

#[tokio::test]
async fn tokens_are_as_the_options_say() {
    let certificates = Certificates::shared();
    let client = client(&certificates.client_tls());
    let issuer = TokenIssuer::start();
    let good = claims(&issuer, &client).await;
    assert_eq!(
        (&good["sub"], &good["aud"]),
        (&"alice".into(), &"kafka".into())
    );
    assert_eq!(good["ended"], false);

    let options = TokenIssuerOptions::default();
    let tls = certificates.server_tls(certificates.good());
    let old = options.clone().tls(tls).life(-60).start_as(&issuer);
    assert!(old.token_endpoint().starts_with("https://"));
    assert_eq!(claims(&old, &client).await["ended"], true);
    assert_eq!(old.key_set(), issuer.key_set());

    let other = options.audience("somebody-else").start();
    let other_claims = claims(&other, &client).await;
    assert_eq!(other_claims["aud"], "somebody-else");
    assert_eq!(other_claims["ended"], false);
    assert_ne!(other.key_set(), issuer.key_set());
}

#[tokio::test]
async fn endpoints_may_give_no_token() {
    let client = client(&Certificates::shared().client_tls());
    let post = |issuer: &TokenIssuer| {
        let request = client.post(issuer.token_endpoint()).body(GRANT);
        request.basic_auth("alice", Some("alice-pw"))
    };
    let options = TokenIssuerOptions::default();
    let refusing = options.clone().refusing().start();
    let refused = serde_json::json!({"error": "invalid_client"});
    let answer = ask(post(&refusing), GRANT.to_owned()).await;
    assert_eq!(answer, (401, refused));

    let garbage = options
        .clone()
        .answer(Answer::status(200).body("{\"access"));
    let garbage = garbage.start();
    let answer = post(&garbage).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "{\"access");
    // The key is there all the same.
    let keys = garbage.token_endpoint().replace("/token", "/jwks");
    assert_eq!(client.get(keys).send().await.unwrap().status(), 200);

    let silent = options.answer(Answer::silence()).start();
    let patience = std::time::Duration::from_millis(300);
    let error = post(&silent).timeout(patience).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(silent.requests().len(), 1);
}

#[tokio::test]
async fn key_is_there_for_everybody() {
    let certificates = Certificates::shared();
    let issuer = TokenIssuer::start_tls(certificates.server_tls(certificates.good()));
    let client = client(&Certificates::shared().client_tls());
    let url = issuer.token_endpoint().replace("/token", "/jwks");
    let (status, keys) = ask(client.get(url), String::new()).await;
    assert_eq!(status, 200);
    assert_eq!(keys.to_string(), issuer.key_set());
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    let endpoint = client.get(issuer.token_endpoint()).send().await.unwrap();
    assert_eq!(endpoint.status(), 404);
}
