//! One request out, one bounded answer in. No opinion about either.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{
    Decodable as _, Encodable as _, HeaderVersion as _, Request, StrBytes,
};
use linkdial_core::net::{Dialled, FaultContext};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Nobody needs a longer answer to what is asked here, in bytes: a topic of 10,000 partitions takes
/// less than half of it.
const MAX_FRAME: usize = 4 * 1024 * 1024;

/// How much is read at once.
const BLOCK: usize = 4096;

/// Why no answer came.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The broker hung up.
    Closed,
    /// The stream broke.
    Io(io::Error),
    /// What came is not Kafka: its first bytes.
    Foreign(Vec<u8>),
    /// The answer has the form of Kafka and can not be read.
    Garbled,
    /// The request could not be written down.
    Unsendable,
}

/// A stream on which requests and answers take turns.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Dialled,
    buffer: BytesMut,
    client_id: StrBytes,
    asked: i32,
    /// How many answers came.
    answered: usize,
}

impl Connection {
    /// Takes the ladder's stream.
    pub(crate) fn new(stream: Dialled, client_id: &str) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            client_id: StrBytes::from_string(client_id.to_owned()),
            asked: 0,
            answered: 0,
        }
    }

    /// Returns what the ladder knows of the stream.
    pub(crate) const fn context(&self) -> &FaultContext {
        self.stream.context()
    }

    /// Returns whether the stream is encrypted.
    pub(crate) const fn is_tls(&self) -> bool {
        self.stream.tls().is_some()
    }

    /// Returns whether the peer has answered a request of this protocol.
    pub(crate) const fn has_answered(&self) -> bool {
        self.answered > 0
    }

    /// Sends a request and returns the body of its answer.
    pub(crate) async fn ask<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<Bytes, Broken> {
        self.asked += 1;
        let frame = self.frame(version, request).ok_or(Broken::Unsendable)?;
        self.stream.write_all(&frame).await.map_err(Broken::Io)?;
        self.stream.flush().await.map_err(Broken::Io)?;
        let mut answer = self.answer().await?;
        let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version));
        if header.map_err(|_| Broken::Garbled)?.correlation_id != self.asked {
            return Err(Broken::Garbled);
        }
        self.answered += 1;
        Ok(answer)
    }

    fn frame<R: Request>(&self, version: i16, request: &R) -> Option<Bytes> {
        let mut frame = BytesMut::from(&[0; 4][..]);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.asked)
            .with_client_id(Some(self.client_id.clone()));
        header.encode(&mut frame, R::header_version(version)).ok()?;
        request.encode(&mut frame, version).ok()?;
        let length = u32::try_from(frame.len() - 4).ok()?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        Some(frame.freeze())
    }

    /// Reads one frame; the buffer grows as its bytes come, whatever length it claims.
    async fn answer(&mut self) -> Result<Bytes, Broken> {
        loop {
            if let Some(frame) = take_frame(&mut self.buffer)? {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        self.buffer.reserve(BLOCK);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) if self.buffer.is_empty() || self.answered > 0 => Err(Broken::Closed),
            Ok(0) => Err(Broken::Foreign(self.buffer.to_vec())),
            Ok(_) => Ok(()),
            Err(error) => Err(Broken::Io(error)),
        }
    }
}

/// Takes the first frame off; `None` where it has not come as a whole.
fn take_frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, Broken> {
    let Some(length) = buffer.first_chunk() else {
        return Ok(None);
    };
    let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    // A correlation id is the least that an answer has.
    if !(4..=MAX_FRAME).contains(&length) {
        return Err(Broken::Foreign(buffer.to_vec()));
    }
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// Takes the frames off that bytes hold.
pub(crate) fn fuzz(bytes: &[u8]) -> Vec<Bytes> {
    let mut buffer = BytesMut::from(bytes);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = take_frame(&mut buffer) {
        assert!(frame.len() >= 4);
        frames.push(frame);
    }
    frames
}
