//! Encryption types and keys (RFC 3961, RFC 3962).

use std::fmt;

use aws_lc_rs::rand;
use picky_krb::crypto::{ChecksumSuite, CipherSuite};
use zeroize::Zeroizing;

/// The number of an encryption type.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EncryptionType(pub i32);

/// What a key is used for (RFC 4120, section 7.5.1; RFC 4121, section 2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i32)]
pub(crate) enum Usage {
    Preauthentication = 1,
    AsReply = 3,
    TgsRequestChecksum = 6,
    TgsRequestAuthenticator = 7,
    TgsReply = 8,
    ApRequestAuthenticator = 11,
    ApReply = 12,
    AcceptorSeal = 22,
    InitiatorSeal = 24,
}

/// The key does not fit what was encrypted, or its type can not be computed here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Undecipherable;

impl EncryptionType {
    /// `aes256-cts-hmac-sha1-96`.
    pub const AES256_SHA1: Self = Self(18);
    /// `aes128-cts-hmac-sha1-96`.
    pub const AES128_SHA1: Self = Self(17);

    /// The types that linkdial computes, the preferred one first.
    pub const COMPUTED: [Self; 2] = [Self::AES256_SHA1, Self::AES128_SHA1];

    /// The types that Kerberos of today uses, in the order in which MIT's library asks for them.
    pub(crate) const CURRENT: [Self; 5] = [Self(18), Self(17), Self(20), Self(19), Self(23)];

    /// Every type by its number, its name and its other names in `krb5.conf`.
    const NAMES: [(i32, &'static str, &'static [&'static str]); 11] = [
        (1, "des-cbc-crc", &["des"]),
        (2, "des-cbc-md4", &["des"]),
        (3, "des-cbc-md5", &["des"]),
        (
            16,
            "des3-cbc-sha1",
            &["des3", "des3-hmac-sha1", "des3-cbc-sha1-kd"],
        ),
        (
            17,
            "aes128-cts-hmac-sha1-96",
            &["aes", "aes128-cts", "aes128-sha1"],
        ),
        (
            18,
            "aes256-cts-hmac-sha1-96",
            &["aes", "aes256-cts", "aes256-sha1"],
        ),
        (19, "aes128-cts-hmac-sha256-128", &["aes", "aes128-sha2"]),
        (20, "aes256-cts-hmac-sha384-192", &["aes", "aes256-sha2"]),
        (23, "arcfour-hmac", &["rc4", "rc4-hmac", "arcfour-hmac-md5"]),
        (25, "camellia128-cts-cmac", &["camellia", "camellia128-cts"]),
        (26, "camellia256-cts-cmac", &["camellia", "camellia256-cts"]),
    ];

    /// Returns the types that a word of `krb5.conf` means; a family means several.
    pub(crate) fn named(word: &str) -> impl Iterator<Item = Self> {
        let word = word.to_ascii_lowercase();
        Self::NAMES
            .into_iter()
            .filter(move |(_, name, others)| *name == word || others.contains(&word.as_str()))
            .map(|(number, ..)| Self(number))
    }

    /// Returns whether linkdial can compute with keys of this type.
    pub fn is_computed(self) -> bool {
        Self::COMPUTED.contains(&self)
    }

    fn cipher(self) -> Option<CipherSuite> {
        match self {
            Self::AES256_SHA1 => Some(CipherSuite::Aes256CtsHmacSha196),
            Self::AES128_SHA1 => Some(CipherSuite::Aes128CtsHmacSha196),
            _ => None,
        }
    }

    /// Returns the checksum that goes with it, and its number (RFC 3962, section 7).
    fn checksum(self) -> Option<(ChecksumSuite, u8)> {
        match self {
            Self::AES256_SHA1 => Some((ChecksumSuite::HmacSha196Aes256, 16)),
            Self::AES128_SHA1 => Some((ChecksumSuite::HmacSha196Aes128, 15)),
            _ => None,
        }
    }
}

impl fmt::Display for EncryptionType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(number, ..)| *number == self.0) {
            Some((_, name, _)) => formatter.write_str(name),
            None => write!(formatter, "type {}", self.0),
        }
    }
}

