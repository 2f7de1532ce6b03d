//! Peers that flood a TLS handshake, or never get to its end.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use super::links::{Links, WEB};
use super::peer::{Peer, forever};
use super::run::verify;

/// A record of TLS 1.2 (RFC 8446, section 5.1).
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3][..], &length, content].concat()
}

/// Says the same again and again as soon as the client has greeted.
fn flood(first: Vec<u8>, again: Vec<u8>) -> Peer {
    Peer::start(move |mut stream| {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello)?;
        stream.write_all(&first)?;
        forever(&mut stream, &again)
    })
}

#[test]
fn handshakes_without_end_are_given_up() {
    const CHANGE: u8 = 20;
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    const DATA: u8 = 23;

    let change = flood(Vec::new(), record(CHANGE, &[1]));
    let warnings = flood(Vec::new(), record(ALERT, &[1, 90]));
    let empty = flood(Vec::new(), record(HANDSHAKE, &[]));
    let data = flood(Vec::new(), record(DATA, &[0; 256]));
    // The header of a ServerHello of 16 MiB, and then its bytes.
    let long = flood(
        record(HANDSHAKE, &[2, 0xff, 0xff, 0xff]),
        record(HANDSHAKE, &[0; 16_000]),
    );
    let hellos = flood(Vec::new(), record(HANDSHAKE, &[0, 0, 0, 0]));
    let slow = Peer::start(|mut stream| {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello)?;
        for byte in record(HANDSHAKE, &[2; 4096]) {
            stream.write_all(&[byte])?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    let mut links = Links::default();
    for (name, peer) in [
        ("change", &change),
        ("warnings", &warnings),
        ("empty", &empty),
        ("data", &data),
        ("long", &long),
        ("hellos", &hellos),
        ("slow", &slow),
    ] {
        let base = format!("https://localhost:{}", peer.address.port());
        links = links.with_base(name, &WEB, &base);
    }
    let script = links
        .script()
        .replace("https://localhost", "https://tls.linkdial.test");
    let ran = verify(&["--resolve", "tls.linkdial.test:127.0.0.1"], &script);
    ran.within_limits("TLS floods");
    for check in ran.checks() {
        assert_eq!(check["stage"], "tls", "{check:#}");
        assert_eq!(check["verdict"], "fail", "{check:#}");
    }
    for link in ["s3_slow", "http_slow"] {
        assert_eq!(ran.code(link), "tls.timed-out");
    }
}
