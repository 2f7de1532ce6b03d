//! The stream that the ladder hands to a client, and what it remembers of the peer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::endpoint::Endpoint;

use super::fault::FaultContext;
use super::tls::TlsFacts;

/// How much of the peer's first words is kept: enough to name a protocol, and to hold the sentence
/// with which a TLS port answers plain HTTP.
const FIRST_BYTES: usize = 192;

/// A checked stream, plain or TLS.
#[derive(Debug)]
pub struct Dialled {
    stream: Stream,
    tls: Option<TlsFacts>,
    context: FaultContext,
}

#[derive(Debug)]
enum Stream {
    Plain(Tap),
    Tls(Box<TlsStream<Tap>>),
}

impl Dialled {
    pub(super) fn plain(stream: TcpStream, endpoint: &Endpoint) -> Self {
        let first = FirstBytes::default();
        Self {
            stream: Stream::Plain(Tap::new(stream, first.clone())),
            tls: None,
            context: FaultContext::plain(endpoint.clone(), first),
        }
    }

    pub(super) fn encrypted(
        stream: TlsStream<Tap>,
        facts: TlsFacts,
        context: FaultContext,
    ) -> Self {
        Self {
            stream: Stream::Tls(Box::new(stream)),
            tls: Some(facts),
            context,
        }
    }

    /// Returns what the handshake showed; `None` on a plain stream.
    pub const fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// Returns what is needed to explain a fault of the stream later, when a client owns it.
    pub const fn context(&self) -> &FaultContext {
        &self.context
    }
}

impl AsyncRead for Dialled {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let dialled = self.get_mut();
        ready!(match &mut dialled.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        })?;
        dialled.context.heard(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// The peer's first bytes on the wire, shared with whoever explains a fault.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstBytes(Arc<(AtomicBool, Mutex<Vec<u8>>)>);

impl FirstBytes {
    /// Returns the bytes seen so far, at most [`FIRST_BYTES`].
    pub(super) fn get(&self) -> Vec<u8> {
        // A poisoned lock still holds the bytes.
        match self.0.1.lock() {
            Ok(bytes) => bytes.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    fn add(&self, bytes: &[u8]) {
        if bytes.is_empty() || self.0.0.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(mut kept) = self.0.1.lock() {
            let room = FIRST_BYTES - kept.len();
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.0.0.store(kept.len() == FIRST_BYTES, Ordering::Relaxed);
        }
    }
}

/// A TCP stream that remembers the peer's first bytes.
#[derive(Debug)]
pub(super) struct Tap {
    stream: TcpStream,
    first: FirstBytes,
}

impl Tap {
    pub(super) const fn new(stream: TcpStream, first: FirstBytes) -> Self {
        Self { stream, first }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut tap.stream).poll_read(context, buffer))?;
        tap.first.add(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
