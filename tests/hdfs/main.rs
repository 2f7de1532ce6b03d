//! HDFS links through the real binary, against real NameNodes, DataNodes and KDCs and broken ones: exact
//! verdict, code, role and guilty key of each, and no trace on the cluster.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod clocks;
mod conformance;
mod datanodes;
mod definitions;
mod impostor;
mod kerberos;
#[path = "../lab/mod.rs"]
mod lab;
mod library;
mod pair;
mod paths;
mod ports;
mod protection;
mod traces;
