//! The keys that seal a registry, and the file they lie in.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE as BASE64_NAME};
use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate as _;
use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use super::RegistryError;

/// The first word of each line with a key.
const WORD: &str = "linkdial-key-1";
const KEY: usize = 32;
/// Far more than a key file ever has.
const LONGEST_FILE: u64 = 1 << 20;

/// A key with its public name.
#[derive(Clone)]
pub(super) struct SealingKey {
    id: String,
    bytes: Zeroizing<[u8; KEY]>,
}

impl SealingKey {
    pub(super) fn generate() -> Result<Self, RegistryError> {
        let random = || Key::try_generate().map_err(|_| RegistryError::NoRandomNumbers);
        let name = random()?;
        Ok(Self {
            // Public, and never met twice.
            id: BASE64_NAME.encode(&name[..9]),
            bytes: Zeroizing::new(random()?.into()),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.bytes
    }

    /// Reads `linkdial-key-1 ID BASE64`.
    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (WORD, id, text, None) = (words.next()?, words.next()?, words.next()?, words.next())
        else {
            return None;
        };
        let decoded = Zeroizing::new(BASE64.decode(text).ok()?);
        let mut bytes = Zeroizing::new([0; KEY]);
        if decoded.len() != KEY {
            return None;
        }
        bytes.copy_from_slice(&decoded);
        Some(Self {
            id: id.to_owned(),
            bytes,
        })
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SealingKey({})", self.id)
    }
}

/// The file with the keys: one a line, the newest first.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns its keys, at least one; `None` where there is no file.
    pub(super) fn read(&self) -> Result<Option<Vec<SealingKey>>, RegistryError> {
        let unreadable = |source| RegistryError::KeyUnreadable {
            path: self.path.clone(),
            source,
        };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let length = file.metadata().map_err(unreadable)?.len().min(LONGEST_FILE);
        // With all its room from the start, so that no copy is left behind.
        let room = usize::try_from(length).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(length)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        self.keys(&bytes).map(Some)
    }

    fn keys(&self, bytes: &[u8]) -> Result<Vec<SealingKey>, RegistryError> {
        let malformed = |line| RegistryError::KeyMalformed {
            path: self.path.clone(),
            line,
        };
        let mut keys: Vec<SealingKey> = Vec::new();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = str::from_utf8(line)
                .map_err(|_| malformed(index + 1))?
                .trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = SealingKey::from_line(line).ok_or_else(|| malformed(index + 1))?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(malformed(index + 1));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(malformed(1));
        }
        Ok(keys)
    }

    /// Makes the file with one key, unless somebody else was first; returns whether it did.
    pub(super) fn create(&self, key: &SealingKey) -> Result<bool, RegistryError> {
        let create = || {
            let folder = folder(&self.path);
            match written(&self.path, &[key])?.persist_noclobber(&self.path) {
                Ok(_) => synced(folder).map(|()| true),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error.error),
            }
        };
        create().map_err(|source| self.unwritable(source))
    }

    /// Replaces all keys; a crash leaves the old file or the new one.
    pub(super) fn replace(&self, keys: &[&SealingKey]) -> Result<(), RegistryError> {
        let replace = || {
            // A symbolic link stays one.
            let path = fs::canonicalize(&self.path)?;
            written(&path, keys)?.persist(&path)?;
            synced(folder(&path))
        };
        replace().map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> RegistryError {
        RegistryError::KeyUnwritable {
            path: self.path.clone(),
            source,
        }
    }
}

/// Returns whether others than the owner may read or write a key file.
#[cfg(unix)]
pub(super) fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

/// Not known on this system.
#[cfg(not(unix))]
pub(super) fn is_exposed(_path: &Path) -> bool {
    false
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The end of the name of a key file that is not whole yet.
const UNFINISHED: &str = ".new";

/// Writes the keys into a file beside its place, which nobody else may read.
fn written(path: &Path, keys: &[&SealingKey]) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    // A process that was killed may have left one, with keys that should be gone.
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(UNFINISHED.as_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    let mut file = Builder::new()
        .prefix(&prefix)
        .suffix(UNFINISHED)
        .tempfile_in(folder)?;
    writeln!(
        file,
        "# The key of a linkdial registry. Whoever has both can read its secrets; without this\n\
         # file nobody can. Keep a copy in another place than that of the registry."
    )?;
    for key in keys {
        let mut text = Zeroizing::new([0; KEY.div_ceil(3) * 4]);
        BASE64
            .encode_slice(key.bytes.as_slice(), text.as_mut_slice())
            .map_err(io::Error::other)?;
        write!(file, "{WORD} {} ", key.id)?;
        file.write_all(text.as_slice())?;
        file.write_all(b"\n")?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a new name in a folder last.
fn synced(folder: &Path) -> io::Result<()> {
    // Other systems can not open a folder, and keep names on their own.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The keys that a process knows, and which of them seals.
#[derive(Debug)]
pub(super) struct KeyRing {
    file: KeyFile,
    keys: Vec<SealingKey>,
    current: String,
}

impl KeyRing {
    /// Without any key yet.
    pub(super) fn new(file: KeyFile) -> Self {
        Self {
            file,
            keys: Vec::new(),
            current: String::new(),
        }
    }

    /// Takes or makes a key for a new registry; returns whether the key file is new too.
    pub(super) fn take_first(&mut self) -> Result<bool, RegistryError> {
        let mut found = self.file.read()?;
        let mut made = false;
        if found.is_none() {
            made = self.file.create(&SealingKey::generate()?)?;
            // What counts is what lies there: another process may have been first.
            found = self.file.read()?;
        }
        self.keys = found.ok_or_else(|| self.missing())?;
        self.current.clone_from(&self.keys[0].id);
        Ok(made)
    }

    /// Reads the file again, for the key with this id.
    pub(super) fn reload(&mut self, current: &str) -> Result<(), RegistryError> {
        let keys = self.file.read()?.ok_or_else(|| self.missing())?;
        if !keys.iter().any(|key| key.id == current) {
            return Err(self.wrong());
        }
        self.keys = keys;
        current.clone_into(&mut self.current);
        Ok(())
    }

    pub(super) fn file(&self) -> &KeyFile {
        &self.file
    }

    /// The id of the key that seals; empty before there is one.
    pub(super) fn current_id(&self) -> &str {
        &self.current
    }

    /// The key that seals.
    pub(super) fn current(&self) -> &SealingKey {
        self.get(&self.current)
            .expect("a ring is used once it has a key")
    }

    pub(super) fn get(&self, id: &str) -> Option<&SealingKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    pub(super) fn keys(&self) -> &[SealingKey] {
        &self.keys
    }

    /// Takes over what a rotation left.
    pub(super) fn turn_to(&mut self, key: SealingKey) {
        self.current.clone_from(&key.id);
        self.keys = vec![key];
    }

    /// Nothing may be sealed with a key that only has the right id.
    pub(super) fn reject(&mut self) -> RegistryError {
        self.current.clear();
        self.wrong()
    }

    fn missing(&self) -> RegistryError {
        RegistryError::KeyMissing(self.file.path.clone())
    }

    pub(super) fn wrong(&self) -> RegistryError {
        RegistryError::WrongKey(self.file.path.clone())
    }
}
