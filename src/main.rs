//! The `linkdial` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    linkdial::cli::main()
}
