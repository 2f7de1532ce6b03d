//! How far a check goes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use linkdial_core::{Settings, Stage};

use super::environment;
use super::exit::Failure;
use super::output::Input;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Depth")]
pub(super) struct DepthArguments {
    /// Stop after a stage
    #[arg(long, value_name = "STAGE", value_parser = stage_parser())]
    until: Option<Stage>,
    /// Send no packet; the same as `--until define`
    #[arg(long, conflicts_with_all = ["until", "write", "post_empty", "prove"])]
    pub(super) offline: bool,
    /// Try a wrong secret too: one attempt for each check that logged in
    ///
    /// One character of the secret is changed, and the server has to refuse it. A server that takes
    /// it proves nothing: `authenticate.not-enforced`. The attempt counts as a failed login, which may
    /// lock an account (Kerberos, Active Directory, brokers with LDAP behind them).
    #[arg(long)]
    pub(super) prove: bool,
    #[command(flatten)]
    pub(super) whole: WholeArguments,
}

/// What holds for a walk to its end.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Depth")]
pub(super) struct WholeArguments {
    /// Write a small object where the script writes, read it back and delete it
    #[arg(long)]
    pub(super) write: bool,
    /// HTTP: send one batch of zero rows in the function's format
    #[arg(long)]
    pub(super) post_empty: bool,
    /// A file that a link names by its path on the cluster lies here; repeatable
    #[arg(long = "file", value_name = "CLUSTER_PATH=LOCAL_PATH", value_parser = paths)]
    cluster_files: Vec<(PathBuf, PathBuf)>,
    /// The configuration of Kerberos [default: /etc/krb5.conf]
    #[arg(long, value_name = "FILE", env = "KRB5_CONFIG", hide_env_values = true)]
    krb5_conf: Option<OsString>,
}

impl DepthArguments {
    /// Returns the last stage that is asked for.
    pub(super) fn until(&self) -> Stage {
        if self.offline {
            Stage::Define
        } else {
            self.until.unwrap_or(Stage::Write)
        }
    }

    /// Refuses paths of this machine that lead nowhere.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.whole.check()
    }
}

impl WholeArguments {
    /// Returns where files of the cluster lie here; of two for one path the last counts.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, PathBuf> {
        self.cluster_files.iter().cloned().collect()
    }

    /// Returns the files of this machine that are read for links.
    pub(super) fn inputs(&self) -> impl Iterator<Item = Input> {
        let files = self.cluster_files.iter();
        let files = files.map(|(_, local)| ("the file of `--file`", local.clone()));
        files.chain([("the configuration of Kerberos", self.krb5_conf())])
    }

    /// Refuses paths of this machine that lead nowhere.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let absent = |option: &str, path: &Path| {
            let path = path.display();
            Failure::Usage(format!("`{option}`: there is no `{path}` on this machine"))
        };
        for (_, local) in &self.cluster_files {
            if !local.exists() {
                return Err(absent("--file", local));
            }
        }
        let conf = self.krb5_conf();
        // A variable may be meant for other programs; the report says which file counted.
        if self.krb5_conf.is_some() && !conf.exists() && !environment::is_krb5_config(&conf) {
            return Err(absent("--krb5-conf", &conf));
        }
        Ok(())
    }

    /// Returns the configuration of Kerberos that counts.
    pub(super) fn krb5_conf(&self) -> PathBuf {
        self.krb5_conf
            .as_deref()
            .map_or_else(|| PathBuf::from(Settings::KRB5_CONF), first_of_several)
    }
}

/// `KRB5_CONFIG` may list several files with colons between them: the first that is here counts.
fn first_of_several(files: &OsStr) -> PathBuf {
    let named = |file: &PathBuf| !file.as_os_str().is_empty();
    let files: Vec<PathBuf> = std::env::split_paths(files).filter(named).collect();
    let found = files.iter().find(|file| file.exists()).or(files.first());
    found.map_or_else(|| PathBuf::from(Settings::KRB5_CONF), PathBuf::clone)
}

fn paths(text: &str) -> Result<(PathBuf, PathBuf), &'static str> {
    match text.split_once('=') {
        Some((cluster, local)) if !cluster.is_empty() && !local.is_empty() => {
            Ok((cluster.into(), local.into()))
        }
        _ => Err("write the path on the cluster, `=` and the path here"),
    }
}

fn stage_parser() -> impl clap::builder::TypedValueParser<Value = Stage> {
    PossibleValuesParser::new(Stage::ALL.map(Stage::as_str)).map(|word| {
        Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == word)
            .expect("one of the possible values")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_mapped_at_the_first_equals_sign() {
        assert_eq!(paths("/a=b=c"), Ok(("/a".into(), "b=c".into())));
        for wrong in ["/a", "=b", "/a=", ""] {
            assert!(paths(wrong).is_err(), "{wrong}");
        }
    }
}
