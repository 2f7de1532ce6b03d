//! hdfs-native, in a process of its own.
//!
//! Its logins block a thread for up to a minute where a KDC is silent, take `krb5.conf` from the
//! environment, and what it learns of `DataNode`s it only writes to its log. A child has an environment
//! of its own, is killed at the deadline, and reads its own log.

mod child;
mod heard;
mod order;
mod session;
mod words;

pub use child::run;
pub(crate) use order::{
    Answer, Block, Failure, Kind, Listing, Looked, Order, Question, Replica, Status,
};
pub(crate) use session::Client;
pub(crate) use words::fuzz;

/// The first argument of the program when it has to run this client.
pub const CLIENT: &str = "run-hdfs-client";
