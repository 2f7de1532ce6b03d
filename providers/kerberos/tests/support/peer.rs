//! A KDC of few words: it answers every message on TCP and on UDP with bytes that it is given.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

/// What a peer does with a message on one transport.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// These bytes; on TCP behind their length.
    Answer(Vec<u8>),
    /// These bytes as they are, without a length.
    Raw(Vec<u8>),
    /// Nothing, and the connection stays.
    Nothing,
    /// It hangs up, at once or after a while.
    Closes(Duration),
    /// These bytes to the first message, and something else to later ones.
    First(Vec<u8>, Box<Says>),
    /// What a KDC says, on TCP, once another peer was asked so often.
    Relays(SocketAddr, Asked, usize),
}

/// How many messages a peer got over TCP and over UDP.
pub(crate) type Asked = Arc<[AtomicUsize; 2]>;

/// A peer that ends with its handle.
#[derive(Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    asked: Asked,
    threads: Vec<JoinHandle<()>>,
}

/// How often the threads look whether the handle is gone.
const LOOK: Duration = Duration::from_millis(10);

impl Peer {
    /// Listens on one port of 127.0.0.1; without `tcp` that transport is refused.
    pub(crate) fn start(tcp: Option<Says>, udp: Says) -> Self {
        let (stream, datagram, address) = bind();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Asked::default();
        datagram.set_read_timeout(Some(LOOK)).unwrap();
        let mut threads = Vec::new();
        let (end, count) = (Arc::clone(&stop), Arc::clone(&asked));
        threads.push(thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !end.load(Ordering::SeqCst) {
                if let Ok((_, peer)) = datagram.recv_from(&mut buffer) {
                    count[1].fetch_add(1, Ordering::SeqCst);
                    if let Says::Answer(bytes) | Says::Raw(bytes) = &udp {
                        datagram.send_to(bytes, peer).unwrap();
                    }
                }
            }
        }));
        if let Some(mut says) = tcp {
            stream.set_nonblocking(true).unwrap();
            let (end, count) = (Arc::clone(&stop), Arc::clone(&asked));
            threads.push(thread::spawn(move || {
                let mut kept = Vec::new();
                while !end.load(Ordering::SeqCst) {
                    let Ok((mut stream, _)) = stream.accept() else {
                        thread::sleep(LOOK);
                        continue;
                    };
                    count[0].fetch_add(1, Ordering::SeqCst);
                    stream.set_nonblocking(false).unwrap();
                    let mut head = [0; 4];
                    stream.read_exact(&mut head).unwrap();
                    let mut request = vec![0; u32::from_be_bytes(head) as usize];
                    stream.read_exact(&mut request).unwrap();
                    let mut then = None;
                    let now = match &says {
                        Says::First(bytes, later) => {
                            then = Some((**later).clone());
                            &Says::Answer(bytes.clone())
                        }
                        now => now,
                    };
                    match now {
                        Says::Answer(bytes) => answer(&mut stream, bytes),
                        Says::Raw(bytes) => stream.write_all(bytes).unwrap(),
                        Says::Nothing => kept.push(stream),
                        Says::Closes(after) => thread::sleep(*after),
                        Says::Relays(kdc, other, times) => {
                            while other[0].load(Ordering::SeqCst) < *times {
                                if end.load(Ordering::SeqCst) {
                                    return;
                                }
                                thread::sleep(LOOK);
                            }
                            answer(&mut stream, &ask(*kdc, &request));
                        }
                        Says::First(..) => unreachable!("it has become an answer"),
                    }
                    says = then.unwrap_or(says);
                }
            }));
        }
        Self {
            address,
            stop,
            asked,
            threads,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The count of its messages, for another peer that waits for it.
    pub(crate) fn count(&self) -> Asked {
        Arc::clone(&self.asked)
    }

    /// How many messages came over TCP and over UDP.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let count = |transport: usize| self.asked[transport].load(Ordering::SeqCst);
        (count(0), count(1))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// Writes a message behind its length.
fn answer(stream: &mut TcpStream, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], bytes].concat()).unwrap();
}

/// Asks a KDC over TCP.
fn ask(kdc: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(kdc).unwrap();
    answer(&mut stream, request);
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(head) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer
}

/// Takes a port for both transports. The TCP socket listens, and refuses once it is dropped.
fn bind() -> (TcpListener, UdpSocket, SocketAddr) {
    loop {
        let stream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = stream.local_addr().unwrap();
        if let Ok(datagram) = UdpSocket::bind(address) {
            return (stream, datagram, address);
        }
    }
}

/// Writes a KRB-ERROR of a KDC whose clock is so many seconds ahead.
pub(crate) fn error(code: u8, clock_ahead: i64, text: &str, data: &[u8]) -> Vec<u8> {
    let now = Timestamp::from_second(Timestamp::now().as_second() + clock_ahead).unwrap();
    let now = Offset::UTC
        .to_datetime(now)
        .strftime("%Y%m%d%H%M%SZ")
        .to_string();
    let string = |text: &str| element(0x1b, text.as_bytes());
    let name = |parts: &[&str]| {
        let parts: Vec<u8> = parts.iter().flat_map(|part| string(part)).collect();
        let fields = [
            element(0xa0, &element(2, &[1])),
            element(0xa1, &element(0x30, &parts)),
        ];
        element(0x30, &fields.concat())
    };
    let mut fields = vec![
        element(0xa0, &element(2, &[5])),
        element(0xa1, &element(2, &[30])),
        // As Java's servers do.
        element(0xa2, &element(0x18, now.as_bytes())),
        element(0xa3, &element(2, &[7])),
        element(0xa4, &element(0x18, now.as_bytes())),
        element(0xa5, &element(2, &[0])),
        element(0xa6, &element(2, &[code])),
        element(0xa9, &string("LAB.TEST")),
        element(0xaa, &name(&["krbtgt", "LAB.TEST"])),
        element(0xab, &string(text)),
    ];
    if !data.is_empty() {
        fields.push(element(0xac, &element(4, data)));
    }
    element(0x7e, &element(0x30, &fields.concat()))
}

/// Writes METHOD-DATA: proofs by their numbers, and ETYPE-INFO2 with types of keys.
pub(crate) fn methods(proofs: &[u8], kinds: &[u8]) -> Vec<u8> {
    let kinds = kinds
        .iter()
        .flat_map(|kind| element(0x30, &element(0xa0, &element(2, &[*kind]))));
    let info = element(0x30, &kinds.collect::<Vec<u8>>());
    let entry = |number: u8, value: &[u8]| {
        let fields = [
            element(0xa1, &element(2, &[0, number])),
            element(0xa2, &element(4, value)),
        ];
        element(0x30, &fields.concat())
    };
    let mut entries = entry(19, &info);
    entries.extend(proofs.iter().flat_map(|number| entry(*number, &[])));
    element(0x30, &entries)
}

/// Writes one element of DER.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(low),
        _ => bytes.extend([0x82, high, low]),
    }
    bytes.extend(contents);
    bytes
}
