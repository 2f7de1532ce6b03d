//! What the providers of object stores share: targets, one byte of one object, the sentinel.
//!
//! A provider says how its store lists and names things ([`Naming`]) and what it does with a
//! single object ([`Store`]); the order of the calls, and what is left behind, is the same for all.

mod bucket;
mod needs;
mod object;
mod sentinel;

use std::future::Future;

use bytes::Bytes;

use crate::diagnosis::Diagnosis;

pub use bucket::{Bucket, Naming};
pub use needs::{Needs, Right};
pub use object::{LISTED, Listing, Object, read};
pub use sentinel::{Deleted, Put, SENTINEL, Written, random, write};

/// What a provider does with single objects of the bucket that a link is used with.
pub trait Store: Sync {
    /// What reading one byte tells.
    type Answer: Send;

    /// Names an object for a report.
    fn resource(&self, key: &str) -> String;

    /// Reads one byte, or nothing of an empty object, as the link would.
    fn read(&self, object: &Object)
    -> impl Future<Output = Result<Self::Answer, Diagnosis>> + Send;

    /// Puts [`SENTINEL`] under a key that nothing has.
    fn put(&self, key: &str) -> impl Future<Output = Put> + Send;

    /// Reads a small object whole.
    fn fetch(&self, key: &str) -> impl Future<Output = Result<Bytes, Diagnosis>> + Send;

    /// Deletes the sentinel, and no object that another writer put in its place. `written` is
    /// `None` when no answer to the put came.
    fn delete(
        &self,
        key: &str,
        written: Option<&Written>,
    ) -> impl Future<Output = Result<Deleted, Diagnosis>> + Send;

    /// Says how to remove a sentinel that could not be deleted.
    fn leftover_hint(&self, resource: &str, written: Option<&Written>) -> String;
}
