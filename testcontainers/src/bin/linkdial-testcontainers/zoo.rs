use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;
use linkdial_testcontainers::zoo::table::{self, Header, Row};
use linkdial_testcontainers::zoo::{self, Fault, Kind, Linkdial, Peer};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The tools that are told each fault; repeatable
    #[arg(long, value_enum, value_delimiter = ',', default_value = "linkdial")]
    tool: Vec<Tool>,
    /// The linkdial program; without it, the one beside this program
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Only faults of this kind; repeatable
    #[arg(long, value_enum)]
    kind: Vec<KindWord>,
    /// Only faults of this name, with `*` for any text
    #[arg(long, value_name = "GLOB", default_value = "*")]
    name: String,
    /// How the table is written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Faults at once
    #[arg(long, value_name = "N", default_value = "4")]
    jobs: NonZeroUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    Linkdial,
    Curl,
    Rclone,
    S5cmd,
    Kcat,
    Aws,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindWord {
    S3,
    Azure,
    Gcs,
    Hdfs,
    Http,
    Kafka,
}

/// How the table is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A line for each fault
    Human,
    /// One document
    Json,
    /// The published page
    Markdown,
}

impl Tool {
    fn peer(self) -> Option<Peer> {
        Some(match self {
            Self::Linkdial => return None,
            Self::Curl => Peer::Curl,
            Self::Rclone => Peer::Rclone,
            Self::S5cmd => Peer::S5cmd,
            Self::Kcat => Peer::Kcat,
            Self::Aws => Peer::Aws,
        })
    }
}

impl KindWord {
    fn kind(self) -> Kind {
        match self {
            Self::S3 => Kind::S3,
            Self::Azure => Kind::Azure,
            Self::Gcs => Kind::Gcs,
            Self::Hdfs => Kind::Hdfs,
            Self::Http => Kind::Http,
            Self::Kafka => Kind::Kafka,
        }
    }
}

/// A peer with its version, where it is installed.
type Installed = (Peer, Option<String>);

/// Runs the faults and prints the table; fails when linkdial is wrong about one of them.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut faults = zoo::faults();
    let kinds: Vec<Kind> = arguments.kind.iter().map(|word| word.kind()).collect();
    faults.retain(|fault| {
        (kinds.is_empty() || kinds.contains(&fault.kind)) && fits(&arguments.name, &fault.name)
    });
    if faults.is_empty() {
        return Err("no fault of the zoo is meant".into());
    }
    let linkdial = if arguments.tool.contains(&Tool::Linkdial) {
        let program = match &arguments.program {
            Some(program) => program.clone(),
            None => zoo::beside(&std::env::current_exe()?)?,
        };
        Some((Linkdial::new(&program), program))
    } else {
        None
    };
    let peers = arguments.tool.iter().filter_map(|tool| tool.peer());
    let peers: Vec<Installed> = peers.map(|peer| (peer, peer.version())).collect();
    zoo::start_servers(&faults);
    let program = linkdial.as_ref().map(|(linkdial, _)| linkdial);
    // First linkdial alone: peers that wait long would stand in its way.
    let found = zoo::each(&faults, arguments.jobs.get(), |fault| judge(program, fault));
    let told = zoo::each(&faults, arguments.jobs.get(), |fault| tell(&peers, fault));
    let rows = faults.into_iter().zip(found).zip(told);
    let rows: Vec<Row> = rows
        .map(|((fault, found), peers)| Row {
            fault,
            found,
            peers,
        })
        .collect();
    let header = header(
        linkdial.as_ref().map(|(_, program)| program.as_path()),
        &peers,
    )?;
    let text = match arguments.format {
        Format::Human => table::human(&rows, linkdial.is_some()),
        Format::Json => table::json(&rows, &header),
        Format::Markdown => table::markdown(&rows, &header),
    };
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    if linkdial.is_some() && wrong > 0 {
        return Err(format!("linkdial is wrong about {wrong} of {} faults", rows.len()).into());
    }
    Ok(())
}

/// What linkdial says. One that is late is asked once more: the machine may have been busy.
fn judge(linkdial: Option<&Linkdial>, fault: &Fault) -> Result<zoo::Found, String> {
    let linkdial = linkdial.ok_or("not asked")?;
    let once = || {
        let seeded = fault.seed().map_err(|error| error.to_string())?;
        linkdial
            .verify(fault, &seeded)
            .map_err(|error| error.to_string())
    };
    match once()? {
        found if found.may_be_starved(fault) => once(),
        found => Ok(found),
    }
}

fn tell(peers: &[Installed], fault: &Fault) -> Vec<(Peer, zoo::Told)> {
    let run = |(peer, version): &Installed| {
        // A server of its own for each: what one peer leaves behind is not the next one's.
        let told = fault
            .seed()
            .and_then(|seeded| peer.run(fault, &seeded, version.is_some()));
        (
            *peer,
            told.unwrap_or(zoo::Told::CannotExpress("its server could not be started")),
        )
    };
    peers.iter().map(run).collect()
}

fn header(linkdial: Option<&Path>, peers: &[Installed]) -> Result<Header, Box<dyn Error>> {
    let mut versions = Vec::new();
    if let Some(program) = linkdial {
        let output = Command::new(program)
            .arg("--version")
            .env_clear()
            .output()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        // The folder that cargo puts it into; a release is faster.
        let slow = program.components().any(|part| part.as_os_str() == "debug");
        versions.push(if slow {
            format!("{version} (not optimized)")
        } else {
            version
        });
    }
    versions.extend(peers.iter().map(|(peer, version)| match version {
        Some(version) => version.clone(),
        None => format!("{} is not installed", peer.program()),
    }));
    versions.extend(zoo::servers());
    let cores = std::thread::available_parallelism()?;
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let system = system.unwrap_or(std::env::consts::OS).trim_matches('"');
    Ok(Header {
        date: zoo::today(),
        machine: format!("{cores} cores, {system}, loopback"),
        versions,
    })
}

/// Returns whether a name fits a pattern, in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else {
        return true;
    };
    for part in middle {
        match name.split_once(part) {
            Some((_, behind)) => name = behind,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [
            ("*", "s3-a"),
            ("s3-*", "s3-a"),
            ("*-a", "s3-a"),
            ("s*-*a", "s3-b-a"),
        ] {
            assert!(fits(pattern, name), "{pattern}");
        }
        for (pattern, name) in [("s3", "s3-a"), ("*-b", "s3-a"), ("s3*b*", "s3-a")] {
            assert!(!fits(pattern, name), "{pattern}");
        }
    }
}
