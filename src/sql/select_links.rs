//! `SELECT ... FROM information_schema.LINKS`.

use linkdial_core::Code;
use linkdial_core::define::nearest;

use super::ast::{Comparison, Condition, LinkColumn, SelectLinks, StatementKind};
use super::error::{Broken, SyntaxError};
use super::lexer::TokenKind;
use super::parser::{Parser, Production};

/// The columns that a WHERE clause may compare.
const COMPARED: [LinkColumn; 3] = [LinkColumn::DatabaseName, LinkColumn::Link, LinkColumn::Type];

/// All there is; the rest of SELECT is work for a database.
const POSSIBLE: &str = "write columns or `*`, and in WHERE only `= 'text'` or `LIKE 'pattern'` \
     on DATABASE_NAME, LINK and TYPE, joined by AND";

impl Parser<'_> {
    /// `SELECT`: a look at the links, an export, or none of ours.
    pub(super) fn select(&mut self) -> Production<StatementKind> {
        if self.reads_links() {
            self.select_links()
        } else {
            self.export()
        }
    }

    /// Returns whether the first `FROM` outside of brackets names `information_schema.LINKS`.
    fn reads_links(&self) -> bool {
        let mut depth = 0_u32;
        let mut at = self.at;
        while let Some(token) = self.tokens.get(at)
            && token.kind != TokenKind::End
        {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth = depth.saturating_sub(1),
                _ if depth == 0 && self.is_word_at(at, "FROM") => {
                    return self.is_named_at(at + 1, "information_schema")
                        && self.is_sign_at(at + 2, '.')
                        && self.is_named_at(at + 3, "LINKS");
                }
                _ => {}
            }
            at += 1;
        }
        false
    }

    fn select_links(&mut self) -> Production<StatementKind> {
        self.at += 1;
        let mut columns = Vec::new();
        loop {
            if columns.is_empty() && self.is_sign('*') {
                self.at += 1;
                columns.extend(LinkColumn::STAR);
            } else {
                columns.push(self.column(&LinkColumn::ALL)?);
            }
            if !self.is_sign(',') {
                break;
            }
            self.at += 1;
        }
        if self.take_words(&["FROM"]).is_none() {
            return self.impossible("FROM", &["FROM"]);
        }
        // `reads_links` saw `information_schema.LINKS` behind it.
        self.at += 3;
        let mut conditions = Vec::new();
        if self.take_words(&["WHERE"]).is_some() {
            conditions.push(self.condition()?);
            while self.take_words(&["AND"]).is_some() {
                conditions.push(self.condition()?);
            }
        }
        if !self.at_end() {
            let word = if conditions.is_empty() {
                "WHERE"
            } else {
                "AND"
            };
            return self.impossible(&format!("{word} or the statement's end"), &[word, ";"]);
        }
        Ok(StatementKind::SelectLinks(SelectLinks {
            columns,
            conditions,
        }))
    }

    /// Reads one comparison. A kind is compared in upper case, as it is stored.
    fn condition(&mut self) -> Production<Condition> {
        let column = self.column(&COMPARED)?;
        let like = self.take_words(&["LIKE"]).is_some();
        if !like {
            if !self.is_sign('=') {
                return self.impossible("`=` or LIKE", &["=", "LIKE"]);
            }
            self.at += 1;
        }
        if !self.is_string_at(self.at) {
            return self.impossible("a text in quotes", &["a text in quotes"]);
        }
        let literal = self.string("a text in quotes")?;
        let mut text = literal.text.text().to_owned();
        if column == LinkColumn::Type {
            text.make_ascii_uppercase();
        }
        let comparison = if like {
            Comparison::Like(text)
        } else {
            Comparison::Equal(text)
        };
        Ok(Condition { column, comparison })
    }

    fn column(&mut self, known: &[LinkColumn]) -> Production<LinkColumn> {
        let found = known
            .iter()
            .find(|column| self.is_named_at(self.at, column.as_str()));
        if let Some(column) = found {
            self.at += 1;
            return Ok(*column);
        }
        let found = self.describe();
        let all = LinkColumn::ALL.map(LinkColumn::as_str);
        let names = known.iter().map(|column| column.as_str());
        let message = if all.iter().any(|name| self.is_named_at(self.at, name)) {
            format!("{found} is a column that WHERE does not compare")
        } else {
            format!("{found} is no column of information_schema.LINKS")
        };
        let near = self
            .word_at(self.at)
            .and_then(|word| nearest(word, names.clone()));
        let error = SyntaxError::new(Code::SqlUnexpectedToken, self.peek().span.clone(), message)
            .expected(names)
            .hint(near.map_or_else(
                || String::from(POSSIBLE),
                |near| format!("did you mean `{near}`?"),
            ));
        self.record(error);
        Err(Broken)
    }

    /// Records that the statement goes on with what only a database could do.
    fn impossible<T>(&mut self, belongs: &str, expected: &[&str]) -> Production<T> {
        let found = self.describe();
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                self.peek().span.clone(),
                format!("{found} stands where {belongs} belongs"),
            )
            .expected(expected.iter().copied())
            .hint(POSSIBLE),
        );
        Err(Broken)
    }

    /// Returns whether this name stands there, bare or in back-ticks, in any letter case.
    fn is_named_at(&self, at: usize, name: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            let text = &self.text[token.span.clone()];
            let text = match token.kind {
                TokenKind::Word => text,
                TokenKind::Quoted { closed: true } => &text[1..text.len() - 1],
                _ => return false,
            };
            text.eq_ignore_ascii_case(name)
        })
    }
}
