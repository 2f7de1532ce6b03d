use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use linkdial_testcontainers::Whereabouts;

use crate::up::{Backend, Up, start};

/// Starts of each server; the median is shown.
const STARTS: usize = 5;

/// How many seconds an engine may take to tell of a container.
const LOOK: &str = "10";

/// Starts each server some times and prints a line of a Markdown table for it. For Linux: that
/// system alone tells of other processes' memory in `/proc`, and of a container's too.
pub(crate) fn run(backends: &[Backend]) -> Result<(), Box<dyn Error>> {
    if !cfg!(target_os = "linux") {
        return Err("memory is measured on Linux alone".into());
    }
    let mut output = std::io::stdout().lock();
    writeln!(output, "| server | runtime | start to ready | memory |")?;
    writeln!(output, "| --- | --- | --- | --- |")?;
    for backend in backends {
        // The first one may install something, and fills the caches of the system.
        drop(start(*backend)?);
        let mut times = Vec::new();
        let mut memory = Vec::new();
        let mut runtime = String::new();
        for _ in 0..STARTS {
            let begin = Instant::now();
            let Up { description, .. } = &start(*backend)?;
            times.push(begin.elapsed());
            let whereabouts = description
                .whereabouts()
                .ok_or_else(|| format!("{} is no process of its own", backend.name()))?;
            let mut sum = 0;
            for process in first_processes(whereabouts)? {
                sum += resident(process).map_err(|error| format!("{whereabouts}: {error}"))?;
            }
            memory.push(sum);
            runtime = description.runtime().to_string();
        }
        times.sort_unstable();
        memory.sort_unstable();
        let (time, memory) = (times[STARTS / 2], memory[STARTS / 2] / 1024);
        let name = backend.name();
        writeln!(
            output,
            "| {name} | {runtime} | {} | {memory} MiB |",
            shown(time)
        )?;
        output.flush()?;
    }
    Ok(())
}

fn shown(time: Duration) -> String {
    if time < Duration::from_millis(100) {
        return format!("{} ms", time.as_millis());
    }
    format!("{:.1} s", time.as_secs_f64())
}

/// The ids of the server's processes on this machine that are no children of others.
fn first_processes(whereabouts: &Whereabouts) -> Result<Vec<u32>, Box<dyn Error>> {
    let (name, engine) = match whereabouts {
        Whereabouts::Process(id) => return Ok(vec![*id]),
        Whereabouts::Processes(ids) => return Ok(ids.clone()),
        Whereabouts::Container { name, engine, .. } => (name, engine),
        _ => return Err(format!("{whereabouts} is unknown here").into()),
    };
    let mut inspect = Command::new("timeout");
    inspect.args([LOOK, "docker", "--host", engine, "inspect"]);
    let output = inspect
        .args(["--format", "{{.State.Pid}}", name])
        .output()
        .map_err(|error| format!("timeout: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("docker inspect ended with {}: {words}", output.status).into());
    }
    Ok(vec![String::from_utf8(output.stdout)?.trim().parse()?])
}

/// The resident memory of a process and its children, in KiB.
fn resident(process: u32) -> Result<u64, Box<dyn Error>> {
    let folder = Path::new("/proc").join(process.to_string());
    let status = std::fs::read_to_string(folder.join("status"))?;
    let own = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or("a process without memory")?;
    let mut sum = own.parse()?;
    for task in std::fs::read_dir(folder.join("task"))? {
        // The thread may have ended in between.
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            sum += resident(child.parse()?)?;
        }
    }
    Ok(sum)
}
