//! Servers end with the program that started them, however that one ends, in both runtimes.

#![cfg(unix)] // signals
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linkdial_testcontainers::Scratch;
use serde_json::Value;

/// `up minio --format json`, running.
struct Up {
    child: Child,
    server: Value,
}

impl Up {
    fn start(prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
        command.args(["up", "minio", "--format", "json"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let server = told["servers"][0].clone();
        assert_eq!(server["name"], "minio", "{told:#}");
        let up = Self { child, server };
        assert!(up.answers(), "{told:#}");
        up
    }

    fn url(&self) -> &str {
        self.server["settings"]["endpoint_url"].as_str().unwrap()
    }

    fn answers(&self) -> bool {
        TcpStream::connect(self.url().strip_prefix("http://").unwrap()).is_ok()
    }

    /// The server's process and the folder of its files, when it is a process.
    fn process(&self) -> Option<(PathBuf, PathBuf)> {
        let whereabouts = self.server["whereabouts"].as_str().unwrap();
        let process = Path::new("/proc").join(whereabouts.strip_prefix("process ")?);
        let line = std::fs::read(process.join("cmdline")).unwrap();
        let mut words = line.split(|byte| *byte == 0).rev();
        let data = words.find(|word| !word.is_empty()).unwrap();
        let data = PathBuf::from(String::from_utf8(data.to_vec()).unwrap());
        let folder = data.parent().unwrap().to_owned();
        assert!(folder.is_dir(), "{}", folder.display());
        Some((process, folder))
    }

    fn assert_gone(&self, process: Option<(PathBuf, PathBuf)>) {
        within(Duration::from_secs(15), "the server answers", || {
            !self.answers()
        });
        let Some((process, folder)) = process else {
            return;
        };
        within(Duration::from_secs(10), "the process is there", || {
            !process.exists()
        });
        within(Duration::from_secs(10), "the folder is there", || {
            !folder.exists()
        });
    }
}

fn within(limit: Duration, otherwise: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < limit, "{otherwise} still");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(process: u32, name: &str) {
    // The shell's own: a bare system has no program of that name.
    let kill = format!("kill -s {name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
}

/// The processes that this one has started and that still run.
fn children(parent: u32) -> Vec<u32> {
    let parent = format!("PPid:\t{parent}\n");
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|entry| {
            let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
            status.contains(&parent).then_some(())?;
            entry.file_name().to_str()?.parse().ok()
        })
        .collect()
}

#[test]
fn killed_program_leaves_nothing() {
    let mut up = Up::start(|_| {});
    let process = up.process();
    signal(up.child.id(), "KILL");
    up.child.wait().unwrap();
    up.assert_gone(process);
}

#[test]
fn interrupted_program_ends_well_and_leaves_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let mut up = Up::start(|_| {});
        let process = up.process();
        signal(up.child.id(), name);
        assert!(up.child.wait().unwrap().success(), "{name}");
        assert!(!up.answers(), "{name}");
        up.assert_gone(process);
    }
}

#[test]
fn program_ends_with_its_standard_input() {
    let mut up = Up::start(|_| {});
    let process = up.process();
    drop(up.child.stdin.take());
    assert!(up.child.wait().unwrap().success());
    up.assert_gone(process);
}

#[cfg(target_os = "linux")]
#[test]
fn ordinary_end_needs_no_guard() {
    let mut up = Up::start(|_| {});
    let process = up.process();
    for guard in children(up.child.id()) {
        signal(guard, "KILL");
    }
    drop(up.child.stdin.take());
    assert!(up.child.wait().unwrap().success());
    assert!(!up.answers());
    // Nobody is left who would remove the folder.
    if let Some((process, _)) = process {
        within(Duration::from_secs(10), "the process is there", || {
            !process.exists()
        });
    }
}

/// What is started with `&` in a script has no standard input to speak of.
#[test]
fn absent_standard_input_is_no_end() {
    let mut up = Up::start(|command| {
        command.stdin(Stdio::null());
    });
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(300) {
        assert!(up.child.try_wait().unwrap().is_none());
        assert!(up.answers());
    }
    signal(up.child.id(), "TERM");
    assert!(up.child.wait().unwrap().success());
}

/// Nothing is left to clean up after a run whose guards were killed too, but the next run.
#[cfg(target_os = "linux")]
#[test]
fn next_run_sweeps_what_a_killed_run_left() {
    let mut first = Up::start(|_| {});
    if first.server["runtime"] == "local" {
        // Only containers outlive their guard in a way that can be told from other people's.
        drop(first.child.stdin.take());
        assert!(first.child.wait().unwrap().success());
        return;
    }
    let guards = children(first.child.id());
    assert!(!guards.is_empty());
    for guard in guards {
        signal(guard, "KILL");
    }
    signal(first.child.id(), "KILL");
    first.child.wait().unwrap();
    assert!(first.answers(), "a container outlives its run");

    let second = Up::start(|_| {});
    assert!(!first.answers(), "the sweep comes before the start");
    assert!(second.answers());
    let third = Up::start(|_| {});
    assert!(second.answers(), "the containers of a living run stay");
    for mut up in [second, third] {
        drop(up.child.stdin.take());
        assert!(up.child.wait().unwrap().success());
        assert!(!up.answers());
    }
}

