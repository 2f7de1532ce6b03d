#![doc = include_str!("../README.md")]

mod config;
mod error;
mod explain;
mod policy;
mod provider;
mod service_account;
mod target;

pub use provider::Gcs;
