//! HDFS links: healthy ones and faults, beside Hadoop's own client.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpSocket;

use crate::measure::{Spread, command, ends_with, expect_finding, time};
use crate::report::{Goal, Report, Row};
use crate::server::Hdfs;
use crate::{Programs, Result, script};

/// Processes of each kind, in turn.
const RUNS: usize = 21;
/// Processes of Java: a start takes a second or two.
const PEER_RUNS: usize = 5;
/// A fault is named within this time.
const NAMED_MS: f64 = 500.0;

/// Starts the servers and measures all.
pub(crate) fn measure(programs: &Programs, report: &mut Report) -> Result<()> {
    let simple = Hdfs::start(programs, "hdfs")?;
    let secured = Hdfs::start(programs, "hdfs-secured")?;
    healthy(programs, "simple", &simple, report)?;
    healthy(programs, "Kerberos", &secured, report)?;
    closed_port(programs, &simple, report)?;
    dead_datanode(programs, &simple, report)?;
    secured.stop()?;
    simple.stop()
}

fn healthy(programs: &Programs, words: &str, hdfs: &Hdfs, report: &mut Report) -> Result<()> {
    let mut ours = verify(programs, hdfs, &hdfs.url)?;
    let mut java = java(programs, hdfs, &["-ls", &hdfs.url])?;
    let (mut ours_took, mut java_took) = (Vec::new(), Vec::new());
    for round in 0..RUNS {
        ours_took.push(ends_with(&mut ours, 0)?);
        if round < PEER_RUNS {
            java_took.push(ends_with(&mut java, 0)?);
        }
    }
    let (ours, java) = (Spread::of(ours_took), Spread::of(java_took));
    report.add(Row::noted(
        format!("one healthy link, {words}"),
        ours.to_string(),
        format!("Java, -ls alone: {java}"),
        Some(ours.median / java.median),
    ));
    Ok(())
}

fn closed_port(programs: &Programs, hdfs: &Hdfs, report: &mut Report) -> Result<()> {
    // Bound and not listening: nobody else gets the port, and it refuses.
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let url = format!("hdfs://{}/data/orders.csv", socket.local_addr()?);
    named(
        programs,
        "a closed port",
        "connect.refused",
        &mut verify(programs, hdfs, &url)?,
        &mut java(programs, hdfs, &["-ls", &url])?,
        report,
    )
}

fn dead_datanode(programs: &Programs, hdfs: &Hdfs, report: &mut Report) -> Result<()> {
    kill(Pid::from_raw(hdfs.datanode), Signal::SIGKILL)?;
    named(
        programs,
        "a dead DataNode",
        "connect.refused",
        &mut verify(programs, hdfs, &hdfs.url)?,
        &mut java(programs, hdfs, &["-cat", &hdfs.url])?,
        report,
    )
}

fn named(
    programs: &Programs,
    name: &str,
    code: &str,
    ours: &mut Command,
    java: &mut Command,
    report: &mut Report,
) -> Result<()> {
    expect_finding(programs, ours, name, code)?;
    let mut took = Vec::new();
    for _ in 0..RUNS {
        took.push(ends_with(ours, 1)?);
    }
    let (java, exit) = time(java)?;
    let ours = Spread::of(took);
    report.add(Row::alone(
        name,
        ours.to_string(),
        format!("Java: {:.0} ms, exit code {exit}", java.as_secs_f64() * 1e3),
        ours.median,
        Goal::AtMostMillis(NAMED_MS),
    ));
    Ok(())
}

fn verify(programs: &Programs, hdfs: &Hdfs, url: &str) -> Result<Command> {
    let link = &hdfs.link;
    let text = format!("{link}\nCREATE PIPELINE p AS LOAD DATA LINK l '{url}' INTO TABLE t;\n");
    let name = format!("hdfs-{}.sql", url.len());
    let script = script::save(programs, &name, &text)?;
    let mut verify = command(&programs.linkdial);
    verify.args(["verify", "--strict"]);
    if let Some(kerberos) = &hdfs.kerberos {
        verify.args(["--krb5-conf", &kerberos.conf]);
    }
    verify.arg(script);
    Ok(verify)
}

/// Hadoop's own client with its default settings, and what it needs to log in.
fn java(programs: &Programs, hdfs: &Hdfs, arguments: &[&str]) -> Result<Command> {
    let kind = if hdfs.kerberos.is_some() {
        "kerberos"
    } else {
        "simple"
    };
    let folder = programs.folder.join(kind);
    std::fs::create_dir_all(&folder)?;
    let property = |(name, value): &(String, String)| {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    };
    let properties: String = hdfs.properties.iter().map(property).collect();
    let site = format!("<configuration>{properties}</configuration>");
    std::fs::write(folder.join("core-site.xml"), site)?;
    let mut java = command("java");
    if let Some(kerberos) = &hdfs.kerberos {
        let cache = format!("FILE:{}", folder.join("cache").display());
        let mut kinit = command("kinit");
        kinit.env("KRB5_CONFIG", &kerberos.conf);
        kinit.args([
            "-c",
            &cache,
            "-k",
            "-t",
            &kerberos.keytab,
            &kerberos.principal,
        ]);
        ends_with(&mut kinit, 0)?;
        java.env("KRB5CCNAME", cache);
        java.arg(format!("-Djava.security.krb5.conf={}", kerberos.conf));
    }
    let classes = format!("{}/*:{}", hdfs.jars.display(), folder.display());
    java.args(["-cp", &classes, "org.apache.hadoop.fs.FsShell"]);
    java.args(arguments);
    Ok(java)
}
