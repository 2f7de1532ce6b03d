//! MinIO, Azurite, Kafka, HDFS and a small HTTP service, started by the test servers' own program.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
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

/// What MinIO stands in for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MinioKind {
    Plain,
    Tls,
    /// Google Cloud Storage, in plain text.
    Gcs,
}

impl From<Tls> for MinioKind {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::No => Self::Plain,
            Tls::Yes => Self::Tls,
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
    process: Process,
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
    pub(crate) fn start(programs: &Programs, kind: impl Into<MinioKind>) -> Result<Self> {
        let kind = kind.into();
        let amazon = ["aws_access_key_id", "aws_secret_access_key"];
        let (server, tls, [id, secret]) = match kind {
            MinioKind::Plain => ("minio", Tls::No, amazon),
            MinioKind::Tls => ("minio-tls", Tls::Yes, amazon),
            MinioKind::Gcs => ("minio-gcs", Tls::No, ["access_id", "secret_key"]),
        };
        let (process, text) = up(programs, server)?;
        let mut logins = Vec::new();
        for user in USERS {
            let from = format!("CREATE LINK {user} ");
            let statement = text.split_once(&from).ok_or("MinIO did not start")?.1;
            logins.push(Login {
                id: value(statement, id)?,
                secret: value(statement, secret)?,
            });
        }
        let ca_file = text
            .split_once("--ca-file ")
            .and_then(|(_, rest)| rest.lines().next());
        Ok(Self {
            process,
            tls,
            endpoint: value(&text, "endpoint_url")?,
            region: match kind {
                MinioKind::Gcs => "auto".to_owned(),
                _ => value(&text, "region")?,
            },
            ca_file: ca_file.map(str::to_owned),
            logins,
        })
    }

