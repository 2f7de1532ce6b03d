//! The broker as a process: its jars, a formatted storage and an archive of loaded classes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::wire::Client;
use super::{CLUSTER_ID, START, is_ready, settings};
use crate::install::{java, maven_jars, once, run};
use crate::process::{Process, with_ports};
use crate::runtime::Runtime;
use crate::server::Place;
use crate::{Error, Scratch, versions};

/// The classes that a start loads, kept as the virtual machine wants them in memory.
const ARCHIVE: &str = "kafka.jsa";

/// Gives the run a storage of its own and becomes the broker. The archive knows the jars by their
/// relative paths, and `HOME` is the folder of the run.
const LAUNCH: &str = r#"
cd "$1" && shift && cp -R storage "$HOME/data" || exit
[ ! -e "$HOME/meta.properties" ] || cp "$HOME/meta.properties" "$HOME/data" || exit
exec "$@"
"#;

/// The broker, without the last arguments: its main class and its properties.
pub(super) fn program() -> Result<Command, Error> {
    let java = java()?;
    let folder = installed(&java)?;
    // Without the archive, or with that of another Java, a start is slower and otherwise the same.
    let archive = format!("-XX:SharedArchiveFile={ARCHIVE}");
    Ok(launcher(&java, &folder, &["-Xshare:auto", &archive]))
}

/// The folder of the broker's jars, installed at the first call.
pub(crate) fn jars() -> Result<PathBuf, Error> {
    Ok(installed(&java()?)?.join("libs"))
}

fn installed(java: &Path) -> Result<PathBuf, Error> {
    once("kafka", versions::KAFKA, "a minute", |folder| {
        install(java, folder)
    })
}

fn launcher(java: &Path, folder: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", LAUNCH, "sh"])
        .args([folder, java])
        .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        // Its file among the temporary ones would outlive a process that is killed.
        .arg("-XX:-UsePerfData")
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .args(options)
        .args(["-cp", "libs/*"])
        // Java reads names of files in the letters of the locale.
        .env("LC_ALL", "C.UTF-8");
    command
}

fn install(java: &Path, folder: &Path) -> Result<(), Error> {
    let kafka = format!("org.apache.kafka:kafka_2.13:{}", versions::KAFKA);
    let slf4j = format!("org.slf4j:slf4j-simple:{}", versions::SLF4J);
    maven_jars(&[&kafka, &slf4j], folder)?;
    format(java, folder)?;
    let classes = rehearse(java, folder)?;
    let mut dump = Command::new(java);
    dump.current_dir(folder)
        .args(["-Xshare:dump", "-XX:+UseSerialGC", "-cp", "libs/*"])
        .arg(format!("-XX:SharedClassListFile={}", classes.display()))
        .arg(format!("-XX:SharedArchiveFile={ARCHIVE}"));
    // The archive only saves time.
    drop(run("the archive of Kafka's classes", &dump));
    fs::remove_file(classes).map_err(Error::io("remove the list of classes"))
}

/// Formats a storage that every run starts with a copy of: formatting takes half as long as the
/// start itself, and depends on nothing that differs between runs.
fn format(java: &Path, folder: &Path) -> Result<(), Error> {
    let folder = absolute(folder)?;
    let launch = settings(&anywhere(&folder, &[9092, 9093]));
    let properties = folder.join("format.properties");
    for (_, contents) in launch.files {
        fs::write(&properties, contents).map_err(Error::io("write format.properties"))?;
    }
    let mut tool = Command::new(java);
    tool.current_dir(&folder)
        .args(["-XX:TieredStopAtLevel=1", "-cp", "libs/*"])
        .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
        .arg(&properties);
    run("a formatted storage of Kafka", &tool)?;
    fs::rename(folder.join("data"), folder.join("storage"))
        .map_err(Error::io("keep the storage"))?;
    fs::remove_file(properties).map_err(Error::io("remove format.properties"))
}

/// Starts the broker once, which proves the installation, and lists the classes that it loads.
fn rehearse(java: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let classes = absolute(folder)?.join("classes.txt");
    let list = format!("-XX:DumpLoadedClassList={}", classes.display());
    with_ports(2, |ports| {
        let scratch = Scratch::new("kafka")?;
        let place = anywhere(scratch.path(), ports);
        let launch = settings(&place);
        for (name, contents) in &launch.files {
            scratch.write(name, contents)?;
        }
        let mut command = launcher(java, folder, &["-Xshare:off", &list]);
        command.args(launch.arguments);
        let broker = Process::start("kafka", &scratch, &command)?;
        broker.wait(START, || is_ready(&Client::new(place.address)))
    })?;
    // Where the virtual machine knows no such option the list stays empty.
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&classes)
        .map_err(Error::io("list the classes of Kafka"))?;
    Ok(classes)
}

fn anywhere(folder: &Path, ports: &[u16]) -> Place {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0]));
    Place {
        runtime: Runtime::Local,
        folder: folder.to_owned(),
        listen: address,
        address,
        spare: ports[1],
        further: Vec::new(),
    }
}

/// The broker works in another folder than this process.
fn absolute(folder: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(folder).map_err(Error::io("find the cache"))
}
