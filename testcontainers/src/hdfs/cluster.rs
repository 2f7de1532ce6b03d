use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::contents::HdfsEntry;
use super::install::{DATANODE, Hadoop, NAMENODE};
use super::node::{NameNode, Node, refused};
use super::settings::Properties;
use super::{HdfsPath, HdfsUser, world};
use crate::process::with_ports;
use crate::{Error, Scratch, install};

/// How long a tool may take on a busy machine; it usually takes a second.
const TOOL: Duration = Duration::from_mins(2);

/// The tools.
const CLIENT: &str = "org.apache.hadoop.fs.FsShell";
const ADMIN: &str = "org.apache.hadoop.hdfs.tools.DFSAdmin";

/// What a cluster is to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) datanodes: usize,
    /// How many copies there are of each block, also of what clients write.
    pub(super) replication: u16,
    /// Whether it begins with an empty storage, instead of the one that has the world inside.
    pub(super) fresh: bool,
    pub(super) properties: Vec<(String, String)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            datanodes: 1,
            replication: 1,
            fresh: false,
            properties: Vec::new(),
        }
    }
}

/// The nodes of an HDFS, each a process on loopback; they end with the handle.
///
/// [`Hdfs`](crate::Hdfs) has all of this by `Deref`. Nodes are counted from 1.
#[derive(Debug)]
pub struct HdfsCluster {
    pub(super) namenodes: Vec<NameNode>,
    pub(super) datanodes: Vec<Node>,
    hadoop: Hadoop,
    /// The settings of tools.
    client: Scratch,
}

impl HdfsCluster {
    pub(super) fn launch(hadoop: &Hadoop, plan: &Plan) -> Result<Self, Error> {
        let cluster = with_ports(2 + plan.datanodes, |ports| {
            let cluster = Self::start(hadoop, plan, ports)?;
            cluster.wait(plan)?;
            Ok(cluster)
        })?;
        if plan.replication > 1 {
            cluster.replicate(plan.replication)?;
        }
        Ok(cluster)
    }

    /// The first two ports are of the NameNode and its web server.
    fn start(hadoop: &Hadoop, plan: &Plan, ports: &[u16]) -> Result<Self, Error> {
        let mut properties = Properties::common();
        for (name, value) in [
            ("fs.defaultFS", format!("hdfs://127.0.0.1:{}", ports[0])),
            (
                "dfs.namenode.http-address",
                format!("127.0.0.1:{}", ports[1]),
            ),
            ("dfs.replication", plan.replication.to_string()),
        ] {
            properties.set(name, value);
        }
        if plan.datanodes == 0 {
            // It would wait for blocks that nobody has.
            properties.set("dfs.namenode.safemode.threshold-pct", "0");
        }
        let properties = properties.with(plan.properties.iter().cloned());
        let client = Scratch::new("hdfs")?;
        properties.write(&client)?;
        let namenode = NameNode::start(hadoop, [ports[0], ports[1]], NAMENODE, &properties)?;
        let datanodes = ports[2..].iter().enumerate().map(|(index, port)| {
            // The first one has all blocks.
            let storage = (index == 0 && !plan.fresh).then_some(DATANODE);
            Node::datanode(hadoop, *port, storage, &properties)
        });
        Ok(Self {
            namenodes: vec![namenode],
            datanodes: datanodes.collect::<Result<_, _>>()?,
            hadoop: hadoop.clone(),
            client,
        })
    }

    /// Waits until all DataNodes have told of their blocks.
    fn wait(&self, plan: &Plan) -> Result<(), Error> {
        let blocks = if plan.fresh || plan.datanodes == 0 {
            0
        } else {
            world::BLOCKS
        };
        self.wait_for(blocks)
    }

    /// Waits until all DataNodes are there, with so many copies of blocks, or a node ends.
    fn wait_for(&self, blocks: u64) -> Result<(), Error> {
        for namenode in &self.namenodes {
            namenode.node.wait(|| {
                // Nobody has to wait for the others then.
                if self.nodes().any(Node::has_ended) {
                    return Ok(());
                }
                self.is_ready(blocks)
            })?;
        }
        self.nodes().try_for_each(|node| node.wait(|| Ok(())))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let namenodes = self.namenodes.iter().map(|namenode| &namenode.node);
        namenodes.chain(&self.datanodes)
    }

    /// Agrees when all DataNodes are there, with so many copies of blocks.
    fn is_ready(&self, blocks: u64) -> Result<(), String> {
        for namenode in &self.namenodes {
            let live = namenode.web.live()?;
            let all = self.datanodes.iter().map(|node| node.address.port());
            let missing = all.filter(|port| live.iter().all(|node| node.port != *port));
            let missing = missing.count();
            let known: u64 = live.iter().map(|node| node.blocks).sum();
            if missing > 0 || known < blocks {
                return Err(format!(
                    "{missing} DataNodes are missing, and {known} of {blocks} blocks are known"
                ));
            }
        }
        Ok(())
    }

