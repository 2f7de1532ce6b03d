use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::OnceLock;

use super::cluster::plain_link;
use super::realm::Realm;
use crate::{Error, HdfsCluster, HdfsUser, Kdc, LinkStatement, SecuredHdfsOptions};

/// Apache Hadoop's HDFS on loopback with Kerberos, one NameNode and one DataNode as processes; they
/// end with the handle.
///
/// [`HdfsPath`](crate::HdfsPath) says what lies inside. Each [`HdfsUser`] is a principal of the
/// realm.
/// Nobody is served without a ticket, but for the web servers, which this crate asks.
#[derive(Debug)]
pub struct SecuredHdfs {
    // Before the realm, whose files its nodes read.
    pub(super) cluster: HdfsCluster,
    pub(super) realm: Realm,
}

impl Deref for SecuredHdfs {
    type Target = HdfsCluster;

    fn deref(&self) -> &HdfsCluster {
        &self.cluster
    }
}

impl DerefMut for SecuredHdfs {
    fn deref_mut(&mut self) -> &mut HdfsCluster {
        &mut self.cluster
    }
}

impl SecuredHdfs {
    /// Installs Hadoop if needed (half a minute, once) and starts its nodes (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or MIT Kerberos is not installed.
    pub fn start() -> Result<Self, Error> {
        SecuredHdfsOptions::default().start()
    }

    /// The one that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<SecuredHdfs> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("HDFS: {error}")))
    }

    /// The realm, with the principals `nn/localhost`, `dn/localhost` and `jn/localhost` of nodes.
    pub fn kdc(&self) -> &Kdc {
        &self.realm.kdc
    }

    /// The keytab of a user, which goes with the handle.
    pub fn keytab(&self, user: HdfsUser) -> PathBuf {
        self.realm.keytab(user)
    }

    /// A ready `CREATE LINK` with the keytab of a user.
    pub fn create_link_for(&self, name: &str, user: HdfsUser) -> LinkStatement {
        self.realm.log_in(plain_link(name), user)
    }

    /// A `CREATE LINK` without a login, which is refused.
    pub fn plain_link(&self, name: &str) -> LinkStatement {
        plain_link(name)
    }
}
