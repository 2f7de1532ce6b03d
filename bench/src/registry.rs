//! What a registry costs: a statement that is stored, one that changes nothing, a long list.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::measure::{command, ends_with, median, millis, run};
use crate::report::{Goal, Report, Row};
use crate::server::HttpService;
use crate::{Programs, Result};

/// Links of a script that is applied.
const LINKS: u32 = 1000;
/// Bytes that a statement adds to the write-ahead log: nine pages with their headers.
const COMMIT: usize = 9 * (4096 + 24);
/// Processes of each kind, in turn.
const RUNS: usize = 5;
/// Links of a long list, and of the one that it is held against.
const MANY: u32 = 100_000;

/// Statements that are dialled and stored, beside the same without a dial.
pub(crate) fn apply(programs: &Programs, report: &mut Report) -> Result<()> {
    let service = HttpService::start(programs)?;
    let script = script(programs, "apply.sql", LINKS, Some(&service.url))?;
    let (mut dialled, mut stored, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    let (mut only_dialled, mut only_read, mut disk) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..RUNS {
        let registry = programs.folder.join(format!("dialled-{round}.db"));
        dialled.push(good(linkdial(programs, &registry).arg(&script))?);
        unchanged.push(good(linkdial(programs, &registry).arg(&script))?);
        let registry = programs.folder.join(format!("stored-{round}.db"));
        let mut store = linkdial(programs, &registry);
        stored.push(good(store.args(["--defer", "--offline"]).arg(&script))?);
        let mut verify = command(&programs.linkdial);
        only_dialled.push(good(verify.arg("verify").arg(&script))?);
        let mut verify = command(&programs.linkdial);
        only_read.push(good(verify.args(["verify", "--offline"]).arg(&script))?);
        disk.push(synced(programs)?);
    }
    service.stop()?;
    let [dialled, unchanged, stored, only_dialled, only_read, disk] =
        [dialled, unchanged, stored, only_dialled, only_read, disk].map(median);
    let each = |all: Duration| millis(all) / f64::from(LINKS);
    let cost = each(stored.saturating_sub(only_read));
    report.add(Row::alone(
        "a statement is stored, no dial".to_owned(),
        format!("{cost:.2} ms"),
        format!("the disk alone: {:.2} ms", each(disk)),
        cost,
        Goal::AtMostMillis(2.0),
    ));
    let cost = each(dialled.saturating_sub(only_dialled));
    report.add(Row::alone(
        "a statement is dialled and stored, less the dial".to_owned(),
        format!("{cost:.2} ms"),
        format!(
            "{LINKS}: {:.0} ms, verify {:.0}",
            millis(dialled),
            millis(only_dialled)
        ),
        cost,
        Goal::AtMostMillis(2.0),
    ));
    report.add(Row::noted(
        "a statement that changes nothing".to_owned(),
        format!("{:.2} ms", each(unchanged)),
        format!("{LINKS}: {:.0} ms", millis(unchanged)),
        None,
    ));
    Ok(())
}

/// As many writes of the size of a commit as there are statements, each of them made to last.
fn synced(programs: &Programs) -> Result<Duration> {
    let path = programs.folder.join("synced");
    let mut file = std::fs::File::create(&path)?;
    let started = Instant::now();
    for _ in 0..LINKS {
        file.write_all(&[0x5a; COMMIT])?;
        file.sync_all()?;
    }
    let took = started.elapsed();
    std::fs::remove_file(&path)?;
    Ok(took)
}

/// A long list and its memory, beside a short one.
pub(crate) fn list(programs: &Programs, report: &mut Report) -> Result<()> {
    println!("bench: a registry of {MANY} links");
    let few = fill(programs, LINKS)?;
    let many = fill(programs, MANY)?;
    let (mut took, mut peaks, mut few_peaks) = (Vec::new(), Vec::new(), Vec::new());
    let output = programs.folder.join("list.txt");
    for _ in 0..RUNS {
        for (registry, links) in [(&few, LINKS), (&many, MANY)] {
            let mut show = linkdial(programs, registry);
            show.args(["--execute", "SHOW LINKS"]);
            let run = run(programs, &show, &output)?;
            let rows = std::fs::read_to_string(&output)?.lines().count();
            // Below the names of the columns.
            if run.code != 0 || rows != usize::try_from(links)? + 1 {
                return Err(format!("exit code {}, {rows} lines: {show:?}", run.code).into());
            }
            if links == MANY {
                took.push(run.wall);
                peaks.push(run.peak_kib);
            } else {
                few_peaks.push(run.peak_kib);
            }
        }
    }
    let took = millis(median(took));
    report.add(Row::alone(
        format!("SHOW LINKS of {MANY} links"),
        format!("{took:.0} ms"),
        String::new(),
        took,
        Goal::AtMostMillis(1000.0),
    ));
    let (peak, few_peak) = (median(peaks), median(few_peaks));
    report.add(Row::beside(
        "its peak of memory".to_owned(),
        format!("{:.1} MiB", peak / 1024.0),
        format!("{LINKS} links: {:.1} MiB", few_peak / 1024.0),
        peak / few_peak,
        Goal::AtMost(1.25),
    ));
    Ok(())
}

/// Makes a registry of so many links.
fn fill(programs: &Programs, links: u32) -> Result<PathBuf> {
    let script = script(programs, &format!("fill-{links}.sql"), links, None)?;
    filled(programs, &format!("list-{links}"), &script)
}

/// Makes a registry of a script with the program itself, in memory where that is to be had: only what
/// is done with it afterwards is measured.
pub(crate) fn filled(programs: &Programs, name: &str, script: &Path) -> Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.join(programs.folder.file_name().ok_or("a folder has a name")?)
    } else {
        programs.folder.join("fill")
    };
    std::fs::create_dir_all(&folder)?;
    let made = folder.join("links.db");
    let filled = good(
        linkdial(programs, &made)
            .args(["--defer", "--offline", "--quiet"])
            .arg(script),
    );
    let registry = programs.folder.join(format!("{name}.db"));
    let copied = filled.and_then(|_| {
        std::fs::copy(&made, &registry)?;
        std::fs::copy(made.with_extension("key"), registry.with_extension("key"))?;
        Ok(registry)
    });
    std::fs::remove_dir_all(&folder)?;
    copied
}

fn linkdial(programs: &Programs, registry: &Path) -> Command {
    let mut command = command(&programs.linkdial);
    command.args(["apply", "--database", "shop", "--registry"]);
    command.arg(registry);
    command
}

/// Writes a script of so many HTTP links.
fn script(programs: &Programs, name: &str, links: u32, target: Option<&str>) -> Result<PathBuf> {
    let mut text = String::new();
    for index in 0..links {
        if let Some(target) = target {
            writeln!(text, "-- linkdial: target '{target}'")?;
        }
        writeln!(
            text,
            "CREATE LINK link_{index:06} AS HTTP \
             CREDENTIALS '{{\"headers\":{{\"X-Api-Key\":\"value-{index}\"}}}}' \
             DESCRIPTION 'link number {index}';"
        )?;
    }
    let path = programs.folder.join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}

fn good(command: &mut Command) -> Result<Duration> {
    ends_with(command, 0)
}
