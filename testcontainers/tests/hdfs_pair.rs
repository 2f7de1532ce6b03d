//! Two NameNodes, of which one stands by and takes over.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::TcpStream;

use linkdial_testcontainers::{HdfsEdits, HdfsPair, HdfsPairOptions, HdfsPath, HdfsUser};

fn read(pair: &HdfsPair) -> String {
    let read = pair.client_as(HdfsUser::Alice, &["-cat", HdfsPath::PrivateFile.path()]);
    read.unwrap()
}

fn orders() -> String {
    String::from_utf8(HdfsPath::Orders.contents().unwrap()).unwrap()
}

#[test]
fn second_namenode_takes_over() {
    let pair = HdfsPair::start().unwrap();
    assert!(pair.journalnode().is_none());
    takes_over(pair);
}

#[test]
fn second_namenode_takes_over_by_the_journal() {
    takes_over_by_the_journal(HdfsPairOptions::default());
}

#[test]
fn second_namenode_takes_over_by_the_journal_with_kerberos() {
    takes_over_by_the_journal(HdfsPairOptions::default().kerberos());
}

fn takes_over_by_the_journal(options: HdfsPairOptions) {
    let pair = options.edits(HdfsEdits::Journal).start().unwrap();
    let journal = pair.journalnode().unwrap().addr();
    TcpStream::connect(journal).unwrap();
    takes_over(pair);
    assert!(TcpStream::connect(journal).is_err(), "it outlives the pair");
}

fn takes_over(mut pair: HdfsPair) {
    assert_eq!(pair.active(), Some(1));
    assert_eq!(read(&pair), orders());
    let made = ["-touchz", "/writable/new"];
    pair.client_as(HdfsUser::Bob, &made).unwrap();
    let before = pair.contents().unwrap();
    assert_eq!(before.len(), HdfsPath::ALL.len() + 2);

    let second = format!("hdfs://{}", pair.namenode(2).addr());
    let list = ["-fs", &second, "-ls", "/"];
    let words = pair
        .client_as(HdfsUser::Bob, &list)
        .unwrap_err()
        .to_string();
    assert!(words.contains("not supported in state standby"), "{words}");
    pair.activate(2).unwrap();
    assert_eq!(pair.active(), Some(2));
    pair.client_as(HdfsUser::Bob, &list).unwrap();
    assert_eq!(pair.contents().unwrap(), before);
    pair.activate(1).unwrap();
    assert_eq!(pair.active(), Some(1));
    pair.stand_by(1).unwrap();
    assert_eq!(pair.active(), None);
    assert!(pair.contents().is_err());
    pair.activate(1).unwrap();

    let address = pair.namenode(1).addr();
    pair.kill_namenode(1);
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(pair.active(), None);
    pair.activate(2).unwrap();
    assert_eq!(pair.contents().unwrap(), before);
    assert_eq!(read(&pair), orders());
}

#[test]
fn statements_name_both() {
    let pair = HdfsPair::start_secured().unwrap();
    assert_eq!(read(&pair), orders());
    let link = pair.create_link("files").to_string();
    for number in [1, 2] {
        let address = format!(
            "\"dfs.namenode.rpc-address.cluster.nn{number}\":\"localhost:{}\"",
            pair.namenode(number).addr().port()
        );
        assert!(link.contains(&address), "{link}");
    }
    for key in [
        "\"kerberos.user\":\"alice@LINKDIAL.TEST\"",
        "\"fs.defaultFS\":\"hdfs://cluster\"",
        "\"dfs.nameservices\":\"cluster\"",
        "\"dfs.ha.namenodes.cluster\":\"nn1,nn2\"",
    ] {
        assert!(link.contains(key), "{link}");
    }
    assert_eq!(pair.url(HdfsPath::Orders), "hdfs://cluster/data/orders.csv");
}
