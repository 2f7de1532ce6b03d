//! An HTTP proxy that tunnels by CONNECT (RFC 9110, section 9.3.6).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::{Endpoint, Role};
use crate::secret::Secret;

/// The proxy's answer to CONNECT may be this long.
const MAX_ANSWER: usize = 16 * 1024;

/// Ends the head of an answer.
const END: &[u8] = b"\r\n\r\n";
/// So many characters of the proxy's reason are shown.
const MAX_REASON: usize = 80;

/// Where the proxy listens, and who we are to it.
#[derive(Clone, Debug)]
pub struct Proxy {
    url: Secret,
    host: String,
    port: u16,
    login: Option<Secret>,
}

/// The text is no `http://[user:password@]host[:port]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a proxy is written http://[user:password@]host[:port]")]
pub struct InvalidProxy;

impl Proxy {
    /// Reads `http://[user:password@]host[:port]`; the port is 80 by default.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&with_scheme).map_err(|_| InvalidProxy)?;
        let host = url.host_str().ok_or(InvalidProxy)?;
        if url.scheme() != "http" || !matches!(url.path(), "" | "/") {
            return Err(InvalidProxy);
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8_lossy()
                .into_owned()
        };
        let login = (!url.username().is_empty()).then(|| {
            let password = decode(url.password().unwrap_or_default());
            Secret::new(format!("{}:{password}", decode(url.username())))
        });
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            login,
            url: Secret::new(with_scheme),
        })
    }

    /// Returns the whole URL, login included, for a client that tunnels itself.
    pub const fn url(&self) -> &Secret {
        &self.url
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Asks for a tunnel to the endpoint on a stream to the proxy.
    pub(super) async fn tunnel(
        &self,
        stream: &mut TcpStream,
        endpoint: &Endpoint,
    ) -> Result<(), Diagnosis> {
        let mut request = format!("CONNECT {endpoint} HTTP/1.1\r\nHost: {endpoint}\r\n");
        if let Some(login) = &self.login {
            let login = STANDARD.encode(login.expose());
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&login);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let failed = |error: std::io::Error| self.failed(endpoint, &error.to_string());
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut answer = Vec::with_capacity(512);
        loop {
            // What follows the head belongs to the tunnel, and a peer may speak first: a block is
            // looked at, and only what is of the head is taken from the stream.
            let mut block = [0; 1024];
            let seen = stream.peek(&mut block).await.map_err(failed)?;
            if seen == 0 {
                return Err(self.failed(endpoint, "it closed the connection"));
            }
            let take = of_the_head(&answer, &block[..seen]);
            let taken = stream
                .read_exact(&mut block[..take])
                .await
                .map_err(failed)?;
            answer.extend_from_slice(&block[..taken]);
            if let Some(judged) = self.judge(endpoint, &answer) {
                return judged;
            }
        }
    }

    /// Says what an answer comes to; `None` where more of it has to be read.
    fn judge(&self, endpoint: &Endpoint, answer: &[u8]) -> Option<Result<(), Diagnosis>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let reason = match response.parse(answer) {
            Ok(httparse::Status::Complete(_)) => {
                return Some(self.answered(endpoint, &response));
            }
            Ok(httparse::Status::Partial) if answer.len() < MAX_ANSWER => return None,
            Ok(httparse::Status::Partial) => "its answer does not end",
            Err(_) => "it does not speak HTTP",
        };
        Some(Err(self.failed(endpoint, reason)))
    }

    fn answered(
        &self,
        endpoint: &Endpoint,
        response: &httparse::Response<'_, '_>,
    ) -> Result<(), Diagnosis> {
        let status = response.code.unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(());
        }
        // The proxy's own words stand apart from ours.
        let reason: String = response
            .reason
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_REASON)
            .collect();
        let mut diagnosis = self
            .failed(endpoint, &format!("it answered {status}"))
            .evidence("status", status)
            .evidence("reason", reason);
        if status == 407 {
            diagnosis = diagnosis.hint("give --proxy a user and password it accepts");
        }
        Err(diagnosis)
    }

    /// Returns the forms of the login that a proxy may repeat.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let Some(login) = &self.login else {
            return Vec::new();
        };
        let password = login.expose().split_once(':').map(|(_, password)| password);
        let mut secrets = vec![login.clone(), Secret::new(STANDARD.encode(login.expose()))];
        secrets.extend(password.filter(|it| !it.is_empty()).map(Secret::new));
        secrets
    }

    /// The proxy's own name has no address: no key of the link is to blame.
    pub(super) fn unresolved(&self, endpoint: &Endpoint, reason: Diagnosis) -> Diagnosis {
        reason
            .evidence
            .into_iter()
            .fold(
                self.failed(endpoint, &reason.message),
                |diagnosis, (name, value)| diagnosis.evidence(name, value),
            )
            .evidence("code", reason.code)
    }

    pub(super) fn failed(&self, endpoint: &Endpoint, reason: &str) -> Diagnosis {
        Diagnosis::new(
            Code::ConnectProxyFailed,
            format!("the proxy {self} did not connect to {endpoint}: {reason}"),
        )
        .evidence("proxy", self)
        .hint("check --proxy; without it, linkdial dials directly")
    }
}

/// Reads an answer as it comes, in blocks of a length: what is taken never goes beyond its head.
pub(super) fn fuzz_answer(bytes: &[u8], block: usize) {
    let proxy = Proxy::parse("http://user:s3cr3t@127.0.0.1:3128").expect("it is a URL of a proxy");
    let endpoint = Endpoint::new(Role::Endpoint, "target.example", 443);
    let mut answer: Vec<u8> = Vec::new();
    while answer.len() < bytes.len() {
        let rest = &bytes[answer.len()..];
        let block = &rest[..rest.len().min(block.max(1))];
        answer.extend_from_slice(&block[..of_the_head(&answer, block)]);
        let Some(judged) = proxy.judge(&endpoint, &answer) else {
            assert!(answer.len() < MAX_ANSWER, "no end of the answer");
            continue;
        };
        if let Err(finding) = judged {
            assert!(!format!("{finding:?}").contains("s3cr3t"));
        } else {
            assert!(answer.len() <= MAX_ANSWER + block.len());
        }
        return;
    }
}

/// Returns how many bytes of a block still belong to a head that ends with an empty line.
fn of_the_head(before: &[u8], block: &[u8]) -> usize {
    let tail = &before[before.len().saturating_sub(END.len() - 1)..];
    let joined = [tail, block].concat();
    joined
        .windows(END.len())
        .position(|window| window == END)
        .map_or(block.len(), |at| at + END.len() - tail.len())
}

impl fmt::Display for Proxy {
    /// Writes `host:port`, never the login.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}
