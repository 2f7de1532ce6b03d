//! A statement as a report may show it: a `${NAME}` stands for every secret.

use std::collections::HashSet;

use linkdial_core::clause::{Node, Value};
use linkdial_core::{Clause, ClauseName, Key, KeyPlace, Redactor, Target, looks_secret};

use super::draft::{self, Edit};
use super::edits::sql;
use crate::dial;
use crate::drivers;
use crate::script::link_clause::{LinkClause, same};
use crate::script::variables;
use crate::script::{ScriptLink, ScriptOptions};
use crate::sql;

/// Longer values of keys that are no secret may be one that was put in the wrong place.
const LONGEST_ID: usize = 40;

/// Returns the statement with its secrets as variables: what a script already has as a variable
/// stays. `None` when the text would show one all the same, or would not be what was dialled.
pub(super) fn statement(
    link: &ScriptLink,
    text: &str,
    options: &ScriptOptions,
    guard: &Guard,
) -> Option<String> {
    let mut marks = Marks {
        link,
        text,
        keys: drivers::keys(link.definition.kind),
        guard,
        options: options.clone(),
        names: HashSet::new(),
        edits: Vec::new(),
    };
    for name in [ClauseName::Credentials, ClauseName::Config] {
        let filled = link.clause_of(name).is_none_or(LinkClause::is_filled);
        if !filled {
            for member in link.clause(name).members() {
                let pointer = KeyPlace::key(name, &member.key).pointer;
                marks.node(name, &member.key, &pointer, &member.value)?;
            }
        }
    }
    let Marks {
        mut edits, options, ..
    } = marks;
    // Nobody knows what a comment holds.
    edits.extend(sql::comments(text).into_iter().map(|range| {
        let before = text[..range.start].trim_end_matches([' ', '\t']).len();
        let end = range.end;
        Edit {
            range: before..end,
            text: match text[end..].chars().next() {
                Some(next) if !next.is_whitespace() => String::from(" "),
                _ => String::new(),
            },
        }
    }));
    let mut shown = draft::write(text, &edits).trim().to_owned();
    shown.push(';');
    let again = draft::read(&shown, &options)?;
    let is_same = again.definition.kind == link.definition.kind
        && same(&again.definition.config, &link.definition.config)
        && same(&again.definition.credentials, &link.definition.credentials);
    (is_same && guard.is_harmless(&shown)).then_some(shown)
}

/// Returns a value for a report; `None` for one that may not be shown.
pub(super) fn value(link: &ScriptLink, guard: &Guard, place: &KeyPlace) -> Option<String> {
    let key = place
        .pointer
        .split('/')
        .nth(1)?
        .replace("~1", "/")
        .replace("~0", "~");
    let clause: &Clause = link.clause(place.clause);
    let node = clause.get(&key)?;
    let keys = drivers::keys(link.definition.kind);
    if is_secret(keys, place.clause, &key, node) {
        return None;
    }
    let text = match &node.value {
        Value::String(text) => Target::new(text.expose()).to_string(),
        Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Array(_) | Value::Null | Value::Object(_) => return None,
    };
    guard.is_harmless(&text).then_some(text)
}

/// What no text may hold: the secrets of a link before it was mended, meanwhile, and after.
pub(super) struct Guard(Vec<Redactor>);

impl Guard {
    /// Knows the secrets of links.
    ///
    /// In a clause that does not parse, every word has to pass for a secret, the names of its keys
    /// too. Where another link has the same clause so that it parses, that one tells which are.
    pub(super) fn of<'a>(links: impl IntoIterator<Item = &'a ScriptLink>) -> Self {
        let links: Vec<&ScriptLink> = links.into_iter().collect();
        let is_told = |link: &ScriptLink| {
            let broken = |name: &ClauseName| is_broken(link.clause(*name));
            let clauses = [ClauseName::Credentials, ClauseName::Config];
            let mut broken = clauses.into_iter().filter(broken).peekable();
            broken.peek().is_some()
                && broken.all(|name| {
                    let mut clauses = links.iter().map(|it| it.clause(name));
                    clauses.any(|it| !is_broken(it) && is_same_text(it, link.clause(name)))
                })
        };
        let untold = links.iter().filter(|it| !is_told(it));
        Self(untold.map(|link| dial::open(link).redactor).collect())
    }

    /// Returns whether a text holds none of them.
    pub(super) fn is_harmless(&self, text: &str) -> bool {
        // What ends here is no text that was cut, whose end may be the beginning of a secret.
        let whole = format!("{text}\n");
        self.0
            .iter()
            .all(|redactor| redactor.redacted(&whole) == whole)
    }
}

