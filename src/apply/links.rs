//! `CREATE LINK`, `ALTER LINK`, `DROP LINK` and `CHECK LINK`.

use std::ops::Range;

use linkdial_core::{Code, Key, Kind, LinkName};

use super::Outcome;
use super::candidate::Candidate;
use super::session::{At, Done, Session, Stop};
use crate::dial;
use crate::drivers;
use crate::registry::{
    Action, Change, Known, Permission, RegistryError, State, StoredLink, StoredTarget,
};
use crate::script::action::{Alter, Create, User, Uses};
use crate::script::faults::Faults;
use crate::script::link_clause::same;
use crate::script::{ScriptLink, Use, definitions, variables};
use crate::sql::error::SyntaxError;

/// What a statement about a link asks for.
enum Need {
    /// Nothing.
    Nothing(Box<Done>),
    /// To store without a dial.
    Store(Box<Candidate>),
    /// To dial, and to store what passes.
    Dial(Box<Candidate>),
}

impl Need {
    fn nothing(done: Done) -> Self {
        Self::Nothing(Box::new(done))
    }
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
        let known = self.known(&alter.name)?;
        if known.link.is_none() && self.refused.contains(&alter.name) {
            return Ok(not_reached(&alter.name));
        }
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
        if known.damaged.is_some() && !or_replace {
            return Err(damaged(&link.name, name_span));
        }
        let Some(stored) = &known.link else {
            let similar = self.registry.similar(&link.name)?;
            let notes = similar.map(|other| {
                format!("the registry also holds `{other}`, which differs only in letter case")
            });
            let notes = notes.into_iter().collect();
            return Ok(self.candidate(index, link, own, known, Action::Create, notes));
        };
        let before = opened(stored);
        // Who may not see the link is not told what it holds either.
        let may_look = self.is_permitted(Permission::ShowLink, &database)?;
        let is_same = may_look && is_same(&before, &link);
        if if_not_exists {
            let done = Done {
                kind: Some(stored.kind),
                ..Done::new(Outcome::Unchanged).link(&link.name)
            };
            let done = done.state(&stored.state);
            return Ok(Need::nothing(if is_same || !may_look {
                done.note("it exists already, so it was not dialled")
            } else {
                done.note("it exists already with another definition, and was not dialled")
            }));
        }
        self.permit(Permission::ShowLink, &database, &name_span)?;
        if !is_same && or_replace && stored.kind != link.definition.kind {
            return Err(kind_change(&link, stored.kind, name_span));
        }
        if !is_same && !or_replace {
            return Err(link_exists(&link.name, name_span));
        }
        if !is_same {
            // It starts anew: comments and exports of before are about what it was.
            let mut known = known.clone();
            known.targets.retain(|target| target.user.is_some());
            return Ok(self.candidate(index, link, own, &known, Action::Replace, Vec::new()));
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
            let done = Done {
                kind,
                ..Done::new(Outcome::Unchanged).link(&link.name)
            };
            return Need::nothing(done.state(&stored.state));
        }
        let mut targets = known.targets.clone();
        targets.extend(own.iter().map(|used| stored_target(used, None)));
        let dials = !own.is_empty();
        let defers = link.deferred;
        link.uses = own;
        let candidate = Box::new(Candidate {
            ignored: link.ignored.clone(),
            link,
            action: Action::Targets,
            targets,
            expected: Some(stored.revision),
            // A target that is not dialled leaves nothing verified.
            state: (!dials || !defers).then(|| stored.state.clone()),
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
            return self.missing(&name, span).map(Need::nothing);
        };
        let before = opened(stored);
        let mut link = before.clone();
        link.stands_at(&self.sources, at.file, at.span.start..span.end);
        let own = alter.comments.targets.clone();
        let mut faults = Faults::default();
        if !definitions::alter(&mut link, alter, &self.variables, &mut faults) {
            // The reader has set the same value already, and told what is wrong with it.
            return Ok(Need::nothing(not_reached(&name)));
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
        // What the script says about a pipeline or function is all that holds in the end.
        let decided = |target: &&StoredTarget| {
            let user = target.user.as_ref();
            user.is_some_and(|user| self.decided.contains(user))
        };
        let kept: Vec<StoredTarget> = known
            .targets
            .iter()
            .filter(|target| !decided(target))
            .cloned()
            .collect();
        let (targets, uses) = all_targets(&kept, script);
        link.uses = uses;
        let stores = link.deferred;
        let candidate = Box::new(Candidate {
            ignored: link.ignored.clone(),
            link,
            action,
            targets,
            expected: revision(known),
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
            Need::Nothing(done) => Ok(*done),
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

    pub(super) fn drop_link(
        &mut self,
        name: &LinkName,
        span: Range<usize>,
        if_exists: bool,
    ) -> Result<Done, Stop> {
        let database = database(name, &span)?;
        self.permit(Permission::DropLink, database, &span)?;
        let known = self.known(name)?;
        let expected = revision(&known);
        if known.link.is_none() && expected.is_none() {
            if if_exists {
                return Ok(Done::new(Outcome::Unchanged)
                    .link(name)
                    .note("there is no such link"));
            }
            return self.missing(name, span);
        }
        let left: Vec<StoredTarget> = known
            .targets
            .into_iter()
            .filter(|target| target.user.is_some())
            .collect();
        let mut done = Done {
            kind: known.link.map(|stored| stored.kind),
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
                targets: left,
                ..Known::default()
            };
            self.planned.insert(name.clone(), known);
            return Ok(done);
        }
        let change = Change {
            name,
            expected,
            link: None,
            targets: &left,
            record: &[self.entry(Action::Drop, name)],
        };
        match self.registry.commit(&change) {
            Ok(_) => Ok(done),
            Err(RegistryError::Conflict(_)) => Err(conflict(name, &span).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Answers a statement about a link that is not there: that is no slip of a script whose own
    /// statement for the link was refused.
    pub(super) fn missing(&self, name: &LinkName, span: Range<usize>) -> Result<Done, Stop> {
        if self.known(name)?.damaged.is_some() {
            return Err(damaged(name, span));
        }
        if self.refused.contains(name) {
            return Ok(not_reached(name));
        }
        Err(no_such_link(name, span))
    }

    pub(super) fn check_link(&mut self, at: &At, uses: Uses) -> Result<Done, Stop> {
        let Some(used) = uses.links.into_iter().next() else {
            return Ok(Done::new(Outcome::Checked));
        };
        let (name, span) = (used.name, used.name_span);
        let database = database(&name, &span)?;
        self.permit(Permission::ShowLink, database, &span)?;
        let known = self.known(&name)?;
        let Some(stored) = &known.link else {
            return self.missing(&name, span);
        };
        let mut link = opened(stored);
        link.stands_at(&self.sources, at.file, span);
        link.ignored.extend(uses.ignored);
        link.uses = match used.used {
            Some(used) => vec![used],
            None => all_targets(&known.targets, std::iter::empty()).1,
        };
        let done = Done {
            kind: Some(stored.kind),
            ..Done::new(Outcome::Checked).link(&name)
        };
        let mut done = done.state(&stored.state);
        done.checks = self.dial(at, link, None)?;
        if !self.options.plan {
            let record = self.dials(&done.checks);
            if let Err(error) = self.registry.add_to_record(&record) {
                return Ok(done.failed(error));
            }
        }
        Ok(done)
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

/// Returns the `CONFIG` as listings show it: the values of keys that the kind knows and that are no
/// secrets, but for one with a secret inside.
pub(super) fn shown_config(link: &ScriptLink) -> String {
    let redactor = dial::open(link).redactor;
    let mut config = link.definition.config.clone();
    variables::mark_secret_where(config.members_mut(), &|text| {
        redactor.redacted(text.to_owned()) != text
    });
    let keys = drivers::keys(link.definition.kind);
    config.to_shown_json(&|key| Key::row_of(keys, key).is_some_and(|row| !row.secret))
}

pub(super) fn is_same(left: &ScriptLink, right: &ScriptLink) -> bool {
    left.definition.kind == right.definition.kind
        && left.description == right.description
        && same(&left.definition.config, &right.definition.config)
        && same(&left.definition.credentials, &right.definition.credentials)
}

/// Joins what the registry remembers with what the script says: what to store, and what to dial,
/// each target once for a registry.
pub(crate) fn all_targets(
    known: &[StoredTarget],
    script: impl Iterator<Item = (Use, Option<User>)>,
) -> (Vec<StoredTarget>, Vec<Use>) {
    let mut targets = known.to_vec();
    let mut uses: Vec<Use> = Vec::new();
    let mut add = |used: Use| match uses.iter_mut().find(|known| known.goes_with(&used)) {
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
        add(remembered(target));
    }
    (targets, uses)
}

/// Makes a use of a target that the registry remembers.
fn remembered(known: &StoredTarget) -> Use {
    let mut used = Use::new(known.target.clone(), known.intent);
    used.format.clone_from(&known.format);
    used.registry.clone_from(&known.registry);
    used.stored = true;
    used
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

fn no_such_link(name: &LinkName, span: Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlNoSuchLink,
        span,
        format!("the registry holds no link `{name}`"),
    )
    .hint("SHOW LINKS lists those of a database; letter case counts")
    .into()
}

/// Returns the revision that a change of the link has to find.
pub(super) fn revision(known: &Known) -> Option<u64> {
    let stored = known.link.as_ref();
    stored.map(|stored| stored.revision).or(known.damaged)
}

/// What is stored does not open.
fn damaged(name: &LinkName, span: Range<usize>) -> Stop {
    SyntaxError::new(
        Code::SqlLinkDamaged,
        span,
        format!("the stored definition of link `{name}` is damaged"),
    )
    .hint("write CREATE OR REPLACE LINK to store it anew, or DROP LINK")
    .into()
}

/// Somebody else changed the link after it was read.
pub(super) fn conflict(name: &LinkName, span: &Range<usize>) -> SyntaxError {
    SyntaxError::new(
        Code::SqlConflict,
        span.clone(),
        format!("link `{name}` was changed by somebody else at the same time"),
    )
    .hint("their change stands and this one is lost; look at it and run the statement again")
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
