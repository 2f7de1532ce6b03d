//! The account that a client of Azure's storage signs for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Error;
use crate::store::mac;

/// Azure's keys have 64 bytes.
const KEY: &[u8; 64] = b"linkdial-test-account-key-0123456789-abcdefghijklmnopqrstuvwxyz-";

/// What a client of Azure's storage signs with: the name of an account and one of its keys.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageAccount {
    /// The account's name.
    pub name: String,
    /// The key, in Base64.
    pub key: String,
}

impl StorageAccount {
    /// An account with this key in Base64.
    pub fn new(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: key.into(),
        }
    }

    /// The same account with a key of the right form that no server knows.
    #[must_use]
    pub fn with_wrong_key(&self) -> Self {
        Self::new(self.name.as_str(), BASE64.encode([b'x'; KEY.len()]))
    }

    /// An account with a key of the right form that is made from its name: no two are the same.
    pub fn named(name: &str) -> Self {
        let key = [mac(KEY, name), mac(KEY, &format!("{name} again"))].concat();
        Self::new(name, BASE64.encode(key))
    }

    /// The account of the servers of this crate.
    pub(super) fn own() -> Self {
        Self::new("linkdialtest", BASE64.encode(KEY))
    }

    /// The signature of a text, in Base64.
    pub(super) fn sign(&self, text: &str) -> Result<String, Error> {
        let key = BASE64
            .decode(&self.key)
            .map_err(std::io::Error::other)
            .map_err(Error::io("read the account's key"))?;
        Ok(BASE64.encode(mac(&key, text)))
    }
}

impl fmt::Debug for StorageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageAccount")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
