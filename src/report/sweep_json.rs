//! What a sweep adds to the JSON report.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::night::OFFLINE;
use crate::history::{self, CheckName, Night};

/// What a sweep adds: changes, incidents and dates.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Sweep<'a> {
    /// Its number in the history of the registry, from 1.
    number: u64,
    /// The sweep before; null for the first one. A check that was not in it, or could not be found out,
    /// is compared with its last result before that.
    previous: Option<Past>,
    /// Why the sweep says nothing about the links; null when this machine reached any server.
    offline: Option<Offline<'a>>,
    /// What is not as it was when each check was found out last.
    changes: Vec<Change<'a>>,
    /// What differs for each red check from the sweep that saw it green last.
    stories: Vec<Story<'a>>,
    /// The red checks by what they share, the largest first; each is in one of them.
    incidents: Vec<Incident<'a>>,
    /// What runs out, the first one first.
    expiries: Vec<Expiry<'a>>,
    /// Deferred links that passed and count as verified from now on.
    promoted: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Past {
    number: u64,
    /// RFC 3339, UTC.
    started: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Offline<'a> {
    code: &'static str,
    message: &'a str,
    /// The hosts that were dialled.
    hosts: &'a [String],
    hint: &'a str,
}

/// One of the checks of this sweep.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct CheckOf<'a> {
    link: String,
    target: Option<&'a str>,
    /// Counts checks whose link and target look alike, from 0.
    twin: u32,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Change<'a> {
    /// `newly red`, `newly green`, `still red`, `slower`, `certificate changed`, `brokers changed`
    /// or `definition changed`.
    kind: &'static str,
    check: CheckOf<'a>,
    /// The code now; null where it simply passed.
    code: Option<&'static str>,
    difference: Difference<'a>,
}

/// A side that is not known is null.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Difference<'a> {
    fact: &'a str,
    before: Option<&'a str>,
    now: Option<&'a str>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Story<'a> {
    check: CheckOf<'a>,
    /// The sweep that saw it green last; null when none did.
    green: Option<Past>,
    /// RFC 3339, UTC.
    red_since: Option<String>,
    /// Empty when nothing that linkdial sees differs.
    differences: Vec<Difference<'a>>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Incident<'a> {
    /// What the checks share: `resolver`, `name`, `server`, `issuer`, `certificate`, `kdc`,
    /// `identity`, `resource`, or `definition` for nothing.
    cause: &'static str,
    /// Which one.
    shared: &'a str,
    code: &'static str,
    checks: Vec<CheckOf<'a>>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Expiry<'a> {
    /// `certificate`, `client certificate`, `keytab`, `shared access signature`, `ticket` or `token`.
    kind: &'static str,
    /// Which one.
    of: &'a str,
    /// RFC 3339, UTC.
    at: String,
    /// The links that need it.
    links: Vec<String>,
}

impl<'a> Sweep<'a> {
    pub(super) fn of(night: &'a Night) -> Self {
        Self {
            number: night.sweep,
            previous: night.previous.map(past),
            offline: night.offline.as_ref().map(|offline| Offline {
                code: OFFLINE,
                message: &offline.message,
                hosts: &offline.hosts,
                hint: &offline.hint,
            }),
            changes: night.changes.iter().map(change).collect(),
            stories: night.stories.iter().map(story).collect(),
            incidents: night.incidents.iter().map(incident).collect(),
            expiries: night.expiries.iter().map(expiry).collect(),
            promoted: night.promoted.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) fn change(change: &history::Change) -> Change<'_> {
    Change {
        kind: change.kind.as_str(),
        check: check(&change.check),
        code: change.code.map(linkdial_core::Code::as_str),
        difference: difference(&change.difference),
    }
}

fn story(story: &history::Story) -> Story<'_> {
    Story {
        check: check(&story.check),
        green: story.green.map(past),
        red_since: story.red_since.map(time),
        differences: story.differences.iter().map(difference).collect(),
    }
}

fn incident(incident: &history::Incident) -> Incident<'_> {
    Incident {
        cause: incident.cause.as_str(),
        shared: &incident.shared,
        code: incident.code.as_str(),
        checks: incident.checks.iter().map(check).collect(),
    }
}

pub(super) fn expiry(expiry: &history::Expiry) -> Expiry<'_> {
    Expiry {
        kind: expiry.kind.as_str(),
        of: &expiry.of,
        at: time(expiry.at),
        links: expiry.links.iter().map(ToString::to_string).collect(),
    }
}

fn difference(difference: &history::Difference) -> Difference<'_> {
    Difference {
        fact: &difference.fact,
        before: known(&difference.before),
        now: known(&difference.now),
    }
}

pub(super) fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn check(name: &CheckName) -> CheckOf<'_> {
    CheckOf {
        link: name.link.to_string(),
        target: known(&name.target),
        twin: name.twin,
    }
}

fn past((number, started): (u64, Timestamp)) -> Past {
    Past {
        number,
        started: time(started),
    }
}

pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}
