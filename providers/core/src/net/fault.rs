//! Why a stream broke after the ladder had checked it.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::Error as TlsError;
use rustls::sign::CertifiedKey;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;
use crate::repair::Change;

use super::bounded::TooLong;
use super::client::{MAX_ANSWER, MAX_HEAD};
use super::connect::describe;
use super::stream::FirstBytes;

/// hyper has no predicate for it; the text is that of its `Parse::TooLarge`.
const TOO_LARGE: &str = "message head is too large";

/// Whether the server asked for a client certificate, and which one it got.
#[derive(Debug)]
pub(super) struct ClientCertificate {
    pub(super) asked: AtomicBool,
    pub(super) identity: Option<Arc<CertifiedKey>>,
}

impl ClientCertificate {
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn refusal(&self, endpoint: &Endpoint) -> Diagnosis {
        if self.identity.is_some() {
            Diagnosis::new(
                Code::TlsClientCertificateRefused,
                format!("{endpoint} refused the client certificate of the link"),
            )
            .hint("check that the server trusts the CA that signed it, and its dates")
        } else {
            Diagnosis::new(
                Code::TlsClientCertificateRequired,
                format!("{endpoint} wants a client certificate, and the link has none"),
            )
            .hint("this kind of link can not carry one: ask for a port or path that needs none")
        }
    }
}

/// What is known of a stream when a client that owns it reports a fault.
#[derive(Clone, Debug)]
pub struct FaultContext {
    endpoint: Endpoint,
    first: FirstBytes,
    client: Option<Arc<ClientCertificate>>,
    /// Bytes that the peer has said to the client, those of a handshake apart.
    heard: Arc<AtomicUsize>,
    /// How many of them came before the request that is explained.
    before: usize,
}

impl FaultContext {
    pub(super) fn plain(endpoint: Endpoint, first: FirstBytes) -> Self {
        Self {
            endpoint,
            first,
            client: None,
            heard: Arc::default(),
            before: 0,
        }
    }

    pub(super) fn encrypted(
        endpoint: Endpoint,
        first: FirstBytes,
        client: Arc<ClientCertificate>,
    ) -> Self {
        Self {
            endpoint,
            first,
            client: Some(client),
            heard: Arc::default(),
            before: 0,
        }
    }

    pub(super) fn heard(&self, bytes: usize) {
        self.heard.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns whether the peer has sent no byte since the request that is explained.
    pub(super) fn has_heard_nothing(&self) -> bool {
        self.heard.load(Ordering::Relaxed) == self.before
    }

    /// Returns the same knowledge, for the request that comes next on the stream.
    pub(super) fn for_request(&self) -> Self {
        let before = self.heard.load(Ordering::Relaxed);
        Self {
            before,
            ..self.clone()
        }
    }

    /// Explains an error by what the server did about the link's client certificate: with TLS 1.3
    /// the refusal comes after the handshake, at the first read.
    pub fn client_certificate(&self, error: &(dyn Error + 'static)) -> Option<Diagnosis> {
        let (Some(client), Some(TlsError::AlertReceived(alert))) =
            (&self.client, find::<TlsError>(error))
        else {
            return None;
        };
        client.explain_alert(&self.endpoint, *alert)
    }

    /// Explains why another connection to the same address did not come about.
    pub fn explain_connect(&self, address: SocketAddr, error: &(dyn Error + 'static)) -> Diagnosis {
        let refused = find::<io::Error>(error).filter(|cause| cause.raw_os_error().is_some());
        match refused {
            Some(cause) if find::<TlsError>(error).is_none() => {
                // With its number: only that tells that this machine has no descriptor left.
                let cause = match cause.raw_os_error() {
                    Some(number) => io::Error::from_raw_os_error(number),
                    None => io::Error::from(cause.kind()),
                };
                super::connect::explain(&self.endpoint, &[(address, cause)])
            }
            _ => self.explain(error),
        }
    }

    /// Explains an error of the client that used the stream, from its chain of sources and from
    /// what the peer said first.
    pub fn explain(&self, error: &(dyn Error + 'static)) -> Diagnosis {
        let endpoint = &self.endpoint;
        if let Some(diagnosis) = self.client_certificate(error) {
            return diagnosis;
        }
        if find::<TooLong>(error).is_some() {
            return Diagnosis::new(
                Code::AccessNotThisService,
                format!("{endpoint} goes on answering beyond the size bound"),
            )
            .hint("this is another service: check host and port");
        }
        if find::<http_body_util::LengthLimitError>(error).is_some() {
            return Diagnosis::new(
                Code::AccessNotThisService,
                format!("the answer of {endpoint} is beyond the size bound"),
            )
            .evidence("bound_bytes", MAX_ANSWER)
            .hint("this is another service: check host and port");
        }
        let first = self.first.get();
        if self.client.is_none() && !first.is_empty() && looks_like_tls(&first) {
            return tls_required(endpoint).evidence("first_bytes", show_bytes(&first));
        }
        // A server that hangs up right after saying so cuts its own answer.
        if self.client.is_none()
            && let Some(text) = says_tls_required(&String::from_utf8_lossy(&first))
        {
            return tls_required(endpoint).evidence("answer", text);
        }
        let hyper = find::<hyper::Error>(error);
        if hyper.is_some_and(|error| error.is_parse() && error.to_string().contains(TOO_LARGE)) {
            return Diagnosis::new(
                Code::AccessNotThisService,
                format!("the answer of {endpoint} has a header beyond the size bound"),
            )
            .evidence("bound_bytes", MAX_HEAD)
            .hint("this is another service: check host and port");
        }
        // A server that speaks first may be heard before the request is sent: hyper then reports
        // no error of parsing.
        let speaks_another = self.client.is_none() && !may_be_http(&first);
        if speaks_another || hyper.is_some_and(hyper::Error::is_parse) {
            let message = if first.starts_with(b"HTTP/1.") {
                format!("{endpoint} answers with a broken head of HTTP/1.1")
            } else {
                format!("{endpoint} does not speak HTTP/1.1")
            };
            let mut diagnosis = Diagnosis::new(Code::AccessNotThisService, message)
                .hint("this is another service: check host and port");
            if self.client.is_none() {
                diagnosis = diagnosis
                    .evidence("protocol", name_protocol(&first))
                    .evidence("first_bytes", show_bytes(&first));
            }
            return diagnosis;
        }
        let cause = find::<io::Error>(error);
        let cut = cause.map_or("it closed the connection".to_owned(), describe);
        let finding = Diagnosis::new(
            Code::ConnectReset,
            format!("{endpoint} cut the connection before its answer was complete"),
        )
        .evidence("during", "request")
        .evidence("error", cut)
        .evidence(
            "received",
            if self.has_heard_nothing() {
                "nothing"
            } else {
                "a part"
            },
        )
        .hint(
            "something on the way or the service itself hung up: check its log, and that the \
             port is the right one for http or https",
        );
        // What listens for TLS may hang up on plain text without a word.
        match endpoint.key.clone() {
            Some(place) if self.client.is_none() && self.has_heard_nothing() => {
                finding.repair(Change::Scheme {
                    place,
                    scheme: "https",
                })
            }
            _ => finding,
        }
    }
}

/// Walks a chain of sources, the inner errors of I/O errors included.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        if let Some(inner) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            && let Some(found) = find_in(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn find_in<'a, E: Error + 'static>(
    inner: &'a (dyn Error + Send + Sync + 'static),
) -> Option<&'a E> {
    inner.downcast_ref::<E>().or_else(|| find(inner.source()?))
}

/// The record types and versions that start a TLS record (RFC 8446, section 5.1).
pub(super) fn looks_like_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, ..] | [0x14..=0x17])
}

