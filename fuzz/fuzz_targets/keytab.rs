//! Feeds the target of this name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkdial_core::fuzz::feed;
use linkdial_kerberos::fuzz::TARGETS;

fuzz_target!(|bytes: &[u8]| feed(TARGETS, "keytab", bytes));
