//! Links at rest: sealed definitions, their targets, grants, and a record of every change and dial.
//!
//! Knows no statement and dials nothing.

use std::path::PathBuf;

use jiff::Timestamp;
use linkdial_core::{Code, Intent, Kind, LinkName, Outcome, Secret, Target};

pub use crate::sql::ast::{Permission, UserKind};

/// Where a registry lies.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Location {
    /// One SQLite file, with its write-ahead log beside it.
    Sqlite(PathBuf),
}

/// An open registry.
#[derive(Debug)]
pub struct Registry {}

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
    /// Its description; empty where it has none.
    pub description: String,
    /// Warnings that its statement lowers to notes, each with the reason.
    pub ignored: Vec<(Code, String)>,
    /// Whether its dial passed.
    pub state: State,
    /// The number of its last change; no two changes of a registry have the same.
    pub revision: u64,
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
    /// The link, if there is one.
    pub link: Option<StoredLink>,
    /// Its targets; those of pipelines and functions outlive the link.
    pub targets: Vec<StoredTarget>,
}

/// A change of one link: all of it is stored, or nothing.
#[derive(Debug)]
pub struct Change<'a> {
    /// Which link.
    pub name: &'a LinkName,
    /// The revision that was read before; `None` when there was no such link.
    pub expected: Option<u64>,
    /// What it becomes; `None` drops it.
    pub link: Option<NewLink<'a>>,
    /// All targets from now on.
    pub targets: &'a [StoredTarget],
    /// What the record says about it; the last entry is the change itself.
    pub record: &'a [Entry],
}

/// A definition to store.
#[derive(Debug)]
pub struct NewLink<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The JSON of its `CREDENTIALS`.
    pub credentials: &'a Secret,
    /// The JSON of its `CONFIG`.
    pub config: &'a Secret,
    /// The `CONFIG` as listings show it: without secrets.
    pub shown_config: String,
    /// Its description.
    pub description: &'a str,
    /// Warnings that are lowered to notes.
    pub ignored: &'a [(Code, String)],
    /// Whether its dial passed.
    pub state: State,
}

/// A line of the record. It never holds a secret.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The user of the registry.
    pub who: String,
    /// What was done.
    pub action: Action,
    /// Which link; `None` for grants and keys.
    pub link: Option<LinkName>,
    /// What a dial came to.
    pub verdict: Option<Outcome>,
    /// The code of a dial that did not simply pass.
    pub code: Option<Code>,
    /// Whom a grant is for and which, or the pipeline that was dropped.
    pub detail: Option<String>,
}

/// What a line of the record is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// A link was created.
    Create,
    /// A link was replaced.
    Replace,
    /// A link was altered.
    Alter,
    /// A link was dropped.
    Drop,
    /// Targets were added or taken back.
    Targets,
    /// A link was dialled.
    Dial,
    /// A permission was granted.
    Grant,
    /// A permission was revoked.
    Revoke,
    /// The registry was sealed under a new key.
    RotateKey,
}

/// A line of the record as it is read.
#[derive(Clone, Debug)]
pub struct RecordLine {
    /// Its number.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub entry: Entry,
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

/// A permission that a user has.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Grant {
    /// Who.
    pub user: String,
    /// What.
    pub permission: Permission,
    /// Where; `None` stands for every database.
    pub database: Option<String>,
}

/// Why a registry did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Somebody else changed the link after it was read.
    #[error("link `{0}` was changed by somebody else at the same time")]
    Conflict(LinkName),
}

impl Registry {
    /// The user who may do everything; a new registry belongs to it.
    pub const ROOT: &str = "root";

    /// Opens a registry; makes it, its folder and its key where there is none.
    ///
    /// The key lies in `key_file`, or beside the registry.
    pub fn open(_location: &Location, _key_file: Option<PathBuf>) -> Result<Self, RegistryError> {
        unimplemented!()
    }

    /// Where its key was made just now, so that somebody can move it.
    pub fn new_key(&self) -> Option<&std::path::Path> {
        unimplemented!()
    }

    /// Returns what is known about a name; letter case counts.
    pub fn read(&self, _name: &LinkName) -> Result<Known, RegistryError> {
        unimplemented!()
    }

    /// Returns a link whose name differs only in letter case.
    pub fn similar(&self, _name: &LinkName) -> Result<Option<LinkName>, RegistryError> {
        unimplemented!()
    }

    /// Changes one link and returns its new revision.
    pub fn commit(&self, _change: &Change<'_>) -> Result<u64, RegistryError> {
        unimplemented!()
    }

    /// Takes back what a dropped pipeline or function used; returns the links.
    pub fn drop_user(
        &self,
        _who: &str,
        _kind: UserKind,
        _name: &LinkName,
    ) -> Result<Vec<LinkName>, RegistryError> {
        unimplemented!()
    }

    /// Returns the links of a pipeline or function.
    pub fn links_of_user(
        &self,
        _kind: UserKind,
        _name: &LinkName,
    ) -> Result<Vec<LinkName>, RegistryError> {
        unimplemented!()
    }

    /// Adds lines to the record, such as those of dials that changed nothing.
    pub fn add_to_record(&self, _entries: &[Entry]) -> Result<(), RegistryError> {
        unimplemented!()
    }

    /// Hands over every link, ordered by database and name; holds one at a time.
    pub fn list(
        &self,
        _database: Option<&str>,
        _each: impl FnMut(Listed) -> std::ops::ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        unimplemented!()
    }

    /// Hands over the record, the oldest line first; holds one at a time.
    pub fn record(
        &self,
        _each: impl FnMut(RecordLine) -> std::ops::ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        unimplemented!()
    }

    /// Grants permissions; returns how many were new.
    pub fn grant(&self, _who: &str, _grants: &[Grant]) -> Result<usize, RegistryError> {
        unimplemented!()
    }

    /// Revokes permissions; returns how many there were.
    pub fn revoke(&self, _who: &str, _grants: &[Grant]) -> Result<usize, RegistryError> {
        unimplemented!()
    }

    /// Returns the permissions of a user, ordered.
    pub fn grants(&self, _user: &str) -> Result<Vec<Grant>, RegistryError> {
        unimplemented!()
    }

    /// Seals everything anew under a fresh key; returns the number of links.
    pub fn rotate_key(&mut self, _who: &str) -> Result<usize, RegistryError> {
        unimplemented!()
    }
}
