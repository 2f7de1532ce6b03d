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

/// Returns JSON in which such characters are escaped: they stand inside of strings only.
pub(crate) fn harmless_json(json: &str) -> Cow<'_, str> {
    // The line breaks between keys are none of a stranger's.
    let is_bare = |c: char| !c.is_ascii() && is_harmful(c);
    if !json.chars().any(is_bare) {
        return Cow::Borrowed(json);
    }
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if is_bare(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(clean, "\\u{unit:04x}").expect("a string takes every write");
            }
        } else {
            clean.push(c);
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
    fn json_means_the_same_and_shows_nothing_of_it() {
        let text = "a\u{9b}31m\u{202e}b\u{e0041}ü";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let clean = harmless_json(&json);
        assert!(
            !clean.chars().any(|c| c != '\n' && is_harmful(c)),
            "{clean}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&clean).unwrap(), [text]);
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
