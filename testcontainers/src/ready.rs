//! Waiting for a server until it answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Error;

/// What is waited for between two looks at a server that is not ready yet.
const INTERVAL: Duration = Duration::from_millis(20);

/// The reason why a server that has ended is not ready.
pub(crate) const ENDED: &str = "the server has ended";

/// Asks `ready` until it agrees, the server has `ended` or the time is over.
pub(crate) fn wait(
    server: &str,
    limit: Duration,
    ended: &AtomicBool,
    log: impl FnOnce() -> String,
    mut ready: impl FnMut() -> Result<(), String>,
) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        let reason = if ended.load(Ordering::SeqCst) {
            ENDED.to_owned()
        } else {
            match ready() {
                Ok(()) => return Ok(()),
                Err(_) if begin.elapsed() < limit => {
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
