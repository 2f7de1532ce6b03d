//! What all productions are made of: words, names and strings, and what to say when they are not
//! there.

use std::ops::Range;

use linkdial_core::Code;

use super::ast::Name;
use super::error::{Broken, SyntaxError};
use super::lexer::{StringFault, Token, TokenKind};
use super::literal::MappedText;
use super::mask;
use super::parser::{Parser, Production};

/// Words of the grammar; a message may quote them wherever they stand.
pub(super) const KEYWORDS: [&str; 36] = [
    "ALTER",
    "AND",
    "AS",
    "CHECK",
    "CONFIG",
    "CREATE",
    "CREDENTIALS",
    "DESCRIPTION",
    "DROP",
    "EXISTS",
    "FOR",
    "FORMAT",
    "FROM",
    "GRANT",
    "GROUP",
    "IDENTIFIED",
    "IF",
    "INTO",
    "LIKE",
    "LIMIT",
    "LINK",
    "LINKS",
    "NOT",
    "ON",
    "OR",
    "ORDER",
    "REPLACE",
    "REQUIRE",
    "REVOKE",
    "SERVICE",
    "SET",
    "SHOW",
    "TABLE",
    "TO",
    "WHERE",
    "WITH",
];

/// A string literal: its text and the bytes it covers.
pub(super) struct StringLiteral {
    pub(super) text: MappedText,
    pub(super) span: Range<usize>,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    pub(super) fn word_at(&self, at: usize) -> Option<&str> {
        self.tokens
            .get(at)
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| &self.text[token.span.clone()])
    }

    pub(super) fn is_word_at(&self, at: usize, word: &str) -> bool {
        self.word_at(at)
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.is_word_at(self.at, word)
    }

    pub(super) fn is_sign_at(&self, at: usize, sign: char) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.kind == TokenKind::Symbol(sign))
    }

    pub(super) fn is_sign(&self, sign: char) -> bool {
        self.is_sign_at(self.at, sign)
    }

    pub(super) fn is_string_at(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| matches!(token.kind, TokenKind::String { .. }))
    }

    /// Takes all of the words or none, and returns the bytes they cover.
    pub(super) fn take_words(&mut self, words: &[&str]) -> Option<Range<usize>> {
        let all = words
            .iter()
            .enumerate()
            .all(|(index, word)| self.is_word_at(self.at + index, word));
        if !all {
            return None;
        }
        let start = self.peek().span.start;
        self.at += words.len();
        Some(start..self.tokens[self.at - 1].span.end)
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Production<()> {
        if self.take_words(&[word]).is_some() {
            Ok(())
        } else {
            let found = self.describe();
            self.unexpected(&format!("{found} stands where {word} belongs"), [word])
        }
    }

    pub(super) fn statement_end(&mut self, also: &[&str]) -> Production<()> {
        if self.at_end() {
            return Ok(());
        }
        let found = self.describe();
        let mut expected = also.to_vec();
        expected.push(";");
        self.unexpected(
            &format!("{found} stands where the statement could end"),
            expected,
        )
    }

    /// Reads `[database.]name`.
    pub(super) fn name(&mut self, what: &str) -> Production<Name> {
        if self.peek().kind == TokenKind::Symbol('[') {
            return self.bracketed_name();
        }
        let start = self.peek().span.start;
        let first = self.identifier(what)?;
        let (database, name) = if self.peek().kind == TokenKind::Symbol('.') {
            self.at += 1;
            (Some(first), self.identifier(what)?)
        } else {
            (None, first)
        };
        Ok(Name {
            database,
            bare: name,
            span: start..self.tokens[self.at - 1].span.end,
        })
    }

    /// Records the brackets of the documentation's grammar and goes on behind them.
    fn bracketed_name(&mut self) -> Production<Name> {
        let start = self.peek().span.start;
        while !self.at_end() && self.peek().kind != TokenKind::Symbol(']') {
            self.at += 1;
        }
        if self.at_end() {
            return self.unexpected("`[` opens no name", ["a name"]);
        }
        self.at += 1;
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                start..self.tokens[self.at - 1].span.end,
                "square brackets are no part of a name",
            )
            .expected(["a name"])
            .hint(
                "the documentation's brackets mark what may be left out: write `name` or \
                 `database.name`",
            ),
        );
        self.name("a name")
    }

    pub(super) fn identifier(&mut self, what: &str) -> Production<String> {
        let token = self.peek();
        let span = token.span.clone();
        match &token.kind {
            TokenKind::Word => {
                self.at += 1;
                Ok(self.text[span].to_owned())
            }
            // A registry keeps "every database" as an empty name.
            TokenKind::Quoted { closed: true } if span.len() == 2 => {
                let error = SyntaxError::new(Code::SqlUnexpectedToken, span, "a name is empty");
                self.record(
                    error
                        .expected([what])
                        .hint("write a name between the back-ticks"),
                );
                Err(Broken)
            }
            TokenKind::Quoted { closed: true } => {
                self.at += 1;
                Ok(self.text[span.start + 1..span.end - 1].replace("``", "`"))
            }
            TokenKind::Quoted { closed: false } => {
                let token = token.clone();
                self.unterminated(&token);
                Err(Broken)
            }
            _ => {
                let found = self.describe();
                self.unexpected(&format!("{found} stands where {what} belongs"), [what])
            }
        }
    }

    /// Reads a string, recording what is wrong with its quotes.
    pub(super) fn string(&mut self, what: &str) -> Production<StringLiteral> {
        let token = self.peek().clone();
        let TokenKind::String {
            content,
            quote,
            fault,
        } = &token.kind
        else {
            let found = self.describe();
            let json = token.kind == TokenKind::Symbol('{');
            let mut error = SyntaxError::new(
                Code::SqlUnexpectedToken,
                token.span.clone(),
                format!("{found} stands where {what} belongs"),
            )
            .expected([what]);
            if json {
                error = error.hint("put the JSON in single quotes");
            }
            self.record(error);
            return Err(Broken);
        };
        self.at += 1;
        match fault {
            Some(StringFault::Unterminated) => {
                self.unterminated(&token);
                return Err(Broken);
            }
            Some(StringFault::Typographic(at)) => self.record(
                SyntaxError::new(
                    Code::SqlTypographicQuote,
                    at.clone(),
                    format!(
                        "`{}` is a typographic quote, which SQL does not know",
                        &self.text[at.clone()]
                    ),
                )
                .expected(["'"])
                .hint("replace it by a plain `'`"),
            ),
            None => {}
        }
        Ok(StringLiteral {
            text: MappedText::decode(self.text, content.clone(), *quote, self.file),
            span: token.span,
        })
    }

    pub(super) fn unterminated(&mut self, token: &Token) {
        let quote = &self.text[token.span.start..=token.span.start];
        self.record(
            SyntaxError::new(
                Code::SqlUnterminatedString,
                token.span.start..token.span.start + 1,
                format!("the closing {quote} of the text that starts here is missing"),
            )
            .expected([quote])
            .hint(format!(
                "add {quote} at the text's end; inside of it the sign is written twice"
            )),
        );
    }

    /// Returns words for the next token that quote nothing that may stand in a string.
    pub(super) fn describe(&self) -> String {
        let token = self.peek();
        match &token.kind {
            TokenKind::End => String::from("the end of the statement"),
            TokenKind::PathArrow => String::from("`::`"),
            TokenKind::Quoted { .. } => String::from("a name in back-ticks"),
            TokenKind::String { .. } => String::from("a string"),
            TokenKind::Symbol(sign) => format!("`{sign}`"),
            TokenKind::Word => {
                let word = &self.text[token.span.clone()];
                // Behind a string or CREDENTIALS, a word may be a part of a secret.
                let strings = (self.start..self.at).any(|at| {
                    self.is_string_at(at)
                        || self
                            .word_at(at)
                            .is_some_and(|word| word.to_ascii_uppercase().ends_with("CREDENTIALS"))
                });
                let keyword = KEYWORDS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(word));
                if keyword
                    || (!strings && word.len() <= 64 && !mask::hides(self.hidden, &token.span))
                {
                    format!("`{word}`")
                } else {
                    String::from("a word")
                }
            }
        }
    }

    /// Records that the next token does not belong there.
    pub(super) fn unexpected<'b, T>(
        &mut self,
        message: &str,
        expected: impl IntoIterator<Item = &'b str>,
    ) -> Production<T> {
        let token = self.peek();
        let mut error = SyntaxError::new(Code::SqlUnexpectedToken, token.span.clone(), message)
            .expected(expected);
        if self.string_ended_early() {
            error = error.hint(
                "the text before it is no complete JSON: a quote inside of a string is written \
                 twice or behind a backslash",
            );
        }
        self.record(error);
        Err(Broken)
    }

    pub(super) fn record(&mut self, error: SyntaxError) {
        self.errors.push(error);
    }
}
