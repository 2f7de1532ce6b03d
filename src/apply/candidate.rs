//! What a link would become: dialled, and stored when it may be.

use jiff::Timestamp;
use linkdial_core::{Code, LinkName, Stage};

use super::links::{conflict, is_same, opened, shown_config};
use super::session::{At, Done, Session, Stop};
use super::{Outcome, all_passed, proves_nothing};
use crate::dial;
use crate::registry::{
    Action, Change, Entry, Known, NewLink, RegistryError, State, StoredLink, StoredTarget,
};
use crate::report::Check;
use crate::script::ScriptLink;

/// What a link would become.
pub(super) struct Candidate {
    /// With the uses to dial.
    pub(super) link: ScriptLink,
    pub(super) action: Action,
    /// All targets from now on.
    pub(super) targets: Vec<StoredTarget>,
    pub(super) expected: Option<u64>,
    /// Warnings that are lowered to notes from now on.
    pub(super) ignored: Vec<(Code, String)>,
    /// Kept when the dial says nothing about the definition.
    pub(super) state: Option<State>,
    pub(super) notes: Vec<String>,
}

/// How often a change is made again that somebody else was faster with.
const RACES: usize = 5;

/// What a candidate comes to beside what somebody else has stored meanwhile.
enum Joined {
    /// It adds something to the same definition.
    Adds,
    /// The definitions differ.
    Differs,
    /// All of it is there.
    Same,
}

impl Candidate {
    /// Adds its targets to those of a link that somebody else has changed meanwhile.
    fn join(&mut self, now: Known, state: &mut State) -> Joined {
        let Some(stored) = now.link else {
            return Joined::Differs;
        };
        if !is_same(&opened(&stored), &self.link) {
            return Joined::Differs;
        }
        let mut targets = now.targets;
        let known = targets.len();
        for target in std::mem::take(&mut self.targets) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        let passed = |state: &State| matches!(state, State::Verified { .. });
        let improves = passed(state) && !passed(&stored.state);
        let adds = targets.len() > known || improves || self.ignored != stored.ignored;
        if !improves {
            *state = stored.state;
        }
        self.targets = targets;
        self.expected = Some(stored.revision);
        if adds { Joined::Adds } else { Joined::Same }
    }
}

