//! Entry points for hostile bytes, as those of `linkdial_core::fuzz`: files of keys, files of tickets,
//! answers of KDCs, tokens of services.

use linkdial_core::fuzz::Target;

use crate::cache::TicketCache;
use crate::encryption::{EncryptionType, Key, Usage};
use crate::gss;
use crate::kdc_answer::{Answer, Ticket, Unsealed};
use crate::keytab::Keytab;
use crate::principal::Principal;
use crate::profile::Profile;

/// The readers of this crate.
pub const TARGETS: &[Target] = &[
    ("gss_token", gss_token),
    ("kdc_answer", kdc_answer),
    ("keytab", keytab),
    ("krb5_conf", krb5_conf),
    ("ticket_cache", ticket_cache),
];

/// A key of the length that its type asks for.
fn key(first: u8) -> Key {
    let kind = EncryptionType::COMPUTED[usize::from(first) % EncryptionType::COMPUTED.len()];
    Key::new(
        kind,
        &[first; 32][..if first.is_multiple_of(2) { 32 } else { 16 }],
    )
}

/// Tokens that a service answers with, under both of our keys.
fn gss_token(bytes: &[u8]) {
    gss::fuzz(&key(0), bytes);
    gss::fuzz(&key(1), bytes);
}

/// What a KDC answers, and what it encrypts for us.
fn kdc_answer(bytes: &[u8]) {
    match Answer::read(bytes) {
        Some(Answer::Error(error)) => {
            assert!(!error.name().is_empty());
            error.encryption_types();
            assert!(error.proofs().count() <= bytes.len());
        }
        Some(Answer::Reply(reply)) => {
            assert!(reply.unseal(&key(0), Usage::AsReply, 1).is_err());
            reply.client.to_string();
        }
        None => {}
    }
    if let Some((unsealed, _)) = Unsealed::read(bytes) {
        unsealed.server.grants_for();
        assert!(!format!("{unsealed:?}").is_empty());
    }
    drop(Ticket::parse(bytes));
}

fn keytab(bytes: &[u8]) {
    let Ok(keytab) = Keytab::parse(bytes) else {
        return;
    };
    // Each entry has a length and a name of its own.
    assert!(keytab.entries().len() <= bytes.len() / 4);
    for principal in keytab.principals().into_iter().take(8) {
        let keys = keytab.newest(principal).expect("it has an entry");
        assert!(!keys.is_empty());
        again(principal);
    }
}

/// A principal that is written is read as the same one, unless a part of it is empty.
fn again(principal: &Principal) {
    let written = principal.to_string();
    if let Ok(read) = written.parse::<Principal>() {
        assert_eq!(read.to_string(), written);
    }
}

fn krb5_conf(bytes: &[u8]) {
    Profile::fuzz(&String::from_utf8_lossy(bytes));
}

fn ticket_cache(bytes: &[u8]) {
    let Ok(cache) = TicketCache::parse(bytes) else {
        return;
    };
    assert!(cache.tickets().len() <= bytes.len());
    assert!(
        cache
            .ticket_granting()
            .is_none_or(|it| it.client == cache.principal)
    );
    again(&cache.principal);
}
