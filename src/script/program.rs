//! A script as a list of actions: every statement with what stands outside of it filled in, that is
//! the current database, the variables, and the comments before it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use linkdial_core::clause::{Node, Value};
use linkdial_core::{
    Clause, ClauseName, Code, Definition, Intent, Kind, LinkName, REDACTED_VALUE, Target,
};

use super::link_clause::LinkClause;
use super::variables::Unbound;
use super::{Origin, ScriptError, ScriptLink, ScriptOptions, Skipped, Texts, UnknownLink, Use};
use crate::sql;
use crate::sql::Place;
use crate::sql::ast::{
    self, AlterLink, ClauseLiteral, CreateLink, Directive, DirectiveKind, Grants, LinkUse, Name,
    SelectLinks, Statement, StatementKind, UserKind,
};
use crate::sql::error::SyntaxError;
use crate::sql::literal::MappedText;
use crate::sql::source::{FileId, SourceFile};

/// A script that is read and not yet run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) sources: Arc<Vec<SourceFile>>,
    pub(crate) actions: Vec<Action>,
    /// What does not parse, and variables that nothing fills.
    pub(crate) errors: Faults,
}

/// Faults of the text with their files; each place is told once.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<(FileId, SyntaxError)>,
    /// Places of variables that were reported: an ALTER reads a clause again.
    unbound: HashSet<(FileId, usize)>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) file: FileId,
    pub(crate) span: Range<usize>,
    pub(crate) kind: ActionKind,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum ActionKind {
    Alter(Alter),
    /// It has errors; the link it is about, and whether it would make it.
    Broken(Option<(LinkName, bool)>),
    Check(Uses),
    Create(Box<Create>),
    Drop {
        name: LinkName,
        name_span: Range<usize>,
        if_exists: bool,
    },
    DropUser(User),
    Grant(Grants),
    Revoke(Grants),
    Select(SelectLinks),
    ShowCreate {
        name: LinkName,
        name_span: Range<usize>,
    },
    ShowGrants {
        user: Option<String>,
    },
    /// The database that is named, else the current one.
    ShowLinks {
        database: Option<String>,
    },
    Skipped {
        words: String,
    },
    /// It has errors that concern a registry only.
    Unanswered {
        words: String,
    },
    Uses(Uses),
}

/// `CREATE LINK`.
#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) name_span: Range<usize>,
    /// What it makes; its uses are those of the comments before it.
    pub(crate) link: ScriptLink,
}

/// `ALTER LINK`.
#[derive(Clone, Debug)]
pub(crate) struct Alter {
    pub(crate) name: LinkName,
    pub(crate) name_span: Range<usize>,
    pub(crate) changes: Vec<(ClauseName, Change)>,
    pub(crate) comments: Comments,
}

/// What `SET` does to a clause.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Replace(LinkClause),
    Key {
        key: MappedText,
        value: ClauseLiteral,
        file: FileId,
    },
}

/// A pipeline or function by its full name.
pub(crate) type User = (UserKind, LinkName);

/// A statement that uses links.
#[derive(Debug)]
pub(crate) struct Uses {
    pub(crate) words: String,
    pub(crate) user: Option<User>,
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) links: Vec<LinkUsed>,
    pub(crate) ignored: Vec<(Code, String)>,
}

/// One link of such a statement; `CHECK LINK` need not name a target.
#[derive(Debug)]
pub(crate) struct LinkUsed {
    pub(crate) name: LinkName,
    pub(crate) name_span: Range<usize>,
    pub(crate) used: Option<Use>,
}

/// What the comments before a statement say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    pub(crate) targets: Vec<Use>,
    pub(crate) ignored: Vec<(Code, String)>,
    pub(crate) deferred: bool,
}

impl Comments {
    /// Tells a link what they say about it; targets are the caller's.
    pub(crate) fn apply(&self, link: &mut ScriptLink) {
        link.deferred |= self.deferred;
        link.ignored.extend_from_slice(&self.ignored);
    }
}

impl Program {
    /// Reads the files, in this order, as one script.
    pub(crate) fn read(files: Vec<(String, String)>, options: &ScriptOptions) -> Self {
        let mut sources = Vec::with_capacity(files.len());
        let mut bodies = Vec::with_capacity(files.len());
        let mut errors = Faults::default();
        for (index, (name, text)) in files.into_iter().enumerate() {
            let file = FileId(index);
            let parsed = sql::read(&name, text, file);
            sources.push(parsed.source);
            bodies.push(parsed.statements);
            for error in parsed.errors {
                errors.add(file, error);
            }
        }
        let mut reader = Reader {
            sources: Arc::new(sources),
            options,
            file: FileId(0),
            database: None,
            errors,
        };
        let mut actions = Vec::new();
        for (index, statements) in bodies.into_iter().enumerate() {
            reader.file = FileId(index);
            reader.database.clone_from(&options.database);
            for statement in statements {
                actions.extend(reader.action(statement));
            }
        }
        Self {
            sources: reader.sources,
            actions,
            errors: reader.errors,
        }
    }

