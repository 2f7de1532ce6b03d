#![doc = include_str!("../README.md")]

mod address;
mod config;
mod contents;
mod error;
mod explain;
mod fault;
#[doc(hidden)]
pub mod fuzz;
mod keys;
mod object;
mod policy;
mod provider;
mod session;
mod target;
mod wire;

pub use address::{Address, endpoint_url};
pub use contents::Contents;
pub use fault::Fault;
pub use keys::{Keys, Pair, PairForm};
pub use provider::S3;
pub use session::{Asked, Call, Session, Vendor};
pub use wire::Access;
