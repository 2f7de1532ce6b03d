//! Links and targets at rest, and how they change.

use jiff::Timestamp;
use linkdial_core::{Code, Intent, Kind, LinkName, Secret, Target};

use super::UserKind;
use super::record::Entry;

/// A link at rest, its definition opened.
#[derive(Clone, Debug)]
pub struct StoredLink {
    /// Its name; the database is always known.
    pub name: LinkName,
    /// Its kind.
    pub kind: Kind,
    /// The JSON of its `CREDENTIALS`.
    pub credentials: Secret,
    /// The JSON of its `CONFIG`; some of its keys may hold secrets.
    pub config: Secret,
    /// The secret variables that its clauses were made of, each by itself.
    pub secrets: Vec<Secret>,
    /// Its description; empty where it has none.
    pub description: String,
    /// Warnings that its statement lowers to notes, each with the reason.
    pub ignored: Vec<(Code, String)>,
    /// Whether its dial passed.
    pub state: State,
    /// The number of its last change; no two changes of a registry have the same.
    pub revision: u64,
    /// The number of the last change of its clauses, which a change of targets is not.
    pub definition: u64,
}

/// Whether a link's dial passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It passed.
    Verified {
        /// When.
        at: Timestamp,
    },
    /// It did not, or was not tried, and somebody wanted the link all the same.
    Deferred {
        /// When.
        at: Timestamp,
        /// The user of the registry.
        by: String,
    },
}

/// A target that a link is dialled with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredTarget {
    /// As written.
    pub target: Target,
    /// What is done with it.
    pub intent: Intent,
    /// The word after `FORMAT`, in upper case.
    pub format: Option<String>,
    /// The text after `SCHEMA REGISTRY`.
    pub registry: Option<String>,
    /// The pipeline or function that uses it until it is dropped.
    pub user: Option<(UserKind, LinkName)>,
}

/// What a registry knows about a name.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The link, if there is one and its definition opens.
    pub link: Option<StoredLink>,
    /// The revision of a link whose sealed definition does not open; it can be replaced or dropped.
    pub damaged: Option<u64>,
    /// Its targets, without damaged ones; those of pipelines and functions outlive the link.
    pub targets: Vec<StoredTarget>,
}

/// A change of one link: all of it is stored, or nothing.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// Which link.
    pub(crate) name: &'a LinkName,
    /// The revision that was read before; `None` when there was no such link.
    pub(crate) expected: Option<u64>,
    /// What it becomes; `None` drops it.
    pub(crate) link: Option<NewLink<'a>>,
    /// All targets from now on.
    pub(crate) targets: &'a [StoredTarget],
    /// What the record says about it; the last entry is the change itself.
    pub(crate) record: &'a [Entry],
}

/// A definition to store.
#[derive(Debug)]
pub(crate) struct NewLink<'a> {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The JSON of its `CREDENTIALS`.
    pub(crate) credentials: &'a Secret,
    /// The JSON of its `CONFIG`.
    pub(crate) config: &'a Secret,
    /// The secret variables that the clauses are made of.
    pub(crate) secrets: &'a [Secret],
    /// The `CONFIG` as listings show it: without secrets.
    pub(crate) shown_config: String,
    /// Its description.
    pub(crate) description: &'a str,
    /// Warnings that are lowered to notes.
    pub(crate) ignored: &'a [(Code, String)],
    /// Whether its dial passed.
    pub(crate) state: State,
}

/// A link as listings show it; nothing is opened for it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: LinkName,
    /// Its kind.
    pub kind: Kind,
    /// Its description.
    pub description: String,
    /// Its `CONFIG` without secrets.
    pub config: String,
    /// Whether its dial passed.
    pub state: State,
}
