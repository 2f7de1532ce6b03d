//! Each broken server does what its name says, seen through plain sockets.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use linkdial_testcontainers::broken::{
    BlackHole, Broken, Fault, HTTP_BAD_REQUEST, RefusedPort, SSH_BANNER, TLS_HANDSHAKE_FAILURE,
    UNREACHABLE,
};
use linkdial_testcontainers::{Certificates, ConnectProxy, ProxyBehaviour};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

/// Everything the server sends until it closes.
fn ask(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(address);
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

#[test]
fn refused_port_refuses_at_once() {
    let port = RefusedPort::start();
    let error = TcpStream::connect(port.addr()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn black_hole_never_connects() {
    let hole = BlackHole::start();
    let begin = Instant::now();
    let error = TcpStream::connect_timeout(&hole.addr(), Duration::from_millis(1500)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begin.elapsed() >= Duration::from_millis(1400));
}

#[test]
fn black_hole_takes_the_place_of_a_server_that_has_gone() {
    let server = Broken::start(Fault::Close);
    let address = server.addr();
    assert!(BlackHole::start_at(address).is_err(), "it is taken");
    // The server closes first, and its end of the connection lingers.
    assert!(ask(address, b"").unwrap().is_empty());
    drop(server);
    let hole = BlackHole::start_at(address).unwrap();
    assert_eq!(hole.addr(), address);
    let error = TcpStream::connect_timeout(&address, Duration::from_millis(500)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn unreachable_address_has_no_way() {
    let error = TcpStream::connect((UNREACHABLE, 80)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
}

#[test]
fn silent_server_accepts_and_says_nothing() {
    let server = Broken::start(Fault::Silent);
    let mut stream = connect(server.addr());
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    stream.write_all(REQUEST).unwrap();
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(server.connections(), 1);
    assert_eq!(server.received(), REQUEST);
}

#[test]
fn resetting_servers_reset() {
    for fault in [Fault::Reset, Fault::ResetAfterRequest] {
        let server = Broken::start(fault.clone());
        let error = ask(server.addr(), REQUEST).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            ),
            "{fault:?}: {error}"
        );
    }
}

#[test]
fn closing_servers_close_without_a_reset() {
    for fault in [Fault::Close, Fault::CloseAfterRequest] {
        let server = Broken::start(fault.clone());
        assert_eq!(ask(server.addr(), REQUEST).unwrap(), b"", "{fault:?}");
    }
}

#[test]
fn server_closes_after_the_given_bytes() {
    let server = Broken::start(Fault::CloseAfter { bytes: 200 });
    let answer = ask(server.addr(), REQUEST).unwrap();
    assert_eq!(answer.len(), 200);
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[test]
fn dripping_server_sends_one_byte_each_interval() {
    let server = Broken::start(Fault::Drip {
        interval: Duration::from_millis(20),
    });
    let mut stream = connect(server.addr());
    stream.write_all(REQUEST).unwrap();
    let begin = Instant::now();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 2");
    assert!(begin.elapsed() >= Duration::from_millis(9 * 20));
}

#[test]
fn endless_answers_do_not_end() {
    for fault in [Fault::EndlessBody, Fault::EndlessHeader] {
        let server = Broken::start(fault);
        let mut stream = connect(server.addr());
        stream.write_all(REQUEST).unwrap();
        let mut answer = vec![0; 3_000_000];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(server.sent() >= answer.len());
    }
}

#[test]
fn huge_header_has_its_length_and_an_end() {
    let server = Broken::start(Fault::HugeHeader { bytes: 100_000 });
    let mut stream = connect(server.addr());
    stream.write_all(REQUEST).unwrap();
    let mut answer = vec![0; 100_000 + 60];
    stream.read_exact(&mut answer[..100_000]).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let rest = stream.read(&mut answer[100_000..]).unwrap();
    assert!(answer[..100_000 + rest].ends_with(b"\r\ncontent-length: 0\r\n\r\n"));
}

#[test]
fn plain_speakers_answer_a_handshake_with_their_own_words() {
    let hello = [0x16, 0x03, 0x01, 0x00, 0x01, 0x01];
    let ssh = Broken::start(Fault::SpeaksFirst(SSH_BANNER.to_vec()));
    assert_eq!(ask(ssh.addr(), &hello).unwrap(), SSH_BANNER);
    let web = Broken::start(Fault::Answers(HTTP_BAD_REQUEST.to_vec()));
    assert_eq!(ask(web.addr(), &hello).unwrap(), HTTP_BAD_REQUEST);
    let alert = Broken::start(Fault::Answers(TLS_HANDSHAKE_FAILURE.to_vec()));
    assert_eq!(ask(alert.addr(), &hello).unwrap(), TLS_HANDSHAKE_FAILURE);
}

#[test]
fn tls_port_answers_plain_text_with_an_alert_or_nothing() {
    let certificates = Certificates::shared();
    let server = Broken::start_tls(Fault::Silent, certificates.server_tls(certificates.good()));
    let answer = ask(server.addr(), REQUEST).unwrap_or_default();
    assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}");
    assert_eq!(server.received(), b"", "nothing may be read as a message");
}

#[test]
fn fault_comes_after_the_handshake() {
    let certificates = Certificates::shared();
    let tls = certificates.server_tls(certificates.good());
    let server = Broken::start_tls(Fault::CloseAfter { bytes: 30 }, tls);
    let name = "localhost".try_into().unwrap();
    let client = rustls::ClientConnection::new(certificates.client_tls(), name).unwrap();
    let mut stream = rustls::StreamOwned::new(client, connect(server.addr()));
    stream.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.len(), 30);
    assert_eq!(server.received(), REQUEST);
}

#[test]
fn port_is_free_again_when_the_handle_is_gone() {
    let server = Broken::start(Fault::Silent);
    let address = server.addr();
    let mut stream = connect(address);
    drop(server);
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_or(0),
        0,
        "open connections end with the handle"
    );
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
}

#[tokio::test]
async fn handles_work_inside_a_runtime() {
    let server = Broken::start(Fault::Close);
    let address = server.addr();
    let answer = tokio::task::spawn_blocking(move || ask(address, REQUEST))
        .await
        .unwrap();
    assert_eq!(answer.unwrap(), b"");
    drop(server);
}

#[test]
fn proxy_opens_a_tunnel_and_keeps_the_request() {
    let server = Broken::start(Fault::Answers(HTTP_BAD_REQUEST.to_vec()));
    let proxy = ConnectProxy::start(ProxyBehaviour::TunnelFor("Basic bDpw".to_owned()));
    let target = server.addr();

    let connect_line = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n");
    let refused = ask(proxy.addr(), format!("{connect_line}\r\n").as_bytes()).unwrap();
    assert!(refused.starts_with(b"HTTP/1.1 407 "), "{refused:?}");
    assert_eq!(server.connections(), 0);

    let mut stream = connect(proxy.addr());
    write!(
        stream,
        "{connect_line}Proxy-Authorization: Basic bDpw\r\n\r\n"
    )
    .unwrap();
    let mut head = [0; 39];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 Connection established\r\n\r\n");
    stream.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, HTTP_BAD_REQUEST);
    assert_eq!(
        proxy.requests()[1].authorization.as_deref(),
        Some("Basic bDpw")
    );
    assert_eq!(proxy.requests()[1].target, target.to_string());
}

#[test]
fn proxy_refuses_and_stays_silent() {
    let proxy = ConnectProxy::start(ProxyBehaviour::Refuse(403));
    let request = b"CONNECT 127.0.0.1:9 HTTP/1.1\r\n\r\n";
    assert!(
        ask(proxy.addr(), request)
            .unwrap()
            .starts_with(b"HTTP/1.1 403 ")
    );

    let proxy = ConnectProxy::start(ProxyBehaviour::Silent);
    let mut stream = connect(proxy.addr());
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    stream.write_all(request).unwrap();
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}
