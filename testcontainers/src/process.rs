//! Servers as processes of this machine, and the ports that they get.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::shell::{release, shell};
use crate::{Error, Scratch, ready};

/// Starts the server and kills it when standard input ends, which it does however this process
/// ends. The shell ignores Ctrl-C, or the server would outlive it; neither may it end because
/// nobody reads the server's number any more. Descriptor 3 tells this process that the server has
/// ended.
const GUARD: &str = r#"
trap '' INT HUP QUIT TERM
trap : PIPE
log=$1; shift
"$@" 3>&1 >"$log" 2>&1 </dev/null &
pid=$!
echo "$pid"
exec >&-
read -r _
kill -KILL "$pid"
wait
"#;

/// Where the shells of this crate look for programs.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of a log is shown.
const TAIL: usize = 2000;

/// How a taken port is told of, in lower case.
const TAKEN: [&str; 3] = [
    // The system's words, which Go, Java, Node.js, Python, nginx and Docker repeat.
    "address already in use",
    // Docker.
    "port is already allocated",
    // MinIO.
    "specified port is already in use",
];

/// A server that runs as a process and cannot outlive this one.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    guard: Child,
    pid: u32,
    ended: Arc<AtomicBool>,
    log: PathBuf,
}

impl Process {
    /// Starts `command` (its program, arguments and variables) with an otherwise empty environment.
    pub(crate) fn start(name: &str, folder: &Scratch, command: &Command) -> Result<Self, Error> {
        let log = folder.path().join("server.log");
        let mut guard = shell(GUARD);
        guard
            .arg(&log)
            .arg(command.get_program())
            .args(command.get_args());
        guard
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", folder.path());
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                guard.env(key, value);
            }
        }
        let guard = guard.stdout(Stdio::piped()).spawn();
        let mut guard = guard.map_err(Error::io("start sh"))?;

        let output = guard.stdout.take().expect("the pipe was asked for");
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output
            .read_line(&mut line)
            .map_err(Error::io("read from sh"))?;
        let pid = line.trim().parse().map_err(std::io::Error::other);
        let pid = pid.map_err(Error::io(format!("start {name}")))?;
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        std::thread::spawn(move || {
            // Nothing is ever written; the end of the pipe is the message.
            drop(output.read_to_end(&mut Vec::new()));
            flag.store(true, Ordering::SeqCst);
        });
        Ok(Self {
            name: name.to_owned(),
            guard,
            pid,
            ended,
            log,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn has_ended_within(&self, limit: Duration) -> bool {
        let begin = Instant::now();
        while !self.ended.load(Ordering::SeqCst) {
            if begin.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Asks `ready` until it agrees, the server ends or the time is over.
    pub(crate) fn wait(
        &self,
        limit: Duration,
        ready: impl FnMut() -> Result<(), String>,
    ) -> Result<(), Error> {
        ready::wait(&self.name, limit, &self.ended, || tail(&self.log), ready)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard ends as soon as the kernel has taken the server away.
        release(&mut self.guard);
        // Somebody may have killed the guard. The open pipe says that the number is still the
        // server's; its end is seen on another thread.
        if !self.has_ended_within(Duration::from_millis(100)) {
            let mut kill = Command::new("sh");
            kill.args(["-c", r#"kill -KILL "$1""#, "sh", &self.pid.to_string()]);
            // Where it fails the server ended at this moment.
            drop(kill.stderr(Stdio::null()).status());
            self.has_ended_within(Duration::from_secs(5));
        }
    }
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let begin = bytes.len().saturating_sub(TAIL);
    String::from_utf8_lossy(&bytes[begin..]).into_owned()
}

/// Calls `start` with a port of 127.0.0.1 that was free a moment ago: see [`with_ports`].
pub(crate) fn with_port<T>(start: impl Fn(u16) -> Result<T, Error>) -> Result<T, Error> {
    with_ports(1, |ports| start(ports[0]))
}

/// Calls `start` with so many ports of 127.0.0.1 that were free a moment ago, and again with
/// others when somebody else took one in between.
pub(crate) fn with_ports<T>(
    count: usize,
    start: impl Fn(&[u16]) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut attempts = 3;
    loop {
        attempts -= 1;
        match start(&free_ports(count)?) {
            Err(error) if attempts > 0 && is_taken(&error) => {}
            other => return other,
        }
    }
}

/// Ports of 127.0.0.1 that were free a moment ago, none of them twice in a process.
fn free_ports(count: usize) -> Result<Vec<u16>, Error> {
    // Servers that start at the same time would take each other's answers for their own.
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let failed = || Error::io("find a port");
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // All are held until the last one is known.
    let mut held = Vec::new();
    let mut ports = Vec::new();
    while ports.len() < count {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed())?;
        let port = listener.local_addr().map_err(failed())?.port();
        held.push(listener);
        if given.insert(port) {
            ports.push(port);
        }
    }
    Ok(ports)
}

/// Returns whether a start has failed because somebody else has the port.
///
/// A server that found its port taken ends at once. One that is only slow has no need of another
/// port, whatever its log says.
fn is_taken(error: &Error) -> bool {
    let words = match error {
        Error::NotReady { reason, log, .. } if reason == ready::ENDED => log,
        Error::Container { reason, .. } => reason,
        _ => return false,
    };
    let words = words.to_lowercase();
    TAKEN.iter().any(|phrase| words.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_ready(reason: &str, log: &str) -> Error {
        Error::NotReady {
            server: "x".to_owned(),
            after: Duration::ZERO,
            reason: reason.to_owned(),
            log: log.to_owned(),
        }
    }

    #[test]
    fn taken_port_is_known_by_each_servers_words() {
        for log in [
            "FATAL Unable to start the server: Specified port is already in use\n",
            "Exit due to unhandled error: listen EADDRINUSE: address already in use 127.0.0.1:9\n",
            "Socket server failed to bind to 127.0.0.1:9: Address already in use.\n\tat x",
            "[emerg] 1#1: bind() to 127.0.0.1:9 failed (98: Address already in use)\n",
            "Address already in use\nPort 9 is in use by another program.\n",
        ] {
            assert!(is_taken(&not_ready(ready::ENDED, log)), "{log}");
            assert!(!is_taken(&not_ready("/ answers 500", log)), "{log}");
        }
        let refused = |reason: &str| Error::Container {
            doing: "start x".to_owned(),
            reason: reason.to_owned(),
        };
        assert!(is_taken(&refused(
            "Bind for 127.0.0.1:9 failed: port is already allocated"
        )));
        assert!(!is_taken(&refused("the name x is already in use")));
        let log = "the lock is in use, the id already allocated";
        assert!(!is_taken(&not_ready(ready::ENDED, log)));
    }

    #[test]
    fn ports_of_one_start_differ() {
        let ports = free_ports(8).unwrap();
        let different: HashSet<_> = ports.iter().collect();
        assert_eq!(different.len(), 8);
    }

    #[test]
    fn start_is_given_up_after_three_taken_ports() {
        let starts = std::cell::Cell::new(0);
        let error = with_ports(2, |_| {
            starts.set(starts.get() + 1);
            Err::<(), _>(not_ready(ready::ENDED, "address already in use"))
        });
        assert!(error.is_err());
        assert_eq!(starts.get(), 3);
    }
}
