//! What runs out: certificates, signatures, tokens and tickets with their dates.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use linkdial_core::{LinkName, Stage};

use crate::report::{Check, Step};

/// Something that runs out, and the links that need it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expiry {
    /// What it is.
    pub kind: ExpiryKind,
    /// Which one: a server, an account, a principal.
    pub of: String,
    /// When it runs out; to the hour where a report may not tell more.
    pub at: Timestamp,
    /// The links that need it, each once and in their order.
    pub links: Vec<LinkName>,
}

/// What can run out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ExpiryKind {
    /// The certificate of a server.
    Certificate,
    /// The certificate of the link itself.
    ClientCertificate,
    /// The key of a Kerberos principal, at its realm.
    Keytab,
    /// A shared access signature.
    SharedAccessSignature,
    /// A ticket of a cache, which nobody renews.
    Ticket,
    /// A session token.
    Token,
}

impl ExpiryKind {
    /// Returns the words of a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::ClientCertificate => "client certificate",
            Self::Keytab => "keytab",
            Self::SharedAccessSignature => "shared access signature",
            Self::Ticket => "ticket",
            Self::Token => "token",
        }
    }
}

/// Returns what runs out according to these checks, the first one first. `now` is when they ran.
pub fn expiries(checks: &[Check], now: Timestamp) -> Vec<Expiry> {
    let mut found: BTreeMap<(Timestamp, ExpiryKind, String), Vec<LinkName>> = BTreeMap::new();
    for check in checks {
        for (kind, of, at) in check
            .steps
            .iter()
            .filter_map(|step| of_step(check, step, now))
        {
            let links = found.entry((at, kind, of)).or_default();
            if links.last() != Some(&check.link) {
                links.push(check.link.clone());
            }
        }
    }
    let found = found.into_iter().map(|((at, kind, of), links)| Expiry {
        kind,
        of,
        at,
        links,
    });
    found.collect()
}

fn of_step(check: &Check, step: &Step, now: Timestamp) -> Option<(ExpiryKind, String, Timestamp)> {
    let evidence = step.finding.iter().flat_map(|finding| &finding.evidence);
    let told: Vec<_> = step.notes.iter().chain(evidence).collect();
    let text = |wanted: &str| {
        let mut told = told.iter();
        told.find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let date = |name: &str| text(name)?.parse::<Timestamp>().ok();
    let server = || step.endpoint.as_ref().map(ToString::to_string);
    let or_link = |name: Option<&str>| name.map_or_else(|| check.link.to_string(), str::to_owned);
    if step.stage == Stage::Tls
        && let Some(at) = date("not_after")
    {
        return Some((ExpiryKind::Certificate, server()?, at));
    }
    if let Some(at) = date("client_not_after") {
        return Some((
            ExpiryKind::ClientCertificate,
            or_link(text("client_subject")),
            at,
        ));
    }
    if let Some(hours) = text("sas_hours_left") {
        // The end itself is a part of the secret.
        let left = SignedDuration::from_hours(hours.parse().ok()?);
        let at = now.checked_add(left).ok()?;
        let at = at.round(jiff::Unit::Hour).ok()?;
        return Some((
            ExpiryKind::SharedAccessSignature,
            or_link(text("account")),
            at,
        ));
    }
    if let Some(at) = date("key_expires") {
        return Some((ExpiryKind::Keytab, or_link(text("principal")), at));
    }
    // A login by keytab makes a new one each time.
    if text("from") == Some("ticket cache")
        && let Some(at) = date("ticket_ends")
    {
        return Some((ExpiryKind::Ticket, or_link(text("principal")), at));
    }
    None
}
