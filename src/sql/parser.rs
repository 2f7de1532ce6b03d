//! Tokens to statements: recursive descent, one function a production.
//!
//! A statement that linkdial does not know is passed over; one that it knows and that is broken
//! ends at its delimiter, so that all errors of a file are found in one go.

use std::ops::Range;

use linkdial_core::Code;

use super::ast::{Directive, Name, Statement, StatementKind, User, UserKind};
use super::directive;
use super::error::{Broken, SyntaxError};
use super::lexer::{CLAUSES, Comment, Lexed, StringFault, Token, TokenKind};
use super::literal::MappedText;
use super::mask;
use super::source::FileId;

/// The statements of a file and everything that is wrong with it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) statements: Vec<Statement>,
    pub(crate) errors: Vec<SyntaxError>,
}

/// What a production gives: its value, or the knowledge that an error was recorded.
pub(super) type Production<T> = Result<T, Broken>;

/// Words of the grammar; a message may quote them wherever they stand.
const KEYWORDS: [&str; 20] = [
    "AS",
    "CONFIG",
    "CREATE",
    "CREDENTIALS",
    "DESCRIPTION",
    "DROP",
    "ALTER",
    "EXISTS",
    "FORMAT",
    "FROM",
    "IF",
    "INTO",
    "LINK",
    "NOT",
    "OR",
    "REPLACE",
    "SERVICE",
    "SET",
    "TABLE",
    "TO",
];

/// Parses one file.
pub(crate) fn parse(text: &str, lexed: &Lexed, file: FileId) -> Parsed {
    let mut parser = Parser {
        text,
        tokens: &lexed.tokens,
        file,
        at: 0,
        start: 0,
        subject: None,
        errors: Vec::new(),
    };
    let statements = parser.statements(&lexed.comments);
    let mut errors = parser.errors;
    errors.sort_by_key(|error| error.span.start);
    Parsed { statements, errors }
}

/// A cursor over the tokens of a file.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) file: FileId,
    pub(super) at: usize,
    /// The first token of the statement.
    pub(super) start: usize,
    /// The link the statement is about, once it was read.
    pub(super) subject: Option<Name>,
    errors: Vec<SyntaxError>,
}

/// A string literal: its text and the bytes it covers.
pub(super) struct StringLiteral {
    pub(super) text: MappedText,
    pub(super) span: Range<usize>,
}

