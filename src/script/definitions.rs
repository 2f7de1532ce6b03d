//! Definitions while a script is replayed: clauses with their variables, and what ALTER changes.

use std::ops::Range;

use linkdial_core::{Clause, ClauseName, Code, Definition, Kind};

use super::link_clause::LinkClause;
use super::replay::Replay;
use super::variables::Unbound;
use crate::sql::ast::{AlterLink, Change, ClauseLiteral, Directive};
use crate::sql::error::SyntaxError;
use crate::sql::source::FileId;

impl Replay<'_> {
    /// Reads both clauses; `None` when a variable is missing.
    pub(super) fn define(
        &mut self,
        kind: Kind,
        config: Option<ClauseLiteral>,
        credentials: Option<ClauseLiteral>,
    ) -> Option<(Definition, Option<LinkClause>, Option<LinkClause>)> {
        let config = self.clause(ClauseName::Config, config);
        let credentials = self.clause(ClauseName::Credentials, credentials);
        let (config, credentials) = (config.ok()?, credentials.ok()?);
        let definition = Definition {
            kind,
            config: self.read(ClauseName::Config, config.as_ref())?,
            credentials: self.read(ClauseName::Credentials, credentials.as_ref())?,
        };
        Some((definition, config, credentials))
    }

    fn clause(
        &mut self,
        name: ClauseName,
        literal: Option<ClauseLiteral>,
    ) -> Result<Option<LinkClause>, ()> {
        let Some(literal) = literal else {
            return Ok(None);
        };
        let text = literal.text.clone();
        match LinkClause::new(name, literal, self.file, &self.options.variables) {
            Ok(clause) => Ok(Some(clause)),
            Err(unbound) => {
                if let Some((file, span)) = text.locate(&unbound.span) {
                    self.unbound(file, span, unbound.name.as_deref());
                }
                Err(())
            }
        }
    }

    fn read(&mut self, name: ClauseName, clause: Option<&LinkClause>) -> Option<Clause> {
        let Some(clause) = clause else {
            return Some(Clause::empty(name));
        };
        let (parsed, unbound) = clause.parse(&self.options.variables);
        for Unbound { name, span } in &unbound {
            if let Some((file, span)) = clause.locate(span) {
                self.unbound(file, span, name.as_deref());
            }
        }
        unbound.is_empty().then_some(parsed)
    }

    fn unbound(&mut self, file: FileId, span: Range<usize>, name: Option<&str>) {
        let error = match name {
            Some(name) => SyntaxError::new(
                Code::SqlUnboundVariable,
                span,
                format!("nothing fills the variable `{name}`"),
            )
            .hint(format!(
                "name it in --vars-env {name}, in a file for --vars or with --var; a literal `${{` \
                 is written `$${{`"
            )),
            None => SyntaxError::new(
                Code::SqlUnboundVariable,
                span,
                "`${` starts a variable, and no name and `}` follow",
            )
            .hint("write `${NAME}`, or `$${` for a literal `${`"),
        };
        // An ALTER reads a clause again.
        if self.unbound.insert((file, error.span.start)) {
            self.errors.push((file, error));
        }
    }

    pub(super) fn alter(&mut self, alter: AlterLink, directives: Vec<Directive>) {
        let AlterLink {
            name,
            config,
            credentials,
        } = alter;
        let full = self.resolve(&name);
        let Some(slot) = self.find(&full) else {
            self.doubt("ALTER LINK", full, &name.span, false);
            return;
        };
        let Some(mut link) = self.links[slot].take() else {
            return;
        };
        let mut failed = false;
        for (clause, change) in [
            (ClauseName::Config, config),
            (ClauseName::Credentials, credentials),
        ] {
            let Some(change) = change else {
                continue;
            };
            let before = match clause {
                ClauseName::Config => link.origin.config.take(),
                ClauseName::Credentials => link.origin.credentials.take(),
            };
            let after = match change {
                Change::Replace(literal) => {
                    let after = self.clause(clause, Some(literal));
                    failed |= after.is_err();
                    after.unwrap_or_default()
                }
                Change::Key { key, value } => {
                    let variables = &self.options.variables;
                    match LinkClause::set(before, clause, &key, &value, self.file, variables) {
                        Ok(after) => Some(after),
                        Err(unbound) => {
                            failed = true;
                            self.unbound(self.file, value.span, unbound.name.as_deref());
                            None
                        }
                    }
                }
            };
            let parsed = self.read(clause, after.as_ref());
            failed |= parsed.is_none();
            let parsed = parsed.unwrap_or_else(|| Clause::empty(clause));
            match clause {
                ClauseName::Config => {
                    link.origin.config = after;
                    link.definition.config = parsed;
                }
                ClauseName::Credentials => {
                    link.origin.credentials = after;
                    link.definition.credentials = parsed;
                }
            }
        }
        let name = link.name.clone();
        if failed {
            self.forget(&name);
            self.broken.insert(name);
        } else {
            self.links[slot] = Some(link);
            self.apply_directives(&name, directives);
        }
    }
}
