//! Text to tokens, by MySQL's rules.

use std::ops::Range;

/// A word, string, name in back-ticks or sign, with the bytes it covers.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// The delimiter that ends a statement, or the end of the file.
    End,
    /// `::`.
    PathArrow,
    /// A name in back-ticks.
    Quoted {
        /// Whether the closing back-tick is there.
        closed: bool,
    },
    /// A string in quotes of any sort.
    String {
        /// The bytes between the quotes.
        content: Range<usize>,
        /// The quote that is doubled to stand for itself.
        quote: u8,
        /// What is wrong with it.
        fault: Option<StringFault>,
    },
    /// Any other sign.
    Symbol(char),
    /// A keyword, a bare name or a number.
    Word,
}

/// What is wrong with a string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StringFault {
    /// A quote as word processors make them, at this place.
    Typographic(Range<usize>),
    /// Its closing quote is missing.
    Unterminated,
}

/// A comment.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    /// All of it.
    pub(crate) span: Range<usize>,
    /// Without the signs that make it a comment.
    pub(crate) body: Range<usize>,
    /// The index of the token that follows.
    pub(crate) before: usize,
}

/// A file's tokens; the last one is always an [`TokenKind::End`].
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
    /// The signs that open a comment which nothing closes.
    pub(crate) open_comment: Option<Range<usize>>,
}

/// Words that may start a statement after a string that was never closed.
pub(super) const STARTERS: [&str; 23] = [
    "ALTER",
    "BACKUP",
    "CALL",
    "CREATE",
    "DELETE",
    "DELIMITER",
    "DROP",
    "EXPLAIN",
    "FLUSH",
    "GRANT",
    "INSERT",
    "LOAD",
    "REPLACE",
    "RESTORE",
    "REVOKE",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "STOP",
    "TEST",
    "UPDATE",
    "USE",
];

/// First words of our statements that lost the space between them, and how they are written.
pub(super) const GLUED: [(&str, &str); 6] = [
    ("ALTERLINK", "ALTER LINK"),
    ("CHECKLINK", "CHECK LINK"),
    ("CREATELINK", "CREATE LINK"),
    ("DROPLINK", "DROP LINK"),
    ("SHOWGRANTS", "SHOW GRANTS"),
    ("SHOWLINKS", "SHOW LINKS"),
];

/// Words that stand before the string of a clause.
pub(crate) const CLAUSES: [&str; 3] = ["CONFIG", "CREDENTIALS", "DESCRIPTION"];

/// Reads a whole text.
pub(crate) fn lex(text: &str) -> Lexed {
    lex_range(text, 0..text.len())
}

/// Reads a part of a text, such as the inside of a comment.
pub(crate) fn lex_range(text: &str, range: Range<usize>) -> Lexed {
    let mut lexer = Lexer {
        text: &text[..range.end],
        at: range.start,
        lexed: Lexed {
            tokens: Vec::new(),
            comments: Vec::new(),
            open_comment: None,
        },
        delimiter: String::from(";"),
        last: Last::End,
        executable_comment: None,
        names_link: false,
        exhausted: [false; 2],
    };
    if range.start == 0 && text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    lexer.run();
    lexer.lexed
}

/// Returns whether a character is a quotation mark that SQL does not know.
pub(crate) const fn is_typographic(c: char) -> bool {
    is_typographic_single(c) || matches!(c, '\u{201c}'..='\u{201f}')
}

const fn is_typographic_single(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201b}' | '\u{b4}')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || (!c.is_ascii() && c.is_alphanumeric())
}

