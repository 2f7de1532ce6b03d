//! The engine that runs the containers: whether there is one, and what images it has.

#![expect(
    clippy::disallowed_methods,
    reason = "the engine's address is named by a variable"
)]

use std::collections::HashMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use testcontainers::GenericImage;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::query_parameters::RemoveContainerOptions;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner as _;
use tokio::runtime::Runtime;

use super::run::{self, Run};
use crate::image::Reference;
use crate::runtime;

/// How long an engine may take to answer its first question.
const PING: Duration = Duration::from_millis(500);

/// How long an engine that answers may take for the second question, when processes would do.
const GLANCE: Duration = Duration::from_secs(3);

/// How long an engine may take for a look at what it has.
const LOOK: Duration = Duration::from_secs(10);

/// How long fetching an image may take.
const FETCH: Duration = Duration::from_mins(3);

/// A Docker engine on this machine that answers.
#[derive(Debug)]
pub(crate) struct Engine {
    host: String,
    /// The engine's own name for itself.
    id: String,
    docker: Docker,
    run: OnceLock<Result<Run, String>>,
    /// The id of each image that was asked for, or why there is none.
    images: Mutex<HashMap<Reference, Result<String, String>>>,
}

impl Engine {
    /// Returns the engine that Testcontainers uses, or why there is none. Asked once in a process.
    pub(crate) fn find() -> Result<&'static Self, String> {
        static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
        ENGINE
            .get_or_init(Self::connect)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn connect() -> Result<Self, String> {
        let host = host()?;
        // Whoever insists would rather wait than be told of a busy moment.
        let insists = matches!(runtime::forced(), Ok(Some(runtime::Runtime::Docker)));
        let (ping, look) = if insists {
            (LOOK, LOOK)
        } else {
            (PING, GLANCE)
        };
        let docker = wait_for(ping, async {
            let docker = docker_client_instance().await.map_err(plain)?;
            docker.ping().await.map_err(plain)?;
            Ok::<_, String>(docker)
        })
        .map_err(|reason| format!("no engine at {host}: {reason}"))?;
        let (asked, name) = (docker.clone(), host.clone());
        let id = wait_for(look, async move {
            let info = asked.info().await.map_err(plain)?;
            let id = info.id.unwrap_or(name);
            // What stays after a failed sweep harms nobody, and the next run tries again.
            drop(run::sweep(&asked, &id).await);
            Ok::<_, String>(id)
        })
        .map_err(|reason| format!("the engine at {host} does not work: {reason}"))?;
        Ok(Self {
            host,
            id,
            docker,
            run: OnceLock::new(),
            images: Mutex::default(),
        })
    }

    /// The engine's address, as the variable `DOCKER_HOST` takes it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The run of this process, begun at the first call.
    pub(super) fn begin_run(&self) -> Result<&Run, String> {
        let run = self.run.get_or_init(|| Run::begin(&self.id));
        run.as_ref().map_err(Clone::clone)
    }

