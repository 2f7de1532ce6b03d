//! One datagram out, one bounded datagram in.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that sends datagrams"
)]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

use super::Net;
use super::connect::explain;
use super::resolve::Resolved;

/// The longest datagram there is, in bytes.
const MAX_DATAGRAM: usize = 65_535;

/// Datagrams get lost: the next one goes out after this time.
const RESEND: Duration = Duration::from_secs(1);

/// So many datagrams are sent at most, over all addresses.
const MAX_SENT: usize = 4;

/// The answer to a datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Datagram {
    /// What came, at most 65535 bytes.
    pub bytes: Vec<u8>,
    /// The address that answered.
    pub address: SocketAddr,
}

impl Net {
    /// Sends a datagram to the checked addresses in turn, again where it may have been lost, and
    /// returns the first answer that is not empty. A late answer to an earlier datagram counts too.
    ///
    /// Ends by itself after a few seconds of silence; the caller holds the deadline of the stage.
    /// A proxy carries no datagrams: behind one this fails at once.
    pub async fn exchange(
        &self,
        endpoint: &Endpoint,
        resolved: &Resolved,
        request: &[u8],
    ) -> Result<Datagram, Diagnosis> {
        if let Some(proxy) = self.proxy() {
            return Err(Diagnosis::new(
                Code::ConnectProxyFailed,
                format!("the proxy {proxy} carries no datagrams to {endpoint}"),
            )
            .hint("check --proxy; without it, linkdial dials directly"));
        }
        let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
        let mut tried: Vec<SocketAddr> = Vec::new();
        // Every socket stays open to the end: what answers slowly answers to its own datagram.
        let mut running = FuturesUnordered::new();
        let mut turns = resolved.addresses.iter().cycle().take(MAX_SENT);
        loop {
            let refused = |it: &SocketAddr| failures.iter().any(|(refused, _)| refused == it);
            let next = turns.find(|it| !refused(it));
            if let Some(&address) = next {
                if !tried.contains(&address) {
                    tried.push(address);
                }
                running.push(async move { (address, ask(address, request).await) });
            } else if tried.iter().all(refused) {
                break;
            }
            match timeout(RESEND, running.next()).await {
                Ok(Some((address, Ok(bytes)))) => return Ok(Datagram { bytes, address }),
                Ok(Some((address, Err(error)))) if !refused(&address) => {
                    failures.push((address, error));
                }
                Err(_) if next.is_none() => break,
                Ok(_) | Err(_) => {}
            }
        }
        let silent = tried.into_iter();
        let silent = silent.filter(|it| failures.iter().all(|(refused, _)| refused != it));
        let silent: Vec<_> = silent
            .map(|it| (it, io::ErrorKind::TimedOut.into()))
            .collect();
        failures.extend(silent);
        Err(explain(endpoint, &failures))
    }
}

/// Connected, so that the system reports a closed port and drops what others send.
async fn ask(address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    socket.send(request).await?;
    let mut answer = vec![0; MAX_DATAGRAM];
    loop {
        let length = socket.recv(&mut answer).await?;
        if length > 0 {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}
