//! Dials one S3 link the way the program does.
#![allow(dead_code, reason = "each test binary uses another part")]

use linkdial_core::testing::{self, Link};
use linkdial_core::{Driver, Intent, Kind, Opened, Settings, Step};
use linkdial_s3::S3;
use linkdial_testcontainers::{Answer, Certificates, ScriptedHttp};

/// Reads a definition.
pub(crate) fn open(credentials: &str, config: &str) -> Opened {
    Driver::of::<S3>().open(&testing::definition(Kind::S3, config, credentials))
}

/// Settings with short deadlines that trust the throw-away CA.
pub(crate) fn settings() -> Settings {
    testing::settings_trusting(Certificates::shared().ca_pem())
}

/// One dial, on a runtime of its own.
pub(crate) fn dial_with(
    credentials: &str,
    config: &str,
    target: Option<&str>,
    intent: Intent,
    settings: Settings,
) -> Vec<Step> {
    let link = Link::new(Kind::S3, config, credentials, target);
    testing::dial_blocking(&Driver::of::<S3>(), &link, settings, intent)
}

/// One dial that reads.
pub(crate) fn dial(credentials: &str, config: &str, target: Option<&str>) -> Vec<Step> {
    dial_with(credentials, config, target, Intent::READ, settings())
}

/// A key pair with a marked secret.
pub(crate) const PAIR: &str =
    r#"{"aws_access_key_id":"AKIAMARKED","aws_secret_access_key":"m4rk3d/secret+"}"#;

/// A listing without objects.
pub(crate) const EMPTY: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"#;

/// A listing of one object.
pub(crate) const ONE: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix><KeyCount>1</KeyCount><MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key><Size>6</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"#;

/// An error document of S3.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::status(status)
        .header("content-type", "application/xml")
        .header("x-amz-request-id", "4442587FB7D0A2F9")
        .body(format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"#
        ))
}

/// A good answer.
pub(crate) fn xml(body: &str) -> Answer {
    Answer::status(200)
        .header("content-type", "application/xml")
        .body(body.to_owned())
}

/// CONFIG that names a server.
pub(crate) fn config(server: &ScriptedHttp) -> String {
    format!(r#"{{"endpoint_url":"{}"}}"#, server.url())
}
