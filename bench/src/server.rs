//! MinIO, Azurite, Kafka, HDFS and a small HTTP service, started by the test servers' own program.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

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

/// The links whose users may list there.
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
        let up = Up::start(programs, server)?;
        let login = |user| {
            let statement = up.statement(user)?;
            Ok(Login {
                id: value(statement, id)?,
                secret: value(statement, secret)?,
            })
        };
        let logins: Result<Vec<Login>> = USERS.into_iter().map(login).collect();
        Ok(Self {
            tls,
            endpoint: up.setting("endpoint_url")?,
            region: up.setting("region")?,
            ca_file: match tls {
                Tls::No => None,
                Tls::Yes => Some(up.setting("ca_file")?),
            },
            logins: logins?,
            process: up.process,
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
        let up = Up::start(programs, "azurite")?;
        Ok(Self {
            endpoint: up.setting("endpoint_url")?,
            login: Login {
                id: up.setting("account_name")?,
                secret: up.setting("account_key")?,
            },
            sas: value(up.statement("shared_access")?, "sas_token")?,
            process: up.process,
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
        let up = Up::start(programs, "http")?;
        Ok(Self {
            url: up.setting("url")?,
            process: up.process,
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
        let up = Up::start(programs, "kafka-secured")?;
        let address = |link: &str| -> Result<String> {
            let (_, target) = up
                .used(link)?
                .split_once('\'')
                .ok_or("a link has no target")?;
            let (address, _) = target.split_once('/').ok_or("a target has no topic")?;
            Ok(address.to_owned())
        };
        let authority = value(up.statement("tls")?, "ssl.ca.pem")?;
        let ca_file = programs.folder.join("kafka-ca.pem");
        std::fs::write(&ca_file, authority.replace(r"\\n", "\n"))?;
        let plain = up.statement("plain")?;
        Ok(Self {
            plaintext: up.setting("bootstrap_servers")?,
            tls: address("tls")?,
            plain: address("plain")?,
            scram: address("scram_512")?,
            misleading: address("closed_port")?,
            user: value(plain, "sasl.username")?,
            password: value(plain, "sasl.password")?,
            authority,
            ca_file: ca_file.display().to_string(),
            process: up.process,
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
        let up = Up::start(programs, server)?;
        let name = match server {
            "hdfs" => "file",
            _ => "owner",
        };
        let statement = up.statement(name)?;
        let config = statement.split_once("CONFIG '").ok_or("no CONFIG")?.1;
        let (config, _) = config.rsplit_once('\'').ok_or("CONFIG is open")?;
        let config: Value = serde_json::from_str(config)?;
        let config = config.as_object().ok_or("CONFIG is no object")?;
        let properties = config
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let processes = up.server["whereabouts"].as_str().ok_or("no processes")?;
        let datanode = processes.rsplit(", ").next().unwrap_or_default().parse()?;
        // It works where it is installed.
        let jars = std::fs::read_link(format!("/proc/{datanode}/cwd"))?.join("libs");
        let base = up.setting("url")?;
        let kerberos = match server {
            "hdfs" => None,
            _ => Some(Kerberos {
                conf: up.setting("krb5_conf")?,
                principal: up.setting("principal")?,
                keytab: up.setting("keytab")?,
            }),
        };
        Ok(Self {
            link: statement.replacen(name, "l", 1),
            url: format!("{}/data/orders.csv", base.trim_end_matches('/')),
            properties: properties.collect(),
            datanode,
            jars,
            kerberos,
            process: up.process,
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

/// A server that is ready, and what it says of itself.
struct Up {
    process: Process,
    name: String,
    server: Value,
}

impl Up {
    fn start(programs: &Programs, server: &str) -> Result<Self> {
        // With the caller's environment: it may say where backends are cached.
        let mut process = Command::new(&programs.servers)
            .args(["up", server, "--format", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map(Process)?;
        let output = process.0.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{server} did not start").into());
        }
        let mut said: Value = serde_json::from_str(&line)?;
        Ok(Self {
            process,
            name: server.to_owned(),
            server: said["servers"][0].take(),
        })
    }

    fn setting(&self, name: &str) -> Result<String> {
        let setting = self.server["settings"][name].as_str();
        let setting = setting.ok_or_else(|| format!("{} has no {name}", self.name))?;
        Ok(setting.to_owned())
    }

    /// The `CREATE LINK` of a link.
    fn statement(&self, link: &str) -> Result<&str> {
        self.of_link(link, "statement")
    }

    /// The statement that uses a link.
    fn used(&self, link: &str) -> Result<&str> {
        self.of_link(link, "use")
    }

    fn of_link(&self, link: &str, what: &str) -> Result<&str> {
        let links = self.server["links"].as_array().into_iter().flatten();
        let mut named = links.filter(|it| it["name"].as_str() == Some(link));
        let found = named.next().and_then(|it| it[what].as_str());
        found.ok_or_else(|| format!("{}: the link {link} has no {what}", self.name).into())
    }
}

/// Returns the first value of a key in the JSON of a statement; those that are read have
/// no quotes inside.
fn value(text: &str, key: &str) -> Result<String> {
    let quoted = format!("\"{key}\":\"");
    let (_, rest) = text.split_once(&quoted).ok_or("a key is missing")?;
    let (value, _) = rest.split_once('"').ok_or("a value is open")?;
    Ok(value.to_owned())
}
