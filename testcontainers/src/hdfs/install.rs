//! Hadoop's jars, a storage with the world inside, and an archive of loaded classes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::{HdfsCluster, Plan};
use super::node::NAMENODE_CLASS;
use super::settings::{CONF, Properties};
use super::{HdfsUser, world};
use crate::install::{self, java, maven_jars, once};
use crate::{Error, Scratch, versions};

/// The classes that nodes and tools load, kept as the virtual machine wants them in memory.
const ARCHIVE: &str = "hdfs.jsa";

/// How the names of lists of classes end.
const LIST: &str = ".txt";

/// What a run starts with a copy of, below the installation.
pub(super) const NAMENODE: &str = "storage/namenode";
pub(super) const DATANODE: &str = "storage/datanode";

/// What a node keeps its data in, below the folder of its run.
pub(super) const DATA: &str = "data";

/// Gives the run a storage of its own, if it is to have one, and becomes the node. The archive
/// knows the jars by their relative paths, and `HOME` is the folder of the run.
const LAUNCH: &str = r#"
cd "$1" || exit
[ -z "$2" ] || cp -R "$2" "$HOME/data" || exit
shift 2
exec "$@"
"#;

/// An installation of Hadoop, complete or in the making.
#[derive(Debug, Clone)]
pub(super) struct Hadoop {
    java: PathBuf,
    folder: PathBuf,
    classes: Classes,
    /// The settings of Kerberos, for nodes and tools that speak it.
    krb5_conf: Option<PathBuf>,
}

/// Where a program has its classes from.
#[derive(Debug, Clone, Copy)]
enum Classes {
    /// The archive. Without it, or with that of another Java, a start is slower and otherwise the
    /// same.
    Archive,
    /// The jars, and it lists them for the archive.
    Listed,
}

/// The installation, made at the first call.
pub(super) fn hadoop() -> Result<Hadoop, Error> {
    let java = java()?;
    // A storage that was filled with something else is another installation.
    let version = format!("{}-{:08x}", versions::HADOOP, world::checksum());
    let folder = once("hdfs", &version, "half a minute", |folder| {
        install(&java, folder)
    })?;
    Hadoop::new(&java, &folder, Classes::Archive)
}

impl Hadoop {
    fn new(java: &Path, folder: &Path, classes: Classes) -> Result<Self, Error> {
        Ok(Self {
            java: java.to_owned(),
            // A node works in another folder than this process.
            folder: std::path::absolute(folder).map_err(Error::io("find the cache"))?,
            classes,
            krb5_conf: None,
        })
    }

    /// The same for nodes and tools that speak Kerberos.
    pub(super) fn with_kerberos(&self, krb5_conf: PathBuf) -> Self {
        Self {
            krb5_conf: Some(krb5_conf),
            ..self.clone()
        }
    }

    /// Makes the folder in which two NameNodes share their changes, with those of the storage.
    pub(super) fn share_edits(&self, folder: &Scratch) -> Result<PathBuf, Error> {
        let shared = folder.path().join("edits");
        copy(&self.folder.join(NAMENODE), &shared)?;
        Ok(shared)
    }

    /// A program of Hadoop, without its last arguments, for a run with its settings in `folder`.
    ///
    /// A storage of the installation, if one is named, becomes the data of the run.
    pub(super) fn program(&self, class: &str, folder: &Path, storage: Option<&str>) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", LAUNCH, "sh"])
            .arg(&self.folder)
            .arg(storage.unwrap_or_default())
            .arg(&self.java)
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            // Its file among the temporary ones would outlive a process that is killed.
            .arg("-XX:-UsePerfData")
            // What it thinks of an archive is no part of a tool's output.
            .arg("-Xlog:disable")
            .arg("-Djava.net.preferIPv4Stack=true")
            .arg(format!("-Djava.io.tmpdir={}", folder.display()))
            // The web server of a NameNode looks for methods there.
            .args(["--add-opens", "java.base/java.lang=ALL-UNNAMED"]);
        match self.classes {
            Classes::Archive => {
                command.arg(format!("-XX:SharedArchiveFile={ARCHIVE}"));
            }
            Classes::Listed => {
                let list = format!("-XX:DumpLoadedClassList={class}{LIST}");
                command.args(["-Xshare:off", &list]);
            }
        }
        if let Some(conf) = &self.krb5_conf {
            command.arg(format!("-Djava.security.krb5.conf={}", conf.display()));
        }
        command
            .arg("-cp")
            .arg(format!("libs/*:{}", folder.join(CONF).display()))
            .arg(class)
            // Java reads names of files in the letters of the locale.
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", folder)
            // A NameNode takes whoever runs it for the superuser, which no client must be.
            .env("HADOOP_USER_NAME", HdfsUser::Superuser.name());
        // Tools have the variables of this process.
        for variable in [
            "CLASSPATH",
            "HADOOP_CLASSPATH",
            "HADOOP_CONF_DIR",
            "HADOOP_HOME",
            "HADOOP_PROXY_USER",
            "HADOOP_TOKEN_FILE_LOCATION",
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "KRB5CCNAME",
            "KRB5_CONFIG",
            "KRB5_KTNAME",
        ] {
            command.env_remove(variable);
        }
        command
    }
}