/// Returns the names of some types, as evidence shows them.
pub(crate) fn list(types: impl IntoIterator<Item = EncryptionType>) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in types.into_iter().map(|it| it.to_string()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// A key; wiped when it is dropped, and never shown.
#[derive(Clone)]
pub(crate) struct Key {
    kind: EncryptionType,
    bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({}, ..)", self.kind)
    }
}

impl Key {
    pub(crate) fn new(kind: EncryptionType, bytes: &[u8]) -> Self {
        Self {
            kind,
            bytes: Zeroizing::new(bytes.to_vec()),
        }
    }

    /// Changes one bit, and not the lowest one of its byte, which is no part of a key of DES.
    pub(crate) fn spoil(&mut self) {
        if let Some(byte) = self.bytes.first_mut() {
            *byte ^= 0x10;
        }
    }

    /// Makes a fresh key of the same type; `None` when this machine has no randomness.
    pub(crate) fn another(&self) -> Option<Self> {
        let mut bytes = Zeroizing::new(vec![0; self.bytes.len()]);
        rand::fill(&mut bytes).ok()?;
        Some(Self {
            kind: self.kind,
            bytes,
        })
    }

    pub(crate) const fn kind(&self) -> EncryptionType {
        self.kind
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn encrypt(&self, usage: Usage, plain: &[u8]) -> Result<Vec<u8>, Undecipherable> {
        let cipher = self.suite()?.cipher();
        let encrypted = cipher.encrypt(&self.bytes, usage as i32, plain);
        encrypted.map_err(|_| Undecipherable)
    }

    pub(crate) fn decrypt(
        &self,
        usage: Usage,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Undecipherable> {
        let cipher = self.suite()?.cipher();
        let plain = cipher.decrypt(&self.bytes, usage as i32, encrypted);
        plain.map(Zeroizing::new).map_err(|_| Undecipherable)
    }

    /// Returns the number of the checksum's type and the checksum.
    pub(crate) fn checksum(
        &self,
        usage: Usage,
        plain: &[u8],
    ) -> Result<(u8, Vec<u8>), Undecipherable> {
        self.suite()?;
        let (suite, number) = self.kind.checksum().ok_or(Undecipherable)?;
        let sum = suite.hasher().checksum(&self.bytes, usage as i32, plain);
        Ok((number, sum.map_err(|_| Undecipherable)?))
    }

    /// Checks the length as well: picky-krb derives from what it gets.
    fn suite(&self) -> Result<CipherSuite, Undecipherable> {
        let suite = self.kind.cipher().ok_or(Undecipherable)?;
        if suite.cipher().key_size() != self.bytes.len() {
            return Err(Undecipherable);
        }
        Ok(suite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_fits_its_own_usage_only() {
        let key = Key::new(EncryptionType::AES128_SHA1, &[7; 16]);
        let sealed = key.encrypt(Usage::AsReply, b"hello").unwrap();
        assert_eq!(*key.decrypt(Usage::AsReply, &sealed).unwrap(), b"hello");
        assert!(key.decrypt(Usage::TgsReply, &sealed).is_err());
        let other = key.another().unwrap();
        assert!(other.decrypt(Usage::AsReply, &sealed).is_err());
        for short in 0..sealed.len() {
            assert!(key.decrypt(Usage::AsReply, &sealed[..short]).is_err());
        }
    }

    #[test]
    fn keys_of_the_wrong_length_or_type_are_no_panic() {
        for (kind, length) in [(18, 0), (18, 16), (17, 32), (23, 16), (20, 32), (-1, 1)] {
            let key = Key::new(EncryptionType(kind), &vec![1; length]);
            assert!(key.encrypt(Usage::AsReply, b"x").is_err());
            assert!(key.decrypt(Usage::AsReply, &[0; 64]).is_err());
            assert!(key.checksum(Usage::InitiatorSeal, b"x").is_err());
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = Key::new(
            EncryptionType::AES256_SHA1,
            b"marked-secret-marked-secret-mark",
        );
        assert_eq!(format!("{key:?}"), "Key(aes256-cts-hmac-sha1-96, ..)");
    }

    #[test]
    fn families_mean_several_types() {
        let aes: Vec<i32> = EncryptionType::named("AES").map(|it| it.0).collect();
        assert_eq!(aes, [17, 18, 19, 20]);
        assert_eq!(EncryptionType(99).to_string(), "type 99");
    }
}
