//! Runs a script in memory: what it leaves defined, and what is wrong with it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use linkdial_core::{Code, Definition, LinkName, Target};

use super::link_clause::{LinkClause, same};
use super::near_names::NearNames;
use super::uses::UseList;
use super::{Origin, Script, ScriptError, ScriptLink, ScriptOptions, Skipped, Use};
use crate::sql;
use crate::sql::ast::{CreateLink, Directive, DirectiveKind, Name, Statement, StatementKind, Uses};
use crate::sql::error::SyntaxError;
use crate::sql::source::{FileId, SourceFile};

/// Reads and replays the files.
pub(crate) fn replay(files: Vec<(String, String)>, options: &ScriptOptions) -> Script {
    let mut sources = Vec::with_capacity(files.len());
    let mut bodies = Vec::with_capacity(files.len());
    let mut errors = Vec::new();
    for (index, (name, text)) in files.into_iter().enumerate() {
        let file = FileId(index);
        let parsed = sql::read(&name, text, file);
        sources.push(parsed.source);
        bodies.push(parsed.statements);
        errors.extend(parsed.errors.into_iter().map(|error| (file, error)));
    }
    let mut replay = Replay {
        sources: Arc::new(sources),
        options,
        file: FileId(0),
        database: None,
        links: Vec::new(),
        index: HashMap::new(),
        bare: HashMap::new(),
        folded: HashMap::new(),
        broken: HashSet::new(),
        created: HashSet::new(),
        uses: UseList::default(),
        errors,
        doubts: Vec::new(),
        unbound: HashSet::new(),
        skipped: Vec::new(),
        skipped_index: HashMap::new(),
    };
    for (index, statements) in bodies.into_iter().enumerate() {
        replay.file = FileId(index);
        replay.database.clone_from(&options.database);
        for statement in statements {
            replay.statement(statement);
        }
    }
    replay.finish()
}

/// A statement about a link that was not defined when it ran.
pub(super) struct Doubt {
    words: String,
    link: LinkName,
    file: FileId,
    span: Range<usize>,
    /// A DROP before the CREATE clears the way and is no slip.
    drops: bool,
}

/// What a link that is there means for a CREATE of the same name.
enum Existing {
    Forbids,
    Gives,
    Identical,
}

/// The state between two statements.
pub(super) struct Replay<'a> {
    pub(super) sources: Arc<Vec<SourceFile>>,
    pub(super) options: &'a ScriptOptions,
    pub(super) file: FileId,
    pub(super) database: Option<String>,
    /// A slot is empty when its link was dropped or replaced.
    pub(super) links: Vec<Option<ScriptLink>>,
    pub(super) index: HashMap<LinkName, usize>,
    /// Defined links by the name without its database.
    pub(super) bare: HashMap<String, Vec<LinkName>>,
    /// Every name that was created, by its lower-case form.
    pub(super) folded: HashMap<String, LinkName>,
    /// Links whose statement has errors: their uses are no slip.
    pub(super) broken: HashSet<LinkName>,
    pub(super) created: HashSet<LinkName>,
    pub(super) uses: UseList,
    pub(super) errors: Vec<(FileId, SyntaxError)>,
    pub(super) doubts: Vec<Doubt>,
    /// Places of variables that were reported.
    pub(super) unbound: HashSet<(FileId, usize)>,
    pub(super) skipped: Vec<(FileId, usize, Skipped)>,
    pub(super) skipped_index: HashMap<String, usize>,
}

