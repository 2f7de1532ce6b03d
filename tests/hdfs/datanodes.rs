//! Blocks that can not be had, while the NameNode lists everything.

use std::time::{Duration, Instant};

use linkdial_testcontainers::HdfsOptions;
use linkdial_testcontainers::HdfsPath::{Data, EmptyFile, Orders, Writable};

use crate::lab::{evidence, fail, note, pass, report, verify};
use crate::paths::export;

const USE_HOSTNAME: &str = "/dfs.client.use.datanode.hostname";

#[test]
fn a_dead_datanode_is_found_behind_a_good_listing() {
    let mut hdfs = HdfsOptions::default().start().unwrap();
    hdfs.kill_datanode(1);
    let link = |name: &str| hdfs.create_link(name).config("kerberos.user", "alice");
    let started = Instant::now();
    verify(
        &[],
        &[
            fail(
                link("file"),
                hdfs.url(Orders),
                "connect.refused",
                "datanode",
                "",
            ),
            fail(
                link("folder"),
                hdfs.url(Data),
                "connect.refused",
                "datanode",
                "",
            ),
            pass(link("empty"), hdfs.url(EmptyFile)),
        ],
    );
    // The NameNode gives the right, and nobody takes the block.
    let script = export(&link("write"), &hdfs.url(Writable));
    let report = report(&["--write"], &script);
    assert_eq!(report["checks"][0]["verdict"], "fail", "{report:#}");
    assert_eq!(report["checks"][0]["code"], "connect.refused", "{report:#}");
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_frozen_datanode_costs_one_stage() {
    let hdfs = HdfsOptions::default().start().unwrap();
    hdfs.datanode(1).pause().unwrap();
    let link = hdfs.create_link("frozen").config("kerberos.user", "alice");
    let started = Instant::now();
    let checks = verify(
        &["--timeout", "2s"],
        &[fail(
            link,
            hdfs.url(Orders),
            "access.timed-out",
            "datanode",
            "",
        )],
    );
    assert!(evidence(&checks[0], "client_log").contains("No data received"));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    hdfs.datanode(1).resume().unwrap();
}

#[test]
fn one_dead_copy_of_two_is_a_warning_with_a_line_of_its_own() {
    let options = HdfsOptions::default().datanodes(2).replication(2);
    let mut hdfs = options.start().unwrap();
    hdfs.kill_datanode(1);
    let link = |name: &str| hdfs.create_link(name).config("kerberos.user", "alice");
    let dead = fail(
        link("l"),
        hdfs.url(Orders),
        "connect.refused",
        "datanode",
        "",
    );
    let checks = verify(&[], &[dead.verdict("warn")]);
    assert_eq!(note(&checks[0], "object"), Orders.path());
    let steps = checks[0]["steps"].as_array().unwrap();
    let nodes = steps
        .iter()
        .filter(|it| it["role"] == "datanode" && it["stage"] == "connect");
    let nodes: Vec<_> = nodes.map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(nodes.len(), 2, "{steps:#?}");
    assert!(
        nodes.contains(&"warn") && nodes.contains(&"pass"),
        "{nodes:?}"
    );
}

#[test]
fn the_name_of_a_datanode_is_an_address_of_its_own() {
    let options = HdfsOptions::default().property("dfs.datanode.hostname", "datanode.invalid");
    let hdfs = options.start().unwrap();
    let link = |name: &str| hdfs.create_link(name).config("kerberos.user", "alice");
    let by_name = link("name").config("dfs.client.use.datanode.hostname", true);
    let checks = verify(
        &[],
        &[
            pass(link("address"), hdfs.url(Orders)),
            fail(
                by_name,
                hdfs.url(Orders),
                "resolve.not-found",
                "datanode",
                USE_HOSTNAME,
            ),
        ],
    );
    assert!(note(&checks[0], "registered_as").starts_with("datanode.invalid at 127.0.0.1"));
    let hint = checks[1]["diagnosis"]["hint"].as_str().unwrap();
    assert!(hint.contains("to false"), "{hint}");
}

#[test]
fn a_block_that_no_datanode_has_is_the_clusters_fault() {
    let hdfs = HdfsOptions::default().datanodes(0).start().unwrap();
    let link = hdfs.create_link("l").config("kerberos.user", "alice");
    let case = fail(
        link,
        hdfs.url(Orders),
        "access.server-error",
        "namenode",
        "",
    );
    let checks = verify(&[], &[case]);
    let message = checks[0]["diagnosis"]["message"].as_str().unwrap();
    assert!(message.contains("no DataNode that is alive"), "{message}");
}
