//! The same faults with other tools: what they say, and after how long.

mod process;

use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};

use process::watch;

use super::{Family, Fault, Kind, Seeded};
use crate::{Certificates, Error, Scratch};

/// How long a peer may take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What other programs read and decide by, here or elsewhere.
const VARIABLES: [&str; 24] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "KRB5_CONFIG",
    "KRB5CCNAME",
    "HADOOP_USER_NAME",
    "KCAT_CONFIG",
];

/// A tool that people reach for when a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// curl, for HTTP and everything that is asked with a signature of Amazon's.
    Curl,
    /// rclone, for stores and HDFS without a login.
    Rclone,
    /// s5cmd, for S3.
    S5cmd,
    /// kcat, for Kafka.
    Kcat,
    /// The AWS command line, for S3.
    Aws,
}

/// What came of a fault with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The program is not there.
    NotInstalled,
    /// It has no way to be told this; the reason.
    CannotExpress(&'static str),
    /// It ran.
    Ran {
        /// Its first line, cut, without secrets.
        said: String,
        /// How long it took.
        elapsed: Duration,
        /// Whether it ended with success.
        success: bool,
    },
    /// It was still running at the limit, and had said this.
    Endless(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("not installed"),
            Self::CannotExpress(why) => write!(f, "cannot express: {why}"),
            Self::Ran {
                said,
                elapsed,
                success,
            } => {
                let ended = if *success { "success" } else { "failure" };
                let seconds = elapsed.as_secs_f64();
                if said.is_empty() {
                    write!(f, "{seconds:.2} s, {ended}, without a word")
                } else {
                    write!(f, "{seconds:.2} s, {ended}: {said}")
                }
            }
            Self::Endless(said) if said.is_empty() => write!(f, "over {} s", LIMIT.as_secs()),
            Self::Endless(said) => write!(f, "over {} s: {said}", LIMIT.as_secs()),
        }
    }
}

/// What is run: a program with its variables, and what it reads from standard input.
type Invocation = Result<(Command, String), &'static str>;

const NO_KIND: &str = "it has no client of this kind";
const NO_STATEMENT: &str = "it reads no statement";
const NO_WRITE: &str = "the fault is found by writing";
/// Peers are told to list, so it is no fault of theirs when a listing is good.
pub(super) const LISTING_ALONE: &str = "a listing alone does not show it";

impl Peer {
    /// All peers.
    pub const ALL: [Self; 5] = [Self::Curl, Self::Rclone, Self::S5cmd, Self::Kcat, Self::Aws];

