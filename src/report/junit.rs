//! `JUnit` XML: a link with its target is a suite, a step is a case.

use std::fmt::Write as _;
use std::io::Write;

use linkdial_core::Outcome;
use quick_junit::{
    NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite,
};

use super::{Check, Finding, RenderError, Report, Step};
use crate::script::ScriptError;
use crate::sql::Place;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> Result<(), RenderError> {
    let mut document = Document::new("linkdial");
    document.set_time(report.elapsed);
    if !report.errors.is_empty() {
        let mut suite = TestSuite::new("script");
        suite.add_test_cases(report.errors.iter().map(script_error));
        document.add_test_suite(suite);
    }
    document.add_test_suites(
        report
            .checks
            .iter()
            .map(|check| suite(check, report.host.as_deref())),
    );
    // The writer's own error hides the kind of an I/O failure, so the bytes are formed first.
    let text = document
        .to_string()
        .map_err(|error| RenderError::Form(error.to_string()))?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

fn script_error(error: &ScriptError) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(error.code.as_str());
    status.set_message(error.message.as_str());
    let mut text = at(&error.place);
    if !error.expected.is_empty() {
        push_line(&mut text, "expected", &error.expected.join(", "));
    }
    if let Some(hint) = &error.hint {
        push_line(&mut text, "hint", hint);
    }
    status.set_description(text);
    let mut case = TestCase::new(
        format!("{}:{}", error.place.line, error.place.column),
        status,
    );
    case.set_classname(&*error.place.file);
    case
}

fn suite(check: &Check, host: Option<&str>) -> TestSuite {
    let link = check.link.to_string();
    let mut suite = TestSuite::new(match &check.target {
        Some(target) => format!("{link} {target}"),
        None => link.clone(),
    });
    suite.set_time(check.elapsed);
    suite.add_property(Property::new("kind", check.kind.as_str()));
    suite.add_property(Property::new("verdict", check.verdict().as_str()));
    if let Some((_, finding)) = check.headline() {
        suite.add_property(Property::new("code", finding.code.as_str()));
    }
    suite.add_property(Property::new("source", at(&check.place)));
    if let Some(host) = host {
        suite.add_property(Property::new("host", host));
    }
    for step in &check.steps {
        suite.add_test_case(case(step, &link, &check.place));
    }
    suite
}

fn case(step: &Step, link: &str, place: &Place) -> TestCase {
    let name = match &step.endpoint {
        Some(endpoint) => format!("{} {endpoint} {}", step.stage, endpoint.role),
        None => step.stage.to_string(),
    };
    let mut status = match step.outcome {
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unverified => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Skip => TestCaseStatus::skipped(),
        Outcome::Pass | Outcome::Warn => TestCaseStatus::success(),
    };
    let counts = !matches!(step.outcome, Outcome::Pass | Outcome::Warn);
    if let Some(finding) = step.finding.as_ref().filter(|_| counts) {
        status.set_type(finding.code.as_str());
        status.set_message(finding.message.as_str());
        status.set_description(describe(finding, place));
    } else if step.outcome == Outcome::Skip
        && let Some((_, reason)) = step.notes.iter().find(|(name, _)| *name == "reason")
    {
        status.set_message(reason.as_str());
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(link);
    case.set_time(step.elapsed);
    let mut output = String::new();
    if let Some(finding) = step.finding.as_ref().filter(|_| !counts) {
        // JUnit has no warning: the case passes, and its output says what to mend.
        push_line(&mut output, finding.code.as_str(), &finding.message);
        output.push_str(&describe(finding, place));
    }
    for (name, value) in &step.notes {
        push_line(&mut output, name, value);
    }
    if !output.is_empty() {
        case.set_system_out(output.trim_end());
    }
    case
}

fn describe(finding: &Finding, place: &Place) -> String {
    let mut text = at(finding.place().unwrap_or(place));
    text.push('\n');
    for key in &finding.keys {
        push_line(&mut text, key.clause.as_str(), &key.pointer);
    }
    for (name, value) in &finding.evidence {
        push_line(&mut text, name, value);
    }
    if let Some(hint) = &finding.hint {
        push_line(&mut text, "hint", hint);
    }
    text
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

fn push_line(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    writeln!(text, "{name}: {value}").expect("a string takes every write");
}
