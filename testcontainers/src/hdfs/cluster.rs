use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::contents::HdfsEntry;
use super::install::{DATANODE, Hadoop, NAMENODE};
use super::journal;
use super::node::{HdfsNode, NameNode, refused};
use super::realm::Realm;
use super::settings::Properties;
use super::web::Web;
use super::{HdfsEdits, HdfsPath, HdfsUser, pair, world};
use crate::process::with_ports;
use crate::statement::{identifier, literal};
use crate::{Error, LinkStatement, Scratch, Whereabouts, install};

/// How long a tool may take on a busy machine; it usually takes a second.
const TOOL: Duration = Duration::from_mins(2);

/// The tools.
const CLIENT: &str = "org.apache.hadoop.fs.FsShell";
const ADMIN: &str = "org.apache.hadoop.hdfs.tools.DFSAdmin";

/// What a cluster is to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// One, or two of which one stands by.
    pub(super) namenodes: usize,
    /// Where two of them share their changes.
    pub(super) edits: HdfsEdits,
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
            namenodes: 1,
            edits: HdfsEdits::Folder,
            datanodes: 1,
            replication: 1,
            fresh: false,
            properties: Vec::new(),
        }
    }
}

impl Plan {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.properties.push((name.to_owned(), value.to_owned()));
    }

    fn has_journal(&self) -> bool {
        self.namenodes > 1 && self.edits == HdfsEdits::Journal
    }

    /// The ports of the NameNodes, each with that of its web server, of the JournalNode and of the
    /// DataNodes.
    fn ports(&self) -> [usize; 3] {
        let journal = if self.has_journal() {
            journal::PORTS
        } else {
            0
        };
        [2 * self.namenodes, journal, self.datanodes]
    }
}

/// The nodes of an HDFS, which end with the handle.
///
/// [`Hdfs`](crate::Hdfs), [`SecuredHdfs`](crate::SecuredHdfs) and [`HdfsPair`](crate::HdfsPair)
/// have all of this by `Deref`. Nodes are counted from 1.
#[derive(Debug)]
pub struct HdfsCluster {
    pub(super) namenodes: Vec<NameNode>,
    pub(super) datanodes: Vec<HdfsNode>,
    /// What stands for the NameNodes in a URL.
    authority: String,
    hadoop: Hadoop,
    /// The tickets of each user of [`HdfsUser::ALL`], where they need some.
    tickets: Vec<PathBuf>,
    /// The settings of tools.
    client: Scratch,
    /// What two NameNodes share. After the nodes: it goes only after they have gone.
    shared: Option<Shared>,
}

/// Where two NameNodes share their changes.
#[derive(Debug)]
enum Shared {
    Folder { _folder: Scratch },
    Journal(HdfsNode),
}

impl HdfsCluster {
    pub(super) fn launch(
        hadoop: &Hadoop,
        plan: &Plan,
        realm: Option<&Realm>,
    ) -> Result<Self, Error> {
        let cluster = with_ports(plan.ports().iter().sum(), |ports| {
            let cluster = Self::start(hadoop, plan, realm, ports)?;
            let filled = !plan.fresh && plan.datanodes > 0;
            cluster.wait(if filled { world::BLOCKS } else { 0 })?;
            Ok(cluster)
        })?;
        if plan.replication > 1 {
            cluster.replicate(plan.replication)?;
        }
        Ok(cluster)
    }

