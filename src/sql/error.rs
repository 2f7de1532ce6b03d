//! What is wrong with the text of a script.

use std::ops::Range;

use linkdial_core::Code;

/// A fault of the text, still in bytes of its file.
#[derive(Clone, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) expected: Vec<String>,
    pub(crate) span: Range<usize>,
    /// It is of a statement that only a registry answers.
    pub(crate) unanswered: bool,
}

impl SyntaxError {
    pub(crate) fn new(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            expected: Vec::new(),
            span,
            unanswered: false,
        }
    }

    /// Sets the repair.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what could have stood there.
    #[must_use]
    pub(crate) fn expected<'a>(mut self, expected: impl IntoIterator<Item = &'a str>) -> Self {
        self.expected = expected.into_iter().map(str::to_owned).collect();
        self
    }
}

/// The error was recorded; the rest of the statement is to be passed over.
#[derive(Debug)]
pub(crate) struct Broken;
