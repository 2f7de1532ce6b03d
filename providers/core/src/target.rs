//! What a link is used with, and what the use does to it.

use std::fmt;

use crate::address;
use crate::forms::SUBSTRING_LENGTH;
use crate::redact::Redactor;
use crate::secret::Secret;

/// Where a link points when a statement uses it: bucket and prefix, brokers and topic, a URL.
///
/// The text is kept as written; the provider of the link's kind splits it. `Display` and `Debug` show
/// it without the user info, the values of parameters and the fragment that a URL may hold.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target {
    text: String,
    format: Option<String>,
    registry: Option<String>,
}

impl Target {
    /// Takes the text as the statement has it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            format: None,
            registry: None,
        }
    }

    /// Keeps the word after `FORMAT` of the statement that names the target.
    #[must_use]
    pub fn with_format(mut self, format: Option<String>) -> Self {
        self.format = format;
        self
    }

    /// Keeps the text after `SCHEMA REGISTRY` of the statement that names the target.
    #[must_use]
    pub fn with_registry(mut self, registry: Option<String>) -> Self {
        self.registry = registry;
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

    /// Returns the address of the schema registry as written, to dial; never to show.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// Returns what a URL in the text or of the registry holds that nobody may see: user info, and
    /// parameters that are long or have a secret-looking name, both as written and decoded.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets: Vec<&str> = Vec::new();
        for text in [Some(&self.text), self.registry.as_ref()]
            .into_iter()
            .flatten()
        {
            if let Some(login) = address::login(text) {
                let login = &text[login];
                match login.split_once(':') {
                    Some((_, password)) => secrets.extend([login, password]),
                    // A short name alone would be found in our own sentences.
                    None if login.len() < SUBSTRING_LENGTH => {}
                    None => secrets.push(login),
                }
            }
            let values = address::long_secret_values(text);
            secrets.extend(values.into_iter().map(|value| &text[value]));
        }
        let mut both: Vec<Secret> = Vec::with_capacity(secrets.len());
        for written in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            let decoded = address::decoded(written);
            if decoded != written {
                both.push(Secret::new(decoded.as_ref()));
            }
            both.push(Secret::new(written));
        }
        both
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = address::hidden_in_url(&self.text);
        let mut shown = address::without(&self.text, &hidden);
        // What stands there a second time is no less secret.
        let mut redactor = Redactor::default();
        for secret in self.secrets() {
            if secret.len() >= SUBSTRING_LENGTH {
                redactor.add(secret.expose());
            }
        }
        redactor.redact(&mut shown);
        formatter.write_str(&shown)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Target({self})")
    }
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

    /// Returns whether something is read; a target without a use counts as read.
    pub const fn reads(self) -> bool {
        self.read || !self.write
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
            ("https://h/p?x=1", "https://h/p?x=[redacted]"),
            ("https://u:p4ss@h:1/p", "https://[redacted]@h:1/p"),
            (
                "https://h/p?x=1&sig=abc%3D&api_key=k3y#f",
                "https://h/p?x=[redacted]&sig=[redacted]&api_key=[redacted]#[redacted]",
            ),
            ("bucket/a@b", "bucket/a@b"),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("h1:9092,h2:9092/topic", "h1:9092,h2:9092/topic"),
            ("https://h/p?mail=a@b", "https://h/p?mail=[redacted]"),
            ("https://u:pa/QZX@h/p", "https://[redacted]@h/p"),
            ("https://u:pa?QZX#@h/p", "https://[redacted]@h/p"),
            ("https:u:QZX@h", "https:[redacted]@h"),
            ("//u:QZX@h", "//[redacted]@h"),
            ("u:pa/QZX@h", "[redacted]@h"),
            ("https: //u:QZX@h", "https: //[redacted]@h"),
            ("https://h/p#access_token=QZX", "https://h/p#[redacted]"),
            (
                "https://h/p?sv=1;sig=QZX",
                "https://h/p?sv=1;sig=[redacted]",
            ),
            ("https://h/p?s%69g=QZX", "https://h/p?s%69g=[redacted]"),
            (
                "https://h/p?pwd=QZX&pass=QZX",
                "https://h/p?pwd=[redacted]&pass=[redacted]",
            ),
            (
                "https://h/p?delegation=QZX&sid=QZX&sp=rl&prefix=a&jwt=QZX",
                "https://h/p?delegation=[redacted]&sid=[redacted]&sp=rl&prefix=a&jwt=[redacted]",
            ),
            ("https://h/p?QZX==", "https://h/p?[redacted]"),
            (
                "https://h/p?sig=Q&Z",
                "https://h/p?sig=[redacted]&[redacted]",
            ),
            ("http://h/p;token=QZX", "http://h/p;token=[redacted]"),
            (
                "https://h/p%3Fprefix=a%26hmac=QZX",
                "https://h/p%3Fprefix=a%26hmac=[redacted]",
            ),
            ("https://u%3AQZX%40h/p", "https://[redacted]%40h/p"),
            ("https://u:QZX%40h/p", "https://[redacted]%40h/p"),
            (
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=QZX/+==;EndpointSuffix=h",
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=[redacted];EndpointSuffix=h",
            ),
            (
                "AccountKey=QZX==;AccountName=a",
                "AccountKey=[redacted];AccountName=a",
            ),
            (
                "Endpoint=sb://h/;SharedAccessKeyName=R;SharedAccessKey=QZX",
                "Endpoint=sb://h/;SharedAccessKeyName=R;SharedAccessKey=[redacted]",
            ),
            ("bucket/key=1/part-?.csv", "bucket/key=1/part-?.csv"),
            (
                "hdfs://h:8020/a/part-?.csv#1",
                "hdfs://h:8020/a/part-?.csv#1",
            ),
            ("https://u:QZXJ@h/QZXJ", "https://[redacted]@h/[redacted]"),
        ] {
            assert_eq!(Target::new(text).to_string(), shown);
            assert_eq!(
                format!("{:?}", Target::new(text)),
                format!("Target({shown})")
            );
        }
    }

    #[test]
    fn the_secrets_of_a_target_are_known_decoded_too() {
        let target = Target::new("https://u:p%2Fw0rd@h/p?sig=QZX%2FJKV%2BWPYB7%3D");
        let mut redactor = Redactor::default();
        for secret in target.secrets() {
            redactor.add(secret.expose());
        }
        let told = "u sent u:p/w0rd, p/w0rd and QZX/JKV+WPYB7= or QZX%2FJKV%2BWPYB7%3D";
        assert_eq!(
            redactor.redacted(told),
            "u sent [redacted], [redacted] and [redacted] or [redacted]"
        );
        let registry = Some("https://u:r3g1stry@h:8081".to_owned());
        let target = Target::new("b:9092/t").with_registry(registry);
        assert!(target.secrets().contains(&Secret::new("r3g1stry")));
        assert_eq!(format!("{target:?}"), "Target(b:9092/t)");
        assert!(Target::new("https://the@h/").secrets().is_empty());
        assert_eq!(Target::new("https://token@h/").secrets().len(), 1);
    }
}
