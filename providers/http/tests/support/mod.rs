//! Dials one HTTP link the way the program does.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "each test binary uses another part")]

use std::time::Duration;

use linkdial_core::net::Net;
use linkdial_core::testing::{self, Link, dial};
use linkdial_core::{Diagnosis, Driver, Intent, Kind, Settings, Step, Target, verdict};
use linkdial_http::Http;
use linkdial_testcontainers::Certificates;

/// A link that sends a token that nobody knows.
pub(crate) const BEARER: &str = r#"{"headers": {"Authorization": "Bearer s3cr3t-token"}}"#;
/// A link that says who it is in a header of its own.
pub(crate) const API_KEY: &str = r#"{"headers": {"Accept": "*/*", "X-Api-Key": "s3cr3t-key"}}"#;

/// Settings with short deadlines that trust the throw-away CA.
pub(crate) fn settings() -> Settings {
    Settings {
        stage_timeout: Duration::from_millis(800),
        net: Net::builder()
            .ca_pem(Certificates::shared().ca_pem().as_bytes())
            .unwrap()
            .build(),
        ..Settings::default()
    }
}

/// Dials one link as the program does.
pub(crate) async fn ask(credentials: &str, url: &str, settings: Settings) -> Vec<Step> {
    let link = Link {
        definition: testing::definition(Kind::Http, "", credentials),
        target: Some(Target::new(url)),
    };
    dial(&Driver::of::<Http>(), &link, settings, Intent::READ).await
}

/// Dials and returns the finding that decides.
pub(crate) async fn finding(credentials: &str, url: &str) -> Diagnosis {
    let steps = ask(credentials, url, settings()).await;
    let decided = steps.iter().find(|step| step.outcome == verdict(&steps));
    decided
        .unwrap()
        .diagnosis
        .clone()
        .unwrap_or_else(|| panic!("no finding in {steps:#?}"))
}

/// Where the keys stand that a finding names.
pub(crate) fn pointers(finding: &Diagnosis) -> Vec<&str> {
    finding
        .keys
        .iter()
        .map(|place| place.pointer.as_str())
        .collect()
}

/// The value of a piece of evidence; empty when it is not there.
pub(crate) fn evidence<'a>(finding: &'a Diagnosis, name: &str) -> &'a str {
    let found = finding.evidence.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}