    /// Sees to it that the engine has an image, and returns its id; fetches it when it may.
    pub(crate) fn provide(&self, reference: &Reference) -> Result<String, String> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = images.get(reference) {
            return known.clone();
        }
        let provided = self.look_and_fetch(reference);
        images.insert(reference.clone(), provided.clone());
        provided
    }

    fn look_and_fetch(&self, reference: &Reference) -> Result<String, String> {
        if let Some(id) = self.look(reference)? {
            return Ok(id);
        }
        let missing = format!("the engine at {} has no image {reference}", self.host);
        let advice = if reference.named {
            ""
        } else {
            "; `make images` builds one"
        };
        if !reference.pull {
            return Err(format!("{missing}{advice}"));
        }
        runtime::say(&format!("fetching {reference}"));
        let image = GenericImage::new(&reference.repository, &reference.tag);
        let fetched = wait_for(FETCH, async move { image.pull_image().await.map(drop) });
        fetched.map_err(|reason| format!("{missing}, and cannot fetch it: {reason}{advice}"))?;
        self.look(reference)?.ok_or(missing)
    }

    /// The id of an image, when the engine has it.
    fn look(&self, reference: &Reference) -> Result<Option<String>, String> {
        let (docker, name) = (self.docker.clone(), reference.to_string());
        wait_for(LOOK, async move {
            match docker.inspect_image(&name).await {
                Ok(image) => Ok(Some(image.id.unwrap_or(name))),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// Removes a container with its volumes, as well if it runs; one that is not there is removed.
pub(super) async fn remove(docker: &Docker, container: &str) -> Result<(), DockerError> {
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        ..RemoveContainerOptions::default()
    };
    match docker.remove_container(container, Some(options)).await {
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn is_not_found(error: &DockerError) -> bool {
    let DockerError::DockerResponseServerError { status_code, .. } = error else {
        return false;
    };
    *status_code == 404
}

/// Calls of an engine run on a thread of their own, so that a test of any shape can make them.
pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("containers")
        .enable_all()
        .build()
        .expect("a runtime needs only a few descriptors")
});

/// Makes a call and waits for its answer, but no longer than this.
pub(super) fn wait_for<T, E>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, String>
where
    T: Send + 'static,
    E: Display + Send + 'static,
{
    let (sender, receiver) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        // A task of its own, so that what is late is cleaned up without anybody waiting for it.
        let done = tokio::time::timeout(limit, tokio::spawn(call)).await;
        // The receiver waits for this and nothing else.
        drop(sender.send(done));
    });
    match receiver.recv() {
        Ok(Ok(Ok(done))) => done.map_err(plain),
        Ok(Err(_)) => Err(format!("no answer within {limit:?}")),
        Ok(Ok(Err(_))) | Err(_) => Err("the call has panicked".to_owned()),
    }
}

/// The words of an error, on one line.
fn plain(error: impl Display) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The address that Testcontainers uses, when it is on this machine: servers are published on
/// 127.0.0.1.
fn host() -> Result<String, String> {
    let variable = |name| std::env::var(name).ok();
    if let Some(host) = variable("DOCKER_HOST") {
        if host.is_empty() {
            // Testcontainers takes it for an address.
            return Err("no container engine: DOCKER_HOST is empty".to_owned());
        }
        let near = match host.split_once("://") {
            Some(("unix" | "npipe", _)) => true,
            Some(("tcp" | "http", rest)) => is_loopback(rest),
            _ => false,
        };
        return if near {
            Ok(host)
        } else {
            Err(format!("DOCKER_HOST={host} is no engine of this machine"))
        };
    }
    let below = |folder: Option<String>, name: &str| {
        let folder = folder.filter(|folder| !folder.is_empty())?;
        Some(PathBuf::from(folder).join(name))
    };
    let sockets = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below(variable("XDG_RUNTIME_DIR"), ".docker/run/docker.sock"),
        below(variable("HOME"), ".docker/run/docker.sock"),
        below(variable("HOME"), ".docker/desktop/docker.sock"),
    ];
    match sockets.into_iter().flatten().find(|socket| socket.exists()) {
        Some(socket) => Ok(format!("unix://{}", socket.display())),
        None => Err("no container engine: no Docker socket, and no DOCKER_HOST".to_owned()),
    }
}

/// Returns whether the host of `host:port/path` is this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn names_that_begin_like_this_machine_are_others() {
        for near in [
            "localhost:2375",
            "127.0.0.1:2375",
            "[::1]:2375",
            "127.1.2.3",
        ] {
            assert!(is_loopback(near), "{near}");
        }
        for far in [
            "localhost.example:1",
            "127.0.0.1.example:1",
            "10.0.0.1:2375",
            "[::2]:1",
        ] {
            assert!(!is_loopback(far), "{far}");
        }
    }
}
