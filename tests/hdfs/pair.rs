//! Two NameNodes: which one serves, and what becomes of the other.

use linkdial_testcontainers::HdfsPath::{Orders, Writable};
use linkdial_testcontainers::HdfsUser::Alice;
use linkdial_testcontainers::broken::BlackHole;
use linkdial_testcontainers::{HdfsEdits, HdfsPair, HdfsPairOptions, LinkStatement};
use serde_json::Value;

use crate::lab::{Case, fail, pass, path, report, verify};
use crate::paths::{export, names};

const SERVICES: &str = "/dfs.nameservices";
const NN1: &str = "/dfs.namenode.rpc-address.cluster.nn1";

/// Returns the state of each NameNode, by its number from 1, as the notes have it.
fn states(check: &Value, pair: &HdfsPair) -> [String; 2] {
    [1, 2].map(|number| {
        let port = pair.namenode(number).addr().port();
        let steps = check["steps"].as_array().unwrap().iter();
        let mut of_it = steps.filter(|step| {
            let at = step["endpoint"].as_str().unwrap_or_default();
            step["role"] == "namenode" && at.ends_with(&format!(":{port}"))
        });
        let last = of_it.next_back().unwrap();
        let state = last["notes"]["state"].as_str().unwrap_or_default();
        format!("{}{state}", last["outcome"].as_str().unwrap())
    })
}

fn alone(pair: &HdfsPair, number: usize) -> (LinkStatement, String) {
    let link = LinkStatement::new(format!("alone_{number}"), "HDFS")
        .config("kerberos.user", "alice")
        .with_empty_credentials();
    let address = pair.namenode(number).addr();
    (link, format!("hdfs://{address}{Orders}"))
}

#[test]
fn each_namenode_of_a_pair_has_a_verdict_of_its_own() {
    let mut pair = HdfsPair::start().unwrap();
    let link = |pair: &HdfsPair| pair.create_link("pair").config("kerberos.user", "alice");
    let checks = verify(&[], &[pass(link(&pair), pair.url(Orders))]);
    assert_eq!(states(&checks[0], &pair), ["pass", "passstandby"]);

    let provider = "dfs.client.failover.proxy.provider.cluster";
    let without = link(&pair).without(provider);
    let missing = fail(
        without,
        pair.url(Orders),
        "define.missing-key",
        "",
        "/dfs.client.failover.proxy.provider.cluster",
    );
    verify(&[], &[missing]);
    // A standby beside the one that says so is no second fault.
    let nowhere = fail(
        link(&pair),
        pair.url("/nowhere"),
        "access.not-found",
        "namenode",
        "",
    );
    let checks = verify(&[], &[nowhere]);
    assert!(!checks[0]["steps"].to_string().contains("access.standby"));
    let (first, first_url) = alone(&pair, 1);
    let (second, second_url) = alone(&pair, 2);
    let standby: Case = fail(second, second_url, "access.standby", "namenode", SERVICES);
    verify(&[], &[pass(first, first_url), standby]);

    pair.activate(2).unwrap();
    let checks = verify(&[], &[pass(link(&pair), pair.url(Orders))]);
    assert_eq!(states(&checks[0], &pair), ["passstandby", "pass"]);

    pair.stand_by(2).unwrap();
    let none = fail(
        link(&pair),
        pair.url(Orders),
        "access.standby",
        "namenode",
        SERVICES,
    );
    verify(&[], &[none]);

    pair.activate(2).unwrap();
    pair.kill_namenode(1);
    let half = fail(
        link(&pair),
        pair.url(Orders),
        "connect.refused",
        "namenode",
        NN1,
    );
    let checks = verify(&[], &[half.verdict("warn")]);
    assert_eq!(states(&checks[0], &pair), ["warn", "pass"]);
    let hole = BlackHole::start_at(pair.namenode(1).addr()).unwrap();
    let half = fail(
        link(&pair),
        pair.url(Orders),
        "connect.timed-out",
        "namenode",
        NN1,
    );
    let checks = verify(&["--timeout", "1s"], &[half.verdict("warn")]);
    assert_eq!(states(&checks[0], &pair), ["warn", "pass"]);
    drop(hole);

    pair.kill_namenode(2);
    let both = fail(
        link(&pair),
        pair.url(Orders),
        "connect.refused",
        "namenode",
        NN1,
    );
    verify(&[], &[both]);
}

#[test]
fn a_pair_with_kerberos_serves_as_well() {
    let pair = HdfsPair::start_secured().unwrap();
    let conf = pair.kdc().unwrap().krb5_conf();
    let link = pair.create_link_for("pair", Alice);
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[pass(link, pair.url(Orders))],
    );
    assert_eq!(states(&checks[0], &pair), ["pass", "passstandby"]);
}

/// The same where they share their changes as most clusters do: what is proved, written and removed
/// through one is there with the other.
fn a_pair_with_a_journal_serves(options: HdfsPairOptions) {
    let mut pair = options.edits(HdfsEdits::Journal).start().unwrap();
    assert!(pair.journalnode().is_some());
    let conf = pair.kdc().map(linkdial_testcontainers::Kdc::krb5_conf);
    let conf = conf.as_deref().map(path);
    let arguments: Vec<_> = conf.iter().flat_map(|conf| ["--krb5-conf", conf]).collect();
    let link = |pair: &HdfsPair| pair.create_link("pair").config("kerberos.user", "alice");
    let before = names(&pair);
    let checks = verify(&arguments, &[pass(link(&pair), pair.url(Orders))]);
    assert_eq!(states(&checks[0], &pair), ["pass", "passstandby"]);
    let write = [&arguments[..], &["--write"]].concat();
    let written = report(&write, &export(&link(&pair), &pair.url(Writable)));
    assert_eq!(written["checks"][0]["verdict"], "pass", "{written:#}");

    pair.kill_namenode(1);
    // Nobody has made the second one active yet.
    let nobody = fail(
        link(&pair),
        pair.url(Orders),
        "connect.refused",
        "namenode",
        NN1,
    );
    let checks = verify(&arguments, &[nobody]);
    assert!(
        checks[0]["steps"].to_string().contains("access.standby"),
        "{:#}",
        checks[0]
    );
    pair.activate(2).unwrap();
    let half = fail(
        link(&pair),
        pair.url(Orders),
        "connect.refused",
        "namenode",
        NN1,
    );
    let checks = verify(&arguments, &[half.verdict("warn")]);
    assert_eq!(states(&checks[0], &pair), ["warn", "pass"]);
    assert_eq!(names(&pair), before);
}

#[test]
fn a_pair_with_a_journal_serves_as_well() {
    a_pair_with_a_journal_serves(HdfsPairOptions::default());
}

#[test]
fn a_pair_with_a_journal_and_kerberos_serves_as_well() {
    a_pair_with_a_journal_serves(HdfsPairOptions::default().kerberos());
}
