use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};

use crate::install::cache;

/// The label of every container that this crate starts; its value is the run.
const LABEL: &str = "linkdial.run";

/// One process that starts containers.
///
/// Its lock file is held as long as the process lives, and let go by the system however it ends.
/// So whoever can take the lock knows that the run's containers belong to nobody.
#[derive(Debug)]
pub(super) struct Run {
    id: String,
    started: AtomicU32,
    _lock: File,
}

impl Run {
    /// The run of this process.
    pub(super) fn current() -> Result<&'static Self, String> {
        static RUN: OnceLock<Result<Run, String>> = OnceLock::new();
        RUN.get_or_init(Self::begin).as_ref().map_err(Clone::clone)
    }

    fn begin() -> Result<Self, String> {
        let folder = folder()?;
        let _door = door(&folder)?;
        let lock = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .tempfile_in(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let (lock, path) = lock.keep().map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let id = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            id: id.into_owned(),
            started: AtomicU32::new(0),
            _lock: lock,
        })
    }

    /// A new name for a container of this run.
    pub(super) fn name(&self, server: &str) -> String {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        format!("linkdial-{server}-{}-{number}", self.id)
    }

    pub(super) fn labels(&self) -> [(&'static str, String); 1] {
        [(LABEL, self.id.clone())]
    }
}

/// Removes the containers of runs of this user on this machine that are over, and of no others.
pub(super) async fn sweep(docker: &Docker) -> Result<(), String> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([(
            "label".to_owned(),
            vec![LABEL.to_owned()],
        )])),
        ..ListContainersOptions::default()
    };
    let found = docker.list_containers(Some(options)).await;
    let mut runs: HashMap<String, Vec<String>> = HashMap::new();
    for container in found.map_err(|error| error.to_string())? {
        let labels = container.labels.unwrap_or_default();
        if let (Some(run), Some(id)) = (labels.get(LABEL), container.id) {
            runs.entry(run.clone()).or_default().push(id);
        }
    }
    let folder = folder()?;
    let _door = door(&folder)?;
    let files = fs::read_dir(&folder).map_err(|error| error.to_string())?;
    for file in files.filter_map(Result::ok).map(|entry| entry.path()) {
        let id = file.file_name().unwrap_or_default().to_string_lossy();
        if id == DOOR || !is_over(&file) {
            continue;
        }
        for container in runs.get(&*id).into_iter().flatten() {
            let force = RemoveContainerOptions {
                force: true,
                v: true,
                ..RemoveContainerOptions::default()
            };
            // Somebody else may remove it at this moment.
            drop(docker.remove_container(container, Some(force)).await);
        }
        // The next sweep meets what could not be removed again.
        drop(fs::remove_file(&file));
    }
    Ok(())
}

/// The name of the lock that whoever makes or removes lock files holds.
const DOOR: &str = "lock";

fn door(folder: &Path) -> Result<File, String> {
    let door = File::create(folder.join(DOOR)).map_err(|error| error.to_string())?;
    door.lock().map_err(|error| error.to_string())?;
    Ok(door)
}

fn is_over(file: &Path) -> bool {
    let lock = File::open(file).map(|file| file.try_lock());
    !matches!(lock, Ok(Err(TryLockError::WouldBlock)) | Err(_))
}

fn folder() -> Result<PathBuf, String> {
    let folder = cache().map_err(|error| error.to_string())?.join("runs");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
