//! Which parts of a script no excerpt may show.
//!
//! The rule is an allow-list over tokens, so that it holds for text that does not parse: a string
//! is hidden unless what stands before it makes it harmless.

use std::ops::Range;

use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::{Clause, ClauseName, Code, looks_secret};

use super::lexer::{Lexed, Token, TokenKind, is_typographic};
use super::literal::MappedText;
use super::source::FileId;

/// What the tokens before a string say about it.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    /// After `CONFIG`: its secret-looking values are hidden.
    Config,
    /// After `CONFIG ::key`.
    ConfigValue { secret: bool },
    /// After `CREDENTIALS`: keys may be shown, values not.
    Credentials,
    /// After `CREDENTIALS ::key`.
    CredentialsValue,
    /// After `DESCRIPTION`.
    Shown,
    /// Where a link points; the number counts the words of the link's name.
    Target(u8),
    /// Nothing is known, so it is hidden.
    Unknown,
}

/// Returns the hidden parts of a file.
pub(crate) fn masks(text: &str, lexed: &Lexed) -> Vec<Range<usize>> {
    let mut masker = Masker {
        text,
        tokens: &lexed.tokens,
        context: Context::Unknown,
        masks: Vec::new(),
        cleared: Vec::new(),
    };
    let mut at = 0;
    while at < lexed.tokens.len() {
        at = masker.token(at);
    }
    for comment in &lexed.comments {
        let body = &text[comment.body.clone()];
        let lower = body.to_ascii_lowercase();
        if lower.trim_start().starts_with("linkdial") && !body.contains('{') {
            masker.target(&comment.body);
        } else if looks_secret(&lower)
            || lower.contains("credential")
            || body.contains(['{', '\'', '"'])
        {
            // It may be SQL that was commented out.
            masker.masks.push(comment.body.clone());
        }
    }
    masker.values();
    masker.masks
}

/// Returns where a broken statement ends: the next delimiter, or one at a line's end where a
/// string seems to have ended early and its rest is taken for code.
pub(crate) fn broken_end(text: &str, tokens: &[Token], from: usize, early: bool) -> usize {
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        if token.kind == TokenKind::End {
            let next = tokens
                .get(at + 1)
                .map_or(text.len(), |next| next.span.start);
            if !early || next == text.len() || text[token.span.end..next].contains('\n') {
                return at;
            }
        }
        at += 1;
    }
    tokens.len().saturating_sub(1)
}

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

struct Masker<'a> {
    text: &'a str,
    tokens: &'a [Token],
    context: Context,
    masks: Vec<Range<usize>>,
    /// Strings that were looked at value by value, in the order of the text.
    cleared: Vec<Range<usize>>,
}