    /// Gives each block so many copies, and waits for them.
    fn replicate(&self, copies: u16) -> Result<(), Error> {
        let namenode = &self.namenodes[0];
        for path in HdfsPath::ALL {
            if path.contents().is_some() {
                namenode.web.set_replication(path.path(), copies)?;
            }
        }
        let copies = usize::from(copies).min(self.datanodes.len());
        let blocks = world::BLOCKS * u64::try_from(copies).unwrap_or(u64::MAX);
        self.wait_for(blocks)
    }

    /// The address of the NameNode, which clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.namenodes[0].node.address
    }

    /// The process id of the NameNode.
    pub fn namenode_pid(&self) -> Option<u32> {
        self.namenodes[0].node.pid()
    }

    /// The folder of the NameNode with its settings, data and log.
    pub fn namenode_folder(&self) -> Option<PathBuf> {
        self.namenodes[0].node.folder()
    }

    /// The address of a DataNode, which clients read from and write to.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn datanode_addr(&self, datanode: usize) -> SocketAddr {
        self.datanodes[datanode - 1].address
    }

    /// The process id of a DataNode, unless it was killed.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn datanode_pid(&self, datanode: usize) -> Option<u32> {
        self.datanodes[datanode - 1].pid()
    }

    /// The folder of a DataNode with its settings, data and log, unless it was killed.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn datanode_folder(&self, datanode: usize) -> Option<PathBuf> {
        self.datanodes[datanode - 1].folder()
    }

    /// Kills a DataNode; the NameNode sends clients to it on, for longer than any test.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn kill_datanode(&mut self, datanode: usize) {
        self.datanodes[datanode - 1].kill();
    }

    /// Stops the NameNode where it stands: connections are taken, and nobody answers.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn pause_namenode(&self) -> Result<(), Error> {
        self.namenodes[0].node.signal("STOP")
    }

    /// Lets the NameNode go on.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn resume_namenode(&self) -> Result<(), Error> {
        self.namenodes[0].node.signal("CONT")
    }

    /// Stops a DataNode where it stands: connections are taken, and nobody answers.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn pause_datanode(&self, datanode: usize) -> Result<(), Error> {
        self.datanodes[datanode - 1].signal("STOP")
    }

    /// Lets a DataNode go on.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn resume_datanode(&self, datanode: usize) -> Result<(), Error> {
        self.datanodes[datanode - 1].signal("CONT")
    }

    /// Switches safe mode on or off (a second): in it everything can be read and nothing changed.
    ///
    /// # Errors
    ///
    /// When the NameNode does not answer or refuses.
    pub fn set_safe_mode(&self, on: bool) -> Result<(), Error> {
        let change = if on { "enter" } else { "leave" };
        self.administer(&["-safemode", change])
    }

    /// Everything that lies inside, the root too, in the order of the paths: what clients may leave
    /// behind, to compare before and after.
    ///
    /// # Errors
    ///
    /// When the NameNode does not answer or refuses.
    pub fn contents(&self) -> Result<Vec<HdfsEntry>, Error> {
        let web = &self.namenodes[0].web;
        let mut all = web.list("/")?;
        all.push(web.root()?);
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }

    /// The addresses of the DataNodes that readers of a file are sent to, once for each block.
    ///
    /// # Errors
    ///
    /// When the NameNode does not answer, or there is no such file.
    pub fn locations(&self, path: impl AsRef<str>) -> Result<Vec<SocketAddr>, Error> {
        let mut addresses = self.namenodes[0].web.locations(path.as_ref())?;
        addresses.sort_unstable();
        Ok(addresses)
    }

    /// Runs Hadoop's own client as a user (a second), such as `-cat` with a path, and returns what
    /// it wrote to standard output.
    ///
    /// # Errors
    ///
    /// When it fails; the error has its words.
    pub fn client_as(&self, user: HdfsUser, arguments: &[&str]) -> Result<String, Error> {
        let mut client = self.tool(CLIENT, arguments);
        client.env("HADOOP_USER_NAME", user.name());
        let output = install::output("HDFS", TOOL, &client);
        output.map_err(refused(format!("{} of HDFS", arguments.join(" "))))
    }

    /// Runs the tool of administrators.
    pub(super) fn administer(&self, arguments: &[&str]) -> Result<(), Error> {
        let output = install::output("HDFS", TOOL, &self.tool(ADMIN, arguments));
        let output = output.map_err(refused(format!("{} of HDFS", arguments.join(" "))));
        output.map(drop)
    }

    fn tool(&self, class: &str, arguments: &[&str]) -> Command {
        let mut tool = self.hadoop.program(class, self.client.path(), None);
        tool.args(arguments);
        tool
    }
}
