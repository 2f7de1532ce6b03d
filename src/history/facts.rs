//! What a check found on its way, so that another night can be held against it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use linkdial_core::{REDACTED, Role, Stage};
use serde::{Deserialize, Serialize};

use super::expiry;
use crate::report::{Check, Step};

/// What a check found on its way: addresses, certificates, the set of brokers, who it was known as.
///
/// A name is a word and, behind a space, what it is about: `certificate db.example:443`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Facts(pub BTreeMap<String, String>);

/// A fact that is not as it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Its name.
    pub fact: String,
    /// What it was; empty when it was not known.
    pub before: String,
    /// What it is; empty when it is not known.
    pub now: String,
}

/// The fact of the servers that a cluster names.
pub(crate) const BROKERS: &str = "brokers";
/// The fact of what a server showed in the handshake.
pub(crate) const CERTIFICATE: &str = "certificate";
/// The fact of a date, with what it is of.
pub(crate) const EXPIRES: &str = "expires";
/// The fact of the servers that keep the blocks of a file.
const DATANODES: &str = "datanodes";

/// Notes of a step that tell who the server took us for.
const IDENTITY: [&str; 6] = ["account", "caller", "key_id", "principal", "role", "user"];
/// Notes of a step that tell what answered.
const SERVER: [&str; 3] = ["cluster", "server", "service"];

impl Facts {
    /// Reads the facts of a check's record; `now` is when it ran.
    pub(crate) fn of(check: &Check, now: Timestamp) -> Self {
        let mut facts = BTreeMap::new();
        for (kind, of, at) in expiry::of_check(check, now) {
            let name = format!("{EXPIRES} {} {of}", kind.as_str().replace(' ', "-"));
            facts.insert(name, at.to_string());
        }
        let mut brokers = BTreeSet::new();
        let mut datanodes = BTreeSet::new();
        for step in &check.steps {
            let note = |wanted: &str| {
                let mut notes = step.notes.iter().chain(evidence(step));
                notes
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| value)
            };
            if let Some(endpoint) = &step.endpoint {
                match endpoint.role {
                    Role::Advertised => drop(brokers.insert(endpoint.to_string())),
                    Role::Datanode => drop(datanodes.insert(endpoint.to_string())),
                    _ => {}
                }
                if step.stage == Stage::Resolve
                    && let Some(addresses) = note("addresses")
                {
                    // A name server may turn the order at every question.
                    let mut sorted: Vec<&str> = addresses.split(", ").collect();
                    sorted.sort_unstable();
                    facts.insert(format!("addresses {}", endpoint.host), sorted.join(", "));
                }
                if step.stage == Stage::Tls
                    && let (Some(issuer), Some(end)) = (note("issuer"), note("not_after"))
                {
                    let subject = note("subject").map_or("", String::as_str);
                    let text = format!("{subject}, issued by {issuer}, until {end}");
                    facts.insert(format!("{CERTIFICATE} {endpoint}"), text);
                }
            }
            for name in IDENTITY.into_iter().chain(SERVER) {
                if let Some(value) = note(name).filter(|value| *value != REDACTED) {
                    facts.entry(name.to_owned()).or_insert(value.clone());
                }
            }
        }
        // Of a cluster that was not dialled to its end only a part is known.
        if check.was_interrupted() {
            brokers.clear();
            datanodes.clear();
        }
        for (name, servers) in [(BROKERS, brokers), (DATANODES, datanodes)] {
            if !servers.is_empty() {
                let servers: Vec<String> = servers.into_iter().collect();
                facts.insert(name.to_owned(), servers.join(", "));
            }
        }
        Self(facts)
    }

    /// Takes the dates of things over that this check did not come to see.
    pub(crate) fn add_dates_of(&mut self, earlier: &Self) {
        let dates = earlier
            .0
            .iter()
            .filter(|(fact, _)| fact.starts_with(EXPIRES));
        for (fact, date) in dates {
            self.0.entry(fact.clone()).or_insert_with(|| date.clone());
        }
    }

    /// Returns what is known on both sides and differs, by name. What a check did not come to see
    /// is no difference.
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let both = self.0.iter().filter_map(|(fact, before)| {
            // The date of a certificate stands in its own fact, and a ticket has a new one each day.
            let is_date = fact.starts_with(EXPIRES);
            let now = now.0.get(fact).filter(|now| *now != before && !is_date)?;
            Some(Difference {
                fact: fact.clone(),
                before: before.clone(),
                now: now.clone(),
            })
        });
        both.collect()
    }
}

fn evidence(step: &Step) -> impl Iterator<Item = &(&'static str, String)> {
    step.finding.iter().flat_map(|finding| &finding.evidence)
}

impl Difference {
    /// Returns the word that its name starts with.
    pub fn word(&self) -> &str {
        self.fact.split(' ').next().unwrap_or_default()
    }
}
