//! Takes secrets out of every text that comes from a library or a peer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clause::{Clause, Node, Value};
use crate::define::Key;
use crate::link::Definition;
use crate::secret::Secret;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Shorter secrets are only taken out where they stand as a word of their own: a secret `s`
/// would otherwise eat every sentence.
const SUBSTRING_LENGTH: usize = 4;

/// The end of a text that was cut is taken out when it agrees with a secret in this many bytes.
const CUT_LENGTH: usize = 6;

/// RFC 3986 leaves these four unescaped in a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// What a lenient encoder escapes in a path.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'<').add(b'>');

/// Knows a link's secrets in the forms in which they travel.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Vec<Secret>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Redactor")
            .field("forms", &self.forms.len())
            .finish()
    }
}

impl Redactor {
    /// Gathers the secrets of both clauses.
    ///
    /// In `CREDENTIALS` every value is secret unless the table says otherwise; in `CONFIG` those
    /// are that the table, their name or their source make secret.
    pub fn new(definition: &Definition, keys: &[Key]) -> Self {
        let mut redactor = Self::default();
        redactor.clause(&definition.credentials, keys, true);
        redactor.clause(&definition.config, keys, false);
        redactor
    }

    /// Adds one more secret, such as a token that a server lent.
    pub fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let bytes = secret.as_bytes();
        let mut forms = vec![
            secret.to_owned(),
            utf8_percent_encode(secret, UNRESERVED).to_string(),
            utf8_percent_encode(secret, PATH).to_string(),
            secret.replace(' ', "+"),
            STANDARD.encode(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            json_escape(secret),
            secret.escape_debug().to_string(),
            secret.replace('/', "\\/"),
            unicode_escape(secret, |byte| format!("\\u{byte:04X}")),
            unicode_escape(secret, |byte| format!("\\u{byte:04x}")),
            xml_escape(secret),
        ];
        forms.extend(inside_base64(bytes));
        let lower = forms[1].to_ascii_lowercase();
        forms.push(lower);
        for form in forms {
            if !self.forms.iter().any(|known| known.expose() == form) {
                self.forms.push(Secret::new(form));
            }
        }
        // The longest first, so that no form leaves the tail of a longer one behind.
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Replaces every secret in the text.
    pub fn redact(&self, text: &mut String) {
        for form in &self.forms {
            let form = form.expose();
            if !text.contains(form) {
                continue;
            }
            if form.len() >= SUBSTRING_LENGTH {
                *text = text.replace(form, REDACTED);
            } else {
                *text = replace_words(text, form);
            }
        }
        self.redact_cut_end(text);
    }

    /// A text that was cut to a bound may end in the beginning of a secret.
    fn redact_cut_end(&self, text: &mut String) {
        let cut = self.forms.iter().filter_map(|form| {
            let form = form.expose();
            let longest = text.len().min(form.len().saturating_sub(1));
            (CUT_LENGTH..=longest)
                .rev()
                .filter(|length| form.is_char_boundary(*length))
                .find(|length| text.ends_with(&form[..*length]))
        });
        if let Some(length) = cut.max() {
            text.truncate(text.len() - length);
            text.push_str(REDACTED);
        }
    }

    /// Returns the text without secrets.
    pub fn redacted(&self, text: impl Into<String>) -> String {
        let mut text = text.into();
        self.redact(&mut text);
        text
    }

    fn clause(&mut self, clause: &Clause, keys: &[Key], credentials: bool) {
        for member in clause.members() {
            let secret = keys
                .iter()
                .find(|known| known.name == member.key)
                .map_or(credentials || looks_secret(&member.key), |known| {
                    known.secret
                });
            self.node(&member.value, secret);
        }
        if clause.members().is_empty() && credentials {
            // Broken JSON: nothing tells the secrets apart, so every quoted word is one.
            for word in clause
                .text()
                .expose()
                .split('"')
                .filter(|word| word.len() >= 8)
            {
                self.add(word);
            }
        }
    }

    fn node(&mut self, node: &Node, secret: bool) {
        let secret = secret || node.secret;
        match &node.value {
            Value::String(text) if secret => {
                self.add(text.expose());
                self.parts(text.expose());
            }
            Value::Number(text) if secret => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.node(item, secret)),
            Value::Object(members) => members
                .iter()
                .for_each(|member| self.node(&member.value, secret)),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The parts of an `Authorization` value travel alone as well: the token without its scheme,
    /// and the password that a `Basic` payload holds.
    fn parts(&mut self, value: &str) {
        let Some((scheme, token)) = value.split_once(' ') else {
            return;
        };
        let token = token.trim();
        if token.len() >= SUBSTRING_LENGTH {
            self.add(token);
        }
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(payload) = STANDARD.decode(token)
            && let Ok(payload) = String::from_utf8(payload)
        {
            self.add(payload.trim());
            if let Some((_, password)) = payload.trim().split_once(':') {
                self.add(password);
            }
        }
    }
}

/// Returns whether a key's name says, by any vendor's habit, that its value is secret.
pub fn looks_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "secret",
        "password",
        "passwd",
        "token",
        "customer-key",
        "account_key",
        "private",
    ]
    .iter()
    .any(|word| key.contains(word))
        && !key.ends_with("md5")
        && !key.ends_with("url")
}

