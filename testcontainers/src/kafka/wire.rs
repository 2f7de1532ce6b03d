//! The few requests that a set-up needs, in the format of the Apache Kafka protocol guide
//! (`kafka.apache.org/protocol`). It shares no code with the clients under test.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long one request may take with its connection.
const DEADLINE: Duration = Duration::from_secs(15);

/// How long the broker may take to make a topic.
const CREATION_MS: i32 = 10_000;

/// The largest answer that is read.
const LIMIT: usize = 1024 * 1024;

/// A request: its key and the version that is spoken here, one without tagged fields where there
/// is one.
pub(super) type Api = (i16, i16);
const METADATA: Api = (3, 4);
const API_VERSIONS: Api = (18, 0);
const CREATE_TOPICS: Api = (19, 2);

/// What a broker knows about its cluster.
#[derive(Debug)]
pub(super) struct Metadata {
    /// `host:port` of each broker, as advertised.
    pub(super) brokers: Vec<String>,
    /// The controller's id, negative when there is none.
    pub(super) controller: i32,
    pub(super) topics: Vec<TopicMetadata>,
}

#[derive(Debug)]
pub(super) struct TopicMetadata {
    pub(super) error: i16,
    pub(super) name: String,
    /// Each partition's number and the id of its leader, negative when there is none.
    pub(super) partitions: Vec<(i32, i32)>,
}

/// A blocking client with a connection for each request.
#[derive(Debug)]
pub(super) struct Client(SocketAddr);

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.0
    }

    /// Agrees when the broker speaks the versions that are spoken here, and these.
    pub(super) fn check_versions(&self, more: &[Api]) -> io::Result<()> {
        let answer = self.call(API_VERSIONS, &[])?;
        let mut answer = Fields(&answer);
        let error = answer.i16()?;
        let ranges = answer.array(|api| Ok((api.i16()?, api.i16()?, api.i16()?)))?;
        let known = |(key, version): Api| {
            ranges
                .iter()
                .any(|&(api, from, to)| api == key && (from..=to).contains(&version))
        };
        let mut wanted = [METADATA, CREATE_TOPICS].iter().chain(more).copied();
        if error == 0 && wanted.all(known) {
            return Ok(());
        }
        Err(invalid("other versions of the protocol are wanted"))
    }

    /// Asks for one topic, which is made if the broker makes topics by itself, or for all of them.
    pub(super) fn metadata(&self, topic: Option<&str>) -> io::Result<Metadata> {
        let mut body = Vec::new();
        match topic {
            Some(topic) => {
                put_i32(&mut body, 1);
                put_string(&mut body, topic)?;
            }
            None => put_i32(&mut body, -1),
        }
        body.push(topic.is_some().into());
        let answer = self.call(METADATA, &body)?;
        let mut answer = Fields(&answer);
        let _throttled = answer.i32()?;
        let brokers = answer.array(|broker| {
            let _id = broker.i32()?;
            let (host, port) = (broker.string()?, broker.i32()?);
            let _rack = broker.string()?;
            Ok(format!("{host}:{port}"))
        })?;
        let _cluster = answer.string()?;
        let controller = answer.i32()?;
        let topics = answer.array(|topic| {
            let (error, name) = (topic.i16()?, topic.string()?);
            let _internal = topic.take::<1>()?;
            let partitions = topic.array(|partition| {
                let _error = partition.i16()?;
                let numbers = (partition.i32()?, partition.i32()?);
                let _replicas = partition.array(Fields::i32)?;
                let _in_sync = partition.array(Fields::i32)?;
                Ok(numbers)
            })?;
            Ok(TopicMetadata {
                error,
                name,
                partitions,
            })
        })?;
        Ok(Metadata {
            brokers,
            controller,
            topics,
        })
    }

    /// Makes a topic and returns the broker's error code, 0 for success.
    pub(super) fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        replicas: i16,
    ) -> io::Result<i16> {
        let mut body = Vec::new();
        put_i32(&mut body, 1);
        put_string(&mut body, name)?;
        put_i32(&mut body, partitions);
        put_i16(&mut body, replicas);
        // Neither an assignment of replicas nor settings.
        put_i32(&mut body, 0);
        put_i32(&mut body, 0);
        put_i32(&mut body, CREATION_MS);
        body.push(0);
        let answer = self.call(CREATE_TOPICS, &body)?;
        let mut answer = Fields(&answer);
        let _throttled = answer.i32()?;
        let codes = answer.array(|topic| {
            let _name = topic.string()?;
            let code = topic.i16()?;
            let _message = topic.string()?;
            Ok(code)
        })?;
        codes
            .first()
            .copied()
            .ok_or_else(|| invalid("the answer names no topic"))
    }

    /// Sends one request on a connection of its own and returns the answer without its header.
    pub(super) fn call(&self, (key, version): Api, body: &[u8]) -> io::Result<Vec<u8>> {
        let end = Instant::now() + DEADLINE;
        let mut header = Vec::new();
        put_i16(&mut header, key);
        put_i16(&mut header, version);
        put_i32(&mut header, CORRELATION);
        put_string(&mut header, "linkdial-testcontainers")?;
        let request = frame(&[header.as_slice(), body].concat())?;

        let mut stream = TcpStream::connect_timeout(&self.0, DEADLINE)?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.write_all(&request)?;
        let size = read(&mut stream, 4, end)?;
        let size = usize::try_from(Fields(&size).i32()?).ok();
        let size = size.filter(|size| (4..=LIMIT).contains(size));
        let size = size.ok_or_else(|| invalid("the answer is not Kafka's"))?;
        let mut answer = read(&mut stream, size, end)?;
        if Fields(&answer).i32()? != CORRELATION {
            return Err(invalid("the answer belongs to another request"));
        }
        Ok(answer.split_off(4))
    }
}

