//! What a link would become: dialled, and stored when it may be.

use jiff::Timestamp;
use linkdial_core::{LinkName, Stage};

use super::links::{conflict, is_same, opened, shown_config};
use super::session::{At, Done, Session, Stop};
use super::{Outcome, all_passed, proves_nothing};
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
    /// Kept when the dial says nothing about the definition.
    pub(super) state: Option<State>,
    pub(super) notes: Vec<String>,
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
        if let Some(code) = unproven.filter(|_| passed) {
            notes.push(format!(
                "{code} says nothing about the link: try again, or store it with --defer"
            ));
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
            outcome: Outcome::Refused,
            link: Some(link.name.clone()),
            kind: Some(link.definition.kind),
            notes,
            checks,
        })
    }

    pub(super) fn deferred(&self) -> State {
        State::Deferred {
            at: Timestamp::now(),
            by: self.options.user.clone(),
        }
    }

    pub(super) fn store(
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
                targets,
            };
            self.planned.insert(name, known);
        } else {
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
                    shown_config: shown_config(&link),
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
