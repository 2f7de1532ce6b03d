//! What an identity can prove itself with, before anybody is asked.

use jiff::Timestamp;
use linkdial_core::{Code, Diagnosis};

use crate::conf::Krb5Conf;
use crate::encryption::{EncryptionType, Key, list};
use crate::fault::{KerberosFault, Part};
use crate::identity::{Identity, Proof};
use crate::kdc_answer::Ticket;
use crate::keytab::KeytabEntry;
use crate::principal::Principal;

/// What the identity can prove, and with which keys.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    /// Keys that linkdial computes with, the preferred one first.
    pub(crate) keys: Vec<&'a KeytabEntry>,
    /// The types of the keys that it does not compute with.
    pub(crate) others: Vec<EncryptionType>,
    /// The ticket of a cache.
    pub(crate) cached: Option<(Ticket, Key, Timestamp)>,
    /// The newest version of a key in the keytab.
    pub(crate) kvno: Option<u32>,
    /// The types of all keys, the preferred one first.
    pub(crate) kinds: Vec<EncryptionType>,
    conf: &'a Krb5Conf,
}

impl<'a> Offer<'a> {
    pub(crate) fn new(conf: &'a Krb5Conf, identity: &'a Identity) -> Result<Self, KerberosFault> {
        let mut offer = Self {
            keys: Vec::new(),
            others: Vec::new(),
            cached: None,
            kvno: None,
            kinds: EncryptionType::COMPUTED.into(),
            conf,
        };
        match &identity.proof {
            Proof::Nothing => {}
            Proof::Keytab(keytab) => {
                let newest = keytab.newest(&identity.principal)?;
                offer.kvno = newest.iter().map(|it| it.kvno).max();
                let permitted = newest.iter().filter(|it| conf.permits(it.encryption_type));
                let permitted: Vec<&KeytabEntry> = permitted.copied().collect();
                if permitted.is_empty() {
                    return Err(not_permitted(conf, &identity.principal, &newest));
                }
                for kind in EncryptionType::COMPUTED {
                    let fitting = permitted.iter().filter(|it| it.encryption_type == kind);
                    offer.keys.extend(fitting);
                }
                let kinds = permitted.iter().map(|it| it.encryption_type);
                offer.others = kinds.filter(|it| !it.is_computed()).collect();
                let computed = offer.keys.iter().map(|it| it.encryption_type);
                offer.kinds = computed.chain(offer.others.iter().copied()).collect();
            }
            Proof::Cache(cache) => {
                let missing = |what| cache_fault(&identity.principal, &cache.principal, what);
                if cache.principal != identity.principal {
                    return Err(missing("the ticket cache belongs to another principal"));
                }
                let ticket = cache.ticket_granting();
                let ticket =
                    ticket.ok_or_else(|| missing("the cache has no ticket of its realm"))?;
                if ticket.ends < Timestamp::now() {
                    return Err(ended(&identity.principal, ticket.ends));
                }
                let read = Ticket::parse(&ticket.ticket);
                let read =
                    read.ok_or_else(|| missing("the ticket of the cache can not be read"))?;
                if ticket.encryption_type.is_computed() {
                    offer.cached = Some((read, ticket.key.clone(), ticket.ends));
                } else {
                    offer.others = vec![ticket.encryption_type];
                }
            }
        }
        Ok(offer)
    }

    /// Returns the types for a request: those of the keys first, then all others of today, since
    /// the session's key need not be of the type of the client's (as MIT's library asks).
    pub(crate) fn asked(&self) -> Vec<EncryptionType> {
        with_others(&self.kinds, &EncryptionType::CURRENT, self.conf)
    }

    /// The same with those alone that linkdial computes with.
    pub(crate) fn computed(&self) -> Vec<EncryptionType> {
        let own: Vec<_> = self.keys.iter().map(|it| it.encryption_type).collect();
        with_others(&own, &EncryptionType::COMPUTED, self.conf)
    }
}

fn with_others(
    own: &[EncryptionType],
    known: &[EncryptionType],
    conf: &Krb5Conf,
) -> Vec<EncryptionType> {
    let others = known.iter().filter(|it| !own.contains(it));
    let others = others.filter(|it| conf.permits(**it));
    own.iter().chain(others).copied().collect()
}

fn not_permitted(conf: &Krb5Conf, client: &Principal, keys: &[&KeytabEntry]) -> KerberosFault {
    let finding = Diagnosis::new(
        Code::AuthenticateEncryptionType,
        format!("krb5.conf permits no encryption type that the keytab has for `{client}`"),
    )
    .evidence("principal", client)
    .evidence(
        "keytab_enctypes",
        list(keys.iter().map(|it| it.encryption_type)),
    )
    .evidence("krb5_conf", conf.shown())
    .hint("see `klist -kte FILE`, and `permitted_enctypes` in krb5.conf");
    KerberosFault::new(Part::Keys, finding)
}

fn cache_fault(wanted: &Principal, found: &Principal, what: &str) -> KerberosFault {
    let finding = Diagnosis::new(Code::AuthenticateTokenInvalid, what)
        .evidence("principal", wanted)
        .evidence("cache_has", found)
        .hint("see `klist -c FILE`; get a ticket with `kinit -c FILE PRINCIPAL`");
    KerberosFault::new(Part::Keys, finding)
}

fn ended(client: &Principal, ends: Timestamp) -> KerberosFault {
    let finding = Diagnosis::new(
        Code::AuthenticateTokenExpired,
        format!("the ticket of `{client}` has ended"),
    )
    .evidence("principal", client)
    .evidence("ended", ends)
    .hint("get a new one with `kinit -c FILE`, or name a keytab");
    KerberosFault::new(Part::Keys, finding)
}
