//! From a script to a report: the library's main entry.

use std::io;
use std::sync::Arc;

use linkdial_core::Settings;
use tokio::time::Instant;

use crate::correction::{self, Fixes};
use crate::dial::{self, Dials, Progress};
use crate::report::Report;
use crate::script::Script;
use crate::sweep::Limits;

/// Dials every link that the script leaves defined, and reports.
///
/// What is wrong and can be mended is dialled once more as it would be then; what passes is the
/// check's [`crate::correction::Correction`].
///
/// One check for each link and target; a link that nothing uses is dialled without a target.
/// Blocks the calling thread: see [`crate::sweep::run`].
///
/// # Errors
///
/// When the system gives no runtime or thread. A link that can not be reached is a finding in the
/// report, never an error.
pub fn verify(
    script: Script,
    settings: &Arc<Settings>,
    limits: &Limits,
    on_progress: impl FnMut(Progress<'_>),
) -> io::Result<Report> {
    verify_and_fix(script, settings, limits, on_progress).map(|(report, _)| report)
}

/// Does what [`verify`] does, and returns what the corrections change in the script.
pub(crate) fn verify_and_fix(
    mut script: Script,
    settings: &Arc<Settings>,
    limits: &Limits,
    on_progress: impl FnMut(Progress<'_>),
) -> io::Result<(Report, Fixes)> {
    let report = dial::begin(settings);
    let clock = Instant::now();
    let mut dials = Dials::default();
    for link in std::mem::take(&mut script.links) {
        dials.add(Arc::new(link));
    }
    let (mut checks, complete) = dials.run(settings, limits, on_progress)?;
    let planned = dials.planned();
    let (fixes, corrected) =
        correction::correct(&mut checks, planned, &mut script, settings, limits, clock)?;
    let report = Report {
        elapsed: clock.elapsed(),
        complete: complete && corrected,
        errors: script.errors,
        skipped: script.skipped,
        checks,
        ..report
    };
    Ok((report, fixes))
}
