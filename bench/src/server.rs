//! MinIO, started by the test servers' own program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Programs, Result};

/// Whether the server speaks TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tls {
    No,
    Yes,
}

impl Tls {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::No => "plain",
            Self::Yes => "TLS",
        }
    }
}

/// A login and a bucket that it may list.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A running server; it ends with this value.
pub(crate) struct Minio {
    process: Child,
    pub(crate) tls: Tls,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) ca_file: Option<String>,
    /// Users that may list [`TARGET`].
    pub(crate) logins: Vec<Login>,
}

/// A bucket and prefix with one object.
pub(crate) const BUCKET: &str = "private";
pub(crate) const PREFIX: &str = "team/a/";
pub(crate) const OBJECT: &str = "team/a/one.txt";

/// The users of the printed script that may list there.
const USERS: [&str; 4] = ["root", "readonly", "writer", "prefix"];

impl Minio {
    pub(crate) fn start(programs: &Programs, tls: Tls) -> Result<Self> {
        // With the caller's environment: it may say where backends are cached.
        let mut process = Command::new(&programs.servers)
            .arg("up")
            .arg(match tls {
                Tls::No => "minio",
                Tls::Yes => "minio-tls",
            })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut text = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line.starts_with("-- the server stays") {
                break;
            }
            text.push_str(&line);
            text.push('\n');
        }
        let mut logins = Vec::new();
        for user in USERS {
            let from = format!("CREATE LINK {user} ");
            let statement = text.split_once(&from).ok_or("MinIO did not start")?.1;
            logins.push(Login {
                id: value(statement, "aws_access_key_id")?,
                secret: value(statement, "aws_secret_access_key")?,
            });
        }
        let ca_file = text
            .split_once("--ca-file ")
            .and_then(|(_, rest)| rest.lines().next());
        Ok(Self {
            process,
            tls,
            endpoint: value(&text, "endpoint_url")?,
            region: value(&text, "region")?,
            ca_file: ca_file.map(str::to_owned),
            logins,
        })
    }

    /// Lets the program remove what it made.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill(
            Pid::from_raw(self.process.id().try_into()?),
            Signal::SIGTERM,
        )?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Minio {
    fn drop(&mut self) {
        // Only after a failure is it still there; the server goes with its guard.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}

/// Returns the first value of a key in the JSON of a statement; the test servers' have no escapes.
fn value(text: &str, key: &str) -> Result<String> {
    let quoted = format!("\"{key}\":\"");
    let (_, rest) = text.split_once(&quoted).ok_or("a key is missing")?;
    let (value, _) = rest.split_once('"').ok_or("a value is open")?;
    Ok(value.to_owned())
}
