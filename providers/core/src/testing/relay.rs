//! A proxy between a check and a real server that holds a write back half-way.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long the undoing of a write takes.
const SLOW: Duration = Duration::from_millis(1200);

/// Tunnels until it is dropped. What follows a `PUT` is held for good, but for a `DELETE`, which is
/// only slow.
pub(super) struct Relay {
    address: SocketAddr,
    held: Receiver<()>,
    closed: Arc<AtomicBool>,
}

impl Relay {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (sender, held) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&closed);
        thread::spawn(move || {
            let written = Arc::new(AtomicBool::new(false));
            for client in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (written, sender) = (Arc::clone(&written), sender.clone());
                // A side that leaves ends its own tunnel and nothing else.
                thread::spawn(move || drop(tunnel(client, &written, &sender)));
            }
        });
        Self {
            address,
            held,
            closed,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits a moment for the request after the write.
    pub(super) fn holds(&self, time: Duration) -> Result<(), RecvTimeoutError> {
        self.held.recv_timeout(time)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect_timeout(
            &self.address,
            Duration::from_secs(1),
        ));
    }
}

fn tunnel(mut client: TcpStream, written: &AtomicBool, held: &Sender<()>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || drop(io::copy(&mut from, &mut to)));
    let mut block = [0; 16 * 1024];
    loop {
        let count = client.read(&mut block)?;
        let bytes = &block[..count];
        if bytes.starts_with(b"PUT ") {
            written.store(true, Ordering::SeqCst);
        } else if bytes.starts_with(b"DELETE ") {
            thread::sleep(SLOW);
        } else if written.load(Ordering::SeqCst)
            && [b"GET ".as_slice(), b"HEAD ", b"POST "]
                .iter()
                .any(|method| bytes.starts_with(method))
        {
            // Nobody listens any more where the check is over.
            held.send(()).ok();
            continue;
        }
        if count == 0 {
            return server.shutdown(std::net::Shutdown::Write);
        }
        server.write_all(bytes)?;
    }
}
