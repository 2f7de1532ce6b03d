#![doc = include_str!("../README.md")]

mod config;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod own_thread;
mod provider;
mod wire;

pub use provider::Http;
