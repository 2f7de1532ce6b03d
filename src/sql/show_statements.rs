//! `SHOW LINKS`, `SHOW CREATE LINK`, `SHOW GRANTS` and `CHECK LINK`.

use linkdial_core::{Code, Intent, Target};

use super::ast::StatementKind;
use super::error::{Broken, SyntaxError};
use super::lexer::TokenKind;
use super::parser::{Parser, Production};

impl Parser<'_> {
    /// `SHOW`: what linkdial does not show is passed over.
    pub(super) fn show(&mut self) -> Production<StatementKind> {
        self.at += 1;
        let Some(word) = self.word_at(self.at).map(str::to_ascii_uppercase) else {
            return Ok(self.skipped());
        };
        match word.as_str() {
            "CREATE" => self.show_create(),
            "GRANTS" => self.show_grants(),
            "LINK" => self.show_link(),
            "LINKS" => self.show_links(),
            _ if self.is_word_at(self.at + 1, "LINK") => self.near_miss(&word, &["CREATE"]),
            _ => self.near_miss(&word, &["GRANTS", "LINKS"]),
        }
    }

    /// `SHOW CREATE LINK name`.
    fn show_create(&mut self) -> Production<StatementKind> {
        self.at += 1;
        if self.take_words(&["LINK"]).is_some() {
            let name = self.name("a link's name")?;
            self.statement_end(&[])?;
            return Ok(StatementKind::ShowCreateLink { name });
        }
        match self.word_at(self.at).map(str::to_ascii_uppercase) {
            Some(word) => self.near_miss(&word, &["LINK"]),
            None => Ok(self.skipped()),
        }
    }

    /// `SHOW LINK`, which lacks its `S` or its `CREATE`.
    fn show_link(&mut self) -> Production<StatementKind> {
        let span = self.peek().span.clone();
        self.at += 1;
        let (expected, meant) = if self.at_end() || self.is_word("ON") {
            ("LINKS", "SHOW LINKS")
        } else {
            ("CREATE", "SHOW CREATE LINK")
        };
        self.record(
            SyntaxError::new(Code::SqlUnexpectedToken, span, "SHOW LINK is no statement")
                .expected([expected])
                .hint(format!("did you mean `{meant}`?")),
        );
        Err(Broken)
    }

    /// `SHOW LINKS [ON database]`.
    fn show_links(&mut self) -> Production<StatementKind> {
        self.at += 1;
        if self.take_words(&["ON"]).is_none() {
            self.statement_end(&["ON"])?;
            return Ok(StatementKind::ShowLinks { database: None });
        }
        let database = self.identifier("a database")?;
        self.statement_end(&[])?;
        Ok(StatementKind::ShowLinks {
            database: Some(database),
        })
    }

    /// `SHOW GRANTS [FOR user]`. `CURRENT_USER` is the user of the run, so it is left out; roles and
    /// groups are no business of linkdial.
    fn show_grants(&mut self) -> Production<StatementKind> {
        self.at += 1;
        if self.take_words(&["FOR"]).is_none() {
            self.statement_end(&["FOR"])?;
            return Ok(StatementKind::ShowGrants { user: None });
        }
        let named = self.is_string_at(self.at + 1) || self.is_name_at(self.at + 1);
        if named && (self.is_word("ROLE") || self.is_word("GROUP")) {
            return Ok(self.skipped());
        }
        let user = if self.take_words(&["CURRENT_USER"]).is_some() {
            if self.is_sign('(') && self.is_sign_at(self.at + 1, ')') {
                self.at += 2;
            }
            None
        } else {
            Some(self.user()?)
        };
        self.statement_end(&[])?;
        Ok(StatementKind::ShowGrants { user })
    }

    /// `CHECK LINK name [ON 'target' [FOR READ | FOR WRITE]]`.
    pub(super) fn check_link(&mut self) -> Production<StatementKind> {
        self.at += 2;
        let link = self.name("a link's name")?;
        let mut intent = Intent::READ;
        if self.take_words(&["ON"]).is_none() {
            self.statement_end(&["ON"])?;
            return Ok(StatementKind::CheckLink {
                link,
                target: None,
                intent,
            });
        }
        let target = self.string("the target in quotes")?;
        if self.take_words(&["FOR"]).is_some() {
            if self.take_words(&["WRITE"]).is_some() {
                intent = Intent::WRITE;
            } else if self.take_words(&["READ"]).is_none() {
                let found = self.describe();
                return self.unexpected(
                    &format!("{found} stands where READ or WRITE belongs"),
                    ["READ", "WRITE"],
                );
            }
            self.statement_end(&[])?;
        } else {
            self.statement_end(&["FOR"])?;
        }
        Ok(StatementKind::CheckLink {
            link,
            target: Some((Target::new(target.text.text()), target.span)),
            intent,
        })
    }

    /// Returns whether a name stands there, bare or in back-ticks.
    fn is_name_at(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted { .. }))
    }
}
