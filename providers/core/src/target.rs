//! What a link is used with, and what the use does to it.

use std::fmt;

use crate::redact::{REDACTED, looks_secret};

/// Where a link points when a statement uses it: bucket and prefix, brokers and topic, a URL.
///
/// The text is kept as written; the provider of the link's kind splits it. `Display` shows it
/// without the user info and the secret-looking query values that a URL may hold.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target {
    text: String,
    format: Option<String>,
}

impl Target {
    /// Takes the text as the statement has it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            format: None,
        }
    }

    /// Keeps the word after `FORMAT` of the statement that names the target.
    #[must_use]
    pub fn with_format(mut self, format: Option<String>) -> Self {
        self.format = format;
        self
    }

    /// Returns the text as written, to split and dial; never to show.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the word after `FORMAT`, in upper case.
    pub fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }

    /// Returns what a URL in the text holds that nobody may see: user info, and query values with
    /// a secret-looking name.
    pub fn secrets(&self) -> Vec<&str> {
        let mut secrets = Vec::new();
        let Some((_, rest)) = self.text.split_once("://") else {
            return secrets;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((user_info, _)) = authority.rsplit_once('@') {
            secrets.push(user_info);
            secrets.extend(user_info.split_once(':').map(|(_, password)| password));
        }
        if let Some((_, query)) = rest.split_once('?') {
            secrets.extend(
                query
                    .split(['&', '#'])
                    .filter_map(|pair| pair.split_once('='))
                    .filter(|(name, _)| is_secret_parameter(name))
                    .map(|(_, value)| value),
            );
        }
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.text.clone();
        for secret in self.secrets() {
            shown = shown.replace(secret, REDACTED);
        }
        formatter.write_str(&shown)
    }
}

/// Parameters of signed and keyed URLs: SAS (`sig`), signed URLs of Amazon and Google
/// (`X-Amz-Signature`, `X-Goog-Signature`), functions (`code`) and keys by any name.
fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    looks_secret(&name)
        || name.ends_with("signature")
        || name.ends_with("key")
        || matches!(name.as_str(), "sig" | "code" | "auth" | "sas")
}

/// What the statements that use a link do with its target.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Intent {
    /// A pipeline, a restore or a function reads.
    pub read: bool,
    /// An export or a backup writes.
    pub write: bool,
}

impl Intent {
    /// Reads only.
    pub const READ: Self = Self {
        read: true,
        write: false,
    };
    /// Writes only.
    pub const WRITE: Self = Self {
        read: false,
        write: true,
    };

    /// Joins two uses of one target.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            write: self.write || other.write,
        }
    }

    /// Returns the words of the report, `read` before `write`.
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::with_capacity(2);
        if self.read {
            words.push("read");
        }
        if self.write {
            words.push("write");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_target_has_no_secret() {
        for (text, shown) in [
            ("bucket/prefix", "bucket/prefix"),
            ("https://h/p?x=1", "https://h/p?x=1"),
            ("https://u:p4ss@h:1/p", "https://[redacted]@h:1/p"),
            (
                "https://h/p?x=1&sig=abc%3D&api_key=k3y#f",
                "https://h/p?x=1&sig=[redacted]&api_key=[redacted]#f",
            ),
        ] {
            assert_eq!(Target::new(text).to_string(), shown);
        }
    }
}
