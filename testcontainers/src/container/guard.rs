use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

use crate::process::PATH;
use crate::scratch::release;

/// Removes a container when standard input ends, which it does however this process ends. The
/// engine may be making the container at that very moment, hence more than one attempt.
const GUARD: &str = r#"
trap '' INT HUP QUIT TERM
read -r word
[ "$word" = dismissed ] && exit
for _ in 1 2 3 4; do
    if command -v docker; then
        docker -H "$1" rm -f -v "$2"
    elif command -v curl; then
        case $1 in
        unix://*) curl -s -m 10 -X DELETE --unix-socket "${1#unix://}" "http://docker/containers/$2?force=1&v=1" ;;
        *) curl -s -m 10 -X DELETE "http://${1#*://}/containers/$2?force=1&v=1" ;;
        esac
    fi
    sleep 0.5
done
"#;

/// A small shell that outlives this process by the time it takes to remove one container.
///
/// Where there is neither `docker` nor `curl`, the next run's sweep does its work.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    pub(super) fn start(host: &str, container: &str) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "sh", host, container])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Ctrl-C at a terminal reaches every process of the group.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map(Self)
    }

    /// Tells the shell that the container has gone.
    pub(super) fn dismiss(&mut self) {
        if let Some(input) = &mut self.0.stdin {
            // A shell that is not there any more needs no word.
            drop(input.write_all(b"dismissed\n"));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        release(&mut self.0);
    }
}
