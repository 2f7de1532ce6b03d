//! A test in Python starts servers with `up` and uses them through the vendors' own clients.

#![cfg(unix)] // the layout of a Python environment
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = include_str!("python/requirements.txt");

/// A Python with the clients of the list, made once for each list.
fn python() -> PathBuf {
    let versions = REQUIREMENTS
        .split_whitespace()
        .collect::<Vec<_>>()
        .join("+");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(versions);
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if !complete.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(Command::new(&python).args(pip).args(REQUIREMENTS.lines()));
        std::fs::write(complete, "").unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{words}");
}

#[test]
fn clients_of_other_languages_reach_the_servers() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/up.py");
    let up = env!("CARGO_BIN_EXE_linkdial-testcontainers");
    run(Command::new(python()).args([script, up]));
}
