//! One run of the binary, with what it took.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a stage may take by default, and what a machine adds.
const STAGE: Duration = Duration::from_millis(5_000 + 100);
/// The same of a check: it has half a second to put its record together before it is ended.
const CHECK: Duration = Duration::from_millis(30_000 + 500);

/// No run of these tests holds more, in KiB; a debug build with a check of each kind takes a third.
const MEMORY: u64 = 192 * 1024;

/// A run that has ended.
pub(crate) struct Ran {
    pub(crate) report: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    elapsed: Duration,
    /// The most that the program held, and the most that one of its client processes did.
    memory: [u64; 2],
}

impl Ran {
    pub(crate) fn checks(&self) -> &[Value] {
        self.report["checks"].as_array().unwrap()
    }

    /// The check of a link.
    pub(crate) fn check(&self, link: &str) -> &Value {
        let mut checks = self.checks().iter();
        let found = checks.find(|check| check["link"] == link);
        found.unwrap_or_else(|| panic!("no check of {link}: {:#}", self.report))
    }

    pub(crate) fn code(&self, link: &str) -> &str {
        self.check(link)["code"].as_str().unwrap_or_default()
    }

    /// Holds the run to the default limits, and says what was measured.
    pub(crate) fn within_limits(&self, what: &str) {
        let mut late = self.late();
        let longest = self
            .checks()
            .iter()
            .map(|check| millis(&check["elapsed_ms"]));
        let longest = longest.fold(0.0, f64::max);
        println!(
            "hardening: {what}: {} checks, longest {longest:.0} ms, run {:.1} s, peak {} MiB, client {} MiB",
            self.checks().len(),
            self.elapsed.as_secs_f64(),
            self.memory[0] / 1024,
            self.memory[1] / 1024,
        );
        if self.memory[0] > MEMORY {
            late.push(format!("it held {} KiB", self.memory[0]));
        }
        assert!(late.is_empty(), "{what}: {}", late.join("; "));
    }

    /// What took longer than it may.
    fn late(&self) -> Vec<String> {
        let mut late = Vec::new();
        for check in self.checks() {
            let whole = millis(&check["elapsed_ms"]);
            if whole > CHECK.as_secs_f64() * 1e3 {
                late.push(format!("{} took {whole} ms", check["link"]));
            }
            for step in check["steps"].as_array().unwrap() {
                let took = millis(&step["elapsed_ms"]);
                if took > STAGE.as_secs_f64() * 1e3 {
                    let stage = &step["stage"];
                    late.push(format!("{} {stage} took {took} ms", check["link"]));
                }
            }
        }
        late
    }
}

fn millis(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Verifies a script. A run that was late is repeated once: other work of the machine is no fault.
pub(crate) fn verify(arguments: &[&str], script: &str) -> Ran {
    let first = once(arguments, script);
    if first.late().is_empty() {
        return first;
    }
    println!("hardening: late: {}: once more", first.late().join("; "));
    once(arguments, script)
}

fn once(arguments: &[&str], script: &str) -> Ran {
    let ran = run(
        &[&["verify", "--format", "json"], arguments].concat(),
        script,
    );
    let report = serde_json::from_str(&ran.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    Ran { report, ..ran }
}

/// Runs a command with a script as its file, with an empty environment, and watches it.
pub(crate) fn run(arguments: &[&str], script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("links.sql"), script).unwrap();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .env_clear()
        .args(arguments)
        .arg(path("links.sql"))
        .stdin(Stdio::null())
        .stdout(File::create(path("stdout")).unwrap())
        .stderr(File::create(path("stderr")).unwrap())
        .spawn()
        .unwrap();
    let (status, memory) = watch(&mut child);
    let text = |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
    let ran = Ran {
        report: Value::Null,
        elapsed: started.elapsed(),
        stdout: text("stdout"),
        stderr: text("stderr"),
        memory,
    };
    // A program that was killed or has panicked says nothing of its own.
    assert!(
        matches!(status.code(), Some(0..=2)),
        "{status}: {}",
        ran.stderr
    );
    ran
}

/// Waits, and returns the most that the program and its own children held, in KiB. The system keeps
/// the highest mark of each, so that seldom looks see short peaks too.
fn watch(child: &mut Child) -> (ExitStatus, [u64; 2]) {
    let deadline = Instant::now() + Duration::from_mins(2);
    let mut memory = [0; 2];
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, memory);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the program does not end");
        }
        memory[0] = memory[0].max(peak(child.id()));
        for client in children(child.id()) {
            memory[1] = memory[1].max(peak(client));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn peak(process: u32) -> u64 {
    // It may have ended just now.
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|it| it.parse().ok()).unwrap_or_default()
}

fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            let numbers = list.split_whitespace().filter_map(|it| it.parse().ok());
            numbers.collect::<Vec<_>>()
        })
        .collect()
}
