//! Small shells that do a last piece of work when this process has ended, however it did.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Returns a shell that holds the other end of a pipe to this process; the arguments that follow
/// are its own.
///
/// It says nothing and belongs to no terminal: Ctrl-C reaches every process of a group.
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Ends the pipe that a shell waits on and gives the shell a moment to do its work.
///
/// Nothing but a kernel that does not let go of a process makes it take longer.
pub(crate) fn release(shell: &mut Child) {
    drop(shell.stdin.take());
    let begin = Instant::now();
    while matches!(shell.try_wait(), Ok(None)) && begin.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
}
