//! The parts of a URL that may hold a secret, in text that need be no URL at all.

use std::ops::Range;

use linkdial_core::{hidden_in_url, merged};

/// Returns what to hide of one value: all between the scheme and the last `@`, the query, and what
/// core hides of a URL or a connection string.
pub(super) fn secrets_of(text: &str) -> Vec<Range<usize>> {
    let mut parts = hidden_in_url(text);
    let address = text.contains("//") || text.contains(':');
    if let Some(at) = text.rfind('@').filter(|_| address) {
        let start = host_start(text).min(at);
        if text[..at].contains([':', '/']) && start < at {
            parts.push(start..at);
        }
    }
    if let Some(at) = text.find(['?', '#'])
        && (address || text[at..].contains('='))
        && at + 1 < text.len()
    {
        parts.push(at + 1..text.len());
    }
    merged(parts)
}

/// Returns what to hide of a whole script, wherever its strings start and end.
pub(super) fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')) {
        if word.contains(['@', '?', '#']) || word.contains('=') && word.contains([';', '%']) {
            let bare = word.trim_end_matches(|c: char| c.is_whitespace() || "'\"".contains(c));
            // Many signs of SQL stand beside each other, so a query needs its URL here.
            let query = bare.contains("//") || bare.contains('=');
            parts.extend(
                secrets_of(bare)
                    .into_iter()
                    .filter(|part| query || bare[..part.start].find(['?', '#']).is_none())
                    .map(|part| start + part.start..start + part.end),
            );
        }
        start += word.len();
    }
    parts
}

/// Returns where the host or its user starts: behind `scheme://`, else at the start.
fn host_start(text: &str) -> usize {
    let Some(slashes) = text.find("//") else {
        return 0;
    };
    let scheme = &text[..slashes];
    let plain = scheme.is_empty()
        || scheme.strip_suffix(':').is_some_and(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        });
    if plain {
        text.len() - text[slashes..].trim_start_matches('/').len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, parts: Vec<Range<usize>>) -> String {
        let mut shown = String::from(text);
        let mut parts = parts;
        parts.sort_by_key(|part| std::cmp::Reverse(part.start));
        for part in parts {
            let end = part.end.min(shown.len());
            shown.replace_range(part.start..end, "…");
        }
        shown
    }

    #[test]
    fn users_and_queries_are_hidden() {
        for (text, expected) in [
            ("http://u:QZX@h", "http://…@h"),
            ("http://:QZX@h", "http://…@h"),
            ("http://QZX@h", "http://…@h"),
            ("http:///u:QZX@h", "http:///…@h"),
            ("https:user:QZX@h", "…@h"),
            ("//user:QZX@h", "//…@h"),
            ("https://user:pa/QZX@h", "https://…@h"),
            ("u:QZX@127.0.0.1:1", "…@127.0.0.1:1"),
            ("https://h/p?sig=QZX", "https://h/p?…"),
            ("https://h/p#QZX", "https://h/p#…"),
            ("h/p?sig=QZX", "h/p?…"),
            ("http://h/p;token=QZX", "http://h/p;token=…"),
            (
                "Endpoint=sb://h/;SharedAccessKey=QZX",
                "Endpoint=sb://h/;SharedAccessKey=…",
            ),
            (
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=QZX==;EndpointSuffix=h",
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=…;EndpointSuffix=h",
            ),
        ] {
            assert_eq!(shown(text, secrets_of(text)), expected);
            let script = format!("SERVICE {text} FORMAT '{text}'");
            assert!(
                !shown(&script, secrets_in(&script)).contains("QZX"),
                "{text}"
            );
        }
        for text in [
            "bucket/part-?.csv",
            "loader@EXAMPLE.COM",
            "h:9092/topic",
            "https://h/p",
        ] {
            assert_eq!(shown(text, secrets_of(text)), text);
            assert_eq!(shown(text, secrets_in(text)), text);
        }
    }
}
