#![expect(
    clippy::disallowed_methods,
    reason = "the engine's address is named by a variable"
)]

use std::collections::HashMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::query_parameters::CreateImageOptions;
use testcontainers::core::client::docker_client_instance;
use tokio::runtime::Runtime;

use super::run;
use crate::image::Reference;

/// How long an engine may take to answer its first question.
const PING: Duration = Duration::from_millis(500);

/// How long an engine may take for a look at what it has.
const LOOK: Duration = Duration::from_secs(10);

/// How long fetching an image may take.
const PULL: Duration = Duration::from_mins(3);

/// A Docker engine on this machine that answers.
#[derive(Debug)]
pub(crate) struct Engine {
    host: String,
    docker: Docker,
    /// Whether each image that was asked for is there, or why not.
    images: Mutex<HashMap<Reference, Result<(), String>>>,
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
        let told = |reason: String| format!("no engine at {host}: {reason}");
        let docker = wait_for(PING, async {
            let docker = docker_client_instance().await.map_err(plain)?;
            docker.ping().await.map_err(plain)?;
            Ok::<_, String>(docker)
        })
        .map_err(told)?;
        let engine = Self {
            host: host.clone(),
            docker,
            images: Mutex::default(),
        };
        let docker = engine.docker.clone();
        // What stays after a failed sweep harms nobody, and the next run tries again.
        drop(wait_for(LOOK, async move { run::sweep(&docker).await }));
        Ok(engine)
    }

    /// The engine's address, as the variable `DOCKER_HOST` takes it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Sees to it that the engine has an image, and fetches it when it may.
    pub(crate) fn provide(&self, reference: &Reference) -> Result<(), String> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = images.get(reference) {
            return known.clone();
        }
        let provided = self.look_and_pull(reference);
        images.insert(reference.clone(), provided.clone());
        provided
    }

    fn look_and_pull(&self, reference: &Reference) -> Result<(), String> {
        let (docker, name) = (self.docker.clone(), reference.to_string());
        let there = wait_for(LOOK, async move {
            match docker.inspect_image(&name).await {
                Ok(_) => Ok(true),
                Err(DockerError::DockerResponseServerError {
                    status_code: 404, ..
                }) => Ok(false),
                Err(error) => Err(error),
            }
        })?;
        if there {
            return Ok(());
        }
        let missing = format!("the engine at {} has no image {reference}", self.host);
        if !reference.pull {
            return Err(format!("{missing}; `make images` builds one"));
        }
        let (docker, wanted) = (self.docker.clone(), reference.clone());
        let pulled = wait_for(PULL, async move {
            let options = CreateImageOptions {
                from_image: Some(wanted.repository),
                tag: Some(wanted.tag),
                ..CreateImageOptions::default()
            };
            let progress = docker.create_image(Some(options), None, None);
            progress.try_for_each(async |_| Ok(())).await
        });
        pulled.map_err(|reason| {
            format!("{missing}, and cannot fetch it: {reason}; `make images` builds one")
        })
    }
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
        let done = tokio::time::timeout(limit, call).await;
        // The receiver waits for this and nothing else.
        drop(sender.send(done));
    });
    match receiver.recv() {
        Ok(Ok(done)) => done.map_err(plain),
        Ok(Err(_)) => Err(format!("no answer within {limit:?}")),
        Err(_) => Err("the call has panicked".to_owned()),
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
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(host) = variable("DOCKER_HOST") {
        let near = match host.split_once("://") {
            Some(("unix" | "npipe", _)) => true,
            Some(("tcp" | "http", rest)) => ["127.", "localhost", "[::1]"]
                .iter()
                .any(|name| rest.starts_with(name)),
            _ => false,
        };
        return if near {
            Ok(host)
        } else {
            Err(format!("DOCKER_HOST={host} is no engine of this machine"))
        };
    }
    let below = |folder: Option<String>, name: &str| Some(PathBuf::from(folder?).join(name));
    let sockets = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below(variable("XDG_RUNTIME_DIR"), ".docker/run/docker.sock"),
        below(variable("HOME"), ".docker/run/docker.sock"),
        below(variable("HOME"), ".docker/desktop/docker.sock"),
    ];
    match sockets.into_iter().flatten().find(|socket| socket.exists()) {
        Some(socket) => Ok(format!("unix://{}", socket.display())),
        None => Err("no container engine: there is no Docker socket".to_owned()),
    }
}
