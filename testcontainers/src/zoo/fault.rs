use std::fmt;
use std::sync::Arc;

use super::{Mark, Seeded};
use crate::Error;

/// The kind of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Amazon S3 and stores that speak its protocol.
    S3,
    /// Azure's blob service.
    Azure,
    /// Google Cloud Storage.
    Gcs,
    /// Hadoop's file system.
    Hdfs,
    /// The service of an external function.
    Http,
    /// Apache Kafka.
    Kafka,
}

impl Kind {
    /// All kinds, in the order of the table.
    pub const ALL: [Self; 6] = [
        Self::S3,
        Self::Azure,
        Self::Gcs,
        Self::Hdfs,
        Self::Http,
        Self::Kafka,
    ];

    /// The word of the grammar.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Azure => "AZURE",
            Self::Gcs => "GCS",
            Self::Hdfs => "HDFS",
            Self::Http => "HTTP",
            Self::Kafka => "KAFKA",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a fault lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Somebody wrote the statement wrong.
    Statement,
    /// The way to the service is broken: names, ports, TLS, proxies, clocks.
    World,
    /// The service is there and answers something else than hoped for.
    Service,
}

impl Family {
    /// All families, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Statement, Self::World, Self::Service];

    /// The word of the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::World => "world",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a right diagnosis of a fault says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// `fail`, `warn`, `unverified`; `error` for a statement that does not parse.
    pub verdict: &'static str,
    /// The code.
    pub code: &'static str,
    /// The stage; empty for a statement that does not parse.
    pub stage: &'static str,
    /// The part of the endpoint; empty where nothing is dialled.
    pub role: &'static str,
    /// Clause and JSON Pointer of the guilty key; `None` where no key of the link is to blame.
    pub key: Option<(&'static str, &'static str)>,
    /// Whether a statement that mends it is shown, once its dial has passed.
    pub mended: bool,
}

impl Expected {
    /// A failure with this code, at the stage of its prefix.
    pub(super) fn fail(code: &'static str) -> Self {
        let stage = code.split('.').next().unwrap_or_default();
        Self {
            verdict: "fail",
            code,
            stage,
            role: "",
            key: None,
            mended: false,
        }
    }

    /// A failure before any packet, with the key to blame.
    pub(super) fn define(code: &'static str, key: (&'static str, &'static str)) -> Self {
        Self::fail(code).key(key)
    }

    /// A statement that does not parse.
    pub(super) fn sql(code: &'static str) -> Self {
        Self {
            verdict: "error",
            stage: "",
            ..Self::fail(code)
        }
    }

    pub(super) fn warn(self) -> Self {
        Self {
            verdict: "warn",
            ..self
        }
    }

    pub(super) fn unverified(self) -> Self {
        Self {
            verdict: "unverified",
            ..self
        }
    }

    /// The role of the endpoint where it is found.
    pub(super) fn at(self, role: &'static str) -> Self {
        Self { role, ..self }
    }

    pub(super) fn key(self, key: (&'static str, &'static str)) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// The repair is known, and the server at hand confirms it.
    pub(super) fn mended(self) -> Self {
        Self {
            mended: true,
            ..self
        }
    }
}

type Seed = dyn Fn(&Mark) -> Result<Seeded, Error> + Send + Sync;

/// What is dialled where nothing is.
const NO_SERVER: &str = "none";

/// One seeded fault with what is to be said of it.
#[derive(Clone)]
pub struct Fault {
    /// A name that no other fault has, which starts with the kind.
    pub name: String,
    /// The kind of the link.
    pub kind: Kind,
    /// Where the fault lies.
    pub family: Family,
    /// What is dialled, in words.
    pub server: &'static str,
    /// What a right diagnosis says.
    pub expected: Expected,
    /// What the expectation stands on: a vendor's page, an RFC, a recorded answer.
    pub source: &'static str,
    /// Whether somebody stays silent, so that the deadline of a stage has to pass.
    pub silent: bool,
    seed: Arc<Seed>,
}

impl Fault {
    /// A fault of a kind; `name` is without the kind.
    pub(super) fn new(
        kind: Kind,
        family: Family,
        name: &str,
        server: &'static str,
        expected: Expected,
        source: &'static str,
        seed: impl Fn(&Mark) -> Result<Seeded, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: format!("{}-{name}", kind.as_str().to_lowercase()),
            kind,
            family,
            server,
            expected,
            source,
            silent: false,
            seed: Arc::new(seed),
        }
    }

    /// A mistake in a statement that is seen before any packet.
    pub(super) fn undialled(
        kind: Kind,
        name: &str,
        expected: Expected,
        source: &'static str,
        seed: impl Fn(&Mark) -> Result<Seeded, Error> + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            kind,
            Family::Statement,
            name,
            NO_SERVER,
            expected,
            source,
            seed,
        )
    }

    /// Whether some server is dialled.
    pub(super) fn dials(&self) -> bool {
        self.server != NO_SERVER
    }

    /// Somebody stays silent, so that the deadline of a stage has to pass.
    pub(super) fn silent(self) -> Self {
        Self {
            silent: true,
            ..self
        }
    }

    /// Starts what the fault needs and writes its script.
    ///
    /// # Errors
    ///
    /// When a server cannot be installed or started, or refuses to be prepared.
    pub fn seed(&self) -> Result<Seeded, Error> {
        (self.seed)(&Mark::of(&self.name))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("name", &self.name)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
