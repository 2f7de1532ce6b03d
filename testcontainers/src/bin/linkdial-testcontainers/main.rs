//! Test servers for people: `up` keeps one running, `demo` shows linkdial at work.

mod demo;
mod describe;
#[cfg(feature = "containers")]
mod images;
mod measure;
mod up;
mod zoo;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Servers on loopback to try linkdial against.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const UP_HELP: &str = "\
Examples:
  linkdial-testcontainers up minio
      a script for `linkdial verify`, until Ctrl-C
  linkdial-testcontainers up minio --format json
      for a test in any language: read one line, close standard input at the end
  linkdial-testcontainers up minio azurite kafka
      three servers at once

Servers run as containers where a Docker engine has or fetches their images, else as processes.
LINKDIAL_TEST_RUNTIME=docker or =local insists on one.";

const ZOO_HELP: &str = "\
Examples:
  linkdial-testcontainers zoo
      every fault, with the linkdial beside this program
  linkdial-testcontainers zoo --kind s3 --name '*-expired'
      some of them
  linkdial-testcontainers zoo --tool linkdial,curl,rclone,s5cmd,kcat,aws --format markdown
      the page docs/fault-zoo.md, with other tools beside it";

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts servers, prints their CREATE LINK statements and stays until Ctrl-C
    #[command(after_help = UP_HELP)]
    Up {
        /// Which servers
        #[arg(required = true)]
        backends: Vec<up::Backend>,
        /// For whom: `json` is one line, printed when all servers are ready
        #[arg(long, value_enum, default_value = "human")]
        format: up::Format,
    },
    /// Prints how long servers take to start, and their memory (on Linux)
    Measure {
        /// Which servers
        #[arg(required = true)]
        backends: Vec<up::Backend>,
    },
    /// Verifies a script of good and broken links with the real linkdial
    Demo {
        /// The linkdial program; without it, the one beside this program
        #[arg(long, value_name = "PATH")]
        linkdial: Option<PathBuf>,
    },
    /// Holds linkdial and other tools against every fault of the zoo
    ///
    /// Fails when linkdial says something else than is expected, is late, or shows a secret.
    #[command(after_help = ZOO_HELP)]
    Zoo(zoo::Arguments),
    /// Builds the images of the servers where no registry offers them
    #[cfg(feature = "containers")]
    Images {
        /// Only tells what is there: server, image, and vendor, local, outdated or absent
        #[arg(long)]
        list: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up { backends, format } => up::run(backends, format),
        Command::Measure { backends } => measure::run(&backends),
        Command::Demo { linkdial } => demo::run(linkdial),
        Command::Zoo(arguments) => zoo::run(&arguments),
        #[cfg(feature = "containers")]
        Command::Images { list } => images::run(list),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is nobody to tell.
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}
