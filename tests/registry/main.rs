//! Statements against a registry: what each comes to, what is stored, who may do what.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod cases;
mod cli;
mod lab;
mod permissions;
mod race;
