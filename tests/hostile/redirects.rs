//! Redirects: a thousand of them, to other hosts, to addresses that must not be dialled.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::links::{KINDS, Links, SECRET, WEB};
use super::peer::{Peer, request, rest};
use super::run::verify;

/// Where a request is sent, by its number.
type To = Box<dyn Fn(usize) -> String + Send + Sync>;

/// Sends every request somewhere else; counts them.
fn elsewhere(status: u16, to: impl Fn(usize) -> String + Send + Sync + 'static) -> Peer {
    let asked = AtomicUsize::new(0);
    Peer::start(move |mut stream| {
        loop {
            if request(&mut stream)?.is_empty() {
                return rest(&mut stream);
            }
            let location = to(asked.fetch_add(1, Ordering::SeqCst));
            write!(
                stream,
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
            )?;
        }
    })
}

#[test]
fn redirects_are_not_followed_with_credentials() {
    // Each of these must stay alone: the first by name, the others as addresses of this machine.
    let metadata = Peer::counting();
    let other = Peer::counting();
    let (metadata_port, other_address) = (metadata.address.port(), other.address);
    let pinned = format!("metadata.linkdial.test:{}", metadata.address.ip());
    let mut links = Links::default();
    let mut peers = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        let forms: [(&str, To); 4] = [
            (
                "metadata",
                Box::new(move |_| {
                    format!("http://metadata.linkdial.test:{metadata_port}/latest/meta-data/")
                }),
            ),
            (
                "host",
                Box::new(move |_| format!("http://{other_address}/")),
            ),
            (
                "login",
                Box::new(move |_| format!("http://user:{SECRET}@{other_address}/?a={SECRET}")),
            ),
            ("thousand", Box::new(|turn| format!("/{turn}"))),
        ];
        for (name, to) in forms {
            let peer = elsewhere(status, to);
            links = links.to(&format!("{name}_{status}"), &WEB, &peer);
            peers.push((name, peer));
        }
    }
    let ran = verify(&["--resolve", &pinned], links.script());
    ran.within_limits("redirects");
    for check in ran.checks() {
        assert_eq!(check["verdict"], "fail", "{check:#}");
        let code = check["code"].as_str().unwrap();
        let known = [
            "access.redirected",
            "access.wrong-region",
            "access.not-this-service",
        ];
        assert!(known.contains(&code), "{check:#}");
    }
    assert_eq!((metadata.connections(), other.connections()), (0, 0));
    for (name, peer) in &peers {
        // Each check asks once or twice, on a connection of its own.
        assert!(
            peer.connections() <= 2 * WEB.len(),
            "{name}: {}",
            peer.connections()
        );
    }
    assert!(!ran.stdout.contains(SECRET), "{}", ran.stdout);
}

/// `--only-net` refuses this machine, so that nothing would leave it even if the rule were broken.
#[test]
fn a_name_that_leads_to_a_refused_address_is_not_dialled() {
    let peer = Peer::counting();
    let base = format!("http://refused.linkdial.test:{}", peer.address.port());
    let links = Links::default().with_base("refused", &KINDS, &base);
    let options = ["--resolve", "refused.linkdial.test:127.0.0.1"];
    let only = [&options[..], &["--only-net", "10.0.0.0/8"]].concat();
    let ran = verify(&only, links.script());
    ran.within_limits("refused addresses");
    for check in ran.checks() {
        assert_eq!(check["code"], "resolve.address-refused", "{check:#}");
    }
    assert_eq!(peer.connections(), 0);
    // The same links reach it where it is not refused.
    verify(&options, links.script());
    assert!(peer.connections() >= KINDS.len());
}
