use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::background::{Background, listen};

const METADATA: i16 = 3;
const HANDSHAKE: i16 = 17;
const VERSIONS: i16 = 18;
const AUTHENTICATE: i16 = 36;

/// What a scripted broker says, in versions without tagged fields (Apache Kafka, Protocol guide).
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// Whether it knows Metadata; a controller does not.
    pub(super) metadata: bool,
    /// Host and port of each broker; its own address where the host is empty.
    pub(super) brokers: Vec<(&'static str, i32)>,
    /// The error of the topic.
    pub(super) topic: i16,
    /// The error of its only partition, and the leader.
    pub(super) partition: (i16, i32),
    /// What the user may do, as bits (KIP-430).
    pub(super) rights: i32,
    /// The errors of the handshake and of the login.
    pub(super) login: (i16, i16),
}

impl Default for Words {
    fn default() -> Self {
        Self {
            metadata: true,
            brokers: vec![("", 0)],
            topic: 0,
            partition: (0, 1),
            // Read, Write, Describe.
            rights: 1 << 3 | 1 << 4 | 1 << 8,
            login: (0, 0),
        }
    }
}

/// A broker inside the process that answers four requests.
#[derive(Debug)]
pub(super) struct ScriptedBroker {
    address: SocketAddr,
    _background: Background,
}

impl ScriptedBroker {
    pub(super) fn start(words: Words) -> Self {
        let (listener, address) = listen();
        let background = Background::accept("scripted-broker", listener, move |stream| {
            let words = words.clone();
            // A client that leaves early ends its own connection and nothing else.
            async move { drop(serve(stream, &words, address).await) }
        });
        Self {
            address,
            _background: background,
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.address
    }
}

/// The fields of an answer.
#[derive(Debug, Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn i16(mut self, value: i16) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn i32(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn text(self, value: &str) -> Self {
        let mut fields = self.i16(i16::try_from(value.len()).unwrap_or(i16::MAX));
        fields.0.extend(value.as_bytes());
        fields
    }

    fn length(self, count: usize) -> Self {
        self.i32(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

async fn serve(mut stream: TcpStream, words: &Words, own: SocketAddr) -> std::io::Result<()> {
    loop {
        let length = stream.read_u32().await?;
        let mut frame = vec![0; usize::try_from(length).unwrap_or_default().min(64 * 1024)];
        stream.read_exact(&mut frame).await?;
        let Some((head, _)) = frame.split_at_checked(8) else {
            return Ok(());
        };
        let key = i16::from_be_bytes([head[0], head[1]]);
        let version = i16::from_be_bytes([head[2], head[3]]);
        let call = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let answer = Fields::default().i32(call);
        let answer = match (key, version) {
            (VERSIONS, 0) => versions(answer, words),
            // Another version than the oldest is answered in the oldest, with UNSUPPORTED_VERSION.
            (VERSIONS, _) => answer.i16(35).i32(0),
            (METADATA, 8) => metadata(answer, words, own),
            (HANDSHAKE, _) => answer.i16(words.login.0).length(1).text("PLAIN"),
            (AUTHENTICATE, _) => {
                let answer = answer.i16(words.login.1).text("Authentication failed");
                let answer = answer.length(0);
                if version > 0 {
                    answer.i32(0).i32(0)
                } else {
                    answer
                }
            }
            _ => return Ok(()),
        };
        stream
            .write_u32(u32::try_from(answer.0.len()).unwrap_or(u32::MAX))
            .await?;
        stream.write_all(&answer.0).await?;
    }
}

fn versions(answer: Fields, words: &Words) -> Fields {
    let mut known = vec![(HANDSHAKE, 1), (VERSIONS, 0), (AUTHENTICATE, 1)];
    if words.metadata {
        known.push((METADATA, 8));
    }
    let mut answer = answer.i16(0).length(known.len());
    for (key, newest) in known {
        answer = answer.i16(key).i16(0).i16(newest);
    }
    answer
}

fn metadata(answer: Fields, words: &Words, own: SocketAddr) -> Fields {
    let mut answer = answer.i32(0).length(words.brokers.len());
    for (number, (host, port)) in (1..).zip(&words.brokers) {
        let own_host = own.ip().to_string();
        let (host, port) = if host.is_empty() {
            (own_host.as_str(), i32::from(own.port()))
        } else {
            (*host, *port)
        };
        // Its rack is null.
        answer = answer.i32(number).text(host).i32(port).i16(-1);
    }
    let (error, leader) = words.partition;
    answer
        .text("zoo")
        .i32(1)
        .length(1)
        .i16(words.topic)
        .text("orders")
        .byte(0)
        .length(1)
        .i16(error)
        .i32(0)
        .i32(leader)
        .i32(0)
        .length(1)
        .i32(1)
        .length(1)
        .i32(1)
        .length(0)
        .i32(words.rights)
        .i32(i32::MIN)
}
