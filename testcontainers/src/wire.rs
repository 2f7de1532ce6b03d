//! The HTTP client that looks after servers.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::Error;

/// The longest silence of a server that is looked after here: a disk that others write to may
/// hold back what a server wants to be safe.
const DEADLINE: Duration = Duration::from_secs(45);

/// The largest answer that is read.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A blocking HTTP client for set-up and readiness; it shares no code with the clients under test.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Wire {
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls.is_some() { "https" } else { "http" },
            self.address
        )
    }

    /// Asks for a path and agrees when the answer is 200: whether a server is ready.
    pub(crate) fn healthy(&self, path: &str) -> Result<(), String> {
        match self.send("GET", path, &[], b"") {
            Ok(Reply { status: 200, .. }) => Ok(()),
            Ok(reply) => Err(format!("{path} answers {}", reply.status)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Sends one request whose answer has to be success; the query may be empty.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        let target = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        let doing = format!("{method} {target}");
        let reply = self.send(method, &target, headers, body);
        let reply = reply.map_err(in_words).map_err(Error::io(&doing))?;
        if (200..300).contains(&reply.status) {
            return Ok(reply);
        }
        let answer: String = reply.text().chars().take(500).collect();
        Err(Error::Refused {
            doing,
            answer: format!("{} {answer}", reply.status),
        })
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let tcp = TcpStream::connect_timeout(&self.address, DEADLINE)?;
        tcp.set_read_timeout(Some(DEADLINE))?;
        tcp.set_write_timeout(Some(DEADLINE))?;
        // With HTTP/1.0 the body ends with the connection and is never chunked.
        let mut request = format!("{method} {target} HTTP/1.0\r\nhost: {}\r\n", self.host());
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        let end = format!("content-length: {}\r\n\r\n", body.len());
        let request = [request.as_bytes(), end.as_bytes(), body].concat();
        match &self.tls {
            None => exchange(tcp, &request),
            Some(config) => {
                let name = self.address.ip().into();
                let tls =
                    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                exchange(StreamOwned::new(tls, tcp), &request)
            }
        }
    }
}

/// What the system calls "temporarily unavailable" is the deadline of a socket.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {DEADLINE:?}"),
        ),
        _ => error,
    }
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Reply> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut answer = Vec::new();
    stream.take(LIMIT).read_to_end(&mut answer)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let end = answer
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .ok_or_else(invalid)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(invalid)?;
    Ok(Reply {
        status,
        body: answer.split_off(end + 4),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadline_of_a_socket_is_silence() {
        let error = Error::io("PUT /")(in_words(io::ErrorKind::WouldBlock.into()));
        assert!(error.is_silence());
        assert_eq!(error.to_string(), "PUT /: no answer within 45s");
        let error = Error::io("PUT /")(in_words(io::ErrorKind::ConnectionReset.into()));
        assert!(!error.is_silence());
    }
}