    /// Lets the program remove what it made.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// A running Azurite in plain text, with the same objects.
pub(crate) struct Azurite {
    process: Process,
    /// The address with the account.
    pub(crate) endpoint: String,
    /// The account and its key.
    pub(crate) login: Login,
    /// A shared access signature that lists and reads.
    pub(crate) sas: String,
}

impl Azurite {
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let (process, text) = up(programs, "azurite")?;
        Ok(Self {
            process,
            endpoint: value(&text, "endpoint_url")?,
            login: Login {
                id: value(&text, "account_name")?,
                secret: value(&text, "account_key")?,
            },
            sas: value(&text, "sas_token")?,
        })
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// A running service that answers 200.
pub(crate) struct HttpService {
    process: Process,
    pub(crate) url: String,
}

impl HttpService {
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let (process, text) = up(programs, "http")?;
        let url = text
            .split_once("-- url: ")
            .and_then(|(_, rest)| rest.lines().next())
            .ok_or("the HTTP service did not start")?;
        Ok(Self {
            process,
            url: url.to_owned(),
        })
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// A running broker with a port for each kind of link.
pub(crate) struct Kafka {
    process: Process,
    pub(crate) plaintext: String,
    pub(crate) tls: String,
    /// SASL PLAIN in plain text.
    pub(crate) plain: String,
    /// SASL SCRAM over TLS.
    pub(crate) scram: String,
    /// Tells its clients to go to a closed port.
    pub(crate) misleading: String,
    pub(crate) user: String,
    pub(crate) password: String,
    /// The authority of the broker's certificate as it stands in a statement.
    pub(crate) authority: String,
    /// The same for a client that reads files.
    pub(crate) ca_file: String,
}

impl Kafka {
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let (process, text) = up(programs, "kafka-secured")?;
        let address = |link: &str| {
            let from = format!("LOAD DATA LINK {link} '");
            let (_, rest) = text.split_once(&from).ok_or("a pipeline is missing")?;
            let (address, _) = rest.split_once('/').ok_or("a pipeline has no topic")?;
            Ok::<_, Box<dyn Error + Send + Sync>>(address.to_owned())
        };
        let plaintext = text
            .split_once("-- bootstrap_servers: ")
            .and_then(|(_, rest)| rest.lines().next())
            .ok_or("Kafka did not start")?;
        let authority = value(&text, "ssl.ca.pem")?;
        let ca_file = programs.folder.join("kafka-ca.pem");
        std::fs::write(&ca_file, authority.replace(r"\\n", "\n"))?;
        Ok(Self {
            plaintext: plaintext.to_owned(),
            tls: address("tls")?,
            plain: address("plain")?,
            scram: address("scram_512")?,
            misleading: address("closed_port")?,
            user: value(&text, "sasl.username")?,
            password: value(&text, "sasl.password")?,
            authority,
            ca_file: ca_file.display().to_string(),
            process,
        })
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// A running HDFS with a NameNode and a DataNode.
pub(crate) struct Hdfs {
    process: Process,
    /// A `CREATE LINK l` that may read [`Hdfs::url`].
    pub(crate) link: String,
    pub(crate) url: String,
    /// What the link sets, as Hadoop's own client wants it.
    pub(crate) properties: Vec<(String, String)>,
    /// The id of the DataNode's process.
    pub(crate) datanode: i32,
    /// Where Hadoop is.
    pub(crate) jars: PathBuf,
    pub(crate) kerberos: Option<Kerberos>,
}

/// What a login with Kerberos needs.
pub(crate) struct Kerberos {
    pub(crate) conf: String,
    pub(crate) principal: String,
    pub(crate) keytab: String,
}

impl Hdfs {
    pub(crate) fn start(programs: &Programs, server: &str) -> Result<Self> {
        let (process, text) = up(programs, server)?;
        let line = |label: &str| {
            let (_, rest) = text.split_once(label)?;
            rest.lines().next().map(str::to_owned)
        };
        let first = line("CREATE LINK ").ok_or("HDFS did not start")?;
        let (name, _) = first.split_once(' ').ok_or("a link has no name")?;
        let (_, rest) = text
            .split_once(&format!("CREATE LINK {name} "))
            .ok_or("no link")?;
        let (statement, _) = rest.split_once(";\n").ok_or("a statement is open")?;
        let config = statement.split_once("CONFIG '{").ok_or("no CONFIG")?.1;
        let pairs = config.trim_end_matches("}'").split("\",\"");
        let properties = pairs.filter_map(|pair| {
            let (name, value) = pair.trim_matches('"').split_once("\":\"")?;
            Some((name.to_owned(), value.to_owned()))
        });
        let processes = line("processes ").ok_or("no processes")?;
        let datanode = processes.rsplit(", ").next().unwrap_or_default().parse()?;
        // It works where it is installed.
        let jars = std::fs::read_link(format!("/proc/{datanode}/cwd"))?.join("libs");
        let base = line("-- url: ").ok_or("no url")?;
        let kerberos = match (
            line("-- krb5_conf: "),
            line("-- principal: "),
            line("-- keytab: "),
        ) {
            (Some(conf), Some(principal), Some(keytab)) => Some(Kerberos {
                conf,
                principal,
                keytab,
            }),
            _ => None,
        };
        Ok(Self {
            link: format!("CREATE LINK l {statement};"),
            url: format!("{}/data/orders.csv", base.trim_end_matches('/')),
            properties: properties.collect(),
            datanode,
            jars,
            kerberos,
            process,
        })
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// The program that holds a server.
struct Process(Child);

impl Process {
    fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.0.id().try_into()?), Signal::SIGTERM)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only after a failure is it still there; the server goes with its guard.
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// Starts a server, and returns what it says of itself once it is ready.
fn up(programs: &Programs, server: &str) -> Result<(Process, String)> {
    // With the caller's environment: it may say where backends are cached.
    let mut process = Command::new(&programs.servers)
        .args(["up", server])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map(Process)?;
    let output = process.0.stdout.take().ok_or("no output")?;
    let mut text = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        if line.starts_with("-- ready") {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    Ok((process, text))
}

/// Returns the first value of a key in the JSON of a statement; those that are read have
/// no quotes inside.
fn value(text: &str, key: &str) -> Result<String> {
    let quoted = format!("\"{key}\":\"");
    let (_, rest) = text.split_once(&quoted).ok_or("a key is missing")?;
    let (value, _) = rest.split_once('"').ok_or("a value is open")?;
    Ok(value.to_owned())
}
