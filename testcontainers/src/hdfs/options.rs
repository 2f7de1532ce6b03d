use super::Hdfs;
use super::cluster::{HdfsCluster, Plan};
use super::install::hadoop;
use crate::Error;

/// How an [`Hdfs`] is started.
#[derive(Debug, Clone, Default)]
pub struct HdfsOptions {
    plan: Plan,
}

impl HdfsOptions {
    /// Starts so many DataNodes; the default is one. The first one has all blocks. Without any, all
    /// blocks are missing.
    #[must_use]
    pub fn datanodes(mut self, count: usize) -> Self {
        self.plan.datanodes = count;
        self
    }

    /// Keeps so many copies of each block, also of what clients write; the default is one.
    #[must_use]
    pub fn replication(mut self, copies: u16) -> Self {
        self.plan.replication = copies;
        self
    }

    /// Sets a property of all nodes, such as `dfs.datanode.hostname`.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        let property = (name.to_owned(), value.to_owned());
        self.plan.properties.push(property);
        self
    }

    /// Installs Hadoop if needed (a minute, once) and starts the nodes (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start(self) -> Result<Hdfs, Error> {
        let cluster = HdfsCluster::launch(&hadoop()?, &self.plan)?;
        Ok(Hdfs { cluster })
    }
}
