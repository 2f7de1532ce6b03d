//! The record of a check while it is under way, for whoever may have to end it from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::probe::{Stage, Step};

/// What a check has recorded so far, and what it does now. Clones share it.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    steps: Mutex<Vec<Step>>,
    walking: Mutex<Stage>,
    cleaning: watch::Sender<bool>,
}

impl Default for Trail {
    fn default() -> Self {
        Self(Arc::new(Inner {
            steps: Mutex::default(),
            walking: Mutex::new(Stage::Define),
            cleaning: watch::Sender::new(false),
        }))
    }
}

impl Trail {
    /// Returns the steps recorded so far.
    pub fn steps(&self) -> Vec<Step> {
        self.lock().clone()
    }

    /// Returns the stage that is walked now, or was last.
    pub fn stage(&self) -> Stage {
        *lock(&self.0.walking)
    }

    /// Returns whether the check undoes a write now; see [`CLEANUP_TIMEOUT`].
    ///
    /// [`CLEANUP_TIMEOUT`]: crate::CLEANUP_TIMEOUT
    pub fn is_cleaning(&self) -> bool {
        *self.0.cleaning.borrow()
    }

    /// Waits until nothing is being undone. The caller holds the deadline.
    pub async fn cleaned(&self) {
        let mut cleaning = self.0.cleaning.subscribe();
        // It fails only when the sender is gone, which this handle keeps.
        let waited = cleaning.wait_for(|cleaning| !cleaning).await;
        tracing::trace!(known = waited.is_ok(), "cleaned up");
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Step>> {
        lock(&self.0.steps)
    }

    pub(crate) fn walk(&self, stage: Stage) {
        *lock(&self.0.walking) = stage;
    }

    /// Marks the time until the value is dropped as a clean-up.
    pub(crate) fn clean(&self) -> Cleaning {
        self.0.cleaning.send_replace(true);
        Cleaning(self.clone())
    }
}

/// A clean-up that is under way.
#[derive(Debug)]
pub(crate) struct Cleaning(Trail);

impl Drop for Cleaning {
    fn drop(&mut self) {
        self.0.0.cleaning.send_replace(false);
    }
}

/// What is recorded stays true even when a thread panicked while it recorded more.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
