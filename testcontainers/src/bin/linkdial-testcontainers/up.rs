use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use clap::ValueEnum;
use linkdial_testcontainers::{
    Azurite, Certificates, Error as TestError, FakeGcs, Hdfs, HdfsPair, HttpEndpoint, Kafka, Kdc,
    Minio, Moto, Nginx, S3Server, SchemaRegistryOptions, SecuredHdfs, SecuredKafka, SharedAccess,
    User,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::describe::{self, Description};

/// What `up` can start.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Backend {
    /// MinIO in plain text, with users, policies, KMS and STS
    Minio,
    /// The same with TLS, and objects under a customer's key
    MinioTls,
    /// MinIO in the place of Google Cloud Storage: checks HMAC keys, region auto
    MinioGcs,
    /// The same with TLS
    MinioGcsTls,
    /// fake-gcs-server, Google Cloud Storage without a check of credentials, in plain text
    FakeGcs,
    /// The same with TLS
    FakeGcsTls,
    /// Azurite, Azure's blob emulator, in plain text
    Azurite,
    /// The same with TLS
    AzuriteTls,
    /// Apache Kafka with one broker and one topic, in plain text
    Kafka,
    /// The same with TLS, SASL, Kerberos, users and rights, and with listeners that mislead
    KafkaSecured,
    /// Apache Hadoop's HDFS with a NameNode and a DataNode, without a login
    Hdfs,
    /// The same with Kerberos
    HdfsSecured,
    /// The same with two NameNodes, without a login
    HdfsHa,
    /// MIT Kerberos with a realm, its settings and a keytab
    Kdc,
    /// A schema registry in this process that wants a login
    SchemaRegistry,
    /// nginx with a path for each kind of answer, in plain text
    Nginx,
    /// The same with TLS
    NginxTls,
    /// The same with TLS and a client certificate
    NginxMtls,
    /// An HTTP service in this process with a path for each kind of answer
    Http,
    /// The same with TLS
    Https,
    /// The same with TLS and a client certificate
    Mtls,
    /// moto with authentication on, for roles
    Moto,
    /// A small S3 server that needs no installation
    S3,
}

/// How `up` tells what it has started.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A script for `linkdial verify`
    Human,
    /// One line of JSON; the servers end when standard input is a pipe and closes
    Json,
}

/// How long a port of this machine may take to answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Keeps a server alive.
type Handle = Box<dyn std::any::Any + Send>;

/// A running server under the name it was asked for.
pub(crate) struct Up {
    backend: Backend,
    pub(crate) description: Description,
    _handle: Handle,
}

impl Backend {
    /// The name that the command line takes.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Starts the servers, prints what a client needs and stays until Ctrl-C or a request to end.
pub(crate) fn run(backends: Vec<Backend>, format: Format) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        // Whoever has read the last line may ask for the end at once, and an installation may
        // take minutes: listen from the start.
        let mut end = Box::pin(asked_to_end(format)?);
        let servers = tokio::select! {
            () = &mut end => return Err("asked to end before the servers were ready".into()),
            servers = tokio::task::spawn_blocking(move || start_all(&backends)) => servers??,
        };
        let shown = show(&servers, format);
        if shown.is_ok() {
            end.await;
        }
        // Whatever happened before: what stays behind is the more important news.
        take_away(servers)?;
        Ok(shown.map_err(|error| format!("standard output: {error}"))?)
    });
    // What is still starting is cleaned up when this process ends.
    runtime.shutdown_background();
    done
}

