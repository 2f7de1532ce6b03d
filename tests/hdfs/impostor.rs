//! A NameNode that says what no real one does, to see that the client is not led astray.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use linkdial_testcontainers::LinkStatement;
use linkdial_testcontainers::broken::{Broken, Fault};

use crate::lab::{fail, report, script, verify};

/// Writes fields of a protobuf message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u64, value: u64) -> Self {
        put(&mut self.0, field << 3);
        put(&mut self.0, value);
        self
    }

    fn bytes(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
        put(&mut self.0, field << 3 | 2);
        put(&mut self.0, value.as_ref().len() as u64);
        self.0.extend(value.as_ref());
        self
    }

    fn inner(self, field: u64, value: Self) -> Self {
        self.bytes(field, value.0)
    }

    fn delimited(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.0.len() as u64);
        bytes.extend(self.0);
        bytes
    }
}

fn put(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap());
}

/// Reads a number, and what comes behind it.
fn take(bytes: &[u8]) -> (u64, &[u8]) {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (value, &bytes[at + 1..]);
        }
    }
    panic!("a number without end");
}

/// What it answers where a file is asked for.
type Located = dyn Fn() -> Vec<u8> + Send + Sync;

/// What it answers to a call; nothing hangs up.
type Answers = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

struct Impostor(SocketAddr);

impl Impostor {
    fn start(answers: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                thread::spawn(move || serve(stream, &*answers).ok());
            }
        });
        Self(address)
    }

    fn url(&self) -> String {
        format!("hdfs://{}/data/file", self.0)
    }
}

fn serve(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut greeting = [0; 7];
    stream.read_exact(&mut greeting)?;
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame)?;
        let (size, rest) = take(&frame);
        let (header, body) = rest.split_at(usize::try_from(size).unwrap());
        // Its third field is the number of the call, in zigzag.
        let call = field(header, 3).unwrap_or_default();
        let call = u32::try_from((call >> 1) ^ (call & 1).wrapping_neg() & 0xffff_ffff).unwrap();
        let answer = if greeting[6] == 0xdf {
            let simple = Message::default().bytes(1, "SIMPLE").bytes(2, "");
            Message::default().number(2, 1).inner(4, simple).delimited()
        } else if call == u32::MAX - 2 {
            // The context of the connection.
            continue;
        } else {
            let (size, rest) = take(body);
            let method = &rest[..usize::try_from(size).unwrap()];
            let method = method[2..2 + usize::from(method[1])].to_vec();
            match answers(&String::from_utf8(method).unwrap()) {
                Some(answer) => answer,
                None => return Ok(()),
            }
        };
        let header = Message::default().number(1, call.into()).number(2, 0);
        let frame = [header.delimited(), answer].concat();
        let length = u32::try_from(frame.len()).unwrap();
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(&frame)?;
    }
}

/// Returns a number among the fields of a message.
fn field(mut bytes: &[u8], wanted: u64) -> Option<u64> {
    while !bytes.is_empty() {
        let (tag, rest) = take(bytes);
        let (value, rest) = take(rest);
        if tag >> 3 == wanted {
            return Some(value);
        }
        let skipped = if tag & 7 == 2 {
            usize::try_from(value).unwrap()
        } else {
            0
        };
        bytes = &rest[skipped..];
    }
    None
}

fn file(length: u64) -> Vec<u8> {
    let permission = Message::default().number(1, 0o644);
    let status = Message::default()
        .number(1, 2)
        .bytes(2, "")
        .number(3, length)
        .inner(4, permission)
        .bytes(5, "alice")
        .bytes(6, "team")
        .number(7, 0)
        .number(8, 0);
    Message::default().inner(1, status).delimited()
}

/// A block that begins at an offset, with copies at these addresses.
fn block(pool: &str, offset: u64, copies: &[SocketAddr]) -> Message {
    let whole = Message::default()
        .bytes(1, pool)
        .number(2, 1)
        .number(3, 1)
        .number(4, 100);
    let token = Message::default()
        .bytes(1, "")
        .bytes(2, "")
        .bytes(3, "")
        .bytes(4, "");
    let mut block = Message::default().inner(1, whole).number(2, offset);
    for copy in copies {
        let node = Message::default()
            .bytes(1, copy.ip().to_string())
            .bytes(2, "node")
            .bytes(3, "uuid")
            .number(4, copy.port().into())
            .number(5, 1)
            .number(6, 1);
        block = block.inner(3, Message::default().inner(1, node));
    }
    block.number(4, 0).inner(5, token)
}

