//! `linkdial key`.

use super::exit::{Exit, Failure};
use super::registry::{Absent, RegistryArguments, UserArguments, failure};
use super::terminal;
use crate::registry::{Registry, Rotation};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial key rotate
  linkdial key rotate --registry links.db --key-file /etc/linkdial/links.key")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Seal the registry anew under a fresh key, which replaces the old one in the key file
    Rotate(RotateArguments),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial key rotate
  linkdial key rotate --registry links.db

Copies of the registry that are older need the old key: keep a copy of it as long as them.")]
struct RotateArguments {
    #[command(flatten)]
    registry: RegistryArguments,
    #[command(flatten)]
    user: UserArguments,
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Rotate(arguments) => rotate(arguments),
    }
}

fn rotate(arguments: RotateArguments) -> Result<Exit, Failure> {
    let RotateArguments { registry, user } = arguments;
    let user = user.user;
    if user != Registry::ROOT {
        return Err(Failure::Usage(format!(
            "user `{user}` may not rotate the key (sql.not-permitted)\nhint: only root may"
        )));
    }
    let mut opened = registry.open(Absent::Refuse)?;
    let Rotation { links, left } = opened
        .registry
        .rotate_key(&user)
        .map_err(|error| failure(&error))?;
    let links = match links {
        1 => "1 link is".to_owned(),
        links => format!("{links} links are"),
    };
    let key = opened.registry.key_file().display().to_string();
    let key = crate::harmless::harmless(&key);
    terminal::print(|out| writeln!(out, "{links} sealed with the new key in {key}"))?;
    if left > 0 {
        let left = match left {
            1 => "1 damaged definition or target stays".to_owned(),
            left => format!("{left} damaged definitions and targets stay"),
        };
        terminal::warn(&format!(
            "{left} sealed with an older key, which stays in {key} too: `linkdial check` names \
             damaged links, and `CREATE OR REPLACE LINK` makes one anew"
        ));
    }
    Ok(Exit::Good)
}
