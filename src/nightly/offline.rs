//! Whether it is this machine that has no network.

use linkdial_core::{Outcome, Stage};

use crate::history::Offline;
use crate::report::Check;

/// Fewer hosts may all be down.
const HOSTS: usize = 3;

/// Returns the finding that this machine has no network: three hosts or more were dialled, and none
/// was reached.
pub(super) fn finding(checks: &[Check]) -> Option<Offline> {
    let mut hosts: Vec<String> = Vec::new();
    for check in checks {
        let dialled = check.steps.iter();
        let mut dialled = dialled.filter(|step| step.stage > Stage::Define);
        if dialled.clone().next().is_none() {
            continue;
        }
        // Whatever was reached was reached from here.
        if dialled.any(|step| step.stage >= Stage::Connect && step.outcome == Outcome::Pass) {
            return None;
        }
        let failed = check
            .steps
            .iter()
            .find(|step| step.outcome == Outcome::Fail)?;
        if !matches!(failed.stage, Stage::Resolve | Stage::Connect) {
            return None;
        }
        let endpoints = check.steps.iter().filter_map(|step| step.endpoint.as_ref());
        for endpoint in endpoints {
            if !hosts.contains(&endpoint.host) {
                hosts.push(endpoint.host.clone());
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

/// Lowers what failed: it could not be found out.
pub(super) fn lower(check: &mut Check) {
    for step in &mut check.steps {
        if step.outcome == Outcome::Fail {
            step.outcome = Outcome::Unverified;
        }
    }
}
