//! Whether a server runs as a container or as a process.

#![expect(
    clippy::disallowed_methods,
    reason = "people force a runtime with a variable"
)]

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::Error;

/// The variable that forces a runtime: `docker` or `local`.
const VARIABLE: &str = "LINKDIAL_TEST_RUNTIME";

/// The variable that names a file; every use of a server that has two runtimes adds a line to it.
const RECORD: &str = "LINKDIAL_TEST_RECORD";

/// How a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Runtime {
    /// As a container of a Docker engine.
    Docker,
    /// As a process of this machine.
    Local,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Local => "local",
        })
    }
}

/// Returns the runtime that the user insists on.
pub(crate) fn forced() -> Result<Option<Runtime>, Error> {
    match std::env::var(VARIABLE).as_deref() {
        Err(std::env::VarError::NotPresent) | Ok("" | "auto") => Ok(None),
        Ok("docker") => Ok(Some(Runtime::Docker)),
        Ok("local") => Ok(Some(Runtime::Local)),
        Ok(other) => Err(Error::Settings {
            variable: VARIABLE,
            reason: format!("it is `{other}`, and takes docker, local or auto"),
        }),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::Settings {
            variable: VARIABLE,
            reason: "it is no text, and takes docker, local or auto".to_owned(),
        }),
    }
}

/// Says once in a process how a server runs, past the capture of a test's output.
pub(crate) fn announce(server: &str, runtime: Runtime, why: &str) {
    static SAID: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let line = format!("{server} runs as a {}: {why}", noun(runtime));
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(line.clone()) {
        say(&line);
    }
}

/// Says a line to people, past the capture of a test's output.
pub(crate) fn say(line: &str) {
    // Without standard error there is nobody to tell.
    drop(std::io::stderr().write_all(format!("{line}\n").as_bytes()));
}

/// Adds a line to the file of uses: server, runtime, program, test, and why it is that runtime.
///
/// A run without its record must not pass for a complete one, so a line that cannot be written is
/// an error.
pub(crate) fn record(server: &str, runtime: Runtime, why: &str) -> Result<(), Error> {
    let Some(file) = std::env::var_os(RECORD).filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let program = std::env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo adds a hash to the name of a test program.
    let program = match program.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => &program,
    };
    // Cargo says which package's tests run.
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("main");
    let line = format!("{server}\t{runtime}\t{package}/{program}\t{test}\t{why}\n");
    let doing = format!("write the record {} of {RECORD}", file.display());
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(Error::io(doing))
}

fn noun(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Docker => "container",
        Runtime::Local => "process",
    }
}
