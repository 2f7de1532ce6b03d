//! Statements that use links: what they use is dialled and kept with the link.

use std::ops::Range;

use linkdial_core::LinkName;

use super::Outcome;
use super::candidate::Candidate;
use super::links::{conflict, covers, database, opened, revision, stored_target};
use super::session::{At, Done, Failed, Session, Stop};
use crate::registry::{Action, Known, Permission, RegistryError, State, StoredTarget};
use crate::script::action::{LinkUsed, User, Uses, full};

impl Session<'_> {
    pub(super) fn use_links(
        &mut self,
        at: &At,
        uses: Uses,
        all: &mut Vec<Done>,
    ) -> Result<(), Failed> {
        let Uses {
            user,
            if_not_exists,
            links,
            ignored,
            ..
        } = uses;
        let user = user.map(|user| full(&user, links.first().map(|link| &link.name)));
        let used = match &user {
            Some(user) => self.used_by(user).map_err(|stop| (None, stop.into()))?,
            None => Vec::new(),
        };
        if if_not_exists && !used.is_empty() {
            let done = Done::new(Outcome::Unchanged);
            all.push(done.note("it exists already, so it was not dialled"));
            return Ok(());
        }
        // Nothing is taken from a link, or dialled, for who may not use all of them.
        let touched = used.iter().map(|name| (name, &at.span));
        let touched = touched.chain(links.iter().map(|link| (&link.name, &link.name_span)));
        for (name, span) in touched {
            database(name, span)
                .and_then(|place| self.permit(Permission::ShowLink, place, span))
                .map_err(|stop| (Some(name.clone()), stop.into()))?;
        }
        for link in &links {
            let done = self.use_link(at, link, user.as_ref(), &ignored);
            all.extend(done.map_err(|stop| (Some(link.name.clone()), stop.into()))?);
        }
        // What it used before stays until all that it uses now is let in.
        let stopped = |done: &Done| matches!(done.outcome, Outcome::NotReached | Outcome::Refused);
        if let Some(user) = user
            && !all.iter().any(stopped)
        {
            for name in used {
                self.take_back(&user, &name, &links, &at.span)
                    .map_err(|stop| (Some(name), stop.into()))?;
            }
        }
        Ok(())
    }

    fn use_link(
        &mut self,
        at: &At,
        link: &LinkUsed,
        user: Option<&User>,
        ignored: &[(linkdial_core::Code, String)],
    ) -> Result<Option<Done>, Stop> {
        let LinkUsed {
            name,
            name_span,
            used,
        } = link;
        let known = self.known(name)?;
        let Some(stored) = &known.link else {
            if known.damaged.is_none() && self.is_created_later(name) {
                let warning = "is created after this statement; it is dialled there";
                self.warn(at, format!("link `{name}` {warning}"));
                return Ok(None);
            }
            return self.missing(name, name_span.clone()).map(Some);
        };
        let Some(used) = used else { return Ok(None) };
        let done = Done {
            kind: Some(stored.kind),
            ..Done::new(Outcome::Unchanged).link(name)
        };
        let target = stored_target(used, user.cloned());
        if known.targets.contains(&target) {
            return Ok(Some(if self.registered.contains(name) {
                done.note("it was dialled with its link")
            } else {
                done.state(&stored.state)
            }));
        }
        let covered = known.targets.iter().any(|known| covers(known, used));
        let mut targets = known.targets.clone();
        targets.push(target);
        if matches!(stored.state, State::Deferred { .. }) {
            self.keep_targets(name, &known, targets, name_span)?;
            return Ok(Some(Done {
                outcome: Outcome::Deferred,
                ..done.state(&stored.state)
            }));
        }
        if covered {
            self.keep_targets(name, &known, targets, name_span)?;
            return Ok(Some(Done {
                outcome: Outcome::Registered,
                ..done.note("this target was dialled before")
            }));
        }
        let mut candidate = opened(stored);
        candidate.stands_at(&self.sources, at.file, name_span.clone());
        candidate.ignored.extend_from_slice(ignored);
        candidate.uses = vec![used.clone()];
        let candidate = Candidate {
            // The comments of this statement are about its dial alone.
            ignored: stored.ignored.clone(),
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
    pub(super) fn drop_user(
        &mut self,
        at: &At,
        user: &User,
        all: &mut Vec<Done>,
    ) -> Result<(), Failed> {
        if user.1.database.is_none() {
            let stop = database(&user.1, &at.span).map(drop);
            stop.map_err(|stop| (None, stop.into()))?;
        }
        let names = self.used_by(user).map_err(|stop| (None, stop.into()))?;
        if names.is_empty() {
            let place = self.sources[at.file.0].place(at.span.start);
            self.skipped
                .skip(place, at.file, at.span.start, at.words.clone());
            return Ok(());
        }
        for name in &names {
            database(name, &at.span)
                .and_then(|place| self.permit(Permission::ShowLink, place, &at.span))
                .map_err(|stop| (Some(name.clone()), stop.into()))?;
        }
        for name in names {
            self.take_back(user, &name, &[], &at.span)
                .map_err(|stop| (Some(name.clone()), stop.into()))?;
            let done = Done::new(Outcome::Dropped).link(&name);
            all.push(done.note("its target is taken back"));
        }
        Ok(())
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
        let expected = revision(known);
        let entry = self.entry(Action::Targets, name);
        match self.registry.set_targets(name, expected, &targets, &entry) {
            Ok(_) => Ok(()),
            Err(RegistryError::Conflict(_)) => Err(conflict(name, span).into()),
            Err(error) => Err(error.into()),
        }
    }
}
