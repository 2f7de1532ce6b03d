//! What a sweep adds to its report.

use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Code, LinkName};

use super::{Change, CheckName, Difference, Expiry, Incident};

/// What a sweep adds to its report.
#[derive(Clone, Debug)]
pub struct Night {
    /// Its number in the history of the registry, from 1.
    pub sweep: u64,
    /// The name of each check of the report, in their order.
    pub names: Vec<CheckName>,
    /// The number and start of the sweep before; `None` for the first one. A check that was not in it,
    /// or could not be found out, is compared with its last result before that.
    pub previous: Option<(u64, Timestamp)>,
    /// Why the sweep says nothing about the links; `None` when this machine reached any server.
    pub offline: Option<Offline>,
    /// What is not as it was when each check was found out last, in the order of kinds and names.
    pub changes: Vec<Change>,
    /// What differs for each red check from its last green sweep, in the order of the checks.
    pub stories: Vec<Story>,
    /// The red checks by what they share, the largest first. Each red check is in one of them.
    pub incidents: Vec<Incident>,
    /// What runs out, the first one first.
    pub expiries: Vec<Expiry>,
    /// What runs out within this time is told to people.
    pub soon: Duration,
    /// Deferred links that passed and count as verified from now on.
    pub promoted: Vec<LinkName>,
}

impl Night {
    /// Enough to renew what has to be ordered first.
    pub const SOON: Duration = Duration::from_hours(30 * 24);
}

impl Default for Night {
    fn default() -> Self {
        Self {
            sweep: 0,
            names: Vec::new(),
            previous: None,
            offline: None,
            changes: Vec::new(),
            stories: Vec::new(),
            incidents: Vec::new(),
            expiries: Vec::new(),
            soon: Self::SOON,
            promoted: Vec::new(),
        }
    }
}

/// The finding that this machine has no network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offline {
    /// The fact, in one sentence without a full stop.
    pub message: String,
    /// The hosts that were dialled, each once and in their order.
    pub hosts: Vec<String>,
    /// What to do about it.
    pub hint: String,
}

impl Offline {
    /// The code of the finding.
    pub const CODE: Code = Code::ConnectOffline;
}

/// What differs for a red check from its last green sweep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Story {
    /// Which check.
    pub check: CheckName,
    /// The number and start of the sweep that saw it green last; `None` when none did.
    pub green: Option<(u64, Timestamp)>,
    /// When it was first seen red after that.
    pub red_since: Option<Timestamp>,
    /// What differs; empty when nothing that linkdial sees does.
    pub differences: Vec<Difference>,
}
