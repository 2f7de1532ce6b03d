//! Many links in one process.

use std::path::Path;
use std::process::Command;

use crate::measure::{Run, command, median, millis, run};
use crate::report::{Goal, Report, Row};
use crate::server::{Minio, Tls};
use crate::{Programs, Result, script};

/// Links of a run; each is checked once.
pub(crate) const LINKS: u32 = 2000;
/// Checks at once.
const JOBS: u32 = 64;
/// Processes of each kind, in turn.
const RUNS: usize = 5;
/// Checks at once when memory is looked at: enough for what is there only once not to matter.
const MANY: u32 = 256;

/// Lists with as many links, beside OpenDAL with a connection for each.
pub(crate) fn beside_opendal(
    programs: &Programs,
    minio: &Minio,
    report: &mut Report,
) -> Result<()> {
    let script = script::write(programs, minio, LINKS)?;
    let mut list = verify(programs, minio, &script, JOBS);
    // The same work as the peer's: a list and no read.
    list.args(["--until", "access"]);
    let whole = verify(programs, minio, &script, JOBS);
    let peer = opendal(programs, minio);
    let (mut ours, mut theirs, mut wholes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(checked(programs, &list)?);
        theirs.push(checked(programs, &peer)?);
        wholes.push(checked(programs, &whole)?);
    }
    let (rate, cpu) = figures(&ours);
    let (peer_rate, peer_cpu) = figures(&theirs);
    let at_least = match minio.tls {
        Tls::No => 0.8,
        Tls::Yes => 0.7,
    };
    report.add(Row::beside(
        format!("{LINKS} links, list, {}", minio.tls.word()),
        format!("{rate:.0}/s, {cpu:.0} us CPU"),
        format!("OpenDAL: {peer_rate:.0}/s, {peer_cpu:.0} us CPU"),
        rate / peer_rate,
        Goal::AtLeast(at_least),
    ));
    let (rate, cpu) = figures(&wholes);
    report.add(Row::noted(
        format!("{LINKS} links, list and read, {}", minio.tls.word()),
        format!("{rate:.0}/s, {cpu:.0} us CPU"),
        String::new(),
        None,
    ));
    Ok(())
}

/// What one more check in flight takes.
pub(crate) fn memory(programs: &Programs, minio: &Minio, report: &mut Report) -> Result<()> {
    let script = script::write(programs, minio, LINKS)?;
    let mut peaks = Vec::new();
    for jobs in [MANY, JOBS, 1] {
        let command = verify(programs, minio, &script, jobs);
        let mut runs = Vec::new();
        for _ in 0..3 {
            runs.push(checked(programs, &command)?.peak_kib);
        }
        peaks.push(median(runs));
    }
    let [many, usual, one] = peaks[..] else {
        return Err("three peaks".into());
    };
    let each = (many - one) / f64::from(MANY - 1);
    report.add(Row::alone(
        format!("memory of a check in flight, {}", minio.tls.word()),
        format!("{each:.0} KiB"),
        format!(
            "peak {:.1} MiB at {MANY}, {:.1} at {JOBS}, {:.1} at 1",
            many / 1024.0,
            usual / 1024.0,
            one / 1024.0
        ),
        each,
        Goal::AtMostKib(80.0),
    ));
    Ok(())
}

fn checked(programs: &Programs, measured: &Command) -> Result<Run> {
    let output = programs.folder.join("output.txt");
    let run = run(programs, measured, &output)?;
    if run.code != 0 {
        let text = std::fs::read_to_string(&output)?;
        let head: String = text.lines().take(20).collect::<Vec<_>>().join("\n");
        return Err(format!("exit code {}: {measured:?}\n{head}", run.code).into());
    }
    Ok(run)
}

/// Returns checks a second and microseconds of processor a check.
fn figures(runs: &[Run]) -> (f64, f64) {
    let links = f64::from(LINKS);
    let wall = median(runs.iter().map(|run| run.wall));
    let cpu = median(runs.iter().map(|run| run.cpu));
    (links / wall.as_secs_f64(), millis(cpu) * 1e3 / links)
}

fn verify(programs: &Programs, minio: &Minio, script: &Path, jobs: u32) -> Command {
    let mut command = command(&programs.linkdial);
    let jobs = jobs.to_string();
    command.args([
        "verify",
        "--strict",
        "--jobs",
        &jobs,
        "--jobs-per-host",
        &jobs,
    ]);
    if let Some(file) = &minio.ca_file {
        command.args(["--ca-file", file]);
    }
    command.arg(script);
    command
}

pub(crate) fn opendal(programs: &Programs, minio: &Minio) -> Command {
    let mut command = command(&programs.bench);
    command.args(["opendal-list", &minio.endpoint, &minio.region]);
    command.arg(minio.ca_file.as_deref().unwrap_or("-"));
    command.args([LINKS.to_string(), JOBS.to_string()]);
    for login in &minio.logins {
        command.args([&login.id, &login.secret]);
    }
    command
}
