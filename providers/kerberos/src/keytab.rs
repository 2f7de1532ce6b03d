//! Keytabs: the keys of principals in a file.
//!
//! The format is MIT's ("The Kerberos keytab file format", in its developer documentation): two
//! bytes of version, then entries behind their length. A negative length is a hole.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use linkdial_core::{Code, Diagnosis, read_file};

use crate::encryption::{EncryptionType, Key, list};
use crate::fault::{KerberosFault, Part};
use crate::file;
use crate::octets::Octets;
use crate::principal::Principal;

/// No keytab is longer, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Nobody has more keys in one file.
const MAX_ENTRIES: usize = 10_000;

/// So many principals are listed as evidence.
const MAX_LISTED: usize = 8;

/// The keys of a file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Keytab {
    entries: Vec<KeytabEntry>,
}

/// One key. It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct KeytabEntry {
    /// Whose key it is.
    pub principal: Principal,
    /// The version of the key.
    pub kvno: u32,
    /// What it encrypts with.
    pub encryption_type: EncryptionType,
    /// When it was written; `None` where the entry does not say.
    pub written: Option<Timestamp>,
    pub(crate) key: Key,
    /// The entry has only 8 bits of the version.
    short: bool,
}

/// Why bytes are no keytab.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeytabError {
    /// There is not a single byte.
    Empty,
    /// The first two bytes are no version of a keytab.
    NotAKeytab,
    /// An entry claims more than the file has, or has no whole principal and key.
    Broken {
        /// Where the entry begins, in bytes.
        offset: usize,
    },
    /// More than 10000 entries.
    TooMany,
}

impl fmt::Display for KeytabError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::NotAKeytab => formatter.write_str("it does not begin as a keytab does"),
            Self::Broken { offset } => write!(formatter, "the entry at byte {offset} is broken"),
            Self::TooMany => write!(formatter, "it has more than {MAX_ENTRIES} entries"),
        }
    }
}

impl std::error::Error for KeytabError {}

impl Keytab {
    /// Reads the bytes of a keytab, version 1 or 2.
    ///
    /// # Errors
    ///
    /// The bytes are no keytab, or one that is cut or damaged. A keytab without entries is one.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeytabError> {
        let (version, body) = match bytes {
            [] => return Err(KeytabError::Empty),
            [5, version @ (1 | 2), body @ ..] => (*version, body),
            _ => return Err(KeytabError::NotAKeytab),
        };
        // Version 1 is in the order of the machine that wrote it, most likely one like this.
        let mut octets = if version == 1 {
            Octets::native(body)
        } else {
            Octets::big_endian(body)
        };
        let mut entries = Vec::new();
        while !octets.is_empty() {
            let broken = KeytabError::Broken {
                offset: bytes.len() - octets.len(),
            };
            let length = octets.u32().ok_or(broken)?.cast_signed();
            let count = usize::try_from(length.unsigned_abs()).map_err(|_| broken)?;
            if length == 0 {
                // The end, as MIT's own reader takes it.
                break;
            }
            let entry = octets.part(count).ok_or(broken)?;
            if length < 0 {
                continue;
            }
            if entries.len() == MAX_ENTRIES {
                return Err(KeytabError::TooMany);
            }
            entries.push(KeytabEntry::read(entry, version).ok_or(broken)?);
        }
        Ok(Self { entries })
    }

    /// Changes one bit of every key.
    pub(crate) fn spoil(&mut self) {
        for entry in &mut self.entries {
            entry.key.spoil();
        }
    }

    /// Returns every entry, in the order of the file.
    pub fn entries(&self) -> &[KeytabEntry] {
        &self.entries
    }

    /// Returns every principal once, in the order of the file.
    pub fn principals(&self) -> Vec<&Principal> {
        let mut principals: Vec<&Principal> = Vec::new();
        for entry in &self.entries {
            if !principals.contains(&&entry.principal) {
                principals.push(&entry.principal);
            }
        }
        principals
    }

    /// Returns the keys of a principal's newest version, one for each encryption type: those that
    /// a client uses. A type that only an older version has is left out, as MIT's library does.
    ///
    /// # Errors
    ///
    /// `define.principal-not-in-keytab` where it has none.
    pub fn newest(&self, principal: &Principal) -> Result<Vec<&KeytabEntry>, KerberosFault> {
        let own = || self.entries.iter().filter(|it| it.principal == *principal);
        let Some(newest) = own().reduce(|best, it| if newer(it, best) { it } else { best }) else {
            return Err(self.lacks(principal));
        };
        let mut keys: BTreeMap<EncryptionType, &KeytabEntry> = BTreeMap::new();
        for entry in own().filter(|it| it.is_of_version(newest)) {
            // Of two that are alike the library takes the first one.
            keys.entry(entry.encryption_type).or_insert(entry);
        }
        // The highest number is the newest type.
        Ok(keys.into_values().rev().collect())
    }

    fn lacks(&self, principal: &Principal) -> KerberosFault {
        let principals = self.principals();
        let shown = principals.iter().take(MAX_LISTED).map(ToString::to_string);
        let mut shown: Vec<String> = shown.collect();
        if principals.len() > MAX_LISTED {
            shown.push(format!("{} more", principals.len() - MAX_LISTED));
        }
        let wanted = principal.to_string().to_ascii_lowercase();
        let alike = |it: &&&Principal| {
            it.components == principal.components || it.to_string().to_ascii_lowercase() == wanted
        };
        let hint = match (principals.iter().find(alike), principals.is_empty()) {
            (Some(near), _) => {
                format!("the keytab has `{near}`: name that one, or write its keytab")
            }
            (None, true) => format!(
                "the keytab has no entry at all: {}",
                how_to_write(principal)
            ),
            (None, false) => format!(
                "see `klist -kte FILE`; name a principal of it, or add this one: {}",
                how_to_write(principal)
            ),
        };
        let finding = Diagnosis::new(
            Code::DefinePrincipalNotInKeytab,
            format!("the keytab has no key of `{principal}`"),
        )
        .evidence("principal", principal)
        .evidence("keytab_has", shown.join(", "))
        .hint(hint);
        KerberosFault::new(Part::Principal, finding)
    }
}

