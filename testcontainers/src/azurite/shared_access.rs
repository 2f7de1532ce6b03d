//! Shared access signatures (SAS), made in this process.

use time::{Duration, OffsetDateTime};

use super::StorageAccount;
use super::blob_store::VERSION;
use crate::Error;
use crate::store::escape;

/// How many seconds a token lives by default.
const LIFE: i64 = 3600;

/// What a shared access signature (SAS) allows; an account signs it and gets a token for clients.
///
/// By default it allows to read and to list (`rl`) for an hour from now on, by http and https.
///
/// ```
/// use linkdial_testcontainers::{SharedAccess, StorageAccount};
///
/// let account = StorageAccount::new("me", "a2V5");
/// let access = SharedAccess::container("private").permissions("r").expires_in(-60);
/// let token = access.sign(&account)?;
/// assert!(token.starts_with("sv="), "{token}");
/// assert!(token.contains("&sr=c&sp=r&se="), "{token}");
/// # Ok::<(), linkdial_testcontainers::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SharedAccess {
    scope: Scope,
    permissions: String,
    start: Option<i64>,
    expiry: i64,
    /// Empty for every one.
    protocol: String,
}

/// What the access is to.
#[derive(Debug, Clone)]
enum Scope {
    Account {
        services: String,
        resource_types: String,
    },
    Container(String),
    Blob(String, String),
}

impl SharedAccess {
    /// Access to a whole account, to these services (`ss`, such as `b` for blobs) and types of
    /// resource in them (`srt`: `s` for the service, `c` for containers, `o` for blobs).
    pub fn account(services: &str, resource_types: &str) -> Self {
        Self::to(Scope::Account {
            services: services.to_owned(),
            resource_types: resource_types.to_owned(),
        })
    }

    /// Access to a container and the blobs in it (`sr=c`).
    pub fn container(container: &str) -> Self {
        Self::to(Scope::Container(container.to_owned()))
    }

    /// Access to one blob (`sr=b`).
    pub fn blob(container: &str, blob: &str) -> Self {
        Self::to(Scope::Blob(container.to_owned(), blob.to_owned()))
    }

    fn to(scope: Scope) -> Self {
        Self {
            scope,
            permissions: "rl".to_owned(),
            start: None,
            expiry: LIFE,
            protocol: String::new(),
        }
    }

    /// Allows this (`sp`), in the order that Azure wants: `racwdxltmeop`.
    #[must_use]
    pub fn permissions(mut self, permissions: &str) -> Self {
        permissions.clone_into(&mut self.permissions);
        self
    }

    /// Begins so many seconds after the signature (`st`); with a negative number, before it.
    #[must_use]
    pub fn starts_in(mut self, seconds: i64) -> Self {
        self.start = Some(seconds);
        self
    }

