//! The command line: arguments, files, signals, exit codes.
//!
//! The only part that reads the environment, writes to standard output or knows a terminal. A
//! subcommand is a thin file; the work is done by the rest of the library.

mod apply;
mod check;
mod client;
mod depth;
mod duration;
mod environment;
mod exit;
mod explain;
mod history;
mod input;
mod key;
mod limits;
mod log;
mod network;
mod output;
mod panics;
mod progress;
mod registry;
mod reporting;
mod shell;
mod signals;
mod slip;
mod sweep;
mod terminal;
mod variables;
mod verify;

use std::ffi::OsString;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use exit::{Exit, Failure};

/// Dials SingleStore connection links with real clients before they are registered
#[derive(Debug, Parser)]
#[command(name = "linkdial", version, after_help = EXAMPLES)]
#[command(
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// The sentence of the help pages.
macro_rules! exit_codes {
    () => {
        "\
Exit codes: 0 nothing failed, 1 a check failed (with --strict also: is unverified, or
there was none), 2 bad usage or a statement that does not parse, 3 linkdial could not
do its work, 130 interrupted."
    };
}
use exit_codes;

const EXAMPLES: &str = concat!(
    "\
Examples:
  linkdial verify links.sql            dial every link of a script
  linkdial verify --offline links.sql  read it, send nothing
  linkdial apply links.sql             register those that pass
  linkdial check                       dial every link of the registry again
  linkdial sweep                       the same every night: what is red, what changed
  linkdial explain tls.unknown-issuer  what a code means and how to mend it

",
    exit_codes!()
);

#[derive(Debug, clap::Args)]
struct Global {
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    color: When,
    /// Write events to standard error, such as `debug` or `linkdial=trace`
    #[arg(long, value_name = "FILTER", global = true, hide = true)]
    log: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Dial every link that a script leaves defined; change nothing
    Verify(Box<verify::Arguments>),
    /// Run statements against the registry; links are dialled before they are registered
    Apply(Box<apply::Arguments>),
    /// Dial links that are registered; change none of them
    Check(Box<check::Arguments>),
    /// Dial all registered links, keep what was found and say what changed
    Sweep(Box<sweep::Arguments>),
    /// Show what past sweeps found, and what changed between them
    History(history::Arguments),
    /// Look after the key that a registry is sealed with
    Key(key::Arguments),
    /// Print the page of a code: what it means, usual causes, how to confirm, how to fix
    Explain(explain::Arguments),
    /// Print a completion script for a shell
    Completions(shell::CompletionArguments),
    /// Print a manual page in troff
    Man(shell::ManArguments),
}

/// Runs the command that the process was started as.
pub fn main() -> ExitCode {
    panics::install();
    let run = || match client::asked(std::env::args_os()) {
        Some(client) => client::run(client),
        None => run_from(std::env::args_os()),
    };
    // The hook has already said so; the code must not be that of a verdict.
    let exit = catch_unwind(run).unwrap_or(Exit::Broken);
    exit.into()
}

/// Returns the command with all its arguments, for completions and manual pages.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run_from(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(mut error) => {
            tip_of_a_file(&mut error);
            slip::mask(&mut error);
            // Nothing is left to say when even this can not be written.
            error.print().ok();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Good
            };
        }
    };
    match execute(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            terminal::complain(&failure.to_string());
            failure.exit()
        }
    }
}

/// A file in the place of the subcommand is most likely a script.
fn tip_of_a_file(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    if word.to_ascii_lowercase().ends_with(".sql") || Path::new(word).is_file() {
        let tip = format!("to dial the links of a script, write `linkdial verify {word}`");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
        error.remove(ContextKind::SuggestedSubcommand);
    }
}

fn execute(cli: Cli) -> Result<Exit, Failure> {
    if let Some(filter) = &cli.global.log {
        log::install(filter)?;
    }
    let color = terminal::color(cli.global.color);
    match cli.command {
        Command::Verify(arguments) => verify::run(*arguments, color),
        Command::Apply(arguments) => apply::run(*arguments, color),
        Command::Check(arguments) => check::run(*arguments, color),
        Command::Sweep(arguments) => sweep::run(*arguments, color),
        Command::History(arguments) => history::run(arguments, color),
        Command::Key(arguments) => key::run(arguments),
        Command::Explain(arguments) => explain::run(&arguments, color),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_make_sense_to_clap() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        let mut command = command();
        command.build();
        for subcommand in command.get_subcommands() {
            let help = subcommand.clone().render_help().to_string();
            assert!(help.contains("Examples:\n"), "{}", subcommand.get_name());
        }
    }
}
