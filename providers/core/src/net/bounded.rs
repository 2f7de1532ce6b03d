//! How much a peer may say in answer to one request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{MAX_ANSWER, MAX_HEAD};

/// Before the answer has begun, in bytes. A block of the body may come along with a head.
const BEFORE: usize = 4 * MAX_HEAD;
/// Behind its head, with what frames the body.
const BEHIND: usize = MAX_ANSWER + MAX_ANSWER / 2;

/// The peer said more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is beyond the size bound")]
pub(super) struct TooLong;

/// What is left to be said. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(super) struct Left(Arc<AtomicUsize>);

impl Left {
    /// Another answer is waited for.
    pub(super) fn before_the_head(&self) {
        self.0.store(BEFORE, Ordering::Relaxed);
    }

    /// Its body is read.
    pub(super) fn behind_the_head(&self) {
        self.0.store(BEHIND, Ordering::Relaxed);
    }
}

/// A stream that breaks when an answer goes on for too long.
///
/// A head and a body have bounds of their own. This one is for what is neither: answers before the
/// answer (RFC 9110, section 15.2), and what stands between the chunks of a body.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    left: Left,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S) -> (Self, Left) {
        let left = Left(Arc::new(AtomicUsize::new(BEFORE)));
        let bounded = Self {
            stream,
            left: left.clone(),
        };
        (bounded, left)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bounded = self.get_mut();
        let left = bounded.left.0.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other(TooLong)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut bounded.stream).poll_read(context, buffer))?;
        let heard = buffer.filled().len() - before;
        // A buffer more than the bound is no matter.
        let left = left.saturating_sub(heard);
        bounded.left.0.store(left, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
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
