#![doc = include_str!("../README.md")]

mod brokers;
mod client;
mod config;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod gssapi;
mod keys;
mod login;
mod material;
mod metadata;
#[cfg(test)]
mod odd_options;
mod offsets;
mod pem;
mod private_key;
mod provider;
mod reader;
mod schema_registry;
mod scram;
mod target;
mod token;
mod token_endpoint;
mod topic;
mod walk;
mod web;
mod wire;

pub use client::{CLIENT, run as run_client};
pub use provider::Kafka;
