//! What has to be hidden in text that no token vouches for.

use std::ops::Range;

use linkdial_core::looks_secret;

use super::addresses;
use super::lexer::is_typographic;

/// Returns what a comment must not show.
pub(crate) fn hidden_of_comment(text: &str, body: &Range<usize>) -> Vec<Range<usize>> {
    let comment = &text[body.clone()];
    let lower = comment.to_ascii_lowercase();
    if lower.trim_start().starts_with("linkdial") && !comment.contains('{') {
        let string = comment.find(['\'', '"']).map_or(0, |at| at + 1);
        let start = body.start + string;
        addresses::secrets_of(&comment[string..])
            .into_iter()
            .map(|part| start + part.start..start + part.end)
            .collect()
    } else if looks_secret(&lower)
        || lower.contains("credential")
        || comment.contains(['{', '\'', '"'])
    {
        // It may be SQL that was commented out.
        vec![body.clone()]
    } else {
        Vec::new()
    }
}

/// Returns what looks like a value, `: "..."` or `= '...'`, outside of the `cleared` strings, which
/// were looked at and stand in the order of the text.
///
/// One quote too much turns strings into code and code into strings up to the end of the
/// file; this look at the bare text does not depend on where a string starts.
pub(crate) fn values(text: &str, cleared: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut cleared = cleared.into_iter().peekable();
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(sign) = bytes[at..]
        .iter()
        .position(|byte| matches!(byte, b':' | b'='))
    {
        at += sign + 1;
        while cleared.next_if(|range| range.end <= at).is_some() {}
        if let Some(range) = cleared.peek()
            && range.start <= at
        {
            at = range.end;
            continue;
        }
        let rest = text[at..].trim_start();
        let rest = rest.strip_prefix('\\').unwrap_or(rest);
        let Some(quote) = rest
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`') || is_typographic(*c))
        else {
            continue;
        };
        let start = text.len() - rest.len() + quote.len_utf8();
        if cleared.peek().is_some_and(|range| range.start <= start) {
            continue;
        }
        let mut escaped = false;
        let len = text[start..]
            .find(|c| {
                let end = c == '\n' || (c == quote && !escaped);
                escaped = c == '\\' && !escaped;
                end
            })
            .unwrap_or(text.len() - start);
        values.push(start..start + len);
        at = start + len;
    }
    values
}
