//! A server that runs as a container or as a process, with one description for both.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(feature = "containers")]
use crate::container::{Container, Engine};
use crate::image::Image;
#[cfg(feature = "containers")]
use crate::image::Reference;
use crate::process::{Process, with_ports};
use crate::runtime::{self, Runtime};
use crate::wire::Wire;
use crate::{Certificates, Error, Identity, Scratch};

/// The folder of a run's files inside a container.
#[cfg(feature = "containers")]
pub(crate) const FOLDER: &str = "/linkdial";

/// What a server writes, below the folder of its run.
pub(crate) const DATA: &str = "data";

/// The certificate of a server, below the folder of its run.
pub(crate) const CERTIFICATE: &str = "certs/public.crt";
/// The key of [`CERTIFICATE`].
pub(crate) const KEY: &str = "certs/private.key";

/// What a kind of server is: the same in each of its runs.
#[derive(Debug)]
pub(crate) struct Backend {
    /// The name that people know it by.
    pub(crate) name: &'static str,
    pub(crate) image: Image,
    /// The program with its first arguments, installed at the first call.
    pub(crate) program: fn() -> Result<Command, Error>,
    /// How long a start may take on a busy machine.
    pub(crate) start: Duration,
    /// How many ports it listens on for clients besides the one of its address.
    pub(crate) further: usize,
}

/// Where one run takes place.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) runtime: Runtime,
    /// The folder of its files, as the server sees it.
    pub(crate) folder: PathBuf,
    /// What the server listens on.
    pub(crate) listen: SocketAddr,
    /// What clients connect to.
    pub(crate) address: SocketAddr,
    /// Another port of this machine that was free a moment ago, for a process with two of them.
    pub(crate) spare: u16,
    /// The further ports that the server listens on and that clients connect to: a container has
    /// all ports to itself, so they have the same numbers inside.
    pub(crate) further: Vec<u16>,
}

impl Place {
    /// The path of a file of the run, as the server sees it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// What one run is started with, besides its program.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// Files below the folder of the run.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Launch {
    pub(crate) fn arguments<T: Into<String>>(mut self, more: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn file(mut self, name: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), contents.into()));
        self
    }

    /// Adds [`CERTIFICATE`] and [`KEY`], if there are any.
    pub(crate) fn tls(self, tls: Tls<'_>) -> Self {
        match tls.identity() {
            Some(identity) => self
                .file(CERTIFICATE, identity.certificate_pem())
                .file(KEY, identity.key_pem()),
            None => self,
        }
    }
}

/// What a server proves itself with; by default nothing, and it speaks plain text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tls<'a>(Option<(&'a Certificates, &'a Identity)>);

impl<'a> Tls<'a> {
    pub(crate) fn new(certificates: &'a Certificates, identity: &'a Identity) -> Self {
        Self(Some((certificates, identity)))
    }

    /// The good certificate of [`Certificates::shared`].
    pub(crate) fn shared() -> Self {
        let certificates = Certificates::shared();
        Self::new(certificates, certificates.good())
    }

    pub(crate) fn certificates(self) -> Option<&'a Certificates> {
        self.0.map(|(certificates, _)| certificates)
    }

    pub(crate) fn identity(self) -> Option<&'a Identity> {
        self.0.map(|(_, identity)| identity)
    }

    /// A client that takes this certificate, however faulty, and no other.
    fn wire(self, address: SocketAddr) -> Wire {
        Wire {
            address,
            tls: self.identity().map(Certificates::pinned),
        }
    }
}

/// A running server; it ends with its handle, or with the process of the test.
///
/// [`Minio`](crate::Minio), [`FakeGcs`](crate::FakeGcs), [`Azurite`](crate::Azurite),
/// [`Kafka`](crate::Kafka) and [`Nginx`](crate::Nginx) have all of this by `Deref`.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    /// Why it has this runtime.
    why: String,
    // Before the folder, which goes only after its process has gone.
    body: Body,
    wire: Wire,
    further: Vec<u16>,
    ca_file: Option<PathBuf>,
    folder: Option<Scratch>,
}

