//! The run of a script: one statement after the other, and what they share.

use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use linkdial_core::{Code, Kind, LinkName, Settings};

use super::ahead::Ahead;
use super::{Applied, ApplyError, ApplyOptions, Ending, Event, Outcome, Statements};
use crate::dial::{Dials, Progress};
use crate::registry::{Grant, Known, Permission, Registry, RegistryError};
use crate::report::Check;
use crate::script::action::{Action, ActionKind, User};
use crate::script::faults::{Faults, SkipList, located};
use crate::script::{ScriptLink, Skipped, Use, Variables};
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
}

impl Done {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            link: None,
            kind: None,
            notes: Vec::new(),
            checks: Vec::new(),
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
    pub(super) uses: Vec<Vec<(Use, Option<User>)>>,
    ahead: Ahead,
    /// What a plan has changed so far.
    pub(super) planned: HashMap<LinkName, Known>,
    /// Of the user; `None` when not read yet, or changed since.
    pub(super) grants: Option<Vec<Grant>>,
    /// Links that this run did not let in.
    pub(super) refused: HashSet<LinkName>,
    deadline: Option<Instant>,
    faults: Faults,
    pub(super) skipped: SkipList,
    counts: [usize; Outcome::ALL.len()],
    check_failed: bool,
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
        let uses = program.uses();
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
            planned: HashMap::new(),
            grants: None,
            refused: HashSet::new(),
            deadline: limits.deadline.map(|limit| started + limit),
            faults: program.errors,
            skipped: SkipList::default(),
            counts: [0; Outcome::ALL.len()],
            check_failed: false,
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
            let ended = if runs {
                self.statement(&at, action)
            } else {
                let counts = !matches!(
                    action.kind,
                    ActionKind::Broken(_)
                        | ActionKind::Skipped { .. }
                        | ActionKind::Unanswered { .. }
                );
                Ok(counts
                    .then(|| Done {
                        link: action.kind.link().cloned(),
                        ..Done::new(Outcome::NotReached)
                    })
                    .into_iter()
                    .collect())
            };
            match ended {
                Ok(done) => {
                    for done in done {
                        complete &= runs || done.outcome != Outcome::NotReached;
                        self.tell(&at, done, None);
                    }
                }
                Err((link, Stop::Fault(error))) => {
                    let done = Done {
                        link,
                        ..Done::new(Outcome::Error)
                    };
                    self.tell(&at, done, Some(error));
                }
                Err((link, stop)) => {
                    complete = false;
                    let done = Done {
                        link,
                        ..Done::new(Outcome::NotReached)
                    };
                    self.tell(&at, done, None);
                    if let Stop::Failure(error) = stop {
                        failure = Some(error);
                    }
                }
            }
        }
        let sources = &self.sources;
        Ending {
            counts: self.counts,
            errors: self.faults.located(sources),
            skipped: self.skipped.into_list(),
            check_failed: self.check_failed,
            complete,
            elapsed: self.started.elapsed(),
            failure,
        }
    }

    /// Runs one statement; most come to one thing, one about several links to several.
    fn statement(
        &mut self,
        at: &At,
        action: Action,
    ) -> Result<Vec<Done>, (Option<LinkName>, Stop)> {
        let link = action.kind.link().cloned();
        let done = match action.kind {
            ActionKind::Alter(alter) => self.alter(at, alter),
            ActionKind::Broken(link) => {
                self.refused.extend(link.map(|(name, _)| name));
                return Ok(Vec::new());
            }
            ActionKind::Check(uses) => self.check_link(uses),
            ActionKind::Create(create) => self.create(at, *create),
            ActionKind::Drop {
                name,
                name_span,
                if_exists,
            } => self.drop_link(&name, name_span, if_exists),
            ActionKind::DropUser(user) => {
                return self.drop_user(at, &user).map_err(|stop| (None, stop));
            }
            ActionKind::Grant(grants) => self.grant(at, grants),
            ActionKind::Revoke(grants) => self.revoke(at, grants),
            ActionKind::Select(select) => self.select_links(at, &select),
            ActionKind::ShowCreate { name, name_span } => {
                self.show_create_link(at, &name, name_span)
            }
            ActionKind::ShowGrants { user } => self.show_grants(at, user),
            ActionKind::ShowLinks { database } => self.show_links(at, database),
            ActionKind::Skipped { words } => {
                let place = self.sources[at.file.0].place(at.span.start);
                self.skipped.skip(place, at.file, at.span.start, words);
                return Ok(Vec::new());
            }
            // Its errors are told with those of the text.
            ActionKind::Unanswered { .. } => return Ok(Vec::new()),
            ActionKind::Uses(uses) => return self.use_links(at, uses),
        };
        match done {
            Ok(done) => Ok(vec![done]),
            Err(stop) => Err((link, stop)),
        }
    }

    fn tell(&mut self, at: &At, done: Done, error: Option<SyntaxError>) {
        let index = Outcome::ALL.iter().position(|other| *other == done.outcome);
        if let Some(index) = index {
            self.counts[index] += 1;
        }
        let failed = |check: &Check| check.verdict() == linkdial_core::Outcome::Fail;
        self.check_failed |= done.outcome == Outcome::Checked && done.checks.iter().any(failed);
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
        // Only a table can be ended early.
        let _ = (self.on_event)(Event::Applied(&applied));
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
        match self.planned.get(name) {
            Some(known) => Ok(known.clone()),
            None => self.registry.read(name),
        }
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
        Ok(grants.any(|grant| {
            grant.permission == permission
                && grant
                    .database
                    .as_ref()
                    .is_none_or(|known| known == database)
        }))
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
            let _ = on_event(Event::Progress(progress));
        };
        let checks = match self.ahead.take(at.index, expected, &mut on_progress)? {
            Some(checks) => checks,
            None => {
                let mut dials = Dials::default();
                dials.add(Arc::new(link));
                let limits = Limits {
                    deadline: self
                        .deadline
                        .map(|end| end.saturating_duration_since(Instant::now())),
                    ..self.limits.clone()
                };
                let (checks, _) = dials
                    .run(self.settings, &limits, |_| {})
                    .map_err(ApplyError::from)?;
                checks
            }
        };
        let interrupted = checks.iter().flat_map(|check| &check.steps).any(|step| {
            let finding = step.finding.as_ref();
            finding.is_some_and(|finding| matches!(finding.code, Code::Interrupted(_)))
        });
        if interrupted && self.is_stopped() {
            return Err(Stop::Interrupted);
        }
        Ok(checks)
    }

    /// Starts the dials that do not hang on what other statements come to: those of the first
    /// statement about each link, and of one that follows a DROP.
    fn look_ahead(&mut self) -> Result<(), ApplyError> {
        let mut dials = Dials::default();
        let mut numbers = HashMap::new();
        // `None`: an earlier statement decides.
        let mut forecast: HashMap<LinkName, Option<Known>> = HashMap::new();
        let actions = std::mem::take(&mut self.actions);
        for (index, action) in actions.iter().enumerate() {
            let Some(action) = action else { continue };
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
                    Err(Stop::Failure(error)) => {
                        self.actions = actions;
                        return Err(error);
                    }
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
        self.actions = actions;
        // One dial has nothing to gain from a thread of its own.
        if dials.len() > 1 {
            let _ = (self.on_event)(Event::Progress(Progress::Planned(dials.len())));
            self.ahead = Ahead::start(dials, numbers, self.settings, self.limits)?;
        }
        Ok(())
    }
}
