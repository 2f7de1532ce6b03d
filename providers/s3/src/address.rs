//! Where a store is: the URL that a link names, and what the ladder and the client make of it.

use linkdial_core::net::TlsOptions;
use linkdial_core::{Clauses, Endpoint, Halt, Probe, Role, UrlForm};
use url::Url;

use crate::wire::Transport;

/// Where the ladder goes, and what the client is told.
#[derive(Clone, Debug)]
pub struct Address {
    /// What is dialled.
    pub endpoint: Endpoint,
    /// Scheme, host and port for the client, without the bucket.
    pub(crate) base: String,
    tls: bool,
    pub(crate) virtual_host: bool,
}

impl Address {
    /// Takes the host and port of an `http` or `https` URL.
    pub fn of(base: &Url, role: Role) -> Self {
        let host = base.host_str().unwrap_or_default();
        let port = base.port_or_known_default().unwrap_or(443);
        Self {
            endpoint: Endpoint::new(role, host, port),
            base: base.as_str().trim_end_matches('/').to_owned(),
            tls: base.scheme() == "https",
            virtual_host: false,
        }
    }

    /// Resolves, connects and shakes hands; the client then runs on that stream.
    pub(crate) async fn reach(&self, probe: &mut Probe) -> Result<Transport, Halt> {
        let tls = self.tls.then(TlsOptions::http1);
        let reached = probe.reach(&self.endpoint, tls).await?;
        Ok(Transport::new(reached))
    }
}

/// Buckets are what stands in the path.
const FORM: UrlForm = UrlForm {
    allowed: "http[s]://host[:port]",
    hint: "write only scheme, host and port, such as https://minio.example.com:9000",
    path_fault: |path| (path != "/").then_some("holds a path; the bucket belongs to the target"),
};

/// Reads a key that names a store as `http[s]://host[:port]`; what else it holds is a finding.
pub fn endpoint_url(clauses: &mut Clauses<'_>, key: &'static str) -> Option<Url> {
    clauses.service_url(key, &FORM)
}
