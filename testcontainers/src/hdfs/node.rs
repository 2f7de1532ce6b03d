//! A NameNode, a DataNode or a JournalNode as a process.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::install::{DATA, Hadoop};
use super::settings::Properties;
use super::web::Web;
use crate::process::Process;
use crate::{Error, Scratch, install};

pub(super) const NAMENODE_CLASS: &str = "org.apache.hadoop.hdfs.server.namenode.NameNode";
const DATANODE_CLASS: &str = "org.apache.hadoop.hdfs.server.datanode.DataNode";

/// How long a start may take on a busy machine; it usually takes three seconds.
pub(super) const START: Duration = Duration::from_mins(2);

/// How long the system may take to stop or continue a process.
const SIGNAL: Duration = Duration::from_secs(10);

/// What is waited for between two looks.
const INTERVAL: Duration = Duration::from_millis(5);

/// A NameNode, a DataNode or a JournalNode of an HDFS, a process on loopback.
#[derive(Debug)]
pub struct HdfsNode {
    address: SocketAddr,
    /// Gone when it was killed. The process first: its folder goes only after it has gone.
    running: Option<(Process, Scratch)>,
}

/// A NameNode.
#[derive(Debug)]
pub(super) struct NameNode {
    pub(super) node: HdfsNode,
    pub(super) web: Web,
}

impl HdfsNode {
    /// Starts a DataNode without waiting for it: the NameNode knows when it is ready.
    pub(super) fn datanode(
        hadoop: &Hadoop,
        port: u16,
        storage: Option<&str>,
        properties: &Properties,
    ) -> Result<Self, Error> {
        let own = [
            ("dfs.datanode.address", format!("127.0.0.1:{port}")),
            // Nobody has to know these beforehand.
            ("dfs.datanode.http.address", "127.0.0.1:0".to_owned()),
            ("dfs.datanode.ipc.address", "127.0.0.1:0".to_owned()),
        ];
        let start = |folder: Scratch| {
            let data = format!("file://{}", folder.path().join(DATA).display());
            let data = ("dfs.datanode.data.dir", data);
            properties.with(own).with([data]).write(&folder)?;
            let command = hadoop.program(DATANODE_CLASS, folder.path(), storage);
            Self::start("datanode", port, &command, folder)
        };
        start(Scratch::new("datanode")?)
    }

    pub(super) fn start(
        name: &str,
        port: u16,
        command: &Command,
        folder: Scratch,
    ) -> Result<Self, Error> {
        let process = Process::start(name, &folder, command)?;
        Ok(Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            running: Some((process, folder)),
        })
    }

    /// The address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The process id, unless it was killed.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|(process, _)| process.pid())
    }

    /// The folder with its settings, data and log, unless it was killed.
    pub fn folder(&self) -> Option<&Path> {
        self.running.as_ref().map(|(_, folder)| folder.path())
    }

    /// Stops it where it stands: connections are taken, and nobody answers.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal("STOP")?;
        let Some(pid) = self.pid() else {
            return Ok(());
        };
        // The system stops one thread after the other.
        let begin = Instant::now();
        while !has_stopped(pid) {
            if begin.elapsed() > SIGNAL {
                return Err(Error::Refused {
                    doing: "stop a node of HDFS".to_owned(),
                    answer: "it still runs".to_owned(),
                });
            }
            thread::sleep(INTERVAL);
        }
        Ok(())
    }

    /// Lets it go on after a pause.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal("CONT")
    }

    /// What it keeps, unless it was killed.
    pub(super) fn data(&self) -> Option<PathBuf> {
        self.folder().map(|folder| folder.join(DATA))
    }

    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    /// Sends a signal, unless it was killed.
    fn signal(&self, name: &str) -> Result<(), Error> {
        let Some(pid) = self.pid() else {
            return Ok(());
        };
        let mut kill = Command::new("sh");
        kill.args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &pid.to_string()]);
        let sent = install::output("HDFS", SIGNAL, &kill);
        sent.map(drop)
            .map_err(refused(format!("send {name} to a node")))
    }

    /// Agrees when somebody listens at its address.
    pub(super) fn accepts(&self) -> Result<(), String> {
        let connected = TcpStream::connect_timeout(&self.address, SIGNAL);
        connected.map(drop).map_err(|error| error.to_string())
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|(process, _)| process.has_ended())
    }

    /// Asks `ready` until it agrees, the node ends or the time is over.
    pub(super) fn wait(&self, ready: impl FnMut() -> Result<(), String>) -> Result<(), Error> {
        match &self.running {
            Some((process, _)) => process.wait(START, ready),
            None => Ok(()),
        }
    }
}

impl NameNode {
    /// Starts one without waiting for it.
    pub(super) fn start(
        hadoop: &Hadoop,
        ports: [u16; 2],
        storage: &str,
        properties: &Properties,
    ) -> Result<Self, Error> {
        let [port, web] = ports;
        let folder = Scratch::new("namenode")?;
        let data = format!("file://{}", folder.path().join(DATA).display());
        let data = ("dfs.namenode.name.dir", data);
        properties.with([data]).write(&folder)?;
        let command = hadoop.program(NAMENODE_CLASS, folder.path(), Some(storage));
        Ok(Self {
            node: HdfsNode::start("namenode", port, &command, folder)?,
            web: Web::new(web),
        })
    }
}

/// Turns the failure of a program into that of what it was to do.
pub(super) fn refused(doing: String) -> impl FnOnce(Error) -> Error {
    move |error| match error {
        Error::Install { reason, .. } => Error::Refused {
            doing,
            answer: reason,
        },
        other => other,
    }
}

/// Whether every thread of a process stands still; where the system does not tell, it is taken for true.
fn has_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // Behind the name, which may hold anything: `1 (java) T ...`.
        let state = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.starts_with('T'));
        state.unwrap_or(true)
    })
}
