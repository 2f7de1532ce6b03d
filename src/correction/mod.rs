//! Statements with what would mend them, shown only when the mended link was dialled and passes.
//!
//! A finding that knows its repair holds it as typed changes. They are carried out on the text of
//! the link's statement, which is read and dialled again, as it stands then: what is shown, and what
//! `--fix` writes, is what was proved. Rounds of such dials follow the run; each is one dial of each
//! link that is mended.

mod copy;
mod draft;
mod edits;
mod quotes;
mod sentence;
mod shown;
#[cfg(test)]
mod tests;
mod work;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::{ClauseName, Outcome, Settings, Stage};
use tokio::time::Instant;

use crate::dial::{Dials, Planned};
use crate::report::Check;
use crate::script::{Script, ScriptOptions};
use crate::sql::Place;
use crate::sweep::{self, Limits};
use work::Work;

pub(crate) use copy::{Copy, Fixes};

/// A link's statement, mended and dialled.
#[derive(Clone, Debug)]
pub struct Correction {
    /// The whole statement; a `${NAME}` stands for each secret.
    pub statement: String,
    /// What was changed, in order.
    pub changes: Vec<CorrectedPart>,
    /// How the mended link ended: pass, or warn.
    pub verdict: Outcome,
    /// How long its dial took.
    pub elapsed: Duration,
    /// The target that it was dialled with, where that was changed.
    pub target: Option<String>,
    /// The changes of the text, where all of them may be shown.
    pub edits: Vec<CorrectedText>,
}

/// One change of a correction. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CorrectedPart {
    /// What was done, such as `set` or `rename`.
    pub action: &'static str,
    /// The clause that was changed; `None` for the target.
    pub clause: Option<ClauseName>,
    /// JSON Pointer (RFC 6901) to the key as it stood there.
    pub pointer: String,
    /// What stood there; `None` where nothing did, or nobody may see it.
    pub before: Option<String>,
    /// What stands there now; `None` where nothing does, or nobody may see it.
    pub after: Option<String>,
    /// All of it in words.
    pub text: String,
}

/// A part of a script and what takes its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CorrectedText {
    /// Where it starts.
    pub start: Place,
    /// Where it ends.
    pub end: Place,
    /// What takes its place.
    pub text: String,
}

/// Proves corrections of checks, puts them into the checks, and returns what they change in the
/// script.
///
/// The flag says whether nothing stopped it. Dials nothing when the run was to stop before its last
/// stage, or when its time is over.
pub(crate) fn correct(
    checks: &mut [Check],
    planned: &[Planned],
    script: &mut Script,
    settings: &Arc<Settings>,
    limits: &Limits,
    clock: Instant,
) -> io::Result<(Fixes, bool)> {
    let mut fixes = Fixes::default();
    let mut complete = true;
    if settings.until != Stage::Write {
        return Ok((fixes, complete));
    }
    // The one wrong attempt was made; a correction is proved by the right secret.
    let settings = &Arc::new(Settings {
        prove: false,
        ..Settings::clone(settings)
    });
    let mut works = Vec::new();
    let mut first = 0;
    for group in planned.chunk_by(Planned::is_of) {
        let numbers = first..first + group.len();
        first = numbers.end;
        let found = &checks[numbers.clone()];
        let repairs = found.iter().flat_map(Check::findings);
        if repairs
            .clone()
            .any(|(_, finding)| !finding.repairs.is_empty())
        {
            let options = ScriptOptions {
                database: group[0].link().name.database.clone(),
                variables: script.options.variables.clone(),
            };
            works.extend(Work::new(numbers, group, found, options));
        }
    }
    loop {
        let mut items = Vec::new();
        let mut dials = Vec::new();
        for (number, work) in works.iter_mut().enumerate() {
            for planned in work.next() {
                items.push(planned.item());
                dials.push((number, planned));
            }
        }
        if dials.is_empty() {
            break;
        }
        let Some(limits) = left(limits, clock) else {
            complete = false;
            break;
        };
        let outcome = sweep::run(items, settings, &limits, |_| {})?;
        complete &= outcome.complete;
        for (record, (number, planned)) in outcome.records.into_iter().zip(dials) {
            works[number].take(planned.end(record));
        }
    }
    for work in works {
        work.finish(checks, &mut fixes);
    }
    let mut dials = Dials::default();
    let quoted = quotes::plan(script, &mut dials);
    if !quoted.is_empty() {
        let Some(limits) = left(limits, clock) else {
            return Ok((fixes, false));
        };
        let (found, ended) = dials.run(settings, &limits, |_| {})?;
        complete &= ended;
        for quoted in quoted {
            quoted.finish(script, &found, &mut fixes);
        }
    }
    Ok((fixes, complete))
}

/// Returns the limits with what is left of the run's time; `None` when it is over.
fn left(limits: &Limits, clock: Instant) -> Option<Limits> {
    let left = limits
        .deadline
        .map(|limit| limit.saturating_sub(clock.elapsed()));
    let is_over = left.is_some_and(|left| left.is_zero()) || limits.cancel.is_cancelled();
    (!is_over).then(|| Limits {
        deadline: left,
        ..limits.clone()
    })
}
