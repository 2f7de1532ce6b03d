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
  linkdial man verify > linkdial-verify.1
  linkdial man key rotate > linkdial-key-rotate.1")]
pub(super) struct ManArguments {
    /// The subcommand whose page is wanted, instead of the overview
    command: Vec<String>,
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
    command.build();
    for name in &arguments.command {
        command = command
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::Usage(format!("there is no subcommand `{name}`")))?;
    }
    // A page of a subcommand would name that as the program at its foot.
    let page =
        clap_mangen::Man::new(command).source(concat!("linkdial ", env!("CARGO_PKG_VERSION")));
    terminal::print(|out| -> io::Result<()> { page.render(out) })?;
    Ok(Exit::Good)
}
