//! Name servers that answer at length, in circles, or each time something else.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::links::{KINDS, Links, WEB};
use super::peer::Peer;
use super::run::verify;

/// What it answers to a question, of which it is told how many came before.
type Answers = dyn Fn(usize, &[u8], bool) -> Vec<u8> + Send + Sync;

/// A name server on one port for UDP and TCP.
struct Names {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Names {
    fn start(answers: impl Fn(usize, &[u8], bool) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let answers: Arc<Answers> = Arc::new(answers);
        let (counted, shared) = (Arc::clone(&asked), Arc::clone(&answers));
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, client)) = udp.recv_from(&mut question) {
                let turn = counted.fetch_add(1, Ordering::SeqCst);
                let answer = shared(turn, &question[..length], false);
                // What is too long for a datagram is not sent.
                drop(udp.send_to(&answer, client));
            }
        });
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                drop(by_tcp(stream, &counted, &*answers));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn by_tcp(
    mut stream: std::net::TcpStream,
    counted: &AtomicUsize,
    answers: &Answers,
) -> io::Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question)?;
    let answer = answers(counted.fetch_add(1, Ordering::SeqCst), &question, true);
    let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&answer)
}

/// The head of an answer to a question, and the question.
fn head(question: &[u8], flags: u16, answers: u16) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let mut answer = question[..2].to_vec();
    answer.extend(flags.to_be_bytes());
    answer.extend(1_u16.to_be_bytes());
    answer.extend(answers.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(&question[12..end]);
    answer
}

/// Whether a question asks for an IPv4 address.
fn is_a(question: &[u8]) -> bool {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap();
    question[end + 1..end + 3] == [0, 1]
}

const GOOD: u16 = 0x8180;
const CUT: u16 = 0x8380;

/// An A record of the name that was asked for.
fn record(address: Ipv4Addr) -> Vec<u8> {
    let head = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4];
    [&head[..], &address.octets()].concat()
}

#[test]
fn odd_answers_of_name_servers_are_findings() {
    // Sixty-four kibibytes of addresses, by TCP.
    let long = Names::start(|_, question, tcp| {
        if !tcp {
            return head(question, CUT, 0);
        }
        let count = if is_a(question) { 4000 } else { 0 };
        let mut answer = head(question, GOOD, count);
        for number in 0..u32::from(count) {
            answer.extend(record(Ipv4Addr::from_bits(0x7f00_0000 | (number + 2))));
        }
        answer
    });
    // A name that points at itself, one that points forward, and a record that is cut.
    let circle = Names::start(|_, question, _| {
        let mut answer = head(question, GOOD, 1);
        let here = u16::try_from(answer.len()).unwrap();
        answer.extend((0xc000 | here).to_be_bytes());
        answer.extend([0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
        answer
    });
    let forward = Names::start(|_, question, _| {
        let mut answer = head(question, GOOD, 1);
        answer.extend([0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
        answer
    });
    let claims = Names::start(|_, question, _| head(question, GOOD, u16::MAX));
    let aliases = Names::start(|_, question, _| {
        let mut answer = head(question, GOOD, 1);
        // The name is an alias of itself.
        answer.extend([0xc0, 0x0c, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, 0x0c]);
        answer
    });
    let base = "http://store.linkdial.test:9";
    for (name, server) in [
        ("long", &long),
        ("circle", &circle),
        ("forward", &forward),
        ("claims", &claims),
        ("aliases", &aliases),
    ] {
        let links = Links::default().with_base(name, &KINDS, base);
        let address = server.address.to_string();
        let ran = verify(&["--dns-server", &address], links.script());
        ran.within_limits(&format!("names: {name}"));
        assert!(server.asked() > 0);
        for check in ran.checks() {
            assert_eq!(check["verdict"], "fail", "{check:#}");
            let stage = if name == "long" { "connect" } else { "resolve" };
            assert_eq!(check["stage"], stage, "{name}: {check:#}");
        }
    }
}

/// DNS rebinding: the first answer is a good address, each later one another. Nobody comes to the other.
#[test]
fn the_address_that_was_checked_is_the_one_that_is_used() {
    let checked = Peer::start(|mut stream| {
        super::peer::request(&mut stream)?;
        stream.write_all(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    });
    let other = Peer::start_at(&format!("127.0.0.2:{}", checked.address.port()), |_| Ok(()));
    let kinds = [&WEB[..], &["KAFKA"]].concat();
    for kind in kinds {
        let rebinds = Names::start(|turn, question, _| {
            if !is_a(question) {
                return head(question, GOOD, 0);
            }
            // Both families are asked for at once, so the first two questions count as one.
            let address = if turn < 2 {
                Ipv4Addr::LOCALHOST
            } else {
                Ipv4Addr::new(127, 0, 0, 2)
            };
            [head(question, GOOD, 1), record(address)].concat()
        });
        let before = checked.connections();
        let base = format!("http://store.linkdial.test:{}", checked.address.port());
        let links = Links::default().with_base("rebinds", &[kind], &base);
        let server = rebinds.address.to_string();
        let ran = verify(&["--dns-server", &server], links.script());
        assert!(checked.connections() > before, "{kind}: {:#}", ran.report);
        assert_eq!(other.connections(), 0, "{kind}: {:#}", ran.report);
    }
}
