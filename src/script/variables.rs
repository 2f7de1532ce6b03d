//! `${NAME}` in the clauses of a link.

use std::collections::BTreeMap;
use std::ops::Range;

use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::{Clause, Secret};

/// What fills a `${NAME}`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The text.
    pub value: Secret,
    /// Whether no output may show it, whatever key it fills.
    pub secret: bool,
}

/// All variables of a run, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, Variable>);

impl Variables {
    /// Sets a variable; a later one replaces an earlier one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Box<str>>, secret: bool) {
        let value = Secret::new(value);
        self.0.insert(name.into(), Variable { value, secret });
    }

    /// Returns the secret ones that a text names or holds.
    pub(crate) fn secrets_of(&self, text: &str) -> impl Iterator<Item = &Secret> {
        self.0.iter().filter_map(move |(name, variable)| {
            let value = variable.value.expose();
            let used = text.contains(&format!("${{{name}}}"))
                || (value.len() >= 4 && text.contains(value));
            (variable.secret && used).then_some(&variable.value)
        })
    }

    /// Returns a variable.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)
    }
}

/// A `${` that nothing fills, in bytes of the clause's text.
#[derive(Debug)]
pub(crate) struct Unbound {
    /// The name; `None` where none stands there.
    pub(crate) name: Option<String>,
    pub(crate) span: Range<usize>,
}

/// Text with its variables filled in.
pub(crate) struct Filled {
    pub(crate) text: String,
    /// One of the variables is secret.
    pub(crate) secret: bool,
}

/// Returns the variable's name when it is all there is.
pub(crate) fn whole(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// Fills the strings of a clause.
pub(crate) fn fill(clause: &mut Clause, variables: &Variables) -> Vec<Unbound> {
    let text = clause.text().clone();
    if !text.expose().contains("${") {
        return Vec::new();
    }
    let mut unbound = Vec::new();
    fill_members(clause.members_mut(), text.expose(), variables, &mut unbound);
    unbound
}

/// Fills a text that is no JSON yet.
pub(crate) fn expand(text: &str, variables: &Variables) -> Result<Filled, Unbound> {
    fill_text(text, variables).map_err(|name| Unbound {
        name,
        span: 0..text.len(),
    })
}

/// Marks every value as secret.
pub(crate) fn mark_secret(members: &mut [Member]) {
    for member in members {
        mark_node(&mut member.value);
    }
}

/// Marks every string and number as secret that is one.
pub(crate) fn mark_secret_where(members: &mut [Member], is_secret: &dyn Fn(&str) -> bool) {
    for member in members {
        mark_node_where(&mut member.value, is_secret);
    }
}

fn mark_node_where(node: &mut Node, is_secret: &dyn Fn(&str) -> bool) {
    match &mut node.value {
        Value::Array(items) => {
            for item in items {
                mark_node_where(item, is_secret);
            }
        }
        Value::Object(members) => mark_secret_where(members, is_secret),
        Value::String(text) => node.secret |= is_secret(text.expose()),
        Value::Number(text) => node.secret |= is_secret(text),
        Value::Bool(_) | Value::Null => {}
    }
}

fn mark_node(node: &mut Node) {
    node.secret = true;
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(mark_node),
        Value::Object(members) => mark_secret(members),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Collects the strings of a value, each with whether it is secret, and the numbers that are.
pub(crate) fn strings(node: &Node, found: &mut Vec<(Secret, bool)>) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members
            .iter()
            .for_each(|member| strings(&member.value, found)),
        Value::String(text) => found.push((text.clone(), node.secret)),
        Value::Number(text) if node.secret => found.push((Secret::new(text.clone()), true)),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

fn fill_members(
    members: &mut [Member],
    text: &str,
    variables: &Variables,
    unbound: &mut Vec<Unbound>,
) {
    for member in members {
        fill_node(&mut member.value, text, variables, unbound);
    }
}

fn fill_node(node: &mut Node, text: &str, variables: &Variables, unbound: &mut Vec<Unbound>) {
    match &mut node.value {
        Value::Array(items) => {
            for item in items {
                fill_node(item, text, variables, unbound);
            }
        }
        Value::Object(members) => fill_members(members, text, variables, unbound),
        Value::String(value) if value.expose().contains("${") => {
            match fill_text(value.expose(), variables) {
                Ok(filled) => {
                    *value = Secret::new(filled.text);
                    node.secret |= filled.secret;
                }
                Err(name) => {
                    let written = name
                        .as_ref()
                        .map_or_else(|| String::from("${"), |name| format!("${{{name}}}"));
                    let span = text
                        .get(node.span.clone())
                        .and_then(|value| value.find(&written))
                        .map_or(node.span.clone(), |at| {
                            let start = node.span.start + at;
                            start..start + written.len()
                        });
                    unbound.push(Unbound { name, span });
                }
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Fills one string; the error is the name that nothing fills.
fn fill_text(text: &str, variables: &Variables) -> Result<Filled, Option<String>> {
    let mut filled = Filled {
        text: String::with_capacity(text.len()),
        secret: false,
    };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            filled.text.push_str(before);
            filled.text.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        filled.text.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        let end = inside.find('}').ok_or(None)?;
        let name = &inside[..end];
        if !is_name(name) {
            return Err(None);
        }
        let variable = variables.get(name).ok_or_else(|| Some(name.to_owned()))?;
        filled.text.push_str(variable.value.expose());
        filled.secret |= variable.secret;
        rest = &inside[end + 1..];
    }
    filled.text.push_str(rest);
    Ok(filled)
}

/// Returns whether a variable can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