impl Replay<'_> {
    fn statement(&mut self, statement: Statement) {
        let Statement {
            span,
            kind,
            directives,
        } = statement;
        match kind {
            StatementKind::AlterLink(alter) => self.alter(alter, directives),
            StatementKind::Broken(name) => {
                if let Some(name) = name {
                    let name = self.resolve(&name);
                    let text = self.sources[self.file.0].text().get(span);
                    let creates = text.is_some_and(is_create);
                    let slot = if creates {
                        self.index.get(&name).copied()
                    } else {
                        self.find(&name)
                    };
                    self.leave_out(name, slot);
                }
            }
            StatementKind::CreateLink(create) => self.create(create, &span, directives),
            StatementKind::DropLink { name, if_exists } => {
                self.misplaced(directives);
                self.drop_link(&name, if_exists);
            }
            StatementKind::DropUser(user) => {
                self.misplaced(directives);
                let name = user.name.resolve(self.database.as_deref());
                self.uses.drop_user(&(user.kind, name));
            }
            StatementKind::Skipped { words } => {
                self.misplaced(directives);
                self.skip(words, span.start);
            }
            StatementKind::CheckLink { .. }
            | StatementKind::Grant(_)
            | StatementKind::Revoke(_)
            | StatementKind::SelectLinks(_)
            | StatementKind::ShowCreateLink { .. }
            | StatementKind::ShowGrants { .. }
            | StatementKind::ShowLinks { .. } => {
                self.misplaced(directives);
                self.skip("SHOW LINKS".to_owned(), span.start);
            }
            StatementKind::Use { database } => {
                self.misplaced(directives);
                self.database = Some(database);
            }
            StatementKind::Uses(uses) => self.take_uses(uses, directives),
        }
    }

    pub(super) fn resolve(&self, name: &Name) -> LinkName {
        name.resolve(self.database.as_deref())
    }

    fn create(&mut self, create: CreateLink, span: &Range<usize>, directives: Vec<Directive>) {
        let name = self.resolve(&create.name);
        self.warn_about_case(&name, &create.name.span);
        let Some((definition, config, credentials)) =
            self.define(create.kind, create.config, create.credentials)
        else {
            let slot = self.index.get(&name).copied();
            self.leave_out(name, slot);
            return;
        };
        self.created.insert(name.clone());
        if let Some(&slot) = self.index.get(&name) {
            if create.if_not_exists {
                self.apply_directives(&name, directives);
                return;
            }
            match self.existing(slot, &create.name, create.or_replace, &definition) {
                Existing::Forbids => return,
                Existing::Identical => {
                    self.apply_directives(&name, directives);
                    return;
                }
                Existing::Gives => {}
            }
        }
        let source = &self.sources[self.file.0];
        let link = ScriptLink {
            place: source.place(span.start),
            name: name.clone(),
            definition,
            uses: Vec::new(),
            ignored: Vec::new(),
            deferred: false,
            secrets: Vec::new(),
            origin: Origin {
                sources: Arc::clone(&self.sources),
                file: self.file,
                header: span.start..create.name.span.end,
                config,
                credentials,
            },
        };
        if let Some(slot) = self.index.get(&name).copied() {
            // Its comments were about the statement that is replaced.
            self.links[slot] = None;
        } else {
            self.bare
                .entry(name.name.clone())
                .or_default()
                .push(name.clone());
        }
        self.index.insert(name.clone(), self.links.len());
        self.links.push(Some(link));
        self.broken.remove(&name);
        self.apply_directives(&name, directives);
    }

    /// Compares a CREATE with the link that is there.
    fn existing(
        &mut self,
        slot: usize,
        name: &Name,
        or_replace: bool,
        definition: &Definition,
    ) -> Existing {
        let Some(old) = &self.links[slot] else {
            return Existing::Gives;
        };
        let Definition {
            kind,
            config,
            credentials,
        } = definition;
        let same_kind = old.definition.kind == *kind;
        if or_replace && same_kind {
            return Existing::Gives;
        }
        if same_kind
            && same(&old.definition.config, config)
            && same(&old.definition.credentials, credentials)
        {
            return Existing::Identical;
        }
        let full = &old.name;
        let first = format!("{} line {}", old.place.file, old.place.line);
        let error = if or_replace {
            SyntaxError::new(
                Code::SqlKindChange,
                name.span.clone(),
                format!(
                    "link `{full}` is {} and cannot become {kind}",
                    old.definition.kind
                ),
            )
            .hint(format!("drop it first; it was created at {first}"))
        } else {
            SyntaxError::new(
                Code::SqlLinkExists,
                name.span.clone(),
                format!("link `{full}` was created before with another definition"),
            )
            .hint(format!(
                "write CREATE OR REPLACE LINK, or another name; it was created at {first}"
            ))
        };
        self.errors.push((self.file, error));
        Existing::Forbids
    }

    fn drop_link(&mut self, name: &Name, if_exists: bool) {
        let full = self.resolve(name);
        let Some(slot) = self.find(&full) else {
            if !if_exists {
                self.doubt("DROP LINK", full, &name.span, true);
            }
            return;
        };
        if let Some(link) = self.links[slot].take() {
            self.uses.drop_link(&link.name);
            self.forget(&link.name);
        }
    }

    /// Takes out a link that a broken statement is about: what it would be is not known, and its
    /// definition from before may not be shown as if it still held.
    fn leave_out(&mut self, name: LinkName, slot: Option<usize>) {
        if let Some(link) = slot.and_then(|slot| self.links[slot].take()) {
            self.forget(&link.name);
            self.broken.insert(link.name);
        }
        self.broken.insert(name);
    }

    pub(super) fn forget(&mut self, name: &LinkName) {
        self.index.remove(name);
        if let Some(names) = self.bare.get_mut(&name.name) {
            names.retain(|known| known != name);
        }
    }

    /// Finds a defined link. A side that does not know its database fits the one of that name.
    pub(super) fn find(&self, name: &LinkName) -> Option<usize> {
        if let Some(slot) = self.index.get(name) {
            return Some(*slot);
        }
        let known = self.bare.get(&name.name)?;
        let mut fitting = known
            .iter()
            .filter(|known| known.database.is_none() || name.database.is_none());
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => self.index.get(only).copied(),
            _ => None,
        }
    }

    fn take_uses(&mut self, uses: Uses, directives: Vec<Directive>) {
        let user = uses.user.map(|user| (user.kind, self.resolve(&user.name)));
        if let Some(user) = &user {
            if uses.if_not_exists && self.uses.has(user) {
                return;
            }
            if uses.or_replace {
                self.uses.drop_user(user);
            }
        }
        let source = Arc::clone(&self.sources);
        let source = &source[self.file.0];
        let mut names = Vec::new();
        for link in uses.links {
            let name = self.resolve(&link.link);
            if self.find(&name).is_none() {
                self.doubt(&uses.words, name.clone(), &link.link.span, false);
            }
            let taken = Use {
                target: link.target,
                intent: link.intent,
                place: Some(source.place(link.target_span.start)),
                format: link.format,
                registry: link.registry,
                span: Some((self.file, link.target_span)),
            };
            self.uses.add(name.clone(), taken, user.as_ref());
            names.push(name);
        }
        let mut misplaced = Vec::new();
        for directive in directives {
            if let DirectiveKind::Ignore { code, reason } = &directive.kind {
                for name in &names {
                    if let Some(slot) = self.find(name)
                        && let Some(link) = &mut self.links[slot]
                    {
                        link.ignored.push((*code, reason.clone()));
                    }
                }
            } else {
                misplaced.push(directive);
            }
        }
        self.misplaced(misplaced);
    }

    pub(super) fn apply_directives(&mut self, name: &LinkName, directives: Vec<Directive>) {
        for directive in directives {
            match directive.kind {
                DirectiveKind::Deferred => {
                    if let Some(link) = self.link_mut(name) {
                        link.deferred = true;
                    }
                }
                DirectiveKind::Ignore { code, reason } => {
                    if let Some(link) = self.link_mut(name) {
                        link.ignored.push((code, reason));
                    }
                }
                DirectiveKind::Target {
                    target,
                    target_span,
                    intent,
                } => {
                    let place = self.sources[self.file.0].place(target_span.start);
                    let taken = Use {
                        place: Some(place),
                        span: Some((self.file, target_span)),
                        ..Use::new(target, intent)
                    };
                    self.uses.add(name.clone(), taken, None);
                }
            }
        }
    }

    fn link_mut(&mut self, name: &LinkName) -> Option<&mut ScriptLink> {
        let slot = *self.index.get(name)?;
        self.links[slot].as_mut()
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
            self.errors.push((self.file, error));
        }
    }

    fn skip(&mut self, words: String, at: usize) {
        if let Some(&index) = self.skipped_index.get(&words) {
            self.skipped[index].2.count += 1;
            return;
        }
        self.skipped_index.insert(words.clone(), self.skipped.len());
        self.warn(self.file, at, words, 1, None);
    }

    fn warn(
        &mut self,
        file: FileId,
        at: usize,
        statement: String,
        count: u32,
        warning: Option<String>,
    ) {
        let place = self.sources[file.0].place(at);
        self.skipped.push((
            file,
            at,
            Skipped {
                statement,
                count,
                place,
                warning,
            },
        ));
    }

    pub(super) fn doubt(&mut self, words: &str, link: LinkName, span: &Range<usize>, drops: bool) {
        if self.broken.contains(&link) {
            return;
        }
        self.doubts.push(Doubt {
            words: words.to_owned(),
            link,
            file: self.file,
            span: span.clone(),
            drops,
        });
    }

    fn warn_about_case(&mut self, name: &LinkName, span: &Range<usize>) {
        let folded = name.to_string().to_lowercase();
        let Some(other) = self.folded.get(&folded) else {
            self.folded.insert(folded, name.clone());
            return;
        };
        if other != name {
            let warning = format!("`{name}` and `{other}` differ only in letter case: two links");
            self.warn(
                self.file,
                span.start,
                String::from("CREATE LINK"),
                0,
                Some(warning),
            );
        }
    }

    fn finish(mut self) -> Script {
        let (created, broken) = (self.created.clone(), self.broken.clone());
        let mut names = NearNames::new(created.iter().chain(&broken));
        for doubt in std::mem::take(&mut self.doubts) {
            let Doubt {
                words,
                link,
                file,
                span,
                drops,
            } = doubt;
            let created = self.created.contains(&link) || self.broken.contains(&link);
            let warning = if created && drops {
                continue;
            } else if created {
                format!("link `{link}` is not defined at this point of the script")
            } else if let Some(other) = self.folded.get(&link.to_string().to_lowercase()) {
                format!("the script defines no link `{link}`; `{other}` differs in letter case")
            } else {
                let nearest = names
                    .nearest(&link)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                format!("the script defines no link `{link}`{nearest}")
            };
            self.warn(file, span.start, words, 1, Some(warning));
        }
        self.attach_uses();
        for link in self.links.iter_mut().flatten() {
            let clauses = [&link.origin.config, &link.origin.credentials];
            let texts = clauses.into_iter().flatten().map(LinkClause::text);
            link.secrets = texts
                .flat_map(|text| self.options.variables.secrets_of(text))
                .cloned()
                .collect();
        }
        let mut errors = self.errors;
        errors.sort_by_key(|(file, error)| (file.0, error.span.start));
        self.skipped.sort_by_key(|(file, at, _)| (file.0, *at));
        let sources = &self.sources;
        Script {
            errors: errors
                .into_iter()
                .map(|(file, error)| located(error, &sources[file.0]))
                .collect(),
            links: self.links.into_iter().flatten().collect(),
            skipped: self
                .skipped
                .into_iter()
                .map(|(_, _, skipped)| skipped)
                .collect(),
        }
    }

    /// Gives each link its uses; those of one target become one.
    fn attach_uses(&mut self) {
        let mut known: HashMap<(usize, Target), usize> = HashMap::new();
        for (name, taken) in std::mem::take(&mut self.uses).into_uses() {
            let Some(slot) = self.find(&name) else {
                continue;
            };
            let Some(link) = &mut self.links[slot] else {
                continue;
            };
            if let Some(&index) = known.get(&(slot, taken.target.clone())) {
                link.uses[index].join(taken);
            } else {
                known.insert((slot, taken.target.clone()), link.uses.len());
                link.uses.push(taken);
            }
        }
    }
}

/// Only ALTER and DROP look for a link whose database is not written.
fn is_create(statement: &str) -> bool {
    let word = statement.split_whitespace().next();
    word.is_some_and(|word| word.eq_ignore_ascii_case("CREATE"))
}

fn located(error: SyntaxError, source: &SourceFile) -> ScriptError {
    let SyntaxError {
        code,
        message,
        hint,
        expected,
        span,
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
