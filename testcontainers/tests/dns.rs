//! The DNS server gives exactly the answer that was ordered, over UDP and TCP.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use linkdial_testcontainers::{DnsAnswer, DnsServer};

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

fn ask(server: &DnsServer, name: &str, kind: RecordType) -> std::io::Result<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    socket
        .send_to(&question(name, kind), server.addr())
        .unwrap();
    let mut answer = [0; 1024];
    let count = socket.recv(&mut answer)?;
    Ok(Message::from_vec(&answer[..count]).unwrap())
}

fn server() -> DnsServer {
    let addresses: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    DnsServer::start(
        [
            ("good.test", DnsAnswer::Addresses(addresses)),
            ("empty.test", DnsAnswer::NoAddress),
            ("broken.test", DnsAnswer::ServerFailure),
            ("refused.test", DnsAnswer::Refused),
            ("mute.test", DnsAnswer::Silence),
        ],
        DnsAnswer::NotFound,
    )
}

#[test]
fn each_name_gets_its_answer() {
    let server = server();
    for (name, code) in [
        ("gone.test.", ResponseCode::NXDomain),
        ("empty.test.", ResponseCode::NoError),
        ("broken.test.", ResponseCode::ServFail),
        ("refused.test.", ResponseCode::Refused),
    ] {
        let answer = ask(&server, name, RecordType::A).unwrap();
        assert_eq!(answer.metadata.response_code, code, "{name}");
        assert_eq!(answer.answers.len(), 0, "{name}");
    }
    let good = ask(&server, "GOOD.test.", RecordType::A).unwrap();
    assert_eq!(
        good.answers[0].data,
        RData::from(std::net::Ipv4Addr::LOCALHOST)
    );
    let good = ask(&server, "good.test.", RecordType::AAAA).unwrap();
    assert_eq!(
        good.answers[0].data,
        RData::from(std::net::Ipv6Addr::LOCALHOST)
    );
    assert_eq!(server.queries(), 6);
    assert_eq!(server.asked().last().unwrap(), "good.test");
}

#[test]
fn silence_is_silence() {
    let server = server();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    socket
        .send_to(&question("mute.test.", RecordType::A), server.addr())
        .unwrap();
    assert_eq!(
        socket.recv(&mut [0; 16]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(server.queries(), 1);
}

#[test]
fn tcp_answers_as_udp() {
    let server = DnsServer::always(DnsAnswer::ServerFailure);
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let query = question("any.test.", RecordType::A);
    stream
        .write_all(&u16::try_from(query.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&query).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    let answer = Message::from_vec(&answer).unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
}
