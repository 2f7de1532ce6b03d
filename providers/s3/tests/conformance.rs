//! The promises that every provider keeps.

mod common;

use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{Driver, Kind, Target};
use linkdial_s3::S3;
use linkdial_testcontainers::{Minio, User};

#[test]
fn conformance() {
    let minio = Minio::shared();
    let login = User::Writer.login();
    let list = || minio.store().list("empty", "").unwrap();
    let before = list();
    let fixture = Fixture {
        test: "conformance",
        link: |base, secret| Link {
            definition: testing::definition(
                Kind::S3,
                &format!(r#"{{"endpoint_url": "{base}"}}"#),
                &format!(
                    r#"{{"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "{secret}"}}"#
                ),
            ),
            target: Some(Target::new("bucket/in/")),
        },
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
        writes: |request| !["HEAD", "GET"].contains(&request.method.as_str()),
        write: Some(WriteFixture {
            link: Link {
                definition: testing::definition(
                    Kind::S3,
                    &format!(r#"{{"endpoint_url": "{}"}}"#, minio.endpoint_url()),
                    &format!(
                        r#"{{"aws_access_key_id": "{}", "aws_secret_access_key": "{}"}}"#,
                        login.access_key_id, login.secret_access_key
                    ),
                ),
                target: Some(Target::new("empty/out/")),
            },
            settings: common::settings,
            leftovers: Box::new(move || {
                list()
                    .into_iter()
                    .filter(|key| !before.contains(key))
                    .collect()
            }),
        }),
    };
    testing::conformance(&Driver::of::<S3>(), &fixture).assert();
}
