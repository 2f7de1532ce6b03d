use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::ServerTls;
use crate::background::{Background, listen};

/// The largest request body that is taken.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A request that a server got.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method, as `GET`.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its question mark; empty when there is none.
    pub query: String,
    /// The header fields in the order of their arrival.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Whether the client showed a certificate (which had to be a good one).
    pub client_certificate: bool,
}

impl Recorded {
    /// The first value of a header field, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// User and password of a basic login.
    pub(crate) fn basic_login(&self) -> Option<(String, String)> {
        let login = self.header("authorization")?.strip_prefix("Basic ")?;
        let login = String::from_utf8(STANDARD.decode(login).ok()?).ok()?;
        let (user, password) = login.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

/// What a server answers to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    delay: Duration,
    silent: bool,
}

impl Answer {
    /// An empty answer with this status.
    ///
    /// # Panics
    ///
    /// When the status is not between 100 and 999.
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status has three digits"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
            silent: false,
        }
    }

    /// No answer at all: the connection stays open and silent.
    pub fn silence() -> Self {
        Self {
            silent: true,
            ..Self::status(200)
        }
    }

    /// Adds a header field.
    ///
    /// # Panics
    ///
    /// When name or value cannot stand in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("it is the name of a header");
        self.headers.append(
            name,
            HeaderValue::from_str(value).expect("it is the value of a header"),
        );
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits this long before it answers.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

pub(crate) type Requests = Arc<Mutex<Vec<Recorded>>>;

/// An HTTP/1.1 server on a thread of its own that records every request.
#[derive(Debug)]
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    requests: Requests,
    _background: Background,
}

impl WebServer {
    pub(crate) fn start<F>(tls: Option<ServerTls>, answer: F) -> Self
    where
        F: Fn(&Recorded) -> Answer + Send + Sync + 'static,
    {
        let (listener, address) = listen();
        let requests = Requests::default();
        let shared = Arc::clone(&requests);
        let is_tls = tls.is_some();
        let acceptor = tls.map(TlsAcceptor::from);
        let answer = Arc::new(answer);
        let background = Background::accept("web-server", listener, move |stream| {
            let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
            let requests = Arc::clone(&shared);
            async move {
                match acceptor {
                    None => connection(stream, false, answer, requests).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            let known = stream.get_ref().1.peer_certificates().is_some();
                            connection(stream, known, answer, requests).await;
                        }
                    }
                }
            }
        });
        Self {
            address,
            tls: is_tls,
            requests,
            _background: background,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            self.address
        )
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn connection<S, F>(stream: S, certificate: bool, answer: Arc<F>, requests: Requests)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&Recorded) -> Answer + Send + Sync + 'static,
{
    let service = service_fn(move |request| {
        let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
        async move {
            let recorded = record(request, certificate).await;
            requests
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(recorded.clone());
            Ok::<_, Infallible>(give(answer(&recorded)).await)
        }
    });
    // A client that leaves in the middle is a client's right.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn record(request: Request<Incoming>, client_certificate: bool) -> Recorded {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT)
        .collect()
        .await
        .map(Collected::to_bytes);
    Recorded {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.unwrap_or_default(),
        client_certificate,
    }
}

async fn give(answer: Answer) -> Response<Full<Bytes>> {
    if answer.silent {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
