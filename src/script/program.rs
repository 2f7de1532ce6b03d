//! A script as a list of actions, before the first one runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use linkdial_core::{Intent, LinkName, Target};

use super::action::{Action, ActionKind, User, full};
use super::faults::Faults;
use super::reader::Reader;
use super::{ScriptOptions, UnknownLink, Use};
use crate::sql;
use crate::sql::source::{FileId, SourceFile};

/// A use with the pipeline or function that it lasts as long as.
pub(crate) type UseBy = (Use, Option<User>);

/// A script that is read and not yet run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) sources: Arc<Vec<SourceFile>>,
    pub(crate) actions: Vec<Action>,
    /// What does not parse, and variables that nothing fills.
    pub(crate) errors: Faults,
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
    pub(crate) fn uses(&self) -> Vec<Arc<[UseBy]>> {
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
        let nothing: Arc<[UseBy]> = Arc::default();
        let mut all = vec![nothing; self.actions.len()];
        // Statements about one link between two DROPs share a list.
        let mut lists: HashMap<(&LinkName, usize), Arc<[UseBy]>> = HashMap::new();
        for (index, name, life) in changes {
            let list = lists.entry((name, life)).or_insert_with(|| {
                let known = records.get(name).into_iter().flatten();
                let known = known.filter(|it| !it.ended && (it.user.is_some() || it.life == life));
                let list = known.map(|record| {
                    let user = record.user.map(|user| full(user, Some(name)));
                    (record.used.clone(), user)
                });
                list.collect()
            });
            all[index] = Arc::clone(list);
        }
        all
    }

    /// Returns the pipelines and functions that the script makes or drops: what a registry remembers
    /// of them does not count.
    pub(crate) fn decided_users(&self) -> HashSet<User> {
        let users = self.actions.iter().filter_map(|action| match &action.kind {
            ActionKind::DropUser(user) => Some(user.clone()),
            ActionKind::Uses(uses) if !uses.if_not_exists => {
                let link = uses.links.first().map(|link| &link.name);
                uses.user.as_ref().map(|user| full(user, link))
            }
            _ => None,
        });
        users.collect()
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
