//! Feeds the target of this name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkdial_core::fuzz::feed;
use linkdial_http::fuzz::TARGETS;

fuzz_target!(|bytes: &[u8]| feed(TARGETS, "http_headers", bytes));
