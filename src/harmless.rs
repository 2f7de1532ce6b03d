//! Characters of strangers that could turn or hide what is shown around them.

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
