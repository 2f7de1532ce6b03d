//! The promises that every provider keeps, with a key and with a shared access signature.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use linkdial_azure::Azure;
use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{Definition, Driver, Kind};
use linkdial_testcontainers::{Azurite, SharedAccess, StorageAccount};

fn link(base: &str, credential: &str) -> Link {
    Link::new(
        Kind::Azure,
        &format!(r#"{{"endpoint_url": "{base}"}}"#),
        &format!(r#"{{"account_name": "orders", {credential}}}"#),
        Some("box/in/"),
    )
}

fn faulty() -> Vec<Definition> {
    [
        ("", r#"{"account_name": "orders"}"#),
        (
            r#"{"endpoint_url": "store"}"#,
            r#"{"acount_name": "x", "account_key": "no base64"}"#,
        ),
        (
            r#"{"endpoint_url": "http://h/other"}"#,
            r#"{"account_name": "orders", "sas_token": "sv=1&sig=x"}"#,
        ),
        ("{", r#"{"account_name": "A B", "account_name": 1}"#),
    ]
    .map(|(config, credentials)| testing::definition(Kind::Azure, config, credentials))
    .into()
}

/// Each test writes behind a prefix of its own: they run at the same time.
fn write(credential: &str, prefix: &'static str) -> WriteFixture {
    let azurite = Azurite::shared();
    let name = azurite.account_name();
    let link = Link::new(
        Kind::Azure,
        &format!(r#"{{"endpoint_url": "{}"}}"#, azurite.endpoint_url()),
        &format!(r#"{{"account_name": "{name}", {credential}}}"#),
        Some(&format!("empty/{prefix}")),
    );
    WriteFixture::new(link, common::settings, move || {
        azurite.blobs().list("empty", prefix).unwrap()
    })
}

#[test]
fn conformance() {
    let StorageAccount { key, .. } = Azurite::shared().account();
    let fixture = Fixture {
        test: "conformance",
        // 64 bytes of base64 that begin with the suite's secret.
        link: |base, secret| {
            let key = format!(
                "{}{}Q==",
                secret.trim_end_matches('='),
                "Ab3".repeat(14) + "A"
            );
            link(base, &format!(r#""account_key": "{key}""#))
        },
        faulty,
        writes: |request| !request.is_safe(),
        write: Some(write(&format!(r#""account_key": "{key}""#), "key/")),
    };
    testing::conformance(&Driver::of::<Azure>(), &fixture).assert();
}

#[test]
fn conformance_of_a_signature() {
    let account = Azurite::shared().account();
    let sas = SharedAccess::container("empty")
        .permissions("rcwdl")
        .sign(&account)
        .unwrap();
    let fixture = Fixture {
        test: "conformance_of_a_signature",
        // 32 bytes of base64 that begin with the suite's secret.
        link: |base, secret| {
            let signature = format!("{}A=", secret.trim_end_matches('='))
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D");
            let parameters = "sv=2024-11-04&sr=c&sp=rlcwd&se=2099-01-01T00%3A00%3A00Z";
            link(
                base,
                &format!(r#""sas_token": "{parameters}&sig={signature}""#),
            )
        },
        faulty,
        writes: |request| !request.is_safe(),
        write: Some(write(&format!(r#""sas_token": "{sas}""#), "sas/")),
    };
    testing::conformance(&Driver::of::<Azure>(), &fixture).assert();
}
