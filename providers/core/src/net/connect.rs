//! Addresses to one TCP connection.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that opens sockets"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

use super::Net;
use super::resolve::Resolved;
use super::stream::Dialled;
use super::tls::TlsOptions;

/// RFC 8305, section 5: the next address is tried when the one before is silent for this long.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A TCP connection to a checked address.
#[derive(Debug)]
pub struct Connected {
    pub(super) stream: TcpStream,
    address: SocketAddr,
    failed: Vec<String>,
}

impl Connected {
    /// Returns the address that accepted.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what the step's notes say: the addresses that did not accept.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        if self.failed.is_empty() {
            return Vec::new();
        }
        vec![("failed", self.failed.join("; "))]
    }

    /// Uses the connection without TLS.
    pub fn into_plain(self, endpoint: &Endpoint) -> Dialled {
        Dialled::plain(self.stream, endpoint)
    }
}

/// Dials a checked address again, for a client that needs a second connection.
#[derive(Clone, Debug)]
pub struct Dialler {
    net: Net,
    endpoint: Endpoint,
    address: SocketAddr,
    tls: Option<TlsOptions>,
}

impl Dialler {
    /// Keeps what is needed to dial the same address in the same way.
    pub fn new(
        net: Net,
        endpoint: Endpoint,
        connected: &Connected,
        tls: Option<TlsOptions>,
    ) -> Self {
        Self {
            net,
            endpoint,
            address: connected.address,
            tls,
        }
    }

    /// Returns the endpoint it dials.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the address it dials; that of the proxy where there is one.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connects and shakes hands. The caller holds the deadline.
    pub async fn dial(&self) -> Result<Dialled, Diagnosis> {
        let connected = self
            .net
            .race(&self.endpoint, &[self.address], &Mutex::default())
            .await?;
        match &self.tls {
            None => Ok(connected.into_plain(&self.endpoint)),
            Some(tls) => self.net.shake_hands(&self.endpoint, connected, tls).await,
        }
    }
}

impl Net {
    /// Connects to the first address that accepts, and through the proxy where there is one.
    pub async fn connect(
        &self,
        endpoint: &Endpoint,
        resolved: &Resolved,
    ) -> Result<Connected, Diagnosis> {
        self.race(endpoint, &resolved.addresses, &resolved.failed)
            .await
    }

    async fn race(
        &self,
        endpoint: &Endpoint,
        addresses: &[SocketAddr],
        failed: &Mutex<Vec<String>>,
    ) -> Result<Connected, Diagnosis> {
        let mut connected = match (race(addresses, failed).await, self.proxy()) {
            (Ok(connected), _) => connected,
            (Err(failures), Some(proxy)) if !exhausted(&failures) => {
                return Err(proxy.failed(endpoint, &reasons(&failures).join("; ")));
            }
            (Err(failures), _) => return Err(explain(endpoint, &failures)),
        };
        if let Some(proxy) = self.proxy() {
            proxy.tunnel(&mut connected.stream, endpoint).await?;
        }
        Ok(connected)
    }
}

type Failure = (SocketAddr, io::Error);

/// Dials one address after the other; `failed` keeps what went wrong where the caller sees it
/// even when it does not wait for the end.
async fn race(
    addresses: &[SocketAddr],
    failed: &Mutex<Vec<String>>,
) -> Result<Connected, Vec<Failure>> {
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut failures: Vec<Failure> = Vec::new();
    let attempt = |address: SocketAddr| async move { (address, TcpStream::connect(address).await) };
    if let Some(address) = waiting.next() {
        running.push(attempt(address));
    }
    loop {
        let next = Instant::now() + ATTEMPT_DELAY;
        tokio::select! {
            Some((address, result)) = running.next() => match result {
                Ok(stream) => {
                    // Small requests go out at once; a failure here changes only the speed.
                    let nodelay = stream.set_nodelay(true);
                    tracing::trace!(nodelay = nodelay.is_ok(), "connected");
                    return Ok(Connected { stream, address, failed: reasons(&failures) });
                }
                Err(error) => {
                    failures.push((address, error));
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = reasons(&failures);
                    if let Some(address) = waiting.next() {
                        running.push(attempt(address));
                    }
                }
            },
            () = tokio::time::sleep_until(next), if waiting.len() > 0 => {
                if let Some(address) = waiting.next() {
                    running.push(attempt(address));
                }
            }
            else => return Err(failures),
        }
    }
}

fn reasons(failures: &[Failure]) -> Vec<String> {
    failures
        .iter()
        .map(|(address, error)| format!("{address}: {}", describe(error)))
        .collect()
}

/// Returns the system's words without its number.
pub(super) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or(&text)
        .to_lowercase()
}

/// `EMFILE` and `ENFILE`, the same on every Unix: this process or this machine has no file left.
const NO_FILE_LEFT: [i32; 2] = [24, 23];

fn exhausted(failures: &[Failure]) -> bool {
    let code = |(_, error): &Failure| error.raw_os_error();
    cfg!(unix)
        && failures
            .iter()
            .filter_map(code)
            .any(|code| NO_FILE_LEFT.contains(&code))
}

pub(super) fn explain(endpoint: &Endpoint, failures: &[Failure]) -> Diagnosis {
    if exhausted(failures) {
        return Diagnosis::new(
            Code::ConnectTooManyFiles,
            format!("this machine has no open file left to dial {endpoint}"),
        )
        .evidence("tried", reasons(failures).join("; "))
        .hint("raise the limit with `ulimit -n`, or run fewer checks at once with --jobs");
    }
    // Refused tells more than silence: something answered.
    let rank = |error: &io::Error| match error.kind() {
        io::ErrorKind::ConnectionRefused => 0,
        io::ErrorKind::ConnectionReset => 1,
        io::ErrorKind::TimedOut => 3,
        _ => 2,
    };
    let worst = failures.iter().min_by_key(|(_, error)| rank(error));
    let kind = worst.map_or(io::ErrorKind::Other, |(_, error)| error.kind());
    let (code, what, hint) = match kind {
        io::ErrorKind::ConnectionRefused => (
            Code::ConnectRefused,
            "refused the connection",
            "nothing listens on that port: check host and port, and that the service runs",
        ),
        io::ErrorKind::ConnectionReset => (
            Code::ConnectReset,
            "reset the connection",
            "something on the way cuts it: check firewalls and load balancers",
        ),
        io::ErrorKind::TimedOut => (
            Code::ConnectTimedOut,
            "did not accept in time",
            "a firewall that drops packets looks like this: check host, port and the way there",
        ),
        _ => (
            Code::ConnectUnreachable,
            "can not be reached from here",
            "this machine has no route to it: check the network, VPN and address family",
        ),
    };
    Diagnosis::new(code, format!("{endpoint} {what}"))
        .evidence("tried", reasons(failures).join("; "))
        .hint(hint)
}
