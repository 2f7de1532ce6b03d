use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::background::{Background, listen};
use crate::{Certificates, ServerTls};

/// How a [`Broken`] server misbehaves, on every connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// Takes everything and never says a word.
    Silent,
    /// Resets the connection as soon as it is accepted.
    Reset,
    /// Resets the connection when the request has arrived.
    ResetAfterRequest,
    /// Closes in an orderly way as soon as the connection is accepted.
    Close,
    /// Closes in an orderly way when the request has arrived.
    CloseAfterRequest,
    /// Sends this many bytes of an HTTP answer that promises a million more, then closes.
    CloseAfter {
        /// How many bytes of the answer, its head included.
        bytes: usize,
    },
    /// Sends an HTTP answer one byte at a time and never gets to its end.
    Drip {
        /// The time between two bytes.
        interval: Duration,
    },
    /// Answers HTTP 200 with a body that never ends.
    EndlessBody,
    /// Answers HTTP 200 with a header field that never ends.
    EndlessHeader,
    /// Answers HTTP 200 with one header field of this length and an empty body.
    HugeHeader {
        /// The length of the field's value.
        bytes: usize,
    },
    /// Says this before anybody asked, then closes at the first bytes of the client.
    SpeaksFirst(Vec<u8>),
    /// Says this when the first bytes of the client have arrived, then closes.
    Answers(Vec<u8>),
}

/// How much of what clients sent is kept for the test to look at.
const KEPT: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    sent: AtomicUsize,
    received: Mutex<Vec<u8>>,
}

impl Seen {
    fn keep(&self, bytes: &[u8]) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(received.len());
        received.extend(bytes.iter().take(room));
    }
}

/// A server inside the process that has one [`Fault`]; it ends with the handle.
#[derive(Debug)]
pub struct Broken {
    address: SocketAddr,
    seen: Arc<Seen>,
    tls: bool,
    _background: Background,
}

impl Broken {
    /// Starts a server whose fault comes right after the TCP connect.
    pub fn start(fault: Fault) -> Self {
        Self::launch(fault, None)
    }

    /// Starts a server whose fault comes after a good TLS handshake.
    pub fn start_tls(fault: Fault, tls: ServerTls) -> Self {
        Self::launch(fault, Some(TlsAcceptor::from(tls)))
    }

    /// Starts the servers that a client of HTTP meets where one is broken, each with the code by which
    /// linkdial names the fault.
    pub fn http_servers() -> [(Self, &'static str); 5] {
        let certificates = Certificates::shared();
        let tls = certificates.server_tls(certificates.good());
        [
            (Self::start(Fault::Silent), "access.timed-out"),
            (Self::start(Fault::ResetAfterRequest), "connect.reset"),
            (Self::start(Fault::EndlessBody), "access.not-this-service"),
            (Self::start(Fault::EndlessHeader), "access.not-this-service"),
            (Self::start_tls(Fault::Silent, tls), "access.timed-out"),
        ]
    }

    fn launch(fault: Fault, tls: Option<TlsAcceptor>) -> Self {
        let (listener, address) = listen();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let is_tls = tls.is_some();
        let background = Background::accept("broken-server", listener, move |stream| {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            serve(stream, tls.clone(), fault.clone(), Arc::clone(&shared))
        });
        Self {
            address,
            seen,
            tls: is_tls,
            _background: background,
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL: `https://` when the fault comes after a handshake.
    pub fn url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            self.address
        )
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many bytes it has sent, of an endless answer for example.
    pub fn sent(&self) -> usize {
        self.seen.sent.load(Ordering::SeqCst)
    }

    /// The first 64 KiB that clients sent, inside TLS when it speaks TLS.
    pub fn received(&self) -> Vec<u8> {
        self.seen
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, fault: Fault, seen: Arc<Seen>) {
    if matches!(fault, Fault::Reset | Fault::ResetAfterRequest) && stream.set_zero_linger().is_err()
    {
        return;
    }
    // A peer that leaves early ends its own connection and nothing else.
    match tls {
        None => drop(misbehave(stream, fault, &seen).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                drop(misbehave(stream, fault, &seen).await);
            }
        }
    }
}

async fn misbehave<S>(mut stream: S, fault: Fault, seen: &Seen) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match fault {
        Fault::Reset => return Ok(()),
        Fault::ResetAfterRequest => return read_request(&mut stream, seen).await,
        Fault::Silent => {}
        Fault::Close => stream.shutdown().await?,
        Fault::CloseAfterRequest => {
            read_request(&mut stream, seen).await?;
            stream.shutdown().await?;
        }
        Fault::CloseAfter { bytes } => {
            read_request(&mut stream, seen).await?;
            let answer: Vec<u8> = long_answer().take(bytes).collect();
            send(&mut stream, &answer, seen).await?;
            stream.shutdown().await?;
        }
        Fault::Drip { interval } => {
            read_request(&mut stream, seen).await?;
            for byte in long_answer() {
                send(&mut stream, &[byte], seen).await?;
                tokio::time::sleep(interval).await;
            }
        }
        Fault::EndlessBody => {
            read_request(&mut stream, seen).await?;
            send(
                &mut stream,
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                seen,
            )
            .await?;
            let mut chunk = b"4000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x4000, b'x');
            chunk.extend(b"\r\n");
            loop {
                send(&mut stream, &chunk, seen).await?;
            }
        }
        Fault::EndlessHeader => {
            read_request(&mut stream, seen).await?;
            send(&mut stream, b"HTTP/1.1 200 OK\r\nx-filler: ", seen).await?;
            loop {
                send(&mut stream, &[b'x'; 0x4000], seen).await?;
            }
        }
        Fault::HugeHeader { bytes } => {
            read_request(&mut stream, seen).await?;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nx-filler: {}\r\ncontent-length: 0\r\n\r\n",
                "x".repeat(bytes)
            );
            send(&mut stream, answer.as_bytes(), seen).await?;
        }
        Fault::SpeaksFirst(banner) => {
            send(&mut stream, &banner, seen).await?;
            read_request(&mut stream, seen).await?;
            stream.shutdown().await?;
        }
        Fault::Answers(answer) => {
            read_request(&mut stream, seen).await?;
            send(&mut stream, &answer, seen).await?;
            stream.shutdown().await?;
        }
    }
    swallow(&mut stream, seen).await
}

/// Reads until the peer closes: a socket closed over unread bytes would reset instead.
async fn swallow<S: AsyncRead + Unpin>(stream: &mut S, seen: &Seen) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => seen.keep(&buffer[..count]),
        }
    }
}

/// Reads an HTTP request's head, or the first bytes of anything else.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S, seen: &Seen) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        seen.keep(&buffer[..count]);
        request.extend_from_slice(&buffer[..count]);
        let http = request.first().is_some_and(u8::is_ascii_uppercase);
        let whole = request.windows(4).any(|end| end == b"\r\n\r\n");
        if count == 0 || !http || whole || request.len() > KEPT {
            return Ok(());
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    bytes: &[u8],
    seen: &Seen,
) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    seen.sent.fetch_add(bytes.len(), Ordering::SeqCst);
    Ok(())
}

fn long_answer() -> impl Iterator<Item = u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000000\r\n\r\n"
        .iter()
        .copied()
        .chain(std::iter::repeat(b'x'))
}
