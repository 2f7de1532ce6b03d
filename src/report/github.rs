//! Annotations for GitHub Actions, on the lines of the script.
//!
//! Format and escapes: the workflow commands of the Actions toolkit.

use std::io::{self, Write};

use linkdial_core::Outcome;

use super::night::{OFFLINE, Words};
use super::{Check, Finding, Report, STDIN, Step};
use crate::harmless::harmless;
use crate::history::ChangeKind;
use crate::sql::Place;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for error in &report.errors {
        let message = with_hint(&error.message, error.hint.as_deref());
        command(
            out,
            "error",
            Some(&error.place),
            error.code.as_str(),
            &message,
        )?;
    }
    for skipped in &report.skipped {
        if let Some(warning) = &skipped.warning {
            let warning = with_hint(warning, None);
            command(
                out,
                "warning",
                Some(&skipped.place),
                &skipped.statement,
                &warning,
            )?;
        }
    }
    for check in &report.checks {
        for (step, finding) in check.findings() {
            annotate(out, check, step, finding)?;
        }
    }
    if let Some(night) = Words::of(report) {
        sweep(out, report, &night)?;
    }
    let summary = report.summary();
    // A plain line: the log of the run shows it, no annotation is made of it.
    write!(out, "linkdial: ")?;
    match report.errors.len() {
        0 => {}
        1 => write!(out, "1 error in the script, ")?,
        errors => write!(out, "{errors} errors in the script, ")?,
    }
    write!(
        out,
        "{} failed, {} unverified, {} with warnings, {} passed",
        summary.fail, summary.unverified, summary.warn, summary.pass
    )?;
    writeln!(
        out,
        "{}",
        if report.complete {
            ""
        } else {
            ", stopped early"
        }
    )
}

/// Writes what a sweep adds: whether there was a network, and how much changed.
fn sweep(out: &mut dyn Write, report: &Report, words: &Words<'_>) -> io::Result<()> {
    let Some(night) = &report.night else {
        return Ok(());
    };
    if let Some(offline) = &night.offline {
        let message = with_hint(&offline.message, Some(&offline.hint));
        command(out, "error", None, OFFLINE, &message)?;
    }
    let mut counts: Vec<String> = [
        ChangeKind::NewlyRed,
        ChangeKind::NewlyGreen,
        ChangeKind::StillRed,
    ]
    .map(|kind| format!("{} {}", words.count(kind), kind.as_str()))
    .into();
    for (count, one, many) in [
        (words.incidents().count(), "incident", "incidents"),
        (words.expiring().count(), "expires soon", "expire soon"),
        (night.promoted.len(), "promoted", "promoted"),
    ] {
        if count > 0 {
            let word = if count == 1 { one } else { many };
            counts.push(format!("{count} {word}"));
        }
    }
    let title = format!("sweep {}", night.sweep);
    command(out, "notice", None, &title, &counts.join(", "))
}

fn annotate(out: &mut dyn Write, check: &Check, step: &Step, finding: &Finding) -> io::Result<()> {
    let level = match step.outcome {
        Outcome::Fail => "error",
        Outcome::Pass | Outcome::Skip | Outcome::Unverified | Outcome::Warn => "warning",
    };
    let mut title = format!("{}: {}", check.link, finding.code);
    if step.outcome == Outcome::Unverified {
        title.push_str(" (unverified)");
    }
    let mut message = finding.message.clone();
    if let Some(target) = &check.target {
        message = format!("{target}: {message}");
    }
    let place = finding.place().or(check.place.as_ref());
    let mut message = with_hint(&message, finding.hint.as_deref());
    for policy in &finding.policy {
        message.push_str("\ngrant: ");
        message.push_str(&harmless(&policy.title));
    }
    command(out, level, place, &title, &message)
}

fn with_hint(message: &str, hint: Option<&str>) -> String {
    hint.map_or_else(
        || harmless(message).into_owned(),
        |hint| format!("{}\nhint: {}", harmless(message), harmless(hint)),
    )
}

fn command(
    out: &mut dyn Write,
    level: &str,
    place: Option<&Place>,
    title: &str,
    message: &str,
) -> io::Result<()> {
    write!(out, "::{level} ")?;
    if let Some(place) = place.filter(|place| &*place.file != STDIN) {
        let file = property(&harmless(&place.file));
        write!(out, "file={file},line={},col={},", place.line, place.column)?;
    }
    writeln!(
        out,
        "title={}::{}",
        property(&harmless(title)),
        data(message)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
