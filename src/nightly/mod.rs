//! From a registry to a report of the night: dials all links, keeps what was found, says what changed.

mod confirm;
mod keeper;
mod offline;
mod promote;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::Settings;
use tokio::time::Instant;

use crate::check::{CheckError, Selection};
use crate::dial::{self, Progress};
use crate::history::{
    self, Change, CheckName, Night, PastCheck, Story, SweepState, compare, expiries,
    expiries_of_past, fold, in_order,
};
use crate::registered::Registered;
use crate::registry::{Registry, RegistryError, Remembered, SweepEnding};
use crate::report::{Check, Origin, Report};
use crate::sweep::Limits;

use confirm::Pass;
use keeper::{keeping, patiently};

/// How a sweep goes about.
#[derive(Clone, Debug)]
pub struct SweepOptions {
    /// Which links.
    pub selection: Selection,
    /// How long after a failure a check that did not fail before is dialled once more; zero for not
    /// at all.
    pub confirm: Duration,
    /// What runs out within this time is told; by default [`Night::SOON`].
    pub soon: Duration,
    /// How long the history is kept. The last time that a check was green is kept beyond that.
    pub keep: Duration,
}

impl SweepOptions {
    /// Longer than a restart of most services, and short for a sweep.
    pub const CONFIRM: Duration = Duration::from_secs(5);
    /// A quarter of a year.
    pub const KEEP: Duration = Duration::from_hours(90 * 24);
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            confirm: Self::CONFIRM,
            soon: Night::SOON,
            keep: Self::KEEP,
        }
    }
}

/// Dials links of a registry with their stored targets, keeps what was found in its history, and
/// reports what changed.
///
/// As [`check()`](crate::check()), and beyond that: a check that fails and did not fail before is
/// dialled once more; when nothing can be reached, the report says so and no link counts as failed; a
/// deferred link that passes counts as verified from then on. [`Report::night`] has what the history
/// says. Blocks the calling thread: see [`crate::sweep::run`].
///
/// # Errors
///
/// As [`check()`](crate::check()), and when another process sweeps the registry.
pub fn sweep(
    registry: &Registry,
    options: &SweepOptions,
    settings: &Arc<Settings>,
    limits: &Limits,
    on_progress: impl FnMut(Progress<'_>),
) -> Result<Report, CheckError> {
    let lock = registry.lock_for_sweep()?;
    let registered = Registered::read(registry, &options.selection)?;
    let report = dial::begin(settings);
    let who = &options.selection.user;
    let number = registry.begin_sweep(&lock, who, report.host.as_deref(), report.started)?;
    let clock = Instant::now();
    let targets: Vec<_> = registered.dials.targets().collect();
    let names = registry.name_checks(&targets)?;
    let past = Past {
        registered: &registered,
        names: &names,
        started: report.started,
    };

    let mut reds = registry.reds(number)?;
    reds.sort();
    let pass = Pass {
        registered: &registered,
        names: &names,
        reds: &reds,
        confirm: options.confirm,
        settings,
        limits,
    };
    let (passed, kept) = keeping(registry, number, |keep| {
        pass.run(|index, check| keep(past.of(index, check)), on_progress)
    });
    let (mut checks, complete) = passed?;
    registered.remark(&mut checks);

    let offline = offline::finding(&checks);
    if offline.is_some() {
        checks.iter_mut().for_each(offline::lower);
    }
    let mut report = Report {
        elapsed: clock.elapsed(),
        complete,
        origin: Origin::Registry,
        checks,
        ..report
    };
    let mut night = Night {
        sweep: number,
        names: names.clone(),
        soon: options.soon,
        offline,
        expiries: expiries(&report.checks, report.started),
        incidents: fold(&report.checks, &names),
        ..Night::default()
    };
    let told = kept.and_then(|()| {
        night.previous = patiently(|| previous(registry, number))?;
        if night.offline.is_none() {
            patiently(|| past.tell(registry, &report.checks, &mut night))?;
            night.promoted = patiently(|| promote::promote(registry, &registered, &report, who))?;
        }
        Ok(())
    });
    let ended = Timestamp::now();
    let ending = SweepEnding {
        sweep: number,
        who,
        ended,
        state: match (&night.offline, report.complete && told.is_ok()) {
            (Some(_), _) => SweepState::Offline,
            (None, true) => SweepState::Complete,
            (None, false) => SweepState::Cut,
        },
    };
    // Also where not everything could be stored: the history has to say that it was cut.
    let told = told.and(patiently(|| registry.end_sweep(&ending)));
    let told = told.and_then(|()| match ended.checked_sub(options.keep) {
        // A clock that has jumped would make everything old at once.
        Ok(oldest) if night.previous.is_some_and(|(_, at)| at < oldest) => Ok(()),
        // To forget is root's alone.
        Ok(oldest) if who == Registry::ROOT => registry.forget_sweeps(oldest).map(drop),
        _ => Ok(()),
    });
    report.night = Some(night);
    match told {
        Ok(()) => Ok(report),
        Err(source) => Err(CheckError::Record {
            report: Box::new(report),
            source,
        }),
    }
}

/// What turns checks into rows of the history, and holds them against earlier ones.
struct Past<'a> {
    registered: &'a Registered,
    names: &'a [CheckName],
    started: Timestamp,
}

