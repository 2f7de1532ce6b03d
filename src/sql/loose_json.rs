//! What may be shown of text that was meant as JSON and is none.

use std::ops::Range;

use super::shown_keys::is_shown;

/// Returns what to hide: everything but signs, `true`, `false`, `null` and well-known keys.
pub(super) fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        if c == '"' {
            let end = string_end(text, at + 1);
            let content = at + 1..end.min(text.len());
            at = (end + 1).min(text.len());
            let is_key =
                matches!(before, Some('{' | ',')) && text[at..].trim_start().starts_with(':');
            if !(is_key && is_shown(&text[content.clone()])) {
                parts.push(content);
            }
        } else if c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ':' | ',') {
            at += c.len_utf8();
        } else {
            let rest = &text[at..];
            let len = rest
                .find(|c: char| {
                    c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ':' | ',' | '"')
                })
                .unwrap_or(rest.len());
            at += len;
            if !matches!(&rest[..len], "true" | "false" | "null") {
                parts.push(start..at);
            }
        }
        if !c.is_whitespace() {
            before = Some(c);
        }
    }
    parts
}

fn string_end(text: &str, from: usize) -> usize {
    let mut escaped = false;
    text[from..]
        .find(|c| {
            let end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            end
        })
        .map_or(text.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_wherever_the_quotes_went() {
        for text in [
            r#"{"region"{"o":["QZX",739]}}"#,
            r#"{"a":"QZX":"b"}"#,
            r#"{"region:"QZX":739}"#,
            r#"{"region":"x"QZX","y":"QZX"}"#,
            r#"{"k":"\"QZX","#,
            r"{QZX: 'QZX'",
        ] {
            let mut shown = String::from(text);
            for part in hidden(text).into_iter().rev() {
                shown.replace_range(part, "…");
            }
            assert!(!shown.contains("QZX") && !shown.contains("739"), "{shown}");
        }
        assert!(hidden(r#"{"region":true,}"#).is_empty());
    }
}
