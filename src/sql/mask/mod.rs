//! Which parts of a script no excerpt may show.
//!
//! The rule is an allow-list over tokens, so that it holds for text that does not parse: a string
//! is hidden unless what stands before it makes it harmless. In a statement about a link, nothing
//! but words of the grammar, signs and looked-at strings is shown behind the first surprise.

mod strings;

use std::ops::Range;

use linkdial_core::define::nearest;
use linkdial_core::{Kind, merged};

use super::lexer::{CLAUSES, GLUED, Lexed, STARTERS, Token, TokenKind};
use super::terminals::KEYWORDS;
use super::{addresses, bare_text, shown_keys};
use strings::{is_plain, is_variable};

pub(crate) use strings::is_broken_json;

/// What the tokens before a string say about it.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    /// After `CONFIG`: the values of well-known keys are shown.
    Config,
    /// After `CREDENTIALS`: keys may be shown, values not.
    Credentials,
    /// After `DESCRIPTION`.
    Shown,
    /// Where a link points; the number counts the words of the link's name.
    Target(u8),
    /// Nothing is known, so it is hidden.
    Unknown,
}

/// Returns the hidden parts of a file, in order and apart. Statements that are known to be
/// `broken` hide more; their spans are in the order of the text.
pub(crate) fn masks(text: &str, lexed: &Lexed, broken: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut masker = Masker {
        text,
        tokens: &lexed.tokens,
        context: Context::Unknown,
        start: 0,
        broken: false,
        strict: false,
        clause_at: None,
        masks: Vec::new(),
        cleared: Vec::new(),
    };
    let mut at = 0;
    let mut broken = broken.iter().peekable();
    let mut starts = true;
    while let Some(token) = lexed.tokens.get(at) {
        if starts && token.kind != TokenKind::End {
            while broken
                .next_if(|span| span.end <= token.span.start)
                .is_some()
            {}
            let is_broken = broken
                .peek()
                .is_some_and(|span| span.contains(&token.span.start));
            masker.begin(at, is_broken);
        }
        starts = token.kind == TokenKind::End;
        at = masker.token(at);
    }
    for comment in &lexed.comments {
        masker
            .masks
            .extend(bare_text::hidden_of_comment(text, &comment.body));
    }
    if let Some(open) = &lexed.open_comment {
        for comment in lexed
            .comments
            .iter()
            .filter(|it| it.span.start == open.start)
        {
            masker.masks.push(comment.body.clone());
        }
    }
    masker.masks.extend(bare_text::values(text, masker.cleared));
    masker.masks.extend(addresses::secrets_in(text));
    merged(masker.masks)
}

/// Returns whether any part of a span is hidden.
pub(crate) fn hides(masks: &[Range<usize>], span: &Range<usize>) -> bool {
    masks
        .get(masks.partition_point(|mask| mask.end <= span.start))
        .is_some_and(|mask| mask.start < span.end)
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

struct Masker<'a> {
    text: &'a str,
    tokens: &'a [Token],
    context: Context,
    /// The first token of the statement.
    start: usize,
    /// The statement is known to have an error.
    broken: bool,
    /// Only words of the grammar, signs and looked-at strings are shown from here on.
    strict: bool,
    /// Where the word of a clause belongs, in a statement about a link.
    clause_at: Option<usize>,
    masks: Vec<Range<usize>>,
    /// Strings that were looked at value by value, in the order of the text.
    cleared: Vec<Range<usize>>,
}