impl Parser<'_> {
    fn statements(&mut self, comments: &[Comment]) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut comments = comments.iter().peekable();
        while self.at < self.tokens.len() {
            if self.at_end() {
                self.at += 1;
                continue;
            }
            self.start = self.at;
            self.subject = None;
            let before = self.errors.len();
            let result = self.statement();
            if self.errors.len() == before {
                self.check_strings();
            }
            let kind = match result {
                Ok(kind) if self.errors.len() == before => kind,
                Ok(_) | Err(Broken) => StatementKind::Broken(self.subject.take()),
            };
            let early = matches!(kind, StatementKind::Broken(_)) && self.string_ended_early();
            let end = mask::broken_end(self.text, self.tokens, self.at, early);
            let mut directives = Vec::new();
            while let Some(comment) = comments.next_if(|comment| comment.before <= end) {
                self.directive(comment, &mut directives);
            }
            statements.push(Statement {
                span: self.tokens[self.start].span.start..self.tokens[end - 1].span.end,
                kind,
                directives,
            });
            self.at = end + 1;
        }
        let mut leftover = Vec::new();
        for comment in comments {
            self.directive(comment, &mut leftover);
        }
        for directive in leftover {
            self.record(
                SyntaxError::new(
                    Code::SqlUnexpectedToken,
                    directive.span,
                    "no statement follows the comment for linkdial",
                )
                .hint("write it on a line of its own before the CREATE LINK it belongs to"),
            );
        }
        statements
    }

    fn statement(&mut self) -> Production<StatementKind> {
        let token = self.peek();
        match &token.kind {
            TokenKind::Word => {}
            TokenKind::Symbol('(') => return self.export(),
            _ => return self.unexpected("a statement cannot start like this", ["a statement"]),
        }
        let word = self.text[token.span.clone()].to_ascii_uppercase();
        match word.as_str() {
            "ALTER" if self.is_word_at(self.at + 1, "LINK") => self.alter_link(),
            "BACKUP" => self.backup(),
            "CREATE" => self.create(),
            "DROP" => self.drop(),
            "RESTORE" => self.restore(),
            "SELECT" | "WITH" => self.export(),
            "USE" => self.use_database(),
            "ALTERLINK" | "CREATELINK" | "DROPLINK" => {
                let verb = word.trim_end_matches("LINK");
                let span = token.span.clone();
                self.record(
                    SyntaxError::new(
                        Code::SqlGluedKeyword,
                        span,
                        format!("`{word}` is two words without white space between them"),
                    )
                    .hint(format!("write `{verb} LINK`")),
                );
                Err(Broken)
            }
            clause if CLAUSES.contains(&clause) => {
                let span = token.span.clone();
                self.record(
                    SyntaxError::new(
                        Code::SqlUnexpectedToken,
                        span,
                        format!("{clause} stands outside of a statement"),
                    )
                    .expected(["a statement"])
                    .hint(
                        "a clause belongs behind `CREATE LINK name AS kind`, with no `;` before it",
                    ),
                );
                Err(Broken)
            }
            _ => Ok(self.skipped()),
        }
    }

    fn create(&mut self) -> Production<StatementKind> {
        self.at += 1;
        let or_replace = self.take_words(&["OR", "REPLACE"]).is_some();
        if self.is_word("LINK") {
            return self.create_link(or_replace);
        }
        if self.is_word("PIPELINE") {
            return self.create_pipeline(or_replace);
        }
        if self.is_word("AGGREGATOR") && self.is_word_at(self.at + 1, "PIPELINE") {
            self.at += 1;
            return self.create_pipeline(or_replace);
        }
        if self.is_word("EXTERNAL") && self.is_word_at(self.at + 1, "FUNCTION") {
            return self.create_external_function(or_replace);
        }
        if self.is_word("FUNCTION")
            || ((self.is_word("AGGREGATE") || self.is_word("TEMPORARY"))
                && self.is_word_at(self.at + 1, "FUNCTION"))
        {
            return self.create_function(or_replace);
        }
        if self.is_word("TABLE") || self.is_word("TABLES") {
            return self.infer_pipeline();
        }
        Ok(self.skipped())
    }

    fn drop(&mut self) -> Production<StatementKind> {
        self.at += 1;
        let kind = if self.is_word("LINK") {
            None
        } else if self.is_word("PIPELINE") {
            Some(UserKind::Pipeline)
        } else if self.is_word("FUNCTION") {
            Some(UserKind::Function)
        } else {
            return Ok(self.skipped());
        };
        self.at += 1;
        let if_exists = self.take_words(&["IF", "EXISTS"]).is_some();
        let name = self.name(if kind.is_some() {
            "a name"
        } else {
            "a link's name"
        })?;
        if kind.is_none() {
            self.subject = Some(name.clone());
        }
        self.statement_end(&[])?;
        Ok(match kind {
            Some(kind) => StatementKind::DropUser(User { kind, name }),
            None => StatementKind::DropLink { name, if_exists },
        })
    }

    fn use_database(&mut self) -> Production<StatementKind> {
        self.at += 1;
        let database = self.identifier("a database")?;
        self.statement_end(&[])?;
        Ok(StatementKind::Use { database })
    }

    /// Passes a statement over, named by its first one or two words.
    pub(super) fn skipped(&mut self) -> StatementKind {
        StatementKind::Skipped {
            words: self.first_words(),
        }
    }

    /// Returns what kind of statement this is, in one or two words.
    pub(super) fn first_words(&self) -> String {
        const NOISE: [&str; 9] = [
            "AGGREGATE",
            "AGGREGATOR",
            "COLUMNSTORE",
            "GLOBAL",
            "OR",
            "REFERENCE",
            "REPLACE",
            "ROWSTORE",
            "TEMPORARY",
        ];
        const OF_TWO: [&str; 16] = [
            "ALTER", "ATTACH", "CLEAR", "CREATE", "DELETE", "DETACH", "DROP", "FLUSH", "INSERT",
            "LOAD", "OPTIMIZE", "RESTORE", "SHOW", "START", "STOP", "TEST",
        ];
        let mut words = self.tokens[self.start..]
            .iter()
            .skip_while(|token| token.kind == TokenKind::Symbol('('))
            .map_while(|token| {
                (token.kind == TokenKind::Word)
                    .then(|| self.text[token.span.clone()].to_ascii_uppercase())
            });
        let mut name = words.next().unwrap_or_default();
        if OF_TWO.contains(&name.as_str())
            && let Some(second) = words
                .find(|word| !NOISE.contains(&word.as_str()))
                .filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            name.push(' ');
            name.push_str(&second);
            if second == "EXTERNAL" {
                name.push_str(" FUNCTION");
            }
        }
        name.truncate(60);
        name
    }

    fn directive(&mut self, comment: &Comment, directives: &mut Vec<Directive>) {
        match directive::read(self.text, comment) {
            None => {}
            Some(Err(error)) => self.record(error),
            Some(Ok(directive)) => {
                let trailing = comment.before.checked_sub(1).is_some_and(|end| {
                    let end = &self.tokens[end];
                    end.kind == TokenKind::End
                        && !self.text[end.span.end..comment.span.start].contains('\n')
                });
                if trailing {
                    self.record(
                        SyntaxError::new(
                            Code::SqlUnexpectedToken,
                            directive.span,
                            "the comment for linkdial stands behind a statement",
                        )
                        .hint("write it on a line of its own before the statement"),
                    );
                } else {
                    directives.push(directive);
                }
            }
        }
    }

    /// Records faults of strings that no production looked at.
    fn check_strings(&mut self) {
        let end = mask::broken_end(self.text, self.tokens, self.start, false);
        for at in self.start..end {
            let token = &self.tokens[at];
            let faulty = match &token.kind {
                TokenKind::String { fault, .. } => {
                    matches!(fault, Some(StringFault::Unterminated))
                }
                TokenKind::Quoted { closed } => !closed,
                _ => false,
            };
            if faulty {
                self.unterminated(token);
                return;
            }
        }
    }

    /// Returns whether the last string before the error looks like one that a quote inside of it
    /// ended.
    fn string_ended_early(&self) -> bool {
        let Some(at) = self.tokens[self.start..=self.at.min(self.tokens.len() - 1)]
            .iter()
            .rposition(|token| matches!(token.kind, TokenKind::String { .. }))
        else {
            return false;
        };
        let at = self.start + at;
        let TokenKind::String {
            content,
            quote,
            fault: None,
        } = &self.tokens[at].kind
        else {
            return false;
        };
        let clause = at.checked_sub(1).is_some_and(|before| {
            let word = self.text[self.tokens[before].span.clone()].to_ascii_uppercase();
            word.ends_with("CREDENTIALS") || word.ends_with("CONFIG")
        });
        clause
            && mask::is_broken_json(
                MappedText::decode(self.text, content.clone(), *quote, self.file).text(),
            )
    }

    // The terminals.

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
            name,
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

    fn unterminated(&mut self, token: &Token) {
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
                if keyword || (!strings && word.len() <= 64) {
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
