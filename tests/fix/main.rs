//! Corrections through the real binary against real servers: each is shown with its proof, the
//! statement that is printed passes with its variables filled, and the copy that `--fix` writes passes and
//! differs in what was repaired alone. No text shows a secret.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bench;
mod console;
mod kafka;
mod limits;
mod plain;
mod stores;
mod usage;
mod web;
