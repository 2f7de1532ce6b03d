//! The JSON report, schema 1. Keys are only ever added.

use std::io::Write;
use std::time::Duration;

use linkdial_core::{Policy, Retry};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::corrected_json::CorrectionDocument;
use super::sweep_json::Sweep;
use super::{Check, Finding, Report, Step};
use crate::harmless::harmless_json;
use crate::script::ScriptError;
use crate::sql::Place;

/// The number of the schema.
pub const SCHEMA: u32 = 1;

/// What writes the documents.
pub(super) const TOOL: Tool = Tool {
    name: "linkdial",
    version: env!("CARGO_PKG_VERSION"),
};

/// One run of linkdial.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "The report of linkdial, schema 1")]
struct Document<'a> {
    /// Always 1 for this schema.
    schema: u32,
    /// What wrote the document.
    tool: Tool,
    /// Where it dialled from.
    from: From<'a>,
    /// RFC 3339, UTC.
    started: String,
    /// Milliseconds.
    elapsed_ms: f64,
    /// The last stage that was asked for; null when all were.
    #[schemars(with = "Option<StageWord>")]
    until: Option<&'static str>,
    /// False when the run was interrupted or its deadline came first.
    complete: bool,
    /// How many checks ended how.
    summary: Summary,
    /// What the script says that does not parse or is not allowed.
    errors: Vec<Error<'a>>,
    /// Statements that were passed over.
    skipped: Vec<Skipped<'a>>,
    /// One entry for each link and target, in the order of the script.
    checks: Vec<CheckDocument<'a>>,
    /// What a sweep adds; null for other runs.
    sweep: Option<Sweep<'a>>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct From<'a> {
    /// Null when the machine does not know its name.
    pub(super) host: Option<&'a str>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Summary {
    pass: usize,
    warn: usize,
    fail: usize,
    unverified: usize,
}

/// Lines and columns count from 1; columns count characters.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Source<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Error<'a> {
    /// One of the `sql.*` codes.
    code: &'static str,
    /// The number of SingleStore's error for the same fault; null where it has none.
    number: Option<u32>,
    message: &'a str,
    hint: Option<&'a str>,
    /// What could have stood there.
    expected: &'a [String],
    source: Source<'a>,
    /// The statement as it parses and passes; absent for most.
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<CorrectionDocument<'a>>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Skipped<'a> {
    /// Its first words.
    statement: &'a str,
    count: u32,
    /// Why it deserves a look; null for most.
    warning: Option<&'a str>,
    /// Where the first one stands.
    source: Source<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Check")]
pub(super) struct CheckDocument<'a> {
    link: String,
    kind: &'static str,
    target: Option<String>,
    #[schemars(with = "Vec<IntentWord>")]
    intent: Vec<&'static str>,
    #[schemars(with = "VerdictWord")]
    verdict: &'static str,
    /// Null when the check passed.
    code: Option<&'static str>,
    #[schemars(with = "Option<StageWord>")]
    stage: Option<&'static str>,
    /// Null for a link of a registry.
    source: Option<Source<'a>>,
    /// Milliseconds.
    elapsed_ms: f64,
    /// That of the first step that ended as badly as the whole; null when the check passed.
    diagnosis: Option<Diagnosis<'a>>,
    steps: Vec<StepDocument<'a>>,
    /// The statement as it passes, where what is wrong could be mended; absent for most.
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<CorrectionDocument<'a>>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Diagnosis<'a> {
    code: &'static str,
    message: &'a str,
    #[schemars(with = "BlameWord")]
    blame: &'static str,
    #[schemars(with = "RetryWord")]
    retry: &'static str,
    /// The server's own wait time in milliseconds, where it named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<f64>,
    evidence: Pairs<'a>,
    hint: Option<&'a str>,
    /// What grants the rights that are missing for this use of the link, and no more; absent where
    /// none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Vec<PolicyDocument<'a>>>,
    /// The guilty keys, the most likely one first.
    keys: Vec<Key<'a>>,
    /// Where the script names the target, when no key is guilty and the target may be; absent for
    /// a target of the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_source: Option<Source<'a>>,
}

/// A statement or command to copy as it is.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Policy")]
pub(super) struct PolicyDocument<'a> {
    /// What it is, and whom it is for.
    title: &'a str,
    /// `json` or `sh`.
    language: &'static str,
    text: &'a str,
}

impl<'a> PolicyDocument<'a> {
    /// All of a finding; `None` where it has none.
    pub(super) fn all(finding: &'a Finding) -> Option<Vec<Self>> {
        let all: Vec<Self> = finding.policy.iter().map(Self::of).collect();
        (!all.is_empty()).then_some(all)
    }

    fn of(policy: &'a Policy) -> Self {
        Self {
            title: &policy.title,
            language: policy.language.as_str(),
            text: &policy.text,
        }
    }
}

/// The place is null for a key that is not there.
#[derive(Debug, JsonSchema, Serialize)]
struct Key<'a> {
    #[schemars(with = "ClauseWord")]
    clause: &'static str,
    /// JSON Pointer (RFC 6901); empty for the clause as a whole.
    pointer: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Step")]
struct StepDocument<'a> {
    #[schemars(with = "StageWord")]
    stage: &'static str,
    /// `host:port`; null before anything is dialled.
    endpoint: Option<String>,
    /// The part the endpoint plays.
    role: Option<&'static str>,
    #[schemars(with = "OutcomeWord")]
    outcome: &'static str,
    /// Milliseconds.
    elapsed_ms: f64,
    notes: Pairs<'a>,
    diagnosis: Option<Diagnosis<'a>>,
}

