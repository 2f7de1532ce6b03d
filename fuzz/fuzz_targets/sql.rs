//! Feeds the target of this name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkdial::fuzz::TARGETS;
use linkdial_core::fuzz::feed;

fuzz_target!(|bytes: &[u8]| feed(TARGETS, "sql", bytes));
