//! The run of a script: one statement after the other, and what they share.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use linkdial_core::{Code, Kind, LinkName, Settings};

use super::ahead::Ahead;
use super::{Applied, ApplyError, ApplyOptions, Ending, Event, Outcome, Statements};
use crate::dial::{Dials, Progress};
use crate::registry::{Grant, Known, Permission, Registry, RegistryError, State};
use crate::report::Check;
use crate::script::action::{Action, ActionKind, User};
use crate::script::faults::{Faults, SkipList, located};
use crate::script::program::UseBy;
use crate::script::{ScriptLink, Skipped, Variables};
use crate::sql::error::SyntaxError;
use crate::sql::source::SourceFile;
use crate::sweep::Limits;

/// Why a statement did not do what it says.
pub(super) enum Stop {
    /// It is wrong.
    Fault(SyntaxError),
    /// linkdial could not do its work.
    Failure(ApplyError),
    /// The run was stopped while it was dialled.
    Interrupted,
}

/// A failure with the link it is about.
pub(super) type Failed = (Option<LinkName>, Box<Stop>);

impl From<SyntaxError> for Stop {
    fn from(error: SyntaxError) -> Self {
        Self::Fault(error)
    }
}

impl From<ApplyError> for Stop {
    fn from(error: ApplyError) -> Self {
        Self::Failure(error)
    }
}

impl From<RegistryError> for Stop {
    fn from(error: RegistryError) -> Self {
        Self::Failure(error.into())
    }
}

/// What a statement came to, before it is told.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) link: Option<LinkName>,
    pub(super) kind: Option<Kind>,
    pub(super) notes: Vec<String>,
    pub(super) checks: Vec<Check>,
    /// What is wrong with it, found after its dials.
    pub(super) error: Option<SyntaxError>,
    /// Why linkdial could not end it.
    pub(super) failure: Option<ApplyError>,
}