impl Past<'_> {
    fn of(&self, index: usize, check: &Check) -> PastCheck {
        let links = &self.registered.links;
        let behind = links.partition_point(|link| link.numbers.end <= index);
        let definition = links.get(behind).and_then(|link| link.definition);
        PastCheck::of(self.names[index].clone(), check, definition, self.started)
    }

    /// Tells what changed, and the story of each red check.
    fn tell(
        &self,
        registry: &Registry,
        checks: &[Check],
        night: &mut Night,
    ) -> Result<(), RegistryError> {
        let number = night.sweep;
        let mut all: Vec<PastCheck> = (0..)
            .zip(checks)
            .map(|(index, check)| self.of(index, check))
            .collect();
        let mut left: HashMap<&CheckName, usize> = self.names.iter().zip(0..).collect();
        let mut changes: Vec<Change> = Vec::new();
        registry.last_checks(number, |known| {
            if let Some(index) = left.remove(&known.name) {
                changes.extend(compare(Some(&known), &all[index]));
            }
            ControlFlow::Continue(())
        })?;
        for index in left.into_values() {
            changes.extend(compare(None, &all[index]));
        }
        in_order(&mut changes);
        for change in &mut changes {
            registry.name_definitions(change)?;
        }
        night.changes = changes;
        let mut stories = Vec::new();
        for now in all.iter_mut().filter(|check| check.is_red()) {
            let remembered = registry.remembered(&now.name, number)?;
            stories.push(story_of(registry, now, &remembered)?);
            // A server that is down still has a certificate that ends.
            if let Some((green, ..)) = &remembered.green {
                now.facts.add_dates_of(&green.facts);
            }
        }
        night.stories = stories;
        night.expiries = expiries_of_past(&all);
        Ok(())
    }
}

/// Returns number and start of the sweep before, of those that count.
fn previous(registry: &Registry, sweep: u64) -> Result<Option<(u64, Timestamp)>, RegistryError> {
    let mut previous = None;
    registry.sweeps(|earlier| {
        if earlier.number < sweep && earlier.state != SweepState::Offline {
            previous = Some((earlier.number, earlier.started));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(previous)
}

fn story_of(
    registry: &Registry,
    now: &PastCheck,
    remembered: &Remembered,
) -> Result<Story, RegistryError> {
    let changed = match now.definition {
        Some(definition) => registry.change_words(definition)?,
        None => None,
    };
    let green = remembered.green.as_ref();
    let green = green.map(|(check, number, at)| (check, *number, *at));
    Ok(history::story(
        now,
        green,
        remembered.red_since,
        changed.as_deref(),
    ))
}
