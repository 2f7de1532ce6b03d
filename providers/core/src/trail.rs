//! The record of a check while it is under way, for whoever may have to end it from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::probe::Step;
use crate::stage::Stage;

/// What a check has recorded so far, and what it does now. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    steps: Arc<Mutex<Vec<Step>>>,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    walking: Mutex<Stage>,
    cleaning: watch::Sender<bool>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            walking: Mutex::new(Stage::Define),
            cleaning: watch::Sender::new(false),
        }
    }
}

impl Trail {
    /// Returns the steps recorded so far.
    pub fn steps(&self) -> Vec<Step> {
        self.lock().clone()
    }

    /// Returns the stage that is walked now, or was last.
    pub fn stage(&self) -> Stage {
        *lock(&self.inner.walking)
    }

    /// Returns whether the check undoes a write now; see [`CLEANUP_TIMEOUT`].
    ///
    /// [`CLEANUP_TIMEOUT`]: crate::CLEANUP_TIMEOUT
    pub fn is_cleaning(&self) -> bool {
        *self.inner.cleaning.borrow()
    }

    /// Waits until nothing is being undone. The caller holds the deadline.
    pub async fn cleaned(&self) {
        let mut cleaning = self.inner.cleaning.subscribe();
        // It fails only when the sender is gone, which this handle keeps.
        let waited = cleaning.wait_for(|cleaning| !cleaning).await;
        tracing::trace!(known = waited.is_ok(), "cleaned up");
    }

    /// Returns a trail with a record of its own; the stage and clean-ups are told to this one too.
    pub(crate) fn beside(&self) -> Self {
        Self {
            steps: Arc::default(),
            inner: Arc::clone(&self.inner),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Step>> {
        lock(&self.steps)
    }

    pub(crate) fn walk(&self, stage: Stage) {
        *lock(&self.inner.walking) = stage;
    }

    /// Marks the time until the value is dropped as a clean-up.
    pub(crate) fn clean(&self) -> Cleaning {
        self.inner.cleaning.send_replace(true);
        Cleaning(self.clone())
    }
}

/// A clean-up that is under way.
#[derive(Debug)]
pub(crate) struct Cleaning(Trail);

impl Drop for Cleaning {
    fn drop(&mut self) {
        self.0.inner.cleaning.send_replace(false);
    }
}

/// What is recorded stays true even when a thread panicked while it recorded more.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
