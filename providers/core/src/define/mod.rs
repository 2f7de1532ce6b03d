//! The Define stage: what both clauses say, checked against the kind's table of keys.

mod check;
mod unknown;

use crate::clause::{Clause, ClauseName, Document, Node, Value, escape_pointer};
use crate::code::Code;
use crate::diagnosis::{Diagnosis, KeyPlace, Outcome};
use crate::link::{Definition, Kind};
use crate::repair::{Change, Repair};
use crate::secret::Secret;

pub use check::is_placeholder;
use unknown::NearMiss;

/// What a key's value may be.
///
/// Strings are taken wherever the vendor's own examples have them: `"true"` for a boolean, `"5"`
/// for a number.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Boolean,
    /// A JSON object, or its text in a string: a file that somebody else wrote.
    Document,
    /// A whole number in this range.
    Integer(i64, i64),
    /// An object of strings.
    Object,
    /// Text in PEM form: line breaks around it belong to it.
    Pem,
    /// Any string.
    Text,
    /// An array of strings.
    TextList,
    /// A string of one line, such as a key id or what signs with it.
    Token,
    /// One of these words, in this letter case.
    Word(&'static [&'static str]),
}

/// No secret is longer: the longest are the key files of service accounts, of some 2 KiB, and tokens.
pub(crate) const LONGEST_SECRET: usize = 64 * 1024;

/// The characters of an unknown key that a message quotes.
const QUOTED_LENGTH: usize = 100;

/// One row of a kind's table of keys.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key's name; one with a `*` at its end stands for all that begin so.
    pub name: &'static str,
    /// The clause the vendor documents it in. The other one is accepted as well.
    pub clause: ClauseName,
    /// What its value may be.
    pub shape: Shape,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// Whether linkdial knows the key and SingleStore does not.
    pub extension: bool,
    /// What other kinds, vendors and tools call it.
    pub others: &'static [&'static str],
}

impl Key {
    /// A plain key of `CONFIG`.
    pub const fn config(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            clause: ClauseName::Config,
            shape,
            secret: false,
            extension: false,
            others: &[],
        }
    }

    /// A key of `CREDENTIALS` that is no secret itself, such as a key id.
    pub const fn credential(name: &'static str, shape: Shape) -> Self {
        Self {
            clause: ClauseName::Credentials,
            ..Self::config(name, shape)
        }
    }

    /// A secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    /// Returns the place of a key in the clause that a table documents it in; in `CONFIG` where the
    /// table does not have it.
    pub fn place_in(table: &[Self], name: &str) -> KeyPlace {
        let row = table.iter().find(|row| row.name == name);
        KeyPlace::key(row.map_or(ClauseName::Config, |row| row.clause), name)
    }

    /// A key that others call otherwise. Letter case, dashes and underscores do not count.
    #[must_use]
    pub const fn also(self, others: &'static [&'static str]) -> Self {
        Self { others, ..self }
    }

    /// A key that SingleStore does not know.
    #[must_use]
    pub const fn extension(self) -> Self {
        Self {
            extension: true,
            ..self
        }
    }
}

/// Both clauses of a link while they are read; gathers every finding, not the first.
///
/// Pure: no file, clock, environment or socket. What a table can say (types, words, unknown keys,
/// placeholders, stray white space, secrets in `CONFIG`) is checked before the provider sees it;
/// rules over several keys are the provider's.
#[derive(Debug)]
pub struct Clauses<'a> {
    kind: Kind,
    config: &'a Clause,
    credentials: &'a Clause,
    keys: &'static [Key],
    findings: Vec<Diagnosis>,
    near_misses: Vec<NearMiss>,
}

/// Nobody mends more at once.
const MAX_FINDINGS: usize = 100;

impl<'a> Clauses<'a> {
    /// Reads both clauses against the table.
    pub fn new(definition: &'a Definition, keys: &'static [Key]) -> Self {
        let mut clauses = Self {
            kind: definition.kind,
            config: &definition.config,
            credentials: &definition.credentials,
            keys,
            findings: Vec::new(),
            near_misses: Vec::new(),
        };
        for clause in [&definition.credentials, &definition.config] {
            let faults = clause.faults().iter().cloned();
            let faults = faults.map(|fault| clauses.on_one_line(fault));
            clauses.findings.extend(faults.collect::<Vec<_>>());
            clauses.check_clause(clause);
        }
        clauses
    }

