//! Reds that share a cause, folded into one.

use std::collections::BTreeMap;

use linkdial_core::{Code, Endpoint, Outcome, REDACTED, Role, Stage};

use super::CheckName;
use crate::report::{Check, Finding, Step};

/// Red checks that share a cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Incident {
    /// What they share.
    pub cause: Cause,
    /// Which one: a host and port, addresses that several names or ports share, an issuer, a key id.
    pub shared: String,
    /// The code of the first one; all have the same, but below a connection.
    pub code: Code,
    /// The checks, in their order.
    pub checks: Vec<CheckName>,
}

/// What red checks share.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Cause {
    /// The name servers that gave no answer.
    Resolver,
    /// A host name.
    Name,
    /// A host.
    Server,
    /// Who issued certificates that are not trusted.
    Issuer,
    /// A certificate.
    Certificate,
    /// A realm's servers that log identities in.
    Kdc,
    /// A key, an account or a principal.
    Identity,
    /// A bucket, a topic, a path.
    Resource,
    /// Nothing with others.
    Definition,
}

impl Cause {
    /// Returns the word of a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Name => "name",
            Self::Server => "server",
            Self::Issuer => "issuer",
            Self::Certificate => "certificate",
            Self::Kdc => "kdc",
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::Definition => "definition",
        }
    }
}

/// What a red check may share with others.
struct Shared {
    cause: Cause,
    /// Equal for those that share it.
    key: String,
    /// How a report names it, where all of them name it alike.
    name: String,
}

impl Shared {
    fn new(cause: Cause, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            cause,
            key: name.clone(),
            name,
        }
    }

    /// Below a connection the fault may show itself in several ways: a host that is down refuses, and
    /// is silent.
    const fn is_below_the_code(&self) -> bool {
        matches!(self.cause, Cause::Resolver | Cause::Server)
    }
}

/// Folds the red checks by what they share, the largest first. Each is in one of them, under its name.
pub fn fold(checks: &[Check], names: &[CheckName]) -> Vec<Incident> {
    let mut incidents: BTreeMap<(Cause, String, &str), Incident> = BTreeMap::new();
    for (check, name) in checks.iter().zip(names) {
        if check.verdict() != Outcome::Fail {
            continue;
        }
        let Some((step, finding)) = check.headline() else {
            continue;
        };
        let shared = shared(check, step, finding);
        let code = if shared.is_below_the_code() {
            ""
        } else {
            finding.code.as_str()
        };
        let key = (shared.cause, shared.key.clone(), code);
        let incident = incidents.entry(key).or_insert_with(|| Incident {
            cause: shared.cause,
            shared: shared.name.clone(),
            code: finding.code,
            checks: Vec::new(),
        });
        // One host under several names or ports.
        if incident.shared != shared.name {
            incident.shared.clone_from(&shared.key);
        }
        incident.checks.push(name.clone());
    }
    let mut incidents: Vec<Incident> = incidents.into_values().collect();
    // Stable: of one size they stay by cause and what is shared.
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.checks.len()));
    incidents
}

/// The addresses that the name of a server had, else the name.
fn address(check: &Check, endpoint: &Endpoint) -> String {
    let resolved = check.steps.iter().filter(|step| {
        let at = step.endpoint.as_ref();
        step.stage == Stage::Resolve && at.is_some_and(|at| at.host == endpoint.host)
    });
    let mut notes = resolved.flat_map(|step| &step.notes);
    let addresses = notes.find(|(name, _)| *name == "addresses");
    let mut addresses: Vec<&str> = match addresses {
        Some((_, addresses)) => addresses.split(", ").collect(),
        None => return endpoint.host.clone(),
    };
    // A name server may turn the order at every question.
    addresses.sort_unstable();
    addresses.join(", ")
}

fn shared(check: &Check, step: &Step, finding: &Finding) -> Shared {
    let told = |names: &[&str]| {
        let evidence = finding.evidence.iter();
        let notes = check.steps.iter().flat_map(|step| &step.notes);
        let mut all = evidence.chain(notes);
        // What is hidden may be another one each time.
        let value = all.find(|(name, value)| names.contains(name) && value != REDACTED);
        value.map(|(_, value)| value.clone())
    };
    let at_server = || {
        step.endpoint.as_ref().map(|endpoint| Shared {
            key: address(check, endpoint),
            ..Shared::new(Cause::Server, endpoint.to_string())
        })
    };
    let server = |cause| {
        let endpoint = step.endpoint.as_ref();
        endpoint.map(|endpoint| Shared::new(cause, endpoint.to_string()))
    };
    let found = match step.stage {
        Stage::Define => None,
        Stage::Resolve => match finding.code {
            // Whoever was asked for one name is asked for all of them.
            Code::ResolveTimedOut | Code::ResolveServerFailed => {
                Some(Shared::new(Cause::Resolver, "the name servers"))
            }
            _ => step
                .endpoint
                .as_ref()
                .map(|endpoint| Shared::new(Cause::Name, &endpoint.host)),
        },
        Stage::Connect => at_server(),
        Stage::Tls => match finding.code {
            Code::TlsUnknownIssuer => {
                told(&["issuer"]).map(|issuer| Shared::new(Cause::Issuer, issuer))
            }
            Code::TlsExpired | Code::TlsNotYetValid | Code::TlsNameMismatch => {
                server(Cause::Certificate)
            }
            _ => at_server(),
        },
        Stage::Authenticate => {
            let role = step.endpoint.as_ref().map(|endpoint| endpoint.role);
            match finding.code {
                Code::AuthenticateKdcUnreachable | Code::AuthenticateRealmUnknown => {
                    told(&["realm"])
                        .map(|realm| Shared::new(Cause::Kdc, realm))
                        .or_else(|| server(Cause::Kdc))
                }
                Code::AuthenticateTimedOut if role == Some(Role::Kdc) => server(Cause::Kdc),
                Code::AuthenticateTimedOut => at_server(),
                _ => told(&IDENTITY)
                    .map(|identity| Shared::new(Cause::Identity, identity))
                    .or_else(at_server),
            }
        }
        Stage::Access | Stage::Read | Stage::Write => match finding.code {
            Code::AccessTimedOut | Code::AccessServerError | Code::AccessNotThisService => {
                at_server()
            }
            // Two servers may have a bucket of one name each.
            _ => told(&["bucket", "container", "topic", "resource", "path"])
                .map(|resource| {
                    let name = root(&resource);
                    let endpoint = step.endpoint.as_ref();
                    let at = endpoint.map_or_else(String::new, |it| address(check, it));
                    Shared {
                        key: format!("{name} at {at}"),
                        ..Shared::new(Cause::Resource, name)
                    }
                })
                .or_else(at_server),
        },
    };
    found.unwrap_or_else(|| Shared::new(Cause::Definition, check.link.to_string()))
}

/// Evidence and notes that tell who the link is.
const IDENTITY: [&str; 7] = [
    "principal",
    "key_id",
    "account",
    "username",
    "user",
    "caller",
    "role",
];

/// The bucket of a key in it; a path of a file system stays whole.
fn root(resource: &str) -> String {
    match resource.split_once('/') {
        Some((bucket, _)) if !bucket.is_empty() && !bucket.ends_with(':') => bucket.to_owned(),
        _ => resource.to_owned(),
    }
}
