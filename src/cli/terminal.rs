//! The one door to standard output and standard error.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::exit::Failure;
use super::{When, environment};
use crate::harmless::harmless;

/// Returns whether what goes to standard output may hold colours.
pub(super) fn color(when: When) -> bool {
    match when {
        When::Always => true,
        When::Auto => io::stdout().is_terminal() && !environment::refuses_color(),
        When::Never => false,
    }
}

/// Says on standard error why there is nothing on standard output.
pub(super) fn complain(text: &str) {
    // Nothing is left to say when even this can not be written.
    writeln!(io::stderr().lock(), "error: {}", lines(text)).ok();
}

/// Says on standard error what deserves a look and stops nothing.
pub(super) fn warn(text: &str) {
    // As above.
    writeln!(io::stderr().lock(), "warning: {}", lines(text)).ok();
}

/// Says on standard error how far the work is.
pub(super) fn note(text: &str) {
    // As above.
    writeln!(io::stderr().lock(), "linkdial: {}", lines(text)).ok();
}

/// Makes each line harmless: a file's name may hold anything.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    lines.join("\n")
}

/// Standard output while work goes on: a failure is remembered and stops nothing else.
pub(super) struct Stream {
    out: BufWriter<io::Stdout>,
    failure: Option<io::Error>,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            out: BufWriter::new(io::stdout()),
            failure: None,
        }
    }

    /// Writes, unless something could not be written before.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.failure.is_none() {
            self.failure = write(&mut self.out).err();
        }
    }

    /// Shows what was written so far.
    pub(super) fn flush(&mut self) {
        self.write(|out| out.flush());
    }

    /// Returns whether somebody still reads.
    pub(super) fn is_open(&self) -> bool {
        self.failure.is_none()
    }

    /// Writes the rest. A reader that has gone away, as `head` does, is no failure.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.flush();
        // What could not be written once is not tried again on drop.
        let (_, _) = self.out.into_parts();
        match self.failure {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
            Some(_) | None => Ok(()),
        }
    }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::Broken(format!("cannot write to standard output: {error}"))
}

/// Writes data to standard output. A reader that has gone away, as `head` does, is no failure.
pub(super) fn print<E: Into<io::Error>>(
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let result = write(&mut out)
        .map_err(Into::into)
        .and_then(|()| out.flush());
    // What could not be written once is not tried again on drop.
    let (_, _) = out.into_parts();
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
