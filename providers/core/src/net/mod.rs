//! The ladder: resolve, connect and TLS as separate timed steps, before any client runs.

use std::net::SocketAddr;

use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

/// Names, addresses, certificates and routes. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Net {}

/// TLS as one link wants it.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {}

/// Addresses.
#[derive(Clone, Debug)]
pub struct Resolved {}
impl Resolved {
    /// Facts.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
/// A connection.
#[derive(Debug)]
pub struct Connected {}
impl Connected {
    /// Facts.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// Address.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }
    /// Plain.
    pub fn into_plain(self) -> Dialled {
        Dialled {}
    }
}
/// A stream.
#[derive(Debug)]
pub struct Dialled {}
impl Dialled {
    /// Facts.
    pub fn tls(&self) -> Option<&TlsFacts> {
        None
    }
}
/// Facts.
#[derive(Debug)]
pub struct TlsFacts {}
impl TlsFacts {
    /// Facts.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// Soon.
    pub fn expiry_warning(&self, _endpoint: &Endpoint) -> Option<Diagnosis> {
        None
    }
}
/// Dials again.
#[derive(Debug)]
pub struct Dialler {}
impl Dialler {
    /// Makes one.
    pub fn new(
        _net: Net,
        _endpoint: Endpoint,
        _connected: &Connected,
        _tls: Option<TlsOptions>,
    ) -> Self {
        Self {}
    }
}
impl Net {
    /// Resolves.
    pub async fn resolve(&self, _endpoint: &Endpoint) -> Result<Resolved, Diagnosis> {
        Ok(Resolved {})
    }
    /// Connects.
    pub async fn connect(
        &self,
        _endpoint: &Endpoint,
        _resolved: &Resolved,
    ) -> Result<Connected, Diagnosis> {
        Ok(Connected {})
    }
    /// TLS.
    pub async fn shake_hands(
        &self,
        _endpoint: &Endpoint,
        _connected: Connected,
        _tls: &TlsOptions,
    ) -> Result<Dialled, Diagnosis> {
        Ok(Dialled {})
    }
}
