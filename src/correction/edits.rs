//! From a change of a link to edits of its statement, through the escapes of JSON and of SQL.

use std::ops::Range;

use linkdial_core::clause::{Member, Node, Value, escape_pointer};
use linkdial_core::{Change, Clause, ClauseName, KeyPlace, Setting, trimmed};

use super::draft::Edit;
use crate::script::ScriptLink;
use crate::script::link_clause::LinkClause;

/// Returns the edits that carry a change out; `None` where the statement gives no hold for it, such as
/// for a value that a variable holds.
pub(super) fn edits(link: &ScriptLink, text: &str, change: &Change) -> Option<Vec<Edit>> {
    let statement = Statement { link, text };
    let edits = match change {
        Change::Cut(place) => vec![statement.replace(place.clause, place.span.as_ref()?, "")?],
        Change::EscapeLineBreaks(place) => statement.escape_line_breaks(place)?,
        Change::Move(place) => {
            let (index, member) = statement.member(place)?;
            let value = statement.json(place.clause, &member.value.span)?.to_owned();
            let mut edits = vec![statement.remove(place.clause, index)?];
            edits.push(statement.insert(place.clause.other(), &member.key, &value)?);
            edits
        }
        Change::Port { place, port } => vec![statement.port(place, *port)?],
        Change::Remove(place) => {
            let (index, _) = statement.member(place)?;
            vec![statement.remove(place.clause, index)?]
        }
        Change::Rename { place, to } => {
            if statement.clause(place.clause).get(to).is_some() {
                return None;
            }
            let (_, member) = statement.member(place)?;
            vec![statement.replace(place.clause, &member.key_span, &json(to))?]
        }
        Change::Scheme { place, scheme } => vec![statement.scheme(place, scheme)?],
        Change::Set { place, value } => vec![statement.set(place, value)?],
        Change::StraightQuotes(clause) => statement.straight_quotes(*clause)?,
        Change::Swap(left, right) => {
            let values = [left, right].map(|it| Some((it, statement.value_span(it)?)));
            let [Some((left, left_span)), Some((right, right_span))] = values else {
                return None;
            };
            let left_json = statement.json(left.clause, &left_span)?;
            let right_json = statement.json(right.clause, &right_span)?;
            vec![
                statement.replace(left.clause, &left_span, right_json)?,
                statement.replace(right.clause, &right_span, left_json)?,
            ]
        }
        // The statement that uses the link has it.
        Change::Target(_) => return None,
        Change::Trim(place) => statement.trim(place)?,
    };
    let changes = |edit: &Edit| text.get(edit.range.clone()) != Some(edit.text.as_str());
    (!edits.is_empty() && edits.iter().any(changes)).then_some(edits)
}

/// Writes a text as a JSON string.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes a text for the inside of a string literal of SQL, by MySQL's rules.
pub(super) fn sql(text: &str, quote: char) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\0' => written.push_str("\\0"),
            '\u{1a}' => written.push_str("\\Z"),
            char if char == '\\' || char == quote => {
                written.push('\\');
                written.push(char);
            }
            char => written.push(char),
        }
    }
    written
}

/// A statement by itself, with the link that it makes.
struct Statement<'a> {
    link: &'a ScriptLink,
    text: &'a str,
}

