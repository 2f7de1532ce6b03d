//! Name to addresses: the system's answer, and the reason when there is none.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that resolves names"
)]

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::SRV;
use url::Host;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

use super::{Net, Proxy};

/// The name servers answer the question of the reason within this time, or not at all.
const REASON_TIMEOUT: Duration = Duration::from_secs(2);

/// So many addresses of one answer are tried; a service has a few, and a notes line has an end.
const MAX_ADDRESSES: usize = 16;

/// A server that a domain names for a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Service {
    /// Its name, without a final dot.
    pub host: String,
    /// The port of that service.
    pub port: u16,
}

/// The addresses of an endpoint that the policy lets through.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Addresses to try, in the order of the answer.
    pub(super) addresses: Vec<SocketAddr>,
    source: &'static str,
    refused: Vec<String>,
    /// How many more addresses the answer had than are tried.
    left_out: usize,
    proxy: Option<String>,
    /// Whether the proxy resolves the endpoint's name, so that nobody here saw its address.
    unchecked: bool,
    /// Why addresses did not accept; outlives a dial that the deadline ends.
    pub(super) failed: Arc<Mutex<Vec<String>>>,
}

impl Resolved {
    /// Returns the addresses that did not accept so far, each with its reason.
    pub fn failed(&self) -> String {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.join("; ")
    }

    /// Returns what the step's notes say.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let addresses: Vec<String> = self
            .addresses
            .iter()
            .map(|address| address.ip().to_string())
            .collect();
        let mut notes = vec![("addresses", addresses.join(", "))];
        if self.source != "system" {
            notes.push(("source", self.source.to_owned()));
        }
        if !self.refused.is_empty() {
            notes.push(("refused", self.refused.join(", ")));
        }
        if self.left_out > 0 {
            notes.push(("left_out", self.left_out.to_string()));
        }
        if let Some(proxy) = &self.proxy {
            notes.push(("proxy", proxy.clone()));
        }
        if self.unchecked {
            let what = "the proxy resolves the name: its address was not checked here";
            notes.push(("address_policy", what.to_owned()));
        }
        notes
    }
}

impl Net {
    /// Returns the addresses of an endpoint; with a proxy, those of the proxy, which resolves the
    /// endpoint's name itself.
    pub async fn resolve(&self, endpoint: &Endpoint) -> Result<Resolved, Diagnosis> {
        let literal = self.known(&endpoint.host);
        if let Some(proxy) = &self.0.proxy {
            let written = literal.map(|(address, _)| address);
            let written = written.or_else(|| address_in(&endpoint.host));
            match written {
                Some(address) => drop(self.permit(endpoint, vec![address])?),
                None => self.permit_name(endpoint)?,
            }
            let (addresses, source) = match self.known(proxy.host()) {
                Some((address, source)) => (vec![address], source),
                None => match self.lookup(proxy.host()).await {
                    Ok(addresses) => (addresses, "system"),
                    Err(reason) => return Err(proxy.unresolved(endpoint, reason)),
                },
            };
            // The proxy's own address is the one that is dialled.
            let at_proxy = Endpoint::new(endpoint.role, proxy.host(), proxy.port());
            let (addresses, refused) = self
                .permit(&at_proxy, addresses)
                .map_err(|reason| proxy.unresolved(endpoint, reason))?;
            return Ok(Resolved {
                left_out: addresses.len().saturating_sub(MAX_ADDRESSES),
                addresses: with_port(addresses, proxy.port()),
                source,
                refused,
                proxy: Some(proxy.to_string()),
                unchecked: written.is_none(),
                failed: Arc::default(),
            });
        }
        let (addresses, source) = match literal {
            Some((address, source)) => (vec![address], source),
            None if self.0.name_servers.is_empty() => {
                (self.lookup(&endpoint.host).await?, "system")
            }
            None => (self.lookup(&endpoint.host).await?, "--dns-server"),
        };
        let (addresses, refused) = self.permit(endpoint, addresses)?;
        Ok(Resolved {
            left_out: addresses.len().saturating_sub(MAX_ADDRESSES),
            addresses: with_port(addresses, endpoint.port),
            source,
            refused,
            proxy: None,
            unchecked: false,
            failed: Arc::default(),
        })
    }

