//! Ctrl-C, SIGTERM and SIGHUP: the first stops the checks, the second the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::exit::Exit;

/// Whether a signal has come.
#[derive(Clone, Debug)]
pub(super) struct Signals(Arc<AtomicBool>);

impl Signals {
    /// From here on a signal cancels the token instead of ending the process.
    pub(super) fn listen(cancel: CancellationToken) -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut stream = {
            // Registered before this returns, so that no signal finds the gap.
            let _context = runtime.enter();
            Stream::new()?
        };
        let signals = Self(Arc::clone(&came));
        // Detached: it waits for as long as the process lives.
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                runtime.block_on(async {
                    stream.next().await;
                    came.store(true, Ordering::SeqCst);
                    cancel.cancel();
                    stream.next().await;
                    end();
                });
            })?;
        Ok(signals)
    }

    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "who asks twice wants the process gone, whatever it is doing"
)]
fn end() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}

#[cfg(unix)]
struct Stream {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stream {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stream;

#[cfg(not(unix))]
impl Stream {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
