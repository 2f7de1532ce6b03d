#![doc = include_str!("../README.md")]

mod config;
mod error;
mod keys;
mod login;
mod material;
mod metadata;
mod private_key;
mod provider;
mod schema_registry;
mod scram;
mod target;
mod token;
mod token_endpoint;
mod web;
mod wire;

pub use provider::Kafka;
