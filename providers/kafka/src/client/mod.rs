//! librdkafka, the client that `SingleStore` uses, in a process of its own.
//!
//! It blocks where it likes (a silent KDC holds it for 25 seconds), reads the environment, and takes
//! the Kerberos identity of its process. A child has none of these: its environment is empty, it is
//! one link's alone, and it is killed at the deadline.

mod child;
mod confirm;
mod order;

pub use child::run;
pub(crate) use confirm::{confirm, stand_in};

/// The first argument of the program when it has to run this client.
pub const CLIENT: &str = "run-kafka-client";
