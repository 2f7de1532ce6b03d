//! A correction in the JSON report.

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{ClauseWord, VerdictWord, milliseconds};
use crate::correction::{CorrectedPart, Correction};

/// The link's statement, mended; it was dialled as it stands here.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Correction")]
pub(super) struct CorrectionDocument<'a> {
    /// The whole statement; a `${NAME}` stands for each secret.
    statement: &'a str,
    /// The target that it was dialled with, where that was changed.
    target: Option<&'a str>,
    /// In order.
    changes: Vec<Change<'a>>,
    /// How the mended link ended: pass or warn.
    #[schemars(with = "VerdictWord")]
    verdict: &'static str,
    /// Milliseconds.
    elapsed_ms: f64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Change<'a> {
    /// One of cut, escape, move, quotes, remove, rename, set, swap, target, trim.
    action: &'static str,
    /// Null for the target.
    #[schemars(with = "Option<ClauseWord>")]
    clause: Option<&'static str>,
    /// JSON Pointer (RFC 6901) to the key as it stood there.
    pointer: &'a str,
    /// Null where nothing stood there, and for a secret.
    before: Option<&'a str>,
    /// Null where nothing stands there, and for a secret.
    after: Option<&'a str>,
    /// All of it in words.
    text: &'a str,
}

impl<'a> CorrectionDocument<'a> {
    pub(super) fn of(correction: &'a Correction) -> Self {
        Self {
            statement: &correction.statement,
            target: correction.target.as_deref(),
            changes: correction.changes.iter().map(Change::of).collect(),
            verdict: correction.verdict.as_str(),
            elapsed_ms: milliseconds(correction.elapsed),
        }
    }
}

impl<'a> Change<'a> {
    fn of(part: &'a CorrectedPart) -> Self {
        Self {
            action: part.action,
            clause: part.clause.map(linkdial_core::ClauseName::as_str),
            pointer: &part.pointer,
            before: part.before.as_deref(),
            after: part.after.as_deref(),
            text: &part.text,
        }
    }
}
