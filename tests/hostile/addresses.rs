//! Forms of an address that the policy has to see through.

use linkdial_testcontainers::{ConnectProxy, ProxyBehaviour};

use super::links::{KINDS, Links, SECRET};
use super::peer::Peer;
use super::run::verify;

/// This machine, as resolvers and URLs write it.
const LOOPBACK: [&str; 14] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "2130706433",
    "017700000001",
    "127.0.0.1.",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
];

/// Addresses that are refused by default, and names of what stands there. Nobody dials any of them: the
/// proxy that is asked to refuses.
const REFUSED: [&str; 22] = [
    "169.254.169.254",
    "169.254.169.254.",
    "169.254.43518",
    "169.16689662",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "0251.254.0xa9.254",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[2001:db8::5efe:a9fe:a9fe]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "metadata.google.internal",
    "Metadata.Google.Internal.",
    "metadata.goog",
    "instance-data",
];

/// The same in other letters, which names of hosts may have: full width, circled, a zone behind.
const LOOKALIKES: [&str; 5] = [
    "１６９.254.169.254",
    "①⑥⑨.254.169.254",
    "ｍetadata.google.internal",
    "metadata。google。internal",
    "[fe80::1%eth0]",
];

/// A name for a link of each host.
fn links(hosts: &[&str], port: u16, kinds: &[&str]) -> Links {
    let mut links = Links::default();
    for (number, host) in hosts.iter().enumerate() {
        links = links.with_base(&number.to_string(), kinds, &format!("http://{host}:{port}"));
    }
    links
}

#[test]
fn no_form_of_a_refused_address_is_dialled() {
    let peer = Peer::counting();
    let links = links(&LOOPBACK, peer.address.port(), &KINDS);
    let ran = verify(&["--only-net", "10.0.0.0/8"], links.script());
    ran.within_limits("forms of an address");
    for check in ran.checks() {
        let code = check["code"].as_str().unwrap();
        // What is no name at all is not asked for.
        let known = code == "resolve.address-refused"
            || ["resolve.not-found", "resolve.server-failed"].contains(&code)
            || code.starts_with("define.");
        assert!(known, "{check:#}");
    }
    assert_eq!(peer.connections(), 0);
    // By their kinds' own rules most of them do reach this machine.
    verify(&[], links.script());
    assert!(
        peer.connections() > KINDS.len() * 8,
        "{}",
        peer.connections()
    );
}

/// A proxy resolves what it is asked for by itself, so nothing may be left to it that leads there.
#[test]
fn no_form_of_a_refused_address_is_left_to_a_proxy() {
    let proxy = ConnectProxy::start(ProxyBehaviour::Refuse(403));
    let hosts = [&REFUSED[..], &LOOKALIKES].concat();
    let ran = verify(
        &["--proxy", &proxy.url()],
        links(&hosts, 80, &KINDS).script(),
    );
    ran.within_limits("forms of an address behind a proxy");
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
    for check in ran.checks() {
        let code = check["code"].as_str().unwrap();
        let known = code == "resolve.address-refused" || code.starts_with("define.");
        assert!(known, "{check:#}");
    }
    // What is not refused does get to the proxy.
    verify(
        &["--proxy", &proxy.url()],
        links(&["127.1", "store.linkdial.test"], 80, &KINDS).script(),
    );
    assert!(
        proxy.requests().len() >= KINDS.len(),
        "{:?}",
        proxy.requests()
    );
}

/// What stands before the `@` of a URL is no host, and is shown to nobody.
#[test]
fn a_login_in_a_url_is_neither_dialled_nor_shown() {
    let peer = Peer::counting();
    let mut links = Links::default();
    for (number, login) in ["user:{}@", "{}@", "127.0.0.1:80@", "x:{}@y@", "%31:{}@"]
        .iter()
        .enumerate()
    {
        let login = login.replace("{}", SECRET.trim_end_matches('='));
        let base = format!("http://{login}127.0.0.1:{}", peer.address.port());
        links = links.with_base(&number.to_string(), &["S3", "GCS", "AZURE"], &base);
    }
    let ran = verify(&[], links.script());
    for check in ran.checks() {
        assert!(
            check["code"].as_str().unwrap().starts_with("define."),
            "{check:#}"
        );
    }
    assert_eq!(peer.connections(), 0);
    assert!(
        !ran.stdout.contains(SECRET.trim_end_matches('=')),
        "{}",
        ran.stdout
    );
}
