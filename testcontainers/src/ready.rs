//! Waiting for a server until it answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Error, runtime};

/// What is waited for between two looks at a server that is not ready yet.
const INTERVAL: Duration = Duration::from_millis(20);

/// The reason why a server that has ended is not ready.
pub(crate) const ENDED: &str = "the server has ended";

/// After how long a wait people are told what is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `ready` until it agrees, the server has `ended` or the time is over.
pub(crate) fn wait(
    server: &str,
    limit: Duration,
    ended: &AtomicBool,
    log: impl FnOnce() -> String,
    mut ready: impl FnMut() -> Result<(), String>,
) -> Result<(), Error> {
    let begin = Instant::now();
    let mut told = Duration::ZERO;
    loop {
        let reason = if ended.load(Ordering::SeqCst) {
            ENDED.to_owned()
        } else {
            match ready() {
                // Whoever answered, it was not a server that has ended.
                Ok(()) if ended.load(Ordering::SeqCst) => continue,
                Ok(()) => return Ok(()),
                Err(reason) if begin.elapsed() < limit => {
                    if begin.elapsed() >= told + PATIENCE {
                        told = begin.elapsed();
                        let (seconds, limit) = (told.as_secs(), limit.as_secs());
                        runtime::say(&format!(
                            "{server} is not ready after {seconds} of {limit} s: {reason}"
                        ));
                    }
                    std::thread::sleep(INTERVAL);
                    continue;
                }
                Err(reason) => reason,
            }
        };
        return Err(Error::NotReady {
            server: server.to_owned(),
            after: begin.elapsed(),
            reason,
            log: log(),
        });
    }
}
