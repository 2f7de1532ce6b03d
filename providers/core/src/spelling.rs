//! What a place in a text spells, whoever escaped it: URLs, JSON, XML, HTML and Rust's own.

/// How a text reads at a place, beyond the character that stands there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Escape {
    /// An escape of this character, so many bytes long.
    Of(char, usize),
    /// The beginning of an escape; the text ends before it is whole.
    Cut,
    /// No escape.
    None,
}

/// The longest reference that is read, `&` and `;` included: `&#x0010FFFF;`.
const LONGEST_REFERENCE: usize = 12;

/// Reads the escape at the beginning of a text.
pub(crate) fn escape(text: &str) -> Escape {
    match text.as_bytes().first() {
        Some(b'+') => Escape::Of(' ', 1),
        Some(b'%') => bytes(text, "%"),
        Some(b'&') => reference(text),
        Some(b'\\') => backslash(text),
        _ => Escape::None,
    }
}

/// One character as the hexadecimal bytes of its UTF-8: `%C3%BC` (RFC 3986, section 2.1), `\xc3\xbc`.
fn bytes(text: &str, mark: &str) -> Escape {
    let mut decoded = Vec::with_capacity(4);
    let mut rest = text;
    while decoded.len() < 4 {
        let Some(digits) = rest.strip_prefix(mark) else {
            return cut_if(mark.starts_with(rest));
        };
        let Some(byte) = hex(digits, 2) else {
            return cut_if(digits.len() < 2 && is_hex(digits));
        };
        decoded.extend(u8::try_from(byte));
        rest = &digits[2..];
        if let Some(char) = std::str::from_utf8(&decoded)
            .ok()
            .and_then(|it| it.chars().next())
        {
            return Escape::Of(char, text.len() - rest.len());
        }
    }
    Escape::None
}

/// A character reference of XML or HTML: by one of the common names, or by number in either base.
fn reference(text: &str) -> Escape {
    let bound = text.len().min(LONGEST_REFERENCE);
    let window = &text.as_bytes()[1..bound];
    let Some(length) = window.iter().position(|byte| *byte == b';') else {
        let open = window
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#');
        return cut_if(open && text.len() < LONGEST_REFERENCE);
    };
    let Some(name) = text.get(1..=length) else {
        return Escape::None;
    };
    let char = match name {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "equals" => Some('='),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "plus" => Some('+'),
        "quot" => Some('"'),
        "sol" => Some('/'),
        _ => name
            .strip_prefix('#')
            .and_then(|number| match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => number.parse().ok(),
            })
            .and_then(char::from_u32),
    };
    char.map_or(Escape::None, |char| Escape::Of(char, length + 2))
}

/// An escape of JSON (RFC 8259, section 7), or of Rust's `Debug`.
fn backslash(text: &str) -> Escape {
    let Some(letter) = text.chars().nth(1) else {
        return Escape::Cut;
    };
    let char = match letter {
        '"' | '\'' | '/' | '\\' => letter,
        '0' => '\0',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(text),
        'x' => return bytes(text, "\\x"),
        _ => return Escape::None,
    };
    Escape::Of(char, 2)
}

/// `\u00fc`, a pair of surrogates, or `\u{fc}`.
fn unicode(text: &str) -> Escape {
    let digits = &text[2..];
    if let Some(braced) = digits.strip_prefix('{') {
        let Some(length) = braced.bytes().take(7).position(|byte| byte == b'}') else {
            return cut_if(braced.len() < 7 && is_hex(braced));
        };
        let char = hex(braced, length).and_then(char::from_u32);
        return char.map_or(Escape::None, |char| Escape::Of(char, length + 4));
    }
    let Some(first) = hex(digits, 4) else {
        return cut_if(digits.len() < 4 && is_hex(digits));
    };
    if let Some(char) = char::from_u32(first) {
        return Escape::Of(char, 6);
    }
    let rest = &digits[4..];
    let Some(low) = rest.strip_prefix("\\u").and_then(|low| hex(low, 4)) else {
        return cut_if(rest.len() < 6);
    };
    let units = [first, low].map(|unit| u16::try_from(unit).unwrap_or_default());
    match char::decode_utf16(units).next() {
        Some(Ok(char)) => Escape::Of(char, 12),
        _ => Escape::None,
    }
}

fn hex(text: &str, length: usize) -> Option<u32> {
    let digits = text.get(..length).filter(|digits| is_hex(digits))?;
    u32::from_str_radix(digits, 16).ok()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const fn cut_if(open: bool) -> Escape {
    if open { Escape::Cut } else { Escape::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_read() {
        for (text, char) in [
            ("+", ' '),
            ("%2B", '+'),
            ("%2b", '+'),
            ("%C3%bc", 'ü'),
            ("&amp;", '&'),
            ("&#43;", '+'),
            ("&#x2F;", '/'),
            ("&#X2f;", '/'),
            ("&#039;", '\''),
            ("\\\"", '"'),
            ("\\/", '/'),
            ("\\n", '\n'),
            ("\\u002B", '+'),
            ("\\u00fc", 'ü'),
            ("\\ud83d\\ude00", '😀'),
            ("\\u{fc}", 'ü'),
            ("\\xc3\\xbc", 'ü'),
        ] {
            let more = format!("{text}x");
            assert_eq!(escape(&more), Escape::Of(char, text.len()), "{text}");
            for length in (1..text.len()).filter(|length| text.is_char_boundary(*length)) {
                assert_eq!(escape(&text[..length]), Escape::Cut, "{}", &text[..length]);
            }
        }
    }

    #[test]
    fn what_is_no_escape_is_none() {
        for text in [
            "",
            "a",
            "%zz",
            "&nothing at all;",
            "&;",
            "&#;",
            "\\q",
            "\\u00g0",
            "%ff%ffx",
        ] {
            assert_eq!(escape(text), Escape::None, "{text}");
        }
    }
}
