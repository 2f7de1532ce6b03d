//! A NameNode that says what no real one does, to see that the client is not led astray.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use linkdial_testcontainers::NameNodeAnswer::{Blocks, Bytes, File, HangUp};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{LinkStatement, LocatedBlock, ScriptedNameNode};

use crate::lab::{fail, report, script, verify};

fn block(pool: &str, offset: u64, copies: &[SocketAddr]) -> LocatedBlock {
    LocatedBlock {
        pool: pool.to_owned(),
        offset,
        copies: copies.to_vec(),
    }
}

/// A NameNode whose file of 100 bytes has these blocks.
fn impostor(blocks: Vec<LocatedBlock>) -> ScriptedNameNode {
    ScriptedNameNode::start(move |method| match method {
        "getFileInfo" => File(100),
        "getBlockLocations" => Blocks(blocks.clone()),
        _ => HangUp,
    })
}

fn link(name: &str) -> LinkStatement {
    LinkStatement::new(name, "HDFS")
        .config("kerberos.user", "alice")
        .with_empty_credentials()
}

#[test]
fn a_datanode_that_must_not_be_dialled_is_not_wherever_it_hides() {
    let good = Broken::start(Fault::Close);
    let seen = TcpListener::bind("127.0.0.9:0").unwrap();
    let forbidden = seen.local_addr().unwrap();
    let allowed = good.addr();
    let cases = [
        // Behind more copies than anybody has.
        ("last", {
            let copies = [vec![allowed; 10], vec![forbidden]].concat();
            vec![block("BP", 0, &copies)]
        }),
        // In a block that is not the first of the list.
        ("second", {
            let later = block("BP", 1000, &[allowed]);
            vec![later, block("BP", 0, &[forbidden])]
        }),
        // Behind a name that looks like a list of its own.
        ("quoted", {
            let pool = "DatanodeIdProto { ip_addr: \"127.0.0.1\", ".repeat(70);
            vec![block(&pool, 0, &[allowed, forbidden])]
        }),
    ];
    for (name, located) in cases {
        let namenode = impostor(located);
        let case = fail(
            link(name),
            namenode.url("/data/file"),
            "resolve.address-refused",
            "datanode",
            "",
        );
        verify(&["--only-net", "127.0.0.1/32"], &[case]);
    }
    // Nobody has come.
    seen.set_nonblocking(true).unwrap();
    assert_eq!(seen.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

/// Nobody keeps a block at so many places: none of them is dialled.
#[test]
fn more_datanodes_than_anybody_has_are_not_dialled() {
    // All addresses of this machine are one listener.
    let seen = TcpListener::bind("0.0.0.0:0").unwrap();
    seen.set_nonblocking(true).unwrap();
    let port = seen.local_addr().unwrap().port();
    let places = |count: u16| {
        let places = (0..count).map(|number| {
            let [high, low] = number.to_be_bytes();
            SocketAddr::from(([127, 9, high, low], port))
        });
        places.collect::<Vec<_>>()
    };
    for count in [65, 10_000] {
        let namenode = impostor(vec![block("BP", 0, &places(count))]);
        let started = Instant::now();
        let case = fail(link("many"), namenode.url("/data/file"), "", "", "");
        let report = report(&[], &script(&[case]));
        let check = &report["checks"][0];
        assert!(started.elapsed() < Duration::from_secs(15), "{check:#}");
        assert!(
            ["fail", "unverified"].contains(&check["verdict"].as_str().unwrap()),
            "{count}: {check:#}"
        );
        assert_eq!(
            seen.accept().unwrap_err().kind(),
            io::ErrorKind::WouldBlock,
            "{count}: {check:#}"
        );
    }
}

#[test]
fn what_the_client_can_not_bear_is_the_clusters_fault() {
    // A number where the answers have a message.
    let garbage = ScriptedNameNode::start(|_| Bytes(vec![2, 8, 1]));
    let hangs_up = ScriptedNameNode::start(|_| HangUp);
    let no_byte = impostor(Vec::new());
    let failed = |name: &str, namenode: &ScriptedNameNode| {
        fail(
            link(name),
            namenode.url("/data/file"),
            "access.server-error",
            "namenode",
            "",
        )
    };
    verify(
        &[],
        &[
            failed("garbage", &garbage)
                .verdict("unverified")
                .code("access.request-refused"),
            failed("hangs_up", &hangs_up),
            failed("no_byte", &no_byte),
        ],
    );
}
