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

/// Cuts a text to at most `columns`, with an ellipsis in its middle; at least `end` columns of its
/// end stay where there are so many. The beginning keeps more: it tells hosts of one domain apart.
pub(super) fn cut_middle(text: &str, columns: usize, end: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let end = end.max(kept / 3).min(kept);
    let head = fitting(text.chars(), kept - end);
    let tail = fitting(text.chars().rev(), end);
    let head: String = text.chars().take(head).collect();
    let skipped = text.chars().count() - tail;
    let tail: String = text.chars().skip(skipped).collect();
    format!("{head}…{tail}")
}

/// Returns how many of the first characters take at most `columns`.
fn fitting(text: impl Iterator<Item = char>, columns: usize) -> usize {
    let mut used = 0;
    text.take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    })
    .count()
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

    #[test]
    fn cuts_the_middle() {
        assert_eq!(cut_middle("b1:9092", 7, 5), "b1:9092");
        let long = "broker-1.example.com:9092";
        assert_eq!(cut_middle(long, 14, 5), "broker-1…:9092");
        assert_eq!(cut_middle(long, 22, 5), "broker-1.examp…om:9092");
        assert_eq!(cut_middle(long, 4, 5), "…092");
        for columns in 1..9 {
            let cut = cut_middle("漢漢漢漢漢", columns, 1);
            assert!(width(&cut) <= columns, "{columns}: {cut}");
        }
        assert_eq!(cut_middle("漢漢漢漢漢", 7, 2), "漢漢…漢");
    }
}