    /// The name of the program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Rclone => "rclone",
            Self::S5cmd => "s5cmd",
            Self::Kcat => "kcat",
            Self::Aws => "aws",
        }
    }

    /// What it says of its version; `None` where it is not installed.
    pub fn version(self) -> Option<String> {
        let argument = match self {
            Self::Curl | Self::Aws => "--version",
            Self::Rclone | Self::S5cmd => "version",
            Self::Kcat => "-V",
        };
        let output = Command::new(self.program())
            .arg(argument)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.contains(|c: char| c.is_ascii_digit() && line.contains('.')));
        let line = line.unwrap_or_default().trim();
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        let version = words.join(" ");
        let version = version
            .trim_end_matches(',')
            .trim_start_matches("Version ")
            .to_owned();
        Some(if version.contains(self.program()) {
            version
        } else {
            format!("{} {version}", self.program())
        })
    }

    /// Runs a fault with this tool, with the same endpoint, credentials and authority.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, or a program that is there cannot be run.
    pub fn run(self, fault: &Fault, seeded: &Seeded, installed: bool) -> Result<Told, Error> {
        if !installed {
            return Ok(Told::NotInstalled);
        }
        let folder = Scratch::new("zoo-peer")?;
        match self.invocation(fault, seeded, &folder) {
            Err(why) => Ok(Told::CannotExpress(why)),
            Ok((command, input)) => watch(command, &input, &folder, &seeded.secrets),
        }
    }

    fn invocation(self, fault: &Fault, seeded: &Seeded, folder: &Scratch) -> Invocation {
        if let Some(why) = seeded.untold {
            return Err(why);
        }
        if ["read", "write"].contains(&fault.expected.stage) {
            return Err(LISTING_ALONE);
        }
        // Whoever is told its keys all the same dials an address where nobody is.
        if fault.family == Family::Statement && !fault.dials() {
            return Err(NO_STATEMENT);
        }
        let Some((link, target)) = &seeded.told else {
            let writes = seeded.options.iter().any(|option| option == "--write");
            return Err(if writes { NO_WRITE } else { NO_STATEMENT });
        };
        let keys = Keys {
            credentials: link.credentials(),
            config: link.settings(),
        };
        if seeded.proxy.is_some() && self != Self::Curl {
            return Err("it takes no proxy to this machine itself");
        }
        match (self, fault.kind) {
            (Self::Curl, Kind::Http) => curl_http(&keys, target, seeded),
            (Self::Curl, Kind::S3 | Kind::Gcs) => {
                Ok(curl_store(&Store::read(fault.kind, &keys, target)?, seeded))
            }
            (Self::Curl, Kind::Azure) => curl_azure(&keys, target, seeded),
            (Self::Rclone, Kind::S3 | Kind::Gcs) => Ok(rclone_store(
                &Store::read(fault.kind, &keys, target)?,
                folder,
            )),
            (Self::Rclone, Kind::Azure) => rclone_azure(&keys, target, folder),
            (Self::Rclone, Kind::Hdfs) => rclone_hdfs(&keys, target, folder),
            (Self::S5cmd, Kind::S3) => Ok(s5cmd(&Store::read(fault.kind, &keys, target)?)),
            (Self::Aws, Kind::S3 | Kind::Gcs) => Ok(aws(&Store::read(fault.kind, &keys, target)?)),
            (Self::Kcat, Kind::Kafka) => kcat(&keys, target),
            _ => Err(NO_KIND),
        }
    }
}

/// The keys of a link.
struct Keys<'a> {
    credentials: &'a Map<String, Value>,
    config: &'a Map<String, Value>,
}

impl Keys<'_> {
    /// A text; CREDENTIALS count first.
    fn text(&self, key: &str) -> Option<&str> {
        let value = self.credentials.get(key).or_else(|| self.config.get(key));
        value?.as_str()
    }
}

/// A store of S3's protocol, as every tool takes it.
struct Store<'a> {
    endpoint: &'a str,
    region: &'a str,
    login: Option<(&'a str, &'a str)>,
    token: Option<&'a str>,
    bucket: &'a str,
    prefix: &'a str,
    path_style: bool,
}

impl<'a> Store<'a> {
    fn read(kind: Kind, keys: &'a Keys<'_>, target: &'a str) -> Result<Self, &'static str> {
        let (id, secret) = match kind {
            Kind::Gcs => ("access_id", "secret_key"),
            _ => ("aws_access_key_id", "aws_secret_access_key"),
        };
        let login = match (keys.text(id), keys.text(secret)) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) if keys.credentials.is_empty() => None,
            _ => return Err("it wants both halves of the key pair under their own names"),
        };
        let plain = [
            "role_arn",
            "creds_mode",
            "service_account_key",
            "x-amz-server-side-encryption",
            "x-amz-server-side-encryption-customer-key",
        ];
        if plain.iter().any(|key| keys.text(key).is_some()) {
            return Err(LISTING_ALONE);
        }
        let endpoint = keys
            .text("endpoint_url")
            .ok_or("it would leave this machine")?;
        if !endpoint.contains("//127.") {
            return Err("it would leave this machine");
        }
        let (bucket, prefix) = target.split_once('/').unwrap_or((target, ""));
        Ok(Self {
            endpoint,
            region: keys.text("region").unwrap_or(match kind {
                // Google's own word for any region (Cloud Storage, V4 signing process).
                Kind::Gcs => "auto",
                _ => "us-east-1",
            }),
            login,
            token: keys.text("aws_session_token"),
            bucket,
            prefix,
            path_style: keys.text("s3_force_path_style") != Some("false"),
        })
    }
}

