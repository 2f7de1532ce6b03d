#![expect(
    clippy::disallowed_methods,
    reason = "the programs of the guard are on the user's path"
)]
//! A small shell for each container, which removes it when nobody else does.

use std::io::{self, Write as _};
use std::process::Child;

use crate::shell::{release, shell};

/// Reads what becomes of a container, and removes it when the pipe ends, which it does however
/// this process ends. A container that was being made at that moment may appear a little later.
const GUARD: &str = r#"
trap '' INT HUP QUIT TERM
made=
while read -r word; do
    case $word in
    made) made=yes ;;
    removed) exit ;;
    esac
done
limit=
! command -v timeout >/dev/null || limit='timeout 10'
case $1 in
unix://*) socket=${1#unix://} base=http://docker ;;
*) socket= base=http://${1#*://} ;;
esac
remove() {
    removed=$($limit docker -H "$1" rm -f -v "$2" 2>/dev/null) && [ -n "$removed" ] && return
    status=$(curl -s -m 10 -o /dev/null -w '%{http_code}' -X DELETE ${socket:+--unix-socket "$socket"} "$base/containers/$2?force=1&v=1")
    [ "$status" = 204 ] || { [ "$status" = 404 ] && [ -n "$made" ]; }
}
for _ in 1 2 3 4 5 6; do
    remove "$1" "$2" && exit
    sleep 0.5
done
"#;

/// The shell; it outlives this process by the time it takes to remove one container.
///
/// Where there is neither `docker` nor `curl`, the next run's sweep does its work.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    pub(super) fn start(host: &str, container: &str) -> io::Result<Self> {
        // The command line knows no other name for it.
        let host = host.replace("http://", "tcp://");
        let mut command = shell(GUARD);
        command
            .args([&host, container])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.spawn().map(Self)
    }

    /// Tells the shell that the container is there, so that it is gone when it is not found.
    pub(super) fn made(&mut self) {
        self.tell("made\n");
    }

    /// Tells the shell that there is nothing left to do.
    pub(super) fn removed(&mut self) {
        self.tell("removed\n");
    }

    fn tell(&mut self, word: &str) {
        if let Some(input) = &mut self.0.stdin {
            // A shell that is not there any more needs no word.
            drop(input.write_all(word.as_bytes()));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        release(&mut self.0);
    }
}