    /// Returns what was found, in the order it was found.
    ///
    /// What only follows from a clause that can not be read is left out: its keys may stand there. Of
    /// very many, failures come first and the rest is left out.
    pub fn into_findings(mut self) -> Vec<Diagnosis> {
        self.settle();
        let unreadable = [self.config, self.credentials]
            .iter()
            .flat_map(|clause| clause.faults())
            .any(|fault| {
                matches!(
                    fault.code,
                    Code::DefineInvalidJson | Code::DefineRawLineBreak
                )
            });
        if unreadable {
            self.findings.retain(|finding| {
                !matches!(
                    finding.code,
                    Code::DefineMissingKey | Code::DefineUnusedCredentials
                )
            });
        }
        for miss in std::mem::take(&mut self.near_misses) {
            self.findings.push(
                Diagnosis::new(
                    Code::DefineUnknownKey,
                    format!("no link of this kind has the key {}", quoted(&miss.written)),
                )
                .key(miss.place.clone())
                .hint(format!("did you mean `{}`?", miss.known)),
            );
            if let Some(rename) = self.rename(&miss)
                && let Some(finding) = self.findings.last_mut()
            {
                finding.repairs.push(Repair::new([rename]));
            }
        }
        if self.findings.len() > MAX_FINDINGS {
            self.findings
                .sort_by_key(|finding| finding.outcome != Outcome::Fail);
            self.findings.truncate(MAX_FINDINGS);
        }
        self.findings
    }

