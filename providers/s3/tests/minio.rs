//! S3 links against a real MinIO: every right, key and encryption, plain and TLS.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{dial, dial_with, settings};
use linkdial_core::net::Net;
use linkdial_core::testing::record::{diagnosis, evidence, note, passed, summary};
use linkdial_core::{Intent, Settings, Stage};
use linkdial_testcontainers::{Certificates, KMS_KEY_ID, Login, Minio, SSE_C_KEY, User};
use md5::{Digest as _, Md5};

fn credentials(login: &Login) -> String {
    let mut keys = serde_json::json!({
        "aws_access_key_id": login.access_key_id,
        "aws_secret_access_key": login.secret_access_key,
    });
    if let Some(token) = &login.session_token {
        keys["aws_session_token"] = token.as_str().into();
    }
    keys.to_string()
}

fn as_user(user: User) -> String {
    credentials(&user.login())
}

fn config(minio: &Minio) -> String {
    format!(
        r#"{{"endpoint_url":"{}","region":"{}"}}"#,
        minio.endpoint_url(),
        minio.region()
    )
}

fn with(minio: &Minio, more: &serde_json::Value) -> String {
    let mut config: serde_json::Value = serde_json::from_str(&config(minio)).unwrap();
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    config.to_string()
}

fn customer_key(key: &[u8]) -> serde_json::Value {
    serde_json::json!({
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": STANDARD.encode(key),
        "x-amz-server-side-encryption-customer-key-MD5": STANDARD.encode(Md5::digest(key)),
    })
}

#[test]
fn rights_and_identities() {
    let minio = Minio::shared();
    let unknown = Login::new("AKIANOBODY", "some-secret");
    let wrong = Login::new(User::ReadOnly.login().access_key_id, "some-secret");
    let mut garbage = minio.assume_role(User::ReadOnly).unwrap();
    garbage.session_token = Some("garbage".to_owned());
    for (credentials, target, expected) in [
        (as_user(User::ReadOnly), Some("private/team/a/"), "pass"),
        (as_user(User::ReadOnly), None, "pass"),
        (as_user(User::NoPolicy), None, "pass"),
        (as_user(User::ReadOnly), Some("private/*.txt"), "pass"),
        (as_user(User::ReadOnly), Some("empty/nothing/"), "pass"),
        (as_user(User::Prefix), Some("private/team/a/"), "pass"),
        ("{}".to_owned(), Some("public"), "pass"),
        (
            credentials(&minio.assume_role(User::ReadOnly).unwrap()),
            Some("private"),
            "pass",
        ),
        (
            credentials(&wrong),
            Some("private"),
            "fail authenticate.bad-secret CREDENTIALS/aws_secret_access_key",
        ),
        (
            credentials(&wrong),
            None,
            "fail authenticate.bad-secret CREDENTIALS/aws_secret_access_key",
        ),
        (
            credentials(&unknown),
            Some("private"),
            "fail authenticate.unknown-key CREDENTIALS/aws_access_key_id",
        ),
        (
            as_user(User::Disabled),
            Some("private"),
            "fail authenticate.method-disabled CREDENTIALS/aws_access_key_id",
        ),
        (
            credentials(&garbage),
            Some("private"),
            "fail authenticate.token-invalid CREDENTIALS/aws_session_token",
        ),
        (
            as_user(User::Prefix),
            Some("private/other/"),
            "fail access.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            as_user(User::NoList),
            Some("private"),
            "fail access.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            as_user(User::ListOnly),
            Some("private"),
            "fail read.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            as_user(User::ReadOnly),
            Some("locked"),
            "fail access.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            as_user(User::Root),
            Some("no-such-bucket"),
            "fail access.not-found",
        ),
        (
            "{}".to_owned(),
            Some("private"),
            "fail authenticate.required CREDENTIALS/aws_access_key_id",
        ),
    ] {
        let steps = dial(&credentials, &config(minio), target);
        assert_eq!(summary(&steps), expected, "{target:?}: {steps:#?}");
    }
    let steps = dial(
        &as_user(User::ReadOnly),
        &config(minio),
        Some("private/*.txt"),
    );
    assert_eq!(note(&steps, "object"), Some("private/other/two.txt"));
    assert_eq!(
        passed(&steps),
        [
            Stage::Define,
            Stage::Resolve,
            Stage::Connect,
            Stage::Authenticate,
            Stage::Access,
            Stage::Read
        ]
    );
}

