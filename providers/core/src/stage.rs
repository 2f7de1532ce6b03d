//! The stages of a walk.

use std::fmt;

use crate::code::Code;

/// How far a probe got: one rung of the ladder, in the order in which they are climbed.
///
/// Also the word of `--until`, a JUnit case, a metric label and the prefix of a code.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// The two clauses mean something for this kind. No packet is sent.
    Define,
    /// A name becomes addresses.
    Resolve,
    /// An address accepts.
    Connect,
    /// Handshake and certificate.
    Tls,
    /// The service knows who we are.
    Authenticate,
    /// That identity may see the thing named.
    Access,
    /// One byte of one real object is read.
    Read,
    /// A sentinel is written, read back, compared and deleted.
    Write,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 8] = [
        Self::Define,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::Authenticate,
        Self::Access,
        Self::Read,
        Self::Write,
    ];

    /// Returns the word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Define => "define",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Authenticate => "authenticate",
            Self::Access => "access",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub(crate) const fn interrupted(self) -> &'static str {
        match self {
            Self::Define => "define.interrupted",
            Self::Resolve => "resolve.interrupted",
            Self::Connect => "connect.interrupted",
            Self::Tls => "tls.interrupted",
            Self::Authenticate => "authenticate.interrupted",
            Self::Access => "access.interrupted",
            Self::Read => "read.interrupted",
            Self::Write => "write.interrupted",
        }
    }

    /// The code of silence at this stage (codes.md: where login is a step of its own, silence
    /// there belongs to it; elsewhere it belongs to access).
    pub(crate) const fn timed_out(self) -> Code {
        match self {
            Self::Resolve => Code::ResolveTimedOut,
            Self::Connect => Code::ConnectTimedOut,
            Self::Tls => Code::TlsTimedOut,
            Self::Authenticate => Code::AuthenticateTimedOut,
            Self::Define | Self::Access | Self::Read | Self::Write => Code::AccessTimedOut,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
