//! Files of a script, and places in them that a person can go to.

use std::sync::Arc;

/// A place in a file. Both numbers count from 1; columns count characters, not bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The file as it was named on the command line; `<stdin>` for standard input.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

/// One line of a script with the part to underline. It never holds a value of `CREDENTIALS`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excerpt {
    /// The number of the line.
    pub line: u32,
    /// The line, secrets masked, cut to a readable width.
    pub text: String,
    /// Characters of `text` before the underlined part.
    pub start: usize,
    /// Characters to underline; at least 1.
    pub width: usize,
}
