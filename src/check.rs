//! From a registry to a report: dials the links that are registered.

mod selection;

use std::io;
use std::sync::Arc;

use linkdial_core::{Settings, Stage};
use tokio::time::Instant;

use crate::dial::{self, Progress};
use crate::registered::Registered;
use crate::registry::{Entry, Registry, RegistryError};
use crate::report::{self, Origin, Report};
use crate::sweep::Limits;

pub use selection::Selection;

/// Why registered links were not checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// What is asked for is not there or not permitted; a line for each part of it.
    #[error("{0}")]
    Selection(String),
    /// The registry did not do its work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The system gave no runtime or thread for the dials.
    #[error("cannot start the checks: {0}")]
    Dial(#[from] io::Error),
    /// The links were dialled, and the record of the registry does not say so.
    #[error("cannot record the checks: {source}")]
    Record {
        /// What was found.
        report: Box<Report>,
        /// Why it was not recorded.
        source: RegistryError,
    },
}

/// Dials links of a registry with their stored targets, and reports.
///
/// One check for each link and target, in the order of the names; a link without targets is dialled
/// without one. Deferred links are dialled as well, and a note says so. No link changes its state.
/// Every check that ran to its end leaves a line in the registry's record, unless `settings` end
/// before anything is dialled. Blocks the calling thread: see [`crate::sweep::run`].
///
/// # Errors
///
/// When nothing matches a name of the selection or the user may not see it, when the registry can
/// not be read or written, and when the system gives no runtime or thread. A link that can not be
/// reached is a finding in the report, and so is one whose definition is damaged.
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
/// use std::sync::Arc;
///
/// use linkdial::apply::{ApplyOptions, Statements, apply};
/// use linkdial::linkdial_core::{Settings, Stage};
/// use linkdial::registry::{Location, Registry};
/// use linkdial::script::ScriptOptions;
/// use linkdial::sweep::Limits;
/// use linkdial::{Selection, check};
///
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("links.db");
/// let registry = Registry::open(&Location::Sqlite(file), None)?;
/// # // Without `until` it would dial.
/// # let settings = Settings { until: Stage::Define, ..Settings::default() };
/// # let settings = Arc::new(settings);
/// # let limits = Limits::default();
/// let text = "CREATE LINK shop.logs AS S3 CREDENTIALS '{}' CONFIG '{}';";
/// let statements = Statements::read(
///     vec![("links.sql".into(), text.into())],
///     ScriptOptions::default(),
/// );
/// let defer = ApplyOptions { defer: true, ..ApplyOptions::default() };
/// apply(statements, &registry, &defer, &settings, &limits, |_| ControlFlow::Continue(()));
///
/// let logs = Selection {
///     names: vec!["shop.l*".into()],
///     ..Selection::default()
/// };
/// let report = check(&registry, &logs, &settings, &limits, |_| {})?;
/// assert_eq!(report.checks.len(), 1);
/// assert_eq!(report.checks[0].link.to_string(), "shop.logs");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(
    registry: &Registry,
    selection: &Selection,
    settings: &Arc<Settings>,
    limits: &Limits,
    on_progress: impl FnMut(Progress<'_>),
) -> Result<Report, CheckError> {
    let report = dial::begin(settings);
    let clock = Instant::now();
    let registered = Registered::read(registry, selection)?;
    let (mut checks, complete) = registered.dials.run(settings, limits, on_progress)?;
    registered.remark(&mut checks);
    let report = Report {
        elapsed: clock.elapsed(),
        complete,
        origin: Origin::Registry,
        checks,
        ..report
    };
    let entries = entries(&report, &selection.user);
    if entries.is_empty() {
        return Ok(report);
    }
    match registry.add_to_record(&entries) {
        Ok(()) => Ok(report),
        Err(source) => Err(CheckError::Record {
            report: Box::new(report),
            source,
        }),
    }
}

/// Returns a line of the record for every check that ran to its end.
fn entries(report: &Report, who: &str) -> Vec<Entry> {
    if report.until == Some(Stage::Define) {
        return Vec::new();
    }
    let ended = |check: &&report::Check| report.complete || !check.was_interrupted();
    let entries = report.checks.iter().filter(ended).map(|check| Entry {
        detail: report.until.map(|stage| format!("until {stage}")),
        ..dial::entry(who, check)
    });
    entries.collect()
}