impl KeytabEntry {
    fn read(mut octets: Octets<'_>, version: u8) -> Option<Self> {
        let mut components = usize::from(octets.u16()?);
        // Version 1 counts the realm as well, and has no type of the name.
        if version == 1 {
            components = components.checked_sub(1)?;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let realm = text(octets.counted16()?);
        let mut principal = Principal {
            components: Vec::new(),
            realm,
        };
        for _ in 0..components {
            principal.components.push(text(octets.counted16()?));
        }
        if version != 1 {
            octets.u32()?;
        }
        let written = octets.u32()?;
        let short = octets.u8()?;
        let kind = EncryptionType(i32::from(octets.u16()?.cast_signed()));
        let key = Key::new(kind, octets.counted16()?);
        // The version in 32 bits came later, behind everything else.
        let long = octets.u32().filter(|it| *it != 0);
        Some(Self {
            principal,
            kvno: long.unwrap_or(u32::from(short)),
            encryption_type: kind,
            written: Timestamp::from_second(i64::from(written))
                .ok()
                .filter(|_| written != 0),
            key,
            short: long.is_none(),
        })
    }

    /// Returns whether the version is that of another entry, of which one may have only 8 bits.
    fn is_of_version(&self, other: &Self) -> bool {
        let cut = |cut: &Self, whole: &Self| {
            cut.short && !whole.short && cut.kvno == whole.kvno & u32::from(u8::MAX)
        };
        self.kvno == other.kvno || cut(self, other) || cut(other, self)
    }
}

/// Returns whether a key is newer than another one. A small version that was written no earlier
/// than a large one follows it: old files, and old servers for `kadmin`, keep 8 bits of the number.
/// The bounds are those of MIT's library (`more_recent` in `kt_file.c`).
fn newer(one: &KeytabEntry, other: &KeytabEntry) -> bool {
    let began_anew = |low: &KeytabEntry, high: &KeytabEntry| {
        low.kvno < 128 && high.kvno > 240 && low.written >= high.written
    };
    if began_anew(one, other) || began_anew(other, one) {
        return one.kvno < other.kvno;
    }
    one.kvno > other.kvno
}

/// Returns how a keytab is written. `ktadd` by itself makes a new key, and every other copy of the
/// keytab is stale then.
pub(crate) fn how_to_write(principal: &Principal) -> String {
    format!("write it on the KDC, `kadmin.local -q 'ktadd -norandkey -k FILE {principal}'`")
}

/// A keytab of this machine, with what is worth a note about its file.
#[derive(Clone, Debug)]
pub struct KeytabFile {
    /// Its keys.
    pub keytab: Keytab,
    /// Who besides the owner may read the keys, where somebody may.
    pub readable_by: Option<&'static str>,
}

impl KeytabFile {
    /// Reads a keytab of at most 1 MiB; `None` where there is no such file.
    ///
    /// # Errors
    ///
    /// `define.file-unreadable` where it can not be read, `define.keytab-invalid` where it is none.
    pub async fn read(path: &Path) -> Result<Option<Self>, KerberosFault> {
        let shown = path.display();
        let bytes = match read_file(path, MAX_FILE).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let what = "the keytab can not be read";
                let finding = Diagnosis::new(Code::DefineFileUnreadable, what)
                    .evidence("read", shown)
                    .evidence("error", error)
                    .hint("it has to be a file that this user may read: `ls -l FILE`");
                return Err(KerberosFault::new(Part::Keys, finding));
            }
        };
        let keytab = Keytab::parse(&bytes).map_err(|error| {
            let what = format!("the file is no keytab: {error}");
            let start: String = bytes[..bytes.len().min(2)].escape_ascii().to_string();
            let finding = Diagnosis::new(Code::DefineKeytabInvalid, what)
                .evidence("read", shown)
                .evidence("bytes", bytes.len())
                .evidence("begins_with", start)
                .hint(
                    "check it with `klist -kte FILE`; copy it as binary, or write it on the KDC with \
                     `ktadd -norandkey`",
                );
            KerberosFault::new(Part::Keys, finding)
        })?;
        Ok(Some(Self {
            keytab,
            readable_by: file::exposed_to(path).await,
        }))
    }

    /// Returns what a step's notes say of it: principals, and a mode that lets others read keys.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let principals = self.keytab.principals();
        let mut shown: Vec<String> = principals.iter().map(ToString::to_string).collect();
        shown.truncate(MAX_LISTED);
        let kinds = self.keytab.entries.iter().map(|it| it.encryption_type);
        let mut notes = vec![
            ("keytab_principals", shown.join(", ")),
            ("keytab_enctypes", list(kinds)),
        ];
        let written = self.keytab.entries.iter().filter_map(|it| it.written).max();
        notes.extend(written.map(|at| ("keytab_written", at.to_string())));
        if let Some(who) = self.readable_by {
            notes.push(("keytab_mode", format!("{who} may read the keys")));
        }
        notes
    }
}