    /// An address that needs no question: written as such, or given by `--resolve`.
    fn known(&self, host: &str) -> Option<(IpAddr, &'static str)> {
        if let Ok(address) = host.parse() {
            return Some((address, "literal"));
        }
        self.0
            .overrides
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(host))
            .map(|(_, address)| (*address, "--resolve"))
    }

    /// A name that a proxy resolves: what can be said of it without its address.
    fn permit_name(&self, endpoint: &Endpoint) -> Result<(), Diagnosis> {
        let name = ascii(&endpoint.host);
        let Some(reason) = self.0.policy.refuses_name(&name) else {
            return Ok(());
        };
        Err(Diagnosis::new(
            Code::ResolveAddressRefused,
            format!("the name {} must not be dialled: {reason}", endpoint.host),
        )
        .evidence(
            "proxy",
            self.0
                .proxy
                .as_ref()
                .map_or(String::new(), Proxy::to_string),
        )
        .hint(
            "name another host; where this one is meant, say with --resolve HOST:ADDRESS which \
             address it has, and lift the refusal of that address",
        ))
    }

    fn permit(
        &self,
        endpoint: &Endpoint,
        addresses: Vec<IpAddr>,
    ) -> Result<(Vec<IpAddr>, Vec<String>), Diagnosis> {
        let mut allowed = Vec::with_capacity(addresses.len());
        let mut refused = Vec::new();
        let mut reason = "";
        for address in addresses {
            if let Some(why) = self.0.policy.refuses(address) {
                reason = why;
                if refused.len() < MAX_ADDRESSES {
                    refused.push(address.to_string());
                }
            } else {
                allowed.push(address);
            }
        }
        if !allowed.is_empty() {
            return Ok((allowed, refused));
        }
        Err(Diagnosis::new(
            Code::ResolveAddressRefused,
            format!(
                "the address of {} must not be dialled: {reason}",
                endpoint.host
            ),
        )
        .evidence("addresses", refused.join(", "))
        .hint(if reason == "outside --only-net" {
            "name another host, or add its network with --only-net".to_owned()
        } else {
            format!(
                "name another host; if this one is meant, start with --allow-net {}",
                refused.first().map_or("CIDR", String::as_str)
            )
        }))
    }

    async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, Diagnosis> {
        if self.0.name_servers.is_empty() {
            match tokio::net::lookup_host((host, 0)).await {
                Ok(found) => {
                    let mut addresses: Vec<IpAddr> = Vec::new();
                    for address in found.map(|address| address.ip()) {
                        if !addresses.contains(&address) {
                            addresses.push(address);
                        }
                    }
                    if addresses.is_empty() {
                        return Err(no_address(host));
                    }
                    return Ok(addresses);
                }
                Err(error) => return Err(self.reason(host, &error.to_string()).await),
            }
        }
        match self.ask(host).await {
            Ok(addresses) if addresses.is_empty() => Err(no_address(host)),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(explain(host, &error, "")),
        }
    }

    /// The system says only that it failed; a DNS query of our own says why.
    async fn reason(&self, host: &str, system: &str) -> Diagnosis {
        match self.ask(host).await {
            Err(error) => explain(host, &error, system),
            Ok(_) => Diagnosis::new(
                Code::ResolveServerFailed,
                format!("the system does not resolve `{host}`, though its name servers do"),
            )
            .evidence("system", system)
            .hint("check /etc/nsswitch.conf and /etc/hosts of this machine"),
        }
    }

    /// Asks the name servers. A resolver is made each time: its tasks live in the runtime that
    /// asks, and asking is rare.
    async fn ask(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let lookup = self.resolver()?.lookup_ip(host).await?;
        Ok(lookup.iter().collect())
    }

    /// Returns the servers that a domain names for a service by SRV records (RFC 2782), the
    /// preferred ones first; none where the domain names none. At most 16.
    ///
    /// `name` is the whole one, such as `_kerberos._tcp.example.com`. Servers of the same priority
    /// are ordered by weight and not by lot, so that two runs dial alike.
    pub async fn services(&self, name: &str) -> Result<Vec<Service>, Diagnosis> {
        let whole = format!("{}.", name.trim_end_matches('.'));
        let lookup = async { self.resolver()?.srv_lookup(whole.as_str()).await };
        let lookup = match lookup.await {
            Ok(lookup) => lookup,
            Err(error) if names_nothing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(explain(name, &error, "")),
        };
        let records = lookup.answers().iter().filter_map(|it| match &it.data {
            RData::SRV(record) => Some(record),
            _ => None,
        });
        // A root target says that the service is not there.
        let mut found: Vec<&SRV> = records.filter(|it| !it.target.is_root()).collect();
        found.sort_by_key(|it| (it.priority, Reverse(it.weight)));
        let service = |it: &SRV| Service {
            host: it.target.to_utf8().trim_end_matches('.').to_owned(),
            port: it.port,
        };
        Ok(found.into_iter().take(MAX_ADDRESSES).map(service).collect())
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = if self.0.name_servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = self.0.name_servers.iter().map(name_server).collect();
            TokioResolver::builder_with_config(
                ResolverConfig::from_name_servers(servers),
                TokioRuntimeProvider::default(),
            )
        };
        let options = builder.options_mut();
        options.timeout = REASON_TIMEOUT;
        options.attempts = 1;
        builder.build()
    }
}