impl<'a> Statement<'a> {
    fn clause(&self, name: ClauseName) -> &'a Clause {
        self.link.clause(name)
    }

    /// The literal of a clause, unless a variable stands for all of it.
    fn literal(&self, name: ClauseName) -> Option<&'a LinkClause> {
        self.link.clause_of(name).filter(|it| !it.is_filled())
    }

    /// A part of a clause's text as it stands, its variables not filled.
    fn json(&self, name: ClauseName, range: &Range<usize>) -> Option<&'a str> {
        self.literal(name)?.text().get(range.clone())
    }

    fn member(&self, place: &KeyPlace) -> Option<(usize, &'a Member)> {
        let mut members = self.clause(place.clause).members().iter().enumerate().rev();
        let named = |it: &(usize, &Member)| {
            place.pointer.strip_prefix('/') == Some(&escape_pointer(&it.1.key))
        };
        members.find(named)
    }

    fn value_span(&self, place: &KeyPlace) -> Option<Range<usize>> {
        let whole = KeyPlace::pointer(place.clause, place.pointer.clone());
        self.clause(place.clause).locate(&whole)
    }

    fn node(&self, place: &KeyPlace) -> Option<&'a Node> {
        self.member(place).map(|(_, member)| &member.value)
    }

    fn quote(&self, literal: &LinkClause) -> Option<char> {
        let (_, span) = literal.literal();
        let quote = self.text.get(span)?.chars().next()?;
        matches!(quote, '\'' | '"').then_some(quote)
    }

    /// Replaces a part of a clause's text, or inserts where it is empty.
    fn replace(&self, name: ClauseName, range: &Range<usize>, new: &str) -> Option<Edit> {
        let literal = self.literal(name)?;
        let quote = self.quote(literal)?;
        let range = if !range.is_empty() {
            literal.locate(range)?.1
        } else if range.start == 0 {
            let (_, span) = literal.literal();
            span.start + 1..span.start + 1
        } else {
            // Behind what stands before: an escape before the place is one unit.
            let before = floor(literal.text(), range.start - 1)..range.start;
            let (_, span) = literal.locate(&before)?;
            span.end..span.end
        };
        Some(Edit {
            range,
            text: sql(new, quote),
        })
    }

    /// Takes a member out, with the comma that belongs to it.
    fn remove(&self, name: ClauseName, index: usize) -> Option<Edit> {
        let members = self.clause(name).members();
        let member = members.get(index)?;
        let range = match (members.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => member.key_span.start..next.key_span.start,
            (None, Some(before)) => members[before].value.span.end..member.value.span.end,
            (None, None) => member.key_span.start..member.value.span.end,
        };
        self.replace(name, &range, "")
    }

    /// Adds a member behind the last one, written as those before it are.
    fn insert(&self, name: ClauseName, key: &str, value: &str) -> Option<Edit> {
        let Some(literal) = self.link.clause_of(name) else {
            return self.add_clause(name, key, value);
        };
        let literal = (!literal.is_filled()).then_some(literal)?;
        let text = literal.text();
        let members = self.clause(name).members();
        let Some(last) = members.last() else {
            let member = format!("{}: {value}", json(key));
            let Some(open) = text.find('{') else {
                let (_, span) = literal.literal();
                return Some(Edit {
                    range: span.start + 1..span.end - 1,
                    text: sql(&format!("{{{member}}}"), self.quote(literal)?),
                });
            };
            return self.replace(name, &(open + 1..open + 1), &member);
        };
        let colon = text.get(last.key_span.end..last.value.span.start)?;
        let comma = match members {
            [.., before, last] => text.get(before.value.span.end..last.key_span.start)?,
            _ => ", ",
        };
        let end = last.value.span.end;
        let member = format!("{comma}{}{colon}{value}", json(key));
        self.replace(name, &(end..end), &member)
    }

    /// Adds a clause that the statement does not have behind the other one.
    fn add_clause(&self, name: ClauseName, key: &str, value: &str) -> Option<Edit> {
        let (_, other) = self.link.clause_of(name.other())?.literal();
        let object = sql(&format!("{{{}: {value}}}", json(key)), '\'');
        Some(Edit {
            range: other.end..other.end,
            text: format!("\n{name} '{object}'"),
        })
    }

    fn set(&self, place: &KeyPlace, value: &Setting) -> Option<Edit> {
        let value = match value {
            Setting::Boolean(value) => value.to_string(),
            Setting::Text(text) => json(text),
        };
        let clauses = [place.clause, place.clause.other()];
        for clause in clauses {
            let there = KeyPlace::pointer(clause, place.pointer.clone());
            if let Some(span) = self.value_span(&there) {
                return self.replace(clause, &span, &value);
            }
        }
        let key = place.pointer.strip_prefix('/')?;
        let key = key.replace("~1", "/").replace("~0", "~");
        self.insert(place.clause, &key, &value)
    }

    fn scheme(&self, place: &KeyPlace, scheme: &str) -> Option<Edit> {
        let node = self.node(place)?;
        let Value::String(filled) = &node.value else {
            return None;
        };
        let written = self.json(place.clause, &node.span)?;
        let inside = written.strip_prefix('"')?;
        let start = node.span.start + 1;
        let known = ["https:", "http:"].into_iter().find(|known| {
            let beginning = inside.get(..known.len());
            beginning.is_some_and(|it| it.eq_ignore_ascii_case(known))
        });
        match known {
            Some(known) => {
                let range = start..start + known.len() - 1;
                self.replace(place.clause, &range, scheme)
            }
            // A variable brings its own.
            None if filled.expose().contains("://") => None,
            None => self.replace(place.clause, &(start..start), &format!("{scheme}://")),
        }
    }

    fn port(&self, place: &KeyPlace, port: u16) -> Option<Edit> {
        let node = self.node(place)?;
        let written = self.json(place.clause, &node.span)?;
        let (scheme, rest) = written.split_once("://")?;
        let authority = rest.split(['/', '?', '#', '"']).next()?;
        let (host, digits) = authority.rsplit_once(':')?;
        let is_port = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        let start = node.span.start + scheme.len() + 3 + host.len() + 1;
        let range = start..start + digits.len();
        is_port.then(|| self.replace(place.clause, &range, &port.to_string()))?
    }

    fn trim(&self, place: &KeyPlace) -> Option<Vec<Edit>> {
        let span = self.value_span(place)?;
        let units = units(self.json(place.clause, &span)?)?;
        let text: String = units.iter().map(|(_, char)| char).collect();
        let kept = trimmed(&text);
        let count = |part: &str| part.chars().count();
        let (before, inside) = (count(&text[..kept.start]), count(&text[kept.clone()]));
        let at = |index: usize| units.get(index).map(|(range, _)| range.clone());
        let end = units.last()?.0.end;
        let first = at(before)?.start;
        let after = at(before + inside).map_or(end, |range| range.start);
        let ranges = [1..first, after..end];
        let ranges = ranges.into_iter().filter(|range| !range.is_empty());
        ranges
            .map(|range| {
                let range = span.start + range.start..span.start + range.end;
                self.replace(place.clause, &range, "")
            })
            .collect()
    }

    fn escape_line_breaks(&self, place: &KeyPlace) -> Option<Vec<Edit>> {
        let span = self.value_span(place)?;
        let text = self.json(place.clause, &span)?;
        let mut edits = Vec::new();
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            let length = match byte {
                b'\r' if bytes.next_if(|(_, next)| *next == b'\n').is_some() => 2,
                b'\n' | b'\r' => 1,
                _ => continue,
            };
            let range = span.start + at..span.start + at + length;
            edits.push(self.replace(place.clause, &range, "\\n")?);
        }
        Some(edits)
    }

    fn straight_quotes(&self, name: ClauseName) -> Option<Vec<Edit>> {
        let text = self.literal(name)?.text();
        let quotes = text
            .char_indices()
            .filter(|(_, char)| matches!(char, '“' | '”' | '„'));
        quotes
            .map(|(at, char)| self.replace(name, &(at..at + char.len_utf8()), "\""))
            .collect()
    }
}

/// The characters of a JSON string with where each is written, from the quote at its beginning.
fn units(written: &str) -> Option<Vec<(Range<usize>, char)>> {
    let inside = written.strip_prefix('"')?.strip_suffix('"')?;
    let mut units = Vec::new();
    let mut chars = inside.char_indices();
    while let Some((at, char)) = chars.next() {
        let (char, length) = if char == '\\' {
            let (_, escaped) = chars.next()?;
            match escaped {
                'b' => ('\u{8}', 2),
                'f' => ('\u{c}', 2),
                'n' => ('\n', 2),
                'r' => ('\r', 2),
                't' => ('\t', 2),
                'u' => {
                    let code = inside.get(at + 2..at + 6)?;
                    chars.nth(3)?;
                    let code = u32::from_str_radix(code, 16).ok()?;
                    // Half of a pair is no character, and no white space either.
                    (char::from_u32(code).unwrap_or('x'), 6)
                }
                other => (other, 1 + other.len_utf8()),
            }
        } else {
            (char, char.len_utf8())
        };
        units.push((at + 1..at + 1 + length, char));
    }
    Some(units)
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}
