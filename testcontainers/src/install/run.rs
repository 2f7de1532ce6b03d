//! Installers as processes that end with this one.

use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::Error;
use crate::shell::shell;

/// Runs the installer and kills it, with all that it has started, when standard input ends, which
/// it does however this process ends. All of them share the process group of the shell.
const GUARD: &str = r#"
exec 3<&0 </dev/null
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
"$@" 3<&-
status=$?
kill -KILL $!
exit $status
"#;

/// How long a program may take to go when it is killed.
const KILL: Duration = Duration::from_secs(10);

/// What a shell says of a program that is not there, or is none.
const NO_PROGRAM: [i32; 2] = [126, 127];

/// Runs an installer to its end; an error has the end of its own words.
pub(crate) fn run(what: &str, command: &Command) -> Result<(), Error> {
    output(what, Duration::MAX, command).map(drop)
}

/// The same for any program, but no longer than this. Returns what it wrote to standard output.
pub(crate) fn output(what: &str, limit: Duration, command: &Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy();
    let output = guarded(command, limit).map_err(Error::io(format!("run {program}")))?;
    let Some(output) = output else {
        return Err(Error::Install {
            what: what.to_owned(),
            reason: format!("{program} did not end within {limit:?}"),
        });
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let tail: Vec<_> = words.lines().rev().take(20).collect();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
    let reason = match output.status.code() {
        Some(code) if NO_PROGRAM.contains(&code) => format!("{program}: {tail}"),
        _ => format!("{program} ended with {}\n{tail}", output.status),
    };
    Err(Error::Install {
        what: what.to_owned(),
        reason,
    })
}

/// Returns nothing when the time was over before the program.
fn guarded(command: &Command, limit: Duration) -> std::io::Result<Option<Output>> {
    let mut guard = shell(GUARD);
    guard.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        guard.current_dir(folder);
    }
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => guard.env(key, value),
            None => guard.env_remove(key),
        };
    }
    guard.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guard = guard.spawn()?;
    // To wait for a child closes its input, which would be the end of the installer.
    let pipe = guard.stdin.take();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody waits for a program that does not even end when it is killed.
        drop(sender.send(guard.wait_with_output()));
    });
    let output = receiver.recv_timeout(limit);
    drop(pipe);
    if let Ok(output) = output {
        output.map(Some)
    } else {
        drop(receiver.recv_timeout(KILL));
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn failed_installer_tells_its_own_words() {
        let error = run("x", &shell("echo why; exit 7")).unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
        assert!(error.to_string().contains("status: 7"), "{error}");
        let error = run("x", &Command::new("no-such-program")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot install x: no-such-program: "),
            "{error}"
        );
    }

    #[test]
    fn installer_gets_its_folder_and_variables() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = shell(r#"[ "$MARK" = "a b" ] && [ -n "$PATH" ] && echo x > made"#);
        run("x", command.env("MARK", "a b").current_dir(folder.path())).unwrap();
        assert!(folder.path().join("made").is_file());
    }

    #[test]
    fn installer_has_no_input() {
        run("x", &shell("! read -r _")).unwrap();
    }

    #[test]
    fn output_is_what_the_program_wrote() {
        let text = output("x", Duration::MAX, &shell("echo aside >&2; echo word")).unwrap();
        assert_eq!(text, "word\n");
    }

    #[test]
    fn silent_program_is_ended() {
        let limit = Duration::from_millis(100);
        for script in ["sleep 60", "exec >&- 2>&-; sleep 60"] {
            let begin = Instant::now();
            let error = output("x", limit, &shell(script)).unwrap_err();
            assert!(error.to_string().contains("within 100ms"), "{error}");
            assert!(begin.elapsed() < KILL, "{script}");
        }
    }
}
