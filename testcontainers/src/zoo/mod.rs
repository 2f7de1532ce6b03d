//! The fault zoo: seeded faults of every kind of link, each with what is to be said of it.
//!
//! A fault is a value in a table: the statement, the server that it needs, and verdict, code, stage,
//! role and guilty key of a right diagnosis, with the vendor's page, the RFC or the recorded answer
//! that this stands on. The tables are made before the answers are known; what a program says of a
//! fault never changes its row.

mod azure;
mod fault;
mod gcs;
mod hdfs;
mod http;
mod kafka;
mod mark;
mod mendable;
mod peers;
mod run;
mod s3;
mod seeded;
pub mod table;
mod world;

pub use fault::{Expected, Family, Fault, Kind};
pub use mark::{Mark, leaks};
pub use peers::{LIMIT, Peer, Told};
pub use run::{Found, GRACE, Linkdial, beside, each, servers, start_servers, today};
pub use seeded::Seeded;

/// The page of keys that the customer holds.
const SSE_C: &str =
    "Amazon S3 User Guide, Using server-side encryption with customer-provided keys";

/// All faults, in the order of kinds and families.
pub fn faults() -> Vec<Fault> {
    let mut faults = [
        s3::faults(),
        azure::faults(),
        gcs::faults(),
        hdfs::faults(),
        http::faults(),
        kafka::faults(),
        world::faults(),
        mendable::faults(),
    ]
    .concat();
    // Those of one kind and family keep the order of their table.
    faults.sort_by_key(|fault| (fault.kind, fault.family));
    faults
}
