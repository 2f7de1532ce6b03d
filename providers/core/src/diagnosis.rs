//! A finding about a link: what is wrong, how we know, which key, how to mend it.

use std::fmt;
use std::time::Duration;

use crate::clause::ClauseName;
use crate::code::Code;
use crate::policy::Policy;
use crate::redact::Redactor;
use crate::repair::{Change, Repair};

/// The evidence that a server hung up in the place of a word: most likely a refusal, and no proof of
/// one.
pub const HUNG_UP: &str = "hung_up";

/// Who has to act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Blame {
    /// The statement, or how the service is set up.
    Configuration,
    /// The key, secret, token or role.
    Identity,
    /// Names, routes, ports, firewalls, certificates on the way.
    Network,
    /// The identity is good and lacks a right.
    Permission,
    /// The service answered and is at fault itself.
    Server,
    /// linkdial, or the machine it runs on.
    Tool,
}

impl Blame {
    /// Returns the word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Identity => "identity",
            Self::Network => "network",
            Self::Permission => "permission",
            Self::Server => "server",
            Self::Tool => "tool",
        }
    }
}

/// Whether the same dial may pass later without anybody changing anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// The server named the time to wait.
    After(Duration),
    /// It may pass later.
    Later,
    /// Somebody has to change something first.
    Never,
}

/// How a step ended; ordered from best to worst as a verdict counts them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// The stage was not walked; the notes say why.
    Skip,
    /// It holds.
    Pass,
    /// It works, and something should be mended.
    Warn,
    /// It could not be found out from here.
    Unverified,
    /// It does not work.
    Fail,
}

impl Outcome {
    /// Returns the word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unverified => "unverified",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A place in one of the two clauses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPlace {
    /// The clause that holds it.
    pub clause: ClauseName,
    /// JSON Pointer (RFC 6901) to the key; empty for the clause as a whole.
    pub pointer: String,
    /// Byte range inside the clause's text where no key can be named, as in broken JSON.
    pub span: Option<std::ops::Range<usize>>,
}

impl KeyPlace {
    /// Names a top-level key.
    pub fn key(clause: ClauseName, key: &str) -> Self {
        Self {
            clause,
            pointer: format!("/{}", crate::clause::escape_pointer(key)),
            span: None,
        }
    }

    /// Names a place by its pointer.
    pub fn pointer(clause: ClauseName, pointer: impl Into<String>) -> Self {
        Self {
            clause,
            pointer: pointer.into(),
            span: None,
        }
    }
}

/// What is wrong with a link.
///
/// The message states the fact, the evidence holds the values it stands on, the hint gives the
/// repair. None of them may hold a secret; the probe redacts all three before they are recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Stable name of the fault.
    pub code: Code,
    /// The fact, in one sentence without a full stop.
    pub message: String,
    /// Names and values that support it, in the order they were found.
    pub evidence: Vec<(&'static str, String)>,
    /// Who has to act.
    pub blame: Blame,
    /// The guilty keys, the most likely one first.
    pub keys: Vec<KeyPlace>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What grants the rights that are missing; empty for all else.
    pub policy: Vec<Policy>,
    /// Whether the same dial may pass later.
    pub retry: Retry,
    /// Fail, warn or unverified; by default what the code's table says.
    pub outcome: Outcome,
    /// Whether the answer shows that the server took the identity, which then passes
    /// `authenticate`.
    pub proves_identity: bool,
    /// What would mend it, where that is known: alternatives, the likeliest first.
    pub repairs: Vec<Repair>,
}

impl Diagnosis {
    /// Makes a diagnosis with the code's own outcome, blame and retry.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            evidence: Vec::new(),
            blame: code.blame(),
            keys: Vec::new(),
            hint: None,
            policy: Vec::new(),
            retry: code.retry(),
            outcome: code.outcome(),
            proves_identity: code.proves_identity(),
            repairs: Vec::new(),
        }
    }

    /// Adds a piece of evidence; an empty value is left out.
    #[must_use]
    pub fn evidence(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.evidence.push((name, value));
        }
        self
    }

    /// Adds a guilty key.
    #[must_use]
    pub fn key(mut self, place: KeyPlace) -> Self {
        self.keys.push(place);
        self
    }

    /// Sets the repair.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a way to mend it: one change.
    #[must_use]
    pub fn repair(self, change: Change) -> Self {
        self.repairs([change])
    }

    /// Adds a way to mend it: changes that only help together.
    #[must_use]
    pub fn repairs(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        self.repairs.push(Repair::new(changes));
        self
    }

    /// Takes back what would mend it, where trying that would do harm.
    #[must_use]
    pub fn without_repairs(mut self) -> Self {
        self.repairs.clear();
        self
    }

    /// Adds what grants the rights that are missing.
    #[must_use]
    pub fn policy(mut self, policy: impl IntoIterator<Item = Policy>) -> Self {
        self.policy.extend(policy);
        self
    }

    /// Says who has to act, where the code alone does not.
    #[must_use]
    pub const fn blame(mut self, blame: Blame) -> Self {
        self.blame = blame;
        self
    }

    /// Says whether waiting helps, where the code alone does not.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Takes the time to wait that the server named, in seconds as a header `Retry-After` has it. Any
    /// other text says nothing.
    #[must_use]
    pub fn retry_after(self, header: Option<&str>) -> Self {
        match header.and_then(|text| text.parse().ok()) {
            Some(seconds) => self
                .evidence("retry_after", format!("{seconds} s"))
                .retry(Retry::After(Duration::from_secs(seconds))),
            None => self,
        }
    }

    /// Lowers or raises the outcome, where the code alone does not decide it.
    #[must_use]
    pub const fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Says that the answer came without a look at the identity, where the code alone would mean
    /// that it was taken.
    #[must_use]
    pub const fn without_identity(mut self) -> Self {
        self.proves_identity = false;
        self
    }

    /// Removes every secret from the texts, and cuts them to what a record shows.
    pub fn redact(&mut self, redactor: &Redactor) {
        redactor.abridge_sentence(&mut self.message);
        for (_, value) in &mut self.evidence {
            redactor.abridge(value);
        }
        if let Some(hint) = &mut self.hint {
            redactor.abridge_sentence(hint);
        }
        self.policy.retain(|policy| policy.is_whole(redactor));
    }
}
