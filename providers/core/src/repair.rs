//! What would mend a fault: changes that a person could make with an editor.
//!
//! Whoever finds a fault knows them; whoever holds the text carries them out. None holds a secret, and
//! none leads to another host.

use std::net::IpAddr;

use url::Url;

use crate::clause::ClauseName;
use crate::code::Code;
use crate::diagnosis::KeyPlace;
use crate::probe::Probe;

/// One way to mend a fault: changes that only help together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repair(Vec<Change>);

impl Repair {
    /// Puts changes together.
    pub fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        Self(changes.into_iter().collect())
    }

    /// Returns the changes.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }
}

/// One change of a link, or of the target that it is used with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Takes a part of the clause's text away; the place has a span.
    Cut(KeyPlace),
    /// Writes `\n` where the string holds a raw line break.
    EscapeLineBreaks(KeyPlace),
    /// Puts the key into the other clause.
    Move(KeyPlace),
    /// Writes another port into a URL; the host stays.
    Port {
        /// The key that holds the URL.
        place: KeyPlace,
        /// The port.
        port: u16,
    },
    /// Takes the key away.
    Remove(KeyPlace),
    /// Gives the key another name.
    Rename {
        /// The key as it stands there.
        place: KeyPlace,
        /// Its right name.
        to: String,
    },
    /// Puts another scheme in front of a URL, or one in front of what has none.
    Scheme {
        /// The key that holds the URL.
        place: KeyPlace,
        /// `http` or `https`.
        scheme: &'static str,
    },
    /// Gives the key a value; adds the key where it is not there.
    Set {
        /// The key.
        place: KeyPlace,
        /// What it is set to.
        value: Setting,
    },
    /// Writes straight double quotes for those of a word processor, in a whole clause.
    StraightQuotes(ClauseName),
    /// Exchanges the values of two keys.
    Swap(KeyPlace, KeyPlace),
    /// Uses the link with another target.
    Target(String),
    /// Takes white space, byte order marks and a pair of quotes off both ends of a string.
    Trim(KeyPlace),
}

/// A value that is no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setting {
    /// `true` or `false`.
    Boolean(bool),
    /// A string.
    Text(String),
}

impl Change {
    /// Sets a key to a text.
    pub fn set(place: KeyPlace, value: impl Into<String>) -> Self {
        let value = Setting::Text(value.into());
        Self::Set { place, value }
    }

    /// Returns whether what went over TLS may travel as plain text with it.
    ///
    /// Who offers such a change has looked at what the link sends as it stands; with another change
    /// beside it, it may send more.
    pub fn takes_tls_away(&self) -> bool {
        match self {
            Self::Scheme { scheme, .. } => *scheme == "http",
            Self::Target(target) => target.trim_start().starts_with("http://"),
            Self::Set {
                value: Setting::Text(text),
                ..
            } => matches!(text.as_str(), "plaintext" | "sasl_plaintext"),
            _ => false,
        }
    }
}

/// Returns a URL with another scheme, and with the port where one is given; host, path and the rest
/// stay as they are written. `None` where the text is no URL of that kind.
pub fn with_scheme(text: &str, scheme: &str, port: Option<u16>) -> Option<String> {
    let trimmed = text.trim();
    let url = Url::parse(trimmed).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let (_, rest) = trimmed.split_once("://")?;
    let Some(port) = port else {
        return Some(format!("{scheme}://{rest}"));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    Some(format!("{scheme}://{host}:{port}{rest}"))
}

/// Returns whether a target may take another's place: no URL is exchanged for one of another host.
pub fn stays_with_its_host(old: &str, new: &str) -> bool {
    let host = |text: &str| {
        let url = Url::parse(text.trim()).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web.then(|| url.host_str().map(str::to_owned))?
    };
    host(new).is_none_or(|new| host(old).is_some_and(|old| old == new))
}

/// Returns what is left of a text without white space, byte order marks and one pair of quotes around
/// it, as a range of its bytes.
pub fn trimmed(text: &str) -> std::ops::Range<usize> {
    let is_stray = |char: char| char.is_whitespace() || char.is_control() || char == '\u{feff}';
    let strip = |range: std::ops::Range<usize>| {
        let part = &text[range.clone()];
        let left = part.trim_start_matches(is_stray);
        let start = range.end - left.len();
        start..start + left.trim_end_matches(is_stray).len()
    };
    let range = strip(0..text.len());
    let part = &text[range.clone()];
    for quote in ['"', '\''] {
        if part.len() > 2 && part.starts_with(quote) && part.ends_with(quote) {
            return strip(range.start + 1..range.end - 1);
        }
    }
    range
}

impl Probe {
    /// Adds to a stream that turned out to be none of TLS that its URL may say so. For links alone that
    /// send nothing secret as it is: what TLS hid nobody else may read.
    ///
    /// A signature can be used once more by whoever sees it, and anybody on the way can break TLS
    /// off: beyond private networks nothing is added.
    pub fn offer_plain_http(&mut self) {
        let code = self.last_code();
        if !matches!(code, Some(Code::ConnectReset | Code::TlsNotTls)) || !self.is_near() {
            return;
        }
        self.amend(|finding| {
            let broken_off = ("during", String::from("TLS handshake"));
            let is_plain = finding
                .evidence
                .contains(&("protocol", String::from("HTTP")))
                || finding.evidence.contains(&broken_off);
            match finding.keys.first().cloned() {
                Some(place) if is_plain => finding.repair(Change::Scheme {
                    place,
                    scheme: "http",
                }),
                _ => finding,
            }
        });
    }

    /// Returns whether the address that was connected to last is of this machine or a private network.
    pub fn is_near(&self) -> bool {
        match self.last_address() {
            Some(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
            Some(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_changed_and_nothing_else() {
        for (text, scheme, port, expected) in [
            ("http://h:1/p?q#f", "https", None, Some("https://h:1/p?q#f")),
            ("HTTPS://H/P", "http", None, Some("http://H/P")),
            ("http://h/p", "https", Some(8443), Some("https://h:8443/p")),
            (
                "http://[::1]:80/p",
                "https",
                Some(1),
                Some("https://[::1]:1/p"),
            ),
            (
                "http://[::1]/p",
                "https",
                Some(1),
                Some("https://[::1]:1/p"),
            ),
            ("bucket/p", "https", None, None),
            ("s3://bucket", "https", None, None),
        ] {
            assert_eq!(
                with_scheme(text, scheme, port).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_target_stays_with_its_host() {
        assert!(stays_with_its_host("http://h/p", "https://h:8443/p"));
        assert!(stays_with_its_host("s3://bucket/p", "bucket/p"));
        assert!(!stays_with_its_host("http://h/p", "http://other/p"));
        assert!(!stays_with_its_host("bucket", "http://h/p"));
    }

    #[test]
    fn what_was_pasted_along_is_trimmed() {
        for (text, expected) in [
            ("plain", "plain"),
            (" a b\n", "a b"),
            ("\u{feff}a", "a"),
            ("\"a\"", "a"),
            (" 'a'\r\n", "a"),
            ("'a\"", "'a\""),
            ("\"\"", "\"\""),
            ("", ""),
            ("\" a\"", "a"),
        ] {
            assert_eq!(&text[trimmed(text)], expected, "{text:?}");
        }
    }
}
