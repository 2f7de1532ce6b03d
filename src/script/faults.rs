//! What is wrong with a script, and what is passed over in it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use linkdial_core::Code;

use super::{ScriptError, Skipped};
use crate::sql::Place;
use crate::sql::error::SyntaxError;
use crate::sql::source::{FileId, SourceFile};

/// Faults of the text with their files; each place is told once.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<(FileId, SyntaxError)>,
    /// Places of variables that were reported: an ALTER reads a clause again.
    unbound: HashSet<(FileId, usize)>,
}

impl Faults {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn add(&mut self, file: FileId, error: SyntaxError) {
        self.list.push((file, error));
    }

    /// Records variables that nothing fills.
    pub(crate) fn unbound(&mut self, file: FileId, span: Range<usize>, name: Option<&str>) {
        if !self.unbound.insert((file, span.start)) {
            return;
        }
        let error = match name {
            Some(name) => SyntaxError::new(
                Code::SqlUnboundVariable,
                span,
                format!("nothing fills the variable `{name}`"),
            )
            .hint(format!(
                "name it in --vars-env {name}, in a file for --vars or with --var; a literal `${{` \
                 is written `$${{`"
            )),
            None => SyntaxError::new(
                Code::SqlUnboundVariable,
                span,
                "`${` starts a variable, and no name and `}` follow",
            )
            .hint("write `${NAME}`, or `$${` for a literal `${`"),
        };
        self.add(file, error);
    }

    /// Leaves out what concerns a registry only.
    pub(crate) fn without_unanswered(mut self) -> Self {
        self.list.retain(|(_, error)| !error.unanswered);
        self
    }

    /// Returns them in the order of the text.
    pub(crate) fn located(mut self, sources: &[SourceFile]) -> Vec<ScriptError> {
        self.list
            .sort_by_key(|(file, error)| (file.0, error.span.start));
        self.list
            .into_iter()
            .map(|(file, error)| located(error, &sources[file.0]))
            .collect()
    }
}

pub(crate) fn located(error: SyntaxError, source: &SourceFile) -> ScriptError {
    let SyntaxError {
        code,
        message,
        hint,
        expected,
        span,
        unanswered: _,
    } = error;
    ScriptError {
        code,
        message,
        hint,
        expected,
        place: source.place(span.start),
        excerpt: source.excerpt(&span),
        correction: None,
    }
}

/// Statements that are passed over, those of the same words counted as one.
#[derive(Debug, Default)]
pub(crate) struct SkipList {
    list: Vec<(FileId, usize, Skipped)>,
    index: HashMap<String, usize>,
}

impl SkipList {
    /// Counts a statement.
    pub(crate) fn skip(&mut self, place: Place, file: FileId, at: usize, words: String) {
        if let Some(&index) = self.index.get(&words) {
            self.list[index].2.count += 1;
            return;
        }
        self.index.insert(words.clone(), self.list.len());
        let skipped = Skipped {
            statement: words,
            count: 1,
            place,
            warning: None,
        };
        self.list.push((file, at, skipped));
    }

    /// Adds what deserves a look.
    pub(crate) fn warn(&mut self, file: FileId, at: usize, skipped: Skipped) {
        self.list.push((file, at, skipped));
    }

    /// Returns them in the order of the text.
    pub(crate) fn into_list(mut self) -> Vec<Skipped> {
        self.list.sort_by_key(|(file, at, _)| (file.0, *at));
        self.list
            .into_iter()
            .map(|(_, _, skipped)| skipped)
            .collect()
    }
}