    /// Ends so many seconds after the signature (`se`); with a negative number it has expired.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expiry = seconds;
        self
    }

    /// Allows this protocol alone (`spr`, `https`), or `https,http`.
    #[must_use]
    pub fn protocol(mut self, protocol: &str) -> Self {
        protocol.clone_into(&mut self.protocol);
        self
    }

    /// The token, without a question mark in front.
    ///
    /// # Errors
    ///
    /// When the account's key is not in Base64.
    pub fn sign(&self, account: &StorageAccount) -> Result<String, Error> {
        self.signed_at(OffsetDateTime::now_utc(), account)
    }

    fn signed_at(&self, now: OffsetDateTime, account: &StorageAccount) -> Result<String, Error> {
        let after = |seconds| timestamp(now + Duration::seconds(seconds));
        let (start, expiry) = (self.start.map(after), after(self.expiry));
        let start = start.as_deref().unwrap_or_default();
        let text = self.string_to_sign(&account.name, start, &expiry);
        let signature = account.sign(&text)?;
        let mut fields = vec![("sv", VERSION)];
        fields.extend(match &self.scope {
            Scope::Account {
                services,
                resource_types,
            } => vec![("ss", services.as_str()), ("srt", resource_types)],
            Scope::Container(_) => vec![("sr", "c")],
            Scope::Blob(..) => vec![("sr", "b")],
        });
        fields.extend([("sp", self.permissions.as_str()), ("st", start)]);
        fields.extend([("se", expiry.as_str()), ("spr", self.protocol.as_str())]);
        fields.push(("sig", &signature));
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        Ok(fields.join("&"))
    }

    /// What is signed since the version of 2020-12-06: "Create an account SAS"
    /// (<https://learn.microsoft.com/rest/api/storageservices/create-account-sas>) and "Create a
    /// service SAS" (<https://learn.microsoft.com/rest/api/storageservices/create-service-sas>).
    fn string_to_sign(&self, account: &str, start: &str, expiry: &str) -> String {
        let (permissions, protocol) = (self.permissions.as_str(), self.protocol.as_str());
        let (kind, resource) = match &self.scope {
            Scope::Account {
                services,
                resource_types,
            } => {
                // No addresses and no scope of encryption, and the last line ends too.
                let lines = [account, permissions, services, resource_types, start];
                let rest = [expiry, "", protocol, VERSION, "", ""];
                return [&lines[..], &rest].concat().join("\n");
            }
            Scope::Container(container) => ("c", format!("/blob/{account}/{container}")),
            Scope::Blob(container, blob) => ("b", format!("/blob/{account}/{container}/{blob}")),
        };
        // No stored policy, no addresses; no snapshot, no scope of encryption, and none of five
        // headers for the answer.
        let lines = [permissions, start, expiry, &resource, "", "", protocol];
        let rest = [VERSION, kind, "", "", "", "", "", "", ""];
        [&lines[..], &rest].concat().join("\n")
    }
}

/// A time as Azure has it in a token: `1994-11-06T08:49:37Z`.
fn timestamp(time: OffsetDateTime) -> String {
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = time.to_calendar_date();
    let month = u8::from(month);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: i64 = 784_111_777;

    fn then() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(THEN).unwrap()
    }

    #[test]
    fn strings_to_sign_have_every_line_of_the_reference() {
        let access = SharedAccess::account("b", "sco").protocol("https");
        assert_eq!(
            access.string_to_sign("me", "S", "E"),
            "me\nrl\nb\nsco\nS\nE\n\nhttps\n2021-08-06\n\n"
        );
        let access = SharedAccess::blob("box", "a/b").permissions("r");
        assert_eq!(
            access.string_to_sign("me", "", "E"),
            "r\n\nE\n/blob/me/box/a/b\n\n\n\n2021-08-06\nb\n\n\n\n\n\n\n"
        );
    }

    #[test]
    fn token_has_what_was_asked_for_and_nothing_else() {
        let account = StorageAccount::new("me", "a2V5");
        let access = SharedAccess::container("box").expires_in(3);
        let token = access.signed_at(then(), &account).unwrap();
        let (fields, signature) = token.split_once("&sig=").unwrap();
        assert_eq!(
            fields,
            "sv=2021-08-06&sr=c&sp=rl&se=1994-11-06T08%3A49%3A40Z"
        );
        assert!(!signature.contains(['+', '/', '=']), "{signature}");
        let access = SharedAccess::account("bf", "o")
            .starts_in(-7)
            .protocol("https");
        let token = access.expires_in(-3).signed_at(then(), &account).unwrap();
        let (fields, _) = token.split_once("&sig=").unwrap();
        assert_eq!(
            fields,
            "sv=2021-08-06&ss=bf&srt=o&sp=rl&st=1994-11-06T08%3A49%3A30Z\
             &se=1994-11-06T08%3A49%3A34Z&spr=https"
        );
    }

    #[test]
    fn key_without_base64_cannot_sign() {
        let account = StorageAccount::new("me", "not Base64");
        let error = SharedAccess::container("box").sign(&account).unwrap_err();
        assert!(error.to_string().contains("the account's key"), "{error}");
    }
}
