//! Tokens to statements: recursive descent, one function a production.
//!
//! A statement that linkdial does not know is passed over; one that it knows and that is broken
//! ends at its delimiter, so that all errors of a file are found in one go.

use std::ops::Range;

use linkdial_core::Code;
use linkdial_core::define::nearest;

use super::ast::{Directive, Name, Statement, StatementKind, User, UserKind};
use super::directive;
use super::error::{Broken, SyntaxError};
use super::lexer::{CLAUSES, Comment, GLUED, Lexed, StringFault, Token, TokenKind};
use super::literal::MappedText;
use super::mask;
use super::source::{FileId, floor_boundary};

/// The statements of a file and everything that is wrong with it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) statements: Vec<Statement>,
    pub(crate) errors: Vec<SyntaxError>,
}

/// What a production gives: its value, or the knowledge that an error was recorded.
pub(super) type Production<T> = Result<T, Broken>;

/// Parses one file; messages quote nothing that is hidden.
pub(crate) fn parse(text: &str, lexed: &Lexed, hidden: &[Range<usize>], file: FileId) -> Parsed {
    let mut parser = Parser {
        text,
        tokens: &lexed.tokens,
        hidden,
        file,
        at: 0,
        start: 0,
        subject: None,
        errors: Vec::new(),
    };
    let statements = parser.statements(&lexed.comments);
    if let Some(open) = &lexed.open_comment {
        let signs = &text[open.clone()];
        let error = SyntaxError::new(
            Code::SqlUnterminatedComment,
            open.clone(),
            format!("nothing closes the comment that `{signs}` opens"),
        )
        .expected(["*/"])
        .hint("add `*/` at the comment's end; all that follows is part of it until then");
        parser.record(error);
    }
    let mut errors = parser.errors;
    errors.sort_by_key(|error| error.span.start);
    Parsed { statements, errors }
}

/// A cursor over the tokens of a file.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) hidden: &'a [Range<usize>],
    pub(super) file: FileId,
    pub(super) at: usize,
    /// The first token of the statement.
    pub(super) start: usize,
    /// The link the statement is about, once it was read.
    pub(super) subject: Option<Name>,
    pub(super) errors: Vec<SyntaxError>,
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
                Ok(_) | Err(Broken) if self.is_unanswered(before) => {
                    for error in &mut self.errors[before..] {
                        error.unanswered = true;
                    }
                    StatementKind::Unanswered {
                        words: self.first_words(),
                    }
                }
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

    /// Returns whether the statement asks a registry, and all that is wrong with it is that linkdial
    /// does not know how it goes on: a cluster may.
    fn is_unanswered(&self, errors: usize) -> bool {
        let asks = ["GRANT", "REVOKE", "SELECT", "SHOW"]
            .iter()
            .any(|word| self.is_word_at(self.start, word));
        let mut found = self.errors[errors..].iter();
        asks && found.all(|error| error.code == Code::SqlUnexpectedToken)
    }

    fn statement(&mut self) -> Production<StatementKind> {
        let token = self.peek();
        match &token.kind {
            TokenKind::Word => {}
            TokenKind::Symbol('(') => return self.export(),
            _ => return self.unexpected("a statement cannot start like this", ["a statement"]),
        }
        let word = self.text[token.span.clone()].to_ascii_uppercase();
        if let Some((_, apart)) = GLUED.iter().find(|(glued, _)| *glued == word) {
            let error = SyntaxError::new(
                Code::SqlGluedKeyword,
                token.span.clone(),
                format!("`{word}` is two words without white space between them"),
            )
            .hint(format!("write `{apart}`"));
            self.record(error);
            return Err(Broken);
        }
        match word.as_str() {
            "ALTER" if self.is_word_at(self.at + 1, "LINK") => self.alter_link(),
            "BACKUP" => self.backup(),
            "CHECK" if self.is_word_at(self.at + 1, "LINK") => self.check_link(),
            "CREATE" => self.create(),
            "DROP" => self.drop(),
            "GRANT" => self.grant(),
            "RESTORE" => self.restore(),
            "REVOKE" => self.revoke(),
            "SELECT" => self.select(),
            "SHOW" => self.show(),
            "USE" => self.use_database(),
            "WITH" => self.export(),
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
            "CHECK" => {
                self.at += 1;
                match self.word_at(self.at).map(str::to_ascii_uppercase) {
                    Some(word) => self.near_miss(&word, &["LINK"]),
                    None => Ok(self.skipped()),
                }
            }
            _ if self.is_word_at(self.at + 1, "LINK") => {
                self.near_miss(&word, &["ALTER", "CHECK", "CREATE", "DROP"])
            }
            _ if self.is_word_at(self.at + 1, "LINKS") => self.near_miss(&word, &["SHOW"]),
            _ if self.is_word_at(self.at + 2, "LINK") => {
                self.near_miss(&word, &["GRANT", "REVOKE", "SHOW"])
            }
            _ => Ok(self.skipped()),
        }
    }

    /// Records a word that is nearly one of a statement about links; others are not ours.
    pub(super) fn near_miss(&mut self, word: &str, known: &[&str]) -> Production<StatementKind> {
        let Some(near) = nearest(word, known.iter().copied()) else {
            return Ok(self.skipped());
        };
        let found = self.describe();
        let span = self.peek().span.clone();
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                span,
                format!("{found} stands where a word of the grammar belongs"),
            )
            .expected(known.iter().copied())
            .hint(format!("did you mean `{near}`?")),
        );
        Err(Broken)
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
        if let Some(word) = self.word_at(self.at).map(str::to_ascii_uppercase) {
            return self.near_miss(&word, &["LINK"]);
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
            self.set_subject(&name);
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

    /// Keeps the name for other statements, unless it swallowed what is no name.
    pub(super) fn set_subject(&mut self, name: &Name) {
        if !mask::hides(self.hidden, &name.span) {
            self.subject = Some(name.clone());
        }
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
        const OF_TWO: [&str; 18] = [
            "ALTER", "ATTACH", "CLEAR", "CREATE", "DELETE", "DETACH", "DROP", "FLUSH", "GRANT",
            "INSERT", "LOAD", "OPTIMIZE", "RESTORE", "REVOKE", "SHOW", "START", "STOP", "TEST",
        ];
        let mut words = self.tokens[self.start..]
            .iter()
            .skip_while(|token| token.kind == TokenKind::Symbol('('))
            .map_while(|token| {
                (token.kind == TokenKind::Word && !mask::hides(self.hidden, &token.span))
                    .then(|| self.text[token.span.clone()].to_ascii_uppercase())
            });
        let mut name = words.next().unwrap_or_else(|| String::from("a statement"));
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
        name.truncate(floor_boundary(&name, 60));
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
    pub(super) fn string_ended_early(&self) -> bool {
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
}
