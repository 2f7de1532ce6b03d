//! A Python with the vendors' own clients.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");

/// Runs a script of `tests/python` that has to succeed, and returns what it says.
pub(crate) fn run_script(script: &str, arguments: &[&str], input: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");
    let mut command = Command::new(python());
    run(
        command.arg(Path::new(folder).join(script)).args(arguments),
        input,
    )
}

/// A Python with the clients of the list, made once for each list.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let versions: Vec<_> = REQUIREMENTS.split_whitespace().collect();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(versions.join("+"));
        let python = folder.join("bin/python");
        let complete = folder.join("complete");
        if !complete.exists() {
            let venv = ["-m", "venv", "--clear"];
            run(Command::new("python3").args(venv).arg(&folder), "");
            let pip = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ];
            let mut install = Command::new(&python);
            run(install.args(pip).args(REQUIREMENTS.lines()), "");
            std::fs::write(complete, "").unwrap();
        }
        python
    })
}

fn run(command: &mut Command, input: &str) -> String {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    // Whoever does not read it has ended, and says why.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{words}");
    String::from_utf8(output.stdout).unwrap()
}
