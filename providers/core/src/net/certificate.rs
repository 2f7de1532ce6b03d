//! What a server's certificate says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Names beyond this many are counted, not listed.
const MAX_NAMES: usize = 8;

/// Characters in a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// Writes certificates as PEM.
pub(super) fn pem(certificates: &[CertificateDer<'_>]) -> String {
    let mut pem = String::new();
    for certificate in certificates {
        let text = STANDARD.encode(certificate);
        let mut rest = text.as_str();
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
            pem.extend([line, "\n"]);
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// The facts of an end-entity certificate that decide whether it is trusted.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    /// Distinguished name of the holder.
    pub subject: String,
    /// The names it is good for (subject alternative names).
    pub names: Vec<String>,
    /// Distinguished name of who signed it.
    pub issuer: String,
    /// Start of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
}

impl CertificateFacts {
    /// Reads a certificate; `None` when it is none.
    pub fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let timestamp =
            |time: &x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let names = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|extension| {
                extension
                    .value
                    .general_names
                    .iter()
                    .filter_map(name)
                    .collect()
            })
            .unwrap_or_default();
        Some(Self {
            subject: certificate.subject().to_string(),
            names,
            issuer: certificate.issuer().to_string(),
            not_before: timestamp(&certificate.validity().not_before)?,
            not_after: timestamp(&certificate.validity().not_after)?,
        })
    }

    /// Returns the whole days until it expires; negative once it has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after
            .duration_since(now)
            .as_secs()
            .div_euclid(24 * 60 * 60)
    }

    /// Returns the facts by the names that evidence and notes use.
    pub fn listed(&self) -> Vec<(&'static str, String)> {
        let mut names = self
            .names
            .iter()
            .take(MAX_NAMES)
            .cloned()
            .collect::<Vec<_>>();
        if self.names.len() > MAX_NAMES {
            names.push(format!("and {} more", self.names.len() - MAX_NAMES));
        }
        vec![
            ("subject", self.subject.clone()),
            ("names", names.join(", ")),
            ("issuer", self.issuer.clone()),
            ("not_before", self.not_before.to_string()),
            ("not_after", self.not_after.to_string()),
        ]
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    }
}
