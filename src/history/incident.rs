//! Reds that share a cause, folded into one.

use std::collections::BTreeMap;

use linkdial_core::{Code, Outcome, REDACTED, Role, Stage};

use super::CheckName;
use crate::report::{Check, Finding, Step};

/// Red checks that share a cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Incident {
    /// What they share.
    pub cause: Cause,
    /// Which one: a host and port, an issuer, a key id, a principal.
    pub shared: String,
    /// The code that all of them have.
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
    /// A host and port.
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

/// Folds the red checks by what they share, the largest first. Each is in one of them.
pub fn fold(checks: &[Check]) -> Vec<Incident> {
    let names = CheckName::of_checks(checks);
    let mut incidents: BTreeMap<(Cause, String, &str), Incident> = BTreeMap::new();
    for (check, name) in checks.iter().zip(names) {
        if check.verdict() != Outcome::Fail {
            continue;
        }
        let Some((step, finding)) = check.headline() else {
            continue;
        };
        let (cause, shared) = cause(check, step, finding);
        let key = (cause, shared.clone(), finding.code.as_str());
        let incident = incidents.entry(key).or_insert_with(|| Incident {
            cause,
            shared,
            code: finding.code,
            checks: Vec::new(),
        });
        incident.checks.push(name);
    }
    let mut incidents: Vec<Incident> = incidents.into_values().collect();
    // Stable: of one size they stay by cause and what is shared.
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.checks.len()));
    incidents
}

fn cause(check: &Check, step: &Step, finding: &Finding) -> (Cause, String) {
    let server = step.endpoint.as_ref().map(ToString::to_string);
    let host = step.endpoint.as_ref().map(|endpoint| endpoint.host.clone());
    let told = |names: &[&str]| {
        let evidence = finding.evidence.iter();
        let notes = check.steps.iter().flat_map(|step| &step.notes);
        let mut all = evidence.chain(notes);
        // What is hidden may be another one each time.
        let value = all.find(|(name, value)| names.contains(name) && value != REDACTED);
        value.map(|(_, value)| value.clone())
    };
    let definition = || (Cause::Definition, check.link.to_string());
    let at_server = |server: Option<String>| server.map(|server| (Cause::Server, server));
    let found = match step.stage {
        Stage::Define => None,
        Stage::Resolve => match finding.code {
            // Whoever was asked for one name is asked for all of them.
            Code::ResolveTimedOut | Code::ResolveServerFailed => {
                let servers = told(&["name_servers", "server"]).unwrap_or_default();
                Some((Cause::Resolver, servers))
            }
            _ => host.map(|host| (Cause::Name, host)),
        },
        Stage::Connect => at_server(server),
        Stage::Tls => match finding.code {
            Code::TlsUnknownIssuer => told(&["issuer"]).map(|issuer| (Cause::Issuer, issuer)),
            Code::TlsExpired | Code::TlsNotYetValid | Code::TlsNameMismatch => {
                server.map(|server| (Cause::Certificate, server))
            }
            _ => at_server(server),
        },
        Stage::Authenticate => {
            let role = step.endpoint.as_ref().map(|endpoint| endpoint.role);
            match finding.code {
                Code::AuthenticateKdcUnreachable | Code::AuthenticateRealmUnknown => {
                    let realm = told(&["realm"]).or(server);
                    realm.map(|realm| (Cause::Kdc, realm))
                }
                Code::AuthenticateTimedOut if role == Some(Role::Kdc) => {
                    server.map(|server| (Cause::Kdc, server))
                }
                Code::AuthenticateTimedOut => at_server(server),
                _ => told(&[
                    "principal",
                    "key_id",
                    "account",
                    "username",
                    "user",
                    "caller",
                    "role",
                ])
                .map(|identity| (Cause::Identity, identity))
                .or_else(|| at_server(server)),
            }
        }
        Stage::Access | Stage::Read | Stage::Write => match finding.code {
            Code::AccessTimedOut | Code::AccessServerError | Code::AccessNotThisService => {
                at_server(server)
            }
            _ => told(&["bucket", "container", "topic", "resource", "path"])
                .map(|resource| (Cause::Resource, root(&resource)))
                .or_else(|| at_server(server)),
        },
    };
    found.unwrap_or_else(definition)
}

/// The bucket of a key in it; a path of a file system stays whole.
fn root(resource: &str) -> String {
    match resource.split_once('/') {
        Some((bucket, _)) if !bucket.is_empty() && !bucket.ends_with(':') => bucket.to_owned(),
        _ => resource.to_owned(),
    }
}
