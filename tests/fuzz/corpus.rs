//! The seeds below `fuzz/corpus`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(below)
}

pub(crate) fn names(below: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(below)).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

pub(crate) fn folders() -> BTreeSet<String> {
    names("corpus")
}

/// Reads the seeds of a reader in the order of their names. What libFuzzer adds to a work tree has a
/// hash for a name; those count as well.
pub(crate) fn read(name: &str) -> Vec<Vec<u8>> {
    let below = format!("corpus/{name}");
    let seeds = names(&below);
    let read = |seed: &String| fs::read(folder(&below).join(seed)).unwrap();
    seeds.iter().map(read).collect()
}
