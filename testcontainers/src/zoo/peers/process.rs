use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::leaks;
use super::{LIMIT, Told};
use crate::{Error, Scratch};

/// How much of what a peer says is shown.
const SHOWN: usize = 120;

/// How much of it is read.
const READ: u64 = 64 * 1024;

/// Runs a command until it ends or the time is over.
pub(super) fn watch(
    mut command: Command,
    input: &str,
    folder: &Scratch,
    secrets: &[String],
) -> Result<Told, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.current_dir(folder.path());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().map_err(Error::io(format!("run {name}")))?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that reads nothing may have ended already.
        drop(pipe.write_all(input.as_bytes()));
    }
    let error = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || text_of(pipe)));
    let output = child
        .stdout
        .take()
        .map(|pipe| thread::spawn(move || text_of(pipe)));
    let ended = wait(&mut child).map_err(Error::io(format!("wait for {name}")))?;
    let elapsed = begin.elapsed();
    let texts = [error, output].into_iter().flatten();
    let texts = texts.map(|reader| reader.join().unwrap_or_default());
    let said: Vec<String> = texts.map(|text| first_line(&text, secrets)).collect();
    let mut said = said
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty());
    // curl has its own words beside those of the service.
    let said = if name == "curl" {
        said.collect::<Vec<_>>().join("; ")
    } else {
        said.next().unwrap_or_default().to_owned()
    };
    Ok(match ended {
        Some(success) => Told::Ran {
            said,
            elapsed,
            success,
        },
        None => Told::Endless(said),
    })
}

fn text_of(pipe: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    // What was read before a fault is what it said.
    drop(pipe.take(READ).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns whether it ended with success; `None` where it had to be killed.
fn wait(child: &mut Child) -> std::io::Result<Option<bool>> {
    let begin = Instant::now();
    // A moment beyond the limit, for one that keeps to it by itself.
    while begin.elapsed() < LIMIT + Duration::from_millis(500) {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// The first line that says something, without the time that some put in front, cut, harmless.
fn first_line(text: &str, secrets: &[String]) -> String {
    let lines = text.lines().map(without_time).map(str::trim);
    let mut lines = lines
        .filter(|line| !line.is_empty() && !line.contains("NOTICE") && !line.starts_with("<?xml"));
    let line = lines.next().unwrap_or_default();
    if secrets.iter().any(|secret| !leaks(line, secret).is_empty()) {
        return "(it shows a secret of the fault)".to_owned();
    }
    let plain = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = plain.take(SHOWN).collect();
    if line.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// `2026/01/31 12:00:00 ERROR : ...` and `%3|1700000000.123|FAIL|rdkafka#producer-1| [thrd:...]: ...`
fn without_time(line: &str) -> &str {
    if line.starts_with("20") && line.get(4..5) == Some("/") {
        return line.get(20..).unwrap_or(line);
    }
    match line
        .strip_prefix('%')
        .and_then(|rest| rest.split_once("]: "))
    {
        Some((_, rest)) => rest,
        None => line,
    }
}
