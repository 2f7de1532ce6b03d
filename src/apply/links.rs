//! `CREATE LINK`, `ALTER LINK`, `DROP LINK` and `CHECK LINK`.

use std::ops::Range;

use jiff::Timestamp;
use linkdial_core::{Code, Kind, LinkName, Stage};

use super::session::{At, Done, Session, Stop};
use super::{Outcome, is_admitted};
use crate::dial;
use crate::drivers;
use crate::registry::{
    Action, Change, Entry, Known, NewLink, Permission, RegistryError, State, StoredLink,
    StoredTarget,
};
use crate::report::Check;
use crate::script::action::{Alter, Create, User, Uses};
use crate::script::faults::Faults;
use crate::script::link_clause::same;
use crate::script::{ScriptLink, Use, definitions};
use crate::sql::error::SyntaxError;

/// What a link would become.
pub(super) struct Candidate {
    /// With the uses to dial.
    pub(super) link: ScriptLink,
    pub(super) action: Action,
    /// All targets from now on.
    pub(super) targets: Vec<StoredTarget>,
    pub(super) expected: Option<u64>,
    /// Kept when the dial says nothing about the definition.
    pub(super) state: Option<State>,
    pub(super) notes: Vec<String>,
}

/// What a statement about a link asks for.
enum Need {
    /// Nothing.
    Nothing(Done),
    /// To store without a dial.
    Store(Box<Candidate>),
    /// To dial, and to store what passes.
    Dial(Box<Candidate>),
}

/// A link to dial, and the revision that it replaces.
type Forecast = Option<(ScriptLink, Option<u64>)>;