impl Masker<'_> {
    /// Looks at how a statement starts.
    fn begin(&mut self, at: usize, broken: bool) {
        self.context = Context::Unknown;
        self.start = at;
        self.broken = broken;
        self.clause_at = self.header(at);
        let known = self.clause_at.is_some()
            || STARTERS.iter().any(|word| self.is_word(at, word))
            || GLUED.iter().any(|(word, _)| self.is_word(at, word))
            || self.is_word(at + 1, "LINK")
            || self.is_word(at + 1, "LINKS")
            || (["CREATE", "DROP", "SHOW"]
                .iter()
                .any(|word| self.is_word(at + 1, word))
                && self.is_word(at + 2, "LINK"))
            || self.tokens[at].kind == TokenKind::Symbol('(');
        // The rest of a string that a quote ended early looks like a statement, too.
        self.strict = broken && !known;
    }

    /// Returns where the first clause of a statement about a link belongs.
    fn header(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let take = |at: &mut usize, words: &[&str]| {
            let all = (0..words.len()).all(|index| self.is_word(*at + index, words[index]));
            if all {
                *at += words.len();
            }
            all
        };
        let alters = take(&mut at, &["ALTER", "LINK"]) || take(&mut at, &["ALTERLINK"]);
        if !alters && !take(&mut at, &["CREATELINK"]) {
            if !take(&mut at, &["CREATE"]) {
                return None;
            }
            take(&mut at, &["OR", "REPLACE"]);
            if !take(&mut at, &["LINK"]) {
                return None;
            }
        }
        take(&mut at, &["IF", "NOT", "EXISTS"]);
        let is_name = |at: usize| {
            self.tokens.get(at).is_some_and(|token| {
                matches!(token.kind, TokenKind::Word | TokenKind::Quoted { .. })
            })
        };
        let is_sign = |at: usize, signs: &[char]| {
            self.tokens.get(at).is_some_and(
                |token| matches!(token.kind, TokenKind::Symbol(sign) if signs.contains(&sign)),
            )
        };
        while is_sign(at, &['[', ']', '.']) || (is_name(at) && is_sign(at + 1, &['.', ']'])) {
            at += 1;
        }
        at += usize::from(is_name(at));
        if !alters && take(&mut at, &["AS"]) {
            let glued = self
                .word(at)
                .is_some_and(|word| CLAUSES.iter().any(|clause| word.ends_with(clause)));
            at += usize::from(is_name(at) && !glued);
        }
        Some(at)
    }

    /// Looks at one token and returns the index of the next one to look at.
    fn token(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        let belongs = self.clause_at == Some(at);
        if token.kind == TokenKind::End {
            self.context = Context::Unknown;
            self.strict = false;
            self.clause_at = None;
            return at + 1;
        }
        match &token.kind {
            TokenKind::PathArrow
                if matches!(self.context, Context::Config | Context::Credentials) =>
            {
                return self.path(at);
            }
            TokenKind::Quoted { closed } => {
                let content = &self.text[token.span.start + 1..token.span.end];
                if !closed || content.contains(['\'', '"', '{', '}', '[', ':', ';', '=']) {
                    self.masks.push(token.span.start + 1..token.span.end);
                    return self.rest(at + 1, true);
                }
                if self.strict {
                    self.masks.push(token.span.start + 1..token.span.end - 1);
                }
                self.name(at);
            }
            TokenKind::Word => return self.word_token(at, belongs),
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
                let clause = self.context;
                let early = self.string(content, *quote);
                let next = at + 1;
                self.context = Context::Unknown;
                self.strict |= belongs;
                if self.clause_at.is_some() {
                    self.clause_at = Some(next);
                }
                // `'..'word` is hardly SQL: rather the word was meant to stand inside of quotes.
                let glued = self.tokens.get(next).is_some_and(|after| {
                    after.span.start == token.span.end && after.kind == TokenKind::Word
                });
                let secret = clause == Context::Credentials;
                if (secret || early || glued) && !self.clause_follows(next) {
                    return self.rest(next, early || glued);
                }
                return next;
            }
            TokenKind::End | TokenKind::PathArrow => {}
        }
        if belongs {
            self.strict = true;
        }
        at + 1
    }

    fn word_token(&mut self, at: usize, belongs: bool) -> usize {
        let span = self.tokens[at].span.clone();
        let word = self.text[span.clone()].to_ascii_uppercase();
        let clause = CLAUSES.into_iter().find(|clause| word.ends_with(clause));
        let grammar = is_grammar(&word);
        if self.strict && !grammar && !(belongs && nearest(&word, CLAUSES.into_iter()).is_some()) {
            self.masks.push(span);
        }
        if let Some(clause) = clause.filter(|_| !self.is_column(at)) {
            self.strict |= self.broken;
            self.context = match clause {
                "CONFIG" => Context::Config,
                "CREDENTIALS" => Context::Credentials,
                _ => Context::Shown,
            };
            return if clause == "CREDENTIALS" {
                self.unquoted(at)
            } else {
                at + 1
            };
        }
        if belongs && word == "SET" {
            self.clause_at = Some(at + 1);
        } else if belongs {
            self.strict = true;
        }
        // Behind the word of a clause no other word belongs.
        let behind = matches!(
            self.context,
            Context::Config | Context::Credentials | Context::Shown
        );
        if self.clause_at.is_some() && behind && !grammar {
            self.strict = true;
            self.masks.push(self.tokens[at].span.clone());
        }
        if word == "IDENTIFIED" && self.is_word(self.start, "GRANT") {
            // A password follows, and it may lack its quotes.
            return self.rest(at + 1, false);
        }
        let checked = matches!(self.context, Context::Target(1 | 2))
            && word == "ON"
            && self.is_word(self.start, "CHECK");
        if checked {
            self.context = Context::Target(2);
        } else if word == "LINK" {
            self.context = Context::Target(0);
        } else if word == "SERVICE" || word == "REGISTRY" {
            self.context = Context::Target(2);
        } else {
            self.name(at);
        }
        at + 1
    }

    /// Returns whether CONFIG or DESCRIPTION is the column of a SELECT.
    fn is_column(&self, at: usize) -> bool {
        let listed = |at: usize| {
            self.is_word(at, "FROM")
                || self
                    .tokens
                    .get(at)
                    .is_some_and(|token| token.kind == TokenKind::Symbol(','))
        };
        self.is_word(self.start, "SELECT")
            && (self.is_word(at, "CONFIG") || self.is_word(at, "DESCRIPTION"))
            && listed(at + 1)
    }

    /// Reads `::key = value` from the arrow on.
    fn path(&mut self, arrow: usize) -> usize {
        let start = arrow + 1;
        let config = self.context == Context::Config;
        self.context = Context::Unknown;
        let mut next = start;
        let mut end = None;
        while let Some(token) = self.tokens.get(next)
            && end.is_none_or(|end| token.span.start == end)
            && matches!(
                token.kind,
                TokenKind::Word
                    | TokenKind::Quoted { closed: true }
                    | TokenKind::String { fault: None, .. }
                    | TokenKind::Symbol('-' | '.')
            )
        {
            end = Some(token.span.end);
            next += 1;
        }
        let assigns = self
            .tokens
            .get(next)
            .is_some_and(|token| token.kind == TokenKind::Symbol('='));
        let (Some(end), true) = (end, assigns) else {
            // It may be the value that stands there.
            return self.rest(start, false);
        };
        let key = self.tokens[start].span.start..end;
        let name = self.text[key.clone()].trim_matches(['`', '\'', '"']);
        if name.contains(['\'', '"', '`', '{', ':', ';', '\n']) {
            return self.rest(start, true);
        }
        self.cleared.push(key);
        let shown = config && shown_keys::is_shown(name);
        let value = next + 1;
        self.strict = true;
        let Some(token) = self.tokens.get(value) else {
            return value;
        };
        match &token.kind {
            TokenKind::Word if !shown => self.masks.push(token.span.clone()),
            TokenKind::Word => {}
            TokenKind::String { content, .. } => {
                let text = &self.text[content.clone()];
                if shown && is_plain(text) {
                    self.address(content);
                } else if is_variable(text) {
                    self.cleared.push(content.clone());
                } else {
                    self.masks.push(content.clone());
                }
            }
            _ => return value,
        }
        let after = value + 1;
        self.clause_at = self.clause_at.map(|_| after);
        if !config && !self.clause_follows(after) {
            return self.rest(after, false);
        }
        after
    }

    fn name(&mut self, at: usize) {
        self.context = match self.context {
            Context::Target(0) => Context::Target(1),
            Context::Target(1) if self.after_dot(at) => Context::Target(2),
            _ => Context::Unknown,
        };
    }

    fn after_dot(&self, at: usize) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| self.tokens[before].kind == TokenKind::Symbol('.'))
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

    fn word(&self, at: usize) -> Option<String> {
        self.tokens
            .get(at)
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| self.text[token.span.clone()].to_ascii_uppercase())
    }
}

/// Returns whether a word in upper case is one of the grammar, or several without a space.
fn is_grammar(word: &str) -> bool {
    let is_kind = |word: &str| word.parse::<Kind>().is_ok();
    let known = |word: &str| {
        word.is_empty()
            || KEYWORDS.contains(&word)
            || word == "REDACTED"
            || is_kind(word)
            || word.strip_prefix("AS").is_some_and(is_kind)
    };
    known(word)
        || CLAUSES
            .iter()
            .any(|clause| word.strip_suffix(clause).is_some_and(known))
}
