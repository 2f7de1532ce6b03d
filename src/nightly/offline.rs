//! Whether it is this machine that has no network.

use linkdial_core::{Code, Outcome, Stage};

use crate::history::Offline;
use crate::report::Check;

/// Fewer hosts may all be down.
const HOSTS: usize = 3;

/// Returns the finding that this machine has no network: checks of three hosts or more failed before
/// they had a connection, and none had one.
pub(super) fn finding(checks: &[Check]) -> Option<Offline> {
    let mut hosts: Vec<String> = Vec::new();
    for check in checks {
        let mut dialled = check.steps.iter().filter(|step| step.stage > Stage::Define);
        if dialled.clone().next().is_none() {
            continue;
        }
        // Whatever was reached was reached from here.
        if dialled.any(|step| step.stage >= Stage::Connect && step.outcome == Outcome::Pass) {
            return None;
        }
        let mut failed = check
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Fail);
        let failed = failed.find(|step| step.stage > Stage::Define)?;
        let code = failed.finding.as_ref().map(|finding| finding.code);
        // What our own policy refuses says nothing about the network.
        let counts = matches!(failed.stage, Stage::Resolve | Stage::Connect)
            && code != Some(Code::ResolveAddressRefused);
        if !counts {
            return None;
        }
        // One service with many servers is one host.
        let host = failed.endpoint.as_ref().map(|endpoint| &endpoint.host);
        if let Some(host) = host.filter(|host| !hosts.contains(host)) {
            hosts.push(host.clone());
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
