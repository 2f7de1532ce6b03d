//! Apache Hadoop's HDFS, with files, folders and users inside.

mod cluster;
mod contents;
mod install;
mod node;
mod options;
mod settings;
mod web;
mod world;

use std::ops::Deref;
use std::sync::OnceLock;

pub use cluster::HdfsCluster;
pub use contents::HdfsEntry;
pub use options::HdfsOptions;
pub use world::{HdfsPath, HdfsUser};

use crate::statement::{identifier, literal};
use crate::{Error, LinkStatement};

/// Apache Hadoop's HDFS on loopback without a login, one NameNode and one DataNode as processes;
/// they end with the handle.
///
/// [`HdfsPath`] says what lies inside. A client is whom it says it is, and no user of the machine is
/// the superuser.
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
    /// Installs Hadoop if needed (a minute, once) and starts its nodes (some seconds).
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

    /// A path as the target of a pipeline takes it: `hdfs://127.0.0.1:PORT/PATH`.
    pub fn url(&self, path: impl AsRef<str>) -> String {
        format!("hdfs://{}{}", self.addr(), path.as_ref())
    }

    /// A ready `CREATE LINK`.
    pub fn create_link(&self, name: &str) -> LinkStatement {
        LinkStatement::new(name, "HDFS")
            .config("hadoop.security.authentication", "simple")
            .with_empty_credentials()
    }

    /// A ready `CREATE PIPELINE` that reads a path through the link.
    pub fn create_pipeline(
        &self,
        name: &str,
        path: impl AsRef<str>,
        link: &LinkStatement,
    ) -> String {
        pipeline(name, &self.url(path), link)
    }
}

fn pipeline(name: &str, url: &str, link: &LinkStatement) -> String {
    format!(
        "CREATE PIPELINE {} AS LOAD DATA LINK {} {} INTO TABLE t;\n",
        identifier(name),
        link.quoted_name(),
        literal(url),
    )
}
