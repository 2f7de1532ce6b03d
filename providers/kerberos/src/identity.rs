//! Who logs in, and with what.

use linkdial_core::{Code, Diagnosis};

use crate::cache::TicketCache;
use crate::conf::Krb5Conf;
use crate::fault::{Guilty, KerberosFault, Part};
use crate::keytab::Keytab;
use crate::principal::Principal;

/// A client with what proves it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who it is; without a realm, in the default one of `krb5.conf`.
    pub principal: Principal,
    /// What proves it.
    pub proof: Proof,
    /// Where the link says so.
    pub guilty: Guilty,
}

impl Identity {
    /// Returns the same identity with a realm.
    pub(crate) fn in_realm(&self, conf: &Krb5Conf) -> Result<Self, KerberosFault> {
        let mut identity = self.clone();
        identity.principal = identity
            .principal
            .or_realm(conf.default_realm().unwrap_or_default());
        if identity.principal.realm.is_empty() {
            let finding = Diagnosis::new(
                Code::AuthenticateRealmUnknown,
                format!(
                    "`{}` names no realm, and krb5.conf no default",
                    self.principal
                ),
            )
            .evidence("principal", &self.principal)
            .evidence("krb5_conf", conf.shown())
            .hint("write the principal with its realm: name@REALM");
            return Err(KerberosFault::new(Part::Principal, finding));
        }
        Ok(identity)
    }
}

/// What proves a client to its KDC.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Keys of the principal.
    Keytab(Keytab),
    /// A ticket that somebody else got.
    Cache(TicketCache),
    /// Nothing that is here: the KDC is asked whether it knows the principal, and no more.
    Nothing,
}
