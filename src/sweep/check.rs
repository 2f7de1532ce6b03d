//! One check, and what becomes of it when it breaks.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use linkdial_core::{Code, Diagnosis, Settings, Stage, Step};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Item, Record};

/// A probe keeps its own deadline; this much later the check is ended from outside.
const SLACK: Duration = Duration::from_millis(500);

/// Runs one check to its record, whatever happens inside.
pub(super) async fn run(item: &Item, settings: &Arc<Settings>, stop: &CancellationToken) -> Record {
    let started = Instant::now();
    let work = AssertUnwindSafe(async {
        item.link
            .opened()
            .check(settings, stop, item.target.clone(), item.intent)
            .await
    })
    .catch_unwind();
    let limit = settings.check_timeout.saturating_add(SLACK);
    let steps = match timeout(limit, work).await {
        Ok(Ok(steps)) if !steps.is_empty() => steps,
        // The text of a panic may hold anything, a secret included: it is dropped unread.
        Ok(Ok(_) | Err(_)) => vec![step_of(broken())],
        Err(_) => vec![step_of(overdue(limit))],
    };
    Record {
        steps,
        elapsed: started.elapsed(),
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

fn broken() -> Diagnosis {
    Diagnosis::new(
        Code::Interrupted(Stage::Access),
        "linkdial itself failed inside this check, so it says nothing about the link",
    )
    .hint("report it as a fault of linkdial; the other checks are not touched by it")
}

fn overdue(limit: Duration) -> Diagnosis {
    Diagnosis::new(
        Code::Interrupted(Stage::Access),
        "the check went on beyond its deadline and was ended",
    )
    .evidence("waited_ms", limit.as_millis())
    .hint("raise `--check-timeout` if the service is known to be slow")
}