/// An engine that accepts and never answers costs half a second.
#[test]
fn silent_engine_is_given_up_in_favour_of_a_process() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let engine = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command
        .args(["up", "minio", "--format", "json"])
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .env_remove("LINKDIAL_TEST_RUNTIME")
        .env_remove("LINKDIAL_TEST_RECORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut words = BufReader::new(child.stderr.take().unwrap());
    words.read_line(&mut line).unwrap();
    let after = begin.elapsed();
    assert!(
        line.starts_with("minio runs as a process: no engine at unix://"),
        "{line}"
    );
    assert!(line.contains("no answer within 500ms"), "{line}");
    assert!(after < Duration::from_secs(1), "after {after:?}");
    line.clear();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["servers"][0]["runtime"], "local");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    drop(engine);
}

/// Who insists on containers is told what is missing.
#[test]
fn missing_engine_is_an_error_for_who_insists() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command
        .args(["up", "minio"])
        .env("DOCKER_HOST", "unix:///nowhere/engine.sock")
        .env("LINKDIAL_TEST_RUNTIME", "docker")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut words = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut words)
        .unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(
        words.contains("no engine at unix:///nowhere/engine.sock"),
        "{words}"
    );
}

#[test]
fn people_get_a_script() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command.args(["up", "s3"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let script: Vec<_> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.contains("Ctrl-C"))
        .collect();
    let script = script.join("\n");
    assert!(
        script.contains("CREATE LINK demo AS S3\nCREDENTIALS '{"),
        "{script}"
    );
    assert!(
        script.contains("-- linkdial: target 'demo/orders/'"),
        "{script}"
    );
    signal(child.id(), "INT");
    assert!(child.wait().unwrap().success());
}

#[test]
fn servers_without_links_tell_what_clients_need() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command.args(["up", "kdc", "schema-registry", "--format", "json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let of = |server: usize, key: &str| {
        let settings = &told["servers"][server]["settings"];
        settings[key]
            .as_str()
            .unwrap_or_else(|| panic!("{key}: {told:#}"))
            .to_owned()
    };
    let conf = of(0, "krb5_conf");
    let tickets = Scratch::new("tickets").unwrap();
    let mut kinit = Command::new("kinit");
    kinit.args(["-k", "-t", &of(0, "keytab"), "-c"]);
    kinit
        .arg(tickets.path().join("cache"))
        .arg(of(0, "principal"));
    assert!(kinit.env("KRB5_CONFIG", &conf).status().unwrap().success());
    let address = of(1, "url").replace("http://", "");
    assert_eq!(told["servers"][1]["address"], *address);
    TcpStream::connect(&address).unwrap();
    assert_eq!(
        (of(1, "username"), of(1, "password")),
        ("lab".into(), "lab-secret".into())
    );
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err());
    assert!(!Path::new(&conf).exists());
}

/// Each of these servers has a half of what Google Cloud Storage does.
#[test]
fn servers_in_the_place_of_googles_have_links_of_its_kind() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command.args(["up", "fake-gcs", "minio-gcs", "--format", "json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let [fake, minio] = [0, 1].map(|server| &told["servers"][server]);
    assert_eq!(
        (&fake["name"], &minio["name"]),
        (&"fake-gcs".into(), &"minio-gcs".into())
    );
    let key = &fake["settings"]["service_account_key"];
    assert_eq!(key["type"], "service_account", "{told:#}");
    assert_eq!(minio["settings"]["region"], "auto", "{told:#}");
    let id = minio["settings"]["access_id"].as_str().unwrap();
    for (server, secret) in [(fake, "service_account_key"), (minio, id)] {
        let links = server["links"].as_array().unwrap().iter();
        let links: Vec<_> = links
            .map(|link| link["statement"].as_str().unwrap())
            .collect();
        assert!(
            links.iter().all(|link| link.contains(" AS GCS\n")),
            "{told:#}"
        );
        assert!(links.iter().any(|link| link.contains(secret)), "{told:#}");
        assert!(
            links.iter().any(|link| link.contains("CREDENTIALS '{}'")),
            "{told:#}"
        );
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn closed_standard_output_is_a_failure_without_a_panic() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command.args(["up", "s3"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.starts_with("error: standard output: "), "{words}");
}
