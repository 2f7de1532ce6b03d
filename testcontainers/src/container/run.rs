//! Runs: whose containers are whose, and which of them nobody needs any more.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::ListContainersOptions;

use super::engine::remove;
use crate::install::cache;

/// The label of every container that this crate starts; its value is the run.
const LABEL: &str = "linkdial.run";

/// The name of the lock that whoever looks for runs that are over holds, and whoever begins one.
const DOOR: &str = "lock";

/// How long the door may be closed; it usually is for some microseconds.
const CLOSED: Duration = Duration::from_secs(5);

/// One process that starts containers of one engine.
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
    /// Begins a run on this engine.
    pub(super) fn begin(engine: &str) -> Result<Self, String> {
        let folder = folder(engine)?;
        let _door = open_door(&folder)?;
        let lock = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .tempfile_in(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let (lock, path) = lock.keep().map_err(|error| error.to_string())?;
        lock.try_lock().map_err(|error| error.to_string())?;
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

/// Removes the containers of this user's runs on this machine and engine that are over, and of no
/// others.
pub(super) async fn sweep(docker: &Docker, engine: &str) -> Result<(), String> {
    let over = runs_that_are_over(&folder(engine)?)?;
    if over.is_empty() {
        return Ok(());
    }
    // After the look at the locks: what is over starts nothing more.
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([(
            "label".to_owned(),
            vec![LABEL.to_owned()],
        )])),
        ..ListContainersOptions::default()
    };
    let found = docker.list_containers(Some(options)).await;
    let mut containers: HashMap<String, Vec<String>> = HashMap::new();
    for container in found.map_err(|error| error.to_string())? {
        let labels = container.labels.unwrap_or_default();
        if let (Some(run), Some(id)) = (labels.get(LABEL), container.id) {
            containers.entry(run.clone()).or_default().push(id);
        }
    }
    for (id, file, _lock) in over {
        let mut all_gone = true;
        for container in containers.remove(&id).into_iter().flatten() {
            all_gone &= remove(docker, &container).await.is_ok();
        }
        // The next sweep meets the others again.
        if all_gone {
            drop(fs::remove_file(&file));
        }
    }
    Ok(())
}

/// The runs that are over, each with its file and its lock, so that nobody else sweeps it.
fn runs_that_are_over(folder: &Path) -> Result<Vec<(String, PathBuf, File)>, String> {
    let door = door(folder)?;
    match door.try_lock() {
        Ok(()) => {}
        // Somebody else looks at this moment.
        Err(TryLockError::WouldBlock) => return Ok(Vec::new()),
        Err(TryLockError::Error(error)) => return Err(error.to_string()),
    }
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let files = files.filter_map(Result::ok).map(|entry| entry.path());
    let over = files.filter_map(|file| {
        let id = file.file_name()?.to_str()?.to_owned();
        let lock = (id != DOOR).then(|| File::open(&file).ok())??;
        lock.try_lock().ok()?;
        Some((id, file, lock))
    });
    Ok(over.collect())
}

fn open_door(folder: &Path) -> Result<File, String> {
    let door = door(folder)?;
    let begin = Instant::now();
    loop {
        match door.try_lock() {
            Ok(()) => return Ok(door),
            Err(TryLockError::WouldBlock) if begin.elapsed() < CLOSED => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => {
                let file = folder.join(DOOR);
                return Err(format!("{} is locked: {error}", file.display()));
            }
        }
    }
}

fn door(folder: &Path) -> Result<File, String> {
    let file = folder.join(DOOR);
    File::create(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The folder of the lock files of an engine's runs.
fn folder(engine: &str) -> Result<PathBuf, String> {
    let engine: String = engine
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '-'
            }
        })
        .collect();
    let folder = cache().map_err(|error| error.to_string())?.join("runs");
    let folder = folder.join(engine);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let over = runs_that_are_over(folder).unwrap();
        let mut names: Vec<_> = over.into_iter().map(|(id, _, _)| id).collect();
        names.sort();
        names
    }

    #[test]
    fn run_is_over_when_nobody_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let living = File::create(folder.path().join("living")).unwrap();
        living.lock().unwrap();
        File::create(folder.path().join("ended")).unwrap();
        assert_eq!(names(folder.path()), ["ended"]);
        drop(living);
        assert_eq!(names(folder.path()), ["ended", "living"]);
    }

    #[test]
    fn sweep_leaves_to_the_other_what_the_other_sweeps() {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join("ended")).unwrap();
        let first = runs_that_are_over(folder.path()).unwrap();
        assert_eq!(first.len(), 1);
        assert!(names(folder.path()).is_empty());
        drop(first);
        let door = door(folder.path()).unwrap();
        door.lock().unwrap();
        assert!(names(folder.path()).is_empty());
    }
}
