//! Loops that are left to chance, and can be repeated.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests are tests"
)]

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Rounds of a loop; more of them in a soak.
pub(crate) fn rounds(few: usize, soak: usize) -> usize {
    if variable("LINKDIAL_SOAK").is_some() {
        soak
    } else {
        few
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says how long and with which seed"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Random numbers (`SplitMix64`); `LINKDIAL_SEED` repeats a run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let seed = variable("LINKDIAL_SEED").map_or_else(
            || RandomState::new().build_hasher().finish(),
            |text| text.parse().unwrap(),
        );
        eprintln!("LINKDIAL_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
