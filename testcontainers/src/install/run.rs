//! Installers as processes that end with this one.

use std::process::{Command, Output, Stdio};

use crate::Error;

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

/// What a shell says of a program that is not there, or is none.
const NO_PROGRAM: [i32; 2] = [126, 127];

/// Runs an installer to its end; an error has the end of its own words.
pub(crate) fn run(what: &str, command: &Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy();
    let output = guarded(command).map_err(Error::io(format!("run {program}")))?;
    if output.status.success() {
        return Ok(());
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

fn guarded(command: &Command) -> std::io::Result<Output> {
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARD, "sh"]);
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
    guard
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut guard, 0);
    let mut guard = guard.spawn()?;
    // To wait for a child closes its input, which would be the end of the installer.
    let pipe = guard.stdin.take();
    let output = guard.wait_with_output();
    drop(pipe);
    output
}

#[cfg(test)]
mod tests {
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
}
