//! Takes secrets out of every text that comes from a library or a peer.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::clause::{Clause, Document, Member, Node, Value};
use crate::define::{Key, LONGEST_SECRET, Shape};
use crate::forms::{Forms, SUBSTRING_LENGTH, View, is_word};
use crate::link::Definition;
use crate::secret::Secret;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// What a record shows of one text, in characters; a server may send megabytes.
pub(crate) const SHOWN_LENGTH: usize = 512;

/// So many bytes of a text are searched before it is cut: enough to fill what is shown even when
/// most of it is secrets.
const SEARCHED_LENGTH: usize = 64 * 1024;

/// What the secret of a file of keys is called, whoever wrote it.
const PRIVATE_KEY: &str = "private_key";

/// Words of sentences are no longer than this.
const LONGEST_WORD: usize = 20;

/// Below a key that nobody knows, a shorter text is a word that stands elsewhere, too.
const UNKNOWN_LENGTH: usize = 8;

/// No key is shorter, in bytes; a shorter text is base64 by chance.
const KEY_LENGTH: usize = 16;

/// Knows a link's secrets in the forms in which they travel; how a form is escaped, and in which
/// letter case it comes back, does not matter.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The link's own, shared by all its checks.
    link: Arc<Forms>,
    /// What one check learned.
    lent: Forms,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Redactor")
            .field("forms", &(self.link.len() + self.lent.len()))
            .finish()
    }
}

impl Redactor {
    /// Gathers the secrets of both clauses.
    ///
    /// In `CREDENTIALS` every value is secret unless the table says otherwise; in `CONFIG` those
    /// are that the table, their name or their source make secret, and longer texts below keys that
    /// the table does not know.
    pub fn new(definition: &Definition, keys: &[Key]) -> Self {
        let mut gathered = Gathered::default();
        gathered.clause(&definition.credentials, keys, true);
        gathered.clause(&definition.config, keys, false);
        let mut link = Forms::default();
        gathered.put_into(&mut link);
        Self {
            link: Arc::new(link),
            lent: Forms::default(),
        }
    }

    /// Adds one more secret, such as a token that a server lent.
    pub fn add(&mut self, secret: &str) {
        let mut gathered = Gathered::default();
        gathered.add(secret);
        gathered.put_into(&mut self.lent);
    }

    /// Replaces every secret in the text.
    pub fn redact(&self, text: &mut String) {
        self.redact_but(text, |_, _| false);
    }

    fn redact_but(&self, text: &mut String, spares: impl Fn(&str, &Range<usize>) -> bool) {
        if self.link.len() + self.lent.len() == 0 {
            return;
        }
        let views = View::all(text);
        let mut found = self.link.find(text, &views);
        found.extend(self.lent.find(text, &views));
        found.retain(|range| !spares(text, range));
        if found.is_empty() {
            return;
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut shown = String::with_capacity(text.len());
        let mut done = 0;
        for range in found {
            // Nothing of two secrets that overlap may stay.
            if shown.is_empty() || range.start > done {
                shown.push_str(&text[done..range.start]);
                shown.push_str(REDACTED);
            }
            done = done.max(range.end);
        }
        shown.push_str(&text[done..]);
        *text = shown;
    }

    /// Replaces every secret in a text for the record, and cuts it to [`SHOWN_LENGTH`].
    pub(crate) fn abridge(&self, text: &mut String) {
        self.abridge_but(text, |_, _| false);
    }

    /// The same for a sentence of linkdial's own, whose words a secret may have by chance: only one
    /// that is a word alone, and all of the secret, is taken out.
    pub(crate) fn abridge_sentence(&self, text: &mut String) {
        self.abridge_but(text, |text, range| {
            let found = &text[range.clone()];
            let of_letters = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
            let all = || self.link.has(found) || self.lent.has(found);
            found.len() <= LONGEST_WORD
                && found.bytes().all(of_letters)
                && !(is_word(text, range.clone()) && all())
        });
    }

    fn abridge_but(&self, text: &mut String, spares: impl Fn(&str, &Range<usize>) -> bool) {
        text.truncate(text.floor_char_boundary(SEARCHED_LENGTH));
        self.redact_but(text, spares);
        if let Some((end, _)) = text.char_indices().nth(SHOWN_LENGTH) {
            let last = text[..end].char_indices().next_back();
            text.truncate(last.map_or(0, |(start, _)| start));
            text.push('…');
        }
    }

    /// Returns the text without secrets.
    pub fn redacted(&self, text: impl Into<String>) -> String {
        let mut text = text.into();
        self.redact(&mut text);
        text
    }
}

/// The secrets of a link, and what base64 and the like make of them.
#[derive(Default)]
struct Gathered {
    secrets: Vec<Secret>,
    forms: Vec<Secret>,
}

impl Gathered {
    fn put_into(&self, forms: &mut Forms) {
        forms.extend(self.forms.iter().map(Secret::expose));
        forms.extend_parts(self.secrets.iter().map(Secret::expose));
    }

    fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        // Each form takes many times its length, and no link with a longer one is dialled.
        let secret = &secret[..secret.floor_char_boundary(LONGEST_SECRET)];
        self.secrets.push(Secret::new(secret));
        let bytes = secret.as_bytes();
        let mut forms = vec![
            secret.to_owned(),
            STANDARD.encode(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            // Dumps of what went over the wire; letter case does not matter.
            hex(bytes, ""),
            hex(bytes, " "),
            hex(bytes, ":"),
            hex(bytes, "-"),
        ];
        forms.extend(inside_base64(bytes));
        forms.extend(behind_base64(secret));
        forms.sort_unstable();
        forms.dedup();
        self.forms.extend(forms.into_iter().map(Secret::new));
    }

    fn clause(&mut self, clause: &Clause, keys: &[Key], credentials: bool) {
        // A file of keys in the place of the clause.
        if clause.get(PRIVATE_KEY).is_some() {
            self.members(clause.members());
            return;
        }
        for member in clause.members() {
            let known = keys.iter().find(|known| known.name == member.key);
            if known.is_some_and(|known| matches!(known.shape, Shape::Document)) {
                self.document(&member.value);
                continue;
            }
            let meant = || Key::meant_by(keys, &member.key).is_some_and(|meant| meant.secret);
            let secret = known.map_or_else(
                || credentials || looks_secret(&member.key) || meant(),
                |known| known.secret,
            );
            let length = if secret {
                Some(0)
            } else {
                Key::may_hold_secret(keys, &member.key).then_some(UNKNOWN_LENGTH)
            };
            self.node(&member.value, length);
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

    /// Of a file of keys, most is no secret: its type and addresses stand in many a sentence.
    fn document(&mut self, node: &Node) {
        let Some(document) = Document::of(node) else {
            self.node(node, Some(0));
            return;
        };
        self.members(document.members());
    }

    /// The names decide, also where the whole file came from a source that makes values secret.
    fn members(&mut self, members: &[Member]) {
        for member in members.iter().filter(|member| looks_secret(&member.key)) {
            self.node(&member.value, Some(0));
        }
    }

    /// Adds the texts that are at least so long, and all of what a source makes secret.
    fn node(&mut self, node: &Node, length: Option<usize>) {
        let length = if node.secret { Some(0) } else { length };
        match &node.value {
            Value::String(text) if length.is_some_and(|it| text.expose().len() >= it) => {
                self.add(text.expose());
                self.parts(text.expose());
            }
            Value::Number(text) if length == Some(0) => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.node(item, length)),
            Value::Object(members) => members.iter().for_each(|it| self.node(&it.value, length)),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The parts of an `Authorization` value travel alone as well: the token without its scheme,
    /// and the password that a `Basic` payload holds.
    fn parts(&mut self, value: &str) {
        let Some((scheme, token)) = value.split_once(' ') else {
            return;
        };
        // The words of a PEM are no secret, and stand in many a sentence.
        if scheme == "-----BEGIN" {
            return;
        }
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
        && !key.ends_with("uri")
}

/// The secret as pairs of hexadecimal digits.
fn hex(secret: &[u8], between: &str) -> String {
    let pairs: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(between)
}

/// What a key in base64 stands for, as others write the same bytes.
fn behind_base64(secret: &str) -> Vec<String> {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let decoded = engines.iter().find_map(|it| it.decode(secret.trim()).ok());
    let Some(bytes) = decoded.filter(|bytes| bytes.len() >= KEY_LENGTH) else {
        return Vec::new();
    };
    let mut forms: Vec<String> = engines.iter().map(|it| it.encode(&bytes)).collect();
    forms.extend(["", " ", ":"].map(|between| hex(&bytes, between)));
    forms
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
mod tests;