/// The number of every request: there is only one on a connection.
const CORRELATION: i32 = 7;

/// Reads so many bytes before the deadline.
fn read(stream: &mut TcpStream, size: usize, end: Instant) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while filled < size {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(more) => filled += more,
            // A machine that was suspended is enough, and the request must not be sent twice.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What Linux says of a read that took too long.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn frame(request: &[u8]) -> io::Result<Vec<u8>> {
    let size = i32::try_from(request.len()).map_err(io::Error::other)?;
    Ok([&size.to_be_bytes(), request].concat())
}

pub(super) fn put_i16(to: &mut Vec<u8>, value: i16) {
    to.extend(value.to_be_bytes());
}

pub(super) fn put_i32(to: &mut Vec<u8>, value: i32) {
    to.extend(value.to_be_bytes());
}

pub(super) fn put_i64(to: &mut Vec<u8>, value: i64) {
    to.extend(value.to_be_bytes());
}

pub(super) fn put_string(to: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = i16::try_from(text.len()).map_err(|_| invalid("a name is too long"))?;
    put_i16(to, length);
    to.extend(text.as_bytes());
    Ok(())
}

pub(super) fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The rest of an answer.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(answer: &'a [u8]) -> Self {
        Self(answer)
    }

    pub(super) fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| invalid("the answer ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> io::Result<i16> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> io::Result<i32> {
        self.take().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> io::Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// A string; an absent one counts as empty.
    pub(super) fn string(&mut self) -> io::Result<String> {
        let length = usize::try_from(self.i16()?).unwrap_or(0);
        Ok(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    /// A length of the newer versions; that of what is absent counts as 0.
    pub(super) fn compact_length(&mut self) -> io::Result<usize> {
        let mut number = 0_u32;
        for shift in [0, 7, 14, 21] {
            let [byte] = self.take()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(number.saturating_sub(1)).map_err(io::Error::other);
            }
        }
        Err(invalid("the answer has a length without end"))
    }

    /// A string or bytes of the newer versions.
    pub(super) fn compact(&mut self) -> io::Result<&'a [u8]> {
        let length = self.compact_length()?;
        self.bytes(length)
    }

    fn bytes(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| invalid("the answer ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// An array; an absent one counts as empty.
    pub(super) fn array<T>(
        &mut self,
        read: impl Fn(&mut Self) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        // Every element takes bytes, so a false number ends with the answer.
        (0..self.i32()?).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_lengths_end_with_the_answer() {
        let count = i32::MAX.to_be_bytes();
        assert!(Fields(&count).array(Fields::i32).is_err());
        let length = i16::MAX.to_be_bytes();
        assert!(Fields(&length).string().is_err());
        assert!(Fields(&[0]).i16().is_err());
    }

    #[test]
    fn absent_values_count_as_empty() {
        assert_eq!(Fields(&(-1_i16).to_be_bytes()).string().unwrap(), "");
        let absent = (-1_i32).to_be_bytes();
        assert_eq!(Fields(&absent).array(Fields::i32).unwrap(), [0; 0]);
    }

    #[test]
    fn silence_is_told_from_other_failures() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let soon = Instant::now() + Duration::from_millis(20);
        let error = read(&mut stream, 4, soon).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn answers_of_something_else_are_refused() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in [&b"HTTP/1.1 400 Bad Request"[..], b"\0\0\0\x04\0\0\0\x01"] {
                let (mut stream, _) = listener.accept().unwrap();
                drop(stream.read(&mut [0; 256]));
                stream.write_all(answer).unwrap();
            }
        });
        for words in ["not Kafka's", "another request"] {
            let error = client.check_versions(&[]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
