//! Statements to actions: fills in the current database, the variables and the comments.

use std::ops::Range;
use std::sync::Arc;

use linkdial_core::clause::{Node, Value};
use linkdial_core::{
    Clause, ClauseName, Code, Definition, Kind, LinkName, REDACTED, REDACTED_VALUE,
};

use super::action::{Action, ActionKind, Alter, Change, Comments, Create, LinkUsed, User, Uses};
use super::faults::Faults;
use super::link_clause::LinkClause;
use super::variables::Unbound;
use super::{Origin, ScriptLink, ScriptOptions, Texts, Use};
use crate::sql::ast::{
    self, AlterLink, ClauseLiteral, CreateLink, Directive, DirectiveKind, LinkUse, Name, Statement,
    StatementKind,
};
use crate::sql::error::SyntaxError;
use crate::sql::literal::MappedText;
use crate::sql::source::{FileId, SourceFile};

/// The state between two statements.
pub(super) struct Reader<'a> {
    pub(super) sources: Arc<Vec<SourceFile>>,
    pub(super) options: &'a ScriptOptions,
    pub(super) file: FileId,
    pub(super) database: Option<String>,
    pub(super) errors: Faults,
}

impl Reader<'_> {
    /// Fills in one statement; `USE` leaves nothing to do.
    pub(super) fn action(&mut self, statement: Statement) -> Option<Action> {
        let Statement {
            span,
            kind,
            directives,
        } = statement;
        let mut comments = directives;
        let kind = match kind {
            StatementKind::AlterLink(alter) => {
                let comments = self.comments(std::mem::take(&mut comments));
                self.alter(alter, comments)
            }
            StatementKind::Broken(name) => {
                // What its comments say belongs to no statement that runs.
                comments.clear();
                let text = self.sources[self.file.0].text().get(span.clone());
                let creates = text.is_some_and(is_create);
                ActionKind::Broken(name.map(|name| (self.resolve(&name), creates)))
            }
            StatementKind::CheckLink {
                link,
                target,
                intent,
            } => {
                let (ignored, rest) = ignores(comments);
                comments = rest;
                let used = target.map(|(target, span)| self.used(Use::new(target, intent), span));
                ActionKind::Check(Uses {
                    words: String::from("CHECK LINK"),
                    user: None,
                    or_replace: false,
                    if_not_exists: false,
                    links: vec![self.link_used(&link, used)],
                    ignored,
                })
            }
            StatementKind::CreateLink(create) => {
                let comments = self.comments(std::mem::take(&mut comments));
                self.create(create, &span, &comments)
            }
            StatementKind::DropLink { name, if_exists } => ActionKind::Drop {
                name: self.resolve(&name),
                name_span: name.span,
                if_exists,
            },
            StatementKind::DropUser(user) => ActionKind::DropUser(self.user(&user)),
            StatementKind::Grant(grants) => ActionKind::Grant(grants),
            StatementKind::Revoke(grants) => ActionKind::Revoke(grants),
            StatementKind::SelectLinks(select) => ActionKind::Select(select),
            StatementKind::ShowCreateLink { name } => ActionKind::ShowCreate {
                name: self.resolve(&name),
                name_span: name.span,
            },
            StatementKind::ShowGrants { user } => ActionKind::ShowGrants { user },
            StatementKind::ShowLinks { database } => ActionKind::ShowLinks {
                database: database.or_else(|| self.database.clone()),
            },
            StatementKind::Skipped { words } => ActionKind::Skipped { words },
            StatementKind::Unanswered { words } => {
                comments.clear();
                ActionKind::Unanswered { words }
            }
            StatementKind::Use { database } => {
                self.misplaced(comments);
                self.database = Some(database);
                return None;
            }
            StatementKind::Uses(uses) => {
                let (ignored, rest) = ignores(comments);
                comments = rest;
                self.uses(uses, ignored)
            }
        };
        self.misplaced(comments);
        Some(Action {
            file: self.file,
            span,
            kind,
        })
    }

    fn resolve(&self, name: &Name) -> LinkName {
        name.resolve(self.database.as_deref())
    }

    fn user(&self, user: &ast::User) -> User {
        (user.kind, self.resolve(&user.name))
    }

    fn used(&self, used: Use, span: Range<usize>) -> Use {
        Use {
            place: Some(self.sources[self.file.0].place(span.start)),
            span: Some((self.file, span)),
            ..used
        }
    }

    fn link_used(&self, name: &Name, used: Option<Use>) -> LinkUsed {
        LinkUsed {
            name: self.resolve(name),
            name_span: name.span.clone(),
            used,
        }
    }

    fn uses(&self, uses: ast::Uses, ignored: Vec<(Code, String)>) -> ActionKind {
        let links = uses.links.into_iter().map(|link| {
            let LinkUse {
                link,
                target,
                target_span,
                intent,
                format,
                registry,
            } = link;
            let used = Use {
                format,
                registry,
                ..Use::new(target, intent)
            };
            self.link_used(&link, Some(self.used(used, target_span)))
        });
        ActionKind::Uses(Uses {
            links: links.collect(),
            user: uses.user.map(|user| self.user(&user)),
            words: uses.words,
            or_replace: uses.or_replace,
            if_not_exists: uses.if_not_exists,
            ignored,
        })
    }

    fn create(
        &mut self,
        create: CreateLink,
        span: &Range<usize>,
        comments: &Comments,
    ) -> ActionKind {
        let name = self.resolve(&create.name);
        let Some((definition, config, credentials)) =
            self.define(create.kind, create.config, create.credentials)
        else {
            return ActionKind::Broken(Some((name, true)));
        };
        let mut link = ScriptLink {
            place: Some(self.sources[self.file.0].place(span.start)),
            name,
            definition,
            description: create.description.unwrap_or_default(),
            uses: comments.targets.clone(),
            ignored: Vec::new(),
            deferred: false,
            secrets: Vec::new(),
            origin: Some(Origin {
                sources: Arc::clone(&self.sources),
                file: self.file,
                header: span.start..create.name.span.end,
                statement: span.clone(),
            }),
            texts: Texts {
                config,
                credentials,
            },
        };
        comments.apply(&mut link);
        link.gather_secrets(&self.options.variables);
        ActionKind::Create(Box::new(Create {
            or_replace: create.or_replace,
            if_not_exists: create.if_not_exists,
            name_span: create.name.span,
            link,
        }))
    }

    /// Reads both clauses; `None` when a variable is missing.
    fn define(
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
            config: self.parse(ClauseName::Config, config.as_ref())?,
            credentials: self.parse(ClauseName::Credentials, credentials.as_ref())?,
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
                    self.errors.unbound(file, span, unbound.name.as_deref());
                }
                Err(())
            }
        }
    }

    fn parse(&mut self, name: ClauseName, clause: Option<&LinkClause>) -> Option<Clause> {
        let Some(clause) = clause else {
            return Some(Clause::empty(name));
        };
        let (parsed, unbound) = clause.parse(&self.options.variables);
        for Unbound { name, span } in &unbound {
            if let Some((file, span)) = clause.locate(span) {
                self.errors.unbound(file, span, name.as_deref());
            }
        }
        let mut whole = unbound.is_empty();
        for member in parsed.members() {
            whole &= self.is_shown(&member.value, clause);
        }
        whole.then_some(parsed)
    }

    /// Refuses what SHOW CREATE LINK prints in the place of a secret.
    fn is_shown(&mut self, node: &Node, clause: &LinkClause) -> bool {
        match &node.value {
            Value::String(text) if is_marked(text.expose()) => {
                let (file, span) = clause
                    .locate(&node.span)
                    .unwrap_or_else(|| clause.literal());
                let error = SyntaxError::new(
                    Code::SqlRedactedCredentials,
                    span,
                    "SHOW CREATE LINK does not print secrets, so its output lacks this one",
                )
                .hint("put the real value there, such as `\"${NAME}\"` with --vars");
                self.errors.add(file, error);
                false
            }
            Value::Array(items) => items.iter().all(|item| self.is_shown(item, clause)),
            Value::Object(members) => {
                let mut values = members.iter().map(|member| &member.value);
                values.all(|value| self.is_shown(value, clause))
            }
            _ => true,
        }
    }

    fn alter(&mut self, alter: AlterLink, comments: Comments) -> ActionKind {
        let name = self.resolve(&alter.name);
        let mut changes = Vec::new();
        let mut whole = true;
        for (clause, change) in [
            (ClauseName::Config, alter.config),
            (ClauseName::Credentials, alter.credentials),
        ] {
            let change = match change {
                None => continue,
                Some(ast::Change::Replace(literal)) => {
                    let read = self.clause(clause, Some(literal)).ok().flatten();
                    let fits = read.as_ref().map(|read| self.parse(clause, Some(read)));
                    whole &= matches!(fits, Some(Some(_)));
                    read.map(Change::Replace)
                }
                Some(ast::Change::Key { key, value }) => {
                    whole &= self.is_settable(clause, &key, &value);
                    let file = self.file;
                    Some(Change::Key { key, value, file })
                }
            };
            changes.extend(change.map(|change| (clause, change)));
        }
        if !whole {
            return ActionKind::Broken(Some((name, false)));
        }
        ActionKind::Alter(Alter {
            name,
            name_span: alter.name.span,
            changes,
            comments,
        })
    }

    /// Sets the key of an empty clause, which finds what is wrong with the value.
    fn is_settable(&mut self, name: ClauseName, key: &MappedText, value: &ClauseLiteral) -> bool {
        let variables = &self.options.variables;
        match LinkClause::set(None, name, key, value, self.file, variables) {
            Ok(clause) => self.parse(name, Some(&clause)).is_some(),
            Err(unbound) => {
                let span = value.span.clone();
                self.errors
                    .unbound(self.file, span, unbound.name.as_deref());
                false
            }
        }
    }

    /// Reads the comments before a statement that makes or changes a link.
    fn comments(&mut self, directives: Vec<Directive>) -> Comments {
        let mut comments = Comments::default();
        for directive in directives {
            match directive.kind {
                DirectiveKind::Deferred => comments.deferred = true,
                DirectiveKind::Ignore { code, reason } => comments.ignored.push((code, reason)),
                DirectiveKind::Target {
                    target,
                    target_span,
                    intent,
                } => comments
                    .targets
                    .push(self.used(Use::new(target, intent), target_span)),
            }
        }
        comments
    }

    /// Records comments that stand before a statement they say nothing about.
    fn misplaced(&mut self, directives: Vec<Directive>) {
        for directive in directives {
            let error = SyntaxError::new(
                Code::SqlUnexpectedToken,
                directive.span,
                "the comment for linkdial does not stand before a CREATE LINK",
            )
            .hint("move it to the line before the CREATE LINK it belongs to");
            self.errors.add(self.file, error);
        }
    }
}

/// Whether a text holds what stands for a secret, or for a part of it, where a link is shown.
fn is_marked(text: &str) -> bool {
    text.contains(REDACTED_VALUE) || text.contains(REDACTED)
}

/// Splits off the only comments that a use of a link takes.
fn ignores(directives: Vec<Directive>) -> (Vec<(Code, String)>, Vec<Directive>) {
    let mut ignored = Vec::new();
    let mut rest = Vec::new();
    for directive in directives {
        match directive.kind {
            DirectiveKind::Ignore { code, reason } => ignored.push((code, reason)),
            _ => rest.push(directive),
        }
    }
    (ignored, rest)
}

/// Only ALTER and DROP look for a link whose database is not written.
fn is_create(statement: &str) -> bool {
    let word = statement.split_whitespace().next();
    word.is_some_and(|word| word.eq_ignore_ascii_case("CREATE"))
}
