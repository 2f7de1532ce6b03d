//! Which registry, which key, and who acts.

use std::path::PathBuf;

use clap::ValueHint;
use tempfile::TempDir;

use super::exit::Failure;
use super::output::Input;
use super::{environment, slip, terminal};
use crate::registry::{Location, Registry, RegistryError, files};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct RegistryArguments {
    /// The registry, an SQLite file; by default `linkdial/registry.db` in the user's data folder
    #[arg(
        long,
        value_name = "URL",
        env = "LINKDIAL_REGISTRY",
        hide_env_values = true
    )]
    registry: Option<String>,
    /// The file with the registry's key; by default beside the registry
    #[arg(long, value_name = "FILE", env = "LINKDIAL_KEY_FILE", value_hint = ValueHint::FilePath)]
    key_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct UserArguments {
    /// Act as this user of the registry; guards against slips and is no security boundary
    #[arg(long, value_name = "NAME", default_value = Registry::ROOT)]
    pub(super) user: String,
}

/// What is done where there is no registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Absent {
    /// One is made.
    Make,
    /// One is made that goes with the run: a plan changes nothing.
    Pretend,
    /// It is an error: the name may be misspelt.
    Refuse,
}

/// An open registry.
pub(super) struct Opened {
    pub(super) registry: Registry,
    /// Goes after the registry that lies in it.
    _scratch: Option<TempDir>,
}

impl RegistryArguments {
    /// Refuses what is no path and may be a secret: later sentences quote the path.
    fn refuse_secrets(&self) -> Result<(), Failure> {
        let refused = |reason: &str| Err(Failure::Usage(reason.to_owned()));
        if self.registry.as_deref().is_some_and(slip::has_login) {
            return refused("`--registry` names a file, and takes no user, password or host");
        }
        match &self.key_file {
            Some(path) if slip::is_key(path) || slip::has_login(&path.to_string_lossy()) => {
                refused("`--key-file` names the file that holds the key, and takes no key itself")
            }
            _ => Ok(()),
        }
    }

    /// Opens the registry.
    pub(super) fn open(self, absent: Absent) -> Result<Opened, Failure> {
        self.refuse_secrets()?;
        let location = match self.registry {
            Some(text) => text.parse().map_err(|error| failure(&error))?,
            None => Location::Sqlite(default_path()?),
        };
        let Location::Sqlite(path) = &location;
        match absent {
            Absent::Make => {}
            _ if path.exists() => {}
            Absent::Refuse => {
                return Err(Failure::Broken(format!(
                    "there is no registry at `{location}`\nhint: name another one with --registry; \
                     `linkdial apply` makes a registry"
                )));
            }
            Absent::Pretend => {
                let failed = |error| Failure::Broken(format!("cannot make a folder: {error}"));
                let scratch = tempfile::tempdir().map_err(failed)?;
                let location = Location::Sqlite(scratch.path().join("registry.db"));
                return Ok(Opened {
                    registry: Registry::open(&location, None).map_err(|error| failure(&error))?,
                    _scratch: Some(scratch),
                });
            }
        }
        let registry = Registry::open(&location, self.key_file).map_err(|error| failure(&error))?;
        if let Some(key) = registry.new_key() {
            terminal::warn(&format!(
                "the new registry `{location}` is sealed with the new key `{}`: move the key to \
                 where the registry's backups do not go, and name it with --key-file or \
                 LINKDIAL_KEY_FILE",
                key.display()
            ));
        } else if registry.key_is_exposed() && !environment::is_credential(registry.key_file()) {
            // A credential is open to one user by an access control list, whose mask looks like the
            // rights of a group.
            terminal::warn(&format!(
                "others may read the key `{}`: run `chmod 600` on it",
                registry.key_file().display()
            ));
        }
        Ok(Opened {
            registry,
            _scratch: None,
        })
    }
}

/// Returns the files of the registry that other commands would open here, and what they are.
pub(super) fn own_files() -> Vec<Input> {
    let named = environment::registry();
    let location = match named.as_ref().map(|text| text.parse()) {
        Some(Ok(Location::Sqlite(path))) => Some(path),
        Some(Err(_)) => None,
        None => default_path().ok(),
    };
    let key_file = environment::key_file();
    let registry = location.map(|path| files(&path, key_file.as_deref()));
    // The key may be named where the registry is not.
    let key = key_file.map(|path| ("the key of the registry", path));
    registry.into_iter().flatten().chain(key).collect()
}

/// A registry that did not do its work (exit 3).
pub(super) fn failure(error: &RegistryError) -> Failure {
    let hint = error.hint();
    Failure::Broken(if hint.is_empty() {
        error.to_string()
    } else {
        format!("{error}\nhint: {hint}")
    })
}

fn default_path() -> Result<PathBuf, Failure> {
    let folder = environment::data_folder().ok_or_else(|| {
        Failure::Usage(
            "neither HOME nor XDG_DATA_HOME names a folder for the registry; use --registry"
                .to_owned(),
        )
    })?;
    Ok(folder.join("linkdial").join("registry.db"))
}