#[derive(Debug)]
enum Body {
    Process(Process),
    #[cfg(feature = "containers")]
    Container(Container),
}

impl Server {
    /// Starts the server in the runtime that is wanted or possible, and waits until `ready` agrees.
    ///
    /// Every start has the limit of the backend; there is another one only after a port was taken,
    /// which a server finds out at once.
    pub(crate) fn start(
        backend: &Backend,
        tls: Tls<'_>,
        launch: impl Fn(&Place) -> Launch,
        ready: impl Fn(&Wire) -> Result<(), String>,
    ) -> Result<Self, Error> {
        let (choice, why) = Choice::of(backend)?;
        // Kafka alone needs the second one, which costs the others nothing.
        let server = with_ports(2 + backend.further, |ports| {
            let (body, folder) = choice.launch(backend, ports, &launch)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0]));
            let server = Self {
                name: backend.name,
                why: why.clone(),
                body,
                wire: tls.wire(address),
                further: ports[2..].to_vec(),
                ca_file: tls.certificates().map(|it| it.ca_file().to_owned()),
                folder,
            };
            server.wait(backend.start, || ready(&server.wire))?;
            Ok(server)
        })?;
        server.record()?;
        Ok(server)
    }

    /// The address it listens on, which clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.wire.address
    }

    /// The further ports of 127.0.0.1 that it listens on.
    pub(crate) fn further(&self) -> &[u16] {
        &self.further
    }

    /// The authority's certificate for `--ca-file`, when it speaks TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// How it runs.
    pub fn runtime(&self) -> Runtime {
        match self.body {
            Body::Process(_) => Runtime::Local,
            #[cfg(feature = "containers")]
            Body::Container(_) => Runtime::Docker,
        }
    }

    /// Where a person finds it: its process, or its container and image.
    pub fn whereabouts(&self) -> Whereabouts {
        match &self.body {
            Body::Process(process) => Whereabouts::Process(process.pid()),
            #[cfg(feature = "containers")]
            Body::Container(container) => container.whereabouts(),
        }
    }

    /// The process id, when it is a process of this machine.
    pub fn pid(&self) -> Option<u32> {
        match &self.body {
            Body::Process(process) => Some(process.pid()),
            #[cfg(feature = "containers")]
            Body::Container(_) => None,
        }
    }

    /// The folder with its settings, data and log, when it is a process of this machine.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Scratch::path)
    }

    /// A client of it for set-up.
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Asks `ready` until it agrees, the server ends or the time is over.
    pub(crate) fn wait(
        &self,
        limit: Duration,
        ready: impl FnMut() -> Result<(), String>,
    ) -> Result<(), Error> {
        match &self.body {
            Body::Process(process) => process.wait(limit, ready),
            #[cfg(feature = "containers")]
            Body::Container(container) => container.wait(limit, ready),
        }
    }

    /// Tells the record of the run that the test of this thread uses the server.
    fn record(&self) -> Result<(), Error> {
        runtime::record(self.name, self.runtime(), &self.why)
    }
}

/// Where a person finds a [`Server`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whereabouts {
    /// A process of this machine, by its id.
    Process(u32),
    /// Processes of this machine, by their ids.
    Processes(Vec<u32>),
    /// A container.
    Container {
        /// The container's name.
        name: String,
        /// The repository and tag of its image.
        image: String,
        /// The engine's address, as the variable `DOCKER_HOST` takes it.
        engine: String,
    },
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(id) => write!(f, "process {id}"),
            Self::Processes(ids) => {
                let ids: Vec<_> = ids.iter().map(u32::to_string).collect();
                write!(f, "processes {}", ids.join(", "))
            }
            Self::Container { name, image, .. } => write!(f, "container {name} of {image}"),
        }
    }
}

