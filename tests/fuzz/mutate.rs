//! Changes of bytes, the same ones for the same seed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// No change makes bytes longer.
const MAX: usize = 16 * 1024;

/// What readers look at, or count by.
const WORDS: [&[u8]; 24] = [
    b"\0",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\x80",
    b"\x84\xff\xff\xff\xff",
    b"\r\n\r\n",
    b"\n",
    b"'",
    b"\"",
    b"\\",
    b"\\u0000",
    b"${",
    b"}",
    b"{\"a\":[",
    b"<",
    b"</",
    b"; ",
    b"-- linkdial: ",
    "é\u{202e}".as_bytes(),
    "\u{1f600}".as_bytes(),
    b"\xe9",
    b"99999999999999999999",
];

/// `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Returns `LINKDIAL_SEED`, or a seed of chance.
pub(crate) fn seed() -> u64 {
    match std::env::var("LINKDIAL_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().build_hasher().finish(),
    }
}

/// Changes one of the seeds in one to eight places.
pub(crate) fn change(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(8) {
        step(&mut bytes, corpus, random);
        bytes.truncate(MAX);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let length = random.below(16).min(bytes.len() - at);
    match random.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.byte(),
        2 => drop(bytes.drain(at..at + length)),
        3 => insert(bytes, at, WORDS[random.below(WORDS.len())]),
        4 => {
            let word = WORDS[random.below(WORDS.len())];
            let end = (at + word.len()).min(bytes.len());
            bytes.splice(at..end, word.iter().copied());
        }
        5 => {
            let part = bytes[at..at + length].to_vec();
            let to = random.below(bytes.len() + 1);
            insert(bytes, to, &part);
        }
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        7 => bytes.truncate(at),
        8 => {
            let part = bytes[at..at + length].to_vec();
            for _ in 0..random.below(64) {
                insert(bytes, at, &part);
            }
        }
        _ if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
        _ => bytes.push(random.byte()),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    bytes.splice(at..at, part.iter().copied());
}