    /// Returns whether anything found so far forbids a dial.
    pub fn failed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Fail)
    }

    /// Records a finding of the provider's own.
    pub fn add(&mut self, finding: Diagnosis) {
        self.findings.push(finding);
    }

    /// Returns where a key stands, or would stand.
    pub fn place(&self, key: &str) -> KeyPlace {
        if self.credentials.get(key).is_some() {
            KeyPlace::key(ClauseName::Credentials, key)
        } else if self.config.get(key).is_some() {
            KeyPlace::key(ClauseName::Config, key)
        } else {
            Key::place_in(self.keys, key)
        }
    }

    /// Returns whether the key is there with a value that is not empty.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| match &node.value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        })
    }

    /// Returns the value of a key; `CREDENTIALS` wins over `CONFIG`.
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        self.credentials.get(key).or_else(|| self.config.get(key))
    }

    /// Returns a text that may be shown. Numbers and booleans count as their text, an empty
    /// string as absent.
    pub fn text(&self, key: &str) -> Option<String> {
        scalar(self.node(key)?).filter(|text| !text.is_empty())
    }

    /// Returns a text that must not be shown; an empty string counts as absent.
    pub fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    /// Returns a boolean; `"true"` and `"false"` count as well.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        boolean(self.node(key)?)
    }

    /// Returns the strings of an array.
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the members of an object with their values as text.
    pub fn members(&self, key: &str) -> Vec<(String, Secret)> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::Object(members)) => members
                .iter()
                .filter_map(|member| {
                    Some((member.key.clone(), Secret::new(scalar(&member.value)?)))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the JSON object that a key holds, inline or as text; `None` when it is neither.
    pub fn document(&self, key: &str) -> Option<Document> {
        Document::of(self.node(key)?)
    }

    /// Returns where a member of a key's document stands: the key itself where it is text.
    pub fn place_in(&self, key: &str, member: &str) -> KeyPlace {
        let place = self.place(key);
        match self.node(key).map(|node| &node.value) {
            Some(Value::Object(_)) => KeyPlace::pointer(
                place.clause,
                format!("{}/{}", place.pointer, escape_pointer(member)),
            ),
            _ => place,
        }
    }

    /// Records that a required key is not there, naming a key that looks like it.
    pub fn missing(&mut self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        let mut finding = Diagnosis::new(Code::DefineMissingKey, message).key(self.place(key));
        if let Some(index) = self.near_misses.iter().position(|miss| miss.known == key) {
            let miss = self.near_misses.remove(index);
            finding
                .repairs
                .extend(self.rename(&miss).map(|it| Repair::new([it])));
            finding.keys.insert(0, miss.place.clone());
            let clause = miss.place.clause;
            let others = self
                .near_misses
                .iter()
                .filter(|other| other.place.clause == clause && self.node(other.known).is_none());
            let others = others
                .take(unknown::NAMED)
                .map(|other| format!(", and {} to `{}`", quoted(&other.written), other.known));
            finding = finding.hint(format!(
                "{} stands there; rename it to `{key}`{}",
                quoted(&miss.written),
                others.collect::<String>()
            ));
        } else {
            finding = finding.hint(hint);
        }
        self.findings.push(finding);
    }

    /// Returns whether a failure was found at the value of a key, which then is not looked at closer.
    pub fn failed_at(&self, key: &str) -> bool {
        let place = self.place(key);
        self.findings.iter().any(|finding| {
            finding.outcome == Outcome::Fail
                && finding
                    .keys
                    .iter()
                    .any(|it| (it.clause, &it.pointer) == (place.clause, &place.pointer))
        })
    }

    /// A value of one line has no line break that could be escaped.
    fn on_one_line(&self, mut fault: Diagnosis) -> Diagnosis {
        let name = fault.keys.first().and_then(|key| key.pointer.get(1..));
        match name.and_then(|name| self.row(name)) {
            Some(key) if matches!(key.shape, Shape::Token) => {
                let hint = format!("remove it: `{}` is one line of plain text", key.name);
                let whole = fault.keys.first().cloned();
                fault.repairs = whole
                    .map(without_span)
                    .map(|key| Repair::new([Change::Trim(key)]))
                    .into_iter()
                    .collect();
                fault.hint(hint)
            }
            _ => fault,
        }
    }

    /// Returns the keys of a row with a `*`, and their texts as far as they may be shown, `CREDENTIALS`
    /// first.
    pub fn texts_of(&self, row: &str) -> Vec<(String, String)> {
        let beginning = row.trim_end_matches('*');
        let members = [self.credentials, self.config].map(Clause::members);
        let members = members.into_iter().flatten();
        members
            .filter(|member| member.key.starts_with(beginning))
            .filter_map(|member| Some((member.key.clone(), scalar(&member.value)?)))
            .collect()
    }

    fn row(&self, key: &str) -> Option<&'static Key> {
        let begins = |known: &&Key| {
            let beginning = known.name.strip_suffix('*');
            beginning.is_some_and(|beginning| key.starts_with(beginning))
        };
        let exact = self.keys.iter().find(|known| known.name == key);
        exact.or_else(|| self.keys.iter().find(begins))
    }
}

/// Returns the place of the whole key.
fn without_span(place: KeyPlace) -> KeyPlace {
    KeyPlace::pointer(place.clause, place.pointer)
}

/// Returns a string, number or boolean as its text.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.expose().to_owned()),
        Value::Number(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    }
}

fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.expose() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Returns a key as a message quotes it: the beginning is enough of one that nobody knows.
fn quoted(key: &str) -> String {
    match key.char_indices().nth(QUOTED_LENGTH) {
        Some((end, _)) => format!("`{}…`", &key[..end]),
        None => format!("`{key}`"),
    }
}

/// Returns the candidate that a typing slip could have meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let word = word.to_ascii_lowercase().replace('-', "_");
    candidates
        .filter_map(|candidate| {
            let known = candidate.to_ascii_lowercase().replace('-', "_");
            // A third of the letters may be wrong, but never more than four.
            let known_length = known.chars().count();
            let bound = (known_length / 3).min(4);
            // The search takes a time of the lengths multiplied, and nobody bounds a key.
            if known_length.abs_diff(length) > bound {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&word, &known);
            (distance <= bound).then_some((distance, known_length, candidate))
        })
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, _, candidate)| candidate)
}
