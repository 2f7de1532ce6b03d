//! `JUnit` XML: a link with its target is a suite, a step is a case.

use std::fmt::Write as _;
use std::io::Write;

use linkdial_core::Outcome;
use quick_junit::{
    NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite,
};

use super::night::{OFFLINE, Words};
use super::{Check, Finding, RenderError, Report, Step};
use crate::harmless::is_harmful;
use crate::history::Night;
use crate::script::{ScriptError, Skipped};
use crate::sql::Place;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> Result<(), RenderError> {
    let mut document = Document::new("linkdial");
    document.set_time(report.elapsed);
    let mut script = TestSuite::new("script");
    script.add_test_cases(report.errors.iter().map(script_error));
    script.add_test_cases(report.skipped.iter().filter_map(script_warning));
    if !script.test_cases.is_empty() {
        document.add_test_suite(script);
    }
    let words = Words::of(report);
    if let (Some(night), Some(words)) = (&report.night, &words) {
        document.add_test_suite(sweep(night, words));
    }
    document.add_test_suites(report.checks.iter().enumerate().map(|(number, check)| {
        let mut suite = suite(check, report.host.as_deref());
        if let Some(words) = &words {
            add_changes(&mut suite, words, number);
        }
        suite
    }));
    // The writer's own error hides the kind of an I/O failure, so the bytes are formed first.
    let text = document
        .to_string()
        .map_err(|error| RenderError::Form(error.to_string()))?;
    out.write_all(allowed(&without_root_skipped(&text)).as_bytes())?;
    Ok(())
}

/// The schema of Jenkins counts skipped cases for each suite and not for the document, and its
/// xUnit plugin refuses a document that does not keep to the schema. The writer counts both.
fn without_root_skipped(text: &str) -> String {
    let name = " skipped=\"";
    let count = text.find("<testsuites ").and_then(|root| {
        let end = root + text[root..].find('>')?;
        let start = root + text[root..end].find(name)?;
        let value = start + name.len();
        Some(start..value + text[value..end].find('"')? + 1)
    });
    let mut text = text.to_owned();
    if let Some(count) = count {
        text.replace_range(count, "");
    }
    text
}

/// A suite of what a sweep says of all links; it has a case only when it says nothing of any.
fn sweep(night: &Night, words: &Words<'_>) -> TestSuite {
    let mut suite = TestSuite::new("sweep");
    suite.add_property(Property::new("number", night.sweep.to_string()));
    if let Some((previous, _)) = night.previous {
        suite.add_property(Property::new("previous", previous.to_string()));
    }
    for part in words.parts() {
        for item in part.items {
            let text = format!("{}: {}", item.subject.text, item.text);
            suite.add_property(Property::new(part.heading, text));
        }
    }
    if let Some(offline) = &night.offline {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type(OFFLINE);
        status.set_message(offline.message.as_str());
        let mut text = String::new();
        push_line(&mut text, "dialled", &offline.hosts.join(", "));
        push_line(&mut text, "hint", &offline.hint);
        status.set_description(text);
        let mut case = TestCase::new("network", status);
        case.set_classname("sweep");
        suite.add_test_case(case);
    }
    suite
}

/// What changed for one check is a property of its suite.
fn add_changes(suite: &mut TestSuite, words: &Words<'_>, number: usize) {
    for change in words.changes(number) {
        suite.add_property(Property::new("change", change.kind.as_str()));
    }
    if let Some(at) = words.red_since(number) {
        suite.add_property(Property::new("red_since", format!("{at:.0}")));
    }
    if let Some(story) = words.story(number) {
        suite.add_property(Property::new("story", story));
    }
}

/// XML 1.0, section 2.2: a document with one of these is not well-formed, and a reader drops it
/// whole. The writer strips control characters and lets the two noncharacters through. What turns the
/// reading direction is allowed, and harms all the same.
fn allowed(text: &str) -> String {
    let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii() && is_harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
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
    script_case(&error.place, status)
}

/// `JUnit` has no warning; a case that was skipped is seen and fails nothing.
fn script_warning(skipped: &Skipped) -> Option<TestCase> {
    let warning = skipped.warning.as_deref()?;
    let mut status = TestCaseStatus::skipped();
    status.set_type(skipped.statement.as_str());
    status.set_message(warning);
    status.set_description(at(&skipped.place));
    Some(script_case(&skipped.place, status))
}

fn script_case(place: &Place, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(format!("{}:{}", place.line, place.column), status);
    case.set_classname(&*place.file);
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
    if let Some(place) = &check.place {
        suite.add_property(Property::new("source", at(place)));
    }
    if let Some(host) = host {
        suite.add_property(Property::new("host", host));
    }
    // Servers that show test results tell cases apart by their names, so steps of one name are one
    // case: a stage that failed once has not passed as well.
    let mut cases: Vec<(String, Vec<&Step>)> = Vec::new();
    for step in &check.steps {
        let name = case_name(step);
        match cases.iter_mut().find(|(known, _)| *known == name) {
            Some((_, steps)) => steps.push(step),
            None => cases.push((name, vec![step])),
        }
    }
    for (name, steps) in cases {
        suite.add_test_cases(case(name, &steps, &link, check.place.as_ref()));
    }
    suite
}

fn case_name(step: &Step) -> String {
    match &step.endpoint {
        Some(endpoint) => format!("{} {endpoint} {}", step.stage, endpoint.role),
        None => step.stage.to_string(),
    }
}

/// Makes a case of steps with one name; the first of the worst decides how it ended.
fn case(name: String, steps: &[&Step], link: &str, place: Option<&Place>) -> Option<TestCase> {
    let worst = steps.iter().map(|step| step.outcome).max()?;
    let step = *steps.iter().find(|step| step.outcome == worst)?;
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
    case.set_time(steps.iter().map(|step| step.elapsed).sum());
    let mut output = String::new();
    for other in steps {
        let told = counts && std::ptr::eq(*other, step);
        if let Some(finding) = other.finding.as_ref().filter(|_| !told) {
            // JUnit has no warning: the case passes, and its output says what to mend.
            push_line(&mut output, finding.code.as_str(), &finding.message);
            output.push_str(&describe(finding, place));
        }
        for (name, value) in &other.notes {
            push_line(&mut output, name, value);
        }
    }
    if !output.is_empty() {
        case.set_system_out(output.trim_end());
    }
    Some(case)
}

fn describe(finding: &Finding, place: Option<&Place>) -> String {
    let mut text = String::new();
    if let Some(place) = finding.place().or(place) {
        text = at(place);
        text.push('\n');
    }
    for key in &finding.keys {
        push_line(&mut text, key.clause.as_str(), &key.pointer);
    }
    for (name, value) in &finding.evidence {
        push_line(&mut text, name, value);
    }
    if let Some(hint) = &finding.hint {
        push_line(&mut text, "hint", hint);
    }
    for policy in &finding.policy {
        push_line(&mut text, "grant", &policy.title);
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
    // A line that a server has written could begin with a command for a CI server.
    let value = value.replace(['\r', '\n'], " ");
    writeln!(text, "{name}: {value}").expect("a string takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noncharacters_do_not_break_the_document() {
        assert_eq!(allowed("a\u{ffff}b\u{fffe}"), "a\u{fffd}b\u{fffd}");
    }
}
