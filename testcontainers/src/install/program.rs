//! Programs that run to their end and say little.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::Error;

/// How much of a failed program's words is shown.
const LINES: usize = 20;

/// Runs a program to its end, however long that takes.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), Error> {
    output(what, Duration::MAX, command).map(drop)
}

/// Runs a program to its end, but no longer than this, and returns what it wrote to standard
/// output.
pub(crate) fn output(what: &str, limit: Duration, command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String| Error::Install {
        what: what.to_owned(),
        reason,
    };
    let begin = Instant::now();
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("{program}: {error}")))?;
    let pipes = [read(child.stdout.take()), read(child.stderr.take())];
    let left = || limit.saturating_sub(begin.elapsed());
    let words = pipes.map(|pipe| pipe.recv_timeout(left()));
    // A program may close its output long before it ends.
    let mut status = child.try_wait();
    while matches!(status, Ok(None)) && !left().is_zero() {
        std::thread::sleep(Duration::from_millis(1));
        status = child.try_wait();
    }
    let [Ok(output), Ok(errors)] = words else {
        return Err(failed(end(&mut child, &program, limit)));
    };
    match status.map_err(|error| failed(format!("{program}: {error}")))? {
        Some(status) if status.success() => Ok(String::from_utf8_lossy(&output).into_owned()),
        Some(status) => {
            let words = [output, errors].concat();
            let words = String::from_utf8_lossy(&words);
            let lines: Vec<_> = words.lines().collect();
            let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
            Err(failed(format!("{program} ended with {status}\n{tail}")))
        }
        None => Err(failed(end(&mut child, &program, limit))),
    }
}

/// Ends a program that took too long, and says so.
fn end(child: &mut Child, program: &str, limit: Duration) -> String {
    // It may have ended at this very moment.
    drop(child.kill());
    drop(child.wait());
    format!("{program} did not end within {limit:?}")
}

/// Reads a pipe to its end on a thread of its own: both of a program's may be full at once.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before a failure is better than nothing.
            drop(pipe.read_to_end(&mut bytes));
        }
        // Nobody waits for a program that took too long.
        drop(sender.send(bytes));
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_program_tells_its_own_words() {
        let error = run("x", Command::new("sh").args(["-c", "echo why; exit 7"])).unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
        let error = run("x", &mut Command::new("no-such-program")).unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }

    #[test]
    fn output_is_what_the_program_wrote() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo aside >&2; echo word"]);
        assert_eq!(output("x", Duration::MAX, &mut shell).unwrap(), "word\n");
    }

    #[test]
    fn silent_program_is_ended() {
        let limit = Duration::from_millis(100);
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            let begin = Instant::now();
            let error = output("x", limit, Command::new("sh").args(["-c", script])).unwrap_err();
            assert!(error.to_string().contains("within 100ms"), "{error}");
            assert!(begin.elapsed() < Duration::from_secs(10), "{script}");
        }
    }
}
