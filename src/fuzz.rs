//! Entry points for hostile bytes, as those of [`linkdial_core::fuzz`]: the text of scripts.

use std::collections::HashSet;
use std::ops::Range;

use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::fuzz::Target;
use linkdial_core::{Clause, ClauseName, KeyPlace};

use crate::script::{Script, ScriptLink, ScriptOptions};
use crate::sql::ast::{Change, ClauseLiteral, DirectiveKind, StatementKind};
use crate::sql::source::FileId;
use crate::sql::{self, Excerpt};

/// The readers of this crate.
pub const TARGETS: &[Target] = &[("script", script), ("sql", statements)];

/// One file: every place of a statement lies in it, between two characters.
fn statements(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let file = sql::read("a.sql", text.clone().into_owned(), FileId(0));
    let lies = |span: &Range<usize>| assert!(text.get(span.clone()).is_some(), "{span:?}");
    for error in &file.errors {
        lies(&error.span);
        readable(&file.source.excerpt(&error.span));
    }
    let mut end = 0;
    for statement in &file.statements {
        lies(&statement.span);
        assert!(statement.span.start >= end, "statements overlap");
        end = statement.span.end;
        for directive in &statement.directives {
            lies(&directive.span);
            if let DirectiveKind::Target { target_span, .. } = &directive.kind {
                lies(target_span);
            }
        }
        match &statement.kind {
            StatementKind::CreateLink(create) => {
                lies(&create.name.span);
                for clause in [&create.config, &create.credentials].into_iter().flatten() {
                    literal(&text, clause);
                }
            }
            StatementKind::AlterLink(alter) => {
                for change in [&alter.config, &alter.credentials].into_iter().flatten() {
                    let (Change::Replace(value) | Change::Key { value, .. }) = change;
                    literal(&text, value);
                }
            }
            StatementKind::Uses(uses) => {
                for link in &uses.links {
                    lies(&link.link.span);
                    lies(&link.target_span);
                }
            }
            _ => {}
        }
    }
}

/// Each character of a literal comes from a place inside of it, one behind the other, or both from one
/// escape.
fn literal(text: &str, literal: &ClauseLiteral) {
    assert!(text.get(literal.span.clone()).is_some());
    let mut before = literal.span.start..literal.span.start;
    for (at, character) in literal.text.text().char_indices() {
        let place = literal.text.locate(&(at..at + character.len_utf8()));
        let (_, raw) = place.expect("every character has a place");
        assert!(text.get(raw.clone()).is_some(), "{raw:?}");
        assert!(before.end <= raw.start || before == raw, "{raw:?}");
        assert!(raw.end <= literal.span.end, "{raw:?}");
        before = raw;
    }
}

/// Files of a script, with a zero byte between two: every place of a link and of a finding can be shown.
fn script(bytes: &[u8]) {
    let files: Vec<(String, String)> = bytes
        .split(|byte| *byte == 0)
        .take(3)
        .enumerate()
        .map(|(number, file)| {
            let text = String::from_utf8_lossy(file).into_owned();
            (format!("{number}.sql"), text)
        })
        .collect();
    let lines: usize = files
        .iter()
        .map(|(_, text)| text.matches('\n').count() + 1)
        .max()
        .unwrap_or_default();
    let mut options = ScriptOptions::default();
    options.variables.set("NAME", "plain \"quoted\"", false);
    options.variables.set("SECRET", "{\"k\": \"v\"}", true);
    let mut script = Script::read(files, &options);
    for error in &script.errors {
        assert!(error.code.as_str().starts_with("sql."));
        assert!((1..=lines).contains(&(error.place.line as usize)));
        readable(&error.excerpt);
    }
    let names: HashSet<_> = script.links.iter().map(|link| &link.name).collect();
    assert_eq!(names.len(), script.links.len(), "a name stands twice");
    for link in &mut script.links {
        shown(link, lines);
    }
}

fn shown(link: &ScriptLink, lines: usize) {
    let origin = link.excerpt().expect("the link stands in a file");
    readable(&origin);
    for clause in [&link.definition.config, &link.definition.credentials] {
        let mut pointers = vec![String::new(), "/not there".to_owned()];
        members(clause.members(), "", &mut pointers);
        let faults = clause.faults().iter().flat_map(|fault| fault.keys.clone());
        let places: Vec<KeyPlace> = pointers
            .into_iter()
            .map(|pointer| KeyPlace::pointer(clause.name(), pointer))
            .chain(faults)
            .collect();
        for place in places {
            for found in [link.locate(&place), link.locate_key(&place)] {
                let (at, excerpt) = found.expect("the link stands in a file");
                assert!((1..=lines).contains(&(at.line as usize)) && at.column >= 1);
                readable(&excerpt);
            }
        }
        if clause.faults().is_empty() {
            let again = Clause::parse(ClauseName::Config, clause.to_json().expose());
            assert!(again.faults().is_empty());
        }
    }
    for taken in &link.uses {
        assert_eq!(link.locate_target(taken).is_some(), taken.place.is_some());
    }
}

fn members(members: &[Member], pointer: &str, pointers: &mut Vec<String>) {
    for member in members {
        let key = member.key.replace('~', "~0").replace('/', "~1");
        node(&member.value, format!("{pointer}/{key}"), pointers);
    }
}

fn node(found: &Node, pointer: String, pointers: &mut Vec<String>) {
    match &found.value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                node(item, format!("{pointer}/{index}"), pointers);
            }
        }
        Value::Object(inner) => members(inner, &pointer, pointers),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
    pointers.push(pointer);
}

/// What an excerpt underlines lies in it, and no terminal takes it for an order.
fn readable(excerpt: &Excerpt) {
    let length = excerpt.text.chars().count();
    assert!(excerpt.width >= 1, "{excerpt:?}");
    // At the end of a line the place behind its last character is underlined.
    assert!(
        excerpt.start + excerpt.width <= length.max(excerpt.start + 1),
        "{excerpt:?}"
    );
    assert!(!excerpt.text.contains(char::is_control), "{excerpt:?}");
}
