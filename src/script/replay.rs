//! Runs a script in memory: what it leaves defined, and what is wrong with it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use linkdial_core::{Code, Definition, LinkName, Target};

use super::action::{Action, ActionKind, Alter, Create, LinkUsed, Uses, words};
use super::definitions;
use super::faults::{Faults, SkipList};
use super::link_clause::same;
use super::near_names::NearNames;
use super::program::Program;
use super::uses::UseList;
use super::{BrokenLink, Script, ScriptLink, ScriptOptions, Skipped};
use crate::sql::error::SyntaxError;
use crate::sql::source::{FileId, SourceFile};

/// Reads and replays the files.
pub(crate) fn replay(files: Vec<(String, String)>, options: &ScriptOptions) -> Script {
    let Program {
        sources,
        actions,
        errors,
    } = Program::read(files, options);
    let mut replay = Replay {
        sources,
        options,
        file: FileId(0),
        links: Vec::new(),
        index: HashMap::new(),
        bare: HashMap::new(),
        folded: HashMap::new(),
        broken: HashSet::new(),
        statements: Vec::new(),
        created: HashSet::new(),
        uses: UseList::default(),
        errors,
        doubts: Vec::new(),
        skipped: SkipList::default(),
    };
    for action in actions {
        replay.action(action);
    }
    replay.finish()
}

/// A statement about a link that was not defined when it ran.
struct Doubt {
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
struct Replay<'a> {
    sources: Arc<Vec<SourceFile>>,
    options: &'a ScriptOptions,
    file: FileId,
    /// A slot is empty when its link was dropped or replaced.
    links: Vec<Option<ScriptLink>>,
    index: HashMap<LinkName, usize>,
    /// Defined links by the name without its database.
    bare: HashMap<String, Vec<LinkName>>,
    /// Every name that was created, by its lower-case form.
    folded: HashMap<String, LinkName>,
    /// Links whose statement has errors: their uses are no slip.
    broken: HashSet<LinkName>,
    statements: Vec<BrokenLink>,
    created: HashSet<LinkName>,
    uses: UseList,
    errors: Faults,
    doubts: Vec<Doubt>,
    skipped: SkipList,
}

