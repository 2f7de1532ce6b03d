//! What passes between a check and the process that runs hdfs-native for it: one JSON document a line.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Whom the client dials, and as whom; the first line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    /// `hdfs://ADDRESS:PORT`.
    pub(crate) url: String,
    /// Properties of Hadoop.
    pub(crate) options: Vec<(String, String)>,
    /// Whom it says that it is, without Kerberos.
    pub(crate) user: Option<String>,
    /// The service and the host that a login with Kerberos has to be for.
    pub(crate) service: Option<(String, String)>,
    /// The principal and the path of its keytab. A ticket cache comes with the environment.
    pub(crate) keytab: Option<(String, String)>,
}

/// A question, and a number that its answer has as well: an answer may come when nobody waits for it
/// any more.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Asked {
    pub(crate) number: u64,
    pub(crate) question: Question,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Question {
    /// A login, and no more.
    LogIn,
    /// What is there; the first page of a folder.
    Look { path: String },
    /// Where the first block of a file is. The client keeps what it is told.
    Locate { path: String },
    /// One byte of that file, from where it was told.
    Read,
    /// The same once more from a new start; `otherwise` with protection of blocks where there was none, or
    /// without.
    ReadAgain { path: String, otherwise: bool },
    /// Makes a file in a folder that is not there, which shows the right and leaves nothing.
    ProveWrite { path: String },
    /// A new file.
    Put { path: String, text: String },
    /// All of a small file.
    Fetch { path: String, most: usize },
    /// Removes a file.
    Delete { path: String },
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Answered {
    pub(crate) number: u64,
    pub(crate) answer: Result<Answer, Failure>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Answer {
    Looked(Looked),
    Located(Block),
    /// A byte was read; what the client wrote to its log meanwhile, and what a `DataNode` asked for
    /// first.
    Read(Vec<Heard>, Option<Vec<u8>>),
    /// A file was written; what a `DataNode` asked for first.
    Written(Option<Vec<u8>>),
    /// A file was made where none should have been, and could not be removed.
    Left,
    Text(String),
    /// Whether there was something.
    Deleted(bool),
    Done,
}

/// What is at a path.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Looked {
    pub(crate) status: Status,
    /// The first page; why there is none, where the path is a folder that may not be listed.
    pub(crate) listing: Option<Result<Listing, Failure>>,
}

/// What a `NameNode` knows of a path.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) path: String,
    pub(crate) folder: bool,
    pub(crate) length: u64,
    pub(crate) owner: String,
    pub(crate) group: String,
    pub(crate) mode: u16,
}

impl fmt::Display for Status {
    /// Writes path, permissions, owner and group as `ls` does.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.folder { 'd' } else { '-' };
        write!(formatter, "{} {kind}", self.path)?;
        for bit in (0..9).rev() {
            formatter.write_char(match (self.mode >> bit & 1, bit % 3) {
                (0, _) => '-',
                (_, 2) => 'r',
                (_, 1) => 'w',
                _ => 'x',
            })?;
        }
        write!(formatter, " {}:{}", self.owner, self.group)
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Status>,
    pub(crate) truncated: bool,
}

/// The first block of a file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Block {
    /// Its copies, in the order of the `NameNode`.
    pub(crate) replicas: Vec<Replica>,
    /// Whether the file has no block at all.
    pub(crate) empty: bool,
}

/// A copy of a block, as the `NameNode` tells of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Replica {
    /// The address that its `DataNode` registered from.
    pub(crate) address: String,
    /// The name that it registered under.
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Where an error came from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Kind {
    /// The `NameNode` answered with an exception.
    Exception,
    /// The same, and it hung up.
    Fatal,
    /// GSS-API, with the number of the mechanism.
    Gss(u32),
    /// The stream to the `NameNode`.
    Stream,
    /// No `DataNode` gave or took the block.
    Data,
    /// The client does not say what it has to.
    Mute,
    /// The `NameNode` has led the client to another login than it has offered linkdial.
    Downgraded,
    /// The `NameNode` has led the client to an address that must not be dialled.
    Forbidden,
    /// The client can not do it.
    Unsupported,
    /// The client itself.
    Client,
}

/// Why there is no answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The class of a Java exception.
    pub(crate) class: String,
    pub(crate) message: String,
    /// Whether the file was made before it went wrong.
    pub(crate) made: bool,
    /// What the client wrote to its log about it: the `DataNode`, and what went wrong there.
    pub(crate) log: Vec<Heard>,
}

/// A warning of the client: the `DataNode` that it is about, and what went wrong there.
pub(crate) type Heard = (Option<Replica>, String);

/// More of a text is not sent.
pub(super) const MAX_TEXT: usize = 2000;

impl Failure {
    pub(super) fn of(kind: Kind, message: &str) -> Self {
        Self {
            kind,
            class: String::new(),
            message: message.chars().take(MAX_TEXT).collect(),
            made: false,
            log: Vec::new(),
        }
    }

    /// Returns what the client said of `DataNode`s, and its own words where it said nothing.
    pub(crate) fn said(&self) -> String {
        let words: Vec<&str> = self.log.iter().map(|(_, words)| words.as_str()).collect();
        if words.is_empty() {
            return self.message.clone();
        }
        words.join("; ")
    }

    /// An answer to another question.
    pub(crate) fn foreign() -> Self {
        Self::of(Kind::Client, "an answer to something else")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_with_its_permissions() {
        let status = Status {
            path: "/data".to_owned(),
            folder: true,
            length: 0,
            owner: "alice".to_owned(),
            group: "team".to_owned(),
            mode: 0o1750,
        };
        assert_eq!(status.to_string(), "/data drwxr-x--- alice:team");
    }
}
