#![doc = include_str!("../README.md")]

mod config;
mod error;
mod explain;
mod provider;
mod service_account;

pub use provider::Gcs;
