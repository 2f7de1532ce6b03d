//! A server of a few lines: a thread for each connection, which does as it likes.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// It ends with the test's process.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    pub(crate) fn start(
        serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", serve)
    }

    pub(crate) fn start_at(
        address: &str,
        serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, serve) = (Arc::clone(&connections), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                // A client that leaves ends its own connection.
                std::thread::spawn(move || {
                    stream.set_write_timeout(Some(Duration::from_mins(1)))?;
                    serve(stream)
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// One that counts who comes, and hangs up.
    pub(crate) fn counting() -> Self {
        Self::start(|_| Ok(()))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads what a client says first: the head of a request, or a few bytes of anything else.
pub(crate) fn request(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0; 4096];
    loop {
        let count = stream.read(&mut byte)?;
        head.extend_from_slice(&byte[..count]);
        let http = head.first().is_some_and(u8::is_ascii_uppercase);
        if count == 0 || !http || head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
    }
}

/// Answers every request of a connection with a head, a body that is written by itself, and goes.
pub(crate) fn answering(
    head: &'static str,
    body: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> Peer {
    Peer::start(move |mut stream| {
        let request = request(&mut stream)?;
        stream.write_all(head.as_bytes())?;
        body(&request, &mut stream)?;
        rest(&mut stream)
    })
}

/// Reads until the client hangs up: a socket that is closed over unread bytes would reset.
pub(crate) fn rest(stream: &mut TcpStream) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// Writes a text over and over.
pub(crate) fn forever(stream: &mut TcpStream, text: &[u8]) -> io::Result<()> {
    let block = text.repeat((64 * 1024 / text.len()).max(1));
    loop {
        stream.write_all(&block)?;
    }
}
