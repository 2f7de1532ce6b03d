//! What is said on standard error while checks run: a live line on a terminal, else a line now and
//! then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use linkdial_core::{Outcome, verdict};

use super::terminal;
use crate::Progress;

/// The state of a run for whoever waits for it.
#[derive(Debug)]
pub(super) struct Live {
    state: Arc<Mutex<State>>,
    view: View,
}

#[derive(Debug)]
enum View {
    /// On a terminal.
    Bar(ProgressBar),
    /// Elsewhere: a log. It ends when the sender is gone.
    Lines(Sender<()>, JoinHandle<()>),
}

#[derive(Debug)]
struct State {
    started: Instant,
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<usize, (Instant, String)>,
}

/// Between two drawings.
const TICK: Duration = Duration::from_millis(150);
/// Between two lines of a log.
const LINE: Duration = Duration::from_secs(10);
/// The line names a check once it has run this long.
const SLOW: Duration = Duration::from_secs(1);
/// Nobody needs to be told how long less takes.
const SHORT: Duration = Duration::from_secs(2);

impl Live {
    /// Starts it, unless `quiet`.
    pub(super) fn start(quiet: bool) -> Option<Self> {
        if quiet {
            return None;
        }
        let state = Arc::new(Mutex::new(State::new(Instant::now())));
        let shown = Arc::clone(&state);
        let view = if io::stderr().is_terminal() {
            let write = move |_: &ProgressState, out: &mut dyn Write| {
                // The terminal is the only reader, and it takes every write.
                lock(&shown).write(Instant::now(), out).ok();
            };
            let style = ProgressStyle::with_template("{state}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner())
                .with_key("state", write);
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(TICK);
            View::Bar(bar)
        } else {
            let (sender, end) = mpsc::channel();
            let lines = move || {
                while end.recv_timeout(LINE) == Err(RecvTimeoutError::Timeout) {
                    let mut line = String::new();
                    // As above, of a text.
                    lock(&shown).write(Instant::now(), &mut line).ok();
                    if !line.is_empty() {
                        terminal::note(&line);
                    }
                }
            };
            // Without a thread the run goes on in silence.
            let thread = thread::Builder::new().name("progress".into()).spawn(lines);
            View::Lines(sender, thread.ok()?)
        };
        Some(Self { state, view })
    }

    /// Does work that tells how far it is.
    pub(super) fn during<T>(
        quiet: bool,
        work: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> T,
    ) -> T {
        let live = Self::start(quiet);
        let done = work(&mut |progress| {
            if let Some(live) = &live {
                live.on(&progress);
            }
        });
        if let Some(live) = live {
            live.end();
        }
        done
    }

    pub(super) fn on(&self, progress: &Progress<'_>) {
        lock(&self.state).on(progress, Instant::now());
    }

    /// Takes the line away while something else is written.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.view {
            View::Bar(bar) => bar.suspend(write),
            View::Lines(..) => write(),
        }
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        match self.view {
            View::Bar(bar) => bar.finish_and_clear(),
            View::Lines(sender, thread) => {
                drop(sender);
                // A panic there takes nothing from the run.
                drop(thread.join());
            }
        }
    }
}

impl State {
    fn new(started: Instant) -> Self {
        Self {
            started,
            total: 0,
            done: 0,
            failed: 0,
            running: BTreeMap::new(),
        }
    }

    fn on(&mut self, progress: &Progress<'_>, now: Instant) {
        match progress {
            Progress::Planned(total) => self.total = *total,
            Progress::Again(count) => {
                // They are not done, and do not count as failed yet.
                self.done = self.done.saturating_sub(*count);
                self.failed = self.failed.saturating_sub(*count);
            }
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
        if self.running.len() > 1 {
            write!(out, ", {} running", self.running.len())?;
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
        if let Some(left) = self.left(now).filter(|left| *left >= SHORT) {
            write!(out, ", about {} s left", left.as_secs())?;
        }
        Ok(())
    }

    /// Returns how long the rest takes, if it goes on as before.
    fn left(&self, now: Instant) -> Option<Duration> {
        let done = u32::try_from(self.done).ok().filter(|done| *done > 0)?;
        let left = u32::try_from(self.total.checked_sub(self.done)?).ok()?;
        let gone = now.saturating_duration_since(self.started);
        (gone >= SHORT).then(|| (gone / done).saturating_mul(left))
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
        let start = Instant::now();
        let mut state = State::new(start);
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
        assert_eq!(line(&state, 0), "0/3 checks, 2 running");
        assert_eq!(
            line(&state, 4),
            "0/3 checks, 2 running, shop.orders for 4 s"
        );
        let record = crate::sweep::Record {
            steps: Vec::new(),
            elapsed: Duration::ZERO,
            broken: false,
        };
        state.on(&Progress::Finished(0, &record), start);
        assert_eq!(
            line(&state, 4),
            "1/3 checks, shop.events for 2 s, about 8 s left"
        );
        assert_eq!(line(&state, 1), "1/3 checks", "too early to tell");
    }
}
