#![doc = include_str!("../README.md")]

mod config;
mod error;
mod keys;
mod login;
mod material;
mod metadata;
mod provider;
mod scram;
mod target;
mod token;
mod wire;

pub use provider::Kafka;