/// A command without the variables of whoever runs it.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// curl, which reads what is secret from standard input.
fn curl(url: &str, lines: &[(&str, &str)], seeded: &Seeded) -> (Command, String) {
    let mut command = program("curl");
    command.args([
        "--silent",
        "--show-error",
        "--fail-with-body",
        "--noproxy",
        "",
    ]);
    command.args([
        "--max-time",
        &LIMIT.as_secs().to_string(),
        "--config",
        "-",
        "--cacert",
    ]);
    command.arg(Certificates::shared().ca_file());
    if let Some(proxy) = &seeded.proxy {
        command.args(["--proxytunnel", "--proxy", proxy]);
    }
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        text.replace('\n', "\\n").replace('\r', "\\r")
    };
    // A signature may be a part of the URL.
    let lines = [("url", url)].into_iter().chain(lines.iter().copied());
    let lines = lines.map(|(name, value)| format!("{name} = \"{}\"\n", quoted(value)));
    (command, lines.collect())
}

fn curl_http(keys: &Keys<'_>, url: &str, seeded: &Seeded) -> Invocation {
    if !url.contains("127.") && !url.contains("localhost") {
        return Err("it would leave this machine");
    }
    let headers = keys.credentials.get("headers").and_then(Value::as_object);
    let headers = headers.into_iter().flatten();
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()))
        .collect();
    if !keys.credentials.is_empty() && headers.is_empty() {
        return Err("it takes headers as names and values");
    }
    let lines: Vec<(&str, &str)> = headers
        .iter()
        .map(|header| ("header", header.as_str()))
        .collect();
    Ok(curl(url, &lines, seeded))
}

fn curl_store(store: &Store<'_>, seeded: &Seeded) -> (Command, String) {
    let Store {
        endpoint,
        region,
        bucket,
        prefix,
        ..
    } = store;
    let url = format!("{endpoint}/{bucket}?list-type=2&max-keys=1&prefix={prefix}");
    let signature = format!("aws:amz:{region}:s3");
    let login = store.login.map(|(id, secret)| format!("{id}:{secret}"));
    let token = store
        .token
        .map(|token| format!("x-amz-security-token: {token}"));
    let mut lines = Vec::new();
    if let Some(login) = &login {
        lines.extend([("aws-sigv4", signature.as_str()), ("user", login.as_str())]);
    }
    if let Some(token) = &token {
        lines.push(("header", token));
    }
    curl(&url, &lines, seeded)
}

fn curl_azure(keys: &Keys<'_>, target: &str, seeded: &Seeded) -> Invocation {
    let endpoint = keys
        .text("endpoint_url")
        .ok_or("it would leave this machine")?;
    let Some(token) = keys
        .text("sas_token")
        .filter(|_| endpoint.contains("//127."))
    else {
        return Err("it does not sign with the key of an account");
    };
    let container = target.split('/').next().unwrap_or_default();
    let url = format!("{endpoint}/{container}?restype=container&comp=list&maxresults=1&{token}");
    let version = "x-ms-version: 2024-11-04";
    Ok(curl(&url, &[("header", version)], seeded))
}

/// rclone with a remote that variables describe, and no file of its owner.
fn rclone(remote: &str, options: &[(&str, &str)], folder: &Scratch) -> (Command, String) {
    let mut command = program("rclone");
    command
        .arg("lsf")
        .arg(remote)
        .args(["--max-depth", "1", "--config"]);
    command.arg(folder.path().join("rclone.conf"));
    command
        .arg("--ca-cert")
        .arg(Certificates::shared().ca_file());
    for (name, value) in options {
        command.env(format!("RCLONE_CONFIG_ZOO_{name}"), value);
    }
    (command, String::new())
}

fn rclone_store(store: &Store<'_>, folder: &Scratch) -> (Command, String) {
    let (id, secret) = store.login.unwrap_or_default();
    let options = [
        ("TYPE", "s3"),
        ("PROVIDER", "Other"),
        ("ACCESS_KEY_ID", id),
        ("SECRET_ACCESS_KEY", secret),
        ("SESSION_TOKEN", store.token.unwrap_or_default()),
        ("ENDPOINT", store.endpoint),
        ("REGION", store.region),
        (
            "FORCE_PATH_STYLE",
            if store.path_style { "true" } else { "false" },
        ),
    ];
    let remote = format!("zoo:{}/{}", store.bucket, store.prefix);
    rclone(&remote, &options, folder)
}

