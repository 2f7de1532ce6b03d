//! One run of a command: how long, how much processor, how much memory.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};

use crate::{Programs, Result};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Start to exit.
    pub(crate) wall: Duration,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in KiB.
    pub(crate) peak_kib: f64,
    pub(crate) code: i32,
}

/// Makes a command that sees nothing of the caller's environment.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs a command and returns how long it took from its start to its exit.
pub(crate) fn time(command: &mut Command) -> Result<(Duration, i32)> {
    let started = Instant::now();
    let status = command.status()?;
    Ok((started.elapsed(), status.code().unwrap_or(-1)))
}

/// Runs a command that has to end with this code, and returns how long it took.
pub(crate) fn ends_with(command: &mut Command, expected: i32) -> Result<Duration> {
    let (took, code) = time(command)?;
    if code != expected {
        return Err(format!("exit code {code}, not {expected}: {command:?}").into());
    }
    Ok(took)
}

/// Runs a check that is to fail with such a finding: a fault that is not named is not worth timing.
pub(crate) fn expect_finding(
    programs: &Programs,
    check: &Command,
    fault: &str,
    code: &str,
) -> Result<()> {
    let output = programs.folder.join("fault.txt");
    let first = run(programs, check, &output)?;
    let text = std::fs::read_to_string(&output)?;
    if first.code != 1 || !text.contains(code) {
        return Err(format!("{fault}: no {code} in\n{text}").into());
    }
    Ok(())
}

/// Runs a command below a small process of its own: the system tells the peak of memory for the
/// largest of all children only.
pub(crate) fn run(programs: &Programs, measured: &Command, output: &Path) -> Result<Run> {
    let mut outer = command(&programs.bench);
    outer
        .arg("measure")
        .arg(output)
        .arg(measured.get_program())
        .args(measured.get_args())
        .stdout(Stdio::piped());
    let answer = outer.output()?;
    let text = String::from_utf8(answer.stdout)?;
    let numbers: Vec<i64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let [wall, cpu, peak_kib, code] = numbers[..] else {
        return Err(format!("no measure of {measured:?}").into());
    };
    Ok(Run {
        wall: Duration::from_micros(wall.try_into()?),
        cpu: Duration::from_micros(cpu.try_into()?),
        peak_kib: f64::from(i32::try_from(peak_kib)?),
        code: code.try_into()?,
    })
}

/// The inner half of [`run`].
pub(crate) fn print(words: &[&str]) -> Result<()> {
    let [output, program, arguments @ ..] = words else {
        return Err("usage: measure OUTPUT PROGRAM [ARGUMENT...]".into());
    };
    let output = std::fs::File::create(output)?;
    let (wall, code) = time(command(program).args(arguments).stdout(output))?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (wall, cpu) = (wall.as_micros(), cpu(&usage).as_micros());
    println!("{wall} {cpu} {} {code}", usage.max_rss());
    Ok(())
}

fn cpu(usage: &Usage) -> Duration {
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        })
        .sum()
}

/// Returns the middle value.
pub(crate) fn median<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    values[values.len() / 2]
}

/// The middle value and both ends, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub(crate) fn of(took: impl IntoIterator<Item = Duration>) -> Self {
        let took: Vec<f64> = took.into_iter().map(millis).collect();
        Self {
            median: median(took.iter().copied()),
            least: took.iter().copied().fold(f64::INFINITY, f64::min),
            most: took.iter().copied().fold(0.0, f64::max),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            least,
            most,
        } = self;
        // As many digits as tell runs apart.
        if *median < 100.0 {
            write!(formatter, "{median:.1} ms ({least:.1} to {most:.1})")
        } else {
            write!(formatter, "{median:.0} ms ({least:.0} to {most:.0})")
        }
    }
}

/// Returns milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
