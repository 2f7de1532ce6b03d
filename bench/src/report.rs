//! The table, and the page around it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::process::Command;

use crate::{Programs, Result};

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::enum_variant_names,
    reason = "`LeastMillis` would read as its opposite"
)]
pub(crate) enum Goal {
    /// A ratio to the peer.
    AtMost(f64),
    /// A ratio to the peer.
    AtLeast(f64),
    AtMostMillis(f64),
    AtMostKib(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) | Self::AtMostMillis(most) | Self::AtMostKib(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}x"),
            Self::AtMost(most) => format!("<= {most}x"),
            Self::AtMostMillis(most) => format!("<= {most} ms"),
            Self::AtMostKib(most) => format!("<= {most} KiB"),
        }
    }
}

/// One measure: cells in the order of [`HEAD`].
#[derive(Debug)]
pub(crate) struct Row([String; 6]);

const HEAD: [&str; 6] = ["measure", "linkdial", "beside", "ratio", "goal", "met"];

impl Row {
    /// A figure that is held against its ratio to the peer's.
    pub(crate) fn beside(name: String, ours: String, peer: String, ratio: f64, goal: Goal) -> Self {
        let met = yes_or_no(goal.is_met(ratio));
        Self([name, ours, peer, format!("{ratio:.2}x"), goal.text(), met])
    }

    /// A figure that is held against a fixed one.
    pub(crate) fn alone(
        name: impl Into<String>,
        ours: String,
        beside: String,
        value: f64,
        goal: Goal,
    ) -> Self {
        let met = yes_or_no(goal.is_met(value));
        Self([name.into(), ours, beside, String::new(), goal.text(), met])
    }

    /// A figure without a goal.
    pub(crate) fn noted(name: String, ours: String, beside: String, ratio: Option<f64>) -> Self {
        let ratio = ratio
            .map(|ratio| format!("{ratio:.2}x"))
            .unwrap_or_default();
        Self([name, ours, beside, ratio, String::new(), String::new()])
    }
}

fn yes_or_no(met: bool) -> String {
    if met { "yes" } else { "no" }.to_owned()
}

/// All rows, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        println!("bench:   {}: {} ({})", row.0[0], row.0[1], row.0[2]);
        self.0.push(row);
    }

    /// Returns the table, aligned for a terminal and valid in Markdown.
    pub(crate) fn table(&self) -> String {
        let rows = || {
            std::iter::once(HEAD.map(str::to_owned)).chain(self.0.iter().map(|row| row.0.clone()))
        };
        let mut widths = [0; HEAD.len()];
        for row in rows() {
            for (width, cell) in widths.iter_mut().zip(&row) {
                *width = (*width).max(cell.len());
            }
        }
        let mut text = String::new();
        for (index, row) in rows().enumerate() {
            for (width, cell) in widths.iter().zip(&row) {
                text.push_str(&format!("| {cell:width$} "));
            }
            text.push_str("|\n");
            if index == 0 {
                text.extend(widths.map(|width| format!("| {} ", "-".repeat(width))));
                text.push_str("|\n");
            }
        }
        text
    }
}

const WHERE: &str = "\n## Where\n";
const HOW: &str = "\n## How\n";

/// Returns the page of the documentation, with the table of dials alone.
pub(crate) fn page(dials: &str, programs: &Programs) -> Result<String> {
    let mut page = String::from("# Benchmarks\n\n");
    page.push_str(
        "Written by `make bench`. Medians; linkdial and its peer take turns in the same run, on\n",
    );
    page.push_str("loopback, with server and client on the same cores. Ratios travel better than figures.\n\n");
    page.push_str(dials);
    writeln!(page, "{WHERE}\n{}", machine()?)?;
    writeln!(page, "{}", versions(programs)?)?;
    page.push_str(include_str!("how.md"));
    Ok(page)
}

/// Returns a page with a section of this name put in or replaced.
pub(crate) fn with_section(page: &str, name: &str, text: &str) -> Result<String> {
    let heading = format!("\n## {name}\n");
    let (before, after) = match page.split_once(&heading) {
        Some((before, old)) => (
            before,
            &old[old.find("\n## ").ok_or("the page ends early")?..],
        ),
        None => page.split_at(page.find(WHERE).ok_or("the page says nowhere where")?),
    };
    let (machine, _) = after.split_once(HOW).ok_or("the page says nowhere how")?;
    let (before, how) = (before.trim_end(), include_str!("how.md"));
    Ok(format!("{before}\n{heading}\n{text}{machine}{how}"))
}

