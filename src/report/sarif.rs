//! SARIF 2.1.0, for code scanning and editors: a rule for each code, a result for each finding.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use linkdial_core::{Code, Outcome};
use serde::Serialize;

use super::json::{Pairs, PolicyDocument, TOOL};
use super::night::OFFLINE;
use super::sarif_fix::Fix;
use super::sweep_json::Sweep;
use super::{Check, Finding, Key, Report, STDIN, Step, plain_code_page};
use crate::harmless::{harmless, harmless_json};
use crate::script::{ScriptError, Skipped};
use crate::sql::Place;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of our fingerprint; another way to make it needs another number.
const FINGERPRINT: &str = "linkdialFinding/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation<'a>; 1],
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<RunProperties<'a>>,
}

#[derive(Serialize)]
struct RunProperties<'a> {
    sweep: Sweep<'a>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: &'static str,
}

#[derive(Serialize)]
pub(super) struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    start_time_utc: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time_utc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    descriptor: Option<Descriptor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct Descriptor {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: HashMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
}

/// What a result says that SARIF has no place for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    link: String,
    kind: &'static str,
    target: Option<String>,
    intent: Vec<&'static str>,
    verdict: &'static str,
    stage: &'static str,
    endpoint: Option<String>,
    role: Option<&'static str>,
    blame: &'static str,
    evidence: Pairs<'a>,
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Vec<PolicyDocument<'a>>>,
    keys: Vec<KeyProperty<'a>>,
}

#[derive(Serialize)]
struct KeyProperty<'a> {
    clause: &'static str,
    pointer: &'a str,
}

#[derive(Default, Serialize)]
struct Location {
    #[serde(rename = "physicalLocation", skip_serializing_if = "Option::is_none")]
    physical: Option<PhysicalLocation>,
    #[serde(rename = "logicalLocations", skip_serializing_if = "Vec::is_empty")]
    logical: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

/// Numbers the rules in the order in which they are first broken, and tells results apart.
#[derive(Default)]
struct Rules {
    codes: Vec<Code>,
    fingerprints: HashSet<String>,
}

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rules = Rules::default();
    let errors = report.errors.iter();
    let mut results: Vec<_> = errors
        .map(|error| script_error(error, &mut rules))
        .collect();
    for check in &report.checks {
        for (step, finding) in check.findings() {
            results.push(result(check, step, finding, &mut rules));
        }
    }
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: TOOL.name,
                    semantic_version: TOOL.version,
                    rules: rules.codes.into_iter().map(rule).collect(),
                },
            },
            invocations: [invocation(report)],
            column_kind: "unicodeCodePoints",
            results,
            properties: report.night.as_ref().map(|night| RunProperties {
                sweep: Sweep::of(night),
            }),
        }],
    };
    let json = serde_json::to_string_pretty(&log)?;
    writeln!(out, "{}", harmless_json(&json))
}

fn invocation(report: &Report) -> Invocation<'_> {
    let is_broken = report.checks.iter().any(|check| check.broken);
    let mut notifications: Vec<_> = report.skipped.iter().filter_map(warning).collect();
    let offline = report
        .night
        .as_ref()
        .and_then(|night| night.offline.as_ref());
    if let Some(offline) = offline {
        notifications.push(Notification {
            level: "error",
            message: message(&offline.message, Some(&offline.hint)),
            descriptor: Some(Descriptor { id: OFFLINE }),
            locations: Vec::new(),
        });
    }
    Invocation {
        execution_successful: report.complete && !is_broken && !report.is_offline(),
        start_time_utc: format!("{:.3}", report.started),
        end_time_utc: report
            .started
            .checked_add(report.elapsed)
            .ok()
            .map(|at| format!("{at:.3}")),
        machine: report.host.as_deref().map(harmless),
        tool_execution_notifications: notifications,
    }
}

fn warning(skipped: &Skipped) -> Option<Notification> {
    Some(Notification {
        level: "warning",
        message: message(skipped.warning.as_deref()?, None),
        descriptor: None,
        locations: Location::at(&skipped.place).into_iter().collect(),
    })
}

