//! What a `CREATE LINK` statement makes: a name, a kind and two clauses of JSON.

use std::fmt;
use std::str::FromStr;

use crate::clause::Clause;

/// The word after `AS` in `CREATE LINK`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Kind {
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
    /// The Hadoop file system.
    Hdfs,
    /// An HTTP service behind an external function.
    Http,
    /// Apache Kafka.
    Kafka,
    /// MongoDB, for change data capture.
    Mongodb,
    /// MySQL, for change data capture.
    Mysql,
    /// Amazon S3 and compatible stores.
    S3,
}

impl Kind {
    /// Every kind of the grammar, in alphabetical order.
    pub const ALL: [Self; 8] = [
        Self::Azure,
        Self::Gcs,
        Self::Hdfs,
        Self::Http,
        Self::Kafka,
        Self::Mongodb,
        Self::Mysql,
        Self::S3,
    ];

    /// Returns the word of the grammar, in upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Azure => "AZURE",
            Self::Gcs => "GCS",
            Self::Hdfs => "HDFS",
            Self::Http => "HTTP",
            Self::Kafka => "KAFKA",
            Self::Mongodb => "MONGODB",
            Self::Mysql => "MYSQL",
            Self::S3 => "S3",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The word is none of the kinds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a kind of link")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Reads a kind in any case, as the grammar does.
    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
            .ok_or(UnknownKind)
    }
}

/// A link's name, with its database when one is known.
///
/// Two names are the same link only when both parts are the same, letter case included.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkName {
    /// The database before the dot, or the current one.
    pub database: Option<String>,
    /// The name itself, without quotes.
    pub name: String,
}

impl LinkName {
    /// Makes a name from its two parts.
    pub fn new(database: Option<&str>, name: &str) -> Self {
        Self {
            database: database.map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for LinkName {
    /// Writes `database.name`, or `name` where no database is known.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(database) = &self.database {
            write!(formatter, "{database}.")?;
        }
        formatter.write_str(&self.name)
    }
}

/// Kind and both clauses, before they mean anything.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The word after `AS`.
    pub kind: Kind,
    /// The `CONFIG` clause; empty where the statement has none.
    pub config: Clause,
    /// The `CREDENTIALS` clause; empty where the statement has none.
    pub credentials: Clause,
}
