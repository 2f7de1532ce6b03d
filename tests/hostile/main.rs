//! Servers that want to hurt who dials them, through the real binary with its default limits: no check
//! takes longer than its deadline, and the program holds no more than a bound of memory.
//!
//! Each test prints what it measured; `docs/hardening.md` has a table of such a run.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests are tests"
)]

mod addresses;
mod bomb;
mod documents;
mod floods;
mod kafka;
mod links;
mod names;
mod peer;
mod redirects;
mod run;
mod tls;
