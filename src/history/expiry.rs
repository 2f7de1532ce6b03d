//! What runs out: certificates, signatures, tokens and tickets with their dates.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use linkdial_core::{LinkName, Stage};

use super::PastCheck;
use super::facts::EXPIRES;
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
    /// A bearer token of the link's own.
    Token,
}

impl ExpiryKind {
    const ALL: [Self; 6] = [
        Self::Certificate,
        Self::ClientCertificate,
        Self::Keytab,
        Self::SharedAccessSignature,
        Self::Ticket,
        Self::Token,
    ];

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
    let checks = checks.iter();
    gather(checks.map(|check| (&check.link, of_check(check, now))))
}

/// Returns what runs out according to what is remembered of checks, the first one first.
pub fn expiries_of_past<'a>(checks: impl IntoIterator<Item = &'a PastCheck>) -> Vec<Expiry> {
    let date = |(fact, at): (&String, &String)| {
        let (kind, of) = fact.strip_prefix(EXPIRES)?.trim_start().split_once(' ')?;
        let mut kinds = ExpiryKind::ALL.into_iter();
        let kind = kinds.find(|it| it.as_str().replace(' ', "-") == kind)?;
        Some((kind, of.to_owned(), at.parse().ok()?))
    };
    let checks = checks.into_iter().map(|check| {
        let dates = check.facts.0.iter().filter_map(date);
        (&check.name.link, dates.collect())
    });
    gather(checks)
}

fn gather<'a>(
    dates: impl Iterator<Item = (&'a LinkName, Vec<(ExpiryKind, String, Timestamp)>)>,
) -> Vec<Expiry> {
    let mut found: BTreeMap<(Timestamp, ExpiryKind, String), Vec<LinkName>> = BTreeMap::new();
    for (link, dates) in dates {
        for (kind, of, at) in dates {
            let links = found.entry((at, kind, of)).or_default();
            if links.last() != Some(link) {
                links.push(link.clone());
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

/// Returns what runs out according to one check, of each thing the first date.
pub(crate) fn of_check(check: &Check, now: Timestamp) -> Vec<(ExpiryKind, String, Timestamp)> {
    let steps = check.steps.iter();
    let mut all: Vec<_> = steps.filter_map(|step| of_step(check, step, now)).collect();
    all.sort();
    all.dedup_by(|later, first| (later.0, &later.1) == (first.0, &first.1));
    all
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
    if let Some(at) = date("token_ends") {
        return Some((ExpiryKind::Token, or_link(text("token_subject")), at));
    }
    // A login by keytab makes a new one each time.
    if text("from") == Some("ticket cache")
        && let Some(at) = date("ticket_ends")
    {
        return Some((ExpiryKind::Ticket, or_link(text("principal")), at));
    }
    None
}
