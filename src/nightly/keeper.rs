//! Stores checks while others still run, so that a killed sweep leaves what it had found.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::history::PastCheck;
use crate::registry::{Registry, RegistryError};

/// Checks that are stored at once at most.
const BATCH: usize = 256;
/// A check is stored this long after it ended at most.
const DELAY: Duration = Duration::from_secs(1);

/// Does work that hands over checks, and stores them meanwhile on a thread of its own: a registry
/// blocks, and dials must not wait for it. After a failure nothing more is stored.
pub(super) fn keeping<T>(
    registry: &Registry,
    sweep: u64,
    work: impl FnOnce(&dyn Fn(PastCheck)) -> T,
) -> (T, Result<(), RegistryError>) {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel::<PastCheck>();
        let store = scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            loop {
                let Ok(first) = receiver.recv() else {
                    return Ok(());
                };
                batch.push(first);
                let due = Instant::now() + DELAY;
                let mut over = false;
                while batch.len() < BATCH && !over {
                    let left = due.saturating_duration_since(Instant::now());
                    match receiver.recv_timeout(left) {
                        Ok(check) => batch.push(check),
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => over = true,
                    }
                }
                registry.add_to_sweep(sweep, &batch)?;
                batch.clear();
            }
        });
        let done = work(&|check| {
            // Who stores has failed, and says so at the end.
            sender.send(check).ok();
        });
        drop(sender);
        let stored = store.join();
        let stored = stored.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (done, stored)
    })
}