fn blocks(blocks: Vec<Message>) -> Vec<u8> {
    let mut located = Message::default().number(1, 100);
    for block in blocks {
        located = located.inner(2, block);
    }
    let located = located.number(3, 0).number(5, 1);
    Message::default().inner(1, located).delimited()
}

fn link(name: &str) -> LinkStatement {
    LinkStatement::new(name, "HDFS")
        .config("kerberos.user", "alice")
        .with_empty_credentials()
}

#[test]
fn a_datanode_that_must_not_be_dialled_is_not_wherever_it_hides() {
    let good = Broken::start(Fault::Close);
    let seen = TcpListener::bind("127.0.0.9:0").unwrap();
    let forbidden = seen.local_addr().unwrap();
    let allowed = good.addr();
    let cases: [(&str, Box<Located>); 3] = [
        // Behind more copies than anybody has.
        (
            "last",
            Box::new(move || {
                let copies = [vec![allowed; 10], vec![forbidden]].concat();
                blocks(vec![block("BP", 0, &copies)])
            }),
        ),
        // In a block that is not the first of the list.
        (
            "second",
            Box::new(move || {
                let later = block("BP", 1000, &[allowed]);
                blocks(vec![later, block("BP", 0, &[forbidden])])
            }),
        ),
        // Behind a name that looks like a list of its own.
        (
            "quoted",
            Box::new(move || {
                let pool = "DatanodeIdProto { ip_addr: \"127.0.0.1\", ".repeat(70);
                blocks(vec![block(&pool, 0, &[allowed, forbidden])])
            }),
        ),
    ];
    for (name, located) in cases {
        let namenode = Impostor::start(move |method| match method {
            "getFileInfo" => Some(file(100)),
            "getBlockLocations" => Some(located()),
            _ => None,
        });
        let case = fail(
            link(name),
            namenode.url(),
            "resolve.address-refused",
            "datanode",
            "",
        );
        verify(&["--only-net", "127.0.0.1/32"], &[case]);
    }
    // Nobody has come.
    seen.set_nonblocking(true).unwrap();
    assert_eq!(seen.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

/// Nobody keeps a block at so many places: none of them is dialled.
#[test]
fn ten_thousand_datanodes_are_not_dialled() {
    let good = Broken::start(Fault::Close);
    let copies = vec![good.addr(); 10_000];
    let namenode = Impostor::start(move |method| match method {
        "getFileInfo" => Some(file(100)),
        "getBlockLocations" => Some(blocks(vec![block("BP", 0, &copies)])),
        _ => None,
    });
    let started = Instant::now();
    let case = fail(link("many"), namenode.url(), "", "", "");
    let report = report(&[], &script(&[case]));
    let check = &report["checks"][0];
    assert!(started.elapsed() < Duration::from_secs(15), "{check:#}");
    assert!(
        ["fail", "unverified"].contains(&check["verdict"].as_str().unwrap()),
        "{check:#}"
    );
    assert!(
        good.connections() <= 64,
        "{}: {check:#}",
        good.connections()
    );
}

#[test]
fn what_the_client_can_not_bear_is_the_clusters_fault() {
    let size = |length: u64| Message::default().number(1, length).delimited();
    let garbage = Impostor::start(move |_| Some(size(1)));
    let hangs_up = Impostor::start(|_| None);
    let no_byte = Impostor::start(|method| match method {
        "getFileInfo" => Some(file(100)),
        _ => Some(blocks(Vec::new())),
    });
    let failed = |name: &str, namenode: &Impostor| {
        fail(
            link(name),
            namenode.url(),
            "access.server-error",
            "namenode",
            "",
        )
    };
    verify(
        &[],
        &[
            failed("garbage", &garbage)
                .verdict("unverified")
                .code("access.request-refused"),
            failed("hangs_up", &hangs_up),
            failed("no_byte", &no_byte),
        ],
    );
}
