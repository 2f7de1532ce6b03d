//! A clause as JSON text again: whole, to be sealed, or without its secrets, to be shown.

use crate::clause::{Clause, Member, Node, Value};
use crate::redact::looks_secret;
use crate::secret::Secret;
use crate::target::Target;

/// What stands for a secret where a clause is shown; no statement may hold it.
pub const REDACTED_VALUE: &str = "<REDACTED>";

impl Clause {
    /// Writes the clause as JSON, its variables filled in; keys keep their order.
    ///
    /// A clause with faults has no JSON: see [`Clause::faults`].
    pub fn to_json(&self) -> Secret {
        let mut text = String::new();
        write_members(self.members(), &mut text, &|_, _| None);
        Secret::new(text)
    }

    /// Writes the clause as JSON with [`REDACTED_VALUE`] for every value that may be a secret: of a key
    /// that is not shown, of a source that makes it one, and in a URL its user info and query.
    ///
    /// `is_shown` decides about the keys of the clause; below one that is shown, names decide.
    pub fn to_shown_json(&self, is_shown: &dyn Fn(&str) -> bool) -> String {
        let mut text = String::from("{");
        for (index, member) in self.members().iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            write_string(&member.key, &mut text);
            text.push_str(": ");
            let shown = is_shown(&member.key);
            write_node(&member.key, &member.value, &mut text, &|key, node| {
                let inside = key != member.key && looks_secret(key);
                match &node.value {
                    _ if !shown || inside || node.secret => Some(REDACTED_VALUE.to_owned()),
                    // A target hides what a URL may hold.
                    Value::String(text) => Some(Target::new(text.expose()).to_string()),
                    _ => None,
                }
            });
        }
        text.push('}');
        text
    }
}

/// What replaces a value: its key, the value; `None` keeps it. Items of a list have its key.
type Replace<'a> = &'a dyn Fn(&str, &Node) -> Option<String>;

fn write_members(members: &[Member], out: &mut String, replace: Replace<'_>) {
    out.push('{');
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_string(&member.key, out);
        out.push_str(": ");
        write_node(&member.key, &member.value, out, replace);
    }
    out.push('}');
}

fn write_node(key: &str, node: &Node, out: &mut String, replace: Replace<'_>) {
    if let Some(text) = replace(key, node) {
        write_string(&text, out);
        return;
    }
    match &node.value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_node(key, item, out, replace);
            }
            out.push(']');
        }
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
        Value::Number(text) => out.push_str(text),
        Value::Object(members) => write_members(members, out, replace),
        Value::String(text) => write_string(text.expose(), out),
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::ClauseName;

    fn clause(text: &str) -> Clause {
        let clause = Clause::parse(ClauseName::Config, text);
        assert!(clause.faults().is_empty());
        clause
    }

    #[test]
    fn what_is_written_reads_as_before() {
        let text = r#"{"b": [1, 2.50e3, null], "a": {"x": true, "ü\n": "\"\\"}, "c": ""}"#;
        assert_eq!(clause(text).to_json().expose(), text);
        assert_eq!(clause("").to_json().expose(), "{}");
        let spread = clause("{ \"k\" :\n[ ] , \"l\":{}}");
        assert_eq!(spread.to_json().expose(), r#"{"k": [], "l": {}}"#);
    }

    #[test]
    fn what_is_shown_has_no_secret() {
        let mut clause = clause(
            r#"{"open": "o", "sealed": "M4rked", "token_ttl": "60", "unknown": {"a": "M4rked"},
                "url": "http://u:M4rked@h/?sig=M4rked&a=b", "from": ["M4rked"], "pin": 739,
                "in": {"token": "M4rked", "n": 1}}"#,
        );
        let is_shown = |key: &str| ["open", "token_ttl", "url", "from", "in"].contains(&key);
        for member in clause.members_mut() {
            member.value.secret |= member.key == "from";
        }
        let shown = clause.to_shown_json(&is_shown);
        assert!(
            !shown.contains("M4rked") && !shown.contains("739"),
            "{shown}"
        );
        assert!(shown.starts_with(
            r#"{"open": "o", "sealed": "<REDACTED>", "token_ttl": "60", "unknown": "<REDACTED>", "url": "http://"#
        ), "{shown}");
        assert!(
            shown.ends_with(
                r#""from": "<REDACTED>", "pin": "<REDACTED>", "in": {"token": "<REDACTED>", "n": 1}}"#
            ),
            "{shown}"
        );
    }
}
