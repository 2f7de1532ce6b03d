//! Compressed answers, small on the way and large when they are unpacked.

/// Zeros that unpack to about so many bytes, as a DEFLATE stream of one block with fixed codes
/// (RFC 1951): a zero, and then again and again «258 bytes, from one byte back», thirteen bits each.
fn deflated(bytes: usize) -> Vec<u8> {
    // The last block, with fixed codes, and a zero.
    let mut bits = String::from("11000110000");
    bits.push_str(&"1100010100000".repeat(16));
    let packed: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
    // Eight times thirteen bits are thirteen bytes, so it goes on alike. The end does not matter:
    // whoever unpacks this has unpacked it by then.
    let (head, again) = (&packed[..2], &packed[2..15]);
    [head, &again.repeat(bytes / 258 / 8)].concat()
}

/// The first bit is the lowest one.
fn byte(bits: &[u8]) -> u8 {
    let places = bits.iter().enumerate();
    places.fold(0, |byte, (place, bit)| byte | (bit - b'0') << place)
}

pub(crate) fn gzip(bytes: usize) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [&head[..], &deflated(bytes), &[0; 8]].concat()
}

pub(crate) fn zlib(bytes: usize) -> Vec<u8> {
    [&[0x78, 0x9c][..], &deflated(bytes), &[0; 4]].concat()
}

#[test]
fn a_bomb_is_one() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    // Whoever has no gzip trusts the next run on another machine.
    let gzip_program = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut program) = gzip_program else {
        println!("skipped: a_bomb_is_one: there is no gzip here");
        return;
    };
    let packed = gzip(1 << 24);
    let mut input = program.stdin.take().unwrap();
    std::thread::spawn(move || input.write_all(&packed));
    let unpacked = program.wait_with_output().unwrap().stdout;
    assert!(unpacked.len() > (1 << 24) * 9 / 10, "{}", unpacked.len());
}
