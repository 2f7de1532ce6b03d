//! The files of a registry: which there are, and how one is known by what it holds.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{beside, key};

/// What SQLite and linkdial keep beside a registry.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".sweep"];

/// What a file of a registry is.
const REGISTRY: &str = "the registry";
const KEY: &str = "the key of the registry";
const OTHER: &str = "a file of the registry";

/// Returns every file that a registry has or may get, and what it is.
pub(crate) fn files(registry: &Path, key_file: Option<&Path>) -> Vec<(&'static str, PathBuf)> {
    let key_file = key_file.map_or_else(|| beside(registry), Path::to_owned);
    let mut files = vec![(REGISTRY, registry.to_owned()), (KEY, key_file.clone())];
    // They stand beside the file itself, whatever link leads to it.
    for path in named_and_found(registry) {
        files.extend(BESIDE.map(|end| (OTHER, key::named_behind(&path, end))));
    }
    for path in named_and_found(&key_file) {
        files.extend(key::BESIDE.map(|end| (OTHER, key::named_behind(&path, end))));
    }
    files
}

fn named_and_found(path: &Path) -> impl Iterator<Item = PathBuf> {
    let found = fs::canonicalize(path).ok();
    let found = found.filter(|found| found != path);
    [path.to_owned()].into_iter().chain(found)
}

/// Returns what a file is that holds a registry or keys, whatever its name.
pub(crate) fn known_by_contents(path: &Path) -> Option<&'static str> {
    // To open a pipe would wait for its other end.
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(key::LONGEST_FILE).read_to_end(&mut bytes).ok()?;
    if bytes.starts_with(b"SQLite format 3\0") {
        Some("a registry")
    } else if key::holds_keys(&bytes) {
        Some("the key of a registry")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Location, Registry};

    #[test]
    fn all_files_of_a_registry_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.db");
        let registry = Registry::open(&Location::Sqlite(path.clone()), None).unwrap();
        drop(registry.lock_for_sweep().unwrap());
        let known = files(&path, None);
        for found in fs::read_dir(folder.path()).unwrap() {
            let found = found.unwrap().path();
            assert!(known.iter().any(|(_, it)| *it == found), "{found:?}");
        }
        let other = folder.path().join("other");
        for (name, what) in [("db", "a registry"), ("key", "the key of a registry")] {
            fs::copy(path.with_extension(name), &other).unwrap();
            assert_eq!(known_by_contents(&other), Some(what));
        }
        // Somebody may have removed our words.
        let keys = fs::read_to_string(path.with_extension("key")).unwrap();
        fs::write(&other, keys.replace("# Keys", "# My keys")).unwrap();
        assert_eq!(known_by_contents(&other), Some("the key of a registry"));
        fs::write(&other, "SELECT 'linkdial-key-1';").unwrap();
        assert_eq!(known_by_contents(&other), None);
        assert_eq!(known_by_contents(folder.path()), None);
    }
}
