//! Dials one Kafka link the way the program does.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "each test binary uses another part")]

pub(crate) mod peer;

use std::time::Duration;

use linkdial_core::testing::{self, Link, dial};
use linkdial_core::{
    Code, Diagnosis, Driver, Intent, Kind, Outcome, Settings, Stage, Step, Target, verdict,
};
use linkdial_kafka::Kafka;
use serde_json::{Map, Value};

/// Settings with short deadlines.
pub(crate) fn settings() -> Settings {
    Settings {
        stage_timeout: Duration::from_millis(800),
        ..Settings::default()
    }
}

/// Writes a clause.
pub(crate) fn clause(members: &[(&str, &str)]) -> String {
    let members = members.iter().map(|(key, value)| {
        let value = Value::String((*value).to_owned());
        ((*key).to_owned(), value)
    });
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}

/// Makes a link of two clauses and a target.
pub(crate) fn link(config: &str, credentials: &str, target: Option<&str>) -> Link {
    Link {
        definition: testing::definition(Kind::Kafka, config, credentials),
        target: target.map(Target::new),
    }
}

/// Dials a link as the program does.
pub(crate) async fn ask(link: &Link) -> Vec<Step> {
    ask_with(link, settings(), Intent::READ).await
}

/// Dials a link with settings of its own.
pub(crate) async fn ask_with(link: &Link, settings: Settings, intent: Intent) -> Vec<Step> {
    dial(&Driver::of::<Kafka>(), link, settings, intent).await
}

/// Returns the step that decides.
pub(crate) fn decided(steps: &[Step]) -> &Step {
    let worst = verdict(steps);
    steps.iter().find(|step| step.outcome == worst).unwrap()
}

/// Returns the finding that decides.
pub(crate) fn finding(steps: &[Step]) -> Diagnosis {
    let step = decided(steps);
    let finding = step.diagnosis.clone();
    finding.unwrap_or_else(|| panic!("no finding in {steps:#?}"))
}

/// Asserts verdict, code and role of the step that decides, and returns its finding.
pub(crate) fn expect(steps: &[Step], outcome: Outcome, code: Code, role: &str) -> Diagnosis {
    let step = decided(steps);
    let found = step.diagnosis.as_ref().map(|it| it.code);
    let at = step.endpoint.as_ref().map_or("", |it| it.role.as_str());
    assert_eq!(
        (step.outcome, found, at),
        (outcome, Some(code), role),
        "{steps:#?}"
    );
    finding(steps)
}

/// Stage, role and outcome of each step.
pub(crate) fn walked(steps: &[Step]) -> Vec<(Stage, &'static str, Outcome)> {
    let walked = steps.iter().map(|step| {
        let role = step.endpoint.as_ref().map_or("", |it| it.role.as_str());
        (step.stage, role, step.outcome)
    });
    walked.collect()
}

/// Where the keys stand that a finding names.
pub(crate) fn pointers(finding: &Diagnosis) -> Vec<&str> {
    let places = finding.keys.iter();
    places.map(|place| place.pointer.as_str()).collect()
}

/// The value of a piece of evidence; empty when it is not there.
pub(crate) fn evidence<'a>(finding: &'a Diagnosis, name: &str) -> &'a str {
    let found = finding.evidence.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

/// The value of a note of any step; empty when it is not there.
pub(crate) fn note<'a>(steps: &'a [Step], name: &str) -> &'a str {
    let notes = steps.iter().flat_map(|step| &step.notes);
    let mut found = notes.filter(|(known, _)| *known == name);
    found.next().map_or("", |(_, value)| value)
}
