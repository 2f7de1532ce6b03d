//! What a text that looks like a URL holds and nobody may see.
//!
//! No parser of URLs is used: what it refuses, or reads in another way than its writer meant, is
//! shown all the same.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::redact::{REDACTED, looks_secret};

/// Returns a text that looks like a URL with neither its user info nor its query and fragment.
///
/// What was taken out is marked, so that a message about it can be understood.
pub fn shown_url(text: &str) -> String {
    let mut hidden = Vec::with_capacity(2);
    let login = login(text);
    let rest = login.as_ref().map_or(0, |login| login.end);
    hidden.extend(login);
    if let Some(query) = text[rest..].find(['?', '#']) {
        hidden.push(rest + query + 1..text.len());
    }
    without(text, &hidden)
}

/// Replaces places of a text, given in order.
pub(crate) fn without(text: &str, hidden: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for range in hidden.iter().filter(|range| !range.is_empty()) {
        shown.push_str(&text[done..range.start]);
        shown.push_str(REDACTED);
        done = range.end;
    }
    shown.push_str(&text[done..]);
    shown
}

/// Returns where the user info stands.
///
/// A password may hold unescaped what would end it: everything up to the last `@` counts when a
/// `:` stands before it. Without one, it counts where a URL has it (RFC 3986, section 3.2).
pub(crate) fn login(text: &str) -> Option<Range<usize>> {
    let end = text.rfind('@')?;
    let scheme = text.split_once(':').filter(|(scheme, rest)| {
        rest.trim_start().starts_with(['/', '\\']) || scheme.trim().starts_with("http")
    });
    let rest = scheme.map_or(text, |(_, rest)| rest);
    let begin = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '\\'));
    let authority = scheme.is_some() || rest.trim_start().starts_with("//");
    let start = text.len() - begin.len();
    let login = text.get(start..end)?;
    // Hadoop writes container and account so.
    let scheme = scheme.map_or("", |(scheme, _)| scheme.trim());
    let hadoop = ["abfs", "abfss", "wasb", "wasbs"];
    if hadoop.iter().any(|it| scheme.eq_ignore_ascii_case(it)) && !login.contains(':') {
        return None;
    }
    let counts = login.contains(':') || authority && !login.contains(['/', '?', '#']);
    (counts && !login.is_empty()).then_some(start..end)
}

/// Returns where the values of parameters with a secret-looking name stand.
pub(crate) fn secret_values(text: &str) -> Vec<Range<usize>> {
    let separators = ['?', '#', '&', ';'];
    let mut found = Vec::new();
    let mut at = login(text).map_or(0, |login| login.end);
    while let Some(start) = text[at..].find(separators) {
        let start = at + start + 1;
        let end = text[start..]
            .find(separators)
            .map_or(text.len(), |length| start + length);
        if let Some((name, _)) = text[start..end].split_once('=')
            && is_secret_parameter(&decoded(name))
        {
            found.push(start + name.len() + 1..end);
        }
        at = end;
    }
    found
}

/// Decodes what a URL escapes.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Parameters of signed and keyed URLs: SAS (`sig`), signed URLs of Amazon and Google
/// (`X-Amz-Signature`, `X-Goog-Signature`), functions (`code`), and keys and passwords by any name.
fn is_secret_parameter(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    looks_secret(&name)
        || name.ends_with("signature")
        || name.ends_with("key")
        || matches!(
            last,
            "auth" | "code" | "pass" | "passphrase" | "pw" | "pwd" | "sas" | "sig"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_neither_login_nor_query() {
        for (text, shown) in [
            ("https://h:9000", "https://h:9000"),
            ("https://h/p", "https://h/p"),
            ("not a url", "not a url"),
            ("https://u:p/QZX@h/p", "https://[redacted]@h/p"),
            ("https://QZX@h", "https://[redacted]@h"),
            ("https://h/p?QZX", "https://h/p?[redacted]"),
            (
                "https://u:QZX@h/p?QZX#QZX",
                "https://[redacted]@h/p?[redacted]",
            ),
            ("https://h#QZX", "https://h#[redacted]"),
            ("h?", "h?"),
        ] {
            assert_eq!(shown_url(text), shown);
        }
    }
}
