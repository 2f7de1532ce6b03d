//! The program as a client of one check: started by linkdial itself, for no one else.

use std::ffi::OsString;
use std::io;

use super::exit::Exit;
use super::terminal;
use crate::drivers::{CLIENTS, Client};

/// Returns the client that the arguments ask for.
pub(super) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<Client> {
    let mut arguments = arguments.into_iter().skip(1);
    let word = arguments.next().filter(|_| arguments.next().is_none())?;
    let client = CLIENTS.iter().find(|(known, _)| word == *known)?;
    Some(client.1)
}

/// Takes the order from standard input and answers on standard output.
pub(super) fn run(client: Client) -> Exit {
    match client(io::stdin(), &mut io::stdout()) {
        Ok(()) => Exit::Good,
        Err(error) => {
            terminal::complain(&format!("the client could not do its work: {error}"));
            Exit::Broken
        }
    }
}