/// Whether bytes are the beginning of an HTTP/1 answer, as far as they go.
fn may_be_http(bytes: &[u8]) -> bool {
    let length = bytes.len().min(b"HTTP/".len());
    bytes[..length] == b"HTTP/"[..length]
}

/// Names the protocol that a server's first bytes belong to.
pub fn name_protocol(bytes: &[u8]) -> &'static str {
    let starts = |prefix: &[u8]| bytes.starts_with(prefix);
    if looks_like_tls(bytes) {
        "TLS"
    } else if starts(b"HTTP/") {
        "HTTP"
    } else if starts(b"SSH-") {
        "SSH"
    } else if starts(b"220") {
        "SMTP or FTP"
    } else if starts(b"+OK") {
        "POP3"
    } else if starts(b"* OK") {
        "IMAP"
    } else if starts(b"RFB ") {
        "VNC"
    } else if starts(b"-ERR") {
        "Redis"
    } else if matches!(bytes, [_, _, _, 0, 10, ..]) {
        "MySQL"
    } else if starts(b"<") {
        "XML or HTML"
    } else {
        "text of an unknown protocol"
    }
}

/// Shows bytes of a peer as text: printable ASCII as it is, the rest escaped.
pub(super) fn show_bytes(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(48)].escape_ascii().to_string()
}

fn tls_required(endpoint: &Endpoint) -> Diagnosis {
    let finding = Diagnosis::new(
        Code::TlsRequired,
        format!("{endpoint} speaks TLS, and the link asks for plain text"),
    )
    .hint("write https:// instead of http://");
    match endpoint.key.clone() {
        Some(place) => finding.repair(Change::Scheme {
            place,
            scheme: "https",
        }),
        None => finding,
    }
}

/// Returns the sentence with which a TLS port answers plain HTTP.
///
/// The texts are those of Go's `net/http`, nginx, Apache httpd and Jetty or Tomcat.
fn says_tls_required(answer: &str) -> Option<&'static str> {
    [
        "Client sent an HTTP request to an HTTPS server",
        "The plain HTTP request was sent to HTTPS port",
        "speaking plain HTTP to an SSL-enabled server port",
        "This combination of host and port requires TLS",
    ]
    .into_iter()
    .find(|text| answer.contains(text))
}

/// Returns the finding that an HTTP answer is about TLS and not about what was asked: the port wanted
/// it, or a client certificate, of which the context of the connection knows.
pub fn tls_refusal(
    endpoint: &Endpoint,
    context: Option<&FaultContext>,
    status: u16,
    body: &str,
) -> Option<Diagnosis> {
    plain_text_refused(endpoint, status, body)
        .or_else(|| client_certificate_fault(endpoint, context?, status, body))
}

/// Returns the finding that an HTTP answer tells of a plain request on a TLS port.
fn plain_text_refused(endpoint: &Endpoint, status: u16, body: &str) -> Option<Diagnosis> {
    let text = says_tls_required(body).filter(|_| status == 400)?;
    Some(
        tls_required(endpoint)
            .evidence("status", status)
            .evidence("answer", text),
    )
}

/// Returns the finding that an HTTP answer refuses a missing or foreign client certificate.
///
/// nginx completes the handshake and answers 400 with these texts.
fn client_certificate_fault(
    endpoint: &Endpoint,
    context: &FaultContext,
    status: u16,
    body: &str,
) -> Option<Diagnosis> {
    const TEXTS: [&str; 2] = [
        "No required SSL certificate was sent",
        "The SSL certificate error",
    ];
    let client = context.client.as_ref().filter(|client| client.asked())?;
    let text = TEXTS.into_iter().find(|text| body.contains(text))?;
    (status == 400).then(|| {
        client
            .refusal(endpoint)
            .evidence("status", status)
            .evidence("answer", text)
    })
}
