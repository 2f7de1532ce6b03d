//! Datagrams: answered, refused, lost, and kept from addresses and ways that are not meant.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use linkdial_core::net::{Net, Proxy};
use linkdial_core::{Code, Endpoint, Role};
use linkdial_testcontainers::broken::RefusedPort;
use linkdial_testcontainers::{DnsAnswer, DnsServer};

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::new(Role::Kdc, &address.ip().to_string(), address.port())
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let timeout = Some(Duration::from_secs(20));
    socket.set_read_timeout(timeout).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again() {
    for lost in [0, 1] {
        let (socket, address) = socket();
        let server = thread::spawn(move || {
            let mut buffer = [0; 16];
            for _ in 0..lost {
                socket.recv_from(&mut buffer).unwrap();
            }
            let (length, peer) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"question");
            // An empty one is no answer, and another sender is none who was asked.
            let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
            stranger.send_to(b"stranger", peer).unwrap();
            socket.send_to(b"", peer).unwrap();
            socket.send_to(b"answer", peer).unwrap();
        });
        let net = Net::default();
        let endpoint = endpoint(address);
        let resolved = net.resolve(&endpoint).await.unwrap();
        let answer = net.exchange(&endpoint, &resolved, b"question").await;
        let answer = answer.unwrap();
        assert_eq!(answer.bytes, b"answer");
        assert_eq!(answer.address, address);
        server.join().unwrap();
    }
}

#[tokio::test]
async fn a_late_answer_to_an_earlier_datagram_counts() {
    let (socket, address) = socket();
    let server = thread::spawn(move || {
        let (_, first) = socket.recv_from(&mut [0; 16]).unwrap();
        let (_, second) = socket.recv_from(&mut [0; 16]).unwrap();
        assert_ne!(first, second);
        socket.send_to(b"late", first).unwrap();
        // The port stays open to the end: what is sent meanwhile is lost and not refused.
        socket
    });
    let net = Net::default();
    let endpoint = endpoint(address);
    let resolved = net.resolve(&endpoint).await.unwrap();
    let answer = net.exchange(&endpoint, &resolved, b"question").await;
    assert_eq!(answer.unwrap().bytes, b"late");
    drop(server.join().unwrap());
}

#[tokio::test]
async fn addresses_that_got_no_datagram_are_not_told() {
    let addresses = (1..=6).map(|it| Ipv4Addr::new(127, 0, 0, it).into());
    let dns = DnsServer::always(DnsAnswer::Addresses(addresses.collect()));
    // Bound for TCP alone, so that datagrams are refused.
    let closed = RefusedPort::start();
    let net = Net::builder().dns_server(dns.addr()).build();
    let kdc = Endpoint::new(Role::Kdc, "kdc.lab.test", closed.addr().port());
    let resolved = net.resolve(&kdc).await.unwrap();
    let fault = net.exchange(&kdc, &resolved, b"x").await.unwrap_err();
    assert_eq!(fault.code, Code::ConnectRefused);
    let tried = fault.evidence.iter().find(|(name, _)| *name == "tried");
    let (_, tried) = tried.unwrap();
    assert_eq!(tried.split("; ").count(), 4, "{tried}");
    assert!(!tried.contains("timed out"), "{tried}");
}

#[tokio::test]
async fn a_closed_port_is_known_at_once_and_silence_ends() {
    let (socket, address) = socket();
    let net = Net::default();
    let silent = endpoint(address);
    let resolved = net.resolve(&silent).await.unwrap();
    let started = Instant::now();
    let fault = net.exchange(&silent, &resolved, b"x").await.unwrap_err();
    assert_eq!(fault.code, Code::ConnectTimedOut);
    assert!(started.elapsed() < Duration::from_secs(6));
    drop(socket);
    let started = Instant::now();
    let fault = net.exchange(&silent, &resolved, b"x").await.unwrap_err();
    assert_eq!(fault.code, Code::ConnectRefused);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn behind_a_proxy_no_datagram_is_sent() {
    let (socket, address) = socket();
    socket.set_nonblocking(true).unwrap();
    // The proxy is never dialled.
    let proxy = Proxy::parse("http://127.0.0.1:9").unwrap();
    let net = Net::builder().proxy(proxy).build();
    let endpoint = endpoint(address);
    let resolved = net.resolve(&endpoint).await.unwrap();
    let fault = net.exchange(&endpoint, &resolved, b"x").await.unwrap_err();
    assert_eq!(fault.code, Code::ConnectProxyFailed);
    socket.recv(&mut [0; 1]).unwrap_err();
}
