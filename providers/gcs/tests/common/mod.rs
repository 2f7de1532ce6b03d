//! Dials one GCS link the way the program does.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses another part"
)]

use std::sync::Arc;
use std::time::Duration;

use linkdial_core::net::Net;
use linkdial_core::testing::record;
pub(crate) use linkdial_core::testing::record::{note, passed};
use linkdial_core::{
    Clause, ClauseName, Definition, Diagnosis, Driver, Intent, Kind, Opened, Settings, Step,
    Target, verdict,
};
use linkdial_gcs::Gcs;
use linkdial_testcontainers::{Answer, Certificates, Login, ScriptedHttp, ServiceAccount};
use tokio_util::sync::CancellationToken;

/// An HMAC key with a marked secret.
pub(crate) const HMAC: &str = r#"{"access_id":"GOOG1MARKED","secret_key":"m4rk3d/secret+"}"#;

/// Reads a definition.
pub(crate) fn open(credentials: &str, config: &str) -> Opened {
    Driver::of::<Gcs>().open(&Definition {
        kind: Kind::Gcs,
        credentials: Clause::parse(ClauseName::Credentials, credentials),
        config: Clause::parse(ClauseName::Config, config),
    })
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
    let ca = Certificates::shared().ca_pem();
    Settings {
        stage_timeout: Duration::from_secs(5),
        net: Net::builder().ca_pem(ca.as_bytes()).unwrap().build(),
        ..Settings::default()
    }
}

/// One dial, on a runtime of its own.
pub(crate) fn dial_with(
    credentials: &str,
    config: &str,
    target: Option<&str>,
    intent: Intent,
    settings: Settings,
) -> Vec<Step> {
    let opened = open(credentials, config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(opened.check(
        &Arc::new(settings),
        &CancellationToken::new(),
        target.map(Target::new),
        intent,
    ))
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

/// The finding that decides, beside the warning about the keys of linkdial's own.
pub(crate) fn decisive(steps: &[Step]) -> Option<&Diagnosis> {
    let beyond = beyond_extensions(steps);
    let worst = verdict(&beyond);
    let at = beyond.iter().position(|step| step.outcome == worst)?;
    steps
        .iter()
        .filter(|step| !about_extension(step))
        .nth(at)?
        .diagnosis
        .as_ref()
}

/// As `record::summary`, without what every link with an `endpoint_url` is warned of.
pub(crate) fn summary(steps: &[Step]) -> String {
    record::summary(&beyond_extensions(steps))
}

fn beyond_extensions(steps: &[Step]) -> Vec<Step> {
    let others = steps.iter().filter(|step| !about_extension(step));
    others.cloned().collect()
}

fn about_extension(step: &Step) -> bool {
    let code = step.diagnosis.as_ref().map(|diagnosis| diagnosis.code);
    code == Some(linkdial_core::Code::DefineExtensionKey)
}

/// A value of the evidence of the decisive finding.
pub(crate) fn evidence<'a>(steps: &'a [Step], name: &str) -> Option<&'a str> {
    decisive(steps)?
        .evidence
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.as_str())
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
