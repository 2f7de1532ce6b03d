//! GCS links against real servers: MinIO checks the signatures of HMAC keys, fake-gcs-server
//! speaks as Google does and checks nothing.

mod common;

use std::time::Duration;

use common::{config, dial, dial_with, hmac, service_account, settings, write};
use linkdial_core::net::Net;
use linkdial_core::testing::record::{evidence, note, passed, summary};
use linkdial_core::{Intent, Settings, Stage};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Certificates, FakeGcs, Login, Minio, User};

fn as_user(user: User) -> String {
    hmac(&user.hmac_login())
}

#[test]
fn rights_and_identities() {
    let reader = User::ReadOnly.hmac_login();
    let wrong = Login::new(reader.access_key_id.as_str(), "m4rked/wrong+secret");
    let unknown = Login::new(
        "GOOG1NOBODYHASTHISKEYID0",
        reader.secret_access_key.as_str(),
    );
    let malformed = Login::new("GOOG1/LAB", reader.secret_access_key.as_str());
    let unknown_key = "fail authenticate.unknown-key CREDENTIALS/access_id";
    let bad_secret = "fail authenticate.bad-secret CREDENTIALS/secret_key";
    for minio in [Minio::shared_gcs(), Minio::shared_gcs_tls()] {
        let config = config(&minio.endpoint_url());
        for (credentials, target, expected) in [
            (as_user(User::ReadOnly), Some("private/team/a/"), "pass"),
            (as_user(User::ReadOnly), Some("private/*.txt"), "pass"),
            (as_user(User::ReadOnly), Some("empty/nothing/"), "pass"),
            (as_user(User::ReadOnly), None, "pass"),
            (as_user(User::NoPolicy), None, "pass"),
            ("{}".to_owned(), Some("public"), "pass"),
            ("{}".to_owned(), None, "unverified define.no-target"),
            (hmac(&wrong), Some("private"), bad_secret),
            (hmac(&wrong), None, bad_secret),
            (hmac(&unknown), Some("private"), unknown_key),
            (hmac(&unknown), None, unknown_key),
            (hmac(&malformed), Some("private"), unknown_key),
            (
                as_user(User::Disabled),
                Some("private"),
                "fail authenticate.method-disabled CREDENTIALS/access_id",
            ),
            (
                as_user(User::Prefix),
                Some("private/other/"),
                "fail access.denied CREDENTIALS/access_id",
            ),
            (
                as_user(User::ListOnly),
                Some("private"),
                "fail read.denied CREDENTIALS/access_id",
            ),
            (
                as_user(User::Root),
                Some("no-such-bucket"),
                "fail access.not-found",
            ),
            (
                "{}".to_owned(),
                Some("private"),
                "fail authenticate.required CREDENTIALS/access_id",
            ),
            (
                service_account(),
                Some("private"),
                "fail access.denied CREDENTIALS/service_account_key",
            ),
        ] {
            let steps = dial(&credentials, &config, target);
            assert_eq!(summary(&steps), expected, "{target:?}: {steps:#?}");
            let shown = format!("{steps:?}");
            assert!(!shown.contains("m4rked"), "{shown}");
            assert!(!shown.contains(&reader.secret_access_key), "{shown}");
        }
    }
    let config = config(&Minio::shared_gcs().endpoint_url());
    let steps = dial(&as_user(User::ReadOnly), &config, Some("private/*.txt"));
    assert_eq!(note(&steps, "object"), Some("private/other/two.txt"));
    let walked = [
        Stage::Define,
        Stage::Resolve,
        Stage::Connect,
        Stage::Authenticate,
        Stage::Access,
        Stage::Read,
    ];
    assert!(passed(&steps).iter().all(|stage| walked.contains(stage)));
    assert!(
        walked[1..]
            .iter()
            .all(|stage| passed(&steps).contains(stage))
    );
}