fn replace_words(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(at) = rest.find(word) {
        let before = rest[..at]
            .chars()
            .next_back()
            .or_else(|| out.chars().next_back());
        let after = rest[at + word.len()..].chars().next();
        out.push_str(&rest[..at]);
        if before.is_some_and(is_word) || after.is_some_and(is_word) {
            out.push_str(word);
        } else {
            out.push_str(REDACTED);
        }
        rest = &rest[at + word.len()..];
    }
    out.push_str(rest);
    out
}

fn json_escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON as careful encoders write it: .NET with upper-case digits, Go with lower-case ones.
fn unicode_escape(text: &str, escape: impl Fn(u8) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match u8::try_from(char) {
            Ok(byte @ (b'"' | b'&' | b'\'' | b'+' | b'<' | b'>' | b'`')) => {
                out.push_str(&escape(byte));
            }
            _ => out.push(char),
        }
    }
    out
}

/// The letters that base64 makes of the secret inside a longer text, at each of the three places
/// it can have in the groups of three bytes; those that its neighbours change are left out.
fn inside_base64(secret: &[u8]) -> Vec<String> {
    let mut forms = Vec::with_capacity(6);
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(secret);
        let whole = padded.len() / 3 * 4;
        let start = if before == 0 { 0 } else { 4 };
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            if let Some(inner) = encoded.get(start..whole)
                && inner.len() >= 8
            {
                forms.push(inner.to_owned());
            }
        }
    }
    forms
}

fn xml_escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr+t/Value&more";

    fn redacted(text: &str) -> String {
        let mut redactor = Redactor::default();
        redactor.add(SECRET);
        redactor.redacted(text)
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        for form in [
            SECRET.to_owned(),
            "s3cr%2Bt%2FValue%26more".to_owned(),
            "s3cr%2bt%2fvalue%26more".to_owned(),
            "s3cr+t\\/Value&more".to_owned(),
            "s3cr\\u002Bt/Value\\u0026more".to_owned(),
            "s3cr\\u002bt/Value\\u0026more".to_owned(),
            "s3cr+t/Value&amp;more".to_owned(),
            STANDARD.encode(SECRET),
            URL_SAFE_NO_PAD.encode(SECRET),
        ] {
            assert_eq!(redacted(&format!("a {form} b")), format!("a {REDACTED} b"));
        }
    }

    #[test]
    fn base64_of_a_text_around_the_secret_gives_nothing_away() {
        for before in ["", "x", "xx"] {
            let encoded = STANDARD.encode(format!("{before}{SECRET} and more"));
            let shown = redacted(&encoded);
            let longest = shown
                .split(REDACTED)
                .map(str::len)
                .max()
                .unwrap_or_default();
            assert!(shown.contains(REDACTED), "{before}: {shown}");
            assert!(longest < encoded.len() / 2, "{before}: {shown}");
        }
    }

    #[test]
    fn the_beginning_of_a_secret_at_a_cut_end_is_taken_out() {
        assert_eq!(redacted("key s3cr+t/Va"), format!("key {REDACTED}"));
        assert_eq!(redacted("key s3cr+"), "key s3cr+");
    }
}
