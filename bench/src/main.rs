//! Measures linkdial beside its peers on loopback, and writes what came out.
//!
//! Started by `scripts/bench.sh`, which builds what is measured. Every command that is timed is a
//! process of its own with an empty environment; the servers are those of linkdial-testcontainers.

mod measure;
mod opendal_list;
mod registry;
mod report;
mod script;
mod server;
mod single;
mod sweep;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;
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

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["measure", command @ ..] => measure::print(command),
        ["opendal-list", options @ ..] => opendal_list::run(options),
        [linkdial, servers, page] => run(linkdial, servers, Path::new(page), Part::All),
        [linkdial, servers, page, "registry"] => {
            run(linkdial, servers, Path::new(page), Part::Registry)
        }
        _ => Err("usage: linkdial-bench LINKDIAL LINKDIAL-TESTCONTAINERS PAGE [registry]".into()),
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
    Registry,
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
    let report = measure_all(&programs, part);
    std::fs::remove_dir_all(&programs.folder)?;
    let (dials, registry) = report?;
    let text = match &dials {
        Some(dials) => report::page(dials, &registry, &programs)?,
        None => report::with_registry(&std::fs::read_to_string(page)?, &registry)?,
    };
    print!("{}", registry.table());
    if let Some(dials) = dials {
        print!("\n{}", dials.table());
    }
    std::fs::write(page, text)?;
    println!("\nbench: wrote {}", page.display());
    Ok(())
}

/// Returns what dials came to, where they are measured, and what registries did.
fn measure_all(programs: &Programs, part: Part) -> Result<(Option<Report>, Report)> {
    let dials = (part == Part::All).then(|| measure_dials(programs));
    let dials = dials.transpose()?;
    println!("bench: registry");
    let mut registry = Report::default();
    registry::apply(programs, &mut registry)?;
    registry::list(programs, &mut registry)?;
    Ok((dials, registry))
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
