//! A correction for people: what was changed, and the statement to copy.

use std::io;

use linkdial_core::Outcome;

use super::human::{DIM, GREEN, INDENT, Page, YELLOW};
use super::layout::harmless;
use crate::correction::Correction;

impl Page<'_> {
    pub(super) fn correction(&mut self, correction: &Correction) -> io::Result<()> {
        let (style, heading) = match correction.verdict {
            Outcome::Warn => (YELLOW, heading(correction)),
            _ => (GREEN, heading(correction)),
        };
        let heading = self.paint(style, heading);
        writeln!(self.out, "{INDENT}{heading}")?;
        for change in &correction.changes {
            self.paragraph("- ", &change.text)?;
        }
        // Whole lines, so that it can be copied.
        for line in correction.statement.lines() {
            let line = self.paint(DIM, &harmless(line));
            writeln!(self.out, "{INDENT}  {line}")?;
        }
        Ok(())
    }
}

/// Says how the proof ended.
pub(super) fn heading(correction: &Correction) -> &'static str {
    match correction.verdict {
        Outcome::Warn => "corrected, and dialled: passes with a warning",
        _ => "corrected, and dialled: passes",
    }
}
