//! Statements that use links: what they use is dialled and kept with the link.

use std::ops::Range;

use linkdial_core::LinkName;

use super::Outcome;
use super::links::{Candidate, conflict, covers, database, not_reached, opened, stored_target};
use super::session::{At, Done, Session, Stop};
use crate::registry::{Action, Known, Permission, RegistryError, StoredTarget};
use crate::script::action::{LinkUsed, User, Uses};

/// A failure with the link it is about.
type Failed = (Option<LinkName>, Stop);

impl Session<'_> {
    pub(super) fn use_links(&mut self, at: &At, uses: Uses) -> Result<Vec<Done>, Failed> {
        let mut all = Vec::new();
        let Uses {
            user,
            or_replace,
            if_not_exists,
            links,
            ignored,
            ..
        } = uses;
        if let Some(user) = &user {
            let used = self.used_by(user).map_err(|stop| (None, stop))?;
            if if_not_exists && !used.is_empty() {
                let done = Done::new(Outcome::Unchanged);
                return Ok(vec![done.note("it exists already, so it was not dialled")]);
            }
            if or_replace {
                for name in used {
                    self.take_back(user, &name, &links, &at.span)
                        .map_err(|stop| (Some(name), stop))?;
                }
            }
        }
        for link in links {
            let name = link.name.clone();
            let done = self.use_link(at, link, user.as_ref(), &ignored);
            all.extend(done.map_err(|stop| (Some(name), stop))?);
        }
        Ok(all)
    }

    fn use_link(
        &mut self,
        at: &At,
        link: LinkUsed,
        user: Option<&User>,
        ignored: &[(linkdial_core::Code, String)],
    ) -> Result<Option<Done>, Stop> {
        let LinkUsed {
            name,
            name_span,
            used,
        } = link;
        let place = database(&name, &name_span)?;
        self.permit(Permission::ShowLink, place, &name_span)?;
        let known = self.known(&name)?;
        let Some(stored) = &known.link else {
            if self.refused.contains(&name) {
                return Ok(Some(not_reached(&name)));
            }
            self.warn(at, format!("the registry holds no link `{name}`"));
            return Ok(None);
        };
        let Some(used) = used else { return Ok(None) };
        let done = Done {
            kind: Some(stored.kind),
            ..Done::new(Outcome::Unchanged).link(&name)
        };
        let target = stored_target(&used, user.cloned());
        if known.targets.contains(&target) {
            return Ok(Some(done));
        }
        let covered = known.targets.iter().any(|known| covers(known, &used));
        let mut targets = known.targets.clone();
        targets.push(target);
        if covered {
            self.keep_targets(&name, &known, targets, &name_span)?;
            return Ok(Some(Done {
                outcome: Outcome::Registered,
                ..done.note("this target was dialled before")
            }));
        }
        let mut candidate = opened(stored);
        candidate.ignored.extend_from_slice(ignored);
        candidate.uses = vec![used];
        let candidate = Candidate {
            link: candidate,
            action: Action::Targets,
            targets,
            expected: Some(stored.revision),
            state: Some(stored.state.clone()),
            notes: Vec::new(),
        };
        self.dial_and_store(at, candidate).map(Some)
    }

    /// `DROP PIPELINE` and `DROP FUNCTION`; one that uses no link is passed over.
    pub(super) fn drop_user(&mut self, at: &At, user: &User) -> Result<Vec<Done>, Stop> {
        let names = self.used_by(user)?;
        if names.is_empty() {
            let place = self.sources[at.file.0].place(at.span.start);
            self.skipped
                .skip(place, at.file, at.span.start, at.words.clone());
            return Ok(Vec::new());
        }
        for name in &names {
            let place = database(name, &at.span)?;
            self.permit(Permission::ShowLink, place, &at.span)?;
        }
        let mut all = Vec::new();
        for name in names {
            self.take_back(user, &name, &[], &at.span)?;
            all.push(
                Done::new(Outcome::Dropped)
                    .link(&name)
                    .note("its target is taken back"),
            );
        }
        Ok(all)
    }

    /// Returns the links that a pipeline or function uses.
    fn used_by(&self, user: &User) -> Result<Vec<LinkName>, Stop> {
        let mut names = self.registry.links_of_user(user.0, &user.1)?;
        let uses = |known: &Known| {
            known
                .targets
                .iter()
                .any(|it| it.user.as_ref() == Some(user))
        };
        names.retain(|name| self.planned.get(name).is_none_or(uses));
        for (name, known) in &self.planned {
            if uses(known) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Takes the targets of a pipeline or function from a link, but not what it goes on using.
    fn take_back(
        &mut self,
        user: &User,
        name: &LinkName,
        kept: &[LinkUsed],
        span: &Range<usize>,
    ) -> Result<(), Stop> {
        let known = self.known(name)?;
        let stays = |target: &StoredTarget| {
            target.user.as_ref() != Some(user)
                || kept.iter().any(|link| {
                    let used = link.used.as_ref();
                    link.name == *name
                        && used
                            .is_some_and(|used| stored_target(used, Some(user.clone())) == *target)
                })
        };
        let left: Vec<StoredTarget> = known
            .targets
            .iter()
            .filter(|it| stays(it))
            .cloned()
            .collect();
        if left.len() == known.targets.len() {
            return Ok(());
        }
        self.keep_targets(name, &known, left, span)
    }

    /// Stores other targets for a link, or for one that is gone.
    fn keep_targets(
        &mut self,
        name: &LinkName,
        known: &Known,
        targets: Vec<StoredTarget>,
        span: &Range<usize>,
    ) -> Result<(), Stop> {
        if self.options.plan {
            let link = known.link.clone();
            let damaged = known.damaged;
            let known = Known {
                link,
                damaged,
                targets,
            };
            self.planned.insert(name.clone(), known);
            return Ok(());
        }
        let expected = known.link.as_ref().map(|stored| stored.revision);
        let entry = self.entry(Action::Targets, name);
        match self.registry.set_targets(name, expected, &targets, &entry) {
            Ok(_) => Ok(()),
            Err(RegistryError::Conflict(_)) => Err(conflict(name, span)),
            Err(error) => Err(error.into()),
        }
    }
}
