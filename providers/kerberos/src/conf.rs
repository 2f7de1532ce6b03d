//! What `krb5.conf` says: realms and their KDCs, which realm a host belongs to, encryption types.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use linkdial_core::{Code, Diagnosis};

use crate::encryption::EncryptionType;
use crate::fault::{KerberosFault, Part};
use crate::profile::Profile;

/// The port of a KDC (RFC 4120, section 7.2).
pub(crate) const PORT: u16 = 88;

/// The configuration of Kerberos, from one file and what it includes.
///
/// The environment (`KRB5_CONFIG`) is not looked at: which file counts is up to the caller.
#[derive(Clone, Debug, Default)]
pub struct Krb5Conf {
    profile: Profile,
    path: PathBuf,
    missing: bool,
}

const LIBRARY: [&str; 1] = ["libdefaults"];

/// The relations that name the KDCs of a realm; the last two only the one that changes keys.
const KDCS: [&str; 3] = ["kdc", "primary_kdc", "master_kdc"];

impl Krb5Conf {
    /// Reads a configuration and what it includes: at most 1 MiB in 64 files. Without the file
    /// everything has its default, as it has for the library.
    ///
    /// # Errors
    ///
    /// `define.file-unreadable` where it can not be read or has not the form of one.
    pub async fn read(path: &Path) -> Result<Self, KerberosFault> {
        let (profile, missing) = match Profile::read(path).await {
            Ok(profile) => (profile, false),
            Err(unreadable) if unreadable.missing => (Profile::default(), true),
            Err(unreadable) => {
                let line = unreadable.line.map(|line| line.to_string());
                let finding = Diagnosis::new(
                    Code::DefineFileUnreadable,
                    "the configuration of Kerberos can not be read",
                )
                .evidence("read", &unreadable.file)
                .evidence("line", line.unwrap_or_default())
                .evidence("error", &unreadable.what)
                .hint("mend it, or name another one with --krb5-conf FILE");
                return Err(KerberosFault::new(Part::Outside, finding));
            }
        };
        Ok(Self {
            profile,
            path: path.to_owned(),
            missing,
        })
    }

    /// Returns the file, as notes and evidence show it.
    pub fn shown(&self) -> String {
        if self.missing {
            return format!("{} (not there)", self.path.display());
        }
        let more = self.profile.files.len().saturating_sub(1);
        match more {
            0 => self.path.display().to_string(),
            _ => format!("{} and {more} more", self.path.display()),
        }
    }

    /// Returns the realm of principals that name none.
    pub fn default_realm(&self) -> Option<&str> {
        self.profile.first(&LIBRARY, "default_realm")
    }

    /// Returns every realm that it has a section for.
    pub fn realms(&self) -> Vec<&str> {
        self.profile.subsections("realms")
    }

    /// Returns host and port of the KDCs of a realm, in order, each once. Those that are reached
    /// over HTTPS (MS-KKDCP) are left out: linkdial does not speak it.
    pub fn kdcs(&self, realm: &str) -> Vec<(String, u16)> {
        let mut known = BTreeSet::new();
        let kdcs = self.named(realm, &KDCS).filter_map(host_and_port);
        kdcs.filter(|kdc| known.insert(kdc.clone())).collect()
    }

    /// Returns the URLs of the KDCs of a realm that are reached over HTTPS (MS-KKDCP).
    pub(crate) fn https_kdcs(&self, realm: &str) -> Vec<&str> {
        let named = self.named(realm, &KDCS);
        named.filter(|it| it.contains("://")).collect()
    }

    /// Returns whether a KDC of a realm is its primary one, which knows a new key before all others:
    /// by `primary_kdc` or `master_kdc`, else by the host of `admin_server`, whose port is that of
    /// another service. `None` where the file says nothing of it.
    pub(crate) fn is_primary(&self, realm: &str, (host, port): (&str, u16)) -> Option<bool> {
        let of_host = |name: &str| name.eq_ignore_ascii_case(host);
        for (names, ports) in [(&KDCS[1..], true), (&["admin_server"], false)] {
            let named: Vec<_> = self.named(realm, names).filter_map(host_and_port).collect();
            if !named.is_empty() {
                let is_it =
                    |(name, known): &(String, u16)| of_host(name) && (!ports || *known == port);
                return Some(named.iter().any(is_it));
            }
        }
        None
    }

    /// Returns the words of some relations of a realm: a line may list several, as older files do.
    fn named(&self, realm: &str, names: &[&str]) -> impl Iterator<Item = &str> {
        let path = ["realms", realm];
        let mut words = Vec::new();
        for name in names {
            let values = self.profile.all(&path, name);
            words.extend(values.flat_map(str::split_whitespace));
        }
        words.into_iter()
    }

    /// Returns whether DNS is asked for KDCs where the file has none; by default it is.
    pub fn asks_dns_for_kdcs(&self) -> bool {
        let own = self.profile.switch(&LIBRARY, "dns_lookup_kdc");
        let fallback = self.profile.switch(&LIBRARY, "dns_fallback");
        own.or(fallback).unwrap_or(true)
    }

    /// Returns whether the library turns the name of a host into its canonical one before it asks
    /// for a ticket; by default it does. linkdial asks for the name as it is dialled.
    pub fn canonicalizes_hosts(&self) -> bool {
        let name = "dns_canonicalize_hostname";
        self.profile.switch(&LIBRARY, name).unwrap_or(true)
    }

    /// Returns the realm that a host belongs to by `[domain_realm]`: its own name first, then its
    /// domains, the longest first.
    pub fn realm_of(&self, host: &str) -> Option<&str> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut candidates = vec![host.as_str()];
        for (dot, _) in host.match_indices('.') {
            candidates.extend([&host[dot..], &host[dot + 1..]]);
        }
        let section = self.profile.section("domain_realm");
        candidates.iter().find_map(|candidate| {
            let mut named = section.iter().filter(|(name, _)| name == candidate);
            named.next().map(|(_, realm)| *realm)
        })
    }

    /// Returns whether the file lets a client use an encryption type.
    pub fn permits(&self, kind: EncryptionType) -> bool {
        let Some(list) = self.profile.first(&LIBRARY, "permitted_enctypes") else {
            return true;
        };
        let mut permitted = false;
        for word in list.split([' ', ',', '\t']).filter(|it| !it.is_empty()) {
            let (word, adds) = match word.as_bytes().first() {
                Some(b'-') => (&word[1..], false),
                Some(b'+') => (&word[1..], true),
                _ => (word, true),
            };
            if word.eq_ignore_ascii_case("DEFAULT")
                || EncryptionType::named(word).any(|it| it == kind)
            {
                permitted = adds;
            }
        }
        permitted
    }
}

/// Reads `host`, `host:port`, `[v6]:port`, with `tcp/` or `udp/` in front.
fn host_and_port(value: &str) -> Option<(String, u16)> {
    let value = value.strip_prefix("tcp/").unwrap_or(value);
    let value = value.strip_prefix("udp/").unwrap_or(value);
    if value.is_empty() || value.contains("://") {
        return None;
    }
    if let Some((host, rest)) = value.strip_prefix('[').and_then(|it| it.split_once(']')) {
        let port = rest.strip_prefix(':').map_or(Ok(PORT), str::parse);
        return Some((host.to_owned(), port.ok()?));
    }
    match value.split_once(':') {
        // An IPv6 address without brackets.
        Some((_, rest)) if rest.contains(':') => Some((value.to_owned(), PORT)),
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((value.to_owned(), PORT)),
    }
}