fn rclone_azure(keys: &Keys<'_>, target: &str, folder: &Scratch) -> Invocation {
    let endpoint = keys
        .text("endpoint_url")
        .ok_or("it would leave this machine")?;
    if !endpoint.contains("//127.") {
        return Err("it would leave this machine");
    }
    // Debian's takes a suffix for the endpoint, puts `https://ACCOUNT.` in front and asks DNS for it.
    let Some(token) = keys.text("sas_token") else {
        return Err("it builds the host from the account and the suffix of a cloud");
    };
    let container = target.split('/').next().unwrap_or_default();
    let url = format!("{endpoint}/{container}?{token}");
    let options = [("TYPE", "azureblob"), ("SAS_URL", url.as_str())];
    Ok(rclone(&format!("zoo:{target}"), &options, folder))
}

fn rclone_hdfs(keys: &Keys<'_>, target: &str, folder: &Scratch) -> Invocation {
    if keys.text("hadoop.security.authentication").is_some() {
        return Err("it takes a ticket of kinit, and no keytab");
    }
    let rest = target
        .strip_prefix("hdfs://")
        .ok_or("it wants host and port")?;
    let (namenode, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !namenode.starts_with("127.") && !namenode.starts_with("localhost") {
        return Err("it would leave this machine");
    }
    let user = keys.text("kerberos.user").unwrap_or_default();
    let options = [("TYPE", "hdfs"), ("NAMENODE", namenode), ("USERNAME", user)];
    Ok(rclone(&format!("zoo:/{path}"), &options, folder))
}

fn s5cmd(store: &Store<'_>) -> (Command, String) {
    let mut command = program("s5cmd");
    with_login(&mut command, store);
    command.env("AWS_CA_BUNDLE", Certificates::shared().ca_file());
    if store.login.is_none() {
        command.arg("--no-sign-request");
    }
    command.args(["--endpoint-url", store.endpoint, "ls"]);
    command.arg(format!("s3://{}/{}", store.bucket, store.prefix));
    (command, String::new())
}

fn aws(store: &Store<'_>) -> (Command, String) {
    let mut command = program("aws");
    with_login(&mut command, store);
    command.args([
        "s3api",
        "list-objects-v2",
        "--max-items",
        "1",
        "--output",
        "text",
    ]);
    command.args(["--endpoint-url", store.endpoint, "--region", store.region]);
    command.args([
        "--bucket",
        store.bucket,
        "--prefix",
        store.prefix,
        "--ca-bundle",
    ]);
    command.arg(Certificates::shared().ca_file());
    if store.login.is_none() {
        command.arg("--no-sign-request");
    }
    (command, String::new())
}

fn with_login(command: &mut Command, store: &Store<'_>) {
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_REGION", store.region);
    if let Some((id, secret)) = store.login {
        command
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret);
    }
    if let Some(token) = store.token {
        command.env("AWS_SESSION_TOKEN", token);
    }
}

/// kcat, with every option of the link that is one of librdkafka.
fn kcat(keys: &Keys<'_>, target: &str) -> Invocation {
    let (brokers, topic) = target.rsplit_once('/').unwrap_or((target, ""));
    let here = |broker: &str| broker.starts_with("127.") || broker.starts_with("localhost");
    if brokers.contains("://") || !brokers.split(',').filter(|it| !it.is_empty()).all(here) {
        return Err("it would leave this machine");
    }
    if keys.text("sasl.kerberos.kinit.cmd").is_some() || keys.text("plugin.library.paths").is_some()
    {
        return Err("it would run what it was told");
    }
    let mut command = program("kcat");
    command.args(["-L", "-b", brokers]);
    if !topic.is_empty() {
        command.args(["-t", topic]);
    }
    let own = ["spoof.dns", "operation.timeout.ms", "schema.registry."];
    let all = keys.config.iter().chain(keys.credentials);
    for (name, value) in all.filter(|(name, _)| !own.iter().any(|it| name.starts_with(it))) {
        let value = value.as_str().ok_or("it takes texts only")?;
        command.arg("-X").arg(format!("{name}={value}"));
    }
    Ok((command, String::new()))
}
