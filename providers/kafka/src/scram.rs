//! SCRAM (RFC 5802, RFC 7677) as Kafka's clients speak it: no channel binding, and text as it is,
//! without `SASLprep`, which neither the broker nor the client library applies.

use std::collections::HashMap;
use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::Secret;

/// More rounds than any broker asks for (16384 is Kafka's own bound) are an attack on our time.
const MAX_ROUNDS: u32 = 1_000_000;

/// `n,,`: no channel binding, no other identity.
const HEADER: &str = "n,,";

/// Which hash a mechanism works with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn key(self, key: &[u8]) -> hmac::Key {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::Key::new(algorithm, key)
    }

    fn digest(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes)
    }

    fn salted(self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
            Self::Sha512 => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
        };
        let mut salted = vec![0; length];
        pbkdf2::derive(algorithm, rounds, salt, password, &mut salted);
        salted
    }
}

/// The client's side of one login.
#[derive(Clone, Debug)]
pub(crate) struct Scram {
    hash: Hash,
    password: Secret,
    nonce: String,
    /// The first message without its header.
    bare: String,
}

/// The client's proof, and what the server has to prove in turn.
pub(crate) struct Proof {
    pub(crate) message: Vec<u8>,
    signature: Vec<u8>,
}

impl Scram {
    /// Starts a login with a fresh nonce.
    pub(crate) fn new(hash: Hash, user: &str, password: Secret) -> Result<Self, &'static str> {
        let mut bytes = [0; 24];
        rand::fill(&mut bytes).map_err(|_| "this machine has no randomness")?;
        Ok(Self::with_nonce(
            hash,
            user,
            password,
            STANDARD.encode(bytes),
        ))
    }

    fn with_nonce(hash: Hash, user: &str, password: Secret, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self {
            hash,
            password,
            bare: format!("n={user},r={nonce}"),
            nonce,
        }
    }

    /// Returns the first message.
    pub(crate) fn first(&self) -> Vec<u8> {
        format!("{HEADER}{}", self.bare).into_bytes()
    }

    /// Answers the server's first message. It costs the rounds that the server asks for: not for a
    /// thread that has other work.
    pub(crate) fn prove(&self, server_first: &[u8]) -> Result<Proof, &'static str> {
        let server_first = std::str::from_utf8(server_first).map_err(|_| "it is no text")?;
        let fields = fields(server_first);
        let nonce = fields.get("r").ok_or("it has no nonce")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its nonce does not continue ours");
        }
        let salt = fields.get("s").and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt.ok_or("it has no salt")?;
        let rounds = fields.get("i").and_then(|rounds| rounds.parse().ok());
        let rounds = rounds.ok_or("it has no number of rounds")?;
        if rounds > NonZeroU32::new(MAX_ROUNDS).unwrap_or(NonZeroU32::MAX) {
            return Err("it asks for more than a million rounds");
        }
        let salted = self
            .hash
            .salted(self.password.expose().as_bytes(), &salt, rounds);
        let salted = self.hash.key(&salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = self.hash.digest(client_key.as_ref());
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(HEADER));
        let signed = format!("{},{server_first},{without_proof}", self.bare);
        let client_signature = hmac::sign(&self.hash.key(stored_key.as_ref()), signed.as_bytes());
        let proof: Vec<u8> = std::iter::zip(client_key.as_ref(), client_signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = hmac::sign(&salted, b"Server Key");
        let signature = hmac::sign(&self.hash.key(server_key.as_ref()), signed.as_bytes());
        Ok(Proof {
            message: format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes(),
            signature: signature.as_ref().to_vec(),
        })
    }
}

impl Proof {
    /// Returns whether the server's last message proves that it knows the password too.
    pub(crate) fn holds_for(&self, server_final: &[u8]) -> bool {
        let text = std::str::from_utf8(server_final).unwrap_or_default();
        let signature = fields(text)
            .get("v")
            .and_then(|it| STANDARD.decode(it).ok());
        signature.is_some_and(|signature| {
            constant_time::verify_slices_are_equal(&signature, &self.signature).is_ok()
        })
    }
}

/// Feeds a server's messages to both readers of them. An honest number of rounds is asked for
/// elsewhere: here it would only cost time.
pub(crate) fn fuzz(bytes: &[u8]) {
    let nonce = "abc".to_owned();
    let hash = if bytes.len().is_multiple_of(2) {
        Hash::Sha256
    } else {
        Hash::Sha512
    };
    let scram = Scram::with_nonce(hash, "user", Secret::new("pencil"), nonce);
    let text = String::from_utf8_lossy(bytes);
    let costly = fields(&text).get("i").is_some_and(|it| it.len() > 2);
    if !costly && let Ok(proof) = scram.prove(bytes) {
        assert!(!proof.holds_for(bytes));
    }
}

fn fields(message: &str) -> HashMap<&str, &str> {
    message
        .split(',')
        .filter_map(|field| field.split_once('='))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_holds() {
        let scram = Scram::with_nonce(
            Hash::Sha256,
            "user",
            Secret::new("pencil"),
            "rOprNGfwEbeRWgbNEkqO".to_owned(),
        );
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = scram
            .prove(
                b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                  s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            )
            .ok()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&proof.message),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(proof.holds_for(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!proof.holds_for(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!proof.holds_for(b""));
    }

    #[test]
    fn a_hostile_first_message_is_refused() {
        let scram = Scram::with_nonce(
            Hash::Sha512,
            "a=b,c",
            Secret::new("pencil"),
            "abc".to_owned(),
        );
        assert_eq!(scram.first(), b"n,,n=a=3Db=2Cc,r=abc");
        for (message, reason) in [
            (&b"r=abc,s=AAAA,i=4096"[..], "continue ours"),
            (b"r=xbcd,s=AAAA,i=4096", "continue ours"),
            (b"r=abcd,s=?,i=4096", "no salt"),
            (b"r=abcd,s=AAAA,i=0", "no number of rounds"),
            (b"r=abcd,s=AAAA,i=1000001", "more than a million"),
            (b"e=unknown-user", "no nonce"),
            (b"\xff", "no text"),
        ] {
            let found = scram.prove(message).err().unwrap();
            assert!(found.contains(reason), "{found}");
        }
    }
}
