//! Gathers what is logged at the highest level.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A subscriber that keeps every event and span as text.
#[derive(Clone, Default)]
pub(super) struct Logs(Arc<Mutex<String>>);

impl Logs {
    pub(super) fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn visitor(&self) -> Line<'_> {
        Line(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Line<'a>(std::sync::MutexGuard<'a, String>);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = writeln!(self.0, "{field}={value:?}");
        debug_assert!(written.is_ok(), "writing to a string can not fail");
    }
}

impl Subscriber for Logs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.visitor());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.visitor());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.visitor());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
