//! Measures linkdial beside its peers on loopback, and writes what came out.
//!
//! Started by `scripts/bench.sh`, which builds what is measured. Every command that is timed is a
//! process of its own with an empty environment; the servers are those of linkdial-testcontainers.

mod hdfs;
mod kafka;
mod measure;
mod nightly;
mod opendal_list;
mod registry;
mod report;
mod script;
mod server;
mod single;
mod stores;
mod sweep;
mod watch;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::{Report, State};
use server::{Minio, Tls};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The programs that are started.
struct Programs {
    linkdial: PathBuf,
    servers: PathBuf,
    /// This one, for the peer and for a look at the memory of a child.
    bench: PathBuf,
    /// Scripts and captured reports; removed at the end.
    folder: PathBuf,
}

const USAGE: &str = "usage: linkdial-bench LINKDIAL LINKDIAL-TESTCONTAINERS PAGE [dials|hdfs|kafka|nightly|registry|stores]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["measure", command @ ..] => measure::print(command),
        ["opendal-list", options @ ..] => opendal_list::run(options),
        [linkdial, servers, page, part @ ..] => {
            Part::of(part).and_then(|part| run(linkdial, servers, Path::new(page), part))
        }
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    All,
    Dials,
    Hdfs,
    Kafka,
    Nightly,
    Registry,
    Stores,
}

impl Part {
    fn of(words: &[&str]) -> Result<Self> {
        match words {
            [] => Ok(Self::All),
            ["dials"] => Ok(Self::Dials),
            ["hdfs"] => Ok(Self::Hdfs),
            ["kafka"] => Ok(Self::Kafka),
            ["nightly"] => Ok(Self::Nightly),
            ["registry"] => Ok(Self::Registry),
            ["stores"] => Ok(Self::Stores),
            _ => Err(USAGE.into()),
        }
    }
}

fn run(linkdial: &str, servers: &str, page: &Path, part: Part) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("linkdial-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let programs = Programs {
        linkdial: std::path::absolute(linkdial)?,
        servers: std::path::absolute(servers)?,
        bench: std::env::current_exe()?,
        folder,
    };
    let measured = measure_all(&programs, page, part);
    std::fs::remove_dir_all(&programs.folder)?;
    std::fs::write(page, measured?)?;
    println!("\nbench: wrote {}", page.display());
    Ok(())
}

/// Measures what was asked for, prints the tables and returns the page with them.
fn measure_all(programs: &Programs, page: &Path, part: Part) -> Result<String> {
    let mut text = match part {
        Part::All | Part::Dials => {
            let state = State::now()?;
            let dials = measure_dials(programs)?;
            print!("{}", dials.table());
            let fresh = report::page(&state.below(&dials, &[]), programs)?;
            match part {
                Part::All => fresh,
                _ => report::with_sections(&fresh, &std::fs::read_to_string(page)?)?,
            }
        }
        _ => std::fs::read_to_string(page)?,
    };
    let wanted = |this| part == Part::All || part == this;
    if wanted(Part::Registry) {
        text = section(&text, "Registry", &[], |report| {
            registry::apply(programs, report)?;
            registry::list(programs, report)
        })?;
    }
    if wanted(Part::Nightly) {
        text = section(&text, "Sweeps", &[], |report| {
            nightly::measure(programs, report)
        })?;
    }
    if wanted(Part::Stores) {
        text = section(
            &text,
            "Azure and Google Cloud Storage",
            &[report::rclone_version, report::azurite_version],
            |report| stores::measure(programs, report),
        )?;
    }
    if wanted(Part::Kafka) {
        text = section(
            &text,
            "Kafka",
            &[report::kcat_version, report::kafka_version],
            |report| kafka::measure(programs, report),
        )?;
    }
    if wanted(Part::Hdfs) {
        let versions = [report::java_version, report::hadoop_version];
        text = section(&text, "HDFS", &versions, |report| {
            hdfs::measure(programs, report)
        })?;
    }
    Ok(text)
}

/// Measures one section, prints its table and returns the page with it.
fn section(
    page: &str,
    name: &str,
    versions: &[fn() -> Result<String>],
    measure: impl FnOnce(&mut Report) -> Result<()>,
) -> Result<String> {
    println!("bench: {name}");
    let state = State::now()?;
    let mut report = Report::default();
    measure(&mut report)?;
    print!("{}", report.table());
    let versions = versions.iter().map(|version| version());
    let versions: Vec<_> = versions.collect::<Result<_>>()?;
    report::with_section(page, name, &state.below(&report, &versions))
}

fn measure_dials(programs: &Programs) -> Result<Report> {
    let mut report = Report::default();
    for tls in [Tls::No, Tls::Yes] {
        println!("bench: MinIO, {}", tls.word());
        let minio = Minio::start(programs, tls)?;
        single::healthy(programs, &minio, &mut report)?;
        sweep::beside_opendal(programs, &minio, &mut report)?;
        sweep::memory(programs, &minio, &mut report)?;
        minio.stop()?;
    }
    println!("bench: broken servers");
    single::closed_port(programs, &mut report)?;
    single::silent_server(programs, &mut report)?;
    Ok(report)
}