fn rule(code: Code) -> Rule {
    let page = code.page();
    // A heading with the code, an empty line, the sentence.
    let sentence = page.lines().nth(2).unwrap_or_default();
    Rule {
        id: code.as_str(),
        short_description: Message {
            text: sentence.to_owned(),
        },
        help: Help {
            text: plain_code_page(page, false),
            markdown: page,
        },
        default_configuration: Configuration {
            level: level(code.outcome()),
        },
    }
}

fn script_error<'a>(error: &ScriptError, rules: &mut Rules) -> SarifResult<'a> {
    let mut text = error.message.clone();
    if !error.expected.is_empty() {
        text = format!("{text} (expected: {})", error.expected.join(", "));
    }
    // The statement has no name, and its line moves when another one grows.
    let line = error.excerpt.text.trim();
    SarifResult {
        rule_id: error.code.as_str(),
        rule_index: rules.index(error.code),
        level: "error",
        message: message(&text, error.hint.as_deref()),
        locations: Location::at(&error.place).into_iter().collect(),
        related_locations: Vec::new(),
        partial_fingerprints: rules.fingerprint([error.code.as_str(), &error.place.file, line]),
        fixes: error
            .correction
            .as_deref()
            .and_then(Fix::of)
            .into_iter()
            .collect(),
        properties: None,
    }
}

fn result<'a>(
    check: &'a Check,
    step: &Step,
    finding: &'a Finding,
    rules: &mut Rules,
) -> SarifResult<'a> {
    let link = check.link.to_string();
    let leads = check
        .headline()
        .is_some_and(|(_, it)| std::ptr::eq(it, finding));
    let target = check.target.as_ref().map(ToString::to_string);
    let endpoint = step.endpoint.as_ref();
    let role = endpoint.map(|endpoint| endpoint.role.as_str());
    let endpoint = endpoint.map(ToString::to_string);
    let subject = match &target {
        Some(target) => format!("{link} with {target}: {}", finding.message),
        None => format!("{link}: {}", finding.message),
    };
    let pointers = finding.keys.iter().map(|key| key.pointer.as_str());
    let fingerprint = [
        finding.code.as_str(),
        &link,
        target.as_deref().unwrap_or_default(),
        step.stage.as_str(),
        role.unwrap_or_default(),
        endpoint.as_deref().unwrap_or_default(),
    ];
    let fingerprint = fingerprint.into_iter().chain(pointers);
    // The first key that stands anywhere is the place of the result.
    let place = finding.place().or(check.place.as_ref());
    let others = finding.keys.iter().filter(|key| {
        let there = key.place.as_ref();
        there.is_some() && there != place
    });
    SarifResult {
        rule_id: finding.code.as_str(),
        rule_index: rules.index(finding.code),
        level: level(step.outcome),
        message: granting(message(&subject, finding.hint.as_deref()), finding),
        locations: vec![Location {
            logical: logical(&link, target.as_deref()),
            ..Location::at(place).unwrap_or_default()
        }],
        related_locations: others.filter_map(Location::of_key).collect(),
        partial_fingerprints: rules.fingerprint(fingerprint),
        // What mends all that was found stands once.
        fixes: check
            .correction
            .iter()
            .filter(|_| leads)
            .filter_map(Fix::of)
            .collect(),
        properties: Some(Properties {
            kind: check.kind.as_str(),
            intent: check.intent.words(),
            verdict: check.verdict().as_str(),
            stage: step.stage.as_str(),
            blame: finding.blame.as_str(),
            evidence: Pairs(&finding.evidence),
            hint: finding.hint.as_deref(),
            policy: PolicyDocument::all(finding),
            keys: finding.keys.iter().map(KeyProperty::of).collect(),
            link,
            target,
            endpoint,
            role,
        }),
    }
}

/// The link, and the target in it.
fn logical(link: &str, target: Option<&str>) -> Vec<LogicalLocation> {
    let of_link = LogicalLocation {
        name: harmless(link).into_owned(),
        fully_qualified_name: harmless(link).into_owned(),
        kind: "link",
    };
    let of_target = target.map(|target| LogicalLocation {
        name: harmless(target).into_owned(),
        fully_qualified_name: harmless(&format!("{link} {target}")).into_owned(),
        kind: "target",
    });
    [of_link].into_iter().chain(of_target).collect()
}