    /// The ports stand in the order of [`Plan::ports`].
    fn start(
        hadoop: &Hadoop,
        plan: &Plan,
        realm: Option<&Realm>,
        ports: &[u16],
    ) -> Result<Self, Error> {
        let [namenodes, journal, _] = plan.ports();
        let (namenodes, rest) = ports.split_at(namenodes);
        let (journal, datanodes) = rest.split_at(journal);
        let host = realm.map_or("127.0.0.1", |_| "localhost");
        let mut properties = Properties::common();
        properties.set("dfs.replication", plan.replication.to_string());
        if plan.datanodes == 0 {
            // It would wait for blocks that nobody has.
            properties.set("dfs.namenode.safemode.threshold-pct", "0");
        }
        let mut hadoop = hadoop.clone();
        if let Some(realm) = realm {
            hadoop = hadoop.with_kerberos(realm.kdc.krb5_conf());
            properties = properties.with(realm.properties());
        }
        let mut shared = None;
        let authority = if let [port, web] = namenodes {
            let address = format!("{host}:{port}");
            properties.set("dfs.namenode.http-address", format!("127.0.0.1:{web}"));
            address
        } else {
            let edits = if let [port, _] = journal {
                journal::url(host, *port)
            } else {
                let folder = Scratch::new("hdfs")?;
                let edits = hadoop.share_edits(&folder)?;
                shared = Some(Shared::Folder { _folder: folder });
                format!("file://{}", edits.display())
            };
            properties = properties.with(pair::properties(host, namenodes, &edits));
            pair::NAME.to_owned()
        };
        properties.set("fs.defaultFS", format!("hdfs://{authority}"));
        let properties = properties.with(plan.properties.iter().cloned());
        if let [port, web] = journal {
            let node = journal::start(&hadoop, host, [*port, *web], &properties)?;
            journal::fill(&hadoop, &properties)?;
            shared = Some(Shared::Journal(node));
        }

        let client = Scratch::new("hdfs")?;
        properties.write(&client)?;
        let namenodes = namenodes.chunks_exact(2).zip(1..).map(|(ports, number)| {
            let mut properties = properties.clone();
            if plan.namenodes > 1 {
                properties.set("dfs.ha.namenode.id", pair::id(number));
            }
            NameNode::start(&hadoop, [ports[0], ports[1]], NAMENODE, &properties)
        });
        let namenodes: Vec<NameNode> = namenodes.collect::<Result<_, _>>()?;
        for namenode in &namenodes {
            // A DataNode that comes after it listens and before it answers waits for five seconds,
            // and takes longer to come there than what is left of this start.
            namenode.node.wait(|| namenode.web.is_up())?;
        }
        let datanodes = datanodes.iter().enumerate().map(|(index, port)| {
            // The first one has all blocks.
            let storage = (index == 0 && !plan.fresh).then_some(DATANODE);
            HdfsNode::datanode(&hadoop, *port, storage, &properties)
        });
        Ok(Self {
            namenodes,
            datanodes: datanodes.collect::<Result<_, _>>()?,
            authority,
            hadoop,
            tickets: realm.map(Realm::tickets).transpose()?.unwrap_or_default(),
            client,
            shared,
        })
    }

    /// Waits until all DataNodes are there, with so many copies of blocks, or a node ends.
    fn wait(&self, blocks: u64) -> Result<(), Error> {
        for namenode in &self.namenodes {
            namenode.node.wait(|| {
                // Nobody has to wait for the others then.
                if self.nodes().any(HdfsNode::has_ended) {
                    return Ok(());
                }
                self.is_ready(&namenode.web, blocks)
            })?;
        }
        self.nodes().try_for_each(|node| node.wait(|| Ok(())))
    }

    fn nodes(&self) -> impl Iterator<Item = &HdfsNode> {
        let namenodes = self.namenodes.iter().map(|namenode| &namenode.node);
        namenodes.chain(&self.datanodes).chain(self.journalnode())
    }

    /// The JournalNode, where two NameNodes share their changes by one.
    pub fn journalnode(&self) -> Option<&HdfsNode> {
        match &self.shared {
            Some(Shared::Journal(node)) => Some(node),
            Some(Shared::Folder { .. }) | None => None,
        }
    }

    /// Agrees when a NameNode answers and knows all DataNodes, with so many copies of blocks.
    fn is_ready(&self, web: &Web, blocks: u64) -> Result<(), String> {
        let live = web.live()?;
        let all = self.datanodes.iter().map(|node| node.addr().port());
        let missing = all.filter(|port| live.iter().all(|node| node.port != *port));
        let missing = missing.count();
        let known: u64 = live.iter().map(|node| node.blocks).sum();
        if missing == 0 && known >= blocks {
            // It takes no DataNode before it answers everybody, and the first call to its web server
            // takes a second.
            let alone = self.datanodes.is_empty();
            return if alone { web.answers() } else { Ok(()) };
        }
        Err(format!(
            "{missing} DataNodes are missing, and {known} of {blocks} blocks are known"
        ))
    }

    /// Gives each block so many copies, and waits for them.
    fn replicate(&self, copies: u16) -> Result<(), Error> {
        for path in HdfsPath::ALL {
            if path.contents().is_some() {
                self.web()?.set_replication(path.path(), copies)?;
            }
        }
        let copies = usize::from(copies).min(self.datanodes.len());
        let copies = u64::try_from(copies).expect("there are few DataNodes");
        self.wait(world::BLOCKS * copies)
    }

    /// The web server of the active NameNode.
    fn web(&self) -> Result<&Web, Error> {
        let mut states = Vec::new();
        for namenode in &self.namenodes {
            match namenode.web.is_active() {
                Ok(true) => return Ok(&namenode.web),
                Ok(false) => states.push("one stands by".to_owned()),
                Err(error) => states.push(error),
            }
        }
        Err(Error::Refused {
            doing: "find the active NameNode of HDFS".to_owned(),
            answer: states.join("; "),
        })
    }

