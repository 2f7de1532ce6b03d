//! Apache Hadoop's HDFS, with files, folders and users inside.

mod cluster;
mod contents;
mod install;
mod journal;
mod node;
mod options;
mod pair;
mod realm;
mod secured;
mod settings;
mod web;
mod world;

use std::ops::Deref;
use std::sync::OnceLock;

pub use cluster::HdfsCluster;
use cluster::plain_link;
pub use contents::HdfsEntry;
pub use node::HdfsNode;
pub use options::{
    HdfsCipher, HdfsEdits, HdfsOptions, HdfsPairOptions, HdfsProtection, SecuredHdfsOptions,
};
pub use pair::HdfsPair;
pub use secured::SecuredHdfs;
pub use world::{HdfsPath, HdfsUser};

use crate::{Error, LinkStatement};

/// Apache Hadoop's HDFS on loopback without a login, one NameNode and one DataNode as processes;
/// they end with the handle.
///
/// [`HdfsPath`] says what lies inside. A client is whom it says it is, and whoever runs the tests is
/// not the superuser.
#[derive(Debug)]
pub struct Hdfs {
    cluster: HdfsCluster,
}

impl Deref for Hdfs {
    type Target = HdfsCluster;

    fn deref(&self) -> &HdfsCluster {
        &self.cluster
    }
}

impl std::ops::DerefMut for Hdfs {
    fn deref_mut(&mut self) -> &mut HdfsCluster {
        &mut self.cluster
    }
}

impl Hdfs {
    /// Installs Hadoop if needed (half a minute, once) and starts its nodes (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Error> {
        HdfsOptions::default().start()
    }

    /// The one that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Hdfs> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("HDFS: {error}")))
    }

    /// A ready `CREATE LINK`.
    pub fn create_link(&self, name: &str) -> LinkStatement {
        plain_link(name)
    }
}
