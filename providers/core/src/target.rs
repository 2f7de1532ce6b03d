//! What a link is used with, and what the use does to it.

use std::fmt;

/// Where a link points when a statement uses it: bucket and prefix, brokers and topic, a URL.
///
/// The text is kept as written; the provider of the link's kind splits it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target(String);

impl Target {
    /// Takes the text as the statement has it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What the statements that use a link do with its target.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Intent {
    /// A pipeline, a restore or a function reads.
    pub read: bool,
    /// An export or a backup writes.
    pub write: bool,
}

impl Intent {
    /// Reads only.
    pub const READ: Self = Self {
        read: true,
        write: false,
    };
    /// Writes only.
    pub const WRITE: Self = Self {
        read: false,
        write: true,
    };

    /// Joins two uses of one target.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            write: self.write || other.write,
        }
    }

    /// Returns the words of the report, `read` before `write`.
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::with_capacity(2);
        if self.read {
            words.push("read");
        }
        if self.write {
            words.push("write");
        }
        words
    }
}
