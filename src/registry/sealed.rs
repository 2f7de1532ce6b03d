//! Text that only the holder of a key can read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{AeadInOut as _, Generate as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use linkdial_core::{LinkName, Secret};
use zeroize::Zeroizing;

use super::RegistryError;
use super::key::SealingKey;

/// The way of sealing; part of what is sealed with every text.
const VERSION: &str = "linkdial-1";
const NONCE: usize = 24;
const TAG: usize = 16;

/// What a sealed text is. It opens as nothing else, and for no other link.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// Proves that a key is that of the registry.
    Proof,
    /// The target of a check of a link, in the history.
    Check(&'a LinkName),
    /// Both clauses of a link.
    Definition(&'a LinkName),
    /// A target of a link.
    Target(&'a LinkName),
}

impl Purpose<'_> {
    /// As JSON, so that no part can be moved over into the next one.
    fn associated_data(self) -> Vec<u8> {
        let (word, name) = match self {
            Self::Proof => ("check", None),
            Self::Check(name) => ("history", Some(name)),
            Self::Definition(name) => ("definition", Some(name)),
            Self::Target(name) => ("target", Some(name)),
        };
        let database = name.and_then(|name| name.database.as_deref());
        let link = name.map(|name| name.name.as_str());
        serde_json::json!([VERSION, word, database.unwrap_or_default(), link])
            .to_string()
            .into_bytes()
    }
}

/// Seals some texts together, as base64 of nonce, sealed text and tag.
pub(super) fn seal(
    key: &SealingKey,
    purpose: Purpose<'_>,
    texts: &[&str],
) -> Result<String, RegistryError> {
    let length: usize = texts.iter().map(|text| size_of::<u64>() + text.len()).sum();
    // With all its room from the start, so that no copy is left behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(length + TAG));
    for text in texts {
        buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
        buffer.extend_from_slice(text.as_bytes());
    }
    let nonce = XNonce::try_generate().map_err(|_| RegistryError::NoRandomNumbers)?;
    XChaCha20Poly1305::new(key.bytes().into())
        .encrypt_in_place(&nonce, &purpose.associated_data(), &mut *buffer)
        .expect("a text in memory is shorter than the limit of the cipher");
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(&buffer);
    Ok(BASE64.encode(sealed))
}

/// Opens what [`seal`] made; `None` when a key, a purpose or a single bit is another one.
pub(super) fn open(key: &SealingKey, purpose: Purpose<'_>, sealed: &str) -> Option<Vec<Secret>> {
    let sealed = BASE64.decode(sealed).ok()?;
    let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
    let mut buffer = Zeroizing::new(text.to_vec());
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt_in_place(nonce.into(), &purpose.associated_data(), &mut *buffer)
        .ok()?;
    let mut rest = buffer.as_slice();
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (text, behind) = behind.split_at_checked(length)?;
        texts.push(Secret::new(str::from_utf8(text).ok()?));
        rest = behind;
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_only_as_what_it_is() {
        let key = SealingKey::generate().unwrap();
        let name = LinkName::new(Some("shop"), "orders");
        let sealed = seal(&key, Purpose::Definition(&name), &["{\"a\":1}", ""]).unwrap();
        let texts = open(&key, Purpose::Definition(&name), &sealed).unwrap();
        assert_eq!(
            texts.iter().map(Secret::expose).collect::<Vec<_>>(),
            ["{\"a\":1}", ""]
        );

        assert!(open(&key, Purpose::Target(&name), &sealed).is_none());
        assert!(open(&key, Purpose::Proof, &sealed).is_none());
        for (database, link) in [
            ("shop", "order"),
            ("shopo", "rders"),
            ("shop\",\"o", "rders"),
        ] {
            let other = LinkName::new(Some(database), link);
            assert!(open(&key, Purpose::Definition(&other), &sealed).is_none());
        }
        let other = SealingKey::generate().unwrap();
        assert!(open(&other, Purpose::Definition(&name), &sealed).is_none());
    }

    #[test]
    fn a_changed_bit_closes_it() {
        let key = SealingKey::generate().unwrap();
        let sealed = seal(&key, Purpose::Proof, &["text"]).unwrap();
        let bytes = BASE64.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(open(&key, Purpose::Proof, &BASE64.encode(changed)).is_none());
            assert!(open(&key, Purpose::Proof, &BASE64.encode(&bytes[..at])).is_none());
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let key = SealingKey::generate().unwrap();
        let sealed = |()| seal(&key, Purpose::Proof, &["text"]).unwrap();
        assert_ne!(sealed(()), sealed(()));
    }
}
