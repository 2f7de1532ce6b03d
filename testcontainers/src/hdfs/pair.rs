use std::ops::{Deref, DerefMut};

use super::cluster::plain_link;
use super::realm::Realm;
use crate::{Error, HdfsCluster, HdfsPairOptions, HdfsUser, Kdc, LinkStatement};

/// The name of the service that both are.
pub(super) const NAME: &str = "cluster";

const ADMIN: &str = "org.apache.hadoop.hdfs.tools.DFSHAAdmin";

/// Apache Hadoop's HDFS on loopback with two NameNodes, of which the second one stands by, and one
/// DataNode, as processes; they end with the handle.
///
/// [`HdfsPath`](crate::HdfsPath) says what lies inside. [`HdfsPairOptions`] decides where the
/// NameNodes share their changes, and whether they ask for a login.
#[derive(Debug)]
pub struct HdfsPair {
    // Before the realm, whose files its nodes read.
    pub(super) cluster: HdfsCluster,
    pub(super) realm: Option<Realm>,
}

impl Deref for HdfsPair {
    type Target = HdfsCluster;

    fn deref(&self) -> &HdfsCluster {
        &self.cluster
    }
}

impl DerefMut for HdfsPair {
    fn deref_mut(&mut self) -> &mut HdfsCluster {
        &mut self.cluster
    }
}

impl HdfsPair {
    /// Installs Hadoop if needed (half a minute, once) and starts its nodes without a login, with a
    /// shared folder (some seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Error> {
        HdfsPairOptions::default().start()
    }

    /// The same with Kerberos.
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started, or MIT Kerberos is not installed.
    pub fn start_secured() -> Result<Self, Error> {
        HdfsPairOptions::default().kerberos().start()
    }

    /// The number of the active NameNode, if there is one that lives.
    pub fn active(&self) -> Option<usize> {
        let namenodes = self.cluster.namenodes.iter().zip(1..);
        let mut active = namenodes.filter(|(node, _)| node.web.is_active() == Ok(true));
        active.next().map(|(_, number)| number)
    }

    /// Makes a NameNode the active one, by its number from 1 (a second); another one that is stands
    /// by from then on.
    ///
    /// # Errors
    ///
    /// When it does not answer or refuses.
    pub fn activate(&self, number: usize) -> Result<(), Error> {
        match self.active() {
            Some(active) if active == number => Ok(()),
            Some(active) => {
                let (from, to) = (id(active), id(number));
                self.cluster.administer(ADMIN, &["-failover", &from, &to])
            }
            None => {
                // It does not ask the other one, which may have been killed.
                let change = ["-transitionToActive", "--forceactive", &id(number)];
                self.cluster.administer(ADMIN, &change)
            }
        }
    }

    /// Makes a NameNode stand by, by its number from 1 (a second), without any other in its place.
    ///
    /// # Errors
    ///
    /// When it does not answer or refuses.
    pub fn stand_by(&self, number: usize) -> Result<(), Error> {
        let change = ["-transitionToStandby", &id(number)];
        self.cluster.administer(ADMIN, &change)
    }

    /// The realm, for a pair with Kerberos.
    pub fn kdc(&self) -> Option<&Kdc> {
        self.realm.as_ref().map(|realm| &realm.kdc)
    }

    /// A ready `CREATE LINK` that names both NameNodes; with Kerberos it is that of
    /// [`HdfsUser::Alice`].
    pub fn create_link(&self, name: &str) -> LinkStatement {
        self.create_link_for(name, HdfsUser::Alice)
    }

    /// The same for a user, which counts with Kerberos alone.
    pub fn create_link_for(&self, name: &str, user: HdfsUser) -> LinkStatement {
        let link = plain_link(name);
        let link = match &self.realm {
            Some(realm) => realm.log_in(link, user),
            None => link,
        };
        let host = self.realm.as_ref().map_or("127.0.0.1", |_| "localhost");
        let ports = self.cluster.namenodes.iter();
        let ports: Vec<_> = ports.map(|it| it.node.addr().port()).collect();
        let link = link.config("fs.defaultFS", format!("hdfs://{NAME}"));
        let keys = client_properties(host, &ports).into_iter();
        keys.fold(link, |link, (name, value)| link.config(&name, value))
    }
}

/// What a NameNode is called among the two, by its number from 1.
pub(super) fn id(number: usize) -> String {
    format!("nn{number}")
}

/// What clients have to know of the NameNodes.
fn client_properties(host: &str, ports: &[u16]) -> Vec<(String, String)> {
    let ids: Vec<_> = (1..=ports.len()).map(id).collect();
    let mut properties = vec![
        ("dfs.nameservices".to_owned(), NAME.to_owned()),
        (format!("dfs.ha.namenodes.{NAME}"), ids.join(",")),
        (
            format!("dfs.client.failover.proxy.provider.{NAME}"),
            "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider".to_owned(),
        ),
    ];
    properties.extend(ids.iter().zip(ports).map(|(id, port)| {
        let name = format!("dfs.namenode.rpc-address.{NAME}.{id}");
        (name, format!("{host}:{port}"))
    }));
    properties
}

/// What nodes and tools have to know of them. Each has two ports, the second one for its web
/// server; `edits` is the URL of what they share.
pub(super) fn properties(host: &str, ports: &[u16], edits: &str) -> Vec<(String, String)> {
    let rpc: Vec<_> = ports.iter().step_by(2).copied().collect();
    let mut properties = client_properties(host, &rpc);
    properties.extend(
        [
            ("dfs.namenode.shared.edits.dir", edits.to_owned()),
            // Whoever is not active any more ends by itself, or was killed.
            ("dfs.ha.fencing.methods", "shell(/bin/true)".to_owned()),
            ("dfs.ha.tail-edits.period", "1s".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let web = ports.iter().skip(1).step_by(2).zip(1..);
    properties.extend(web.map(|(port, number)| {
        let name = format!("dfs.namenode.http-address.{NAME}.{}", id(number));
        (name, format!("127.0.0.1:{port}"))
    }));
    properties
}