impl Done {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            link: None,
            kind: None,
            notes: Vec::new(),
            checks: Vec::new(),
            error: None,
            failure: None,
        }
    }

    /// Keeps what is known of a statement that the registry did not end.
    pub(super) fn failed(self, error: RegistryError) -> Self {
        Self {
            outcome: Outcome::NotReached,
            failure: Some(error.into()),
            ..self
        }
    }

    /// Says that the link is deferred, where it is.
    pub(super) fn state(self, state: &State) -> Self {
        match state {
            State::Deferred { at, by } => self.note(format!("deferred since {at:.0} by {by}")),
            State::Verified { .. } => self,
        }
    }

    pub(super) fn link(self, link: &LinkName) -> Self {
        let link = Some(link.clone());
        Self { link, ..self }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Where a statement stands, for its errors and its line.
#[derive(Clone)]
pub(super) struct At {
    pub(super) index: usize,
    pub(super) words: String,
    pub(super) file: crate::sql::source::FileId,
    pub(super) span: Range<usize>,
}

pub(super) struct Session<'a> {
    pub(super) registry: &'a Registry,
    pub(super) options: &'a ApplyOptions,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) limits: &'a Limits,
    pub(super) on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    pub(super) sources: Arc<Vec<SourceFile>>,
    pub(super) variables: Variables,
    actions: Vec<Option<Action>>,
    /// For each CREATE and ALTER: what the rest of the script uses its link with.
    pub(super) uses: Vec<Arc<[UseBy]>>,
    ahead: Ahead,
    /// What a plan has changed so far.
    pub(super) planned: BTreeMap<LinkName, Known>,
    /// Of the user; `None` when not read yet, or changed since.
    pub(super) grants: Option<Vec<Grant>>,
    /// The link that was read last.
    last: RefCell<Option<(LinkName, Known)>>,
    /// Links that this run did not let in.
    pub(super) refused: HashSet<LinkName>,
    /// Links whose definition this run stored.
    pub(super) registered: HashSet<LinkName>,
    /// Pipelines and functions whose targets the script decides.
    pub(super) decided: HashSet<User>,
    deadline: Option<Instant>,
    faults: Faults,
    pub(super) skipped: SkipList,
    counts: [usize; Outcome::ALL.len()],
    check_failed: bool,
    broken: bool,
    started: Instant,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        statements: Statements,
        registry: &'a Registry,
        options: &'a ApplyOptions,
        settings: &'a Arc<Settings>,
        limits: &'a Limits,
        on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Self {
        let Statements { program, script } = statements;
        let (uses, decided) = (program.uses(), program.decided_users());
        let started = Instant::now();
        Self {
            registry,
            options,
            settings,
            limits,
            on_event,
            sources: program.sources,
            variables: script.variables,
            actions: program.actions.into_iter().map(Some).collect(),
            uses,
            ahead: Ahead::default(),
            planned: BTreeMap::new(),
            grants: None,
            last: RefCell::new(None),
            refused: HashSet::new(),
            registered: HashSet::new(),
            decided,
            deadline: limits.deadline.map(|limit| started + limit),
            faults: program.errors,
            skipped: SkipList::default(),
            counts: [0; Outcome::ALL.len()],
            check_failed: false,
            broken: false,
            started,
        }
    }

    pub(super) fn run(mut self) -> Ending {
        let mut failure = self.look_ahead().err();
        let mut complete = failure.is_none();
        for index in 0..self.actions.len() {
            let Some(action) = self.actions[index].take() else {
                continue;
            };
            let at = At {
                index,
                words: action.words(),
                file: action.file,
                span: action.span.clone(),
            };
            let runs = failure.is_none() && !self.is_stopped();
            if !runs {
                let counts = !matches!(
                    action.kind,
                    ActionKind::Broken(_)
                        | ActionKind::Skipped { .. }
                        | ActionKind::Unanswered { .. }
                );
                if counts {
                    complete = false;
                    let done = Done {
                        link: action.kind.link().cloned(),
                        ..Done::new(Outcome::NotReached)
                    };
                    self.tell(&at, done, None);
                }
                continue;
            }
            let mut done = Vec::new();
            let ended = self.statement(&at, action, &mut done);
            for mut done in done {
                if let Some(error) = done.failure.take() {
                    failure = Some(error);
                    complete = false;
                }
                let error = done.error.take();
                self.tell(&at, done, error);
            }
            match ended {
                Ok(()) => {}
                Err((link, stop)) => {
                    let (outcome, error) = match *stop {
                        Stop::Fault(error) => (Outcome::Error, Some(error)),
                        Stop::Failure(error) => {
                            failure = Some(error);
                            (Outcome::NotReached, None)
                        }
                        Stop::Interrupted => (Outcome::NotReached, None),
                    };
                    complete &= error.is_some();
                    let done = Done {
                        link,
                        ..Done::new(outcome)
                    };
                    self.tell(&at, done, error);
                }
            }
        }
        if failure.is_none() {
            failure = self.record_the_rest().err().map(Into::into);
        }
        let sources = &self.sources;
        Ending {
            counts: self.counts,
            errors: self.faults.located(sources),
            skipped: self.skipped.into_list(),
            check_failed: self.check_failed,
            broken: self.broken,
            complete,
            elapsed: self.started.elapsed(),
            failure,
        }
    }

    /// Adds the dials to the record that no statement was reached for.
    fn record_the_rest(&mut self) -> Result<(), RegistryError> {
        let rest = self.ahead.rest();
        if self.options.plan || rest.is_empty() {
            return Ok(());
        }
        self.registry.add_to_record(&self.dials(&rest))
    }

    /// Runs one statement; most come to one thing, one about several links to several, and what is
    /// done stays done when a later one of them fails.
    fn statement(&mut self, at: &At, action: Action, all: &mut Vec<Done>) -> Result<(), Failed> {
        let link = action.kind.link().cloned();
        let done = match action.kind {
            ActionKind::Alter(alter) => self.alter(at, alter),
            ActionKind::Broken(link) => {
                self.refused.extend(link.map(|(name, _)| name));
                return Ok(());
            }
            ActionKind::Check(uses) => self.check_link(at, uses),
            ActionKind::Create(create) => self.create(at, *create),
            ActionKind::Drop {
                name,
                name_span,
                if_exists,
            } => self.drop_link(&name, name_span, if_exists),
            ActionKind::DropUser(user) => {
                return self.drop_user(at, &user, all);
            }
            ActionKind::Grant(grants) => self.grant(at, grants),
            ActionKind::Revoke(grants) => self.revoke(at, grants),
            ActionKind::Select(select) => self.select_links(at, &select),
            ActionKind::ShowCreate { name, name_span } => {
                self.show_create_link(at, &name, name_span)
            }
            ActionKind::ShowGrants { user } => self.show_grants(at, user),
            ActionKind::ShowLinks { database } => self.show_links(at, database),
            ActionKind::Skipped { words } if words == "GRANT ALL" || words == "REVOKE ALL" => {
                self.warn(
                    at,
                    "it names no permission on links: write CREATE LINK, SHOW LINK or DROP LINK"
                        .to_owned(),
                );
                return Ok(());
            }
            ActionKind::Skipped { words } => {
                let place = self.sources[at.file.0].place(at.span.start);
                self.skipped.skip(place, at.file, at.span.start, words);
                return Ok(());
            }
            // Its errors are told with those of the text.
            ActionKind::Unanswered { .. } => return Ok(()),
            ActionKind::Uses(uses) => return self.use_links(at, uses, all),
        };
        match done {
            Ok(done) => {
                all.push(done);
                Ok(())
            }
            Err(stop) => Err((link, Box::new(stop))),
        }
    }

    /// Whether a statement that is still to come creates the link.
    pub(super) fn is_created_later(&self, name: &LinkName) -> bool {
        let mut later = self.actions.iter().flatten();
        later.any(|action| matches!(&action.kind, ActionKind::Create(it) if it.link.name == *name))
    }

    fn tell(&mut self, at: &At, done: Done, error: Option<SyntaxError>) {
        let index = Outcome::ALL.iter().position(|other| *other == done.outcome);
        if let Some(index) = index {
            self.counts[index] += 1;
        }
        let failed = |check: &Check| check.verdict() == linkdial_core::Outcome::Fail;
        self.check_failed |= done.outcome == Outcome::Checked && done.checks.iter().any(failed);
        self.broken |= done.checks.iter().any(|check| check.broken);
        let source = &self.sources[at.file.0];
        let applied = Applied {
            statement: at.words.clone(),
            link: done.link,
            kind: done.kind,
            place: source.place(at.span.start),
            outcome: done.outcome,
            error: error.map(|error| located(error, source)),
            notes: done.notes,
            checks: done.checks,
        };
        announce(self.on_event, Event::Applied(&applied));
    }

    /// Warns about a statement that is passed over.
    pub(super) fn warn(&mut self, at: &At, warning: String) {
        let skipped = Skipped {
            statement: at.words.clone(),
            count: 1,
            place: self.sources[at.file.0].place(at.span.start),
            warning: Some(warning),
        };
        self.skipped.warn(at.file, at.span.start, skipped);
    }

    fn is_stopped(&self) -> bool {
        self.limits.cancel.is_cancelled() || self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Returns what is known about a name, a plan's changes included.
    pub(super) fn known(&self, name: &LinkName) -> Result<Known, RegistryError> {
        if let Some(known) = self.planned.get(name) {
            return Ok(known.clone());
        }
        // Statements about one link often follow each other, and to open all its targets for each
        // of them takes a time of both numbers multiplied.
        let mut last = self.last.borrow_mut();
        if let Some((known_name, known)) = last.as_ref()
            && known_name == name
            && let Some(link) = &known.link
            && self.registry.revision(name)? == Some(link.revision)
        {
            return Ok(known.clone());
        }
        let known = self.registry.read(name)?;
        *last = Some((name.clone(), known.clone()));
        Ok(known)
    }

    /// Refuses what the user may not do.
    pub(super) fn permit(
        &mut self,
        permission: Permission,
        database: &str,
        span: &Range<usize>,
    ) -> Result<(), Stop> {
        if self.is_permitted(permission, database)? {
            return Ok(());
        }
        let user = &self.options.user;
        Err(SyntaxError::new(
            Code::SqlNotPermitted,
            span.clone(),
            format!(
                "user `{user}` has no permission {} in database `{database}`",
                permission.as_str()
            ),
        )
        .hint(format!(
            "root gives it with GRANT {} ON {database}.* TO '{user}'",
            permission.as_str()
        ))
        .into())
    }

    pub(super) fn is_permitted(
        &mut self,
        permission: Permission,
        database: &str,
    ) -> Result<bool, RegistryError> {
        if self.options.user == Registry::ROOT {
            return Ok(true);
        }
        if self.grants.is_none() {
            self.grants = Some(self.registry.grants(&self.options.user)?);
        }
        let mut grants = self.grants.iter().flatten();
        Ok(grants.any(|grant| grant.allows(permission, database)))
    }

    /// Dials a link, or takes what was dialled ahead for this statement and this revision.
    pub(super) fn dial(
        &mut self,
        at: &At,
        link: ScriptLink,
        expected: Option<u64>,
    ) -> Result<Vec<Check>, Stop> {
        let on_event = &mut *self.on_event;
        let mut on_progress = |progress: Progress<'_>| {
            announce(on_event, Event::Progress(progress));
        };
        let ahead = self
            .ahead
            .take(at.index, &link, expected, &mut on_progress)?;
        let checks = if let Some(checks) = ahead {
            checks
        } else {
            let mut dials = Dials::default();
            dials.add(Arc::new(link));
            let left = |end: Instant| end.saturating_duration_since(Instant::now());
            let limits = Limits {
                deadline: self.deadline.map(left),
                ..self.limits.clone()
            };
            let dialled = dials.run(self.settings, &limits, |_| {});
            dialled.map_err(ApplyError::from)?.0
        };
        if checks.iter().any(Check::was_interrupted) && self.is_stopped() {
            return Err(Stop::Interrupted);
        }
        Ok(checks)
    }

    /// Returns the links of the registry whose targets a pipeline or function changes: those that it
    /// uses, and those that it used before.
    fn retargeted(&self, action: &Action) -> Result<Vec<LinkName>, ApplyError> {
        let (user, links) = match &action.kind {
            ActionKind::DropUser(user) => (Some(user), &[][..]),
            ActionKind::Uses(uses) => (uses.user.as_ref(), &uses.links[..]),
            _ => return Ok(Vec::new()),
        };
        let mut names = match user {
            Some(user) => self.registry.links_of_user(user.0, &user.1)?,
            None => Vec::new(),
        };
        for link in links {
            if self.registry.revision(&link.name)?.is_some() {
                names.push(link.name.clone());
            }
        }
        Ok(names)
    }

    /// Starts the dials that do not hang on what other statements come to: those of the first
    /// statement about each link, and of one that follows a DROP.
    fn look_ahead(&mut self) -> Result<(), ApplyError> {
        let actions = std::mem::take(&mut self.actions);
        let started = self.start_ahead(&actions);
        self.actions = actions;
        started
    }

    fn start_ahead(&mut self, actions: &[Option<Action>]) -> Result<(), ApplyError> {
        let mut dials = Dials::default();
        let mut numbers = HashMap::new();
        // `None`: an earlier statement decides.
        let mut forecast: HashMap<LinkName, Option<Known>> = HashMap::new();
        for (index, action) in actions.iter().enumerate() {
            let Some(action) = action else { continue };
            for name in self.retargeted(action)? {
                forecast.insert(name, None);
            }
            let Some(name) = action.kind.link() else {
                continue;
            };
            let known = match forecast.get(name) {
                Some(Some(known)) => known.clone(),
                Some(None) => continue,
                None => self.registry.read(name)?,
            };
            let next = match &action.kind {
                ActionKind::Create(create) => match self.forecast_create(index, create, &known) {
                    Err(Stop::Failure(error)) => return Err(error),
                    Err(_) => None,
                    Ok(None) => Some(known),
                    Ok(Some((link, expected))) => {
                        numbers.insert(index, (dials.add(Arc::new(link)), expected));
                        None
                    }
                },
                ActionKind::Alter(alter) => {
                    let at = At {
                        index,
                        words: String::new(),
                        file: action.file,
                        span: action.span.clone(),
                    };
                    if let Ok(Some((link, expected))) = self.forecast_alter(&at, alter, &known) {
                        numbers.insert(index, (dials.add(Arc::new(link)), expected));
                    }
                    None
                }
                ActionKind::Drop { .. } => Some(Known {
                    link: None,
                    damaged: None,
                    targets: known
                        .targets
                        .into_iter()
                        .filter(|it| it.user.is_some())
                        .collect(),
                }),
                ActionKind::Broken(_) => None,
                _ => Some(known),
            };
            forecast.insert(name.clone(), next);
        }
        // One dial has nothing to gain from a thread of its own.
        if dials.len() > 1 {
            let planned = Progress::Planned(dials.len());
            announce(self.on_event, Event::Progress(planned));
            self.ahead = Ahead::start(dials, numbers, self.settings, self.limits)?;
        }
        Ok(())
    }
}

/// Tells what happened; only a table can be ended early.
pub(super) fn announce(on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>, event: Event<'_>) {
    let (ControlFlow::Continue(()) | ControlFlow::Break(())) = on_event(event);
}
