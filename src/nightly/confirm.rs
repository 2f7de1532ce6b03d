//! A check that fails and did not fail before is dialled once more before it counts.

use std::collections::HashMap;
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
    /// Dials everything, and once more what failed unexpectedly. Each check is handed over as soon as it
    /// ends; one that has to fail once more a second time, when it counts.
    pub(super) fn run(
        &self,
        mut keep: impl FnMut(usize, &Check),
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> io::Result<(Vec<Check>, bool)> {
        let dials = &self.registered.dials;
        let begun = Instant::now();
        on_progress(Progress::Planned(dials.len()));
        let all: Vec<usize> = (0..dials.len()).collect();
        let mut kept = vec![false; dials.len()];
        let mut failed: HashMap<usize, Instant> = HashMap::new();
        let (mut checks, complete) = dials.run_some(&all, self.settings, self.limits, |event| {
            if let Event::Finished(index, record) = &event {
                let check = dials.end(*index, (*record).clone());
                if self.is_news(*index, &check) {
                    failed.insert(*index, Instant::now());
                    // Should the sweep be killed, the history has it as open.
                    let mut open = check;
                    offline::lower(&mut open);
                    keep(*index, &open);
                } else {
                    keep(*index, &check);
                    kept[*index] = true;
                }
            }
            on_progress(match event {
                Event::Started(index) => dials.started(index),
                Event::Finished(index, record) => Progress::Finished(index, record),
            });
        })?;
        // The deadline may have ended a check after it was seen to fail.
        let news: Vec<usize> = (0..checks.len())
            .filter(|&index| !kept[index] && self.is_news(index, &checks[index]))
            .collect();
        let confirmed = if news.is_empty() {
            complete
        } else {
            self.confirm(&news, &failed, begun, &mut checks, on_progress)? && complete
        };
        // What was not reached, or given up, belongs to the night as well.
        for index in (0..checks.len()).filter(|&index| !kept[index]) {
            keep(index, &checks[index]);
        }
        Ok((checks, confirmed))
    }

    /// Dials these once more; returns whether nothing stopped that.
    fn confirm(
        &self,
        news: &[usize],
        failed: &HashMap<usize, Instant>,
        begun: Instant,
        checks: &mut [Check],
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> io::Result<bool> {
        let left = self
            .limits
            .deadline
            .map(|limit| limit.saturating_sub(begun.elapsed()));
        // A short deadline leaves a short pause, and half of the rest for the dials.
        let pause = left.map_or(self.confirm, |left| self.confirm.min(left / 2));
        if pause.is_zero() || !self.pause(pause)? {
            for &index in news {
                self.unconfirmed(&mut checks[index]);
            }
            return Ok(false);
        }
        on_progress(Progress::Again(news.len()));
        let limits = Limits {
            deadline: left.map(|left| left.saturating_sub(pause)),
            ..self.limits.clone()
        };
        let dials = &self.registered.dials;
        let again = Instant::now();
        let (seconds, complete) = dials.run_some(news, self.settings, &limits, |event| {
            on_progress(match event {
                Event::Started(index) => dials.started(index),
                Event::Finished(index, record) => Progress::Finished(index, record),
            });
        })?;
        for (&index, mut second) in news.iter().zip(seconds) {
            let first = &mut checks[index];
            if second.was_interrupted() {
                self.unconfirmed(first);
                continue;
            }
            let before = failed.get(&index).map_or(pause, |at| again - *at);
            let text = format!("{}, {} before", code(first), words(before));
            note(&mut second, text);
            *first = second;
        }
        Ok(complete)
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

    /// Waits; `false` when somebody stopped the run meanwhile.
    fn pause(&self, pause: Duration) -> io::Result<bool> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let stopped = self.limits.cancel.cancelled();
        let waited = async { timeout(pause, stopped).await };
        Ok(runtime.block_on(waited).is_err())
    }

    /// Marks a check that failed once, and could not be dialled once more. Where somebody stopped the
    /// run it is left open; a deadline that is too short every night must not hide what is red.
    fn unconfirmed(&self, check: &mut Check) {
        let text = format!("{}; it was not dialled once more", code(check));
        if self.limits.cancel.is_cancelled() {
            offline::lower(check);
        }
        note(check, text);
    }
}

fn note(check: &mut Check, text: String) {
    if let Some(step) = check.steps.first_mut() {
        step.notes.push((FIRST, text));
    }
}

fn code(check: &Check) -> &'static str {
    let headline = check.headline();
    headline.map_or("", |(_, finding)| finding.code.as_str())
}

fn words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", duration.as_secs())
    }
}
