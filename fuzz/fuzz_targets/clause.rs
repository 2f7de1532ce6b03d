//! Feeds the target of this name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkdial_core::fuzz::{TARGETS, feed};

fuzz_target!(|bytes: &[u8]| feed(TARGETS, "clause", bytes));
