//! How deep, how long and over which network a probe goes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::net::Net;
use crate::stage::Stage;

/// What the caller allows a probe to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The last stage to walk.
    pub until: Stage,
    /// Whether the write stage may run where the intent writes.
    pub write: bool,
    /// Whether an HTTP link may send one batch of zero rows.
    pub post_empty: bool,
    /// Whether a check that logged in is followed by one attempt with a wrong secret.
    pub prove: bool,
    /// The deadline of each stage.
    pub stage_timeout: Duration,
    /// The deadline of one check as a whole.
    pub check_timeout: Duration,
    /// Where files lie here that links name by their path on the cluster.
    pub files: BTreeMap<PathBuf, PathBuf>,
    /// The configuration of Kerberos that links with GSSAPI are dialled by.
    pub krb5_conf: PathBuf,
    /// The program that runs clients which need a process of their own: linkdial's own command.
    /// Without it such a client is not run, and the notes say so.
    pub client_program: Option<PathBuf>,
    /// Names, addresses, certificates and routes.
    pub net: Net,
}

impl Settings {
    /// The deadline of each stage unless the caller says otherwise.
    pub const STAGE_TIMEOUT: Duration = Duration::from_secs(5);
    /// The deadline of one check unless the caller says otherwise.
    pub const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
    /// The configuration of Kerberos unless the caller says otherwise.
    pub const KRB5_CONF: &str = "/etc/krb5.conf";

    /// Returns where a file of the cluster is looked for on this machine: where `files` says, else
    /// at the same path.
    pub fn local_path<'a>(&'a self, cluster_path: &'a Path) -> &'a Path {
        self.files
            .get(cluster_path)
            .map_or(cluster_path, PathBuf::as_path)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            until: Stage::Write,
            write: false,
            post_empty: false,
            prove: false,
            stage_timeout: Self::STAGE_TIMEOUT,
            check_timeout: Self::CHECK_TIMEOUT,
            files: BTreeMap::new(),
            krb5_conf: PathBuf::from(Self::KRB5_CONF),
            client_program: None,
            net: Net::default(),
        }
    }
}
