//! Dials one GCS link the way the program does.
#![allow(dead_code, reason = "each test binary uses another part")]

use linkdial_core::testing::{self, Link, record};
use linkdial_core::{Driver, Intent, Kind, Opened, Settings, Step};
use linkdial_gcs::Gcs;
use linkdial_testcontainers::{Answer, Certificates, Login, ScriptedHttp, ServiceAccount};

/// An HMAC key with a marked secret.
pub(crate) const HMAC: &str = r#"{"access_id":"GOOG1MARKED","secret_key":"m4rk3d/secret+"}"#;

/// Reads a definition.
pub(crate) fn open(credentials: &str, config: &str) -> Opened {
    Driver::of::<Gcs>().open(&testing::definition(Kind::Gcs, config, credentials))
}

/// CREDENTIALS with an HMAC key.
pub(crate) fn hmac(login: &Login) -> String {
    format!(
        r#"{{"access_id":"{}","secret_key":"{}"}}"#,
        login.access_key_id, login.secret_access_key
    )
}

/// CREDENTIALS with the key file of the shared service account.
pub(crate) fn service_account() -> String {
    format!(
        r#"{{"service_account_key":{}}}"#,
        ServiceAccount::shared().json()
    )
}

/// CONFIG that names a server.
pub(crate) fn config(url: &str) -> String {
    format!(r#"{{"endpoint_url":"{url}"}}"#)
}

/// Settings with short deadlines that trust the throw-away CA.
pub(crate) fn settings() -> Settings {
    testing::settings_trusting(Certificates::shared().ca_pem())
}

/// One dial, on a runtime of its own. Its record is without the warnings about keys of our own, which
/// a link to a server of ours always has.
pub(crate) fn dial_with(
    credentials: &str,
    config: &str,
    target: Option<&str>,
    intent: Intent,
    settings: Settings,
) -> Vec<Step> {
    let link = Link::new(Kind::Gcs, config, credentials, target);
    let driver = Driver::of::<Gcs>();
    record::without_extensions(testing::dial_blocking(&driver, &link, settings, intent))
}

/// One dial that reads.
pub(crate) fn dial(credentials: &str, config: &str, target: Option<&str>) -> Vec<Step> {
    dial_with(credentials, config, target, Intent::READ, settings())
}

/// One dial that writes.
pub(crate) fn write(credentials: &str, config: &str, target: &str) -> Vec<Step> {
    let settings = Settings {
        write: true,
        ..settings()
    };
    dial_with(credentials, config, Some(target), Intent::WRITE, settings)
}

/// A listing of one object, as Google writes it.
pub(crate) const ONE: &str = "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Name>bucket</Name><Prefix>in/</Prefix><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>in/a.csv</Key><Generation>1700000000000001</Generation><MetaGeneration>1</MetaGeneration><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"b1946ac92492d2347c6235b4d2611184\"</ETag><Size>6</Size></Contents></ListBucketResult>";

/// An error document of Google.
pub(crate) fn error(status: u16, code: &str, message: &str, details: &str) -> Answer {
    let details = if details.is_empty() {
        String::new()
    } else {
        format!("<Details>{details}</Details>")
    };
    Answer::status(status)
        .header("content-type", "application/xml; charset=UTF-8")
        .header("x-guploader-uploadid", "ABPtcPpY")
        .body(format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message>{details}</Error>"
        ))
}

/// A good answer.
pub(crate) fn xml(body: &str) -> Answer {
    Answer::status(200)
        .header("content-type", "application/xml; charset=UTF-8")
        .body(body.to_owned())
}

/// Dials `bucket/in/` at a server that answers everything alike.
pub(crate) fn listing(credentials: &str, answer: Answer) -> Vec<Step> {
    let server = ScriptedHttp::always([answer]);
    dial(credentials, &config(&server.url()), Some("bucket/in/"))
}
