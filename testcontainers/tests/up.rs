//! Servers end with the program that started them, however that one ends.

#![cfg(target_os = "linux")] // looks for processes below /proc
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts `up minio` and waits for its last line: the script, and the process it names.
fn up() -> (Child, String, PathBuf) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    let mut child = command
        .args(["up", "minio"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let script: Vec<_> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.contains("stays until"))
        .collect();
    let script = script.join("\n");
    let process = script.lines().next().unwrap().rsplit(' ').next().unwrap();
    let process = PathBuf::from("/proc").join(process);
    assert!(process.join("exe").exists(), "{script}");
    (child, script, process)
}

fn signal(child: &Child, name: &str) {
    // The shell's own: a bare system has no program of that name.
    let kill = format!("kill -s {name} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

fn assert_gone(path: &std::path::Path) {
    let begin = Instant::now();
    while path.exists() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{} is still there",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The server's folder, from its own command line.
fn folder(process: &std::path::Path) -> PathBuf {
    let line = std::fs::read(process.join("cmdline")).unwrap();
    let last = line
        .split(|byte| *byte == 0)
        .rfind(|part| !part.is_empty())
        .unwrap();
    PathBuf::from(String::from_utf8(last.to_vec()).unwrap())
        .parent()
        .unwrap()
        .to_owned()
}

#[test]
fn killed_program_leaves_nothing() {
    let (mut child, _, process) = up();
    let folder = folder(&process);
    assert!(folder.is_dir());
    signal(&child, "KILL");
    child.wait().unwrap();
    assert_gone(&process);
    assert_gone(&folder);
}

#[test]
fn interrupted_program_ends_well_and_leaves_nothing() {
    for name in ["INT", "TERM"] {
        let (mut child, script, process) = up();
        let folder = folder(&process);
        assert!(script.contains("CREATE LINK readonly AS S3"), "{script}");
        assert!(
            script.contains("-- linkdial: target 'private/team'"),
            "{script}"
        );
        signal(&child, name);
        assert!(child.wait().unwrap().success(), "{name}");
        assert!(!process.exists(), "{name}");
        assert!(!folder.exists(), "{name}");
    }
}
