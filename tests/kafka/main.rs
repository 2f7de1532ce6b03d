//! Kafka links through the real binary, against real brokers, a real KDC and broken servers: exact
//! verdict, code, role and guilty key of each, and no trace on the cluster.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod client;
mod cluster;
mod files;
mod kerberos;
#[path = "../lab/mod.rs"]
mod lab;
mod listeners;
mod settings;
mod tokens;
mod traces;
