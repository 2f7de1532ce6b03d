//! The account that a client of Azure's storage signs for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use time::{Duration, OffsetDateTime};

use crate::Error;
use crate::store::{escape, mac};

/// Azure's keys have 64 bytes.
const KEY: &[u8; 64] = b"linkdial-test-account-key-0123456789-abcdefghijklmnopqrstuvwxyz-";

/// The version of a SAS, an old one with few fields.
const SAS_VERSION: &str = "2018-11-09";

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

    /// An account SAS of the blob service: with these permissions (`sp`) for these types of
    /// resources (`srt`), until `seconds` from now; a negative number is the past.
    ///
    /// "Create an account SAS" of the reference of Azure Storage's services.
    ///
    /// # Errors
    ///
    /// When the account's key is not in Base64.
    pub fn account_sas(
        &self,
        permissions: &str,
        types: &str,
        seconds: i64,
    ) -> Result<String, Error> {
        let expiry = moment(seconds);
        let name = &self.name;
        let text = format!("{name}\n{permissions}\nb\n{types}\n\n{expiry}\n\n\n{SAS_VERSION}\n");
        let signature = self.signature(&text)?;
        Ok(format!(
            "sv={SAS_VERSION}&ss=b&srt={types}&sp={permissions}&se={expiry}&sig={signature}"
        ))
    }

    /// A service SAS of one container.
    ///
    /// "Create a service SAS" of the reference of Azure Storage's services.
    ///
    /// # Errors
    ///
    /// As [`StorageAccount::account_sas`].
    pub fn container_sas(
        &self,
        container: &str,
        permissions: &str,
        seconds: i64,
    ) -> Result<String, Error> {
        let expiry = moment(seconds);
        let resource = format!("/blob/{}/{container}", self.name);
        let text =
            format!("{permissions}\n\n{expiry}\n{resource}\n\n\n\n{SAS_VERSION}\nc\n\n\n\n\n\n");
        let signature = self.signature(&text)?;
        Ok(format!(
            "sv={SAS_VERSION}&sr=c&sp={permissions}&se={expiry}&sig={signature}"
        ))
    }

    fn signature(&self, text: &str) -> Result<String, Error> {
        let key = BASE64
            .decode(&self.key)
            .map_err(std::io::Error::other)
            .map_err(Error::io("read the account's key"))?;
        Ok(escape(&BASE64.encode(mac(&key, text))))
    }

    /// The account of the servers of this crate.
    pub(super) fn own() -> Self {
        Self::new("linkdialtest", BASE64.encode(KEY))
    }
}

/// A time as a SAS has it, so many seconds from now.
fn moment(seconds: i64) -> String {
    let time = OffsetDateTime::now_utc() + Duration::seconds(seconds);
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

impl fmt::Debug for StorageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageAccount")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