fn install(java: &Path, folder: &Path) -> Result<(), Error> {
    let artifacts = ["hadoop-common", "hadoop-hdfs", "hadoop-hdfs-client"];
    let artifacts = artifacts.map(|name| format!("org.apache.hadoop:{name}:{}", versions::HADOOP));
    maven_jars(&artifacts.each_ref().map(String::as_str), folder)?;
    let hadoop = Hadoop::new(java, folder, Classes::Listed)?;
    format(&hadoop)?;
    rehearse(&hadoop)?;
    archive(&hadoop)
}

/// Makes the storage of a NameNode.
fn format(hadoop: &Hadoop) -> Result<(), Error> {
    let run = Scratch::new("hdfs")?;
    let data = run.path().join(DATA);
    Properties::common()
        .with([(
            "dfs.namenode.name.dir",
            format!("file://{}", data.display()),
        )])
        .write(&run)?;
    let mut tool = hadoop.program(NAMENODE_CLASS, run.path(), None);
    tool.args(["-format", "-nonInteractive"]);
    install::run("a formatted storage of HDFS", &tool)?;
    copy(&data, &hadoop.folder.join(NAMENODE))
}

/// Starts the nodes once, which proves the installation, fills them and lists the classes that they
/// load.
fn rehearse(hadoop: &Hadoop) -> Result<(), Error> {
    let plan = Plan {
        fresh: true,
        ..Plan::default()
    };
    let cluster = HdfsCluster::launch(hadoop, &plan, None)?;
    world::fill(&cluster)?;
    // People do not want to wait for the classes of this one either.
    cluster.client_as(HdfsUser::Superuser, &["-ls", "-R", "/"])?;
    // A start then finds no changes that it would have to read.
    cluster.set_safe_mode(true)?;
    cluster.save()?;
    let storages = cluster.namenodes[0].node.data().into_iter().zip([NAMENODE]);
    let storages = storages.chain(cluster.datanodes[0].data().into_iter().zip([DATANODE]));
    for (data, name) in storages {
        let kept = hadoop.folder.join(name);
        if kept.is_dir() {
            fs::remove_dir_all(&kept).map_err(Error::io("remove a storage"))?;
        }
        copy(&data, &kept)?;
    }
    Ok(())
}

/// Dumps the classes that programs have listed.
fn archive(hadoop: &Hadoop) -> Result<(), Error> {
    let failed = || Error::io("read the lists of Hadoop's classes");
    let all = hadoop.folder.join("all.txt");
    let mut classes = Vec::new();
    let entries = fs::read_dir(&hadoop.folder).map_err(failed())?;
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().ends_with(LIST) {
            classes.extend(fs::read(entry.path()).map_err(failed())?);
            fs::remove_file(entry.path()).map_err(failed())?;
        }
    }
    fs::write(&all, classes).map_err(failed())?;
    let mut dump = Command::new(&hadoop.java);
    dump.current_dir(&hadoop.folder)
        .args(["-Xshare:dump", "-XX:+UseSerialGC", "-cp", "libs/*"])
        .arg(format!("-XX:SharedClassListFile={}", all.display()))
        .arg(format!("-XX:SharedArchiveFile={ARCHIVE}"));
    // The archive only saves time.
    drop(install::run("the archive of Hadoop's classes", &dump));
    fs::remove_file(all).map_err(failed())
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(Error::io("make a folder"))?;
    let mut copy = Command::new("cp");
    install::run("a storage of HDFS", copy.arg("-R").arg(from).arg(to))
}
