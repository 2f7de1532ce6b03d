#![doc = include_str!("../README.md")]

mod config;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod provider;
mod wire;

pub use provider::Http;
