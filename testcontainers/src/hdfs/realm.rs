//! What an HDFS and its users need to speak Kerberos.

use std::path::PathBuf;

use super::HdfsUser;
use super::options::{HdfsCipher, HdfsProtection};
use crate::{Error, Kdc, LinkStatement};

/// The services, each on the host that clients have to dial by this name.
const NAMENODE: &str = "nn/localhost";
const DATANODE: &str = "dn/localhost";
const JOURNALNODE: &str = "jn/localhost";
const WEB: &str = "HTTP/localhost";

/// How traffic is protected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Protection {
    pub(super) rpc: HdfsProtection,
    pub(super) transfer: Option<HdfsProtection>,
    pub(super) encryption: Option<HdfsCipher>,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            rpc: HdfsProtection::Authentication,
            transfer: Some(HdfsProtection::Authentication),
            encryption: None,
        }
    }
}

impl Protection {
    /// The properties that nodes and clients have alike.
    fn properties(self) -> Vec<(&'static str, &'static str)> {
        let mut properties = vec![("hadoop.rpc.protection", self.rpc.name())];
        let transfer = self.transfer.map(HdfsProtection::name);
        properties.extend(transfer.map(|name| ("dfs.data.transfer.protection", name)));
        if let Some(cipher) = self.encryption {
            properties.push(("dfs.encrypt.data.transfer", "true"));
            properties.push(cipher.property());
        }
        properties
    }
}

/// The realm of an HDFS.
#[derive(Debug)]
pub(super) struct Realm {
    pub(super) kdc: Kdc,
    protection: Protection,
    /// The keys of all services.
    services: PathBuf,
    /// Of each user of [`HdfsUser::ALL`].
    keytabs: Vec<PathBuf>,
}

impl Realm {
    pub(super) fn new(protection: Protection) -> Result<Self, Error> {
        let kdc = Kdc::start()?;
        let users = HdfsUser::ALL.into_iter();
        let keytabs = users.map(|user| kdc.keytab(&[user.name()]));
        Ok(Self {
            protection,
            services: kdc.keytab(&[NAMENODE, DATANODE, JOURNALNODE, WEB])?,
            keytabs: keytabs.collect::<Result<_, _>>()?,
            kdc,
        })
    }

    /// New files of tickets, one for each user of [`HdfsUser::ALL`].
    pub(super) fn tickets(&self) -> Result<Vec<PathBuf>, Error> {
        let users = HdfsUser::ALL.into_iter();
        users
            .map(|user| self.kdc.ticket_cache(user.name()))
            .collect()
    }

    pub(super) fn keytab(&self, user: HdfsUser) -> PathBuf {
        let users = HdfsUser::ALL.iter().zip(&self.keytabs);
        let mut keytabs = users.filter(|(known, _)| **known == user);
        let (_, keytab) = keytabs.next().expect("each user has a keytab");
        keytab.clone()
    }

    /// The properties of nodes and tools.
    pub(super) fn properties(&self) -> Vec<(&'static str, String)> {
        let keys = self.services.display().to_string();
        let superuser = HdfsUser::Superuser.name();
        let realm = self.kdc.realm();
        let rule = |service: &str| {
            let (service, _) = service.split_once('/').unwrap_or((service, ""));
            format!("RULE:[2:$1@$0]({service}@{realm})s/.*/{superuser}/\n")
        };
        let mut properties = vec![
            ("hadoop.security.authentication", "kerberos".to_owned()),
            ("hadoop.security.authorization", "true".to_owned()),
            (
                "hadoop.security.auth_to_local",
                format!("{}{}DEFAULT", rule(NAMENODE), rule(DATANODE)),
            ),
            ("dfs.block.access.token.enable", "true".to_owned()),
            ("dfs.namenode.keytab.file", keys.clone()),
            ("dfs.datanode.keytab.file", keys.clone()),
            ("dfs.journalnode.keytab.file", keys.clone()),
            (
                "dfs.journalnode.kerberos.principal",
                self.kdc.principal(JOURNALNODE),
            ),
            (
                "dfs.journalnode.kerberos.internal.spnego.principal",
                self.kdc.principal(WEB),
            ),
            (
                "dfs.web.authentication.kerberos.principal",
                self.kdc.principal(WEB),
            ),
            ("dfs.web.authentication.kerberos.keytab", keys),
            // The ports need no rights of root then, and the web server no certificate.
            ("ignore.secure.ports.for.testing", "true".to_owned()),
            ("dfs.http.policy", "HTTP_ONLY".to_owned()),
            // Nor a login: this crate alone calls it, and has no client that speaks Kerberos.
            (
                "hadoop.http.filter.initializers",
                "org.apache.hadoop.security.AuthenticationFilterInitializer".to_owned(),
            ),
            ("hadoop.http.authentication.type", "simple".to_owned()),
        ];
        properties.extend(self.principals());
        let protection = self.protection.properties().into_iter();
        properties.extend(protection.map(|(name, value)| (name, value.to_owned())));
        properties
    }

    fn principals(&self) -> [(&'static str, String); 2] {
        [
            ("dfs.namenode.kerberos.principal", NAMENODE),
            ("dfs.datanode.kerberos.principal", DATANODE),
        ]
        .map(|(name, service)| (name, self.kdc.principal(service)))
    }

    /// Adds to a link what its user logs in with, and what has to be known of the traffic.
    pub(super) fn log_in(&self, link: LinkStatement, user: HdfsUser) -> LinkStatement {
        let link = link
            .config("hadoop.security.authentication", "kerberos")
            .config("kerberos.user", self.kdc.principal(user.name()))
            .config("kerberos.keytab", self.keytab(user).display().to_string());
        let principals = self.principals().into_iter();
        let link = principals.fold(link, |link, (name, value)| link.config(name, value));
        let protection = self.protection.properties().into_iter();
        protection.fold(link, |link, (name, value)| link.config(name, value))
    }
}
