//! What of a string no excerpt may show.

use std::ops::Range;

use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::{Clause, ClauseName, Code, looks_secret};

use super::super::literal::MappedText;
use super::super::source::FileId;
use super::super::{addresses, loose_json, shown_keys};
use super::{Context, Masker};

/// Returns whether a clause's text is not even JSON, as when a quote inside of it ended it.
pub(crate) fn is_broken_json(text: &str) -> bool {
    !matches!(parse(ClauseName::Credentials, text), Json::Members(_))
}

enum Json {
    Broken,
    Members(Clause),
}

fn parse(name: ClauseName, text: &str) -> Json {
    let clause = Clause::parse(name, text);
    let broken = clause.members().is_empty()
        && clause
            .faults()
            .iter()
            .any(|fault| fault.code == Code::DefineInvalidJson);
    if broken {
        Json::Broken
    } else {
        Json::Members(clause)
    }
}

impl Masker<'_> {
    /// Hides what a string must not show; returns whether it seems to have ended early.
    pub(super) fn string(&mut self, content: &Range<usize>, quote: u8) -> bool {
        let text = &self.text[content.clone()];
        let (Context::Config | Context::Credentials) = self.context else {
            let shown = is_plain(text)
                && !self.strict
                && matches!(self.context, Context::Shown | Context::Target(_));
            if shown {
                self.address(content);
            } else if is_variable(text) {
                self.cleared.push(content.clone());
            } else {
                self.masks.push(content.clone());
            }
            return false;
        };
        let literal = MappedText::decode(self.text, content.clone(), quote, FileId(0));
        let credentials = self.context == Context::Credentials;
        if is_variable(literal.text()) {
            return false;
        }
        match parse(ClauseName::Credentials, literal.text()) {
            Json::Members(clause) => {
                self.members(clause.members(), !credentials, &literal);
                self.cleared.push(content.clone());
                false
            }
            Json::Broken if credentials || looks_secret(literal.text()) => {
                self.masks.push(content.clone());
                true
            }
            Json::Broken => {
                for part in loose_json::hidden(literal.text()) {
                    self.hide_part(&part, &literal);
                }
                true
            }
        }
    }

    /// Hides the values of all keys, or of those that are not well known.
    fn members(&mut self, members: &[Member], keys_count: bool, literal: &MappedText) {
        for member in members {
            let shown = keys_count && shown_keys::is_shown(&member.key);
            self.node(&member.value, shown, literal);
        }
    }

    fn node(&mut self, node: &Node, shown: bool, literal: &MappedText) {
        let span = match &node.value {
            Value::Object(members) => return self.members(members, shown, literal),
            Value::Array(items) => {
                for item in items {
                    self.node(item, shown, literal);
                }
                return;
            }
            Value::String(text) if is_variable(text.expose()) => return,
            // The quotes stay, so that the line still reads as JSON.
            Value::String(_) => node.span.start + 1..node.span.end.saturating_sub(1),
            Value::Bool(_) | Value::Null | Value::Number(_) => node.span.clone(),
        };
        if !shown {
            self.hide_part(&span, literal);
            return;
        }
        let Some(text) = literal.text().get(span.clone()) else {
            return;
        };
        for part in addresses::secrets_of(text) {
            self.hide_part(&(span.start + part.start..span.start + part.end), literal);
        }
    }

    fn hide_part(&mut self, part: &Range<usize>, literal: &MappedText) {
        if !part.is_empty()
            && let Some((_, raw)) = literal.locate(part)
        {
            self.masks.push(raw);
        }
    }

    /// Shows a text, but for what a URL may hold.
    pub(super) fn address(&mut self, content: &Range<usize>) {
        let parts = addresses::secrets_of(&self.text[content.clone()]);
        self.masks.extend(
            parts
                .into_iter()
                .map(|part| content.start + part.start..content.start + part.end),
        );
        self.cleared.push(content.clone());
    }
}

pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(['{', '}', '"', '\'', '\n', '\\'])
}

/// A `${NAME}` is no secret itself, and the fault may be in it.
pub(super) fn is_variable(text: &str) -> bool {
    text.trim()
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}