    /// The address of the NameNode, or of the first one, which clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.namenodes[0].node.addr()
    }

    /// The address of the web server of the NameNode, or of the first one: the wrong port of the
    /// right node.
    pub fn web_addr(&self) -> SocketAddr {
        self.namenodes[0].web.addr()
    }

    /// Where a person finds it: the processes of all nodes that were not killed.
    pub fn whereabouts(&self) -> Whereabouts {
        Whereabouts::Processes(self.nodes().filter_map(HdfsNode::pid).collect())
    }

    /// A NameNode, by its number from 1.
    ///
    /// # Panics
    ///
    /// When there is no such NameNode.
    pub fn namenode(&self, number: usize) -> &HdfsNode {
        &self.namenodes[number - 1].node
    }

    /// A DataNode, by its number from 1. The first one has all blocks.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn datanode(&self, number: usize) -> &HdfsNode {
        &self.datanodes[number - 1]
    }

    /// Kills a NameNode, by its number from 1.
    ///
    /// # Panics
    ///
    /// When there is no such NameNode.
    pub fn kill_namenode(&mut self, number: usize) {
        self.namenodes[number - 1].node.kill();
    }

    /// Kills a DataNode, by its number from 1; for longer than any test, NameNodes send clients
    /// to it on.
    ///
    /// # Panics
    ///
    /// When there is no such DataNode.
    pub fn kill_datanode(&mut self, number: usize) {
        self.datanodes[number - 1].kill();
    }

    /// Switches safe mode on or off (a second): in it everything can be read and nothing changed.
    ///
    /// # Errors
    ///
    /// When a NameNode does not answer or refuses.
    pub fn set_safe_mode(&self, on: bool) -> Result<(), Error> {
        let change = if on { "enter" } else { "leave" };
        self.administer(ADMIN, &["-safemode", change])
    }

    /// Everything that lies inside, the root too, in the order of the paths: what clients may leave
    /// behind, to compare before and after.
    ///
    /// # Errors
    ///
    /// When no active NameNode answers, or it refuses.
    pub fn contents(&self) -> Result<Vec<HdfsEntry>, Error> {
        let web = self.web()?;
        let mut all = web.list("/")?;
        all.push(web.root()?);
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }

    /// The addresses of the DataNodes that readers of a file are sent to, once for each block.
    ///
    /// # Errors
    ///
    /// When no active NameNode answers, or there is no such file.
    pub fn locations(&self, path: impl AsRef<str>) -> Result<Vec<SocketAddr>, Error> {
        let mut addresses = self.web()?.locations(path.as_ref())?;
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
        run(&self.tool(CLIENT, user, arguments), arguments)
    }

    /// Runs a tool as the superuser.
    pub(super) fn administer(&self, class: &str, arguments: &[&str]) -> Result<(), Error> {
        let tool = self.tool(class, HdfsUser::Superuser, arguments);
        run(&tool, arguments).map(drop)
    }

    pub(super) fn save(&self) -> Result<(), Error> {
        self.administer(ADMIN, &["-saveNamespace"])
    }

    fn tool(&self, class: &str, user: HdfsUser, arguments: &[&str]) -> Command {
        let mut tool = self.hadoop.program(class, self.client.path(), None);
        tool.args(arguments).env("HADOOP_USER_NAME", user.name());
        let tickets = HdfsUser::ALL.iter().zip(&self.tickets);
        for (_, tickets) in tickets.filter(|(known, _)| **known == user) {
            tool.env("KRB5CCNAME", tickets);
        }
        tool
    }

    /// A path as the target of a pipeline takes it: `hdfs://127.0.0.1:PORT/PATH`, with `localhost`
    /// where Kerberos knows services by name, and the name of the service in its place where there
    /// are two NameNodes.
    pub fn url(&self, path: impl AsRef<str>) -> String {
        format!("hdfs://{}{}", self.authority, path.as_ref())
    }

    /// A ready `CREATE PIPELINE` that reads a path through the link.
    pub fn create_pipeline(
        &self,
        name: &str,
        path: impl AsRef<str>,
        link: &LinkStatement,
    ) -> String {
        format!(
            "CREATE PIPELINE {} AS LOAD DATA LINK {} {} INTO TABLE t;\n",
            identifier(name),
            link.quoted_name(),
            literal(&self.url(path)),
        )
    }
}

pub(super) fn run(tool: &Command, arguments: &[&str]) -> Result<String, Error> {
    let output = install::output("HDFS", TOOL, tool);
    output.map_err(refused(format!("{} of HDFS", arguments.join(" "))))
}

/// A link without a login.
pub(super) fn plain_link(name: &str) -> LinkStatement {
    LinkStatement::new(name, "HDFS")
        .config("hadoop.security.authentication", "simple")
        .with_empty_credentials()
}
