//! Plain text for a terminal: width, wrapping, and texts of strangers made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::harmless::is_harmful;

/// Returns the columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Pads a text on the right.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{:missing$}", "")
}

/// Returns a text in which nothing can move the cursor, change colours or turn the reading
/// direction: a server may have written parts of it.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if is_harmful(c) => {
                write!(clean, "\\u{{{:x}}}", u32::from(c)).expect("a string takes every write");
            }
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// Breaks a text into lines of at most `columns`, at spaces only: a URL stays whole.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Returns the columns that the first `count` characters of a text take.
pub(super) fn columns_before(text: &str, count: usize) -> usize {
    text.chars()
        .take(count)
        .map(|c| c.width().unwrap_or(0))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_and_keeps_long_words_whole() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(
            wrap("a https://long.example b", 5),
            ["a", "https://long.example", "b"]
        );
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn strangers_can_not_write_escapes() {
        assert_eq!(
            harmless("a\u{1b}[31mb\r\nc\u{202e}"),
            "a\\u{1b}[31mb  c\\u{202e}"
        );
        assert!(matches!(harmless("größe ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(pad("漢", 3), "漢 ");
        assert_eq!(columns_before("漢a", 1), 2);
    }
}
