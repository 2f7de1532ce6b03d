//! Ticket caches: what `kinit` leaves behind.
//!
//! The format is MIT's ("Credential cache file format", in its developer documentation), versions 3
//! and 4: two bytes of version, a header, the default principal, then credentials.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use linkdial_core::{Code, Diagnosis, read_file};
use zeroize::Zeroizing;

use crate::encryption::{EncryptionType, Key};
use crate::fault::{KerberosFault, Part};
use crate::octets::Octets;
use crate::principal::Principal;

/// No cache is longer, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Nobody has more tickets in one file.
const MAX_TICKETS: usize = 10_000;

/// The name of a cache in a file; other kinds live in a kernel or a daemon.
const FILE: &str = "FILE:";

/// Settings that stand among the tickets have this realm.
const SETTINGS_REALM: &str = "X-CACHECONF:";

/// The default principal of a cache, and its tickets.
#[derive(Clone, Debug)]
pub struct TicketCache {
    /// Who the tickets are for.
    pub principal: Principal,
    tickets: Vec<CachedTicket>,
}

/// One ticket with its key, which `Debug` does not show.
#[derive(Clone, Debug)]
pub struct CachedTicket {
    /// Who it is for.
    pub client: Principal,
    /// Which service it is for.
    pub server: Principal,
    /// Until when it is good.
    pub ends: Timestamp,
    /// The encryption type of the session key.
    pub encryption_type: EncryptionType,
    pub(crate) key: Key,
    /// The ticket itself, in DER.
    pub(crate) ticket: Vec<u8>,
}

/// Why bytes are no ticket cache.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CacheError {
    /// The first two bytes are those of no version 3 or 4.
    NotACache,
    /// The file is cut or damaged.
    Broken,
}

impl fmt::Display for CacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotACache => "it does not begin as a ticket cache of version 3 or 4 does",
            Self::Broken => "it is cut or damaged",
        })
    }
}

impl std::error::Error for CacheError {}

impl TicketCache {
    /// Reads the bytes of a cache.
    ///
    /// # Errors
    ///
    /// The bytes are no cache, or one that is cut or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, CacheError> {
        let (version, body) = match bytes {
            [5, version @ (3 | 4), body @ ..] => (*version, body),
            _ => return Err(CacheError::NotACache),
        };
        Self::read_body(Octets::big_endian(body), version).ok_or(CacheError::Broken)
    }

    fn read_body(mut octets: Octets<'_>, version: u8) -> Option<Self> {
        if version == 4 {
            octets.counted16()?;
        }
        let principal = principal(&mut octets)?;
        let mut tickets = Vec::new();
        while !octets.is_empty() {
            let ticket = CachedTicket::read(&mut octets, version)?;
            if ticket.server.realm != SETTINGS_REALM && tickets.len() < MAX_TICKETS {
                tickets.push(ticket);
            }
        }
        Some(Self { principal, tickets })
    }

    /// Reads the file that a link names, `FILE:` in front or not; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `define.file-unreadable` where it can not be read or is none.
    pub async fn read(path: &Path) -> Result<Option<Self>, KerberosFault> {
        Ok(Self::load(path).await?.map(|(cache, _)| cache))
    }

    /// The same with the bytes of the file.
    pub(crate) async fn load(
        path: &Path,
    ) -> Result<Option<(Self, Zeroizing<Vec<u8>>)>, KerberosFault> {
        let bad = |what: String, error: String| {
            let finding = Diagnosis::new(Code::DefineFileUnreadable, what)
                .evidence("read", path.display())
                .evidence("error", error)
                .hint("check it with `klist -c FILE`; make it with `kinit -c FILE`");
            KerberosFault::new(Part::Keys, finding)
        };
        match read_file(path, MAX_FILE).await {
            Ok(bytes) => Self::parse(&bytes)
                .map(|cache| Some((cache, bytes)))
                .map_err(|error| bad("the file is no ticket cache".into(), error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(bad(
                "the ticket cache can not be read".into(),
                error.to_string(),
            )),
        }
    }

    /// Returns the path in the name of a cache; `None` for one that is no file (`KEYRING:`,
    /// `KCM:`, `DIR:`, `MEMORY:`).
    pub fn path_of(name: &str) -> Option<&Path> {
        if let Some(path) = name.strip_prefix(FILE) {
            return Some(Path::new(path));
        }
        let kind = name.split_once(':').map_or("", |(kind, _)| kind);
        let is_kind = !kind.is_empty() && kind.bytes().all(|it| it.is_ascii_uppercase());
        (!is_kind).then_some(Path::new(name))
    }

    /// Returns every ticket, in the order of the file.
    pub fn tickets(&self) -> &[CachedTicket] {
        &self.tickets
    }

    /// Returns the ticket that gets others: that of the principal's own realm which ends last.
    pub fn ticket_granting(&self) -> Option<&CachedTicket> {
        let own = Principal::ticket_granting(&self.principal.realm, &self.principal.realm);
        let tickets = self.tickets.iter();
        let fitting = tickets.filter(|it| it.server == own && it.client == self.principal);
        fitting.max_by_key(|it| it.ends)
    }
}

impl CachedTicket {
    fn read(octets: &mut Octets<'_>, version: u8) -> Option<Self> {
        let client = principal(octets)?;
        let server = principal(octets)?;
        let kind = EncryptionType(i32::from(octets.u16()?.cast_signed()));
        // Version 3 says it twice.
        if version == 3 {
            octets.u16()?;
        }
        let key = Key::new(kind, octets.counted32()?);
        let [_, _, ends, _] = [octets.u32()?, octets.u32()?, octets.u32()?, octets.u32()?];
        // One byte for tickets to users, four of flags.
        octets.take(5)?;
        // Addresses, then authorization data.
        for _ in 0..2 {
            for _ in 0..octets.u32()? {
                octets.u16()?;
                octets.counted32()?;
            }
        }
        let ticket = octets.counted32()?.to_vec();
        octets.counted32()?;
        Some(Self {
            client,
            server,
            ends: Timestamp::from_second(i64::from(ends)).ok()?,
            encryption_type: kind,
            key,
            ticket,
        })
    }
}

fn principal(octets: &mut Octets<'_>) -> Option<Principal> {
    octets.u32()?;
    let count = octets.u32()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let realm = text(octets.counted32()?);
    let mut components = Vec::new();
    for _ in 0..count {
        components.push(text(octets.counted32()?));
    }
    Some(Principal { components, realm })
}
