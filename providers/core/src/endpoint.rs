//! An address that a probe dials, with the part it plays.

use std::fmt;

use crate::diagnosis::KeyPlace;
use crate::redact::Redactor;

/// The part an endpoint plays for its link.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// A server that the cluster names as one of its own.
    Advertised,
    /// A server that the link or its target names, to ask for the others.
    Bootstrap,
    /// A server that keeps the blocks of files (HDFS).
    Datanode,
    /// The service itself.
    Endpoint,
    /// The key distribution center of a Kerberos realm.
    Kdc,
    /// A server that knows the files of a cluster and where their blocks are (HDFS).
    Namenode,
    /// The registry that keeps the schemas of a topic.
    Registry,
    /// The security token service that lends a role.
    Sts,
    /// The server that gives out bearer tokens.
    Token,
}

impl Role {
    /// Returns the word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advertised => "advertised",
            Self::Bootstrap => "bootstrap",
            Self::Datanode => "datanode",
            Self::Endpoint => "endpoint",
            Self::Kdc => "kdc",
            Self::Namenode => "namenode",
            Self::Registry => "registry",
            Self::Sts => "sts",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Host and port of a server, as the link or the server before it names them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The part it plays.
    pub role: Role,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The key of the link that names it, where one does: guilty when it can not be reached.
    pub key: Option<KeyPlace>,
}

impl Endpoint {
    /// Makes an endpoint; brackets around an IPv6 address are taken off.
    pub fn new(role: Role, host: &str, port: u16) -> Self {
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        Self {
            role,
            host: host.to_owned(),
            port,
            key: None,
        }
    }

    /// Says which key of the link names it.
    #[must_use]
    pub fn named_by(mut self, key: KeyPlace) -> Self {
        self.key = Some(key);
        self
    }

    /// Returns it as a record shows it: a secret that stands in the place of a host is taken out.
    pub(crate) fn abridged(&self, redactor: &Redactor) -> Self {
        let mut shown = self.clone();
        redactor.abridge(&mut shown.host);
        shown
    }
}

impl fmt::Display for Endpoint {
    /// Writes `host:port`, with brackets around an IPv6 address.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}
