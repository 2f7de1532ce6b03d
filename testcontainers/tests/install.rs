//! An installation that is interrupted leaves no installer behind, and the next one starts afresh.

#![cfg(target_os = "linux")] // looks at processes
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A machine whose only installer is `script`, and an empty cache.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(script: &str) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(machine.path().join("bin")).unwrap();
        machine.set_installer(script);
        machine
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// moto comes by `python3` alone, and runs as a process alone.
    fn set_installer(&self, script: &str) {
        let program = self.path().join("bin/python3");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program that begins with the installation.
    fn install(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
        let path = format!("{}:/usr/bin:/bin", self.path().join("bin").display());
        command
            .args(["up", "moto"])
            .env("PATH", path)
            .env("LINKDIAL_CACHE_DIR", self.path().join("cache"))
            .env("MARK", self.path().join("mark"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// How many attempts have left a folder.
    fn left(&self) -> usize {
        let entries = fs::read_dir(self.path().join("cache/backends")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with(".staging-moto-"))
            .count()
    }
}

fn within<T>(limit: Duration, what: &str, done: impl Fn() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(begin.elapsed() < limit, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs: one that nobody has buried yet does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap();
    !matches!(state.chars().next(), None | Some('Z' | 'X'))
}

#[test]
fn killed_process_takes_its_installer_along() {
    // As `npm`, `mvn` and `go` do, it has a process of its own that does the work.
    let machine =
        Machine::new(r#"sleep 600 & echo "$$ $!" > "$MARK.new"; mv "$MARK.new" "$MARK"; wait"#);
    let mut program = machine.install().spawn().unwrap();
    let installers = within(Duration::from_secs(30), "no installer was started", || {
        fs::read_to_string(machine.path().join("mark")).ok()
    });
    let installers: Vec<_> = installers.split_whitespace().collect();
    assert!(installers.len() == 2 && installers.iter().all(|pid| runs(pid)));
    program.kill().unwrap();
    program.wait().unwrap();
    within(Duration::from_secs(10), "an installer runs on", || {
        (!installers.iter().any(|pid| runs(pid))).then_some(())
    });
    assert_eq!(machine.left(), 1);

    machine.set_installer("exit 1");
    assert!(!machine.install().status().unwrap().success());
    assert_eq!(machine.left(), 0);
}
