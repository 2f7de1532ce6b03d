//! Characters of strangers that could turn or hide what is shown around them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a text in which nothing can move the cursor, change colours or turn the reading
/// direction: a server may have written parts of it.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
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

/// Returns whether a character moves the cursor, turns the reading direction, breaks the line or
/// is not seen: controls, marks of direction, separators, the byte order mark and tag characters.
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_can_not_write_escapes() {
        assert_eq!(
            harmless("a\u{1b}[31mb\r\nc\u{202e}"),
            "a\\u{1b}[31mb  c\\u{202e}"
        );
        assert!(matches!(harmless("größe ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_can_not_be_seen_is_harmful() {
        for c in [
            '\u{1b}',
            '\u{61c}',
            '\u{2028}',
            '\u{202e}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert!(is_harmful(c), "{c:?}");
        }
        assert!(!"größe ✓ 漢 …".chars().any(is_harmful));
    }
}
