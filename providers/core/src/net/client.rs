//! HTTP/1.1 on the ladder's stream, for clients that take a transport of ours.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use crate::diagnosis::Diagnosis;

use super::bounded::{Bounded, Left};
use super::connect::Dialler;
use super::fault::FaultContext;
use super::stream::Dialled;

/// No answer that a probe asks for is longer, in bytes.
pub const MAX_ANSWER: usize = 2 * 1024 * 1024;
/// No head of an answer is longer, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;

/// Sends requests over one connection, and dials the same checked address again when the server
/// closed it between two requests. Clones share the connection. Nothing is pooled beyond it.
#[derive(Debug)]
pub struct HttpClient<B>(Arc<Inner<B>>);

impl<B> Clone for HttpClient<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Inner<B> {
    dialler: Dialler,
    ladder: Mutex<Option<Dialled>>,
    connection: tokio::sync::Mutex<Option<Connection<B>>>,
    fault: SharedFault,
}

#[derive(Debug)]
struct Connection<B> {
    sender: SendRequest<B>,
    context: FaultContext,
    left: Left,
    task: AbortHandle,
}

impl<B> Drop for Connection<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The first fault of the transport, kept beside the client whose errors would blur it.
type SharedFault = Arc<Mutex<Option<Diagnosis>>>;

impl<B> HttpClient<B>
where
    B: Body + From<&'static str> + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Takes the ladder's stream for the first request.
    pub fn new(dialled: Dialled, dialler: Dialler) -> Self {
        Self(Arc::new(Inner {
            dialler,
            ladder: Mutex::new(Some(dialled)),
            connection: tokio::sync::Mutex::new(None),
            fault: SharedFault::default(),
        }))
    }

    /// Sends one request. Its target is in origin form and it carries a `Host` header, or it has
    /// the whole URL.
    ///
    /// The body of the answer ends with an error beyond [`MAX_ANSWER`]. The caller holds the
    /// deadline.
    pub async fn send(
        &self,
        request: http::Request<B>,
    ) -> Result<http::Response<BoundedBody>, Diagnosis> {
        let result = self.try_send(origin_form(request)).await;
        if let Err(fault) = &result {
            keep(&self.0.fault, || fault.clone());
        }
        result
    }

    /// Takes the first fault that the transport met, for a client that reports another error for
    /// it.
    pub fn take_fault(&self) -> Option<Diagnosis> {
        lock(&self.0.fault).take()
    }

    /// Returns what is known of the connection last used.
    pub async fn fault_context(&self) -> Option<FaultContext> {
        let connection = self.0.connection.lock().await;
        connection
            .as_ref()
            .map(|connection| connection.context.clone())
    }

    async fn try_send(
        &self,
        request: http::Request<B>,
    ) -> Result<http::Response<BoundedBody>, Diagnosis> {
        let mut request = request;
        let mut connection = self.0.connection.lock().await;
        let (response, context) = loop {
            let alive = match connection.as_mut() {
                Some(connection) => connection.sender.ready().await.is_ok(),
                None => false,
            };
            if !alive {
                let ladder = lock(&self.0.ladder).take();
                let dialled = match ladder {
                    Some(dialled) => dialled,
                    None => self.0.dialler.dial().await?,
                };
                *connection = Some(shake_hands(dialled).await?);
            }
            let current = connection
                .as_mut()
                .expect("a connection was made above where none was alive");
            let context = current.context.for_request();
            current.left.before_the_head();
            let copy = alive.then(|| safe_copy(&request)).flatten();
            match current.sender.try_send_request(request).await {
                Ok(response) => {
                    current.left.behind_the_head();
                    break (response, context);
                }
                Err(mut error) => {
                    let unanswered = error
                        .take_message()
                        .or_else(|| copy.filter(|_| context.has_heard_nothing()));
                    match unanswered {
                        // The server closed the idle connection before it saw the request, or at
                        // the same moment: that says nothing about the link.
                        Some(again) if alive => {
                            *connection = None;
                            request = again;
                        }
                        _ => return Err(context.explain(error.error())),
                    }
                }
            }
        };
        let fault = Arc::clone(&self.0.fault);
        Ok(response.map(|body| BoundedBody {
            body: Limited::new(body, MAX_ANSWER),
            context,
            fault,
        }))
    }
}

/// Moves the authority from the URI to `Host` (RFC 9112, section 3.2.1).
fn origin_form<B>(mut request: http::Request<B>) -> http::Request<B> {
    let uri = request.uri();
    let Some(authority) = uri.authority() else {
        return request;
    };
    let host = HeaderValue::from_str(authority.as_str());
    let path = uri.path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    if let (Ok(host), false) = (host, request.headers().contains_key(HOST)) {
        request.headers_mut().insert(HOST, host);
    }
    request
}

/// Copies a request that may be sent twice (RFC 9110, section 9.2.1) and has no body.
fn safe_copy<B: Body + From<&'static str>>(request: &http::Request<B>) -> Option<http::Request<B>> {
    if !request.method().is_safe() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = http::Request::new(B::from(""));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

async fn shake_hands<B>(dialled: Dialled) -> Result<Connection<B>, Diagnosis>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let context = dialled.context().clone();
    let (stream, left) = Bounded::new(dialled);
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| context.explain(&error))?;
    // Its error also reaches the request that is under way. Mapped and not awaited in a block,
    // which would hold the connection twice: these are most of the memory of a check.
    let task = tokio::spawn(connection.map(|ended| {
        if let Err(error) = ended {
            tracing::trace!(%error, "connection ended");
        }
    }))
    .abort_handle();
    Ok(Connection {
        sender,
        context,
        left,
        task,
    })
}

/// The body of an answer, bounded in size; a fault on the way is kept for the probe.
#[derive(Debug)]
pub struct BoundedBody {
    body: Limited<Incoming>,
    context: FaultContext,
    fault: SharedFault,
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let bounded = self.get_mut();
        let frame = ready!(Pin::new(&mut bounded.body).poll_frame(context));
        if let Some(Err(error)) = &frame {
            keep(&bounded.fault, || bounded.context.explain(error.as_ref()));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl BoundedBody {
    /// Reads the body up to a bound, and says whether there was more.
    pub async fn read_up_to(mut self, bound: usize) -> Result<(Bytes, bool), Diagnosis> {
        let mut read = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let frame = frame.map_err(|error| self.context.explain(error.as_ref()))?;
            if let Ok(data) = frame.into_data() {
                read.extend_from_slice(&data);
            }
            if read.len() > bound {
                read.truncate(bound);
                return Ok((read.freeze(), true));
            }
        }
        Ok((read.freeze(), false))
    }

    /// Reads the body to its end.
    pub async fn read(self) -> Result<Bytes, Diagnosis> {
        let context = self.context.clone();
        self.collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| context.explain(error.as_ref()))
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(shared: &SharedFault, fault: impl FnOnce() -> Diagnosis) {
    let mut kept = lock(shared);
    if kept.is_none() {
        *kept = Some(fault());
    }
}
