//! `linkdial completions` and `linkdial man`.

use std::io;

use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::terminal;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial completions bash > ~/.local/share/bash-completion/completions/linkdial
  linkdial completions zsh > ~/.zfunc/_linkdial")]
pub(super) struct CompletionArguments {
    /// The shell
    shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial man > linkdial.1
  linkdial man verify > linkdial-verify.1")]
pub(super) struct ManArguments {
    /// The subcommand whose page is wanted, instead of the overview
    command: Option<String>,
}

pub(super) fn completions(arguments: &CompletionArguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut super::command(),
        "linkdial",
        &mut script,
    );
    terminal::print(|out| out.write_all(&script))?;
    Ok(Exit::Good)
}

pub(super) fn man(arguments: &ManArguments) -> Result<Exit, Failure> {
    let mut command = super::command();
    if let Some(name) = &arguments.command {
        command.build();
        command = command
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::Usage(format!("there is no subcommand `{name}`")))?;
    }
    terminal::print(|out| -> io::Result<()> { clap_mangen::Man::new(command).render(out) })?;
    Ok(Exit::Good)
}
