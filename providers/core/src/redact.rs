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
        link.extend(gathered.forms.iter().map(Secret::expose));
        link.extend_parts(gathered.secrets.iter().map(Secret::expose));
        Self {
            link: Arc::new(link),
            lent: Forms::default(),
        }
    }

    /// Adds one more secret, such as a token that a server lent.
    pub fn add(&mut self, secret: &str) {
        let mut gathered = Gathered::default();
        gathered.add(secret);
        self.lent.extend(gathered.forms.iter().map(Secret::expose));
        self.lent
            .extend_parts(gathered.secrets.iter().map(Secret::expose));
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
mod tests {
    use super::*;
    use crate::clause::ClauseName;
    use crate::link::Kind;

    /// Longer than what the search leaves of a part's edge.
    const PIECE: usize = 70;

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
    fn every_habit_of_an_echoing_peer_is_known() {
        let secret = "QzXjKvWpYb7/a+Bc9dEf";
        let mut redactor = Redactor::default();
        redactor.add(secret);
        let each = |write: fn(char) -> String| secret.chars().map(write).collect::<String>();
        for form in [
            "QzXjKvWpYb7/a%2BBc9dEf".to_owned(),
            secret.to_lowercase(),
            secret.to_uppercase(),
            "QZXJKVWPYB7%2FA%2bBC9DEF".to_owned(),
            STANDARD.encode(secret).to_lowercase(),
            each(|c| format!("%{:02X}", u32::from(c))),
            each(|c| format!("%{:02x}", u32::from(c))),
            each(|c| format!("%25{:02x}", u32::from(c))),
            each(|c| format!("\\u{:04X}", u32::from(c))),
            each(|c| format!("\\\\u{:04x}", u32::from(c))),
            each(|c| format!("&#{};", u32::from(c))),
            each(|c| format!("&#x{:x};", u32::from(c))),
            each(|c| format!("&amp;#{};", u32::from(c))),
            secret[..19].to_owned(),
            secret[..8].to_owned(),
        ] {
            assert_eq!(
                redactor.redacted(format!("it wants {form}, and the link sends Bearer")),
                format!("it wants {REDACTED}, and the link sends Bearer"),
                "{form}"
            );
        }
        let chance = "it wants QzXjKvW, and the link sends Bearer";
        assert_eq!(redactor.redacted(chance), chance);
    }

    #[test]
    fn what_is_left_of_a_secret_is_one() {
        let secret = "QzXjKvWpYb7/a+Bc9dEf";
        let mut redactor = Redactor::default();
        redactor.add(secret);
        for part in [
            &secret[1..],
            &secret[8..],
            &secret[4..17],
            "XjKvWpYb7%2Fa%2BB",
        ] {
            assert_eq!(
                redactor.redacted(format!("it has {part}, and no more")),
                format!("it has {REDACTED}, and no more"),
                "{part}"
            );
        }
        let chance = "it has KvWpYb7/a, and no more";
        assert_eq!(redactor.redacted(chance), chance);
    }

    #[test]
    fn the_bytes_of_a_key_in_base64_are_known_in_other_forms() {
        let bytes: Vec<u8> = (190..=222).collect();
        let mut redactor = Redactor::default();
        redactor.add(&STANDARD.encode(&bytes));
        for form in [
            URL_SAFE.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
            hex(&bytes, ""),
            hex(&bytes, ":").to_uppercase(),
        ] {
            assert_eq!(
                redactor.redacted(format!("a {form} b")),
                format!("a {REDACTED} b")
            );
        }
    }

    #[test]
    fn a_sentence_keeps_its_words() {
        let mut redactor = Redactor::default();
        for secret in ["service_account", "AccountName=orders;Key=x", "pass"] {
            redactor.add(secret);
        }
        for (text, shown) in [
            (
                "`service_account_key` is a key",
                "`service_account_key` is a key",
            ),
            ("take AccountName out of it", "take AccountName out of it"),
            ("a password passes", "a password passes"),
            ("it is `service_account`", "it is `[redacted]`"),
            ("it is AccountName=orders;Key=x", "it is [redacted]"),
            ("it is pass", "it is [redacted]"),
        ] {
            let mut text = text.to_owned();
            redactor.abridge_sentence(&mut text);
            assert_eq!(text, shown);
        }
        assert_eq!(redactor.redacted("a password"), "a [redacted]word");
    }

    #[test]
    fn only_the_private_members_of_a_key_file_are_secret() {
        const KEYS: &[Key] = &[Key::credential("file", Shape::Document).secret()];

        let file = r#"{"type":"service_account","project_id":"orders","private_key":"s3cr3t/key","private_key_id":"0123abcd"}"#;
        let mut filled = Clause::parse(ClauseName::Credentials, format!(r#"{{"file":{file}}}"#));
        filled.members_mut()[0].value.secret = true;
        let text = serde_json::Value::from(file);
        let text = Clause::parse(ClauseName::Credentials, format!(r#"{{"file":{text}}}"#));
        for credentials in [filled, text, Clause::parse(ClauseName::Credentials, file)] {
            let definition = Definition {
                kind: Kind::Gcs,
                credentials,
                config: Clause::empty(ClauseName::Config),
            };
            let redactor = Redactor::new(&definition, KEYS);
            let shown = redactor.redacted("service_account of orders: s3cr3t/key 0123abcd");
            assert_eq!(shown, "service_account of orders: [redacted] [redacted]");
        }
    }

    #[test]
    fn what_every_secret_of_a_sort_begins_with_may_be_shown() {
        let mut redactor = Redactor::default();
        redactor.add("https://hooks.example.com/s3cr3t");
        redactor.add("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC");
        for text in [
            "https://example.com answered",
            "no -----BEGIN PRIVATE KEY----- there",
        ] {
            assert_eq!(redactor.redacted(text), text);
        }
        assert_eq!(
            redactor.redacted("a MIIEvQIBADANBgkq b"),
            "a MIIEvQIBADANBgkq b"
        );
        let cut = "a -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg b";
        assert_eq!(redactor.redacted(cut), format!("a {REDACTED} b"));
    }

    #[test]
    fn a_long_secret_is_taken_out_whole_and_in_parts() {
        let words: Vec<String> = (0..1000_u32).map(|it| format!("{:x}", it * 7919)).collect();
        let secret = words.join(".");
        let mut redactor = Redactor::default();
        redactor.add(&secret);
        assert_eq!(
            redactor.redacted(format!("a {secret} b")),
            format!("a {REDACTED} b")
        );
        let part = redactor.redacted(&secret[500..1500]);
        assert!(
            part.starts_with(&secret[500..504]) && part.ends_with(REDACTED),
            "{part}"
        );
        assert!(part.len() < PIECE + REDACTED.len(), "{part}");
    }

    #[test]
    fn a_short_secret_that_begins_longer_ones_is_found_between_them() {
        let mut redactor = Redactor::default();
        for secret in ["s3cr", "s3crab", "s3crz"] {
            redactor.add(secret);
        }
        assert_eq!(
            redactor.redacted("s3crq s3crab"),
            format!("{REDACTED}q {REDACTED}")
        );
    }

    #[test]
    fn a_text_for_the_record_is_short() {
        let mut redactor = Redactor::default();
        redactor.add(SECRET);
        let mut text = format!("{SECRET} {}", "ü".repeat(1_000_000));
        redactor.abridge(&mut text);
        assert_eq!(text.chars().count(), SHOWN_LENGTH);
        assert!(text.starts_with(REDACTED) && text.ends_with("ü…"), "{text}");
        let mut text = "ü".repeat(SHOWN_LENGTH);
        redactor.abridge(&mut text);
        assert_eq!(text, "ü".repeat(SHOWN_LENGTH));
    }

    #[test]
    fn many_and_long_secrets_take_no_time() {
        let started = std::time::Instant::now();
        let many: Vec<String> = (0..5000_u32)
            .map(|it| {
                format!(
                    "\"k{it}\":\"v4lue-{}-of-many\"",
                    it.wrapping_mul(2_654_435_761)
                )
            })
            .collect();
        let definition = Definition {
            kind: Kind::S3,
            credentials: Clause::parse(ClauseName::Credentials, format!("{{{}}}", many.join(","))),
            config: Clause::empty(ClauseName::Config),
        };
        let mut redactor = Redactor::new(&definition, &[]);
        redactor.add(&"a".repeat(100_000));
        for _ in 0..500 {
            assert!(
                redactor
                    .redacted("it got v4lue-0-of-many there")
                    .contains(REDACTED)
            );
        }
        assert_eq!(redactor.redacted("a".repeat(100_000)), REDACTED);
        // Squared, any of these would take a minute; a slow machine takes two seconds.
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
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
