//! What a text that looks like a URL holds and nobody may see.
//!
//! No parser of URLs is used: what it refuses, or reads in another way than its writer meant, is
//! shown all the same.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::redact::{REDACTED, looks_secret};

/// What stands between two parameters.
const SEPARATORS: [char; 4] = ['?', '#', '&', ';'];

/// A shorter value, in bytes, is a word or a number by chance.
const LONG: usize = 8;

/// Schemes of stores, which have no queries: a `?` or `#` belongs to a file's name or a pattern.
const STORES: [&str; 9] = [
    "abfs", "abfss", "gs", "hdfs", "s3", "s3a", "s3n", "wasb", "wasbs",
];

/// Parameters that say nothing secret, in lower case: of shared access signatures and signed URLs,
/// of lists in buckets, and of connection strings.
const HARMLESS: [&str; 38] = [
    "accountname",
    "api-version",
    "blobendpoint",
    "comp",
    "defaultendpointsprotocol",
    "delimiter",
    "endpoint",
    "endpointsuffix",
    "entitypath",
    "format",
    "list-type",
    "max-keys",
    "op",
    "prefix",
    "restype",
    "sdd",
    "se",
    "sharedaccesskeyname",
    "si",
    "sip",
    "sp",
    "spr",
    "sr",
    "srt",
    "ss",
    "st",
    "sv",
    "version",
    "versionid",
    "x-amz-algorithm",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-goog-algorithm",
    "x-goog-date",
    "x-goog-expires",
    "x-goog-signedheaders",
    "x-ms-version",
];

/// Returns a text that looks like a URL with neither its user info nor its query and fragment.
///
/// What was taken out is marked, so that a message about it can be understood.
pub fn shown_url(text: &str) -> String {
    let mut hidden = hidden_in_url(text);
    let rest = login(text).map_or(0, |login| login.end);
    if let Some(query) = text[rest..].find(['?', '#']) {
        hidden.push(rest + query + 1..text.len());
    }
    without(text, &merged(hidden))
}

/// Returns what a text that looks like a URL, or like a connection string, must not show: its user info,
/// the values of its parameters, and its fragment; in order and apart.
///
/// The values of a few parameters that say nothing secret stay.
pub fn hidden_in_url(text: &str) -> Vec<Range<usize>> {
    let mut hidden = secret_values(text);
    hidden.extend(login(text));
    merged(hidden)
}

/// Sorts ranges of a text, leaves out those that are empty, and joins those that overlap.
pub fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let overlaps = next.start < last.end;
        if overlaps {
            last.end = last.end.max(next.end);
        }
        overlaps
    });
    ranges
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

/// Returns where the user info stands, as it is written or percent-encoded.
pub(crate) fn login(text: &str) -> Option<Range<usize>> {
    written_login(text).or_else(|| {
        let decoded = Decoded::of(text)?;
        // An address of mail in a query is no user.
        let end = decoded.text.find(['?', '#']);
        let login = written_login(&decoded.text[..end.unwrap_or(decoded.text.len())])?;
        Some(decoded.source(&login))
    })
}

/// A password may hold unescaped what would end it: everything up to the last `@` counts when a
/// `:` stands before it. Without one, it counts where a URL has it (RFC 3986, section 3.2).
fn written_login(text: &str) -> Option<Range<usize>> {
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

/// Returns where the values of parameters stand, and a fragment; in order and apart.
pub(crate) fn secret_values(text: &str) -> Vec<Range<usize>> {
    merged(parameters(text).into_iter().map(|it| it.value).collect())
}

/// Returns the same without the short values of parameters whose name tells of no secret: those are
/// words that stand elsewhere, too.
pub(crate) fn long_secret_values(text: &str) -> Vec<Range<usize>> {
    let found = parameters(text).into_iter();
    let long = found.filter(|it| it.named || it.value.len() >= LONG);
    merged(long.map(|it| it.value).collect())
}

fn parameters(text: &str) -> Vec<Parameter> {
    let start = login(text).map_or(0, |login| login.end);
    let mut found = written_parameters(text, start);
    if let Some(decoded) = Decoded::of(text) {
        let start = decoded.places.partition_point(|place| *place < start);
        let inside = written_parameters(&decoded.text, start);
        found.extend(inside.into_iter().map(|it| Parameter {
            value: decoded.source(&it.value),
            ..it
        }));
    }
    found
}

/// A value that may be secret.
struct Parameter {
    value: Range<usize>,
    /// Its name says so.
    named: bool,
}

fn written_parameters(text: &str, start: usize) -> Vec<Parameter> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.trim());
    let is_store = scheme.is_some_and(|it| STORES.iter().any(|no| it.eq_ignore_ascii_case(no)));
    let is_address = text.contains([':', '\\']) || text.contains("//");
    let mut found = Vec::new();
    let mut sign = None;
    let mut in_query = false;
    let mut goes_on = false;
    let mut at = start;
    loop {
        let is_fragment = sign == Some('#') && is_address && !is_store;
        let length = text[at..].find(SEPARATORS).filter(|_| !is_fragment);
        let end = length.map_or(text.len(), |length| at + length);
        in_query |= matches!(sign, Some('?' | '#'));
        let part = &text[at..end];
        let (name, value) = match part.split_once('=') {
            Some((name, value)) if !value.trim_matches('=').is_empty() => (name, Some(value)),
            // Base64 ends so.
            _ => (part, None),
        };
        let plain = decoded(name).trim().to_ascii_lowercase();
        let named = value.is_some() && is_secret_parameter(&plain);
        let hides = match value {
            _ if is_fragment => true,
            // A folder may be called `key=value`.
            Some(_) if sign.is_none() => named && !name.contains('/'),
            Some(_) => !HARMLESS.contains(&plain.as_str()),
            // A value that holds a separator goes on behind it.
            None => goes_on || in_query && is_address && !is_store && !HARMLESS.contains(&&*plain),
        };
        goes_on = hides;
        if hides {
            let value = if value.is_some() && !is_fragment {
                at + name.len() + 1..end
            } else {
                at..end
            };
            found.push(Parameter { value, named });
        }
        sign = text[end..].chars().next();
        let Some(sign) = sign else {
            return found;
        };
        at = end + sign.len_utf8();
    }
}

/// A text with what a URL escapes decoded once, and where each of its bytes came from.
struct Decoded {
    text: String,
    places: Vec<usize>,
}

impl Decoded {
    /// Decodes ASCII alone, as signs are; `None` where nothing is escaped.
    fn of(text: &str) -> Option<Self> {
        let mut decoded = Self {
            text: String::with_capacity(text.len()),
            places: Vec::with_capacity(text.len() + 1),
        };
        let mut at = 0;
        while let Some(char) = text[at..].chars().next() {
            let digits = text.get(at + 1..at + 3).filter(|it| {
                let digits = it.bytes().all(|byte| byte.is_ascii_hexdigit());
                char == '%' && digits
            });
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            if let Some(byte) = byte.filter(u8::is_ascii) {
                decoded.text.push(char::from(byte));
                decoded.places.push(at);
                at += 3;
            } else {
                let length = char.len_utf8();
                decoded.text.push(char);
                decoded.places.extend(at..at + length);
                at += length;
            }
        }
        decoded.places.push(at);
        (decoded.text.len() < text.len()).then_some(decoded)
    }

    fn source(&self, range: &Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
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
            ("https://h/p;token=QZX", "https://h/p;token=[redacted]"),
            ("https://u%3AQZX%40h/p", "https://[redacted]%40h/p"),
        ] {
            assert_eq!(shown_url(text), shown);
        }
    }
}
