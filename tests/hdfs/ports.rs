//! Everything that may listen in the place of a NameNode.

use std::time::{Duration, Instant};

use linkdial_testcontainers::HdfsPath::Orders;
use linkdial_testcontainers::broken::{BlackHole, Broken, Fault, RefusedPort};
use linkdial_testcontainers::{Hdfs, HdfsOptions};

use crate::lab::{fail, verify};

#[test]
fn what_is_no_namenode_is_told_from_what_is_down() {
    let hdfs = Hdfs::shared();
    let link = |name: &str| hdfs.create_link(name);
    let at = |address: &dyn std::fmt::Display| format!("hdfs://{address}/data");
    let closed = RefusedPort::start();
    let silent = Broken::start(Fault::Silent);
    let mute = BlackHole::start();
    let datanode = hdfs.datanode(1).addr();
    let web = hdfs.web_addr();
    let other = Broken::start(Fault::Answers(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()));
    let started = Instant::now();
    let checks = verify(
        &["--timeout", "1s"],
        &[
            fail(
                link("closed"),
                at(&closed.addr()),
                "connect.refused",
                "namenode",
                "",
            ),
            fail(
                link("hole"),
                at(&mute.addr()),
                "connect.timed-out",
                "namenode",
                "",
            ),
            fail(
                link("silent"),
                at(&silent.addr()),
                "authenticate.timed-out",
                "namenode",
                "",
            ),
            fail(
                link("unknown"),
                at(&"nn.invalid:8020"),
                "resolve.not-found",
                "namenode",
                "",
            ),
            fail(
                link("datanode"),
                at(&datanode),
                "access.not-this-service",
                "namenode",
                "",
            ),
            fail(
                link("web"),
                at(&web),
                "access.not-this-service",
                "namenode",
                "",
            ),
            fail(
                link("other"),
                at(&other.addr()),
                "access.not-this-service",
                "namenode",
                "",
            ),
        ],
    );
    let message = |number: usize| checks[number]["diagnosis"]["message"].to_string();
    assert!(message(4).contains("hung up without a word"));
    assert!(message(5).contains("speaks HTTP"), "{}", message(5));
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_frozen_namenode_costs_one_stage() {
    let hdfs = HdfsOptions::default().start().unwrap();
    hdfs.namenode(1).pause().unwrap();
    let started = Instant::now();
    let link = hdfs.create_link("frozen");
    let url = hdfs.url(Orders);
    verify(
        &["--timeout", "2s"],
        &[fail(link, url, "authenticate.timed-out", "namenode", "")],
    );
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    hdfs.namenode(1).resume().unwrap();
}
