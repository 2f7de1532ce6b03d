use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::background::{Background, listen};

/// Byte 7 of the greeting of a client that wants to negotiate a login (Hadoop RPC, `AuthProtocol`).
const SASL: u8 = 0xdf;

/// Call numbers of the negotiation and of the connection's context.
const NEGOTIATION: i64 = -33;
const CONTEXT: i64 = -3;

/// The largest frame that is read.
const LIMIT: usize = 1024 * 1024;

/// An exception as Hadoop's RPC carries it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exception {
    /// The class of Java.
    pub(super) class: &'static str,
    pub(super) message: &'static str,
    /// Whether the connection ends with it.
    pub(super) fatal: bool,
}

/// A `NameNode` inside the process that lets everybody in and answers every call with an exception.
#[derive(Debug)]
pub(super) struct ScriptedNameNode {
    address: SocketAddr,
    _background: Background,
}

impl ScriptedNameNode {
    pub(super) fn start(exception: Exception) -> Self {
        let (listener, address) = listen();
        let background = Background::accept("scripted-namenode", listener, move |stream| {
            // A client that leaves early ends its own connection and nothing else.
            async move { drop(serve(stream, exception).await) }
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

/// Fields of a message of Protocol Buffers.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u64, value: u64) -> Self {
        put(&mut self.0, field << 3);
        put(&mut self.0, value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        put(&mut self.0, field << 3 | 2);
        put(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
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
        to.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap_or_default());
}

/// Reads a number, and what comes behind it.
fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(7 * at).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// The number of the call (`RpcRequestHeaderProto`, field 3, in zigzag).
fn call_of(frame: &[u8]) -> Option<i64> {
    let (size, rest) = take(frame)?;
    let mut header = rest.get(..usize::try_from(size).ok()?)?;
    while !header.is_empty() {
        let (tag, rest) = take(header)?;
        let (value, rest) = take(rest)?;
        if tag >> 3 == 3 {
            let half = i64::try_from(value >> 1).ok()?;
            return Some(if value & 1 == 1 { -half - 1 } else { half });
        }
        let skipped = if tag & 7 == 2 {
            usize::try_from(value).ok()?
        } else {
            0
        };
        header = rest.get(skipped..)?;
    }
    None
}

async fn serve(mut stream: TcpStream, exception: Exception) -> std::io::Result<()> {
    let mut greeting = [0; 7];
    stream.read_exact(&mut greeting).await?;
    loop {
        let length = usize::try_from(stream.read_u32().await?).unwrap_or(LIMIT);
        let mut frame = vec![0; length.min(LIMIT)];
        stream.read_exact(&mut frame).await?;
        let Some(call) = call_of(&frame) else {
            return Ok(());
        };
        if call == CONTEXT {
            continue;
        }
        // Four bytes of a negative number, as the header's field has it.
        let number = u64::from(u32::from_ne_bytes(
            i32::try_from(call).unwrap_or_default().to_ne_bytes(),
        ));
        let answer = if greeting[6] == SASL && call == NEGOTIATION {
            let simple = Message::default().bytes(1, b"SIMPLE").bytes(2, b"");
            let offer = Message::default().number(2, 1).bytes(4, &simple.0);
            let header = Message::default().number(1, number).number(2, 0);
            [header.delimited(), offer.delimited()].concat()
        } else {
            let status = if exception.fatal { 2 } else { 1 };
            let text = format!(
                "{}\n\tat org.apache.hadoop.ipc.Server.call(Server.java:1)",
                exception.message
            );
            Message::default()
                .number(1, number)
                .number(2, status)
                .number(3, 9)
                .bytes(4, exception.class.as_bytes())
                .bytes(5, text.as_bytes())
                .number(6, 1)
                .delimited()
        };
        stream
            .write_u32(u32::try_from(answer.len()).unwrap_or(u32::MAX))
            .await?;
        stream.write_all(&answer).await?;
    }
}