/// Ends the servers, and fails when one of them still listens.
fn take_away(servers: Vec<Up>) -> Result<(), Box<dyn Error>> {
    let places: Vec<_> = servers
        .iter()
        .map(|up| (up.description.place(), up.description.address()))
        .collect();
    drop(servers);
    let left: Vec<_> = places
        .into_iter()
        .filter(|(_, address)| TcpStream::connect_timeout(address, ANSWER).is_ok())
        .map(|(place, address)| format!("{place} at {address}"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(format!("could not be taken away: {}", left.join(", ")).into())
}

/// Starts all at the same time.
fn start_all(backends: &[Backend]) -> Result<Vec<Up>, TestError> {
    std::thread::scope(|scope| {
        let start = |backend| scope.spawn(move || start(backend));
        let threads: Vec<_> = backends.iter().copied().map(start).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

pub(crate) fn start(backend: Backend) -> Result<Up, TestError> {
    let certificates = Certificates::shared;
    let (handle, description) = match backend {
        Backend::Minio => minio(Minio::start()?)?,
        Backend::MinioTls => minio(Minio::start_tls()?)?,
        Backend::MinioGcs => with(Minio::start_gcs()?, describe::minio_gcs),
        Backend::MinioGcsTls => with(Minio::start_gcs_tls()?, describe::minio_gcs),
        Backend::FakeGcs => with(FakeGcs::start()?, describe::fake_gcs),
        Backend::FakeGcsTls => with(FakeGcs::start_tls()?, describe::fake_gcs),
        Backend::Azurite => azurite(Azurite::start()?)?,
        Backend::AzuriteTls => azurite(Azurite::start_tls()?)?,
        Backend::Kafka => with(Kafka::start()?, describe::kafka),
        Backend::KafkaSecured => with(SecuredKafka::start()?, describe::secured_kafka),
        Backend::Hdfs => with(Hdfs::start()?, describe::hdfs),
        Backend::HdfsSecured => with(SecuredHdfs::start()?, describe::secured_hdfs),
        Backend::HdfsHa => with(HdfsPair::start()?, describe::hdfs_pair),
        Backend::Kdc => kdc(Kdc::start()?)?,
        Backend::SchemaRegistry => {
            let registry = SchemaRegistryOptions::default().with_login().start();
            with(registry, describe::schema_registry)
        }
        Backend::Nginx => with(Nginx::start()?, describe::nginx),
        Backend::NginxTls => with(Nginx::start_tls()?, describe::nginx),
        Backend::NginxMtls => with(Nginx::start_mutual_tls()?, describe::nginx),
        Backend::Moto => with(Moto::start()?, describe::moto),
        Backend::S3 => with(S3Server::start()?, describe::s3),
        Backend::Http => with(HttpEndpoint::start(), describe::http),
        Backend::Https => {
            let tls = certificates().server_tls(certificates().good());
            with(HttpEndpoint::start_tls(tls), describe::http)
        }
        Backend::Mtls => {
            let tls = certificates().mutual_tls(certificates().good());
            with(HttpEndpoint::start_tls(tls), describe::http)
        }
    };
    Ok(Up {
        backend,
        description,
        _handle: handle,
    })
}

fn minio(minio: Minio) -> Result<(Handle, Description), TestError> {
    let temporary = minio.assume_role(User::ReadOnly)?;
    Ok(with(minio, |minio| describe::minio(minio, &temporary)))
}

fn azurite(azurite: Azurite) -> Result<(Handle, Description), TestError> {
    let token = SharedAccess::account("b", "sco").sign(&azurite.account())?;
    Ok(with(azurite, |azurite| describe::azurite(azurite, &token)))
}

fn kdc(kdc: Kdc) -> Result<(Handle, Description), TestError> {
    let keytab = kdc.keytab(&[describe::PRINCIPAL])?;
    Ok(with(kdc, |kdc| describe::kdc(kdc, &keytab)))
}

fn with<S: Send + 'static>(
    server: S,
    describe: impl FnOnce(&S) -> Description,
) -> (Handle, Description) {
    let description = describe(&server);
    (Box::new(server), description)
}

fn show(servers: &[Up], format: Format) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    match format {
        Format::Human => {
            for up in servers {
                writeln!(output, "{}", up.description.script())?;
            }
            writeln!(output, "-- ready; Ctrl-C ends it")?;
        }
        Format::Json => {
            let servers: Vec<_> = servers
                .iter()
                .map(|up| up.description.json(&up.backend.name()))
                .collect();
            writeln!(output, "{}", json!({"schema": 1, "servers": servers}))?;
        }
    }
    output.flush()
}

/// Listens from now on for Ctrl-C, for a request to end and, for a program, for the end of
/// standard input.
fn asked_to_end(format: Format) -> std::io::Result<impl Future<Output = ()>> {
    let signalled = signalled()?;
    let closed = match format {
        Format::Json if input_is_a_pipe() => Some(input_closes()?),
        Format::Json | Format::Human => None,
    };
    Ok(async move {
        let closed = async {
            match closed {
                // An answer or a thread that is gone: both mean that nobody is there.
                Some(closed) => drop(closed.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = signalled => {}
            () = closed => {}
        }
    })
}

#[cfg(unix)]
fn signalled() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

#[cfg(windows)]
fn signalled() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move { drop(interrupt.recv().await) })
}

/// Returns whether somebody holds the other end: what was started with `&` in a script has
/// `/dev/null`, which has no end worth waiting for.
#[cfg(unix)]
fn input_is_a_pipe() -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata("/dev/stdin").is_ok_and(|input| {
        let kind = input.file_type();
        kind.is_fifo() || kind.is_socket()
    })
}

#[cfg(windows)]
fn input_is_a_pipe() -> bool {
    !std::io::IsTerminal::is_terminal(&std::io::stdin())
}

/// Reads standard input to its end on a thread of its own: a runtime could not end with it.
fn input_closes() -> std::io::Result<oneshot::Receiver<()>> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let mut buffer = [0; 256];
            while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
            // The receiver may have gone with the program's end.
            sender.send(()).ok();
        })?;
    Ok(receiver)
}