    /// Returns, for each CREATE and ALTER, what the rest of the script uses its link with: pipelines
    /// and functions until they are dropped, exports and backups until the link is.
    pub(crate) fn uses(&self) -> Vec<Vec<(Use, Option<User>)>> {
        struct Record<'a> {
            used: &'a Use,
            user: Option<&'a User>,
            /// How often the link was dropped before.
            life: usize,
            ended: bool,
        }
        let mut records: HashMap<&LinkName, Vec<Record<'_>>> = HashMap::new();
        let mut by_user: HashMap<&User, Vec<&LinkName>> = HashMap::new();
        let mut lives: HashMap<&LinkName, usize> = HashMap::new();
        let mut changes = Vec::new();
        for (index, action) in self.actions.iter().enumerate() {
            let ends = match &action.kind {
                ActionKind::DropUser(user) => Some(user),
                ActionKind::Uses(uses) if uses.or_replace => uses.user.as_ref(),
                _ => None,
            };
            for name in ends
                .and_then(|user| by_user.remove(user))
                .unwrap_or_default()
            {
                for record in records.get_mut(name).into_iter().flatten() {
                    record.ended |= record.user == ends;
                }
            }
            match &action.kind {
                ActionKind::Uses(uses) => {
                    let user = uses.user.as_ref();
                    if uses.if_not_exists && user.is_some_and(|user| by_user.contains_key(user)) {
                        continue;
                    }
                    for link in &uses.links {
                        let Some(used) = &link.used else { continue };
                        if let Some(user) = user {
                            by_user.entry(user).or_default().push(&link.name);
                        }
                        let life = lives.get(&link.name).copied().unwrap_or_default();
                        records.entry(&link.name).or_default().push(Record {
                            used,
                            user,
                            life,
                            ended: false,
                        });
                    }
                }
                ActionKind::Drop { name, .. } => *lives.entry(name).or_default() += 1,
                ActionKind::Alter(_) | ActionKind::Create(_) => {
                    let name = action.kind.link();
                    let name = name.expect("they are about a link");
                    changes.push((index, name, lives.get(name).copied().unwrap_or_default()));
                }
                _ => {}
            }
        }
        let mut all = vec![Vec::new(); self.actions.len()];
        for (index, name, life) in changes {
            let known = records.get(name).into_iter().flatten();
            let known = known.filter(|it| !it.ended && (it.user.is_some() || it.life == life));
            all[index] = known
                .map(|record| (record.used.clone(), record.user.cloned()))
                .collect();
        }
        all
    }

    /// Returns the links that are created or altered, in alphabetical order.
    pub(crate) fn changed_links(&self) -> Vec<LinkName> {
        let changed = |action: &Action| {
            let changes = matches!(action.kind, ActionKind::Alter(_) | ActionKind::Create(_));
            action.kind.link().filter(|_| changes).cloned()
        };
        let mut names: Vec<LinkName> = self.actions.iter().filter_map(changed).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Adds a target to the statements that create or alter a link.
    pub(crate) fn add_target(
        &mut self,
        link: &str,
        target: &Target,
        intent: Intent,
    ) -> Result<(), UnknownLink> {
        let names = self.changed_links();
        let name = super::named(link, &names)?.clone();
        for action in &mut self.actions {
            let used = Use::new(target.clone(), intent);
            match &mut action.kind {
                ActionKind::Alter(alter) if alter.name == name => alter.comments.targets.push(used),
                ActionKind::Create(create) if create.link.name == name => {
                    create.link.uses.push(used);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Action {
    /// Returns its first words, in upper case.
    pub(crate) fn words(&self) -> String {
        let words = match &self.kind {
            ActionKind::Alter(_) => "ALTER LINK",
            ActionKind::Broken(_) | ActionKind::Unanswered { .. } => "",
            ActionKind::Create(create) if create.or_replace => "CREATE OR REPLACE LINK",
            ActionKind::Create(_) => "CREATE LINK",
            ActionKind::Drop { .. } => "DROP LINK",
            ActionKind::DropUser((kind, _)) => return format!("DROP {}", kind.as_str()),
            ActionKind::Skipped { words } => words,
            ActionKind::Check(uses) | ActionKind::Uses(uses) => &uses.words,
            kind => words(kind).unwrap_or_default(),
        };
        words.to_owned()
    }
}

impl ActionKind {
    /// Returns the link that a statement makes, changes or shows.
    pub(crate) fn link(&self) -> Option<&LinkName> {
        match self {
            Self::Alter(alter) => Some(&alter.name),
            Self::Broken(link) => link.as_ref().map(|(name, _)| name),
            Self::Create(create) => Some(&create.link.name),
            Self::Drop { name, .. } | Self::ShowCreate { name, .. } => Some(name),
            Self::Check(uses) => uses.links.first().map(|link| &link.name),
            Self::DropUser(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::Select(_)
            | Self::ShowGrants { .. }
            | Self::ShowLinks { .. }
            | Self::Skipped { .. }
            | Self::Unanswered { .. }
            | Self::Uses(_) => None,
        }
    }
}

impl Faults {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn add(&mut self, file: FileId, error: SyntaxError) {
        self.list.push((file, error));
    }

    /// Records variables that nothing fills.
    pub(crate) fn unbound(&mut self, file: FileId, span: Range<usize>, name: Option<&str>) {
        if !self.unbound.insert((file, span.start)) {
            return;
        }
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
        self.add(file, error);
    }

    /// Leaves out what concerns a registry only.
    pub(crate) fn without_unanswered(mut self) -> Self {
        self.list.retain(|(_, error)| !error.unanswered);
        self
    }

    /// Returns them in the order of the text.
    pub(crate) fn located(mut self, sources: &[SourceFile]) -> Vec<ScriptError> {
        self.list
            .sort_by_key(|(file, error)| (file.0, error.span.start));
        self.list
            .into_iter()
            .map(|(file, error)| located(error, &sources[file.0]))
            .collect()
    }
}

/// The state between two statements.
struct Reader<'a> {
    sources: Arc<Vec<SourceFile>>,
    options: &'a ScriptOptions,
    file: FileId,
    database: Option<String>,
    errors: Faults,
}

impl Reader<'_> {
    /// Fills in one statement; `USE` leaves nothing to do.
    fn action(&mut self, statement: Statement) -> Option<Action> {
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
            Value::String(text) if text.expose() == REDACTED_VALUE => {
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

pub(crate) fn located(error: SyntaxError, source: &SourceFile) -> ScriptError {
    let SyntaxError {
        code,
        message,
        hint,
        expected,
        span,
        unanswered: _,
    } = error;
    ScriptError {
        code,
        message,
        hint,
        expected,
        place: source.place(span.start),
        excerpt: source.excerpt(&span),
    }
}

/// Statements that are passed over, those of the same words counted as one.
#[derive(Debug, Default)]
pub(crate) struct SkipList {
    list: Vec<(FileId, usize, Skipped)>,
    index: HashMap<String, usize>,
}

impl SkipList {
    /// Counts a statement.
    pub(crate) fn skip(&mut self, place: Place, file: FileId, at: usize, words: String) {
        if let Some(&index) = self.index.get(&words) {
            self.list[index].2.count += 1;
            return;
        }
        self.index.insert(words.clone(), self.list.len());
        let skipped = Skipped {
            statement: words,
            count: 1,
            place,
            warning: None,
        };
        self.list.push((file, at, skipped));
    }

    /// Adds what deserves a look.
    pub(crate) fn warn(&mut self, file: FileId, at: usize, skipped: Skipped) {
        self.list.push((file, at, skipped));
    }

    /// Returns them in the order of the text.
    pub(crate) fn into_list(mut self) -> Vec<Skipped> {
        self.list.sort_by_key(|(file, at, _)| (file.0, *at));
        self.list
            .into_iter()
            .map(|(_, _, skipped)| skipped)
            .collect()
    }
}

/// The words of a statement that only a registry answers.
pub(crate) fn words(kind: &ActionKind) -> Option<&'static str> {
    match kind {
        ActionKind::Grant(_) => Some("GRANT"),
        ActionKind::Revoke(_) => Some("REVOKE"),
        ActionKind::Select(_) => Some("SELECT FROM information_schema.LINKS"),
        ActionKind::ShowCreate { .. } => Some("SHOW CREATE LINK"),
        ActionKind::ShowGrants { .. } => Some("SHOW GRANTS"),
        ActionKind::ShowLinks { .. } => Some("SHOW LINKS"),
        _ => None,
    }
}
