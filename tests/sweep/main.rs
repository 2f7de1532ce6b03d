//! Nights in the life of a registry: what a sweep finds, keeps and says.
//!
//! `LINKDIAL_SOAK` makes the loops five times as long.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../chance/mod.rs"]
mod chance;
mod faults;
mod history;
mod kills;
mod network;
mod red;
mod signals;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a registry.
struct Registered(TempDir);

impl Registered {
    /// A registry with these links; they have to pass.
    fn with(script: &str) -> Self {
        let registered = Self(TempDir::new().unwrap());
        let output = registered.apply(script, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        registered
    }

    /// A registry with these links, whatever their dials come to.
    fn deferred(script: &str) -> Self {
        let registered = Self(TempDir::new().unwrap());
        let output = registered.apply(script, &["--defer"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        registered
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn registry(&self) -> PathBuf {
        self.path("links.db")
    }

    fn apply(&self, script: &str, options: &[&str]) -> Output {
        let file = self.path("links.sql");
        fs::write(&file, script).unwrap();
        let mut command = self.command("apply", options);
        command.arg(file).output().unwrap()
    }

    /// A command on the registry; nothing of the machine that runs the tests may reach it.
    fn command(&self, command: &str, options: &[&str]) -> Command {
        let mut linkdial = Command::new(env!("CARGO_BIN_EXE_linkdial"));
        linkdial
            .env_clear()
            .arg(command)
            .arg("--registry")
            .arg(self.registry())
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        linkdial
    }

    /// Sweeps, and returns the report.
    fn sweep(&self, options: &[&str]) -> Swept {
        let options = [&["--format", "json"], options].concat();
        let output = self.command("sweep", &options).output().unwrap();
        Swept::of(&output)
    }

    fn history(&self, options: &[&str]) -> Value {
        let options = [options, &["--format", "json"]].concat();
        let output = self.command("history", &options).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        valid("history", &output.stdout)
    }

    /// The sweeps that the history knows, the newest first, as number and state.
    fn sweeps(&self) -> Vec<(u64, String)> {
        let document = self.history(&[]);
        let sweeps = document["sweeps"].as_array().unwrap().iter();
        sweeps
            .map(|sweep| {
                let state = sweep["state"].as_str().unwrap().to_owned();
                (sweep["number"].as_u64().unwrap(), state)
            })
            .collect()
    }
}

/// What a sweep said.
struct Swept {
    code: Option<i32>,
    report: Value,
    stderr: String,
}

impl Swept {
    fn of(output: &Output) -> Self {
        let report = match output.stdout.as_slice() {
            [] => Value::Null,
            text => valid("report", text),
        };
        Self {
            code: output.status.code(),
            report,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{:#}", self.stderr, self.report);
        self
    }

    /// The checks as link, verdict and code.
    fn verdicts(&self) -> Vec<String> {
        let checks = self.report["checks"].as_array().unwrap().iter();
        let line = |check: &Value| {
            let code = check["code"].as_str().unwrap_or("-");
            format!(
                "{} {} {code}",
                word(&check["link"]),
                word(&check["verdict"])
            )
        };
        checks.map(line).collect()
    }

    fn night(&self) -> &Value {
        &self.report["sweep"]
    }

    /// The changes as kind, link, what was and what is; not that it took longer, which the machine
    /// of the tests may be guilty of.
    fn changes(&self) -> Vec<String> {
        let mut changes = changes(&self.night()["changes"]);
        changes.retain(|change| !change.starts_with("slower: "));
        changes
    }
}

fn changes(changes: &Value) -> Vec<String> {
    let changes = changes.as_array().unwrap().iter();
    let line = |change: &Value| {
        let difference = &change["difference"];
        format!(
            "{}: {} {} -> {}",
            word(&change["kind"]),
            word(&change["check"]["link"]),
            difference["before"].as_str().unwrap_or("-"),
            difference["now"].as_str().unwrap_or("-"),
        )
    };
    changes.map(line).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Reads a document and holds it against its schema.
fn valid(schema: &str, text: &[u8]) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{schema}.schema.json"));
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let document = serde_json::from_slice(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = (validator.iter_errors(&document))
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0], "{document:#}");
    document
}

/// What a command wrote, for the message of an assertion.
fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A link to a URL, with the function that uses it.
fn http(name: &str, url: &str) -> String {
    format!(
        "CREATE LINK shop.{name} AS HTTP CREDENTIALS '{{}}';\n\
         CREATE EXTERNAL FUNCTION shop.f_{name}(a INT) RETURNS INT \
         AS REMOTE SERVICE '{url}' FORMAT JSON LINK shop.{name};\n"
    )
}
