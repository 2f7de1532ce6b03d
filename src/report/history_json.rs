//! What the history says, as one JSON document, schema 1. Keys are only ever added.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::history_page::HistoryView;
use super::json::{TOOL, Tool, milliseconds};
use super::sweep_json::{self, change, expiry, known, time};
use crate::harmless::harmless_json;
use crate::history::{PastCheck, PastSweep};

/// The number of the schema.
const SCHEMA: u32 = 1;

/// What the history says. Which of the lists are there depends on what was asked.
#[derive(JsonSchema, Serialize)]
#[schemars(title = "What linkdial history says, schema 1")]
struct Document<'a> {
    /// Always 1 for this schema.
    schema: u32,
    /// What wrote the document.
    tool: Tool,
    /// The sweeps, the newest first; with `--diff` the two that are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweeps: Option<Vec<Sweep<'a>>>,
    /// The checks: of a link the newest first, of a sweep by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<Check<'a>>>,
    /// What changed from the first sweep to the second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<sweep_json::Change<'a>>>,
    /// What runs out, the first one first.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiries: Option<Vec<sweep_json::Expiry<'a>>>,
}

#[derive(JsonSchema, Serialize)]
struct Sweep<'a> {
    /// From 1.
    number: u64,
    /// `running`, `complete`, `cut` or `offline`.
    state: &'static str,
    /// RFC 3339, UTC.
    started: String,
    /// RFC 3339, UTC; null while it runs, and when it was killed.
    ended: Option<String>,
    /// The user of the registry.
    user: &'a str,
    /// The machine that dialled.
    host: Option<&'a str>,
    summary: Counts,
}

#[derive(JsonSchema, Serialize)]
struct Counts {
    pass: usize,
    warn: usize,
    fail: usize,
    unverified: usize,
}

#[derive(JsonSchema, Serialize)]
struct Check<'a> {
    link: String,
    kind: &'static str,
    target: Option<&'a str>,
    /// Counts checks whose link and target look alike, from 0.
    twin: u32,
    /// The number of its sweep.
    sweep: u64,
    /// The start of that sweep; RFC 3339, UTC.
    started: String,
    verdict: &'static str,
    /// Null when the check passed.
    code: Option<&'static str>,
    /// Milliseconds.
    elapsed_ms: f64,
    /// The number of the last change of the link's clauses before the sweep.
    definition: Option<u64>,
    /// What was found on the way, such as addresses, certificates, brokers and identities.
    facts: &'a std::collections::BTreeMap<String, String>,
    steps: Vec<Step<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct Step<'a> {
    stage: &'static str,
    /// Role, host and port; empty before anything is dialled.
    at: &'a str,
    outcome: &'static str,
    code: Option<&'static str>,
    /// Milliseconds.
    elapsed_ms: f64,
}

/// Returns the JSON Schema of the document, as it stands in `docs/history.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document<'static>);
    format!("{:#}\n", schema.as_value())
}

pub(super) fn render(view: &HistoryView, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document {
        schema: SCHEMA,
        tool: TOOL,
        sweeps: None,
        checks: None,
        changes: None,
        expiries: None,
    };
    match view {
        HistoryView::Sweeps(sweeps) => document.sweeps = Some(sweeps.iter().map(sweep).collect()),
        HistoryView::Link(checks) => {
            let checks = checks.iter();
            document.checks = Some(
                checks
                    .map(|(it, number, at)| check(it, *number, *at))
                    .collect(),
            );
        }
        HistoryView::Sweep(of, checks) => {
            document.sweeps = Some(vec![sweep(of)]);
            let checks = checks.iter().map(|it| check(it, of.number, of.started));
            document.checks = Some(checks.collect());
        }
        HistoryView::Diff {
            before,
            now,
            changes,
        } => {
            document.sweeps = Some(vec![sweep(before), sweep(now)]);
            document.changes = Some(changes.iter().map(change).collect());
        }
        HistoryView::Expiries(expiries) => {
            document.expiries = Some(expiries.iter().map(expiry).collect());
        }
    }
    let json = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", harmless_json(&json))
}

fn sweep(sweep: &PastSweep) -> Sweep<'_> {
    Sweep {
        number: sweep.number,
        state: sweep.state.as_str(),
        started: time(sweep.started),
        ended: sweep.ended.map(time),
        user: &sweep.who,
        host: sweep.host.as_deref(),
        summary: Counts {
            pass: sweep.summary.pass,
            warn: sweep.summary.warn,
            fail: sweep.summary.fail,
            unverified: sweep.summary.unverified,
        },
    }
}

fn check(check: &PastCheck, sweep: u64, started: Timestamp) -> Check<'_> {
    Check {
        link: check.name.link.to_string(),
        kind: check.kind.as_str(),
        target: known(&check.name.target),
        twin: check.name.twin,
        sweep,
        started: time(started),
        verdict: check.verdict.as_str(),
        code: check.code.map(linkdial_core::Code::as_str),
        elapsed_ms: milliseconds(check.elapsed),
        definition: check.definition,
        facts: &check.facts.0,
        steps: (check.steps.iter())
            .map(|step| Step {
                stage: step.stage.as_str(),
                at: &step.at,
                outcome: step.outcome.as_str(),
                code: step.code.map(linkdial_core::Code::as_str),
                elapsed_ms: milliseconds(step.elapsed),
            })
            .collect(),
    }
}
