//! Which registry, which key, and who acts.

use std::path::PathBuf;

use clap::ValueHint;

use super::exit::Failure;
use super::{environment, terminal};
use crate::registry::{Location, Registry, RegistryError};

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

impl RegistryArguments {
    /// Opens the registry; makes it, and its key, where there is none.
    pub(super) fn open(self) -> Result<Registry, Failure> {
        let location = match self.registry {
            Some(text) => text.parse().map_err(|error| failure(&error))?,
            None => Location::Sqlite(default_path()?),
        };
        let registry = Registry::open(&location, self.key_file).map_err(|error| failure(&error))?;
        if let Some(key) = registry.new_key() {
            terminal::warn(&format!(
                "the new registry `{location}` is sealed with the new key `{}`: move the key to \
                 where the registry's backups do not go, and name it with --key-file or \
                 LINKDIAL_KEY_FILE",
                key.display()
            ));
        } else if registry.key_is_exposed() {
            terminal::warn(&format!(
                "others may read the key `{}`: run `chmod 600` on it",
                registry.key_file().display()
            ));
        }
        Ok(registry)
    }
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
