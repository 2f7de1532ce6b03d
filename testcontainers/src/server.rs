//! A server that runs as a container or as a process, with one description for both.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[cfg(feature = "containers")]
use crate::container::{Container, Engine};
use crate::image::Image;
#[cfg(feature = "containers")]
use crate::image::Reference;
use crate::process::{Process, with_port};
use crate::runtime::{self, Runtime};
use crate::{Error, Scratch};

/// The folder of a run's files inside a container.
#[cfg(feature = "containers")]
pub(crate) const FOLDER: &str = "/linkdial";

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
}

/// A running server; it ends with the handle, or with the process of the test.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    /// Why it has this runtime.
    why: String,
    // Before the folder, which goes only after its process has gone.
    body: Body,
    address: SocketAddr,
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
    pub(crate) fn start(
        backend: &Backend,
        launch: impl Fn(&Place) -> Launch,
        ready: impl Fn(SocketAddr) -> Result<(), String>,
    ) -> Result<Self, Error> {
        let (choice, why) = Choice::of(backend)?;
        let server = with_port(|port| {
            let server = choice.launch(backend, port, &why, &launch)?;
            server.wait(backend.start, || ready(server.address))?;
            Ok(server)
        })?;
        server.record();
        Ok(server)
    }

    pub(crate) fn runtime(&self) -> Runtime {
        match self.body {
            Body::Process(_) => Runtime::Local,
            #[cfg(feature = "containers")]
            Body::Container(_) => Runtime::Docker,
        }
    }

    /// What clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a person finds it: its process, or its container and image.
    pub(crate) fn whereabouts(&self) -> String {
        match &self.body {
            Body::Process(process) => format!("process {}", process.pid()),
            #[cfg(feature = "containers")]
            Body::Container(container) => container.to_string(),
        }
    }

    /// The process id, when it is a process of this machine.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.body {
            Body::Process(process) => Some(process.pid()),
            #[cfg(feature = "containers")]
            Body::Container(_) => None,
        }
    }

    /// The folder of its files, when it is a process of this machine.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Scratch::path)
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
    pub(crate) fn record(&self) {
        runtime::record(self.name, self.runtime(), &self.why);
    }
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
        port: u16,
        why: &str,
        launch: &impl Fn(&Place) -> Launch,
    ) -> Result<Server, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (body, folder) = match self {
            Self::Process => {
                let folder = Scratch::new(backend.name)?;
                let launch = launch(&Place {
                    runtime: Runtime::Local,
                    folder: folder.path().to_owned(),
                    listen: address,
                    address,
                });
                for (name, contents) in &launch.files {
                    folder.write(name, contents)?;
                }
                let mut command = (backend.program)()?;
                command.args(launch.arguments).envs(launch.variables);
                let process = Process::start(backend.name, &folder, &command)?;
                (Body::Process(process), Some(folder))
            }
            #[cfg(feature = "containers")]
            Self::Container(engine, reference, image) => {
                let launch = launch(&Place {
                    runtime: Runtime::Docker,
                    folder: PathBuf::from(FOLDER),
                    listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, backend.image.port)),
                    address,
                });
                let container = engine.start(backend, reference, image, port, launch)?;
                (Body::Container(container), None)
            }
        };
        Ok(Server {
            name: backend.name,
            why: why.to_owned(),
            body,
            address,
            folder,
        })
    }
}
