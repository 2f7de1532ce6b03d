//! The live line on standard error while checks run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use linkdial_core::{Outcome, verdict};

use crate::Progress;

/// Shown on a terminal only; elsewhere it costs nothing.
#[derive(Debug)]
pub(super) struct Live {
    state: Arc<Mutex<State>>,
    bar: ProgressBar,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<usize, (Instant, String)>,
}

/// Between two drawings.
const TICK: Duration = Duration::from_millis(150);
/// The line names a check once it has run this long.
const SLOW: Duration = Duration::from_secs(1);

impl Live {
    /// Starts the line, unless `quiet` or nobody would see it.
    pub(super) fn start(quiet: bool) -> Option<Self> {
        if quiet || !io::stderr().is_terminal() {
            return None;
        }
        let state = Arc::new(Mutex::new(State::default()));
        let shown = Arc::clone(&state);
        let write = move |_: &ProgressState, out: &mut dyn Write| {
            // The terminal is the only reader, and it takes every write.
            lock(&shown).write(Instant::now(), out).ok();
        };
        let style = ProgressStyle::with_template("{state}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .with_key("state", write);
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(TICK);
        Some(Self { state, bar })
    }

    pub(super) fn on(&self, progress: &Progress<'_>) {
        lock(&self.state).on(progress, Instant::now());
    }

    /// Takes the line away while something else is written.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}

impl State {
    fn on(&mut self, progress: &Progress<'_>, now: Instant) {
        match progress {
            Progress::Planned(total) => self.total = *total,
            Progress::Started(index, link) => {
                self.running.insert(*index, (now, link.name.to_string()));
            }
            Progress::Finished(index, record) => {
                self.running.remove(index);
                self.done += 1;
                self.failed += usize::from(verdict(&record.steps) == Outcome::Fail);
            }
        }
    }

    fn write(&self, now: Instant, out: &mut dyn Write) -> std::fmt::Result {
        // The checks are not known yet, or there are none.
        if self.total == 0 {
            return Ok(());
        }
        write!(out, "{}/{} checks", self.done, self.total)?;
        if self.failed > 0 {
            write!(out, ", {} failed", self.failed)?;
        }
        let slowest = self.running.values().min_by_key(|(since, _)| *since);
        if let Some((since, link)) = slowest {
            let waited = now.saturating_duration_since(*since);
            if waited >= SLOW {
                let name: String = link
                    .chars()
                    .filter(|c| !crate::harmless::is_harmful(*c))
                    .collect();
                write!(out, ", {name} for {} s", waited.as_secs())?;
            }
        }
        Ok(())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn names_the_slowest_check() {
        let script = sample::script(&["shop.orders", "shop.events"]);
        let mut state = State::default();
        let start = Instant::now();
        let mut nothing = String::new();
        state.write(start, &mut nothing).unwrap();
        assert_eq!(nothing, "", "before the checks are counted");
        state.on(&Progress::Planned(3), start);
        state.on(&Progress::Started(0, &script.links[0]), start);
        state.on(
            &Progress::Started(1, &script.links[1]),
            start + Duration::from_secs(2),
        );
        let line = |state: &State, seconds| {
            let mut line = String::new();
            state
                .write(start + Duration::from_secs(seconds), &mut line)
                .unwrap();
            line
        };
        assert_eq!(line(&state, 0), "0/3 checks");
        assert_eq!(line(&state, 4), "0/3 checks, shop.orders for 4 s");
        let record = crate::sweep::Record {
            steps: Vec::new(),
            elapsed: Duration::ZERO,
            broken: false,
        };
        state.on(&Progress::Finished(0, &record), start);
        assert_eq!(line(&state, 4), "1/3 checks, shop.events for 2 s");
    }
}
