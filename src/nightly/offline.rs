//! Whether it is this machine that has no network.

use std::net::IpAddr;

use linkdial_core::{Code, Outcome, Stage};

use crate::history::Offline;
use crate::report::{Check, Step};

/// Fewer hosts may all be down.
const HOSTS: usize = 3;

/// What one check says about the network of this machine.
enum Sign {
    /// It was not dialled, or stopped.
    None,
    /// A server of the network answered, or something on the way did.
    Network,
    /// A server of this machine itself answered.
    OwnServer,
    /// Nobody answered at this host; the flag says whether it is this machine.
    Silence { host: String, own: bool },
    /// The link failed for another reason.
    Other,
}

/// Returns the finding that this machine has no network: checks of three hosts or more failed before
/// they had a connection, and none had one. What this machine answers to itself is no sign of a
/// network, unless all links lead to it.
pub(super) fn finding(checks: &[Check]) -> Option<Offline> {
    let signs: Vec<Sign> = checks.iter().map(sign).collect();
    let own = signs
        .iter()
        .all(|sign| !matches!(sign, Sign::Network | Sign::Silence { own: false, .. }));
    let mut hosts: Vec<String> = Vec::new();
    for sign in signs {
        match sign {
            Sign::Network | Sign::Other => return None,
            Sign::OwnServer if own => return None,
            Sign::None | Sign::OwnServer => {}
            Sign::Silence { host, own: here } => {
                if here == own && !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
        }
    }
    (hosts.len() >= HOSTS).then(|| Offline {
        message: format!(
            "this machine reached none of {} hosts, so that this sweep says nothing about the links",
            hosts.len()
        ),
        hosts,
        hint: "look at the network of this machine (cable, VPN, name servers, firewall) and sweep \
               again"
            .to_owned(),
    })
}

fn sign(check: &Check) -> Sign {
    let mut dialled = check
        .steps
        .iter()
        .filter(|step| step.stage > Stage::Define && step.outcome != Outcome::Skip);
    let is_open = |step: &&Step| step.stage >= Stage::Connect && step.outcome == Outcome::Pass;
    if let Some(open) = dialled.clone().find(is_open) {
        let own = open
            .endpoint
            .as_ref()
            .is_some_and(|it| is_own(check, &it.host));
        return if own { Sign::OwnServer } else { Sign::Network };
    }
    let Some(failed) = dialled.find(|step| step.outcome == Outcome::Fail) else {
        return Sign::None;
    };
    let code = failed.finding.as_ref().map(|finding| finding.code);
    // One service with many servers is one host.
    let Some(host) = failed.endpoint.as_ref().map(|it| it.host.clone()) else {
        return Sign::Other;
    };
    let own = is_own(check, &host);
    match code {
        // Our own policy says nothing about the network.
        Some(Code::ResolveAddressRefused) => Sign::Other,
        // Whoever refuses is there.
        Some(Code::ConnectRefused | Code::ConnectReset | Code::ConnectProxyFailed) if !own => {
            Sign::Network
        }
        _ if matches!(failed.stage, Stage::Resolve | Stage::Connect) => Sign::Silence { host, own },
        _ => Sign::Other,
    }
}

/// Whether a host is this machine, by the address that it has or had.
fn is_own(check: &Check, host: &str) -> bool {
    let is_loopback = |text: &str| text.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
    let steps = check.steps.iter().filter(|step| {
        let at = step.endpoint.as_ref();
        step.stage == Stage::Resolve && at.is_some_and(|at| at.host == host)
    });
    let mut notes = steps.flat_map(|step| &step.notes);
    let addresses = notes.find(|(name, _)| *name == "addresses");
    is_loopback(host)
        || addresses.is_some_and(|(_, addresses)| addresses.split(", ").all(is_loopback))
}

/// Lowers what failed: it could not be found out.
pub(super) fn lower(check: &mut Check) {
    for step in &mut check.steps {
        if step.outcome == Outcome::Fail {
            step.outcome = Outcome::Unverified;
        }
    }
}
