//! A small server for the suite: std sockets, one thread a connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request as a server saw it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The whole head, as it came.
    pub head: String,
}

impl Request {
    /// Returns whether the method alone says that nothing is changed (RFC 9110, section 9.2.1).
    pub fn is_safe(&self) -> bool {
        ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&self.method.as_str())
    }
}

/// How a server answers a request.
pub(super) enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then more of the other ones until the client hangs up.
    Endless(Vec<u8>, Vec<u8>),
    /// One byte of these at a time, with this pause.
    Drip(Vec<u8>, Duration),
    /// Nothing, ever.
    Silence,
}

/// Listens on loopback until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepted: Receiver<()>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    sent: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    streams: Mutex<Vec<TcpStream>>,
    closed: std::sync::atomic::AtomicBool,
}

impl Server {
    /// Starts a server that answers each request as `reply` says.
    pub(super) fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::default());
        let (sender, accepted) = channel();
        let (reply, all) = (Arc::new(reply), Arc::clone(&shared));
        thread::spawn(move || accept(&listener, &all, &reply, &sender));
        Self {
            address,
            shared,
            accepted,
        }
    }

    /// Starts a server that accepts and never says a word.
    pub(super) fn silent() -> Self {
        Self::start(|_| Reply::Silence)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(super) fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Waits until a client is there.
    pub(super) fn wait_for_client(&self) -> bool {
        self.accepted.recv_timeout(Duration::from_secs(5)).is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect_timeout(
            &self.address,
            Duration::from_secs(1),
        ));
        for stream in lock(&self.shared.streams).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn accept<F>(listener: &TcpListener, shared: &Arc<Shared>, reply: &Arc<F>, accepted: &Sender<()>)
where
    F: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    for stream in listener.incoming() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.streams).push(copy);
        }
        if accepted.send(()).is_err() {
            return;
        }
        let (shared, reply) = (Arc::clone(shared), Arc::clone(reply));
        // A client that leaves early ends its own connection and nothing else.
        thread::spawn(move || drop(serve(stream, &shared, reply.as_ref())));
    }
}

fn serve(
    mut stream: TcpStream,
    shared: &Shared,
    reply: &dyn Fn(&Request) -> Reply,
) -> io::Result<()> {
    let mut head = Vec::new();
    let mut block = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut block)?;
        head.extend_from_slice(&block[..count]);
        // Bytes that are no HTTP, as a TLS greeting, are as good as a head.
        let http = head.first().is_some_and(u8::is_ascii_uppercase);
        if count == 0 || !http || head.len() > 64 * 1024 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        head: head.clone(),
    };
    lock(&shared.requests).push(request.clone());
    let send = |stream: &mut TcpStream, bytes: &[u8]| -> io::Result<()> {
        stream.write_all(bytes)?;
        shared.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    };
    match reply(&request) {
        Reply::Bytes(bytes) => send(&mut stream, &bytes)?,
        Reply::Endless(start, more) => {
            send(&mut stream, &start)?;
            loop {
                send(&mut stream, &more)?;
            }
        }
        Reply::Drip(bytes, pause) => {
            for byte in bytes {
                send(&mut stream, &[byte])?;
                thread::sleep(pause);
            }
        }
        Reply::Silence => while stream.read(&mut block)? > 0 {},
    }
    stream.shutdown(Shutdown::Write)?;
    // A socket closed over unread bytes would reset the connection.
    while stream.read(&mut block)? > 0 {}
    Ok(())
}

/// Writes an HTTP/1.1 answer that closes the connection.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
