#![doc = include_str!("../README.md")]

mod config;
mod error;
mod provider;
mod wire;

pub use provider::Http;