impl Session<'_> {
    pub(super) fn create(&mut self, at: &At, create: Create) -> Result<Done, Stop> {
        let known = self.known(&create.link.name)?;
        let need = self.need_of_create(at.index, create, &known)?;
        self.meet(at, need)
    }

    pub(super) fn alter(&mut self, at: &At, alter: Alter) -> Result<Done, Stop> {
        if self.refused.contains(&alter.name) && self.known(&alter.name)?.link.is_none() {
            return Ok(not_reached(&alter.name));
        }
        let known = self.known(&alter.name)?;
        let need = self.need_of_alter(at, alter, &known)?;
        self.meet(at, need)
    }

    pub(super) fn forecast_create(
        &mut self,
        index: usize,
        create: &Create,
        known: &Known,
    ) -> Result<Forecast, Stop> {
        let create = Create {
            link: create.link.clone(),
            name_span: create.name_span.clone(),
            ..*create
        };
        Ok(forecast(self.need_of_create(index, create, known)?))
    }

    pub(super) fn forecast_alter(
        &mut self,
        at: &At,
        alter: &Alter,
        known: &Known,
    ) -> Result<Forecast, Stop> {
        Ok(forecast(self.need_of_alter(at, alter.clone(), known)?))
    }

    fn need_of_create(
        &mut self,
        index: usize,
        create: Create,
        known: &Known,
    ) -> Result<Need, Stop> {
        let Create {
            or_replace,
            if_not_exists,
            name_span,
            mut link,
        } = create;
        let database = database(&link.name, &name_span)?.to_owned();
        self.permit(Permission::CreateLink, &database, &name_span)?;
        let own = std::mem::take(&mut link.uses);
        let Some(stored) = &known.link else {
            let similar = self.registry.similar(&link.name)?;
            let notes = similar.map(|other| {
                format!("the registry also holds `{other}`, which differs only in letter case")
            });
            let notes = notes.into_iter().collect();
            return Ok(self.candidate(index, link, own, known, Action::Create, notes));
        };
        let before = opened(stored);
        let is_same = is_same(&before, &link);
        if if_not_exists {
            let done = Done {
                kind: Some(stored.kind),
                ..Done::new(Outcome::Unchanged).link(&link.name)
            };
            return Ok(Need::Nothing(if is_same {
                done.note("it exists already, so it was not dialled")
            } else {
                done.note("it exists already with another definition, and was not dialled")
            }));
        }
        if or_replace {
            self.permit(Permission::ShowLink, &database, &name_span)?;
        }
        if !is_same && or_replace && stored.kind != link.definition.kind {
            return Err(kind_change(&link, stored.kind, name_span));
        }
        if !is_same && !or_replace {
            return Err(link_exists(&link.name, name_span));
        }
        if !is_same {
            return Ok(self.candidate(index, link, own, known, Action::Replace, Vec::new()));
        }
        Ok(self.same_again(index, link, own, known, stored))
    }

    /// The statement says what is stored: there is something to do only for a link that is
    /// deferred, or for what its comments add.
    fn same_again(
        &self,
        index: usize,
        mut link: ScriptLink,
        own: Vec<Use>,
        known: &Known,
        stored: &StoredLink,
    ) -> Need {
        let deferred = matches!(stored.state, State::Deferred { .. });
        if deferred && !link.deferred && !self.options.defer {
            return self.candidate(index, link, own, known, Action::Replace, Vec::new());
        }
        let own: Vec<Use> = own
            .into_iter()
            .filter(|used| !known.targets.iter().any(|known| covers(known, used)))
            .collect();
        let kind = Some(stored.kind);
        if own.is_empty() && link.ignored == stored.ignored {
            return Need::Nothing(Done {
                kind,
                ..Done::new(Outcome::Unchanged).link(&link.name)
            });
        }
        let mut targets = known.targets.clone();
        targets.extend(own.iter().map(|used| stored_target(used, None)));
        let dials = !own.is_empty();
        let defers = link.deferred;
        link.uses = own;
        let candidate = Box::new(Candidate {
            link,
            action: Action::Targets,
            targets,
            expected: Some(stored.revision),
            state: Some(stored.state.clone()),
            notes: Vec::new(),
        });
        if dials && !defers {
            Need::Dial(candidate)
        } else {
            Need::Store(candidate)
        }
    }

    fn need_of_alter(&mut self, at: &At, alter: Alter, known: &Known) -> Result<Need, Stop> {
        let name = alter.name.clone();
        let span = alter.name_span.clone();
        let database = database(&name, &span)?;
        self.permit(Permission::CreateLink, database, &span)?;
        self.permit(Permission::ShowLink, database, &span)?;
        let Some(stored) = &known.link else {
            return Err(no_such_link(&name, span));
        };
        let before = opened(stored);
        let mut link = before.clone();
        link.stands_at(&self.sources, at.file, at.span.start..span.end);
        let own = alter.comments.targets.clone();
        let mut faults = Faults::default();
        if !definitions::alter(&mut link, alter, &self.variables, &mut faults) {
            // The reader has set the same value already, and told what is wrong with it.
            return Ok(Need::Nothing(not_reached(&name)));
        }
        if is_same(&before, &link) {
            return Ok(self.same_again(at.index, link, own, known, stored));
        }
        Ok(self.candidate(at.index, link, own, known, Action::Alter, Vec::new()))
    }

    /// A definition that has to be dialled with every target that the script or the registry knows.
    fn candidate(
        &self,
        index: usize,
        mut link: ScriptLink,
        own: Vec<Use>,
        known: &Known,
        action: Action,
        notes: Vec<String>,
    ) -> Need {
        let script = own.into_iter().map(|used| (used, None));
        let script = script.chain(self.uses[index].iter().cloned());
        let (targets, uses) = all_targets(&known.targets, script);
        link.uses = uses;
        let stores = link.deferred;
        let candidate = Box::new(Candidate {
            link,
            action,
            targets,
            expected: known.link.as_ref().map(|stored| stored.revision),
            state: None,
            notes,
        });
        if stores {
            Need::Store(candidate)
        } else {
            Need::Dial(candidate)
        }
    }

    fn meet(&mut self, at: &At, need: Need) -> Result<Done, Stop> {
        match need {
            Need::Nothing(done) => Ok(done),
            Need::Dial(candidate) => self.dial_and_store(at, *candidate),
            Need::Store(candidate) => {
                let clauses = [
                    &candidate.link.definition.config,
                    &candidate.link.definition.credentials,
                ];
                if clauses
                    .into_iter()
                    .any(|clause| !clause.faults().is_empty())
                {
                    // What is no JSON can not be stored; the dial says so and sends nothing.
                    return self.dial_and_store(at, *candidate);
                }
                let state = candidate.state.clone().unwrap_or_else(|| self.deferred());
                self.store(*candidate, state, Vec::new(), at)
            }
        }
    }

    /// Dials a candidate, and stores it when it may be.
    pub(super) fn dial_and_store(&mut self, at: &At, candidate: Candidate) -> Result<Done, Stop> {
        let checks = self.dial(at, candidate.link.clone(), candidate.expected)?;
        let whole = self.settings.until == Stage::Write;
        let admitted = is_admitted(&checks);
        if admitted && (whole || self.options.plan) {
            let mut candidate = candidate;
            if !whole {
                let until = self.settings.until;
                candidate
                    .notes
                    .push(format!("it was looked at until {until} only"));
            }
            let verified = State::Verified {
                at: Timestamp::now(),
            };
            // A new target says nothing about a definition that did not pass.
            let state = candidate.state.clone().unwrap_or(verified);
            return self.store(candidate, state, checks, at);
        }
        let definition = &candidate.link.definition;
        let clauses = [&definition.config, &definition.credentials];
        let is_json = clauses.into_iter().all(|clause| clause.faults().is_empty());
        if is_json && (self.options.defer || candidate.link.deferred) {
            let state = self.deferred();
            return self.store(candidate, state, checks, at);
        }
        let Candidate {
            link,
            expected,
            mut notes,
            ..
        } = candidate;
        if !self.options.plan {
            self.registry
                .add_to_record(&self.dials(&link.name, &checks))?;
        }
        if expected.is_some() {
            notes.push("the registry keeps what it had".to_owned());
        } else {
            self.refused.insert(link.name.clone());
        }
        Ok(Done {
            outcome: Outcome::Refused,
            link: Some(link.name.clone()),
            kind: Some(link.definition.kind),
            notes,
            checks,
        })
    }

    fn deferred(&self) -> State {
        State::Deferred {
            at: Timestamp::now(),
            by: self.options.user.clone(),
        }
    }

    fn store(
        &mut self,
        candidate: Candidate,
        state: State,
        checks: Vec<Check>,
        at: &At,
    ) -> Result<Done, Stop> {
        let Candidate {
            link,
            action,
            targets,
            expected,
            state: _,
            mut notes,
        } = candidate;
        let definition = &link.definition;
        let credentials = definition.credentials.to_json();
        let config = definition.config.to_json();
        let outcome = match state {
            State::Deferred { .. } => Outcome::Deferred,
            State::Verified { .. } => Outcome::Registered,
        };
        if self.options.plan {
            let stored = StoredLink {
                name: link.name.clone(),
                kind: definition.kind,
                credentials,
                config,
                description: link.description.clone(),
                ignored: link.ignored.clone(),
                secrets: link.secrets.clone(),
                state,
                revision: expected.unwrap_or_default(),
            };
            let name = link.name.clone();
            let known = Known {
                link: Some(stored),
                damaged: None,
                targets,
            };
            self.planned.insert(name, known);
        } else {
            let opened = dial::open(&link);
            let shown = definition
                .config
                .to_shown_json(drivers::keys(definition.kind));
            let mut record = self.dials(&link.name, &checks);
            record.push(self.entry(action, &link.name));
            let change = Change {
                name: &link.name,
                expected,
                link: Some(NewLink {
                    kind: definition.kind,
                    credentials: &credentials,
                    config: &config,
                    secrets: &link.secrets,
                    shown_config: opened.redactor.redacted(shown),
                    description: &link.description,
                    ignored: &link.ignored,
                    state,
                }),
                targets: &targets,
                record: &record,
            };
            match self.registry.commit(&change) {
                Ok(_) => {}
                Err(RegistryError::Conflict(_)) => {
                    return self.lost_race(&link, checks, at);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.refused.remove(&link.name);
        if matches!(action, Action::Targets) && checks.is_empty() {
            notes.push("its comments changed".to_owned());
        }
        Ok(Done {
            outcome,
            link: Some(link.name.clone()),
            kind: Some(definition.kind),
            notes,
            checks,
        })
    }

    /// Somebody else was first. Who wanted the same has nothing left to do.
    fn lost_race(&mut self, link: &ScriptLink, checks: Vec<Check>, at: &At) -> Result<Done, Stop> {
        let now = self.registry.read(&link.name)?.link;
        if now.is_some_and(|stored| is_same(&opened(&stored), link)) {
            return Ok(Done {
                kind: Some(link.definition.kind),
                checks,
                ..Done::new(Outcome::Unchanged)
                    .link(&link.name)
                    .note("somebody else registered the same at the same time")
            });
        }
        Err(conflict(&link.name, &at.span))
    }

    pub(super) fn drop_link(
        &mut self,
        name: &LinkName,
        span: Range<usize>,
        if_exists: bool,
    ) -> Result<Done, Stop> {
        let database = database(name, &span)?;
        self.permit(Permission::DropLink, database, &span)?;
        let known = self.known(name)?;
        let Some(stored) = known.link else {
            if if_exists {
                return Ok(Done::new(Outcome::Unchanged)
                    .link(name)
                    .note("there is no such link"));
            }
            if self.refused.contains(name) {
                return Ok(not_reached(name));
            }
            return Err(no_such_link(name, span));
        };
        let left: Vec<StoredTarget> = known
            .targets
            .into_iter()
            .filter(|target| target.user.is_some())
            .collect();
        let mut done = Done {
            kind: Some(stored.kind),
            ..Done::new(Outcome::Dropped).link(name)
        };
        for user in left.iter().filter_map(|target| target.user.as_ref()) {
            let note = format!("{} `{}` still uses it", user.0.as_str(), user.1);
            if !done.notes.contains(&note) {
                done.notes.push(note);
            }
        }
        if self.options.plan {
            let known = Known {
                link: None,
                damaged: None,
                targets: left,
            };
            self.planned.insert(name.clone(), known);
            return Ok(done);
        }
        let change = Change {
            name,
            expected: Some(stored.revision),
            link: None,
            targets: &left,
            record: &[self.entry(Action::Drop, name)],
        };
        match self.registry.commit(&change) {
            Ok(_) => Ok(done),
            Err(RegistryError::Conflict(_)) => Err(conflict(name, &span)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn check_link(&mut self, uses: Uses) -> Result<Done, Stop> {
        let Some(used) = uses.links.into_iter().next() else {
            return Ok(Done::new(Outcome::Checked));
        };
        let (name, span) = (used.name, used.name_span);
        let database = database(&name, &span)?;
        self.permit(Permission::ShowLink, database, &span)?;
        let known = self.known(&name)?;
        let Some(stored) = &known.link else {
            return Err(no_such_link(&name, span));
        };
        let mut link = opened(stored);
        link.ignored.extend(uses.ignored);
        link.uses = match used.used {
            Some(used) => vec![used],
            None => all_targets(&known.targets, std::iter::empty()).1,
        };
        let at = At {
            index: usize::MAX,
            words: String::new(),
            file: crate::sql::source::FileId(0),
            span: span.clone(),
        };
        let kind = Some(stored.kind);
        let checks = self.dial(&at, link, None)?;
        if !self.options.plan {
            self.registry.add_to_record(&self.dials(&name, &checks))?;
        }
        Ok(Done {
            kind,
            checks,
            ..Done::new(Outcome::Checked).link(&name)
        })
    }

    /// One line of the record for each dial.
    pub(super) fn dials(&self, name: &LinkName, checks: &[Check]) -> Vec<Entry> {
        let entries = checks.iter().map(|check| Entry {
            verdict: Some(check.verdict()),
            code: check.headline().map(|(_, finding)| finding.code),
            ..self.entry(Action::Dial, name)
        });
        entries.collect()
    }

    pub(super) fn entry(&self, action: Action, name: &LinkName) -> Entry {
        Entry {
            who: self.options.user.clone(),
            action,
            link: Some(name.clone()),
            verdict: None,
            code: None,
            detail: None,
        }
    }
}

fn forecast(need: Need) -> Forecast {
    match need {
        Need::Dial(candidate) => Some((candidate.link, candidate.expected)),
        Need::Nothing(_) | Need::Store(_) => None,
    }
}

/// Reads a stored link as if a script defined it.
pub(crate) fn opened(stored: &StoredLink) -> ScriptLink {
    let mut link = ScriptLink::stored(
        stored.name.clone(),
        stored.kind,
        &stored.credentials,
        &stored.config,
    );
    link.description.clone_from(&stored.description);
    link.ignored.clone_from(&stored.ignored);
    link.secrets.clone_from(&stored.secrets);
    link
}

fn is_same(left: &ScriptLink, right: &ScriptLink) -> bool {
    left.definition.kind == right.definition.kind
        && left.description == right.description
        && same(&left.definition.config, &right.definition.config)
        && same(&left.definition.credentials, &right.definition.credentials)
}

/// Joins what the registry remembers with what the script says: what to store, and what to dial,
/// each target once.
pub(crate) fn all_targets(
    known: &[StoredTarget],
    script: impl Iterator<Item = (Use, Option<User>)>,
) -> (Vec<StoredTarget>, Vec<Use>) {
    let mut targets = known.to_vec();
    let mut uses: Vec<Use> = Vec::new();
    let mut add = |used: Use| match uses.iter_mut().find(|known| known.target == used.target) {
        Some(known) => known.join(used),
        None => uses.push(used),
    };
    for (used, user) in script {
        let target = stored_target(&used, user);
        if !targets.contains(&target) {
            targets.push(target);
        }
        add(used);
    }
    for target in known {
        add(Use::stored(target));
    }
    (targets, uses)
}

pub(super) fn stored_target(used: &Use, user: Option<User>) -> StoredTarget {
    StoredTarget {
        target: used.target.clone(),
        intent: used.intent,
        format: used.format.clone(),
        registry: used.registry.clone(),
        user,
    }
}

/// Whether a dial of what is known says all that a dial of the use would.
pub(super) fn covers(known: &StoredTarget, used: &Use) -> bool {
    known.target == used.target
        && known.intent == known.intent.and(used.intent)
        && known.format == used.format
        && known.registry == used.registry
}

pub(super) fn not_reached(name: &LinkName) -> Done {
    Done::new(Outcome::NotReached)
        .link(name)
        .note("the link was not registered before")
}

/// Returns the database of a link; a registry holds none without one.
pub(super) fn database<'a>(name: &'a LinkName, span: &Range<usize>) -> Result<&'a str, Stop> {
    name.database.as_deref().ok_or_else(|| {
        SyntaxError::new(
            Code::SqlNoDatabase,
            span.clone(),
            format!("nothing says which database link `{name}` belongs to"),
        )
        .hint(format!(
            "write `database.{name}`, USE before it, or --database"
        ))
        .into()
    })
}

pub(super) fn no_such_link(name: &LinkName, span: Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlNoSuchLink,
        span,
        format!("the registry holds no link `{name}`"),
    )
    .hint("SHOW LINKS lists those of a database; letter case counts")
    .into()
}

/// Somebody else changed the link after it was read.
pub(super) fn conflict(name: &LinkName, span: &Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlConflict,
        span.clone(),
        format!("link `{name}` was changed by somebody else at the same time"),
    )
    .hint("their change stands and this one is lost; look at it and run the statement again")
    .into()
}

fn kind_change(link: &ScriptLink, kind: Kind, span: Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlKindChange,
        span,
        format!(
            "link `{}` is {kind} and cannot become {}",
            link.name, link.definition.kind
        ),
    )
    .hint("drop it first")
    .into()
}

fn link_exists(name: &LinkName, span: Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlLinkExists,
        span,
        format!("link `{name}` exists with another definition"),
    )
    .hint("write CREATE OR REPLACE LINK to overwrite it, or ALTER LINK to change a part of it")
    .into()
}
