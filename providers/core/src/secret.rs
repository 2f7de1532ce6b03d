//! Text that nobody may see again.

use std::fmt;

use zeroize::Zeroize as _;

/// A value that must never be shown.
///
/// It has no `Display`, `Deref` or `Serialize`; [`Secret::expose`] is the one way in, easy to
/// search for. The memory is wiped on drop.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the clear text, to hand to a client that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
