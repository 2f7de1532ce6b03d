//! What a broker and its users need to speak Kerberos.

use std::fs;
use std::path::PathBuf;

use super::settings::Properties;
use crate::server::{Launch, Place};
use crate::{Error, KafkaUser, Kdc, LinkStatement};

/// The host of the service's principal, which clients have to dial by this name.
pub(super) const HOST: &str = "localhost";

/// The name of the service.
const SERVICE: &str = "kafka";

/// What the broker reads, below the folder of the run.
const KEYTAB: &str = "kafka.keytab";
const CONF: &str = "krb5.conf";

/// The realm of the users.
#[derive(Debug)]
pub(super) struct Realm {
    pub(super) kdc: Kdc,
    /// Of each user of [`KafkaUser::ALL`].
    keytabs: Vec<PathBuf>,
}

impl Realm {
    /// Takes the keytabs of the users, as [`keytabs`] makes them.
    pub(super) fn new(kdc: Kdc, keytabs: Vec<PathBuf>) -> Self {
        Self { kdc, keytabs }
    }

    /// Adds to a link what its user logs in with.
    pub(super) fn log_in(&self, link: LinkStatement, user: KafkaUser) -> LinkStatement {
        let users = KafkaUser::ALL.into_iter().zip(&self.keytabs);
        let mut keytabs = users.filter(|(known, _)| *known == user);
        let (_, keytab) = keytabs.next().expect("each user has a keytab");
        link.config("sasl.kerberos.service.name", SERVICE)
            .config("sasl.kerberos.principal", self.kdc.principal(user.name()))
            .config("sasl.kerberos.keytab", keytab.display().to_string())
    }
}

/// A keytab for each user of [`KafkaUser::ALL`].
pub(super) fn keytabs(kdc: &Kdc) -> Result<Vec<PathBuf>, Error> {
    let users = KafkaUser::ALL.into_iter();
    users.map(|user| kdc.keytab(&[user.name()])).collect()
}

/// The broker as a service of the realm. It never asks the server of the realm, which no way leads
/// to out of a container.
pub(super) struct Service {
    principal: String,
    keytab: Vec<u8>,
    conf: Vec<u8>,
}

impl Service {
    pub(super) fn new(kdc: &Kdc) -> Result<Self, Error> {
        let principal = kdc.principal(&format!("{SERVICE}/{HOST}"));
        let read = |file| fs::read(file).map_err(Error::io("read a file of Kerberos"));
        Ok(Self {
            keytab: read(kdc.keytab(&[&principal])?)?,
            conf: read(kdc.krb5_conf())?,
            principal,
        })
    }

    /// The module that looks after the mechanism.
    pub(super) fn module(&self, place: &Place) -> String {
        format!(
            "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true \
             isInitiator=false keyTab=\"{}\" principal=\"{}\";",
            place.path(KEYTAB),
            self.principal
        )
    }

    /// Sets what goes with the module.
    pub(super) fn set(properties: &mut Properties, listener: &str, place: &Place) {
        let name = format!("listener.name.{listener}.sasl.kerberos.service.name");
        properties.set(name, SERVICE);
        properties.set_java("java.security.krb5.conf", place.path(CONF));
    }

    /// Adds the files that the broker reads.
    pub(super) fn files(&self, launch: Launch) -> Launch {
        launch
            .file(KEYTAB, self.keytab.clone())
            .file(CONF, self.conf.clone())
    }
}
