//! The ladder: resolve, connect and TLS as separate timed steps, before any client runs.
//!
//! All sockets of the program are opened here. The stream that the ladder checked is handed to
//! the real client ([`HttpClient`]), or the client is pinned to the address that was checked.

mod bounded;
mod certificate;
mod client;
mod connect;
mod datagram;
mod fault;
mod policy;
mod proxy;
mod resolve;
mod stream;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

pub use certificate::CertificateFacts;
pub use client::{BoundedBody, HttpClient, MAX_ANSWER, MAX_HEAD};
pub use connect::{Connected, Dialler};
pub use datagram::Datagram;
pub use fault::{FaultContext, name_protocol, tls_refusal};
pub use policy::Policy;
pub use proxy::{InvalidProxy, Proxy};
pub use resolve::{Resolved, Service};
pub use stream::Dialled;
pub use tls::{ClientIdentity, Roots, TlsFacts, TlsOptions, TlsSession};

/// Names, addresses, certificates and routes of one run. Cheap to clone; what is loaded once is
/// shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct Net(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    policy: Policy,
    overrides: Vec<(String, IpAddr)>,
    name_servers: Vec<SocketAddr>,
    proxy: Option<Proxy>,
    extra_roots: Vec<CertificateDer<'static>>,
    trust: OnceLock<tls::Trust>,
}

/// Feeds what a peer says before and beside HTTP to its readers.
pub(crate) mod fuzz {
    use super::{CertificateDer, CertificateFacts, fault, name_protocol, proxy, tls_refusal};
    use crate::{Endpoint, Role};

    pub(crate) fn certificate(bytes: &[u8]) {
        if let Some(facts) = CertificateFacts::parse(&CertificateDer::from(bytes)) {
            assert!(!facts.listed().is_empty());
            facts.days_left(jiff::Timestamp::UNIX_EPOCH);
        }
    }

    pub(crate) fn first_bytes(bytes: &[u8]) {
        assert!(!name_protocol(bytes).is_empty());
        assert!(fault::show_bytes(bytes).is_ascii());
        let endpoint = Endpoint::new(Role::Endpoint, "peer.example", 443);
        let body = String::from_utf8_lossy(bytes);
        for status in [200, 400, 496] {
            drop(tls_refusal(&endpoint, None, status, &body));
        }
    }

    /// The first byte is the length of the blocks in which the rest comes.
    pub(crate) fn proxy_answer(bytes: &[u8]) {
        if let Some((block, bytes)) = bytes.split_first() {
            proxy::fuzz_answer(bytes, usize::from(*block));
        }
    }
}

/// Gathers the options of the command line that concern the network.
#[derive(Debug, Default)]
pub struct NetBuilder(Inner);

/// The text holds no certificate in PEM form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no certificate in PEM form")]
pub struct NoCertificate;

impl Net {
    /// Starts with the defaults: the system's names and roots, no proxy, the default policy.
    pub fn builder() -> NetBuilder {
        NetBuilder::default()
    }

    /// Returns the same network behind a proxy; certificates are loaded anew.
    #[cfg(feature = "testing")]
    pub(crate) fn through(&self, proxy: Proxy) -> Self {
        Self(Arc::new(Inner {
            policy: self.0.policy.clone(),
            overrides: self.0.overrides.clone(),
            name_servers: self.0.name_servers.clone(),
            proxy: Some(proxy),
            extra_roots: self.0.extra_roots.clone(),
            trust: OnceLock::new(),
        }))
    }

    /// Returns whether names, addresses and routes are the system's own: nothing of it was replaced,
    /// narrowed or sent through a proxy. Only then does a client that dials by itself go the way
    /// that the ladder goes.
    pub fn is_the_systems(&self) -> bool {
        let Inner {
            policy,
            overrides,
            name_servers,
            proxy,
            ..
        } = &*self.0;
        policy.only.is_empty() && overrides.is_empty() && name_servers.is_empty() && proxy.is_none()
    }

    /// Returns the certificates of [`NetBuilder::ca_pem`] for a client that reads roots itself: a
    /// file with those of the system where there is one, and the added ones as PEM. `None` where
    /// nothing was added.
    pub fn added_roots(&self) -> Option<(Option<&'static Path>, String)> {
        let added = &self.0.extra_roots;
        (!added.is_empty()).then(|| (tls::system_roots(), certificate::pem(added)))
    }

    /// Returns the proxy that every dial goes through.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }
}

impl NetBuilder {
    /// Lifts a default refusal for these addresses.
    #[must_use]
    pub fn allow(mut self, net: IpNet) -> Self {
        self.0.policy.allow.push(net);
        self
    }

    /// Restricts every dial to these addresses; several calls add up.
    #[must_use]
    pub fn only(mut self, net: IpNet) -> Self {
        self.0.policy.only.push(net);
        self
    }

    /// Uses this address for a name instead of asking for it.
    #[must_use]
    pub fn resolve(mut self, host: &str, address: IpAddr) -> Self {
        self.0.overrides.push((host.to_owned(), address));
        self
    }

    /// Asks this name server instead of the system's.
    #[must_use]
    pub fn dns_server(mut self, address: SocketAddr) -> Self {
        self.0.name_servers.push(address);
        self
    }

    /// Sends every dial through an HTTP proxy by CONNECT.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.0.proxy = Some(proxy);
        self
    }

    /// Trusts the certificates of a PEM file, added to the system's roots.
    pub fn ca_pem(mut self, pem: &[u8]) -> Result<Self, NoCertificate> {
        let before = self.0.extra_roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.0
                .extra_roots
                .push(certificate.map_err(|_| NoCertificate)?);
        }
        if self.0.extra_roots.len() == before {
            return Err(NoCertificate);
        }
        Ok(self)
    }

    /// Ends the gathering.
    pub fn build(self) -> Net {
        Net(Arc::new(self.0))
    }
}
