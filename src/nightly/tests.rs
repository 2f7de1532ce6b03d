use std::time::Duration;

use linkdial_core::{Code, Endpoint, Intent, Kind, LinkName, Outcome, Role, Stage};

use super::offline;
use crate::report::{Check, Finding, Step};

/// A check that walked these stages at these hosts; the last one ends with the code, if there is one.
fn check(steps: &[(Stage, &str)], code: Option<Code>) -> Check {
    let last = steps.len() - 1;
    let steps = steps.iter().enumerate().map(|(index, (stage, host))| {
        let code = code.filter(|_| index == last);
        Step {
            stage: *stage,
            endpoint: Some(Endpoint::new(Role::Endpoint, host, 443)),
            outcome: code.map_or(Outcome::Pass, Code::outcome),
            elapsed: Duration::ZERO,
            notes: Vec::new(),
            finding: code.map(|code| Finding {
                code,
                message: String::new(),
                evidence: Vec::new(),
                blame: code.blame(),
                retry: code.retry(),
                hint: None,
                keys: Vec::new(),
                target: None,
                repairs: Vec::new(),
                policy: Vec::new(),
            }),
        }
    });
    Check {
        link: LinkName::new(Some("shop"), "a"),
        kind: Kind::Http,
        target: None,
        intent: Intent::READ,
        place: None,
        elapsed: Duration::ZERO,
        broken: false,
        correction: None,
        steps: steps.collect(),
    }
}

fn silent(host: &str) -> Check {
    check(
        &[(Stage::Resolve, host), (Stage::Connect, host)],
        Some(Code::ConnectTimedOut),
    )
}

fn refused(host: &str) -> Check {
    check(
        &[(Stage::Resolve, host), (Stage::Connect, host)],
        Some(Code::ConnectRefused),
    )
}

fn good(host: &str) -> Check {
    check(&[(Stage::Connect, host), (Stage::Access, host)], None)
}

fn hosts(checks: &[Check]) -> Option<usize> {
    offline::finding(checks).map(|finding| finding.hosts.len())
}

#[test]
fn three_hosts_in_silence_are_a_machine_without_a_network() {
    let unknown = check(&[(Stage::Resolve, "d")], Some(Code::ResolveServerFailed));
    assert_eq!(hosts(&[silent("a"), silent("b")]), None);
    assert_eq!(hosts(&[silent("a"), silent("a"), silent("b")]), None);
    assert_eq!(
        hosts(&[silent("a"), silent("b"), silent("c"), unknown]),
        Some(4)
    );
    assert_eq!(
        hosts(&[silent("a"), silent("b"), silent("c"), good("d")]),
        None
    );
}

#[test]
fn who_refuses_is_there_unless_it_is_this_machine() {
    assert_eq!(
        hosts(&[refused("a"), silent("b"), silent("c"), silent("d")]),
        None
    );
    let own = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(refused);
    assert_eq!(hosts(&own), Some(3));
    // A server of this machine says nothing about the network.
    let network = [silent("a"), silent("b"), silent("c"), good("127.0.0.1")];
    assert_eq!(hosts(&network), Some(3));
    // But where all links lead to it, it is what they need.
    let own = [&own[..], &[good("127.0.0.4")]].concat();
    assert_eq!(hosts(&own), None);
}

#[test]
fn what_is_no_fault_of_the_network_ends_the_search() {
    for code in [
        Code::ResolveAddressRefused,
        Code::TlsExpired,
        Code::DefineMissingKey,
    ] {
        let stage = code.stage().unwrap();
        let other = check(&[(stage, "d")], Some(code));
        let found = hosts(&[silent("a"), silent("b"), silent("c"), other]);
        // What stands in the statement was not dialled.
        let expected = (stage == Stage::Define).then_some(3);
        assert_eq!(found, expected, "{code}");
    }
    let stopped = check(
        &[(Stage::Resolve, "d"), (Stage::Connect, "d")],
        Some(Code::Interrupted(Stage::Connect)),
    );
    assert_eq!(
        hosts(&[silent("a"), silent("b"), silent("c"), stopped]),
        Some(3)
    );
}
