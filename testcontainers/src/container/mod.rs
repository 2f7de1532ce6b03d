//! Servers as containers of a Docker engine.

mod engine;
mod guard;
mod run;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::HostConfig;
use testcontainers::bollard::query_parameters::{LogsOptions, WaitContainerOptions};
use testcontainers::core::{ContainerPort, Mount};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _};

pub(crate) use engine::Engine;
use engine::{RUNTIME, is_not_found, remove, wait_for};
use guard::Guard;

use crate::image::Reference;
use crate::server::{Backend, DATA, FOLDER, Launch, Whereabouts};
use crate::{Error, ready, runtime};

/// How long an engine may take to remove a container.
const REMOVAL: Duration = Duration::from_secs(10);

/// What is waited for before an engine that gave up is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// How many lines of a log are shown.
const TAIL: &str = "40";

/// A server in a container; it is removed with the handle, or when the process of the test ends.
pub(crate) struct Container {
    server: &'static str,
    name: String,
    reference: Reference,
    engine: &'static Engine,
    ended: Arc<AtomicBool>,
    guard: Guard,
}

impl Engine {
    /// Starts a container of an image, by its id. Of each pair the first is a port of 127.0.0.1
    /// at which the second, one of the container, is published.
    pub(crate) fn start(
        &'static self,
        backend: &Backend,
        reference: &Reference,
        image: &str,
        published: &[(u16, u16)],
        launch: Launch,
    ) -> Result<Container, Error> {
        let failed = |reason: String| Error::Container {
            doing: format!("start {reference}"),
            reason: format!("{reason} (LINKDIAL_TEST_RUNTIME=local does without containers)"),
        };
        let run = self.begin_run().map_err(failed)?;
        let name = run.name(backend.name);
        // First, so that the container goes even if this process ends while it is being made.
        let mut guard = Guard::start(self.host(), &name).map_err(Error::io("start sh"))?;
        let command = backend.image.command.iter().map(|word| (*word).to_owned());
        // An id reads as a repository and a tag, and nothing else can be fetched under it.
        let (algorithm, digest) = image.split_once(':').unwrap_or((image, "latest"));
        let mut request = GenericImage::new(algorithm, digest)
            .with_cmd(command.chain(launch.arguments))
            .with_container_name(&name)
            .with_labels(run.labels())
            .with_startup_timeout(backend.start)
            // In memory: what a server wants to be safe on a disk waits for all who write there.
            .with_mount(Mount::tmpfs_mount(format!("{FOLDER}/{DATA}")))
            .with_host_config_modifier(on_loopback);
        for &(port, inside) in published {
            request = request.with_mapped_port(port, ContainerPort::Tcp(inside));
        }
        for (key, value) in launch.variables {
            request = request.with_env_var(key, value);
        }
        for (file, contents) in launch.files {
            request = request.with_copy_to(format!("{FOLDER}/{file}"), contents);
        }
        let started = wait_for(backend.start, async move { request.start().await });
        guard.made();
        let ended = Arc::new(AtomicBool::new(false));
        let container = Container {
            server: backend.name,
            name,
            reference: reference.clone(),
            engine: self,
            ended,
            guard,
        };
        // What was made before the failure goes with the handle.
        let handle = started.map_err(failed)?;
        watch(
            self.docker().clone(),
            handle.id().to_owned(),
            Arc::clone(&container.ended),
        );
        // From here on the container is ours to remove: the crate's own end has no deadline.
        std::mem::forget(handle);
        Ok(container)
    }
}

/// Sets the flag when the container ends.
fn watch(docker: Docker, id: String, ended: Arc<AtomicBool>) {
    RUNTIME.spawn(async move {
        loop {
            let mut ends = Box::pin(docker.wait_container(&id, None::<WaitContainerOptions>));
            match ends.next().await {
                // An exit code other than 0 comes as an error.
                Some(Ok(_) | Err(DockerError::DockerContainerWaitError { .. })) => break,
                Some(Err(error)) if is_not_found(&error) => break,
                // The engine gave up, which says nothing about the container.
                Some(Err(_)) | None => tokio::time::sleep(PAUSE).await,
            }
        }
        ended.store(true, Ordering::SeqCst);
    });
}

/// Testcontainers publishes on every interface.
fn on_loopback(config: &mut HostConfig) {
    let bindings = config.port_bindings.iter_mut().flatten();
    for binding in bindings
        .filter_map(|(_, bindings)| bindings.as_mut())
        .flatten()
    {
        binding.host_ip = Some("127.0.0.1".to_owned());
    }
}

impl Container {
    /// Asks `ready` until it agrees, the container ends or the time is over.
    pub(crate) fn wait(
        &self,
        limit: Duration,
        ready: impl FnMut() -> Result<(), String>,
    ) -> Result<(), Error> {
        ready::wait(self.server, limit, &self.ended, || self.log(), ready)
    }

    pub(crate) fn whereabouts(&self) -> Whereabouts {
        Whereabouts::Container {
            name: self.name.clone(),
            image: self.reference.to_string(),
            engine: self.engine.host().to_owned(),
        }
    }

    fn log(&self) -> String {
        let (docker, name) = (self.engine.docker().clone(), self.name.clone());
        let lines = async move {
            let options = LogsOptions {
                stdout: true,
                stderr: true,
                tail: TAIL.to_owned(),
                ..LogsOptions::default()
            };
            let lines = docker.logs(&name, Some(options));
            let lines: Vec<_> = lines.filter_map(async |line| line.ok()).collect().await;
            Ok::<_, Error>(lines.iter().map(ToString::to_string).collect::<String>())
        };
        wait_for(REMOVAL, lines).unwrap_or_else(|reason| reason)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let (docker, name) = (self.engine.docker().clone(), self.name.clone());
        match wait_for(REMOVAL, async move { remove(&docker, &name).await }) {
            Ok(()) => self.guard.removed(),
            // The guard, which sees its pipe end now, is the next to try; then the next run's sweep.
            Err(reason) => {
                runtime::say(&format!("{self} could not be removed yet: {reason}"));
            }
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {} of {}", self.name, self.reference)
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("name", &self.name)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}
