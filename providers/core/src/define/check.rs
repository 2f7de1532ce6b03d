//! What the table of keys says of each value.

use crate::clause::{Clause, ClauseName, Node, Value, escape_pointer};
use crate::code::Code;
use crate::diagnosis::{Diagnosis, KeyPlace, Outcome};

use crate::repair::{Change, Repair, Setting};

use super::{Clauses, Key, LONGEST_SECRET, Shape, boolean, nearest, scalar};

impl Clauses<'_> {
    pub(super) fn check_clause(&mut self, clause: &Clause) {
        for member in clause.members() {
            let place = KeyPlace::key(clause.name(), &member.key);
            if matches!(member.value.value, Value::Null) {
                continue;
            }
            let Some(known) = self.row(&member.key) else {
                self.unknown(&member.key, place);
                continue;
            };
            if known.extension {
                self.extension(&member.key, place.clone());
            }
            if known.secret
                && known.clause == ClauseName::Credentials
                && clause.name() == ClauseName::Config
            {
                let mut finding = Diagnosis::new(
                    Code::DefineSecretInConfig,
                    format!("CONFIG holds the secret `{}`", member.key),
                )
                .key(place.clone())
                .hint(
                    "move it to CREDENTIALS: SHOW LINKS and information_schema.LINKS show CONFIG",
                );
                finding.repairs.push(Repair::new(self.moves()));
                self.findings.push(finding);
            }
            self.check_value(known, &member.key, &member.value, place);
        }
    }

    /// What puts keys where the table has them: out of `CONFIG` all that belong in `CREDENTIALS`, and
    /// the other way where nothing in `CREDENTIALS` belongs there, so that somebody swapped the clauses.
    fn moves(&self) -> Vec<Change> {
        let of = |clause: &Clause| -> Vec<Change> {
            let members = clause.members().iter();
            let is_there = |key: &str| match clause.name() {
                ClauseName::Config => self.credentials.get(key).is_some(),
                ClauseName::Credentials => self.config.get(key).is_some(),
            };
            let strays = members.filter(|it| {
                let known = self.row(&it.key);
                let stray = known.is_some_and(|known| known.clause != clause.name());
                stray && !matches!(it.value.value, Value::Null) && !is_there(&it.key)
            });
            strays
                .map(|it| Change::Move(KeyPlace::key(clause.name(), &it.key)))
                .collect()
        };
        let mut moves = of(self.config);
        let back = of(self.credentials);
        if back.len() == self.credentials.members().len() {
            moves.extend(back);
        }
        moves
    }

    /// One finding names all of them.
    fn extension(&mut self, name: &str, place: KeyPlace) {
        let mut findings = self.findings.iter_mut();
        if let Some(finding) = findings.find(|it| it.code == Code::DefineExtensionKey) {
            finding.keys.push(place);
            let names: Vec<String> = finding
                .keys
                .iter()
                .map(|key| format!("`{}`", key.pointer.trim_start_matches('/')))
                .collect();
            finding.message = format!(
                "{} are keys of linkdial that SingleStore does not document",
                names.join(" and ")
            );
            return;
        }
        self.findings.push(
            Diagnosis::new(
                Code::DefineExtensionKey,
                format!("`{name}` is a key of linkdial that SingleStore does not document"),
            )
            .key(place)
            .hint("what passes here with it may still fail on a cluster that ignores it"),
        );
    }

    fn check_value(&mut self, known: &Key, name: &str, node: &Node, place: KeyPlace) {
        if !fits(known.shape, node) {
            self.wrong_type(known, name, node, place);
            return;
        }
        if known.secret && size(node) > LONGEST_SECRET {
            self.findings.push(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{name}` is longer than any secret"),
                )
                .evidence("allowed", format!("{LONGEST_SECRET} bytes"))
                .key(place)
                .hint("a whole file was put there by mistake: write the secret alone"),
            );
            return;
        }
        if matches!(known.shape, Shape::Document | Shape::Token) && size(node) == 0 {
            self.empty(name, place);
            return;
        }
        match (&node.value, known.shape) {
            // Its members are its writer's: a key in PEM ends with a line break.
            (Value::Object(_), Shape::Document) => {}
            (Value::Object(members), _) => {
                for member in members {
                    let inner = KeyPlace::pointer(
                        place.clause,
                        format!("{}/{}", place.pointer, escape_pointer(&member.key)),
                    );
                    self.check_item(name, &member.value, inner);
                }
            }
            (Value::Array(items), _) => {
                for (index, item) in items.iter().enumerate() {
                    let inner =
                        KeyPlace::pointer(place.clause, format!("{}/{index}", place.pointer));
                    self.check_item(name, item, inner);
                }
            }
            (_, Shape::Word(words)) => {
                let text = scalar(node).unwrap_or_default();
                if !text.is_empty() && !words.contains(&text.as_str()) {
                    let finding = Diagnosis::new(
                        Code::DefineInvalidValue,
                        format!("`{name}` has a value that is not allowed"),
                    )
                    .evidence("found", if known.secret { "" } else { &text })
                    .evidence("allowed", words.join(", "))
                    .key(place.clone())
                    .hint(format!("write one of: {}", words.join(", ")));
                    self.findings.push(finding.repair_word(place, &text, words));
                }
            }
            (_, Shape::Integer(low, high)) => {
                let number = scalar(node).and_then(|text| text.parse::<i64>().ok());
                if let Some(number) = number.filter(|number| !(low..=high).contains(number)) {
                    self.findings.push(
                        Diagnosis::new(
                            Code::DefineInvalidValue,
                            format!("`{name}` is out of its range"),
                        )
                        .evidence("found", number)
                        .evidence("allowed", format!("{low} to {high}"))
                        .key(place)
                        .hint(format!("write a number from {low} to {high}")),
                    );
                }
            }
            (Value::String(text), Shape::Text) => self.check_text(name, text.expose(), place),
            (Value::String(text), Shape::Token) => self.check_token(name, text.expose(), place),
            (Value::String(text), Shape::Document | Shape::Pem)
                if is_placeholder(text.expose()) =>
            {
                self.check_text(name, text.expose(), place);
            }
            _ => {}
        }
    }

    fn wrong_type(&mut self, known: &Key, name: &str, node: &Node, place: KeyPlace) {
        let found = node.value.type_name();
        let wanted = match known.shape {
            Shape::Boolean => "true or false",
            Shape::Document => "an object or its text",
            Shape::Integer(..) => "a whole number",
            Shape::Object => "an object",
            Shape::Pem | Shape::Text | Shape::Token | Shape::Word(_) => "a string",
            Shape::TextList => "an array of strings",
        };
        // The type alone would do: `"true"` is taken.
        let found = match (known.shape, &node.value) {
            (Shape::Boolean | Shape::Integer(..), Value::String(_)) => "another text",
            _ => &format!("a JSON {found}"),
        };
        let mut finding = Diagnosis::new(
            Code::DefineWrongType,
            format!("`{name}` is {found}, not {wanted}"),
        )
        .key(place.clone())
        .hint(format!("write {wanted}"));
        if let (Shape::Boolean, Value::String(text)) = (known.shape, &node.value) {
            let words = [("true", true), ("false", false)];
            let written = text.expose().trim();
            let meant = words
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(written));
            if let Some((_, meant)) = meant {
                let value = Setting::Boolean(*meant);
                finding = finding.repair(Change::Set { place, value });
            }
        }
        self.findings.push(finding);
    }

    /// What would be there is what the link is: without it, it would be another.
    pub(crate) fn empty(&mut self, name: &str, place: KeyPlace) {
        self.findings.push(
            Diagnosis::new(Code::DefineInvalidValue, format!("`{name}` is empty"))
                .key(place)
                .hint("write its value, or remove the key; a variable may have filled nothing in"),
        );
    }

    fn check_item(&mut self, name: &str, node: &Node, place: KeyPlace) {
        match &node.value {
            Value::String(text) => self.check_text(name, text.expose(), place),
            Value::Bool(_) | Value::Number(_) => {}
            Value::Array(_) | Value::Null | Value::Object(_) => {
                let found = node.value.type_name();
                self.findings.push(
                    Diagnosis::new(
                        Code::DefineWrongType,
                        format!("`{name}` holds a JSON {found} where a string belongs"),
                    )
                    .key(place)
                    .hint("write a string"),
                );
            }
        }
    }

    /// What signs, and what names it, holds no control character, nor quotes around it.
    fn check_token(&mut self, name: &str, text: &str, place: KeyPlace) {
        // A raw one is a fault of the JSON.
        let clause = match place.clause {
            ClauseName::Config => self.config,
            ClauseName::Credentials => self.credentials,
        };
        let mut faults = clause.faults().iter().flat_map(|fault| &fault.keys);
        if faults.any(|key| key.pointer == place.pointer) {
            return;
        }
        let before = self.findings.len();
        self.check_text(name, text, place.clone());
        if let Some(finding) = self.findings.get_mut(before) {
            finding.outcome = Outcome::Fail;
        } else if let Some(char) = text.chars().find(|char| char.is_control()) {
            let what = if matches!(char, '\n' | '\r') {
                "line break"
            } else {
                "control character"
            };
            self.findings.push(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("the value of `{name}` holds a {what}"),
                )
                .key(place)
                .hint(format!("remove it: `{name}` is one line of plain text")),
            );
        }
    }

    fn check_text(&mut self, name: &str, text: &str, place: KeyPlace) {
        if is_placeholder(text) {
            self.findings.push(
                Diagnosis::new(
                    Code::DefinePlaceholderValue,
                    format!("`{name}` still holds the documentation's placeholder"),
                )
                .key(place)
                .hint("put the real value there"),
            );
        } else if let Some(stray) = stray(text) {
            let outcome = if stray.harmless {
                Outcome::Warn
            } else {
                Outcome::Fail
            };
            self.findings.push(
                Diagnosis::new(
                    Code::DefineStrayWhitespace,
                    format!("the value of `{name}` {}", stray.sentence),
                )
                .key(place.clone())
                .outcome(outcome)
                .hint("remove it; it is often pasted along, or added by `echo` without `-n`")
                .repair(Change::Trim(place)),
            );
        }
    }
}

impl Diagnosis {
    /// Adds the one of some words that a typing slip could have meant.
    #[must_use]
    pub fn repair_word(self, place: KeyPlace, written: &str, words: &[&str]) -> Self {
        match nearest(written, words.iter().copied()) {
            Some(word) => self.repair(Change::set(place, word)),
            None => self,
        }
    }
}

/// Returns whether a value is of the type that a key takes.
fn fits(shape: Shape, node: &Node) -> bool {
    match shape {
        Shape::Boolean => boolean(node).is_some(),
        Shape::Document => matches!(node.value, Value::Object(_) | Value::String(_)),
        Shape::Integer(..) => scalar(node).is_some_and(|text| text.parse::<i64>().is_ok()),
        Shape::Object => matches!(node.value, Value::Object(_)),
        Shape::Pem | Shape::Text | Shape::Token | Shape::Word(_) => scalar(node).is_some(),
        Shape::TextList => matches!(node.value, Value::Array(_)),
    }
}

/// What all texts of a value come to, in bytes.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Bool(_) | Value::Null => 0,
        Value::Number(text) => text.len(),
        Value::Object(members) => members
            .iter()
            .map(|it| it.key.len() + size(&it.value))
            .sum(),
        Value::String(text) => text.len(),
    }
}

struct Stray {
    sentence: &'static str,
    harmless: bool,
}

fn stray(text: &str) -> Option<Stray> {
    let fault = |sentence| {
        Some(Stray {
            sentence,
            harmless: false,
        })
    };
    if text.starts_with('\u{feff}') || text.ends_with('\u{feff}') {
        return fault("has a byte order mark at its end or start");
    }
    if text.ends_with(['\n', '\r']) {
        return fault("ends with a line break");
    }
    if text.starts_with(char::is_whitespace) {
        return fault("starts with white space");
    }
    if text.ends_with(char::is_whitespace) {
        return fault("ends with white space");
    }
    let mut chars = text.chars();
    let (first, last) = (chars.next(), chars.next_back());
    if first == last && matches!(first, Some('"' | '\'')) {
        return Some(Stray {
            sentence: "stands in quotes of its own",
            harmless: true,
        });
    }
    None
}

/// Returns whether a text is one of the placeholders of the vendor's pages, has one of the two shapes
/// that every page uses, or is half of the key pair of Amazon's documentation.
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (text.len() > 2 && text.starts_with('<') && text.ends_with('>') && !text.contains("><"))
        || ["your_", "your-", "replace_with_", "replace-with-"]
            .iter()
            .any(|start| lower.starts_with(start))
        || matches!(
            lower.as_str(),
            "encrypted_key" | "encrypted_or_unencrypted_key" | "changeme" | "other_endpoint"
        )
        || lower.ends_with("://other_endpoint")
        || matches!(
            text,
            "AKIAIOSFODNN7EXAMPLE" | "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        )
}
