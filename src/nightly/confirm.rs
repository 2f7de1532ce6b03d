//! A check that fails and did not fail before is dialled once more before it counts.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::{Outcome, Settings, Stage};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout};

use super::offline;
use crate::dial::Progress;
use crate::history::CheckName;
use crate::registered::Registered;
use crate::report::Check;
use crate::sweep::{Event, Limits};

/// The dials of a sweep.
pub(super) struct Pass<'a> {
    pub(super) registered: &'a Registered,
    pub(super) names: &'a [CheckName],
    /// Sorted.
    pub(super) reds: &'a [CheckName],
    pub(super) confirm: Duration,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) limits: &'a Limits,
}

/// The note of a check that failed twice, or once.
const FIRST: &str = "first_try";

impl Pass<'_> {
    /// Dials everything, and once more what failed unexpectedly. Each check is handed over once, as
    /// soon as it counts.
    pub(super) fn run(
        &self,
        mut keep: impl FnMut(usize, &Check),
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> io::Result<(Vec<Check>, bool)> {
        let dials = &self.registered.dials;
        let begun = Instant::now();
        on_progress(Progress::Planned(dials.len()));
        let all: Vec<usize> = (0..dials.len()).collect();
        let (mut checks, complete) = dials.run_some(&all, self.settings, self.limits, |event| {
            if let Event::Finished(index, record) = &event {
                let check = dials.end(*index, (*record).clone());
                if !self.is_news(*index, &check) {
                    keep(*index, &check);
                }
            }
            on_progress(match event {
                Event::Started(index) => dials.started(index),
                Event::Finished(index, record) => Progress::Finished(index, record),
            });
        })?;
        let news: Vec<usize> = (0..checks.len())
            .filter(|&index| self.is_news(index, &checks[index]))
            .collect();
        if news.is_empty() {
            return Ok((checks, complete));
        }
        let left = self.limits.deadline.map(|limit| {
            let wait = begun.elapsed() + self.confirm;
            limit.saturating_sub(wait)
        });
        if !complete || left.is_some_and(|left| left.is_zero()) || !self.pause()? {
            for index in news {
                unconfirmed(&mut checks[index]);
                keep(index, &checks[index]);
            }
            return Ok((checks, false));
        }
        on_progress(Progress::Again(news.len()));
        let limits = Limits {
            deadline: left,
            ..self.limits.clone()
        };
        let (again, complete) = dials.run_some(&news, self.settings, &limits, |event| {
            on_progress(match event {
                Event::Started(index) => dials.started(index),
                Event::Finished(index, record) => Progress::Finished(index, record),
            });
        })?;
        for (index, mut second) in news.into_iter().zip(again) {
            let first = &mut checks[index];
            if second.was_interrupted() {
                unconfirmed(first);
            } else {
                let code = first.headline().map(|(_, finding)| finding.code.as_str());
                let text = format!(
                    "{}, {} s before",
                    code.unwrap_or_default(),
                    self.confirm.as_secs()
                );
                if let Some(step) = second.steps.first_mut() {
                    step.notes.push((FIRST, text));
                }
                *first = second;
            }
            keep(index, first);
        }
        Ok((checks, complete))
    }

    /// Returns whether a check has to fail once more before it counts. What stands in the statement
    /// would not change.
    fn is_news(&self, index: usize, check: &Check) -> bool {
        let dialled = || {
            let headline = check.headline();
            headline.is_some_and(|(step, _)| step.stage > Stage::Define)
        };
        !self.confirm.is_zero()
            && check.verdict() == Outcome::Fail
            && !check.was_interrupted()
            && dialled()
            && self.reds.binary_search(&self.names[index]).is_err()
    }

    /// Waits; `false` when the run was stopped meanwhile.
    fn pause(&self) -> io::Result<bool> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let stopped = self.limits.cancel.cancelled();
        let waited = async { timeout(self.confirm, stopped).await };
        Ok(runtime.block_on(waited).is_err())
    }
}

/// Marks a check that failed once, and could not be dialled once more.
fn unconfirmed(check: &mut Check) {
    let code = check.headline().map(|(_, finding)| finding.code.as_str());
    let text = format!(
        "{}; the run was stopped before it was dialled once more",
        code.unwrap_or_default()
    );
    offline::lower(check);
    if let Some(step) = check.steps.first_mut() {
        step.notes.push((FIRST, text));
    }
}
