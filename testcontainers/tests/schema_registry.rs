//! The schema registry answers as Confluent's does.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/client.rs"]
mod client;

use client::client;
use linkdial_testcontainers::{Certificates, LinkStatement, SchemaRegistry, SchemaRegistryOptions};
use serde_json::{Value, json};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/vnd.schemaregistry.v1+json"
    );
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn each_path_has_its_answer() {
    let registry = SchemaRegistry::start();
    assert!(registry.addr().ip().is_loopback());
    let client = client(&Certificates::shared().client_tls());
    let get = |path| answer(client.get(registry.url(path)));
    assert_eq!(get("/").await, (200, json!({})));
    assert_eq!(get("/subjects").await, (200, json!(["orders-value"])));
    let level = json!({"compatibilityLevel": "BACKWARD"});
    assert_eq!(get("/config").await, (200, level));
    let (status, version) = get("/subjects/orders-value/versions/latest").await;
    assert_eq!((status, &version["id"]), (200, &json!(1)));
    let (_, schema) = get("/schemas/ids/1").await;
    assert_eq!(schema["schema"], version["schema"]);
    let schema: Value = serde_json::from_str(schema["schema"].as_str().unwrap()).unwrap();
    assert_eq!(schema["type"], "record");
    for (path, code) in [
        ("/subjects/none/versions/1", 40401),
        ("/subjects/orders-value/versions/2", 40402),
        ("/schemas/ids/2", 40403),
        ("/elsewhere", 404),
    ] {
        let (status, body) = get(path).await;
        assert_eq!((status, &body["error_code"]), (404, &json!(code)), "{path}");
        assert!(body["message"].is_string());
    }
    let post = client.post(registry.url("/subjects"));
    let (status, body) = answer(post).await;
    assert_eq!((status, &body["error_code"]), (405, &json!(405)));
    assert_eq!(registry.requests().len(), 10);
}

#[tokio::test]
async fn login_is_wanted_where_that_was_asked_for() {
    let registry = SchemaRegistryOptions::default().with_login().start();
    let client = client(&Certificates::shared().client_tls());
    let get = || client.get(registry.url("/subjects"));
    let (user, password) = SchemaRegistry::login();
    let refused = (401, json!({"error_code": 40101, "message": "Unauthorized"}));
    assert_eq!(answer(get()).await, refused);
    let wrong = get().basic_auth(user, Some("not-it"));
    assert_eq!(answer(wrong).await, refused);
    let right = get().basic_auth(user, Some(password));
    assert_eq!(answer(right).await.0, 200);
    let challenge = get().send().await.unwrap();
    let challenge = challenge.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Basic "), "{challenge}");
}

#[tokio::test]
async fn certificates_are_shown_and_wanted() {
    let certificates = Certificates::shared();
    let without = client(&certificates.client_tls());
    let with = client(&certificates.client_tls_with(certificates.client()));
    let options = SchemaRegistryOptions::default();
    let tls = certificates.server_tls(certificates.good());
    let registry = options.clone().tls(tls).start();
    assert!(registry.url("/").starts_with("https://"));
    let get = without.get(registry.url("/subjects"));
    assert_eq!(answer(get).await.0, 200);

    let tls = certificates.mutual_tls(certificates.good());
    let registry = options.tls(tls).start();
    let refused = without.get(registry.url("/subjects")).send().await;
    assert!(refused.is_err(), "{refused:?}");
    let get = with.get(registry.url("/subjects"));
    assert_eq!(answer(get).await.0, 200);
    assert!(registry.requests()[0].client_certificate);
}

#[test]
fn statements_are_ready_to_use() {
    let registry = SchemaRegistryOptions::default().with_login().start();
    let plain = LinkStatement::new("x", "KAFKA").with_empty_credentials();
    let link = registry.extend_link(plain.clone());
    assert_eq!(
        link.to_string(),
        "CREATE LINK x AS KAFKA\n\
         CREDENTIALS '{\"schema.registry.username\":\"lab\",\"schema.registry.password\":\"lab-secret\"}';\n"
    );
    assert_eq!(
        registry.create_pipeline("p", "127.0.0.1:1/orders", &link),
        format!(
            "CREATE PIPELINE p AS LOAD DATA LINK x '127.0.0.1:1/orders' INTO TABLE t\n\
             FORMAT AVRO SCHEMA REGISTRY '{}' (id <- id);\n",
            registry.addr()
        )
    );
    let open = SchemaRegistry::start();
    assert_eq!(
        open.extend_link(plain.clone()).to_string(),
        plain.to_string()
    );
}
