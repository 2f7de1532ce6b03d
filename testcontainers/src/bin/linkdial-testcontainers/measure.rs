use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::up::{Backend, Up, start};

/// Starts of each server; the median is shown.
const STARTS: usize = 5;

/// Starts each server some times and prints a line of a Markdown table for it.
pub(crate) fn run(backends: &[Backend]) -> Result<(), Box<dyn Error>> {
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
            memory.push(resident(first_process(description.whereabouts())?)?);
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

/// The id of the server's first process on this machine.
fn first_process(whereabouts: &str) -> Result<u32, Box<dyn Error>> {
    let mut words = whereabouts.split(' ');
    match (words.next(), words.next()) {
        (Some("process"), Some(id)) => Ok(id.parse()?),
        (Some("container"), Some(name)) => {
            let mut inspect = Command::new("docker");
            inspect.args(["inspect", "--format", "{{.State.Pid}}", name]);
            Ok(String::from_utf8(inspect.output()?.stdout)?
                .trim()
                .parse()?)
        }
        _ => Err(format!("{whereabouts} is no process of its own").into()),
    }
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
        let children = std::fs::read_to_string(task?.path().join("children"))?;
        for child in children.split_whitespace() {
            sum += resident(child.parse()?)?;
        }
    }
    Ok(sum)
}