impl Replay<'_> {
    fn action(&mut self, action: Action) {
        let Action { file, span, kind } = action;
        self.file = file;
        if let Some(words) = words(&kind) {
            self.skip(words.to_owned(), span.start);
            return;
        }
        match kind {
            ActionKind::Alter(alter) => self.alter(alter),
            ActionKind::Broken(name) => {
                if let Some((name, creates)) = name {
                    if creates {
                        self.statements.push(BrokenLink {
                            name: name.clone(),
                            file,
                            statement: span,
                        });
                    }
                    let slot = if creates {
                        self.index.get(&name).copied()
                    } else {
                        self.find(&name)
                    };
                    self.leave_out(name, slot);
                }
            }
            ActionKind::Check(uses) | ActionKind::Uses(uses) => self.take_uses(uses),
            ActionKind::Create(create) => self.create(*create),
            ActionKind::Drop {
                name,
                name_span,
                if_exists,
            } => self.drop_link(name, &name_span, if_exists),
            ActionKind::DropUser(user) => self.uses.drop_user(&user),
            ActionKind::Skipped { words } | ActionKind::Unanswered { words } => {
                self.skip(words, span.start);
            }
            // These have words of their own.
            ActionKind::Grant(_)
            | ActionKind::Revoke(_)
            | ActionKind::Select(_)
            | ActionKind::ShowCreate { .. }
            | ActionKind::ShowGrants { .. }
            | ActionKind::ShowLinks { .. } => {}
        }
    }

    fn create(&mut self, create: Create) {
        let Create {
            or_replace,
            if_not_exists,
            name_span,
            mut link,
        } = create;
        let name = link.name.clone();
        self.warn_about_case(&name, &name_span);
        self.created.insert(name.clone());
        let targets = std::mem::take(&mut link.uses);
        if let Some(&slot) = self.index.get(&name) {
            let existing = if if_not_exists {
                Existing::Identical
            } else {
                self.existing(slot, &name_span, or_replace, &link)
            };
            match existing {
                Existing::Forbids => return,
                Existing::Identical => {
                    if let Some(known) = &mut self.links[slot] {
                        known.deferred |= link.deferred;
                        known.ignored.extend(link.ignored);
                    }
                    for target in targets {
                        self.uses.add(name.clone(), target, None);
                    }
                    return;
                }
                Existing::Gives => {}
            }
        }
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
        for target in targets {
            self.uses.add(name.clone(), target, None);
        }
    }

    /// Compares a CREATE with the link that is there.
    fn existing(
        &mut self,
        slot: usize,
        name: &Range<usize>,
        or_replace: bool,
        link: &ScriptLink,
    ) -> Existing {
        let Some(old) = &self.links[slot] else {
            return Existing::Gives;
        };
        let Definition {
            kind,
            config,
            credentials,
        } = &link.definition;
        let same_kind = old.definition.kind == *kind;
        if or_replace && same_kind {
            return Existing::Gives;
        }
        if same_kind
            && old.description == link.description
            && same(&old.definition.config, config)
            && same(&old.definition.credentials, credentials)
        {
            return Existing::Identical;
        }
        let full = &old.name;
        let first = old.place.as_ref();
        let first = first.map_or_else(String::new, |place| {
            format!("; it was created at {} line {}", place.file, place.line)
        });
        let error = if or_replace {
            SyntaxError::new(
                Code::SqlKindChange,
                name.clone(),
                format!(
                    "link `{full}` is {} and cannot become {kind}",
                    old.definition.kind
                ),
            )
            .hint(format!("drop it first{first}"))
        } else {
            SyntaxError::new(
                Code::SqlLinkExists,
                name.clone(),
                format!("link `{full}` was created before with another definition"),
            )
            .hint(format!(
                "write CREATE OR REPLACE LINK, or another name{first}"
            ))
        };
        self.errors.add(self.file, error);
        Existing::Forbids
    }

    fn alter(&mut self, alter: Alter) {
        let Some(slot) = self.find(&alter.name) else {
            self.doubt("ALTER LINK", alter.name, &alter.name_span, false);
            return;
        };
        let Some(mut link) = self.links[slot].take() else {
            return;
        };
        let targets = alter.comments.targets.clone();
        let variables = &self.options.variables;
        let name = link.name.clone();
        if definitions::alter(&mut link, alter, variables, &mut self.errors) {
            self.links[slot] = Some(link);
            for target in targets {
                self.uses.add(name.clone(), target, None);
            }
        } else {
            self.forget(&name);
            self.broken.insert(name);
        }
    }

    fn drop_link(&mut self, name: LinkName, span: &Range<usize>, if_exists: bool) {
        let Some(slot) = self.find(&name) else {
            if !if_exists {
                self.doubt("DROP LINK", name, span, true);
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

    fn forget(&mut self, name: &LinkName) {
        self.index.remove(name);
        if let Some(names) = self.bare.get_mut(&name.name) {
            names.retain(|known| known != name);
        }
    }

    /// Finds a defined link. A side that does not know its database fits the one of that name.
    fn find(&self, name: &LinkName) -> Option<usize> {
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

    fn take_uses(&mut self, uses: Uses) {
        if let Some(user) = &uses.user {
            if uses.if_not_exists && self.uses.has(user) {
                return;
            }
            if uses.or_replace {
                self.uses.drop_user(user);
            }
        }
        for link in uses.links {
            let LinkUsed {
                name,
                name_span,
                used,
            } = link;
            if let Some(slot) = self.find(&name) {
                if let Some(link) = &mut self.links[slot] {
                    link.ignored.extend_from_slice(&uses.ignored);
                }
            } else {
                self.doubt(&uses.words, name.clone(), &name_span, false);
            }
            if let Some(used) = used {
                self.uses.add(name, used, uses.user.as_ref());
            }
        }
    }

    fn skip(&mut self, words: String, at: usize) {
        let place = self.sources[self.file.0].place(at);
        self.skipped.skip(place, self.file, at, words);
    }

    fn warn(&mut self, file: FileId, at: usize, statement: String, count: u32, warning: String) {
        let skipped = Skipped {
            statement,
            count,
            place: self.sources[file.0].place(at),
            warning: Some(warning),
        };
        self.skipped.warn(file, at, skipped);
    }

    fn doubt(&mut self, words: &str, link: LinkName, span: &Range<usize>, drops: bool) {
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
                warning,
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
            self.warn(file, span.start, words, 1, warning);
        }
        self.attach_uses();
        let sources = &self.sources;
        Script {
            errors: self.errors.without_unanswered().located(sources),
            links: self.links.into_iter().flatten().collect(),
            skipped: self.skipped.into_list(),
            broken: self.statements,
            options: self.options.clone(),
            sources: Arc::clone(&self.sources),
        }
    }

    /// Gives each link its uses; those of one target, and of no two registries, become one.
    fn attach_uses(&mut self) {
        let mut known: HashMap<(usize, Target), Vec<usize>> = HashMap::new();
        for (name, taken) in std::mem::take(&mut self.uses).into_uses() {
            let Some(slot) = self.find(&name) else {
                continue;
            };
            let Some(link) = &mut self.links[slot] else {
                continue;
            };
            let known = known.entry((slot, taken.target.clone())).or_default();
            let mut same = known.iter().copied();
            if let Some(index) = same.find(|index| link.uses[*index].goes_with(&taken)) {
                link.uses[index].join(taken);
            } else {
                known.push(link.uses.len());
                link.uses.push(taken);
            }
        }
    }
}
