//! A clause of a link while the script is replayed: its text, and where that stands.

use std::ops::Range;

use linkdial_core::clause::{Member, Value};
use linkdial_core::{Clause, ClauseName};

use super::variables::{self, Filled, Unbound, Variables};
use crate::sql::ast::ClauseLiteral;
use crate::sql::literal::MappedText;
use crate::sql::source::FileId;

/// The text of a clause with the literal that a missing key is looked for in.
#[derive(Clone, Debug)]
pub(crate) struct LinkClause {
    name: ClauseName,
    text: MappedText,
    file: FileId,
    literal: Range<usize>,
    /// The whole text came from a variable, so none is looked for in it.
    filled: bool,
    secret: bool,
    /// Keys that were set to a secret after the text was filled.
    secret_keys: Vec<String>,
}

impl LinkClause {
    /// Takes a literal, or the variable that stands for all of it.
    pub(crate) fn new(
        name: ClauseName,
        literal: ClauseLiteral,
        file: FileId,
        variables: &Variables,
    ) -> Result<Self, Unbound> {
        let mut clause = Self {
            name,
            text: literal.text,
            file,
            literal: literal.span,
            filled: false,
            secret: false,
            secret_keys: Vec::new(),
        };
        if let Some(variable) = variables::whole(clause.text.text()) {
            let Some(found) = variables.get(variable) else {
                let text = clause.text.text();
                let start = text.len() - text.trim_start().len();
                return Err(Unbound {
                    name: Some(variable.to_owned()),
                    span: start..text.trim_end().len(),
                });
            };
            clause.secret = found.secret;
            clause.filled = true;
            clause.text = MappedText::opaque(found.value.expose(), file, clause.literal.clone());
        }
        Ok(clause)
    }

    /// Takes the text that a registry holds: its variables were filled when it was stored.
    pub(crate) fn stored(name: ClauseName, text: &str, file: FileId, place: Range<usize>) -> Self {
        Self {
            name,
            text: MappedText::opaque(text, file, place.clone()),
            file,
            literal: place,
            filled: true,
            secret: false,
            secret_keys: Vec::new(),
        }
    }

    /// Reads the JSON and fills in the variables.
    pub(crate) fn parse(&self, variables: &Variables) -> (Clause, Vec<Unbound>) {
        let mut clause = Clause::parse(self.name, self.text.text());
        let unbound = if self.filled {
            Vec::new()
        } else {
            variables::fill(&mut clause, variables)
        };
        for member in clause.members_mut() {
            if self.secret || self.secret_keys.contains(&member.key) {
                variables::mark_secret(std::slice::from_mut(member));
            }
        }
        (clause, unbound)
    }

    /// Returns the text with what replaced a variable that stands for all of it.
    pub(crate) fn text(&self) -> &str {
        self.text.text()
    }

    /// Returns where a range of the text stands.
    pub(crate) fn locate(&self, range: &Range<usize>) -> Option<(FileId, Range<usize>)> {
        self.text.locate(range)
    }

    /// Returns whether a variable or a registry holds the whole text.
    pub(crate) const fn is_filled(&self) -> bool {
        self.filled
    }

    /// Returns where the literal stands.
    pub(crate) fn literal(&self) -> (FileId, Range<usize>) {
        (self.file, self.literal.clone())
    }

    /// Sets one top-level key, as `ALTER LINK ... SET CONFIG ::key = 'value'` does.
    ///
    /// A clause whose text is no JSON stays as it is: it has a finding of its own.
    pub(crate) fn set(
        before: Option<Self>,
        name: ClauseName,
        key: &MappedText,
        value: &ClauseLiteral,
        file: FileId,
        variables: &Variables,
    ) -> Result<Self, Unbound> {
        let at = |text: &str, span: &Range<usize>| MappedText::opaque(text, file, span.clone());
        let key_span = key
            .locate(&(0..key.text().len()))
            .map_or_else(|| value.span.clone(), |(_, span)| span);
        let json_key = at(&json_string(key.text()), &key_span);
        // Text that a variable gave is not looked through again, so this value is filled now.
        let filled = before.as_ref().is_some_and(|clause| clause.filled);
        let json_value = if filled {
            variables::expand(value.text.text(), variables)?
        } else {
            Filled {
                text: value.text.text().to_owned(),
                secret: false,
            }
        };
        let secret = json_value.secret;
        let json_value = at(&json_string(&json_value.text), &value.span);
        let colon = at(":", &key_span);
        let Some(mut clause) = before.filter(|clause| !clause.text.text().trim().is_empty()) else {
            let empty = at("{}", &value.span);
            return Ok(Self {
                name,
                text: empty.splice(&(1..1), &[json_key, colon, json_value]),
                file,
                literal: value.span.clone(),
                filled: false,
                secret: false,
                secret_keys: Vec::new(),
            });
        };
        clause.secret_keys.retain(|known| known != key.text());
        if secret {
            clause.secret_keys.push(key.text().to_owned());
        }
        let parsed = Clause::parse(name, clause.text.text());
        let members = parsed.members();
        let text = clause.text.text();
        if let Some(member) = members.iter().rfind(|member| member.key == key.text()) {
            clause.text = clause.text.splice(&member.value.span, &[json_value]);
        } else if let Some(last) = members.last() {
            let end = last.value.span.end;
            let comma = at(",", &key_span);
            clause.text = clause
                .text
                .splice(&(end..end), &[comma, json_key, colon, json_value]);
        } else if parsed.faults().is_empty()
            && let Some(open) = text.find('{')
        {
            clause.text = clause
                .text
                .splice(&(open + 1..open + 1), &[json_key, colon, json_value]);
        }
        Ok(clause)
    }
}

/// Returns whether two clauses say the same, whatever their white space and order.
pub(crate) fn same(left: &Clause, right: &Clause) -> bool {
    if left.faults().is_empty() && right.faults().is_empty() {
        same_members(left.members(), right.members())
    } else {
        left.text() == right.text()
    }
}

fn same_members(left: &[Member], right: &[Member]) -> bool {
    left.len() == right.len()
        && left.iter().all(|member| {
            right
                .iter()
                .find(|other| other.key == member.key)
                .is_some_and(|other| same_value(&member.value.value, &other.value.value))
        })
}

fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same_value(&left.value, &right.value))
        }
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Null, Value::Null) => true,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::Object(left), Value::Object(right)) => same_members(left, right),
        (Value::String(left), Value::String(right)) => left == right,
        _ => false,
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
