//! Statements that use a link: pipelines, exports, backups, functions.

use std::ops::Range;

use linkdial_core::{Intent, Target};

use super::ast::{LinkUse, Name, StatementKind, User, UserKind, Uses};
use super::lexer::TokenKind;
use super::parser::{Parser, Production};

impl Parser<'_> {
    /// `CREATE PIPELINE p AS LOAD DATA LINK l 'target' ...`, from the word `PIPELINE` on.
    pub(super) fn create_pipeline(&mut self, or_replace: bool) -> Production<StatementKind> {
        self.at += 1;
        let if_not_exists = self.take_words(&["IF", "NOT", "EXISTS"]).is_some();
        let name = self.name("a pipeline's name")?;
        if self.take_words(&["AS", "LOAD", "DATA", "LINK"]).is_none() {
            return Ok(self.skipped());
        }
        let link = self.pipeline_link()?;
        Ok(self.uses(
            Some(User {
                kind: UserKind::Pipeline,
                name,
            }),
            or_replace,
            if_not_exists,
            vec![link],
        ))
    }

    /// `CREATE TABLES AS INFER PIPELINE AS LOAD DATA LINK l 'target'`.
    pub(super) fn infer_pipeline(&mut self) -> Production<StatementKind> {
        const WORDS: [&str; 7] = ["AS", "INFER", "PIPELINE", "AS", "LOAD", "DATA", "LINK"];
        while !self.at_end() {
            if self.take_words(&WORDS).is_some() {
                let link = self.pipeline_link()?;
                return Ok(self.uses(None, false, false, vec![link]));
            }
            self.at += 1;
        }
        Ok(self.skipped())
    }

    /// Reads link and target of a pipeline, and what the rest of the statement says about them.
    fn pipeline_link(&mut self) -> Production<LinkUse> {
        let mut link = self.link_use(Intent::READ)?;
        while !self.at_end() {
            if self.is_word("FORMAT") && link.format.is_none() {
                link.format = self.word_at(self.at + 1).map(str::to_ascii_uppercase);
            }
            let registry = self.take_words(&["SCHEMA", "REGISTRY"]).is_some();
            if registry && self.is_string_at(self.at) {
                let literal = self.string("the registry's address")?;
                link.registry = Some(literal.text.text().to_owned());
            } else if !registry {
                self.at += 1;
            }
        }
        Ok(link)
    }

    /// `SELECT ... INTO LINK l 'target'`.
    pub(super) fn export(&mut self) -> Production<StatementKind> {
        self.introduced("INTO", Intent::WRITE)
    }

    /// `BACKUP ... TO LINK l "target"`.
    pub(super) fn backup(&mut self) -> Production<StatementKind> {
        self.introduced("TO", Intent::WRITE)
    }

    /// `RESTORE ... FROM LINK l "target"`.
    pub(super) fn restore(&mut self) -> Production<StatementKind> {
        self.introduced("FROM", Intent::READ)
    }

    fn introduced(&mut self, word: &str, intent: Intent) -> Production<StatementKind> {
        let links = self.links_after(word, intent)?;
        if links.is_empty() {
            return Ok(self.skipped());
        }
        Ok(self.uses(None, false, false, links))
    }

    /// `CREATE FUNCTION ... AS WASM FROM LINK l 'path' WITH WIT FROM LINK l 'path'`.
    pub(super) fn create_function(&mut self, or_replace: bool) -> Production<StatementKind> {
        let user = self.function_name()?;
        let links = self.links_after("FROM", Intent::READ)?;
        if links.is_empty() {
            return Ok(self.skipped());
        }
        Ok(self.uses(Some(user), or_replace, false, links))
    }

    /// `CREATE EXTERNAL FUNCTION ... AS REMOTE SERVICE "url" FORMAT f LINK l`.
    pub(super) fn create_external_function(
        &mut self,
        or_replace: bool,
    ) -> Production<StatementKind> {
        let user = self.function_name()?;
        let mut service: Option<(Target, Range<usize>)> = None;
        let mut format = None;
        let mut link: Option<Name> = None;
        let mut depth = 0_u32;
        while !self.at_end() {
            match self.peek().kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            let top = depth == 0;
            let at = self.at;
            self.at += 1;
            if top && self.is_word_at(at, "SERVICE") && self.is_string_at(at + 1) {
                let literal = self.string("the service's URL")?;
                service = Some((Target::new(literal.text.text()), literal.span));
            } else if top && self.is_word_at(at, "FORMAT") {
                format = self.word_at(at + 1).map(str::to_ascii_uppercase);
            } else if top && service.is_some() && self.is_word_at(at, "LINK") {
                link = Some(self.name("a link's name")?);
            } else if top && service.is_none() && link.is_none() && self.is_word_at(at, "LINK") {
                self.at = at;
                return self.unexpected("LINK stands before SERVICE", ["SERVICE"]);
            }
        }
        let (Some((target, target_span)), Some(link)) = (service, link) else {
            return Ok(self.skipped());
        };
        let link = LinkUse {
            link,
            target,
            target_span,
            intent: Intent::READ,
            format,
            registry: None,
        };
        Ok(self.uses(Some(user), or_replace, false, vec![link]))
    }

    /// Reads up to the function's name.
    fn function_name(&mut self) -> Production<User> {
        while !self.is_word("FUNCTION") {
            self.at += 1;
        }
        self.at += 1;
        self.take_words(&["IF", "NOT", "EXISTS"]);
        let name = self.name("a function's name")?;
        Ok(User {
            kind: UserKind::Function,
            name,
        })
    }

    /// Reads every `word LINK name 'target'` of the rest of the statement.
    fn links_after(&mut self, word: &str, intent: Intent) -> Production<Vec<LinkUse>> {
        let mut links = Vec::new();
        while !self.at_end() {
            // A column or variable may be called `link`; a link's name follows only ours.
            let ours = self.is_word(word)
                && self.is_word_at(self.at + 1, "LINK")
                && self.tokens.get(self.at + 2).is_some_and(|token| {
                    matches!(token.kind, TokenKind::Word | TokenKind::Quoted { .. })
                })
                && !["FROM", "WHERE", "AS", "LIMIT", "ORDER", "GROUP", "JOIN"]
                    .iter()
                    .any(|keyword| self.is_word_at(self.at + 2, keyword));
            if ours {
                self.at += 2;
                links.push(self.link_use(intent)?);
            } else {
                self.at += 1;
            }
        }
        Ok(links)
    }

    fn link_use(&mut self, intent: Intent) -> Production<LinkUse> {
        let link = self.name("a link's name")?;
        let target = self.string("the target in quotes")?;
        Ok(LinkUse {
            link,
            target: Target::new(target.text.text()),
            target_span: target.span,
            intent,
            format: None,
            registry: None,
        })
    }

    fn uses(
        &self,
        user: Option<User>,
        or_replace: bool,
        if_not_exists: bool,
        links: Vec<LinkUse>,
    ) -> StatementKind {
        StatementKind::Uses(Uses {
            words: self.first_words(),
            user,
            or_replace,
            if_not_exists,
            links,
        })
    }
}
