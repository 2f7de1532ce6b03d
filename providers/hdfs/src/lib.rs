#![doc = include_str!("../README.md")]

mod client;
mod config;
mod datanode;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod identity;
mod keys;
mod namenode;
mod negotiation;
mod provider;
mod target;
mod write;

pub use client::{CLIENT, run as run_client};
pub use provider::Hdfs;
