//! The promises that every provider keeps.

mod common;

use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{Driver, Kind};
use linkdial_s3::S3;
use linkdial_testcontainers::{Minio, User};

fn link(base: &str, id: &str, secret: &str) -> Link {
    Link::new(
        Kind::S3,
        &format!(r#"{{"endpoint_url": "{base}"}}"#),
        &format!(r#"{{"aws_access_key_id": "{id}", "aws_secret_access_key": "{secret}"}}"#),
        Some("empty/out/"),
    )
}

#[test]
fn conformance() {
    let minio = Minio::shared();
    let login = User::Writer.login();
    let writer = link(
        &minio.endpoint_url(),
        &login.access_key_id,
        &login.secret_access_key,
    );
    let fixture = Fixture {
        test: "conformance",
        link: |base, secret| link(base, "AKIATEST", secret),
        faulty: || {
            [
                ("", r#"{"aws_access_key_id": "AKIATEST"}"#),
                (
                    r#"{"endpoint_url": "store"}"#,
                    r#"{"aws_acces_key_id": "x"}"#,
                ),
                (r#"{"region": "US East", "regoin": 1}"#, ""),
                (
                    r#"{"x-amz-server-side-encryption-customer-key": "short"}"#,
                    r#"{"aws_session_token": " x"}"#,
                ),
                ("{", r#"{"role_arn": "reader", "role_arn": 1}"#),
            ]
            .map(|(config, credentials)| testing::definition(Kind::S3, config, credentials))
            .into()
        },
        writes: |request| !request.is_safe(),
        write: Some(WriteFixture::new(writer, common::settings, || {
            minio.store().list("empty", "").unwrap()
        })),
    };
    testing::conformance(&Driver::of::<S3>(), &fixture).assert();
}