macro_rules! words {
    ($($name:ident: $($word:ident)+;)+) => {
        $(
            /// Only ever named by the schema.
            #[derive(JsonSchema)]
            #[serde(rename_all = "lowercase")]
            #[expect(dead_code, reason = "the schema alone lists the words")]
            pub(super) enum $name { $($word),+ }
        )+
    };
}

words! {
    BlameWord: Configuration Identity Network Permission Server Tool;
    IntentWord: Read Write;
    OutcomeWord: Pass Warn Fail Unverified Skip;
    RetryWord: After Later Never;
    StageWord: Define Resolve Connect Tls Authenticate Access Read Write;
    VerdictWord: Pass Warn Fail Unverified;
}

/// Only ever named by the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "the schema alone lists the words")]
pub(super) enum ClauseWord {
    Config,
    Credentials,
}

/// Names and values in the order they were found; values of one name are joined.
#[derive(Debug, JsonSchema)]
#[schemars(with = "std::collections::BTreeMap<String, String>")]
pub(super) struct Pairs<'a>(pub(super) &'a [(&'static str, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut joined: Vec<(&str, String)> = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            match joined.iter_mut().find(|(known, _)| known == name) {
                Some((_, text)) => {
                    text.push_str(", ");
                    text.push_str(value);
                }
                None => joined.push((name, value.clone())),
            }
        }
        serializer.collect_map(joined)
    }
}

pub(super) fn render(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let json = serde_json::to_string_pretty(&document(report))?;
    writeln!(out, "{}", harmless_json(&json))
}

/// Returns the JSON Schema of the document, as it stands in `docs/report.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document<'static>);
    format!("{:#}\n", schema.as_value())
}

fn document(report: &Report) -> Document<'_> {
    let summary = report.summary();
    Document {
        schema: SCHEMA,
        tool: TOOL,
        from: From {
            host: report.host.as_deref(),
        },
        started: format!("{:.0}", report.started),
        elapsed_ms: milliseconds(report.elapsed),
        until: report.until.map(linkdial_core::Stage::as_str),
        complete: report.complete,
        summary: Summary {
            pass: summary.pass,
            warn: summary.warn,
            fail: summary.fail,
            unverified: summary.unverified,
        },
        errors: report.errors.iter().map(script_error).collect(),
        skipped: report.skipped.iter().map(skipped).collect(),
        checks: report.checks.iter().map(check).collect(),
        sweep: report.night.as_ref().map(Sweep::of),
    }
}

pub(super) fn script_error(error: &ScriptError) -> Error<'_> {
    Error {
        code: error.code.as_str(),
        number: error.code.number(),
        message: &error.message,
        hint: error.hint.as_deref(),
        expected: &error.expected,
        source: source(&error.place),
        correction: error.correction.as_deref().map(CorrectionDocument::of),
    }
}

pub(super) fn skipped(skipped: &crate::script::Skipped) -> Skipped<'_> {
    Skipped {
        statement: &skipped.statement,
        count: skipped.count,
        warning: skipped.warning.as_deref(),
        source: source(&skipped.place),
    }
}

pub(super) fn check(check: &Check) -> CheckDocument<'_> {
    let headline = check.headline();
    CheckDocument {
        link: check.link.to_string(),
        kind: check.kind.as_str(),
        target: check.target.as_ref().map(ToString::to_string),
        intent: check.intent.words(),
        verdict: check.verdict().as_str(),
        code: headline.map(|(_, finding)| finding.code.as_str()),
        stage: headline.map(|(step, _)| step.stage.as_str()),
        source: check.place.as_ref().map(source),
        elapsed_ms: milliseconds(check.elapsed),
        diagnosis: headline.map(|(_, finding)| diagnosis(finding)),
        steps: check.steps.iter().map(step).collect(),
        correction: check.correction.as_ref().map(CorrectionDocument::of),
    }
}

fn step(step: &Step) -> StepDocument<'_> {
    StepDocument {
        stage: step.stage.as_str(),
        endpoint: step.endpoint.as_ref().map(ToString::to_string),
        role: step
            .endpoint
            .as_ref()
            .map(|endpoint| endpoint.role.as_str()),
        outcome: step.outcome.as_str(),
        elapsed_ms: milliseconds(step.elapsed),
        notes: Pairs(&step.notes),
        diagnosis: step.finding.as_ref().map(diagnosis),
    }
}

fn diagnosis(finding: &Finding) -> Diagnosis<'_> {
    let (retry, retry_after_ms) = match finding.retry {
        Retry::After(wait) => ("after", Some(milliseconds(wait))),
        Retry::Later => ("later", None),
        Retry::Never => ("never", None),
    };
    Diagnosis {
        code: finding.code.as_str(),
        message: &finding.message,
        blame: finding.blame.as_str(),
        retry,
        retry_after_ms,
        evidence: Pairs(&finding.evidence),
        hint: finding.hint.as_deref(),
        policy: PolicyDocument::all(finding),
        keys: finding
            .keys
            .iter()
            .map(|key| Key {
                clause: key.clause.as_str(),
                pointer: &key.pointer,
                file: key.place.as_ref().map(|place| &*place.file),
                line: key.place.as_ref().map(|place| place.line),
                column: key.place.as_ref().map(|place| place.column),
            })
            .collect(),
        target_source: finding.target_place().map(source),
    }
}

pub(super) fn source(place: &Place) -> Source<'_> {
    Source {
        file: &place.file,
        line: place.line,
        column: place.column,
    }
}

/// Milliseconds to the microsecond: more digits would claim what no clock here gives.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
