//! The client of Google Cloud Storage that tests prepare with and prove with.

use serde_json::{Value, json};

use crate::Error;
use crate::store::escape;
use crate::wire::{Reply, Wire};

/// A small client of Google Cloud Storage's JSON API for tests: prepares objects and proves what was
/// left behind.
///
/// It sends no credentials, and shares no code with the client under test.
#[derive(Debug, Clone)]
pub struct GcsStore {
    wire: Wire,
}

impl GcsStore {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire }
    }

    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn make_bucket(&self, bucket: &str) -> Result<(), Error> {
        let body = json!({"name": bucket}).to_string();
        self.call("POST", "/storage/v1/b", "", body.as_bytes())
            .map(drop)
    }

    /// Puts an object.
    ///
    /// # Errors
    ///
    /// As [`GcsStore::make_bucket`].
    pub fn put(&self, bucket: &str, object: &str, body: &[u8]) -> Result<(), Error> {
        let path = format!("/upload/storage/v1/b/{}/o", escape(bucket));
        let query = format!("uploadType=media&name={}", escape(object));
        self.call("POST", &path, &query, body).map(drop)
    }

    /// Reads a whole object.
    ///
    /// # Errors
    ///
    /// As [`GcsStore::make_bucket`].
    pub fn get(&self, bucket: &str, object: &str) -> Result<Vec<u8>, Error> {
        self.call("GET", &path(bucket, object), "alt=media", b"")
            .map(|reply| reply.body)
    }

    /// Deletes an object; one that does not exist is an error.
    ///
    /// # Errors
    ///
    /// As [`GcsStore::make_bucket`].
    pub fn delete(&self, bucket: &str, object: &str) -> Result<(), Error> {
        self.call("DELETE", &path(bucket, object), "", b"")
            .map(drop)
    }

    /// The names of the objects below a prefix, a thousand at most, in the order of the server.
    ///
    /// # Errors
    ///
    /// As [`GcsStore::make_bucket`], or when the answer is no list.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let path = format!("/storage/v1/b/{}/o", escape(bucket));
        let query = format!("prefix={}", escape(prefix));
        let reply = self.call("GET", &path, &query, b"")?;
        let list: Value = serde_json::from_slice(&reply.body)
            .map_err(std::io::Error::from)
            .map_err(Error::io("read the list of objects"))?;
        // An empty one has no items.
        let items = list["items"].as_array().into_iter().flatten();
        Ok(items
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect())
    }

    fn call(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Result<Reply, Error> {
        self.wire.call(method, path, query, &[], body)
    }
}

/// The path of an object, whose name is one part of it.
fn path(bucket: &str, object: &str) -> String {
    format!("/storage/v1/b/{}/o/{}", escape(bucket), escape(object))
}
