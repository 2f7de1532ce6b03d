//! One check, and what becomes of it when it breaks.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::FutureExt as _;
use linkdial_core::{CLEANUP_TIMEOUT, Code, Diagnosis, Settings, Stage, Step, Trail, interrupted};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Item, Record};

/// A probe keeps its own deadline; this much later the check is ended from outside. One that
/// undoes a write then has the time of a clean-up as well.
pub(super) const SLACK: Duration = Duration::from_millis(500);

/// What is known of a check from outside, whatever becomes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    started: Arc<OnceLock<Instant>>,
    trail: Trail,
}

impl Watched {
    /// Returns the record of a check that the run could not wait for.
    pub(super) fn given_up(&self) -> Record {
        self.record(interrupted(self.trail.stage()), false)
    }

    /// Returns whether the check undoes a write now.
    pub(super) fn is_cleaning(&self) -> bool {
        self.trail.is_cleaning()
    }

    /// Returns whether the check has no connection yet, or dials another server.
    pub(super) fn is_before_connected(&self) -> bool {
        self.trail.stage() <= Stage::Connect
    }

    /// Waits until the check undoes no write.
    pub(super) async fn cleaned(&self) {
        self.trail.cleaned().await;
    }

    /// Ends the record with why there is no more of it.
    fn record(&self, why: Diagnosis, broken: bool) -> Record {
        let mut steps = self.trail.steps();
        steps.push(step_of(why));
        Record {
            steps,
            elapsed: self.started.get().map_or(Duration::ZERO, Instant::elapsed),
            broken,
        }
    }
}

/// Runs one check to its record, whatever happens inside.
pub(super) async fn run(
    item: &Item,
    settings: &Arc<Settings>,
    stop: &CancellationToken,
    watched: &Watched,
) -> Record {
    let started = *watched.started.get_or_init(Instant::now);
    let trail = &watched.trail;
    let work = async {
        let opened = item.link.opened();
        opened
            .check_on(trail, settings, stop, item.target.clone(), item.intent)
            .await;
    };
    let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
    let limit = settings.check_timeout.saturating_add(SLACK);
    let mut ended = timeout(limit, &mut work).await;
    if ended.is_err() && trail.is_cleaning() {
        ended = timeout(CLEANUP_TIMEOUT + SLACK, &mut work).await;
    }
    let steps = trail.steps();
    match ended {
        Ok(Ok(())) if !steps.is_empty() => Record {
            steps,
            elapsed: started.elapsed(),
            broken: false,
        },
        // The text of a panic may hold anything, a secret included: it is dropped unread.
        Ok(Ok(()) | Err(_)) => watched.record(broken(trail.stage()), true),
        Err(_) => watched.record(overdue(trail.stage(), started.elapsed()), false),
    }
}

/// Makes the step of a finding that no probe recorded.
pub(super) fn step_of(diagnosis: Diagnosis) -> Step {
    Step {
        stage: diagnosis.code.stage().unwrap_or(Stage::Define),
        endpoint: None,
        outcome: diagnosis.outcome,
        elapsed: Duration::ZERO,
        notes: Vec::new(),
        diagnosis: Some(diagnosis),
    }
}

fn broken(stage: Stage) -> Diagnosis {
    Diagnosis::new(
        Code::Interrupted(stage),
        "linkdial itself failed inside this check, so it says nothing about the link",
    )
    .hint("report it as a fault of linkdial; the other checks are not touched by it")
}

fn overdue(stage: Stage, waited: Duration) -> Diagnosis {
    Diagnosis::new(
        Code::Interrupted(stage),
        "the check went on beyond its deadline and was ended",
    )
    .evidence("waited_ms", waited.as_millis())
    .hint("raise `--check-timeout` if the service is known to be slow")
}
