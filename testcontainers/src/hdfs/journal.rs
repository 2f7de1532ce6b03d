//! A JournalNode, which keeps the changes that two NameNodes share.

use super::cluster::run;
use super::install::{DATA, Hadoop, NAMENODE};
use super::node::{HdfsNode, NAMENODE_CLASS};
use super::pair;
use super::settings::Properties;
use super::web::Web;
use crate::{Error, Scratch};

const JOURNALNODE_CLASS: &str = "org.apache.hadoop.hdfs.qjournal.server.JournalNode";

/// How many ports it has: one for calls and one for its web server, which hands out what is kept.
pub(super) const PORTS: usize = 2;

/// Where NameNodes find what they share, at a JournalNode on this host and port.
pub(super) fn url(host: &str, port: u16) -> String {
    format!("qjournal://{host}:{port}/{}", pair::NAME)
}

/// Starts one on a host that the NameNodes dial by this name, and waits until it answers. The
/// properties name the NameNodes: with Kerberos nobody else is given what they share. It is the only
/// one: a majority of one is enough.
pub(super) fn start(
    hadoop: &Hadoop,
    host: &str,
    ports: [u16; PORTS],
    properties: &Properties,
) -> Result<HdfsNode, Error> {
    let [port, web] = ports;
    let folder = Scratch::new("journalnode")?;
    let data = folder.path().join(DATA).display().to_string();
    let own = [
        ("dfs.journalnode.edits.dir", data),
        ("dfs.journalnode.rpc-address", format!("{host}:{port}")),
        ("dfs.journalnode.http-address", format!("{host}:{web}")),
    ];
    properties.with(own).write(&folder)?;
    let command = hadoop.program(JOURNALNODE_CLASS, folder.path(), None);
    let node = HdfsNode::start("journalnode", port, &command, folder)?;
    let web = Web::new(web);
    // Its web server is there first.
    node.wait(|| web.is_up().and_then(|()| node.accepts()))?;
    Ok(node)
}

/// Gives it the changes of the storage that every NameNode starts with, for a service that has
/// these properties.
pub(super) fn fill(hadoop: &Hadoop, properties: &Properties) -> Result<(), Error> {
    // A NameNode that never runs.
    let folder = Scratch::new("namenode")?;
    let data = format!("file://{}", folder.path().join(DATA).display());
    let own = [
        ("dfs.namenode.name.dir", data),
        ("dfs.ha.namenode.id", pair::id(1)),
    ];
    properties.with(own).write(&folder)?;
    let arguments = ["-initializeSharedEdits", "-nonInteractive"];
    let mut tool = hadoop.program(NAMENODE_CLASS, folder.path(), Some(NAMENODE));
    run(tool.args(arguments), &arguments).map(drop)
}
