//! The client of Azure's blob storage that tests prepare with and prove with.

use std::fmt;

use time::OffsetDateTime;

use super::StorageAccount;
use crate::Error;
use crate::store::{elements, escape, object};
use crate::wire::{Reply, Wire};

/// The version of the protocol, an old one that every server still speaks.
pub(super) const VERSION: &str = "2021-08-06";

/// A small client of Azure's blob storage for tests: prepares blobs and proves what was left behind.
///
/// It shares no code with the client under test.
#[derive(Debug, Clone)]
pub struct BlobStore {
    wire: Wire,
    /// The account in the path, whoever signs.
    path: String,
    access: Access,
}

/// What a [`BlobStore`] shows of itself.
#[derive(Clone)]
pub(super) enum Access {
    Nothing,
    /// A signature of this account.
    Key(StorageAccount),
    /// A shared access signature.
    Token(String),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Key(account) => f.debug_tuple("Key").field(account).finish(),
            Self::Token(_) => f.write_str("Token"),
        }
    }
}

impl BlobStore {
    pub(super) fn new(wire: Wire, name: &str, access: Access) -> Self {
        Self {
            wire,
            path: format!("/{name}"),
            access,
        }
    }

    /// Makes a container that only the account sees.
    ///
    /// # Errors
    ///
    /// When the server does not answer or refuses, or the account's key is not in Base64.
    pub fn make_container(&self, container: &str) -> Result<(), Error> {
        let path = format!("/{container}");
        self.call("PUT", &path, &[("restype", "container")], &[], b"")
            .map(drop)
    }

    /// Makes a container that everybody may list and read.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn make_public_container(&self, container: &str) -> Result<(), Error> {
        let (path, query) = (format!("/{container}"), [("restype", "container")]);
        let open = [("x-ms-blob-public-access", "container")];
        self.call("PUT", &path, &query, &open, b"").map(drop)
    }

    /// Puts a block blob.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn put(&self, container: &str, blob: &str, body: &[u8]) -> Result<(), Error> {
        let kind = [("x-ms-blob-type", "BlockBlob")];
        self.call("PUT", &object(container, blob), &[], &kind, body)
            .map(drop)
    }

    /// Reads a whole blob.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn get(&self, container: &str, blob: &str) -> Result<Vec<u8>, Error> {
        self.call("GET", &object(container, blob), &[], &[], b"")
            .map(|reply| reply.body)
    }

    /// Deletes a blob; one that does not exist is an error.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn delete(&self, container: &str, blob: &str) -> Result<(), Error> {
        self.call("DELETE", &object(container, blob), &[], &[], b"")
            .map(drop)
    }

    /// Moves a block blob to another tier: `Hot`, `Cool`, or `Archive`, from which it cannot be read
    /// (`BlobArchived`).
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn set_tier(&self, container: &str, blob: &str, tier: &str) -> Result<(), Error> {
        let (path, tier) = (object(container, blob), [("x-ms-access-tier", tier)]);
        self.call("PUT", &path, &[("comp", "tier")], &tier, b"")
            .map(drop)
    }

    /// The names of the blobs below a prefix, 5000 at most, in the order of the server.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::make_container`].
    pub fn list(&self, container: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let query = [
            ("comp", "list"),
            ("prefix", prefix),
            ("restype", "container"),
        ];
        let reply = self.call("GET", &format!("/{container}"), &query, &[], b"")?;
        Ok(elements(&reply.text(), "Name"))
    }

    /// Sends one request; query and header fields in lower case and in alphabetical order.
    fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        let path = format!("{}{path}", self.path);
        let date = date(OffsetDateTime::now_utc());
        let common = [("x-ms-date", date.as_str()), ("x-ms-version", VERSION)];
        let headers: Vec<_> = headers.iter().copied().chain(common).collect();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut sent: Vec<_> = headers.iter().map(owned).collect();
        if let Access::Key(account) = &self.access {
            let text = string_to_sign(method, &account.name, &path, query, &headers, body.len());
            let authorization = format!("SharedKey {}:{}", account.name, account.sign(&text)?);
            sent.push(("authorization".to_owned(), authorization));
        }

        let mut query: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{key}={}", escape(value)))
            .collect();
        if let Access::Token(token) = &self.access {
            query.push(token.clone());
        }
        self.wire.call(method, &path, &query.join("&"), &sent, body)
    }
}

/// What is signed of a request: "Authorize with Shared Key" of the reference of Azure Storage's
/// services (<https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>).
///
/// Of the twelve lines at the top a request of this client fills two: the method, and the length,
/// which is empty for an empty body. An emulator has the account in the path too, so its name
/// stands there twice.
fn string_to_sign(
    method: &str,
    account: &str,
    path: &str,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    length: usize,
) -> String {
    let length = match length {
        0 => String::new(),
        length => length.to_string(),
    };
    let mut text = format!("{method}\n\n\n{length}\n\n\n\n\n\n\n\n\n");
    for (name, value) in headers {
        text.extend([name, ":", value, "\n"]);
    }
    text.extend(["/", account, path]);
    for (key, value) in query {
        text.extend(["\n", key, ":", value]);
    }
    text
}

/// A date as HTTP has it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(time: OffsetDateTime) -> String {
    let (hour, minute, second) = time.to_hms();
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    format!(
        "{}, {:02} {} {} {hour:02}:{minute:02}:{second:02} GMT",
        &weekday[..3],
        time.day(),
        &month[..3],
        time.year()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_to_sign_is_the_one_of_the_reference() {
        // The example of the page, with the account as the first part of the path.
        let query = [
            ("comp", "metadata"),
            ("restype", "container"),
            ("timeout", "20"),
        ];
        let headers = [
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2015-02-21"),
        ];
        assert_eq!(
            string_to_sign("GET", "me", "/me/box", &query, &headers, 0),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
             x-ms-version:2015-02-21\n/me/me/box\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }

    #[test]
    fn date_has_the_form_of_http() {
        let time = OffsetDateTime::from_unix_timestamp(784_111_777).unwrap();
        assert_eq!(date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
