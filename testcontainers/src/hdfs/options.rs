use super::cluster::{HdfsCluster, Plan};
use super::install::hadoop;
use super::realm::{Protection, Realm};
use super::{Hdfs, HdfsPair, SecuredHdfs};
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
        self.plan.set(name, value);
        self
    }

    /// Installs Hadoop if needed (half a minute, once) and starts the nodes (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start(self) -> Result<Hdfs, Error> {
        let cluster = HdfsCluster::launch(&hadoop()?, &self.plan, None)?;
        Ok(Hdfs { cluster })
    }
}

/// What Kerberos does for traffic besides the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HdfsProtection {
    /// Nothing.
    Authentication,
    /// Nobody can change it.
    Integrity,
    /// Nobody can read it either.
    Privacy,
}

impl HdfsProtection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Authentication, Self::Integrity, Self::Privacy];

    /// Hadoop's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Integrity => "integrity",
            Self::Privacy => "privacy",
        }
    }
}

/// What blocks are encrypted with on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HdfsCipher {
    /// Triple DES, the slow one that Hadoop takes by itself.
    TripleDes,
    /// AES, the suite `AES/CTR/NoPadding`.
    Aes,
}

impl HdfsCipher {
    pub(super) fn property(self) -> (&'static str, &'static str) {
        match self {
            Self::TripleDes => ("dfs.encrypt.data.transfer.algorithm", "3des"),
            Self::Aes => (
                "dfs.encrypt.data.transfer.cipher.suites",
                "AES/CTR/NoPadding",
            ),
        }
    }
}

/// How a [`SecuredHdfs`] is started.
#[derive(Debug, Clone, Default)]
pub struct SecuredHdfsOptions {
    plan: Plan,
    protection: Protection,
}

impl SecuredHdfsOptions {
    /// Protects the traffic with NameNodes; the default is [`HdfsProtection::Authentication`].
    #[must_use]
    pub fn rpc_protection(mut self, protection: HdfsProtection) -> Self {
        self.protection.rpc = protection;
        self
    }

    /// Protects the traffic with DataNodes; the default is [`HdfsProtection::Authentication`].
    /// Without any, DataNodes ask for no login and show to whoever has the NameNode's token.
    #[must_use]
    pub fn transfer_protection(mut self, protection: Option<HdfsProtection>) -> Self {
        self.protection.transfer = protection;
        self
    }

    /// Encrypts the traffic with DataNodes in the older way, with keys that the NameNode hands out.
    #[must_use]
    pub fn encrypted_transfer(mut self, cipher: HdfsCipher) -> Self {
        self.protection.encryption = Some(cipher);
        self
    }

    /// Sets a property of all nodes, such as `dfs.encrypt.data.transfer.cipher.suites`.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.plan.set(name, value);
        self
    }

    /// Installs Hadoop if needed (half a minute, once) and starts the nodes with a realm of their
    /// own (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or MIT Kerberos is not installed.
    pub fn start(self) -> Result<SecuredHdfs, Error> {
        let hadoop = hadoop()?;
        let realm = Realm::new(self.protection)?;
        let cluster = HdfsCluster::launch(&hadoop, &self.plan, Some(&realm))?;
        Ok(SecuredHdfs { cluster, realm })
    }
}

/// Where two NameNodes share their changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HdfsEdits {
    /// In a folder that both can write to.
    #[default]
    Folder,
    /// At a JournalNode, as most clusters do.
    Journal,
}

/// How an [`HdfsPair`] is started.
#[derive(Debug, Clone, Default)]
pub struct HdfsPairOptions {
    plan: Plan,
    kerberos: bool,
}

impl HdfsPairOptions {
    /// How many NameNodes there are.
    const SIZE: usize = 2;

    /// Shares the changes there; the default is [`HdfsEdits::Folder`].
    #[must_use]
    pub fn edits(mut self, edits: HdfsEdits) -> Self {
        self.plan.edits = edits;
        self
    }

    /// Asks for a login with Kerberos; the default is none.
    #[must_use]
    pub fn kerberos(mut self) -> Self {
        self.kerberos = true;
        self
    }

    /// Installs Hadoop if needed (half a minute, once) and starts the nodes (some seconds), with a
    /// realm of their own where they ask for a login.
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or MIT Kerberos is needed and not installed.
    pub fn start(mut self) -> Result<HdfsPair, Error> {
        self.plan.namenodes = Self::SIZE;
        let hadoop = hadoop()?;
        let realm = if self.kerberos {
            Some(Realm::new(Protection::default())?)
        } else {
            None
        };
        let cluster = HdfsCluster::launch(&hadoop, &self.plan, realm.as_ref())?;
        let pair = HdfsPair { cluster, realm };
        pair.activate(1)?;
        Ok(pair)
    }
}
