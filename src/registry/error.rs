//! Why a registry did not do its work.

use std::io;
use std::path::{Path, PathBuf};

use linkdial_core::LinkName;
use sqlx::migrate::MigrateError;

/// Why a registry did not do its work. It never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Somebody else changed the link after it was read.
    #[error("link `{0}` was changed by somebody else at the same time")]
    Conflict(LinkName),
    /// The location is empty.
    #[error("the location of the registry is empty")]
    NoLocation,
    /// The location names another kind of database.
    #[error("this build keeps registries in SQLite files only")]
    OtherDatabase,
    /// The file or its folder can not be made or opened.
    #[error("can not open the registry `{}`: {source}", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`{}` is not a registry", .0.display())]
    NotARegistry(PathBuf),
    /// A newer linkdial has changed the file.
    #[error("the registry `{}` has schema {found}, and this linkdial knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that is known here.
        known: i64,
    },
    /// The registry has a key, and there is no key file.
    #[error("the key file `{}` is missing", .0.display())]
    KeyMissing(PathBuf),
    /// The key file can not be read.
    #[error("can not read the key file `{}`: {source}", path.display())]
    KeyUnreadable {
        /// The key file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key file can not be written.
    #[error("can not write the key file `{}`: {source}", path.display())]
    KeyUnwritable {
        /// The key file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key file is something else.
    #[error("line {line} of the key file `{}` is not a key", path.display())]
    KeyMalformed {
        /// The key file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The registry is sealed with another key.
    #[error("the key file `{}` does not hold the key of this registry", .0.display())]
    WrongKey(PathBuf),
    /// Another process sweeps it.
    #[error("the registry `{}` is being swept{}", path.display(), if by.is_empty() { String::new() } else { format!(" by {by}") })]
    SweepRuns {
        /// The file.
        path: PathBuf,
        /// Which process, since when.
        by: String,
    },
    /// The disk is full.
    #[error("no space is left for the registry `{}`", .0.display())]
    Full(PathBuf),
    /// The file, its folder or its file system can not be written.
    #[error("the registry `{}` can not be written", .0.display())]
    ReadOnly(PathBuf),
    /// Another process held the file for too long.
    #[error("the registry `{}` is locked by another process", .0.display())]
    Locked(PathBuf),
    /// The file is damaged.
    #[error("the registry `{}` is damaged", .0.display())]
    Corrupt(PathBuf),
    /// What is sealed for a link does not open with the right key.
    #[error("the stored definition of link `{0}` is damaged")]
    Damaged(LinkName),
    /// A column holds what this version does not know.
    #[error("`{word}` in column `{column}` of the registry is not known to this linkdial")]
    UnknownWord {
        /// The column.
        column: &'static str,
        /// What stands there; nothing that is sealed.
        word: String,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    NoRandomNumbers,
    /// Something else went wrong below.
    #[error("the registry `{}` failed: {message}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the database says, without values.
        message: String,
    },
}

impl RegistryError {
    /// Returns what to do next, as an order.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Open { source, .. } | Self::KeyUnwritable { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                "free some space and run it again; nothing is half stored"
            }
            Self::Conflict(_) => "look at the link and run the statement again",
            Self::SweepRuns { .. } => "wait for its end, or stop it; a sweep starts nothing twice",
            Self::NoLocation => "name a file, such as `links.db` or `sqlite:links.db`",
            Self::OtherDatabase => "name a path or `sqlite:PATH`",
            Self::Open { .. } => "check the path and who may write there",
            Self::NotARegistry(_) => "name another file; a new one is made where there is none",
            Self::Newer { .. } => "use the newer linkdial, or another registry",
            Self::KeyMissing(_) => {
                "put the key file back, or say where it lies; without it nothing can be opened"
            }
            Self::KeyUnreadable { .. } => "check who may read the key file",
            Self::KeyUnwritable { .. } => "check who may write the key file and its folder",
            Self::KeyMalformed { .. } => {
                "put the right key file there; each line is `linkdial-key-1 ID KEY`"
            }
            Self::WrongKey(_) => "name the key file that belongs to this registry",
            Self::Full(_) => "free some space and run it again; nothing is half stored",
            Self::ReadOnly(_) => "check who may write the file and its folder",
            Self::Locked(_) => {
                "wait for the other process, such as a rotation of many links, and run it again; \
                 nothing is half stored"
            }
            Self::Corrupt(_) => "put a backup of the file in its place",
            Self::Damaged(_) => "create the link anew with `CREATE OR REPLACE LINK`",
            Self::UnknownWord { .. } => "use the linkdial that wrote it",
            Self::NoRandomNumbers => "run it again",
            Self::Failed { .. } => "run it again, and look at the file if that does not help",
        }
    }
}

/// A column holds a word that nothing here has.
pub(super) fn unknown(column: &'static str, word: impl Into<String>) -> RegistryError {
    RegistryError::UnknownWord {
        column,
        word: word.into(),
    }
}

/// What goes wrong inside, before it is known of which registry.
#[derive(Debug)]
pub(super) enum Fault {
    Known(RegistryError),
    Sql(sqlx::Error),
}

impl From<RegistryError> for Fault {
    fn from(error: RegistryError) -> Self {
        Self::Known(error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<MigrateError> for Fault {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::Sql(error)
            }
            other => Self::Sql(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}

impl Fault {
    /// Says which registry it is about.
    pub(super) fn at(self, path: &Path) -> RegistryError {
        let error = match self {
            Self::Known(error) => return error,
            Self::Sql(error) => error,
        };
        let path = path.to_owned();
        match sqlite_code(&error) {
            Some(SHARED_MEMORY_SIZE) => RegistryError::Full(path),
            Some(code) => match code & 0xff {
                BUSY | LOCKED => RegistryError::Locked(path),
                READ_ONLY => RegistryError::ReadOnly(path),
                CAN_NOT_OPEN => RegistryError::Open {
                    path,
                    source: io::Error::other("the file or its folder is refused"),
                },
                CORRUPT => RegistryError::Corrupt(path),
                FULL => RegistryError::Full(path),
                NOT_A_DATABASE => RegistryError::NotARegistry(path),
                _ => failed(path, &error),
            },
            None => failed(path, &error),
        }
    }

    pub(super) fn is_locked(&self) -> bool {
        match self {
            Self::Sql(error) => {
                matches!(
                    sqlite_code(error).map(|code| code & 0xff),
                    Some(BUSY | LOCKED)
                )
            }
            Self::Known(_) => false,
        }
    }
}

fn failed(path: PathBuf, error: &sqlx::Error) -> RegistryError {
    let message = match error.as_database_error() {
        Some(error) => error.to_string(),
        None => error.to_string(),
    };
    RegistryError::Failed { path, message }
}

// The result codes of SQLite; the lower byte is the primary one.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CAN_NOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;
/// The shared memory beside the log did not get its space.
const SHARED_MEMORY_SIZE: u32 = 0x130a;

fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