impl Masker<'_> {
    /// Looks at one token and returns the index of the next one to look at.
    fn token(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        match &token.kind {
            TokenKind::End => self.context = Context::Unknown,
            TokenKind::PathArrow => {
                self.context = match self.context {
                    Context::Config => Context::ConfigValue { secret: false },
                    Context::Credentials => Context::CredentialsValue,
                    other => other,
                }
            }
            TokenKind::Quoted { .. } => self.name(at, &self.text[token.span.clone()]),
            TokenKind::Word => {
                let word = self.text[token.span.clone()].to_ascii_uppercase();
                if let Context::ConfigValue { .. } | Context::CredentialsValue = self.context {
                    if word == "SET" {
                        self.context = Context::Unknown;
                    } else {
                        if self.after_sign(at, '=') && self.hides_value() {
                            self.masks.push(token.span.clone());
                        }
                        self.name(at, &word);
                    }
                } else if word.ends_with("CREDENTIALS") {
                    self.context = Context::Credentials;
                    return self.unquoted(at);
                } else if word.ends_with("CONFIG") {
                    self.context = Context::Config;
                } else if word.ends_with("DESCRIPTION") {
                    self.context = Context::Shown;
                } else if word == "LINK" {
                    self.context = Context::Target(0);
                } else if word == "SERVICE" || word == "REGISTRY" {
                    self.context = Context::Target(2);
                } else {
                    self.name(at, &word);
                }
            }
            // JSON outside of quotes: nothing tells its values from its keys.
            TokenKind::Symbol('{') => return self.rest(at, true),
            TokenKind::Symbol(sign) => {
                if let Context::Target(_) = self.context
                    && *sign != '.'
                {
                    self.context = Context::Unknown;
                }
            }
            TokenKind::String { content, quote, .. } => {
                let early = self.string(content, *quote);
                let next = at + 1;
                let secret = matches!(
                    self.context,
                    Context::Credentials | Context::CredentialsValue
                );
                self.context = Context::Unknown;
                // `'..'word` is hardly SQL: rather the word was meant to stand inside of quotes.
                let glued = self.tokens.get(next).is_some_and(|after| {
                    after.span.start == token.span.end && after.kind == TokenKind::Word
                });
                if (secret || early || glued) && !self.clause_follows(next) {
                    return self.rest(next, early || glued);
                }
            }
        }
        at + 1
    }

    fn name(&mut self, at: usize, name: &str) {
        self.context = match self.context {
            Context::Target(0) => Context::Target(1),
            Context::Target(1) if self.after_sign(at, '.') => Context::Target(2),
            Context::ConfigValue { secret } => Context::ConfigValue {
                secret: secret || looks_secret(name),
            },
            Context::CredentialsValue => Context::CredentialsValue,
            _ => Context::Unknown,
        };
    }

    fn hides_value(&self) -> bool {
        matches!(
            self.context,
            Context::CredentialsValue | Context::ConfigValue { secret: true }
        )
    }

    fn after_sign(&self, at: usize, sign: char) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| self.tokens[before].kind == TokenKind::Symbol(sign))
    }

    /// After `CREDENTIALS` without a string: hides whatever stands there instead.
    fn unquoted(&mut self, at: usize) -> usize {
        let next = at + 1;
        let harmless = match &self.tokens[next.min(self.tokens.len() - 1)].kind {
            TokenKind::String { .. }
            | TokenKind::PathArrow
            | TokenKind::End
            | TokenKind::Symbol('>') => true,
            TokenKind::Symbol('<') => self.is_word(next + 1, "CREDENTIALS"),
            TokenKind::Word => self.is_word(next, "REDACTED") || self.clause_follows(next),
            TokenKind::Quoted { .. } | TokenKind::Symbol(_) => false,
        };
        if harmless {
            next
        } else {
            self.rest(next, true)
        }
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            token.kind == TokenKind::Word
                && self.text[token.span.clone()].eq_ignore_ascii_case(word)
        })
    }

    fn clause_follows(&self, at: usize) -> bool {
        self.tokens.get(at).is_none_or(|token| {
            token.kind == TokenKind::End
                || ["CONFIG", "CREDENTIALS", "DESCRIPTION", "SET"]
                    .iter()
                    .any(|word| self.is_word(at, word))
        })
    }

    /// Hides everything up to the statement's end.
    fn rest(&mut self, at: usize, early: bool) -> usize {
        let end = broken_end(self.text, self.tokens, at, early);
        if end > at {
            self.masks
                .push(self.tokens[at].span.start..self.tokens[end].span.start);
        }
        self.context = Context::Unknown;
        end.max(at)
    }

    /// Hides what a string must not show; returns whether it seems to have ended early.
    fn string(&mut self, content: &Range<usize>, quote: u8) -> bool {
        let plain = !self.text[content.clone()].contains(['{', '}', '"', '\'', '\n', '\\']);
        if let Context::Target(_) = self.context
            && plain
        {
            self.target(content);
            self.cleared.push(content.clone());
            return false;
        }
        let (Context::Config | Context::Credentials) = self.context else {
            let shown = plain
                && matches!(
                    self.context,
                    Context::Shown | Context::ConfigValue { secret: false }
                );
            if shown || is_variable(&self.text[content.clone()]) {
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
                self.members(clause.members(), credentials, &literal);
                self.cleared.push(content.clone());
                false
            }
            Json::Broken => {
                if credentials || looks_secret(literal.text()) {
                    self.masks.push(content.clone());
                }
                true
            }
        }
    }

    fn members(&mut self, members: &[Member], secret: bool, literal: &MappedText) {
        for member in members {
            let secret = secret || looks_secret(&member.key);
            self.node(&member.value, secret, literal);
        }
    }

    fn node(&mut self, node: &Node, secret: bool, literal: &MappedText) {
        let span = match &node.value {
            Value::Object(members) => return self.members(members, secret, literal),
            Value::Array(items) => {
                for item in items {
                    self.node(item, secret, literal);
                }
                return;
            }
            Value::String(text) if is_variable(text.expose()) => return,
            // The quotes stay, so that the line still reads as JSON.
            Value::String(_) => node.span.start + 1..node.span.end.saturating_sub(1),
            Value::Bool(_) | Value::Null | Value::Number(_) => node.span.clone(),
        };
        if secret
            && !span.is_empty()
            && let Some((_, raw)) = literal.locate(&span)
        {
            self.masks.push(raw);
        }
    }

    /// Hides what looks like a value, `: "..."` or `= '...'`, wherever it was not looked at.
    ///
    /// One quote too much turns strings into code and code into strings up to the end of the
    /// file; this look at the bare text does not depend on where a string starts.
    fn values(&mut self) {
        let bytes = self.text.as_bytes();
        let mut cleared = std::mem::take(&mut self.cleared).into_iter().peekable();
        let mut at = 0;
        while let Some(sign) = bytes[at..]
            .iter()
            .position(|byte| matches!(byte, b':' | b'='))
        {
            at += sign + 1;
            while cleared.next_if(|range| range.end <= at).is_some() {}
            if let Some(range) = cleared.peek()
                && range.start <= at
            {
                at = range.end;
                continue;
            }
            let rest = self.text[at..].trim_start();
            let rest = rest.strip_prefix('\\').unwrap_or(rest);
            let Some(quote) = rest
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '\'' | '`') || is_typographic(*c))
            else {
                continue;
            };
            let start = self.text.len() - rest.len() + quote.len_utf8();
            if cleared.peek().is_some_and(|range| range.start <= start) {
                continue;
            }
            let mut escaped = false;
            let len = self.text[start..]
                .find(|c| {
                    let end = c == '\n' || (c == quote && !escaped);
                    escaped = c == '\\' && !escaped;
                    end
                })
                .unwrap_or(self.text.len() - start);
            self.masks.push(start..start + len);
            at = start + len;
        }
    }

    /// Hides user information and query of URLs.
    fn target(&mut self, content: &Range<usize>) {
        let text = &self.text[content.clone()];
        if let Some(scheme) = text.find("://") {
            let host = scheme + 3;
            let end = text[host..]
                .find(['/', '?', '#'])
                .map_or(text.len(), |at| host + at);
            if let Some(at) = text[host..end].rfind('@') {
                self.masks
                    .push(content.start + host..content.start + host + at);
            }
            if let Some(query) = text.find('?') {
                self.masks.push(content.start + query + 1..content.end);
            }
        }
    }
}

/// A `${NAME}` is no secret itself, and the fault may be in it.
fn is_variable(text: &str) -> bool {
    text.trim()
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}
