//! What has to be hidden in text that no token vouches for.

use std::ops::Range;

use super::addresses;
use super::lexer::{STARTERS, Token, is_typographic};

/// Words that may follow the first one of a statement; a value is none of them.
const SECOND: [&str; 16] = [
    "ALL",
    "DATA",
    "DATABASE",
    "EXTERNAL",
    "FUNCTION",
    "GLOBAL",
    "INTO",
    "OR",
    "PASSWORD",
    "PIPELINE",
    "PROCEDURE",
    "SESSION",
    "TABLE",
    "TEMPORARY",
    "USER",
    "VIEW",
];

/// Returns what a comment must not show: all of its text, unless it is one for linkdial.
pub(crate) fn hidden_of_comment(text: &str, body: &Range<usize>) -> Vec<Range<usize>> {
    let comment = &text[body.clone()];
    if is_own(comment) && !comment.contains('{') {
        let string = comment.find(['\'', '"']).map_or(0, |at| at + 1);
        let start = body.start + string;
        return addresses::secrets_of(&comment[string..])
            .into_iter()
            .map(|part| start + part.start..start + part.end)
            .collect();
    }
    // The spaces stay, so that the line still reads as one.
    let start = body.end - comment.trim_start().len();
    let end = body.start + comment.trim_end().len();
    let hidden = Some(start..end).filter(|hidden| !hidden.is_empty());
    hidden.into_iter().collect()
}

fn is_own(comment: &str) -> bool {
    let rest = comment.trim_start().strip_prefix("linkdial");
    rest.map(str::trim_start).is_some_and(|rest| {
        let word = rest.split_whitespace().next().unwrap_or_default();
        rest.starts_with(':') || ["target", "verify", "ignore"].contains(&word)
    })
}

/// Returns what a statement that is not about links must not show: all behind its first two words.
pub(crate) fn hidden_of_foreign(
    text: &str,
    tokens: &[Token],
    statement: &Range<usize>,
) -> Range<usize> {
    let first = tokens.partition_point(|token| token.span.end <= statement.start);
    let is_one_of = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| {
            let word = &text[token.span.clone()];
            words.iter().any(|known| word.eq_ignore_ascii_case(known))
        })
    };
    let shown = match () {
        () if !is_one_of(first, &STARTERS) => 0,
        () if !is_one_of(first + 1, &SECOND) => 1,
        () => 2,
    };
    let start = tokens.get(first + shown);
    start.map_or(statement.end, |token| token.span.start.min(statement.end))..statement.end
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

#[cfg(test)]
mod tests {
    use super::super::source::FileId;

    #[test]
    fn comments_and_foreign_statements_keep_their_signs_alone() {
        for (line, shown) in [
            ("-- old key: QZX", "-- …"),
            ("-- linkdialer QZX", "-- …"),
            ("# QZX", "# …"),
            ("/* QZX QZX */", "/* … */"),
            ("/**/", "/**/"),
            (
                "-- linkdial: verify deferred",
                "-- linkdial: verify deferred",
            ),
            ("SET PASSWORD = QZX;", "SET PASSWORD …;"),
            ("set password QZX;", "set password …;"),
            ("CALL QZX(QZX);", "CALL …;"),
            ("SET @pw=QZX;", "SET …;"),
            ("QZX QZX;", "…;"),
            ("INSERT INTO t VALUES(QZX);", "INSERT INTO …;"),
        ] {
            let link = "DROP LINK a;";
            let text = format!("{line} {link}");
            let file = super::super::read("a.sql", text.clone(), FileId(0));
            let start = text.len() - link.len();
            let excerpt = file.source.excerpt(&(start..text.len()));
            if line.starts_with(['-', '#']) {
                let own = line.contains("linkdial:");
                let shown = if own {
                    line.to_owned() + " " + link
                } else {
                    shown.to_owned()
                };
                assert_eq!(excerpt.text, shown);
            } else {
                assert_eq!(excerpt.text, format!("{shown} {link}"));
                let before = excerpt.text.chars().take(excerpt.start).collect::<String>();
                assert_eq!(before, format!("{shown} "));
                assert_eq!(excerpt.width, link.len());
            }
        }
    }
}