/// What linkdial could not find out is no error, and more than nothing.
const fn level(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fail => "error",
        Outcome::Warn => "warning",
        Outcome::Pass | Outcome::Skip | Outcome::Unverified => "note",
    }
}

pub(super) fn message(text: &str, hint: Option<&str>) -> Message {
    let text = match hint {
        Some(hint) => format!("{}\nhint: {}", harmless(text), harmless(hint)),
        None => harmless(text).into_owned(),
    };
    Message {
        text: literal(&text),
    }
}

/// Adds what grants the missing rights, line by line.
fn granting(mut message: Message, finding: &Finding) -> Message {
    for policy in &finding.policy {
        let title = [policy.title.as_str()].into_iter();
        for (index, line) in title.chain(policy.text.lines()).enumerate() {
            let label = if index == 0 { "grant: " } else { "" };
            let line = literal(&harmless(line));
            write!(message.text, "\n{label}{line}").expect("a string takes every write");
        }
    }
    message
}

/// A number in braces stands for an argument of a message (section 3.11.5), and brackets before
/// parentheses for a link (section 3.11.6): a server may have written either.
fn literal(text: &str) -> String {
    let text = text.replace("](", "\\](");
    let mut literal = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        literal.push_str(before);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && after[digits..].starts_with('}') {
            let number = &after[..digits];
            write!(literal, "{{{{{number}}}}}").expect("a string takes every write");
            rest = &after[digits + 1..];
        } else {
            literal.push('{');
            rest = after;
        }
    }
    literal.push_str(rest);
    literal
}

impl Rules {
    fn index(&mut self, code: Code) -> usize {
        let known = self.codes.iter().position(|known| *known == code);
        known.unwrap_or_else(|| {
            self.codes.push(code);
            self.codes.len() - 1
        })
    }

    /// Returns what stays the same from run to run: no line, no time, no text of a server. Findings
    /// that are alike in all of it are counted.
    fn fingerprint<'a>(
        &mut self,
        parts: impl IntoIterator<Item = &'a str>,
    ) -> HashMap<&'static str, String> {
        let parts: Vec<_> = parts.into_iter().collect();
        let text = harmless(&parts.join("|")).into_owned();
        let mut unique = text.clone();
        let mut number = 1;
        while !self.fingerprints.insert(unique.clone()) {
            number += 1;
            unique = format!("{text}|{number}");
        }
        HashMap::from([(FINGERPRINT, unique)])
    }
}

impl Location {
    /// Returns `None` for what stands in no file.
    fn at<'a>(place: impl Into<Option<&'a Place>>) -> Option<Self> {
        let place = place.into().filter(|place| &*place.file != STDIN)?;
        Some(Self {
            physical: Some(PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: uri(&place.file),
                },
                region: Region {
                    start_line: place.line,
                    start_column: place.column,
                },
            }),
            ..Self::default()
        })
    }

    fn of_key(key: &Key) -> Option<Self> {
        let text = format!("{} {}", key.clause.as_str(), key.pointer);
        Some(Self {
            message: Some(message(&text, None)),
            ..Self::at(key.place.as_ref())?
        })
    }
}

impl<'a> KeyProperty<'a> {
    fn of(key: &'a Key) -> Self {
        Self {
            clause: key.clause.as_str(),
            pointer: &key.pointer,
        }
    }
}

/// Returns the reference of a file: relative where its path is, so that a CI server finds the file in
/// its own checkout.
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => write!(uri, "%{byte:02X}").expect("a string takes every write"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_references() {
        assert_eq!(uri("sql/links.sql"), "sql/links.sql");
        assert_eq!(uri("/srv/a b/ü#.sql"), "file:///srv/a%20b/%C3%BC%23.sql");
        assert_eq!(uri("c:links.sql"), "c%3Alinks.sql");
    }

    #[test]
    fn a_message_has_neither_links_nor_arguments() {
        assert_eq!(
            literal("[a](b) {0} {12} {7 ${NAME}"),
            "[a\\](b) {{0}} {{12}} {7 ${NAME}"
        );
    }
}
