//! A thread for `reqwest` alone.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::task::AbortOnDropHandle;

/// Runs what `reqwest` does where it holds up no deadline.
///
/// It reads interim answers (RFC 9110, section 15.2) without a bound, and a flood of them without
/// a pause: up to some 50 MB before anybody else on its thread gets a turn. Dropped, the work ends
/// at its next turn.
pub(crate) async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    static OWN: OnceLock<Option<Handle>> = OnceLock::new();
    let Some(own) = OWN.get_or_init(start) else {
        return work.await;
    };
    match AbortOnDropHandle::new(own.spawn(work)).await {
        Ok(done) => done,
        // Only who drops this future ends the work, and the thread lives as long as the process.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// Starts the thread; `None` where the system has none left.
fn start() -> Option<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name("reqwest".to_owned());
    let run = move || runtime.block_on(pending::<()>());
    thread.spawn(run).ok().map(|_| handle)
}
