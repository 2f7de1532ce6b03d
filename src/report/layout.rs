//! Plain text for a terminal: width, wrapping, and texts of strangers made harmless.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub(super) use crate::harmless::harmless;

/// Returns the columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Pads a text on the right.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{:missing$}", "")
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
        } else if word.starts_with("::") || word.starts_with("##[") {
            // A CI server obeys a line that starts so, and a server may have written the word.
            line.push('\\');
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
    fn no_line_starts_like_a_command_of_a_ci_server() {
        assert_eq!(wrap("aa ::error::x", 5), ["aa", "\\::error::x"]);
        assert_eq!(wrap("##[group]x", 5), ["\\##[group]x"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(pad("漢", 3), "漢 ");
        assert_eq!(columns_before("漢a", 1), 2);
    }
}