#[test]
fn region_style_and_scheme() {
    let minio = Minio::shared();
    let login = as_user(User::ReadOnly);
    let steps = dial(
        &login,
        &with(minio, &serde_json::json!({"region": "eu-west-1"})),
        Some("private"),
    );
    assert_eq!(summary(&steps), "fail access.wrong-region CONFIG/region");
    assert_eq!(evidence(&steps, "expected_region"), Some("us-east-1"));
    let https = minio.endpoint_url().replace("http://", "https://");
    let steps = dial(
        &login,
        &with(minio, &serde_json::json!({"endpoint_url": https})),
        Some("private"),
    );
    assert_eq!(summary(&steps), "fail tls.not-tls CONFIG/endpoint_url");
    let tls = Minio::shared_tls();
    let http = tls.endpoint_url().replace("https://", "http://");
    let steps = dial(
        &login,
        &with(tls, &serde_json::json!({"endpoint_url": http})),
        Some("private"),
    );
    assert_eq!(summary(&steps), "fail tls.required CONFIG/endpoint_url");

    // Bucket in the host name: known to MinIO by its domain, a bare listing under another name.
    let port = minio.addr().port();
    for (host, expected) in [
        ("s3.localhost", "pass"),
        (
            "other.test",
            "fail access.wrong-style CONFIG/s3_force_path_style",
        ),
    ] {
        let settings = Settings {
            net: Net::builder()
                .resolve(&format!("private.{host}"), minio.addr().ip())
                .build(),
            ..Settings::default()
        };
        let config = with(
            minio,
            &serde_json::json!({"endpoint_url": format!("http://{host}:{port}"), "s3_force_path_style": "false"}),
        );
        let steps = dial_with(&login, &config, Some("private"), Intent::READ, settings);
        assert_eq!(summary(&steps), expected, "{host}: {steps:#?}");
    }
}

#[test]
fn tls_trust_and_customer_keys() {
    let minio = Minio::shared_tls();
    let login = as_user(User::ReadOnly);
    let right = with(minio, &customer_key(SSE_C_KEY));
    let wrong = with(minio, &customer_key(b"another key of thirty-two bytes!"));
    for (config, target, expected) in [
        (config(minio), "private", "pass"),
        (right.clone(), "sse-c", "pass"),
        (
            wrong,
            "sse-c",
            "fail read.key-mismatch CONFIG/x-amz-server-side-encryption-customer-key",
        ),
        (
            config(minio),
            "sse-c",
            "fail read.key-required CONFIG/x-amz-server-side-encryption-customer-key",
        ),
        (
            right,
            "private",
            "fail read.not-encrypted CONFIG/x-amz-server-side-encryption-customer-key",
        ),
    ] {
        let steps = dial(&login, &config, Some(target));
        assert_eq!(summary(&steps), expected, "{target}: {steps:#?}");
    }
    let foreign = Certificates::shared().foreign_ca_pem();
    let settings = Settings {
        net: Net::builder().ca_pem(foreign.as_bytes()).unwrap().build(),
        ..Settings::default()
    };
    let steps = dial_with(
        &login,
        &config(minio),
        Some("private"),
        Intent::READ,
        settings,
    );
    assert_eq!(
        summary(&steps),
        "fail tls.unknown-issuer CONFIG/endpoint_url"
    );
}

#[test]
fn a_role_is_taken_on() {
    let minio = Minio::shared();
    let role = |user: User, secret: Option<&str>| {
        let login = user.login();
        serde_json::json!({
            "aws_access_key_id": login.access_key_id,
            "aws_secret_access_key": secret.unwrap_or(&login.secret_access_key),
            "role_arn": "arn:aws:iam::123456789012:role/any",
        })
        .to_string()
    };
    let steps = dial(&role(User::ReadOnly, None), &config(minio), Some("private"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert!(steps.iter().any(|step| {
        step.endpoint
            .as_ref()
            .is_some_and(|it| it.role == linkdial_core::Role::Sts)
    }));
    let steps = dial(
        &role(User::ReadOnly, Some("some-secret")),
        &config(minio),
        Some("private"),
    );
    assert_eq!(
        summary(&steps),
        "fail authenticate.bad-secret CREDENTIALS/aws_secret_access_key"
    );
}

#[test]
fn a_sentinel_is_written_and_taken_away() {
    let plain = Minio::shared();
    let tls = Minio::shared_tls();
    let allowed = || Settings {
        write: true,
        ..settings()
    };
    let kms = serde_json::json!({
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY_ID,
    });
    let unknown = serde_json::json!({
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "no-such-key",
    });
    let managed = serde_json::json!({"x-amz-server-side-encryption": "AES256"});
    for (minio, user, config, expected) in [
        (plain, User::Writer, config(plain), "pass"),
        (plain, User::Writer, with(plain, &managed), "pass"),
        (plain, User::Writer, with(plain, &kms), "pass"),
        (
            tls,
            User::Writer,
            with(tls, &customer_key(SSE_C_KEY)),
            "pass",
        ),
        (
            plain,
            User::ReadOnly,
            config(plain),
            "fail write.denied CREDENTIALS/aws_access_key_id",
        ),
        (
            plain,
            User::Writer,
            with(plain, &unknown),
            "fail write.kms-denied CONFIG/x-amz-server-side-encryption-aws-kms-key-id",
        ),
    ] {
        let steps = dial_with(
            &as_user(user),
            &config,
            Some("empty/written/"),
            Intent::WRITE,
            allowed(),
        );
        assert_eq!(summary(&steps), expected, "{steps:#?}");
        let left = minio.store().list("empty", "written/").unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
    let steps = dial_with(
        &as_user(User::NoDelete),
        &config(plain),
        Some("private/kept/"),
        Intent::WRITE,
        allowed(),
    );
    let expected = "warn write.leftover CREDENTIALS/aws_access_key_id";
    assert_eq!(summary(&steps), expected);
    let named = diagnosis(&steps).unwrap().message.clone();
    let left = plain.store().list("private", "kept/").unwrap();
    assert_eq!(left.len(), 1);
    assert!(named.contains(&left[0]), "{named}");
    plain.store().delete("private", &left[0]).unwrap();
}
