//! Test servers for people: `up` keeps one running, `demo` shows linkdial at work.

mod demo;
#[cfg(feature = "containers")]
mod images;
mod up;

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

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a server, prints its CREATE LINK statements and stays until Ctrl-C
    Up {
        /// Which server
        backend: up::Backend,
    },
    /// Verifies a script of good and broken links with the real linkdial
    Demo {
        /// The linkdial program; without it, the one beside this program
        #[arg(long, value_name = "PATH")]
        linkdial: Option<PathBuf>,
    },
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
        Command::Up { backend } => up::run(backend),
        Command::Demo { linkdial } => demo::run(linkdial),
        #[cfg(feature = "containers")]
        Command::Images { list } => images::run(list),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place that reports a failure")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
