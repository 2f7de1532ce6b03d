//! `CREATE LINK` and `ALTER LINK`.

use std::ops::Range;

use linkdial_core::define::nearest;
use linkdial_core::{ClauseName, Code, Kind};

use super::ast::{AlterLink, Change, ClauseLiteral, CreateLink, StatementKind};
use super::error::{Broken, SyntaxError};
use super::lexer::{CLAUSES, TokenKind};
use super::literal::MappedText;
use super::parser::{Parser, Production};
use super::terminals::StringLiteral;

/// What `SHOW CREATE LINK` prints instead of the clause.
const REDACTED: &str = "<CREDENTIALS REDACTED>";

/// Words that people write for a kind.
const OTHER_NAMES: [(&str, Kind); 12] = [
    ("ABS", Kind::Azure),
    ("AMAZON", Kind::S3),
    ("AWS", Kind::S3),
    ("AZ", Kind::Azure),
    ("BLOB", Kind::Azure),
    ("CONFLUENT", Kind::Kafka),
    ("GOOGLE", Kind::Gcs),
    ("GS", Kind::Gcs),
    ("HADOOP", Kind::Hdfs),
    ("MINIO", Kind::S3),
    ("MONGO", Kind::Mongodb),
    ("S3A", Kind::S3),
];

/// What `AS kind` says. Without a kind the error was recorded and the clauses can still be read.
struct KindWord {
    kind: Option<Kind>,
    span: Range<usize>,
    /// The word still stands there: its tail is the word of the first clause.
    glued: bool,
}

/// The clauses read so far, each at most once.
#[derive(Default)]
struct Clauses {
    config: Option<ClauseLiteral>,
    credentials: Option<ClauseLiteral>,
    description: Option<String>,
    /// The words seen, broken clauses included.
    seen: Vec<&'static str>,
}

