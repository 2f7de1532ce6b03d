use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A thread with a runtime of its own that ends, with everything on it, when the handle does.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs `work` on a new thread until it ends or the handle is dropped.
    pub(crate) fn spawn<F, Fut>(name: &str, work: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()>,
    {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime needs only a few descriptors");
                runtime.block_on(async move {
                    tokio::select! {
                        _ = stopped => {}
                        () = work() => {}
                    }
                });
                // File calls of an S3 server may still be on a pool thread.
                runtime.shutdown_timeout(Duration::from_secs(1));
            })
            .expect("a thread can be started");
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Accepts connections for as long as the handle lives and gives each to `serve`.
    pub(crate) fn accept<F, Fut>(name: &str, listener: TcpListener, serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::spawn(name, move || async move {
            let listener = tokio::net::TcpListener::from_std(listener)
                .expect("the listener is already non-blocking");
            let serve = Arc::new(serve);
            // An accept fails when the peer has already gone; the next one may work.
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream));
                }
            }
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has already been printed by its own thread.
            drop(thread.join());
        }
    }
}

/// A non-blocking listener on a free port of 127.0.0.1, and its address.
pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener
        .set_nonblocking(true)
        .expect("a socket can be set non-blocking");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    (listener, address)
}
