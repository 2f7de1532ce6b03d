//! A registry stays whole: programs that are killed, two writers at once, disks that take nothing
//! more, and what a look at its files may not show.
//!
//! `LINKDIAL_SOAK` makes the loops ten times as long.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests are tests"
)]

#[path = "../chance/mod.rs"]
mod chance;
mod disks;
mod faults;
mod kills;
mod secrets;
mod snapshot;
mod writers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chance::{Random, rounds};
use linkdial::registry::{Location, Registry};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

/// A folder with a registry in a folder of its own, and what else a test writes.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The folder of the registry.
    fn home(&self) -> PathBuf {
        self.path("home")
    }

    fn registry(&self) -> PathBuf {
        self.home().join("links.db")
    }

    fn key_file(&self) -> PathBuf {
        self.home().join("links.key")
    }

    fn open(&self) -> Registry {
        open(&self.registry())
    }

    /// `linkdial apply` on the registry.
    fn apply(&self) -> Command {
        apply(&self.registry())
    }

    /// Applies a text, which has to come to a good end.
    fn applied(&self, text: &str) {
        let script = self.write("applied.sql", text);
        let output = self.apply().arg(script).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
}

fn open(path: &Path) -> Registry {
    Registry::open(&Location::Sqlite(path.to_owned()), None).unwrap()
}

/// `linkdial apply`; nothing of the machine that runs the tests may reach it.
fn apply(registry: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial"));
    command
        .env_clear()
        .args(["apply", "--database", "shop", "--registry"])
        .arg(registry)
        .stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), stderr(output))
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// Runs one statement on the file of a registry, below its program; returns the first value.
fn sql(path: &Path, statement: &'static str) -> Option<String> {
    on_file(path, async move |connection| {
        let row = sqlx::query_scalar::<_, Option<String>>(statement);
        row.fetch_optional(connection).await.unwrap().flatten()
    })
}

fn on_file<T>(path: &Path, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = options.connect().await.unwrap();
        let result = work(&mut connection).await;
        connection.close().await.unwrap();
        result
    })
}
