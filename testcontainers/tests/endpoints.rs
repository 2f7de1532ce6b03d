//! The HTTP endpoint, the S3 server in the process and moto answer as their tables say.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use linkdial_testcontainers::{Certificates, Error, HttpEndpoint, Login, Moto, S3Server};
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
