//! Answers of a real KDC, cut and changed: no panic, and no change is taken for a proof.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;

use linkdial_testcontainers::{Kdc, KdcOptions};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::encryption::{EncryptionType, Usage};
use crate::kdc_answer::{Answer, KdcReply, Sealed, Unsealed};
use crate::kdc_request;
use crate::keytab::{Keytab, KeytabEntry};
use crate::principal::Principal;

const NONCE: u32 = 4711;

/// What a real KDC answers, and the key that reads it.
struct Real {
    wanted: Vec<u8>,
    reply: Vec<u8>,
    plain: Vec<u8>,
    entry: KeytabEntry,
}

fn ask(kdc: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(kdc).unwrap();
    let length = u32::try_from(request.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], request].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn real() -> &'static Real {
    static REAL: OnceLock<Real> = OnceLock::new();
    REAL.get_or_init(|| {
        let alice: Principal = "alice@LINKDIAL.TEST".parse().unwrap();
        let kinds = EncryptionType::COMPUTED;
        let request = kdc_request::initial(&alice, &kinds, NONCE, None).unwrap();
        let strict = Kdc::shared();
        strict.keytab(&["alice"]).unwrap();
        let lax = KdcOptions::default().without_preauthentication();
        let lax = lax.start().unwrap();
        let keytab = std::fs::read(lax.keytab(&["alice"]).unwrap()).unwrap();
        let keytab = Keytab::parse(&keytab).unwrap();
        let entry = keytab.newest(&alice).unwrap()[0].clone();
        let reply = ask(lax.addr(), &request);
        let plain = match Answer::read(&reply) {
            Some(Answer::Reply(reply)) => reply.decrypted(&entry.key, Usage::AsReply),
            other => panic!("{other:?}"),
        };
        Real {
            wanted: ask(strict.addr(), &request),
            reply,
            plain: plain.unwrap().to_vec(),
            entry,
        }
    })
}

fn reply(bytes: &[u8]) -> Option<KdcReply> {
    match Answer::read(bytes)? {
        Answer::Reply(reply) => Some(*reply),
        Answer::Error(_) => None,
    }
}

#[test]
fn the_real_ones_are_read() {
    let real = real();
    let Some(Answer::Error(error)) = Answer::read(&real.wanted) else {
        panic!("no error");
    };
    assert_eq!(error.code, 25);
    // The first one of the request that it has a key of.
    assert_eq!(error.encryption_types(), [EncryptionType::AES256_SHA1]);
    assert!(
        error
            .proofs()
            .any(|it| it == crate::kdc_error::ENC_TIMESTAMP)
    );
    let reply = reply(&real.reply).unwrap();
    assert_eq!(reply.client.to_string(), "alice@LINKDIAL.TEST");
    let unsealed = reply
        .unseal(&real.entry.key, Usage::AsReply, NONCE)
        .unwrap();
    assert_eq!(unsealed.server, reply.ticket.server);
    // An answer to another request is none.
    let other = reply.unseal(&real.entry.key, Usage::AsReply, NONCE + 1);
    assert_eq!(other.unwrap_err(), Sealed::NotOurs);
}

#[test]
fn no_beginning_of_an_answer_is_one() {
    let real = real();
    for bytes in [&real.wanted, &real.reply] {
        for cut in 0..bytes.len() {
            assert!(Answer::read(&bytes[..cut]).is_none(), "{cut}");
        }
    }
    for cut in 0..real.plain.len() {
        // Padding apart, which some encryption types have.
        assert!(Unsealed::read(&real.plain[..cut]).is_none(), "{cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_change_of_an_answer_is_a_panic(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let real = real();
        let change = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes
        };
        drop(Answer::read(&change(&real.wanted)));
        drop(Unsealed::read(&change(&real.plain)));
        let changed = change(&real.reply);
        if let Some(reply) = reply(&changed) {
            let unsealed = reply.unseal(&real.entry.key, Usage::AsReply, NONCE);
            // What is encrypted is all that is believed.
            let same = reply.unseal(&real.entry.key, Usage::AsReply, NONCE + 1);
            prop_assert!(same.is_err());
            prop_assert!(unsealed.is_err() || unsealed.unwrap().server.grants_for().is_some());
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, tag in any::<u8>()) {
        drop(Answer::read(&bytes));
        drop(Unsealed::read(&bytes));
        if let Ok(length) = u8::try_from(bytes.len())
            && length < 0x80
        {
            drop(Answer::read(&[&[tag, length], &bytes[..]].concat()));
        }
    }
}