#[test]
fn schemes_trust_and_silence() {
    let (plain, tls) = (Minio::shared_gcs(), Minio::shared_gcs_tls());
    let reader = as_user(User::ReadOnly);
    let swapped =
        |minio: &Minio, from: &str, to: &str| config(&minio.endpoint_url().replace(from, to));
    let https = swapped(plain, "http://", "https://");
    let steps = dial(&reader, &https, Some("private"));
    assert_eq!(summary(&steps), "fail tls.not-tls CONFIG/endpoint_url");
    let http = swapped(tls, "https://", "http://");
    let steps = dial(&reader, &http, Some("private"));
    assert_eq!(summary(&steps), "fail tls.required CONFIG/endpoint_url");
    let foreign = Certificates::shared().foreign_ca_pem();
    let stranger = Settings {
        net: Net::builder().ca_pem(foreign.as_bytes()).unwrap().build(),
        ..settings()
    };
    let config_tls = config(&tls.endpoint_url());
    let steps = dial_with(
        &reader,
        &config_tls,
        Some("private"),
        Intent::READ,
        stranger,
    );
    assert_eq!(
        summary(&steps),
        "fail tls.unknown-issuer CONFIG/endpoint_url"
    );
    let regional = format!(
        r#"{{"endpoint_url":"{}","region":"us-east1"}}"#,
        plain.endpoint_url()
    );
    let steps = dial(&reader, &regional, Some("private"));
    assert_eq!(summary(&steps), "fail access.wrong-region CONFIG/region");
    assert_eq!(evidence(&steps, "expected_region"), Some("auto"));
    let silent = Broken::start(Fault::Silent);
    let quick = Settings {
        stage_timeout: Duration::from_millis(300),
        ..settings()
    };
    let steps = dial_with(
        &reader,
        &config(&silent.url()),
        Some("private"),
        Intent::READ,
        quick,
    );
    assert_eq!(summary(&steps), "fail access.timed-out CONFIG/endpoint_url");
}

#[test]
fn a_sentinel_is_written_and_taken_away() {
    for minio in [Minio::shared_gcs(), Minio::shared_gcs_tls()] {
        let config = config(&minio.endpoint_url());
        for (user, expected) in [
            (User::Writer, "pass"),
            (User::ReadOnly, "fail write.denied CREDENTIALS/access_id"),
        ] {
            let steps = write(&as_user(user), &config, "empty/written/");
            assert_eq!(summary(&steps), expected, "{steps:#?}");
            let left = minio.store().list("empty", "written/").unwrap();
            assert!(left.is_empty(), "{left:?}");
        }
    }
    let minio = Minio::shared_gcs();
    let steps = write(
        &as_user(User::NoDelete),
        &config(&minio.endpoint_url()),
        "private/kept/",
    );
    let expected = "warn write.leftover CREDENTIALS/access_id";
    assert_eq!(summary(&steps), expected);
    let left = minio.store().list("private", "kept/").unwrap();
    assert_eq!(left.len(), 1);
    minio.store().delete("private", &left[0]).unwrap();
}

/// It looks at no credentials: what passes there is the way of a request, not its identity.
#[test]
fn googles_own_answers_are_read() {
    for fake in [FakeGcs::shared(), FakeGcs::shared_tls()] {
        let config = config(&fake.endpoint_url());
        for credentials in ["{}".to_owned(), service_account(), as_user(User::ReadOnly)] {
            let steps = dial(&credentials, &config, Some("public/*.txt"));
            assert_eq!(summary(&steps), "pass", "{steps:#?}");
            assert_eq!(note(&steps, "objects"), Some("3"));
            assert_eq!(note(&steps, "object"), Some("public/other/two.txt"));
            let steps = dial(&credentials, &config, Some("empty"));
            assert_eq!(summary(&steps), "pass", "{steps:#?}");
            assert_eq!(note(&steps, "objects"), Some("0"));
        }
        // A missing bucket is a fault of the server there, whose sentence says it.
        let steps = dial(&service_account(), &config, Some("nowhere"));
        assert_eq!(summary(&steps), "fail access.not-found", "{steps:#?}");
    }
}
