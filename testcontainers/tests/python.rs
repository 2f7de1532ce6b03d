//! A test in Python starts servers with `up` and uses them through the vendors' own clients.

#![cfg(unix)] // the layout of a Python environment

#[path = "support/python.rs"]
mod python;

#[test]
fn clients_of_other_languages_reach_the_servers() {
    let up = env!("CARGO_BIN_EXE_linkdial-testcontainers");
    python::run_script("up.py", &[up], "");
}
