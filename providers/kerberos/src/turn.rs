//! Which KDC is shown a proof, and when.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::sleep;

/// Gives the proof to one KDC at a time, in the order in which they greeted: failed proofs may lock
/// an account.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    said: Mutex<Said>,
    /// How many KDCs have greeted and wait.
    waiting: watch::Sender<usize>,
}

/// What the KDCs so far have said of the proof.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Said {
    /// Nothing: those that had their turn are dead.
    #[default]
    Nothing,
    /// One that is not the primary KDC refused it. The primary one may have a newer key.
    Refused,
    /// Enough: nobody else is asked.
    Enough,
}

impl Turn {
    /// Waits for the turn of a KDC that greeted; `None` where it gets none. It waits no longer than
    /// the KDCs before it have time.
    pub(crate) async fn take(&self, is_primary: bool) -> Option<MutexGuard<'_, Said>> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let said = self.said.lock().await;
        self.waiting.send_modify(|waiting| *waiting -= 1);
        let is_asked = match *said {
            Said::Nothing => true,
            Said::Refused => is_primary,
            Said::Enough => false,
        };
        is_asked.then_some(said)
    }

    /// Ends when another KDC waits and the one whose turn it is has had this time.
    pub(crate) async fn wanted_after(&self, patience: Duration) {
        sleep(patience).await;
        let mut waiting = self.waiting.subscribe();
        // It fails only when the sender is gone, which this value keeps.
        let waited = waiting.wait_for(|waiting| *waiting > 0).await;
        drop(waited);
    }
}