/// Returns whether a clause holds a text, and no key can be read in it.
fn is_broken(clause: &Clause) -> bool {
    clause.members().is_empty() && bare(clause) != "{}" && !bare(clause).is_empty()
}

/// Returns whether two clauses differ in nothing but quotes, commas, escapes and white space: what is
/// a secret in one stands in the other too.
fn is_same_text(left: &Clause, right: &Clause) -> bool {
    bare(left) == bare(right)
}

fn bare(clause: &Clause) -> String {
    let is_mark = |char: char| "\"“”„,\\".contains(char) || char.is_whitespace();
    let text = clause.text().expose();
    text.chars().filter(|it| !is_mark(*it)).collect()
}

fn is_secret(keys: &[Key], clause: ClauseName, name: &str, node: &Node) -> bool {
    let by_name = match Key::row_of(keys, name) {
        Some(known) => known.secret,
        // An unknown key of CREDENTIALS may be the slip of one that is secret.
        None if clause == ClauseName::Credentials => true,
        // Only a string can become a variable.
        None if matches!(node.value, Value::Number(_)) => looks_secret(name),
        None => Key::may_hold_secret(keys, name),
    };
    let by_text = match &node.value {
        Value::String(text) => {
            let text = text.expose();
            let long = clause == ClauseName::Credentials && text.len() >= LONGEST_ID;
            long || Target::new(text).to_string() != text
        }
        _ => false,
    };
    by_name || by_text || node.secret
}

/// The variables of a statement while they are made.
struct Marks<'a> {
    link: &'a ScriptLink,
    text: &'a str,
    keys: &'static [Key],
    guard: &'a Guard,
    /// With the values of those that were made.
    options: ScriptOptions,
    names: HashSet<String>,
    edits: Vec<Edit>,
}

impl Marks<'_> {
    fn node(&mut self, clause: ClauseName, key: &str, pointer: &str, node: &Node) -> Option<()> {
        match &node.value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.node(clause, key, &format!("{pointer}/{index}"), item)?;
                }
            }
            Value::Object(members) => {
                for member in members {
                    let pointer = format!("{pointer}/{}", member.key);
                    self.node(clause, key, &pointer, &member.value)?;
                }
            }
            Value::Bool(_) | Value::Null => {}
            Value::Number(text) => {
                // It would become a string, which is another value.
                if is_secret(self.keys, clause, key, node) || !self.guard.is_harmless(text) {
                    return None;
                }
            }
            Value::String(text) => {
                let secret = is_secret(self.keys, clause, key, node)
                    || !self.guard.is_harmless(text.expose());
                if secret {
                    self.mark(clause, pointer, node, text.expose())?;
                }
            }
        }
        Some(())
    }

    fn mark(&mut self, name: ClauseName, pointer: &str, node: &Node, value: &str) -> Option<()> {
        let literal = self.link.clause_of(name)?;
        let written = literal.text().get(node.span.clone())?;
        if is_all_variable(written) || value.is_empty() {
            return Some(());
        }
        let name = self.name(pointer);
        let (_, range) = literal.locate(&node.span)?;
        let (_, whole) = literal.literal();
        let quote = self.text.get(whole)?.chars().next()?;
        self.edits.push(Edit {
            range,
            text: sql(&format!("\"${{{name}}}\""), quote),
        });
        self.options.variables.set(name, value, true);
        Some(())
    }

    /// Makes a name of link and key that no variable has.
    fn name(&mut self, pointer: &str) -> String {
        let plain = |text: &str| -> String {
            let char = |char: char| {
                if char.is_ascii_alphanumeric() {
                    char.to_ascii_uppercase()
                } else {
                    '_'
                }
            };
            text.chars().map(char).collect()
        };
        let link = plain(&self.link.name.name);
        let key = plain(pointer.trim_start_matches('/'));
        let mut name = format!("{link}_{key}");
        if !variables::is_name(&name) {
            name.insert(0, '_');
        }
        let base = name.clone();
        let mut number = 1;
        while self.options.variables.get(&name).is_some() || !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        name
    }
}

/// Returns whether a JSON string is nothing but a variable, or one behind the scheme of a header.
fn is_all_variable(written: &str) -> bool {
    let inside = written.trim_matches('"');
    let behind = ["Bearer ", "Basic ", "Token "]
        .into_iter()
        .find_map(|scheme| inside.strip_prefix(scheme));
    variables::whole(behind.unwrap_or(inside)).is_some_and(|_| !inside.ends_with(' '))
}