/// The server in `cell`, which all tests of one process share; started by whoever asks first.
///
/// # Panics
///
/// When it cannot be installed or started, or its use cannot be recorded.
pub(crate) fn shared<T: Deref<Target = Server>>(
    cell: &'static OnceLock<T>,
    start: impl FnOnce() -> Result<T, Error>,
) -> &'static T {
    shared_by(cell, start, T::deref)
}

/// The same for what has its server in another way.
pub(crate) fn shared_by<T>(
    cell: &'static OnceLock<T>,
    start: impl FnOnce() -> Result<T, Error>,
    server: impl Fn(&T) -> &Server,
) -> &'static T {
    let name = std::any::type_name::<T>();
    let failed = |error| panic!("{name}: {error}");
    let shared = cell.get_or_init(|| start().unwrap_or_else(failed));
    server(shared)
        .record()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    shared
}

/// The runtime of a server, decided.
enum Choice {
    Process,
    #[cfg(feature = "containers")]
    /// With the image that was asked for, and its id.
    Container(&'static Engine, Reference, String),
}

impl Choice {
    fn of(backend: &Backend) -> Result<(Self, String), Error> {
        let forced = runtime::forced()?;
        let why = if forced == Some(Runtime::Local) {
            "that was asked for".to_owned()
        } else {
            match Self::container(backend) {
                Ok((container, why)) => {
                    runtime::announce(backend.name, Runtime::Docker, &why);
                    return Ok((container, why));
                }
                Err(reason) if forced.is_some() => {
                    return Err(Error::Container {
                        doing: format!("run {} as a container", backend.name),
                        reason,
                    });
                }
                Err(reason) => reason,
            }
        };
        runtime::announce(backend.name, Runtime::Local, &why);
        Ok((Self::Process, why))
    }

    #[cfg(feature = "containers")]
    fn container(backend: &Backend) -> Result<(Self, String), String> {
        let reference = backend.image.reference();
        let engine = Engine::find()?;
        let image = engine.provide(&reference)?;
        let why = format!("{reference}, engine at {}", engine.host());
        Ok((Self::Container(engine, reference, image), why))
    }

    #[cfg(not(feature = "containers"))]
    fn container(_: &Backend) -> Result<(Self, String), String> {
        Err("it was built without the feature `containers`".to_owned())
    }

    fn launch(
        &self,
        backend: &Backend,
        ports: &[u16],
        launch: impl Fn(&Place) -> Launch,
    ) -> Result<(Body, Option<Scratch>), Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0]));
        let (spare, further) = (ports[1], ports[2..].to_vec());
        match self {
            Self::Process => {
                let folder = Scratch::new(backend.name)?;
                let launch = launch(&Place {
                    runtime: Runtime::Local,
                    folder: folder.path().to_owned(),
                    listen: address,
                    address,
                    spare,
                    further,
                });
                for (name, contents) in &launch.files {
                    folder.write(name, contents)?;
                }
                let mut command = (backend.program)()?;
                command.args(launch.arguments).envs(launch.variables);
                let process = Process::start(backend.name, &folder, &command)?;
                Ok((Body::Process(process), Some(folder)))
            }
            #[cfg(feature = "containers")]
            Self::Container(engine, reference, image) => {
                let launch = launch(&Place {
                    runtime: Runtime::Docker,
                    folder: PathBuf::from(FOLDER),
                    listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, backend.image.port)),
                    address,
                    spare,
                    further: further.clone(),
                });
                let mut published = vec![(address.port(), backend.image.port)];
                published.extend(further.into_iter().map(|port| (port, port)));
                let container = engine.start(backend, reference, image, &published, launch)?;
                Ok((Body::Container(container), None))
            }
        }
    }
}

/// Starts a server, and a second one where the first stays silent: it may wait for its disk without
/// end, and a new one comes up in a second.
pub(crate) fn twice<T>(name: &str, start: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    match start() {
        Err(error) if error.is_silence() => {
            runtime::say(&format!("{name} is started once more: {error}"));
            start()
        }
        result => result,
    }
}
