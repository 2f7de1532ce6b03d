use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How much of a secret is looked for: enough to be no chance, and less than a server may cut off.
const TELLING: usize = 16;

/// What marks the secrets of one fault, so that a leak tells where it comes from.
#[derive(Debug, Clone)]
pub struct Mark(String);

impl Mark {
    /// The mark of a fault, always the same.
    pub(super) fn of(name: &str) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let mut mark = "zk".to_owned();
        for byte in digest.iter().take(12) {
            write!(mark, "{byte:02x}").expect("a text takes everything");
        }
        Self(mark)
    }

    /// A secret with characters that every encoding changes.
    pub(super) fn secret(&self) -> String {
        format!("{0}/+=\"\\%&{0}", self.0)
    }

    /// A secret of letters and digits alone, for places that take no others.
    pub(super) fn word(&self) -> String {
        self.0.clone()
    }

    /// A secret in base64 that stands for so many bytes.
    pub(super) fn base64(&self, length: usize) -> String {
        let bytes: Vec<u8> = self.0.bytes().cycle().take(length).collect();
        STANDARD.encode(bytes)
    }
}

/// Returns the forms in which a secret may leak that a text holds.
pub fn leaks(text: &str, secret: &str) -> Vec<&'static str> {
    let forms = [
        ("raw", secret.to_owned()),
        ("the beginning", head(secret)),
        ("the end", tail(secret)),
        (
            "URL-encoded",
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        ),
        ("base64", STANDARD_NO_PAD.encode(secret)),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(secret)),
        ("base64, moved by one", moved(secret, 1)),
        ("base64, moved by two", moved(secret, 2)),
        (
            "JSON-escaped",
            Value::from(secret).to_string().trim_matches('"').to_owned(),
        ),
    ];
    let found = forms
        .iter()
        .filter(|(_, form)| text.contains(form.as_str()));
    found.map(|(name, _)| *name).collect()
}

/// The first characters; a secret that is no longer is looked for as a whole.
fn head(secret: &str) -> String {
    secret.chars().take(TELLING).collect()
}

fn tail(secret: &str) -> String {
    let count = secret.chars().count();
    secret.chars().skip(count.saturating_sub(TELLING)).collect()
}

/// What base64 makes of a secret behind so many other bytes, as in `user:password`: the part that
/// is the same whatever stands around it.
fn moved(secret: &str, by: usize) -> String {
    let bytes = [&vec![0; by][..], secret.as_bytes()].concat();
    let whole = STANDARD_NO_PAD.encode(&bytes[..bytes.len() / 3 * 3]);
    whole.chars().skip(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_found() {
        let secret = Mark::of("a").secret();
        let basic = STANDARD.encode(format!("user:{secret}"));
        let other = STANDARD.encode(format!("users:{secret}"));
        let third = STANDARD.encode(format!("us:{secret}"));
        let quoted = Value::from(secret.as_str()).to_string();
        for text in [&secret, &basic, &other, &third, &quoted] {
            assert!(!leaks(text, &secret).is_empty(), "{text}");
        }
        assert_eq!(leaks("nothing", &secret), [""; 0]);
        assert_ne!(Mark::of("a").secret(), Mark::of("b").secret());
    }
}