impl Parser<'_> {
    pub(super) fn create_link(&mut self, or_replace: bool) -> Production<StatementKind> {
        self.at += 1;
        let not_exists = self.take_words(&["IF", "NOT", "EXISTS"]);
        if let Some(span) = not_exists.clone().filter(|_| or_replace) {
            self.record(
                SyntaxError::new(
                    Code::SqlReplaceAndIfNotExists,
                    span,
                    "OR REPLACE and IF NOT EXISTS exclude each other",
                )
                .hint("keep OR REPLACE to overwrite the link, IF NOT EXISTS to leave it alone"),
            );
        }
        let name = self.name("a link's name")?;
        self.set_subject(&name);
        let KindWord { kind, span, glued } = self.kind()?;
        let clauses = self.clauses(glued)?;
        let nothing = clauses.seen.iter().all(|word| *word == "DESCRIPTION");
        if nothing {
            self.record(
                SyntaxError::new(
                    Code::SqlMissingClause,
                    span,
                    "the link has neither CREDENTIALS nor CONFIG",
                )
                .expected(["CREDENTIALS", "CONFIG"])
                .hint("write at least `CREDENTIALS '{}'`"),
            );
        }
        Ok(StatementKind::CreateLink(CreateLink {
            or_replace,
            if_not_exists: not_exists.is_some(),
            name,
            kind: kind.ok_or(Broken)?,
            config: clauses.config,
            credentials: clauses.credentials,
            description: clauses.description,
        }))
    }

    fn kind(&mut self) -> Production<KindWord> {
        if let Some(glued) = self.glued_as() {
            return Ok(glued);
        }
        if let Some(kind) = self
            .word_at(self.at)
            .and_then(|word| word.parse::<Kind>().ok())
        {
            let span = self.peek().span.clone();
            self.record(
                SyntaxError::new(
                    Code::SqlUnexpectedToken,
                    span.clone(),
                    format!("`{kind}` stands where AS belongs"),
                )
                .expected(["AS"])
                .hint(format!("write `AS {kind}`")),
            );
            self.at += 1;
            return Ok(KindWord {
                kind: Some(kind),
                span,
                glued: false,
            });
        }
        self.expect_word("AS")?;
        let kinds = Kind::ALL.map(Kind::as_str);
        let span = self.peek().span.clone();
        let Some(word) = self.word_at(self.at) else {
            let found = self.describe();
            return self.unexpected(&format!("{found} stands where the kind belongs"), kinds);
        };
        if let Ok(kind) = word.parse::<Kind>() {
            self.at += 1;
            return Ok(KindWord {
                kind: Some(kind),
                span,
                glued: false,
            });
        }
        let word = word.to_ascii_uppercase();
        if CLAUSES.contains(&word.as_str()) {
            return self.unexpected(&format!("{word} stands where the kind belongs"), kinds);
        }
        if let Some((kind, clause)) = split_kind(&word) {
            self.glued(span.clone(), &word, &format!("AS {kind} {clause}"));
            return Ok(KindWord {
                kind: Some(kind),
                span,
                glued: true,
            });
        }
        let near = OTHER_NAMES
            .iter()
            .find(|(other, _)| *other == word)
            .map(|(_, kind)| kind.as_str())
            .or_else(|| nearest(&word, kinds.into_iter()));
        let found = self.describe();
        self.record(
            SyntaxError::new(
                Code::SqlUnknownKind,
                span.clone(),
                format!("{found} is no kind of link"),
            )
            .expected(kinds)
            .hint(near.map_or_else(
                || format!("write one of {}", kinds.join(", ")),
                |near| format!("did you mean `{near}`?"),
            )),
        );
        let glued = CLAUSES.iter().any(|clause| word.ends_with(clause));
        if !glued {
            self.at += 1;
        }
        Ok(KindWord {
            kind: None,
            span,
            glued,
        })
    }

    /// Reads `ASS3` and `ASS3CREDENTIALS`, where a page lost its line breaks.
    fn glued_as(&mut self) -> Option<KindWord> {
        let word = self.word_at(self.at)?.to_ascii_uppercase();
        let span = self.peek().span.clone();
        let rest = word.strip_prefix("AS").filter(|rest| !rest.is_empty())?;
        let (kind, clause) = match rest.parse::<Kind>() {
            Ok(kind) => (kind, None),
            Err(_) => split_kind(rest).map(|(kind, clause)| (kind, Some(clause)))?,
        };
        if let Some(clause) = clause {
            self.glued(span.clone(), &word, &format!("AS {kind} {clause}"));
        } else {
            self.glued(span.clone(), &word, &format!("AS {kind}"));
            self.at += 1;
        }
        Some(KindWord {
            kind: Some(kind),
            span,
            glued: clause.is_some(),
        })
    }

    fn glued(&mut self, span: Range<usize>, word: &str, repair: &str) {
        self.record(
            SyntaxError::new(
                Code::SqlGluedKeyword,
                span,
                format!("`{word}` is several words without white space between them"),
            )
            .hint(format!("write `{repair}`")),
        );
    }

    /// Returns the clause that the next word names, alone or as the tail of a glued word.
    fn clause_word(&self, glued: bool) -> Option<&'static str> {
        let word = self.word_at(self.at)?.to_ascii_uppercase();
        CLAUSES
            .into_iter()
            .find(|clause| word == *clause || (glued && word.ends_with(clause)))
    }

    fn clauses(&mut self, mut glued: bool) -> Production<Clauses> {
        let mut clauses = Clauses::default();
        loop {
            let span = self.peek().span.clone();
            let Some(word) = self.clause_word(glued) else {
                break;
            };
            glued = false;
            self.at += 1;
            let duplicate = clauses.seen.contains(&word);
            if duplicate {
                self.duplicate(word, span);
            }
            clauses.seen.push(word);
            if word == "CREDENTIALS" && self.redacted()? {
                continue;
            }
            let literal = self.string(if word == "DESCRIPTION" {
                "a text in quotes"
            } else {
                "a JSON object in quotes"
            })?;
            if word == "CREDENTIALS" && literal.text.text().trim() == REDACTED {
                self.record_redacted(literal.span);
                continue;
            }
            if word == "DESCRIPTION" {
                if !duplicate {
                    clauses.description = Some(literal.text.text().to_owned());
                }
                continue;
            }
            let clause = ClauseLiteral {
                text: literal.text,
                span: literal.span,
            };
            match word {
                "CONFIG" if !duplicate => clauses.config = Some(clause),
                "CREDENTIALS" if !duplicate => clauses.credentials = Some(clause),
                _ => {}
            }
        }
        if let Some(word) = self.word_at(self.at).map(str::to_ascii_uppercase)
            && let Some(near) = nearest(&word, CLAUSES.into_iter())
        {
            let span = self.peek().span.clone();
            let found = self.describe();
            self.record(
                SyntaxError::new(
                    Code::SqlUnexpectedToken,
                    span,
                    format!("{found} is no clause of CREATE LINK"),
                )
                .expected(CLAUSES.into_iter().chain([";"]))
                .hint(format!("did you mean `{near}`?")),
            );
            return Err(Broken);
        }
        let left: Vec<&str> = ["CREDENTIALS", "CONFIG", "DESCRIPTION"]
            .into_iter()
            .filter(|word| !clauses.seen.contains(word))
            .collect();
        self.statement_end(&left)?;
        Ok(clauses)
    }

    fn duplicate(&mut self, word: &str, span: Range<usize>) {
        self.record(
            SyntaxError::new(
                Code::SqlDuplicateClause,
                span,
                format!("{word} stands twice in one statement"),
            )
            .hint("join the two, or remove one"),
        );
    }

    /// Reads `<CREDENTIALS REDACTED>`.
    fn redacted(&mut self) -> Production<bool> {
        let start = self.peek().span.start;
        if self.peek().kind != TokenKind::Symbol('<') {
            return Ok(false);
        }
        self.at += 1;
        let closed = self.take_words(&["CREDENTIALS", "REDACTED"]).is_some()
            && self.peek().kind == TokenKind::Symbol('>');
        if !closed {
            self.at = self.at.max(1) - 1;
            return self.unexpected(
                "`<` stands where a JSON object in quotes belongs",
                ["a JSON object in quotes"],
            );
        }
        self.at += 1;
        self.record_redacted(start..self.tokens[self.at - 1].span.end);
        Ok(true)
    }

    fn record_redacted(&mut self, span: Range<usize>) {
        self.record(
            SyntaxError::new(
                Code::SqlRedactedCredentials,
                span,
                "SHOW CREATE LINK does not print the credentials, so its output has none",
            )
            .expected(["a JSON object in quotes"])
            .hint("put the real object there, such as `CREDENTIALS '${NAME}'` with --vars"),
        );
    }

    pub(super) fn alter_link(&mut self) -> Production<StatementKind> {
        self.at += 2;
        let name = self.name("a link's name")?;
        self.set_subject(&name);
        if self.is_word("AS") {
            let span = self.peek().span.clone();
            self.record(
                SyntaxError::new(
                    Code::SqlKindChange,
                    span,
                    "ALTER LINK cannot change the kind of a link",
                )
                .expected(["SET"])
                .hint("drop the link and create it again"),
            );
            return Err(Broken);
        }
        let mut alter = AlterLink {
            name,
            config: None,
            credentials: None,
        };
        let mut seen: Vec<ClauseName> = Vec::new();
        loop {
            self.expect_word("SET")?;
            let span = self.peek().span.clone();
            let clause = if self.is_word("CONFIG") {
                ClauseName::Config
            } else if self.is_word("CREDENTIALS") {
                ClauseName::Credentials
            } else {
                let found = self.describe();
                return self.unexpected(
                    &format!("{found} stands where CONFIG or CREDENTIALS belongs"),
                    ["CONFIG", "CREDENTIALS"],
                );
            };
            self.at += 1;
            if seen.contains(&clause) {
                self.duplicate(&format!("SET {clause}"), span);
            }
            seen.push(clause);
            let change = self.change()?;
            match clause {
                ClauseName::Config => alter.config = Some(change),
                ClauseName::Credentials => alter.credentials = Some(change),
            }
            if self.at_end() {
                return Ok(StatementKind::AlterLink(alter));
            }
            if !self.is_word("SET") {
                self.statement_end(&["SET"])?;
            }
        }
    }

    /// Reads what follows `SET CONFIG`: a whole object, or `::key = 'value'`.
    fn change(&mut self) -> Production<Change> {
        if self.redacted()? {
            return Err(Broken);
        }
        if self.peek().kind != TokenKind::PathArrow {
            let literal = self.string("a JSON object in quotes, or `::key`")?;
            return Ok(Change::Replace(ClauseLiteral {
                text: literal.text,
                span: literal.span,
            }));
        }
        self.at += 1;
        let key = self.path_key()?;
        if self.peek().kind != TokenKind::Symbol('=') {
            let found = self.describe();
            return self.unexpected(&format!("{found} stands where `=` belongs"), ["="]);
        }
        self.at += 1;
        let value = if let Some(word) = self.word_at(self.at) {
            // `true` and `3306` are stored as strings, which every key takes.
            let text = word.to_owned();
            let span = self.peek().span.clone();
            self.at += 1;
            StringLiteral {
                text: MappedText::opaque(text, self.file, span.clone()),
                span,
            }
        } else {
            self.string("a value in quotes")?
        };
        Ok(Change::Key {
            key,
            value: ClauseLiteral {
                text: value.text,
                span: value.span,
            },
        })
    }

    /// Reads a key: bare with dots and dashes, in back-ticks or in quotes.
    fn path_key(&mut self) -> Production<MappedText> {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::String { .. } => Ok(self.string("a key")?.text),
            TokenKind::Word => {
                let mut span = token.span;
                while let next = self.peek()
                    && next.span.start <= span.end
                    && matches!(next.kind, TokenKind::Word | TokenKind::Symbol('-' | '.'))
                {
                    span.end = next.span.end;
                    self.at += 1;
                }
                Ok(MappedText::opaque(
                    &self.text[span.clone()],
                    self.file,
                    span,
                ))
            }
            _ => {
                let key = self.identifier("a key")?;
                Ok(MappedText::opaque(key, self.file, token.span))
            }
        }
    }
}

/// Splits `S3CREDENTIALS` into its two words.
fn split_kind(word: &str) -> Option<(Kind, &'static str)> {
    CLAUSES.into_iter().find_map(|clause| {
        let kind = word.strip_suffix(clause)?.parse().ok()?;
        Some((kind, clause))
    })
}