impl Session<'_> {
    /// Dials a candidate, and stores it when it may be.
    pub(super) fn dial_and_store(&mut self, at: &At, candidate: Candidate) -> Result<Done, Stop> {
        let checks = self.dial(at, candidate.link.clone(), candidate.expected)?;
        let whole = self.settings.until == Stage::Write;
        let unproven = proves_nothing(&checks);
        let passed = all_passed(&checks);
        if passed && unproven.is_none() && (whole || self.options.plan) {
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
            let mut candidate = candidate;
            let replaced = self.known(&candidate.link.name)?.link;
            if replaced.is_some_and(|stored| matches!(stored.state, State::Verified { .. })) {
                candidate
                    .notes
                    .push("what was stored before had passed".to_owned());
            }
            let state = self.deferred();
            return self.store(candidate, state, checks, at);
        }
        let Candidate {
            link,
            expected,
            mut notes,
            ..
        } = candidate;
        let mut failure = None;
        if !self.options.plan {
            let record = self.dials(&checks);
            failure = self.registry.add_to_record(&record).err();
        }
        if let Some(code) = unproven.filter(|_| passed) {
            // What a server takes does not change by asking again.
            notes.push(if code == Code::AuthenticateNotEnforced {
                format!(
                    "{code}: the server takes any secret: let it check them, or store it with \
                     --defer"
                )
            } else {
                format!("{code} says nothing about the link: try again, or store it with --defer")
            });
        } else if passed {
            let until = self.settings.until;
            notes.push(format!("it was looked at until {until} only"));
        }
        if expected.is_some() {
            notes.push("the registry keeps what it had".to_owned());
        } else {
            self.refused.insert(link.name.clone());
        }
        Ok(Done {
            link: Some(link.name.clone()),
            kind: Some(link.definition.kind),
            notes,
            checks,
            failure: failure.map(Into::into),
            ..Done::new(Outcome::Refused)
        })
    }

    pub(super) fn deferred(&self) -> State {
        State::Deferred {
            at: Timestamp::now(),
            by: self.options.user.clone(),
        }
    }

    /// Stores a candidate. Whoever was faster with the same definition is joined, with another one
    /// wins.
    pub(super) fn store(
        &mut self,
        mut candidate: Candidate,
        mut state: State,
        checks: Vec<Check>,
        at: &At,
    ) -> Result<Done, Stop> {
        let name = candidate.link.name.clone();
        let kind = candidate.link.definition.kind;
        let mut record = self.dials(&checks);
        let done = Done {
            link: Some(name.clone()),
            kind: Some(kind),
            checks,
            ..Done::new(Outcome::Unchanged)
        };
        if self.options.plan {
            self.plan(&candidate, &state);
        } else {
            record.push(self.entry(candidate.action, &name));
            let mut races = 0;
            loop {
                match self.commit(&candidate, &state, &record) {
                    Ok(_) => break,
                    Err(RegistryError::Conflict(_)) if races < RACES => races += 1,
                    Err(RegistryError::Conflict(_)) => return self.lost(&name, done, at),
                    Err(error) => return Ok(done.failed(error)),
                }
                let now = match self.registry.read(&name) {
                    Ok(now) => now,
                    Err(error) => return Ok(done.failed(error)),
                };
                match candidate.join(now, &mut state) {
                    Joined::Differs => return self.lost(&name, done, at),
                    Joined::Same => {
                        self.registry.add_to_record(&self.dials(&done.checks))?;
                        let note = "somebody else registered the same at the same time";
                        return Ok(done.note(note));
                    }
                    Joined::Adds => {}
                }
            }
        }
        self.refused.remove(&name);
        let targets = matches!(candidate.action, Action::Targets);
        if !targets {
            self.registered.insert(name);
        }
        let mut notes = candidate.notes;
        if targets && done.checks.is_empty() && notes.is_empty() {
            notes.push("its comments changed".to_owned());
        }
        Ok(Done {
            outcome: match state {
                State::Deferred { .. } => Outcome::Deferred,
                State::Verified { .. } => Outcome::Registered,
            },
            notes,
            ..done
        })
    }

    fn commit(
        &self,
        candidate: &Candidate,
        state: &State,
        record: &[Entry],
    ) -> Result<u64, RegistryError> {
        let link = &candidate.link;
        let definition = &link.definition;
        let (credentials, config) = (
            definition.credentials.to_json(),
            definition.config.to_json(),
        );
        self.registry.commit(&Change {
            name: &link.name,
            expected: candidate.expected,
            link: Some(NewLink {
                kind: definition.kind,
                credentials: &credentials,
                config: &config,
                secrets: &link.secrets,
                shown_config: shown_config(link),
                description: &link.description,
                ignored: &candidate.ignored,
                state: state.clone(),
            }),
            targets: &candidate.targets,
            record,
        })
    }

    /// Remembers what would have been stored.
    fn plan(&mut self, candidate: &Candidate, state: &State) {
        let link = &candidate.link;
        let definition = &link.definition;
        let stored = StoredLink {
            name: link.name.clone(),
            kind: definition.kind,
            credentials: definition.credentials.to_json(),
            config: definition.config.to_json(),
            description: link.description.clone(),
            ignored: candidate.ignored.clone(),
            secrets: link.secrets.clone(),
            state: state.clone(),
            revision: candidate.expected.unwrap_or_default(),
            definition: candidate.expected.unwrap_or_default(),
        };
        let known = Known {
            link: Some(stored),
            targets: candidate.targets.clone(),
            ..Known::default()
        };
        self.planned.insert(link.name.clone(), known);
    }

    /// Somebody else was first, with something else; the dials happened all the same.
    fn lost(&self, name: &LinkName, done: Done, at: &At) -> Result<Done, Stop> {
        self.registry.add_to_record(&self.dials(&done.checks))?;
        Ok(Done {
            outcome: Outcome::Error,
            error: Some(conflict(name, &at.span)),
            ..done
        })
    }

    /// One line of the record for each dial.
    pub(super) fn dials(&self, checks: &[Check]) -> Vec<Entry> {
        let who = &self.options.user;
        let entries = checks.iter().map(|check| dial::entry(who, check));
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
