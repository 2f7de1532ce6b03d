//! Takes secrets out of every text that comes from a library or a peer.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::clause::{Clause, Node, Value};
use crate::define::Key;
use crate::link::Definition;
use crate::secret::Secret;
use crate::spelling::{Escape, escape};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Shorter secrets are only taken out where they stand as a word of their own: a secret `s`
/// would otherwise eat every sentence.
const SUBSTRING_LENGTH: usize = 4;

/// The end of a text that was cut is taken out when it agrees with a secret in this many bytes;
/// fewer are often chance, or the scheme before a token.
const CUT_LENGTH: usize = 8;

/// Knows a link's secrets in the forms in which they travel; how a form is escaped does not matter.
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
            STANDARD.encode(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ];
        forms.extend(inside_base64(bytes));
        for form in forms {
            if !self.forms.iter().any(|known| known.expose() == form) {
                self.forms.push(Secret::new(form));
            }
        }
    }

    /// Replaces every secret in the text.
    pub fn redact(&self, text: &mut String) {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, _) in text.char_indices() {
            let end = self
                .forms
                .iter()
                .filter_map(|form| match_at(text, start, form.expose()))
                .max();
            let Some(end) = end else { continue };
            match found.last_mut() {
                // Nothing of two secrets that overlap may stay.
                Some(last) if start < last.end => last.end = last.end.max(end),
                _ => found.push(start..end),
            }
        }
        for range in found.into_iter().rev() {
            text.replace_range(range, REDACTED);
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

/// Returns where a form that starts here ends: each of its characters as it is or escaped.
///
/// A text that was cut to a bound may end in the beginning of a form.
fn match_at(text: &str, start: usize, form: &str) -> Option<usize> {
    // An escape can itself begin with a character of the secret: all readings are followed.
    let mut ends = vec![start];
    let mut cut = false;
    for wanted in form.chars() {
        let mut next = Vec::with_capacity(ends.len());
        for at in ends {
            let rest = &text[at..];
            cut |= rest.is_empty();
            if rest.starts_with(wanted) {
                next.push(at + wanted.len_utf8());
            }
            match escape(rest) {
                Escape::Of(char, length) if char == wanted => next.push(at + length),
                Escape::Cut => cut = true,
                Escape::Of(..) | Escape::None => {}
            }
        }
        next.sort_unstable();
        next.dedup();
        ends = next;
        if ends.is_empty() {
            let long_enough = cut && text.len() - start >= CUT_LENGTH;
            return long_enough.then_some(text.len());
        }
    }
    let end = ends.last().copied()?;
    (end - start >= SUBSTRING_LENGTH || is_word(text, start..end)).then_some(end)
}

/// Returns whether a part of a text is no part of a longer word.
fn is_word(text: &str, part: Range<usize>) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    !text[..part.start].ends_with(in_word) && !text[part.end..].starts_with(in_word)
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
            "s3cr%2bt%2fValue%26more".to_owned(),
            "s3cr+t%2FValue&more".to_owned(),
            "s3cr&#43;t/Value&amp;more".to_owned(),
            "s3cr&#x2B;t&#x2F;Value&#38;more".to_owned(),
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
    fn secrets_that_overlap_leave_nothing_behind() {
        let mut redactor = Redactor::default();
        redactor.add("abcdef");
        redactor.add("defghijk");
        assert_eq!(
            redactor.redacted("an abcdefghijk"),
            format!("an {REDACTED}")
        );
    }

    #[test]
    fn a_secret_may_look_like_an_escape_itself() {
        for secret in ["a%25b+c", "\\\\u002Bx", "&amp;amp;"] {
            let mut redactor = Redactor::default();
            redactor.add(secret);
            assert_eq!(redactor.redacted(secret), REDACTED);
            let escaped = serde_json::Value::from(secret).to_string();
            assert_eq!(redactor.redacted(escaped), format!("\"{REDACTED}\""));
        }
    }

    #[test]
    fn the_beginning_of_a_secret_at_a_cut_end_is_taken_out() {
        assert_eq!(redacted("key s3cr+t/Va"), format!("key {REDACTED}"));
        assert_eq!(redacted("key s3cr%2bt%"), format!("key {REDACTED}"));
        assert_eq!(redacted("key s3cr+t/"), "key s3cr+t/");
    }
}
