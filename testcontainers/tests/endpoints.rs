//! The HTTP endpoint, the S3 server in the process and moto answer as their tables say.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use linkdial_testcontainers::{Certificates, Error, HttpEndpoint, Login, Moto, S3Server};

fn client(tls: &Arc<rustls::ClientConfig>) -> reqwest::Client {
    // Only the first call of a process installs it; the others say so and are right.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls.as_ref().clone())
        .build()
        .unwrap()
}

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
    for (path, status) in [
        ("/", 200),
        ("/function", 405),
        ("/401", 401),
        ("/403", 403),
        ("/404", 404),
        ("/405", 405),
        ("/429", 429),
        ("/500", 500),
        ("/503", 503),
        ("/redirect", 302),
        ("/login", 200),
        ("/basic", 401),
        ("/bearer", 401),
        ("/header", 403),
        ("/elsewhere", 404),
    ] {
        let answer = client.get(endpoint.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(
            status == 401,
            answer.headers().contains_key("www-authenticate"),
            "{path}"
        );
        let waits = [429, 503].contains(&status);
        assert_eq!(
            waits,
            answer.headers().contains_key("retry-after"),
            "{path}"
        );
    }
    for (path, (name, value)) in [
        ("/basic", HttpEndpoint::basic()),
        ("/bearer", HttpEndpoint::bearer()),
        ("/header", HttpEndpoint::api_key()),
    ] {
        let answer = client
            .get(endpoint.url(path))
            .header(name, value)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let rows = client
        .post(endpoint.url("/function"))
        .body(r#"{"data":[]}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(rows.text().await.unwrap(), r#"{"data":[]}"#);
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
    assert_eq!(endpoint.requests().len(), 15 + 3 + 2);
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
