//! The promises that every provider keeps.

mod common;

use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{Driver, Kind};
use linkdial_gcs::Gcs;
use linkdial_testcontainers::{Minio, User};

#[test]
fn conformance() {
    let minio = Minio::shared_gcs();
    let writer = Link::new(
        Kind::Gcs,
        &common::config(&minio.endpoint_url()),
        &common::hmac(&User::Writer.hmac_login()),
        Some("empty/out/"),
    );
    let fixture = Fixture {
        test: "conformance",
        link: |base, secret| {
            Link::new(
                Kind::Gcs,
                &common::config(base),
                &format!(r#"{{"access_id": "GOOG1TEST", "secret_key": "{secret}"}}"#),
                Some("bucket/in/"),
            )
        },
        faulty: || {
            [
                ("", r#"{"access_id": "GOOG1TEST"}"#),
                (r#"{"endpoint_url": "store"}"#, r#"{"acces_id": "x"}"#),
                (r#"{"region": "US East", "regoin": 1}"#, ""),
                ("", r#"{"service_account_key": "x", "secret_key": " x"}"#),
                (
                    "{",
                    r#"{"service_account_key": {"type": "authorized_user"}}"#,
                ),
            ]
            .map(|(config, credentials)| testing::definition(Kind::Gcs, config, credentials))
            .into()
        },
        writes: |request| !request.is_safe(),
        write: Some(WriteFixture::new(writer, common::settings, || {
            minio.store().list("empty", "").unwrap()
        })),
    };
    testing::conformance(&Driver::of::<Gcs>(), &fixture).assert();
}