/// What the last token means for the next one.
#[derive(PartialEq)]
enum Last {
    /// The word of a clause, so a string of JSON follows.
    ClauseWord,
    /// None, or the end of a statement.
    End,
    Other,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    lexed: Lexed,
    delimiter: String,
    last: Last,
    /// Inside `/*! ... */`, whose content counts as code: the signs that opened it.
    executable_comment: Option<Range<usize>>,
    /// The statement has a word that only statements about links have.
    names_link: bool,
    /// A search for a closing `'` or `"` met the end of the file; another need not try.
    exhausted: [bool; 2],
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            if self.rest().starts_with(self.delimiter.as_str()) {
                self.at += self.delimiter.len();
                self.push(TokenKind::End, start);
            } else if c.is_whitespace() || c == '\0' {
                self.at += c.len_utf8();
            } else if !self.comment(c) {
                self.token(c);
            }
        }
        if let Some(open) = self.executable_comment.take() {
            self.lexed.open_comment.get_or_insert(open);
        }
        let start = self.at;
        if self
            .lexed
            .tokens
            .last()
            .is_none_or(|token| token.kind != TokenKind::End)
        {
            self.push(TokenKind::End, start);
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.last = if kind == TokenKind::End {
            self.names_link = false;
            Last::End
        } else {
            Last::Other
        };
        self.lexed.tokens.push(Token {
            kind,
            span: start..self.at,
        });
    }

    /// Skips a comment, if one starts here.
    fn comment(&mut self, c: char) -> bool {
        let start = self.at;
        let rest = self.rest();
        let line_end = || rest.find('\n').unwrap_or(rest.len());
        let (body, len) = match c {
            '#' => (start + 1..start + line_end(), line_end()),
            '-' if rest.starts_with("--") => {
                // `--` starts a comment only before white space; `5--3` is arithmetic. Ours is
                // kept either way, so that the slip can be named.
                let after = &rest[2..];
                let ours = after.starts_with("linkdial");
                if !ours && after.starts_with(|c: char| !c.is_whitespace() && !c.is_control()) {
                    return false;
                }
                (start + 2..start + line_end(), line_end())
            }
            '/' if rest.starts_with("/*!") => {
                let version = rest[3..].bytes().take_while(u8::is_ascii_digit).count();
                self.at += 3 + version;
                self.executable_comment = Some(start..start + 3);
                return true;
            }
            '/' if rest.starts_with("/*") => {
                let body = rest[2..].find("*/");
                let len = body.map_or(rest.len(), |at| at + 4);
                let body_end = start + body.map_or(len, |at| at + 2);
                if body.is_none() {
                    self.lexed.open_comment = Some(start..start + 2);
                }
                (start + 2..body_end, len)
            }
            '*' if self.executable_comment.is_some() && rest.starts_with("*/") => {
                self.at += 2;
                self.executable_comment = None;
                return true;
            }
            _ => return false,
        };
        self.at += len;
        self.lexed.comments.push(Comment {
            span: start..self.at,
            body,
            before: self.lexed.tokens.len(),
        });
        true
    }

    fn token(&mut self, c: char) {
        let start = self.at;
        match c {
            '\'' => self.string(b'\''),
            '"' => self.string(b'"'),
            '`' => self.quoted_name(),
            ':' if self.rest().starts_with("::") => {
                self.at += 2;
                self.push(TokenKind::PathArrow, start);
            }
            c if is_typographic(c) => self.typographic_string(c),
            c if is_word(c) => self.word(),
            c => {
                self.at += c.len_utf8();
                self.push(TokenKind::Symbol(c), start);
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let mut len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if self.delimiter != ";"
            && let Some(at) = rest[..len].find(self.delimiter.as_str())
        {
            len = at;
        }
        let word = rest[..len].to_ascii_uppercase();
        self.at += len;
        if self.last == Last::End && word == "DELIMITER" {
            self.set_delimiter();
            return;
        }
        self.push(TokenKind::Word, start);
        if CLAUSES.iter().any(|clause| word.ends_with(clause)) {
            self.last = Last::ClauseWord;
        }
        self.names_link |= self.last == Last::ClauseWord || word == "LINK";
    }

    /// The `mysql` client's way to send a procedure with semicolons in it.
    fn set_delimiter(&mut self) {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let delimiter = line.trim().to_owned();
        self.at += line.len();
        if !delimiter.is_empty() {
            self.delimiter = delimiter;
        }
    }

    fn quoted_name(&mut self) {
        let start = self.at;
        let line = self.rest();
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        let mut end = 1;
        let closed = loop {
            match line[end..].find('`') {
                Some(at) if line[end + at + 1..].starts_with('`') => end += at + 2,
                Some(at) => {
                    end += at + 1;
                    break true;
                }
                None => break false,
            }
        };
        self.at += if closed {
            end
        } else {
            line.find(';').unwrap_or(line.trim_end().len())
        };
        self.push(TokenKind::Quoted { closed }, start);
    }

    fn string(&mut self, quote: u8) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let exhausted = usize::from(quote == b'"');
        let mut at = start + 1;
        let mut line_end = None;
        let (end, fault) = loop {
            match bytes.get(at) {
                None => {
                    self.exhausted[exhausted] = true;
                    break (
                        line_end.unwrap_or_else(|| self.text.trim_end().len().max(start + 1)),
                        Some(StringFault::Unterminated),
                    );
                }
                Some(b'\\') => {
                    let escaped = self.text[at + 1..].chars().next();
                    at += 1 + escaped.map_or(1, char::len_utf8);
                }
                Some(&byte) if byte == quote => {
                    if bytes.get(at + 1) != Some(&quote) {
                        break (at, None);
                    }
                    at += 2;
                }
                Some(b';') if self.ends_line(at + 1) => {
                    line_end.get_or_insert(at);
                    if self.exhausted[exhausted] || self.statement_follows(at + 1) {
                        break (at, Some(StringFault::Unterminated));
                    }
                    at += 1;
                }
                Some(&byte) if byte >= 0x80 && self.last == Last::ClauseWord => {
                    let c = self.text[at..].chars().next().unwrap_or_default();
                    let after = at + c.len_utf8();
                    if is_typographic(c) && self.clause_ends(after) {
                        break (at, Some(StringFault::Typographic(at..after)));
                    }
                    at = after;
                }
                Some(_) => at += 1,
            }
        };
        self.at = match &fault {
            None => end + 1,
            Some(StringFault::Typographic(at)) => at.end,
            Some(StringFault::Unterminated) => end,
        };
        self.push(
            TokenKind::String {
                content: start + 1..end,
                quote,
                fault,
            },
            start,
        );
    }

    /// Reads a string that starts with a typographic quote, up to where it seems to end.
    fn typographic_string(&mut self, open: char) {
        let start = self.at;
        let content = start + open.len_utf8();
        let straight = if is_typographic_single(open) {
            '\''
        } else {
            '"'
        };
        let mut end = None;
        let mut escaped = false;
        for (at, c) in self.text[content..].char_indices() {
            let after = content + at + c.len_utf8();
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if (is_typographic(c) || c == straight)
                && (self.last != Last::ClauseWord || self.clause_ends(after))
            {
                end = Some((content + at, after));
                break;
            } else if (c == ';' && self.ends_line(after))
                || (c == '\n' && self.last != Last::ClauseWord)
            {
                end = Some((content + at, content + at));
                break;
            }
        }
        let end = end.unwrap_or_else(|| {
            let end = self.text.trim_end().len().max(content);
            (end, end)
        });
        self.at = end.1;
        self.push(
            TokenKind::String {
                content: content..end.0,
                quote: b'\'',
                fault: Some(StringFault::Typographic(start..content)),
            },
            start,
        );
    }

    /// Nothing but white space or a comment stands between here and the end of the line.
    fn ends_line(&self, at: usize) -> bool {
        let rest = self.text[at..].trim_start_matches([' ', '\t', '\r']);
        rest.is_empty() || rest.starts_with(['\n', '#']) || rest.starts_with("--")
    }

    /// A new statement seems to start on one of the next lines.
    ///
    /// A string may well hold other SQL, so outside of statements about links only one about a
    /// link counts.
    fn statement_follows(&self, at: usize) -> bool {
        let line = &self.text[at..];
        let Some(next) = line.find('\n') else {
            return false;
        };
        let mut words = line[next..]
            .trim_start()
            .split(|c: char| !is_word(c))
            .map(str::to_ascii_uppercase);
        let mut next = || words.next().unwrap_or_default();
        let first = next();
        if self.names_link {
            let rest = line[next_line(line)..].trim_start();
            return STARTERS.contains(&first.as_str())
                || (first == "CHECK" && next() == "LINK")
                || rest.starts_with("-- ")
                || rest.starts_with('#')
                || rest.starts_with("/*");
        }
        match first.as_str() {
            "ALTER" | "DROP" => next() == "LINK",
            "CREATE" => {
                let second = next();
                second == "LINK" || (second == "OR" && next() == "REPLACE" && next() == "LINK")
            }
            _ => false,
        }
    }

    /// What follows can only stand after the string of a clause.
    fn clause_ends(&self, at: usize) -> bool {
        let rest = self.text[at..].trim_start();
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        rest.is_empty()
            || rest.starts_with(';')
            || CLAUSES
                .iter()
                .chain(&["SET"])
                .any(|clause| clause.eq_ignore_ascii_case(word))
    }
}

fn next_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}
