//! Blocks that can not be had, while the NameNode lists everything.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use linkdial_testcontainers::HdfsPath::{Data, EmptyFile, Orders, Writable};
use linkdial_testcontainers::HdfsUser::Alice;
use linkdial_testcontainers::broken::BlackHole;
use linkdial_testcontainers::{HdfsOptions, SecuredHdfs};

use crate::lab::{evidence, fail, note, pass, path, report, verify};
use crate::paths::{export, names};

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

/// The same where the DataNode would ask for a login first.
#[test]
fn a_frozen_datanode_with_kerberos_costs_one_stage() {
    let hdfs = SecuredHdfs::start().unwrap();
    hdfs.datanode(1).pause().unwrap();
    let conf = hdfs.kdc().krb5_conf();
    let case = fail(
        hdfs.create_link_for("frozen", Alice),
        hdfs.url(Orders),
        "access.timed-out",
        "datanode",
        "",
    );
    let started = Instant::now();
    let arguments = ["--krb5-conf", path(&conf), "--timeout", "2s"];
    verify(&arguments, &[case]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    hdfs.datanode(1).resume().unwrap();
}

/// A firewall that drops packets in the place of the DataNode.
#[test]
fn a_datanode_that_packets_do_not_reach_costs_one_stage() {
    let mut hdfs = HdfsOptions::default().start().unwrap();
    hdfs.kill_datanode(1);
    let _hole = BlackHole::start_at(hdfs.datanode(1).addr()).unwrap();
    let link = |name: &str| hdfs.create_link(name).config("kerberos.user", "alice");
    let dropped = |name: &str| {
        fail(
            link(name),
            hdfs.url(Orders),
            "connect.timed-out",
            "datanode",
            "",
        )
    };
    let started = Instant::now();
    verify(&["--timeout", "3s"], &[dropped("l"), dropped("other")]);
    assert!(
        started.elapsed() < Duration::from_millis(5500),
        "{:?}",
        started.elapsed()
    );
    // What is written does not arrive either, and goes again.
    let before = names(&hdfs);
    let script = export(&link("write"), &hdfs.url(Writable));
    let report = report(&["--write"], &script);
    let check = &report["checks"][0];
    assert_eq!(check["verdict"], "fail", "{report:#}");
    assert_eq!(check["code"], "connect.timed-out", "{report:#}");
    assert_eq!(names(&hdfs), before);
}

/// The name leads to a firewall, and the address to the DataNode.
#[test]
fn the_other_way_to_a_datanode_is_found_within_the_same_deadline() {
    let name = Ipv4Addr::new(127, 0, 0, 9);
    let options = HdfsOptions::default().property("dfs.datanode.hostname", &name.to_string());
    let hdfs = options.start().unwrap();
    let mut dropped = hdfs.datanode(1).addr();
    dropped.set_ip(name.into());
    let _hole = BlackHole::start_at(dropped).unwrap();
    let link = hdfs.create_link("l").config("kerberos.user", "alice");
    let by_name = fail(
        link.config("dfs.client.use.datanode.hostname", true),
        hdfs.url(Orders),
        "connect.timed-out",
        "datanode",
        USE_HOSTNAME,
    );
    let started = Instant::now();
    let checks = verify(&["--timeout", "3s"], &[by_name]);
    let found = hdfs.datanode(1).addr().to_string();
    assert_eq!(evidence(&checks[0], "answers_at"), found);
    let hint = checks[0]["diagnosis"]["hint"].as_str().unwrap();
    assert!(hint.contains("to false"), "{hint}");
    assert!(
        started.elapsed() < Duration::from_millis(5500),
        "{:?}",
        started.elapsed()
    );
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
    // Nobody takes a new one either, and nothing is left of it.
    let before = names(&hdfs);
    let link = hdfs.create_link("l").config("kerberos.user", "alice");
    let report = report(&["--write"], &export(&link, &hdfs.url(Writable)));
    let check = &report["checks"][0];
    assert_eq!(check["verdict"], "fail", "{report:#}");
    assert_eq!(check["code"], "access.server-error", "{report:#}");
    let message = check["diagnosis"]["message"].as_str().unwrap();
    assert!(message.contains("takes new blocks"), "{message}");
    assert_eq!(names(&hdfs), before);
}
