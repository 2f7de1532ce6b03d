#![doc = include_str!("../README.md")]

mod config;
mod error;
mod explain;
#[doc(hidden)]
pub mod fuzz;
mod object;
mod policy;
mod provider;
mod sas;
mod target;
mod wire;

pub use provider::Azure;