/// Returns the address that a resolver makes of a host without asking anybody: IPv4 in short, octal,
/// hexadecimal or decimal form or in other digits, IPv6 with a zone, a dot behind.
///
/// Here the system's resolver reads these, and what it says is checked. A proxy has one of its own.
fn address_in(host: &str) -> Option<IpAddr> {
    let host = host.trim_end_matches('.');
    let without_zone = host.split('%').next().unwrap_or_default();
    if let Ok(address) = without_zone.parse() {
        return Some(address);
    }
    match Host::parse(host).ok()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

/// Returns a name as it is asked for: letters that look like others are those (UTS 46).
fn ascii(host: &str) -> String {
    Host::parse(host).map_or_else(|_| host.to_owned(), |host| host.to_string())
}

fn with_port(addresses: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    addresses
        .into_iter()
        .take(MAX_ADDRESSES)
        .map(|address| SocketAddr::new(address, port))
        .collect()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .into_iter()
        .map(|mut connection| {
            connection.port = address.port();
            connection
        })
        .collect();
    NameServerConfig::new(address.ip(), true, connections)
}

fn no_address(host: &str) -> Diagnosis {
    Diagnosis::new(
        Code::ResolveNoAddress,
        format!("the name `{host}` exists and has no address"),
    )
    .hint("it has neither an A nor an AAAA record: check the name, or add the record")
}

/// The name servers answered, and there is no such record.
fn names_nothing(error: &NetError) -> bool {
    let nothing = |code| matches!(code, ResponseCode::NXDomain | ResponseCode::NoError);
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => nothing(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => nothing(*code),
        _ => false,
    }
}

fn explain(host: &str, error: &NetError, system: &str) -> Diagnosis {
    let not_found = || {
        Diagnosis::new(
            Code::ResolveNotFound,
            format!("the name `{host}` does not exist"),
        )
        .evidence("dns", "NXDOMAIN")
        .hint("check the spelling of the host; a private name needs the right name server")
    };
    let diagnosis = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => not_found(),
            ResponseCode::NoError => no_address(host),
            code => server_failed(host, &code.to_string()),
        },
        NetError::Dns(DnsError::ResponseCode(ResponseCode::NXDomain)) => not_found(),
        NetError::Dns(DnsError::ResponseCode(code)) => server_failed(host, &code.to_string()),
        NetError::Timeout => Diagnosis::new(
            Code::ResolveTimedOut,
            format!("the name servers did not answer for `{host}`"),
        )
        .hint("check the name servers of this machine, and the way to them"),
        // Refused or unreachable name servers; the name may well exist.
        error => server_failed(host, &error.to_string()),
    };
    diagnosis.evidence("system", system)
}

fn server_failed(host: &str, answer: &str) -> Diagnosis {
    Diagnosis::new(
        Code::ResolveServerFailed,
        format!("the name servers failed to answer for `{host}`"),
    )
    .evidence("dns", answer)
    .hint("the name may exist: try again, or ask another name server")
}