/// Returns a page with the sections of another one.
pub(crate) fn with_sections(page: &str, other: &str) -> Result<String> {
    let start = other.find("\n## ").ok_or("the page ends early")?;
    let end = other.find(WHERE).ok_or("the page says nowhere where")?;
    let (before, after) = page.split_at(page.find(WHERE).ok_or("the page says nowhere where")?);
    let sections = other.get(start..end).ok_or("the page says early where")?;
    Ok(format!("{}\n{sections}{after}", before.trim_end()))
}

/// What was measured, and what else the machine did.
#[derive(Debug)]
pub(crate) struct State(String);

impl State {
    /// Looks before anything is measured.
    pub(crate) fn now() -> Result<Self> {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        let commit = git(&["rev-parse", "--short", "HEAD"]);
        let commit = commit.map_or("an unknown commit".to_owned(), |it| format!("commit {it}"));
        let tracked = [
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            ".",
            ":!docs",
        ];
        let changed = git(&tracked).is_some_and(|changes| !changes.is_empty());
        let changed = if changed { " with changes" } else { "" };
        let load = std::fs::read_to_string("/proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default();
        Ok(Self(format!(
            "At {commit}{changed}; load of the machine before: {load}"
        )))
    }

    /// Returns a table with this below it, and with further programs that took part.
    pub(crate) fn below(&self, report: &Report, others: &[String]) -> String {
        let state = [std::slice::from_ref(&self.0), others].concat().join("; ");
        format!("{}\n{state}.\n", report.table())
    }
}

/// Returns what kcat says of itself.
pub(crate) fn kcat_version() -> Result<String> {
    let text = output("kcat", "-V")?;
    let after = |from: &str| {
        let (_, rest) = text.split_once(from)?;
        rest.split_whitespace().next()
    };
    let (kcat, library) = (after("Version "), after("librdkafka "));
    Ok(format!(
        "kcat {} with librdkafka {}",
        kcat.unwrap_or("?"),
        library.unwrap_or("?")
    ))
}

/// Returns the version of the broker that the test servers install.
pub(crate) fn kafka_version() -> Result<String> {
    Ok(format!("Kafka {}", pinned("KAFKA")))
}

/// Returns the version of Hadoop that the test servers install.
pub(crate) fn hadoop_version() -> Result<String> {
    Ok(format!("Hadoop {}", pinned("HADOOP")))
}

/// Returns what Java says of itself.
pub(crate) fn java_version() -> Result<String> {
    let text = output("java", "--version")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Returns what rclone says of itself.
pub(crate) fn rclone_version() -> Result<String> {
    let text = output("rclone", "version")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Returns the version of Azurite that the test servers install.
pub(crate) fn azurite_version() -> Result<String> {
    Ok(format!("Azurite {}", pinned("AZURITE")))
}

fn output(program: impl AsRef<OsStr>, argument: &str) -> Result<String> {
    let output = Command::new(program).arg(argument).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn machine() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let gib = kib.div_ceil(1024 * 1024);
    Ok(format!("- {cores} cores ({processor}), {gib} GiB"))
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn versions(programs: &Programs) -> Result<String> {
    let first = |program: &OsStr, argument: &str| -> Result<String> {
        let text = output(program, argument)?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    };
    let curl = first("curl".as_ref(), "--version")?;
    let curl = curl.split(" (").next().unwrap_or(&curl).to_owned();
    let lines = [
        first(programs.linkdial.as_ref(), "--version")?,
        curl,
        format!("opendal {}", locked("opendal")),
        format!("MinIO {}", pinned("MINIO")),
        first("rustc".as_ref(), "--version")?,
        first("uname".as_ref(), "-sr")?,
    ];
    Ok(lines.map(|line| format!("- {line}\n")).concat())
}

/// Returns the version of a server that the test servers install.
fn pinned(name: &str) -> &'static str {
    let from = format!(" {name}: &str = \"");
    include_str!("../../testcontainers/src/versions.rs")
        .split_once(&from)
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("?")
}

/// Returns the version of a dependency of this program.
fn locked(name: &str) -> &'static str {
    let from = format!("name = \"{name}\"\nversion = \"");
    include_str!("../Cargo.lock")
        .split_once(&from)
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("?")
}
