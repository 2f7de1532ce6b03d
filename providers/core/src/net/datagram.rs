//! One datagram out, one bounded datagram in.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that sends datagrams"
)]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

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
    /// returns the first answer that is not empty.
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
        for address in resolved.addresses.iter().cycle().take(MAX_SENT) {
            if failures.iter().any(|(refused, _)| refused == address) {
                continue;
            }
            match timeout(RESEND, ask(*address, request)).await {
                Ok(Ok(bytes)) => {
                    let address = *address;
                    return Ok(Datagram { bytes, address });
                }
                Ok(Err(error)) => failures.push((*address, error)),
                Err(_) => {}
            }
        }
        if failures.len() < resolved.addresses.len() {
            let silent = resolved.addresses.iter();
            let silent = silent.filter(|it| failures.iter().all(|(refused, _)| refused != *it));
            let silent: Vec<_> = silent
                .map(|it| (*it, io::ErrorKind::TimedOut.into()))
                .collect();
            failures.extend(silent);
        }
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
