//! The keys that seal a registry, and the file they lie in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE as BASE64_NAME};
use chacha20poly1305::Key;
use chacha20poly1305::aead::Generate as _;
use tempfile::Builder;
use zeroize::Zeroizing;

use super::RegistryError;

/// The first word of each line with a key.
const WORD: &str = "linkdial-key-1";
const KEY: usize = 32;
/// Far more than a key file ever has.
pub(super) const LONGEST_FILE: u64 = 1 << 20;

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

    fn write_line(&self, file: &mut File) -> io::Result<()> {
        let mut text = Zeroizing::new([0; KEY.div_ceil(3) * 4]);
        BASE64
            .encode_slice(self.bytes.as_slice(), text.as_mut_slice())
            .map_err(io::Error::other)?;
        write!(file, "{WORD} {} ", self.id)?;
        file.write_all(text.as_slice())?;
        file.write_all(b"\n")
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SealingKey({})", self.id)
    }
}

/// The file with the keys, one a line. Several registries may share it.
///
/// Who changes it holds a lock, so that no line of somebody else is lost between reading and
/// writing. Who reads it holds none: it is replaced as a whole.
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
        let bytes = self.bytes()?;
        bytes.map(|bytes| self.keys(&bytes)).transpose()
    }

    fn bytes(&self) -> Result<Option<Zeroizing<Vec<u8>>>, RegistryError> {
        let unreadable = |source| RegistryError::KeyUnreadable {
            path: self.path.clone(),
            source,
        };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let length = file.metadata().map_err(unreadable)?.len();
        if length > LONGEST_FILE {
            return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
        }
        // With all its room from the start, so that no copy is left behind.
        let room = usize::try_from(length).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(length)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        Ok(Some(bytes))
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

    /// Adds a key behind all that is there; returns whether the file was made for it.
    pub(super) fn add(&self, key: &SealingKey) -> Result<bool, RegistryError> {
        let place = self.locked()?;
        let found = self.bytes()?;
        if let Some(bytes) = &found {
            // What is no key file stays as it is.
            self.keys(bytes)?;
        }
        let lines = found.as_deref().map_or(TITLE.as_bytes(), Vec::as_slice);
        place
            .replace(|file| {
                file.write_all(lines)?;
                if !lines.ends_with(b"\n") {
                    file.write_all(b"\n")?;
                }
                key.write_line(file)
            })
            .map_err(|source| self.unwritable(source))?;
        Ok(found.is_none())
    }

    /// Removes the keys with these ids; every other line stays as it is.
    pub(super) fn remove(&self, ids: &[String]) -> Result<(), RegistryError> {
        let place = self.locked()?;
        let Some(bytes) = self.bytes()? else {
            return Ok(());
        };
        let goes = |line: &&[u8]| {
            let key = str::from_utf8(line).ok().and_then(SealingKey::from_line);
            key.is_some_and(|key| ids.contains(&key.id))
        };
        let lines = || bytes.split_inclusive(|byte| *byte == b'\n');
        if !lines().any(|line| goes(&line)) {
            return Ok(());
        }
        place
            .replace(|file| {
                let mut left = lines().filter(|line| !goes(line));
                left.try_for_each(|line| file.write_all(line))
            })
            .map_err(|source| self.unwritable(source))
    }

    fn locked(&self) -> Result<Locked, RegistryError> {
        Locked::wait(&self.path).map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> RegistryError {
        RegistryError::KeyUnwritable {
            path: self.path.clone(),
            source,
        }
    }
}

/// What a new key file starts with.
const TITLE: &str = "\
# Keys of linkdial registries. Whoever has a registry and its key can read its secrets; without
# its key nobody can. Keep a copy in another place than that of the registries.
";
/// The ends of what stands beside a key file: the lock, and the next file while it is written.
const LOCK: &str = ".lock";
const UNFINISHED: &str = ".linkdial-new";
pub(super) const BESIDE: [&str; 2] = [LOCK, UNFINISHED];
/// How long another process that changes the file is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The place of a key file while nobody else changes it.
///
/// The lock is a file of its own, and it stays. The key file could not be one: it is not there from
/// the start, it is replaced, and on some systems a locked file can not be read.
struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    fn wait(path: &Path) -> io::Result<Self> {
        let path = place(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let lock = options.open(named_behind(&path, LOCK))?;
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another process is changing it",
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Replaces the file; a crash leaves the old one or the new one.
    fn replace(&self, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let folder = folder(&self.path);
        let unfinished = named_behind(&self.path, UNFINISHED);
        // A process that was killed may have left it, with keys that should be gone.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Nobody else may read it, and it goes when something fails.
        let mut file = Builder::new()
            .prefix(unfinished.file_name().unwrap_or_default())
            .rand_bytes(0)
            .tempfile_in(folder)?;
        keep_readers(&self.path, file.as_file());
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        synced(folder)
    }
}

/// Lets those read the new file who may read the old one, such as the group of a service.
#[cfg(unix)]
fn keep_readers(old: &Path, new: &File) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let Ok(old) = fs::metadata(old) else { return };
    // Of another owner or group the same mode would let in others: then it stays our own.
    if fchown(new, Some(old.uid()), Some(old.gid())).is_ok() {
        drop(new.set_permissions(old.permissions()));
    }
}

/// Other systems take it from the folder.
#[cfg(not(unix))]
fn keep_readers(_old: &Path, _new: &File) {}

/// Where a key file lies or will lie. A symbolic link stays one, and all who change the file meet at
/// one lock.
fn place(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() =>
        {
            Ok(fs::canonicalize(folder(path))?.join(path.file_name().unwrap_or_default()))
        }
        found => found,
    }
}

/// Returns whether a text is that of a key file, whatever is wrong with it.
pub(super) fn holds_keys(bytes: &[u8]) -> bool {
    let title = TITLE.lines().next().unwrap_or_default();
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let line = line.trim_ascii();
        let rest = line.strip_prefix(WORD.as_bytes());
        line == title.as_bytes()
            || rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
    })
}

/// A file beside another one.
pub(super) fn named_behind(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
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

    /// Adds a key, to the file first; returns whether the file was made for it.
    pub(super) fn add(&mut self, key: SealingKey) -> Result<bool, RegistryError> {
        let made = self.file.add(&key)?;
        self.keys.push(key);
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

    /// Seals with this key from now on; it was added before.
    pub(super) fn turn_to(&mut self, id: &str) {
        id.clone_into(&mut self.current);
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
