//! Links at rest: sealed definitions, their targets, grants, and a record of every change and dial.
//!
//! Knows no statement and dials nothing. What may hold a secret is sealed before it is stored;
//! the key lies in a file of its own. All calls block, so that an asynchronous task has to make
//! them through `spawn_blocking`.

mod check_name;
mod column;
mod error;
mod files;
mod grant;
mod history;
mod key;
mod link;
mod location;
mod record;
mod rotation;
mod sealed;
mod sqlite;
mod store;
mod sweep_lock;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{LinkName, Target};
use sqlx::Connection as _;
use tokio::runtime::{Builder, Handle, Runtime};

pub use self::error::RegistryError;
pub(crate) use self::files::{files, known_by_contents};
pub use self::grant::Grant;
pub use self::history::Remembered;
pub(crate) use self::history::SweepEnding;
pub(crate) use self::link::{Change, NewLink};
pub use self::link::{Known, Listed, State, StoredLink, StoredTarget};
pub use self::location::Location;
pub use self::record::{Action, Entry, RecordLine};
pub use self::rotation::Rotation;
pub(crate) use self::sweep_lock::SweepLock;
pub use crate::sql::ast::{Permission, UserKind};

use self::error::Fault;
use self::key::KeyFile;
use self::store::Store;
use crate::history as nights;
use crate::history::{CheckName, PastCheck, PastSweep};

/// An open registry.
///
/// Several processes may have one open. Its calls block, and panic inside of an asynchronous task;
/// to drop it there blocks until its file is closed. The functions that are given to its methods can
/// not call it again. Every method fails when the file can not be read or written, is damaged, or is
/// locked by another process for longer than five seconds.
///
/// Only [`apply()`](crate::apply()) changes links, so that none counts as verified that was not
/// dialled.
pub struct Registry {
    location: Location,
    path: PathBuf,
    key_file: PathBuf,
    new_key: bool,
    /// Taken when it is dropped.
    open: Mutex<Option<Open>>,
}

/// A store and what it runs on.
struct Open {
    runtime: Runtime,
    store: Store,
}

impl Registry {
    /// The user who may do everything; a new registry belongs to it.
    pub const ROOT: &str = "root";

    /// Opens a registry; makes it, its folder and its key where there is none.
    ///
    /// The key lies in `key_file`, or beside the registry: `links.key` beside `links.db`. Several
    /// registries may share a key file: each makes a key of its own, a new one adds it, and a
    /// rotation removes no other's. Who changes the file locks `links.key.lock` beside it.
    pub fn open(location: &Location, key_file: Option<PathBuf>) -> Result<Self, RegistryError> {
        let failed = |source| RegistryError::Open {
            path: location.path().to_owned(),
            source,
        };
        // No name is special to SQLite once it is absolute.
        let path = absolute(location.path()).map_err(failed)?;
        let key_file = key_file.unwrap_or_else(|| beside(&path));
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(failed)?;
        let store = runtime
            .block_on(Store::open(&path, KeyFile::new(key_file.clone())))
            .map_err(|fault| fault.at(&path))?;
        Ok(Self {
            location: location.clone(),
            path,
            key_file,
            new_key: store.new_key,
            open: Mutex::new(Some(Open { runtime, store })),
        })
    }

    fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut Store) -> Result<T, Fault>,
    ) -> Result<T, RegistryError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { runtime, store } = open.as_mut().expect("it is taken only in drop");
        runtime
            .block_on(work(store))
            .map_err(|fault| fault.at(&self.path))
    }

    /// Returns where it lies.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns where its key lies when the file was made just now, so that somebody can move it.
    pub fn new_key(&self) -> Option<&Path> {
        self.new_key.then_some(self.key_file.as_path())
    }

    /// Returns where its key lies.
    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// Returns whether others than the owner may read or write the key file.
    pub fn key_is_exposed(&self) -> bool {
        key::is_exposed(&self.key_file)
    }

    /// Returns what is known about a name; letter case counts.
    pub fn read(&self, name: &LinkName) -> Result<Known, RegistryError> {
        self.run(async |store| store.read(name).await)
    }

    /// Returns the number of a link's last change; `None` where there is no such link.
    pub fn revision(&self, name: &LinkName) -> Result<Option<u64>, RegistryError> {
        self.run(async |store| store::revision(&mut store.connection, name).await)
    }

    /// Returns a link whose name differs only in letter case.
    pub fn similar(&self, name: &LinkName) -> Result<Option<LinkName>, RegistryError> {
        self.run(async |store| store::similar(&mut store.connection, name).await)
    }

    /// Changes one link and returns its new revision, the number of the last entry.
    ///
    /// # Panics
    ///
    /// If the record says nothing about the change.
    pub(crate) fn commit(&self, change: &Change<'_>) -> Result<u64, RegistryError> {
        assert!(
            !change.record.is_empty(),
            "a change of a link stands in the record"
        );
        self.run(async |store| store.commit(change).await)
    }

    /// Replaces the targets of a link, or of one that is gone; returns the number of the entry, which
    /// is the link's new revision.
    pub(crate) fn set_targets(
        &self,
        name: &LinkName,
        expected: Option<u64>,
        targets: &[StoredTarget],
        entry: &Entry,
    ) -> Result<u64, RegistryError> {
        self.run(async |store| store.set_targets(name, expected, targets, entry).await)
    }

    /// Returns the links of a pipeline or function.
    pub fn links_of_user(
        &self,
        kind: UserKind,
        name: &LinkName,
    ) -> Result<Vec<LinkName>, RegistryError> {
        self.run(async |store| store::links_of_user(&mut store.connection, kind, name).await)
    }

    /// Adds lines to the record, such as those of dials that changed nothing.
    pub(crate) fn add_to_record(&self, entries: &[Entry]) -> Result<(), RegistryError> {
        self.run(async |store| store.add_to_record(entries).await)
    }

    /// Hands over every link, ordered by database and name; holds one at a time.
    pub fn list(
        &self,
        database: Option<&str>,
        each: impl FnMut(Listed) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| store::list(&mut store.connection, database, each).await)
    }

    /// Hands over the record, the oldest line first; holds one at a time.
    pub fn record(
        &self,
        each: impl FnMut(RecordLine) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| record::read(&mut store.connection, each).await)
    }

    /// Lets deferred links count as verified, but for those that somebody has changed meanwhile, or
    /// that are verified already; returns which do now.
    pub(crate) fn promote(
        &self,
        links: &[(&LinkName, u64)],
        who: &str,
    ) -> Result<Vec<LinkName>, RegistryError> {
        self.run(async |store| store.promote(links, who).await)
    }

    /// Locks the registry for one sweep.
    pub(crate) fn lock_for_sweep(&self) -> Result<SweepLock, RegistryError> {
        SweepLock::take(&self.path, SweepLock::PATIENCE)
    }

    /// Locks the registry for a moment, unless it is being swept.
    pub(crate) fn lock_at_once(&self) -> Result<SweepLock, RegistryError> {
        SweepLock::take(&self.path, Duration::ZERO)
    }

    /// Names checks of a sweep by link and target, the same way in every sweep.
    pub(crate) fn name_checks(
        &self,
        checks: &[(&LinkName, Option<&Target>)],
    ) -> Result<Vec<CheckName>, RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            check_name::name_all(connection, keys, checks).await
        })
    }

    /// Starts a sweep in the history and returns its number. One that was killed is cut.
    pub(crate) fn begin_sweep(
        &self,
        _lock: &SweepLock,
        who: &str,
        host: Option<&str>,
        started: Timestamp,
    ) -> Result<u64, RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::begin(connection, keys, who, host, started).await
        })
    }

    /// Ends sweeps in the history that were killed.
    pub(crate) fn settle_sweeps(&self, _lock: &SweepLock) -> Result<(), RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::settle(connection, keys).await
        })
    }

    /// Adds checks to a sweep, all or none.
    pub(crate) fn add_to_sweep(
        &self,
        sweep: u64,
        checks: &[PastCheck],
    ) -> Result<(), RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::add(connection, keys, sweep, checks).await
        })
    }

    /// Ends a sweep in the history with what is stored of it, and with a line in the record.
    pub(crate) fn end_sweep(&self, ending: &SweepEnding<'_>) -> Result<(), RegistryError> {
        self.run(async |store| history::end(&mut store.connection, ending).await)
    }

    /// Forgets sweeps that started before, but for the last time that each check was green; returns
    /// how many are gone.
    pub(crate) fn forget_sweeps(&self, before: Timestamp) -> Result<u64, RegistryError> {
        self.run(async |store| history::forget(&mut store.connection, before).await)
    }

    /// Hands over every sweep of the history, the newest first; holds one at a time.
    pub fn sweeps(
        &self,
        each: impl FnMut(PastSweep) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| history::sweeps(&mut store.connection, each).await)
    }

    /// Hands over the checks of a sweep, ordered by name; holds one at a time.
    pub fn checks_of_sweep(
        &self,
        sweep: u64,
        each: impl FnMut(PastCheck) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::of_sweep(connection, keys, sweep, each).await
        })
    }

    /// Hands over the checks of a link, each with the number of its sweep, the newest first.
    pub fn checks_of_link(
        &self,
        link: &LinkName,
        each: impl FnMut(PastCheck, u64) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::of_link(connection, keys, link, each).await
        })
    }

    /// Returns the links that the history knows, by name; some may be gone from the registry.
    pub fn links_of_history(&self) -> Result<Vec<LinkName>, RegistryError> {
        self.run(async |store| history::links(&mut store.connection).await)
    }

    /// Returns the checks that were red when they were found out last before a sweep, in no order.
    pub(crate) fn reds(&self, before: u64) -> Result<Vec<CheckName>, RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::reds(connection, keys, before).await
        })
    }

    /// Hands over what the history knows last of every check before a sweep, where it could be found
    /// out; holds one at a time.
    pub fn last_checks(
        &self,
        before: u64,
        each: impl FnMut(PastCheck) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::last_checks(connection, keys, before, each).await
        })
    }

    /// Returns what the history remembers of a check before a sweep.
    pub fn remembered(&self, check: &CheckName, sweep: u64) -> Result<Remembered, RegistryError> {
        self.run(async |store| {
            let (connection, keys) = store.with_keys().await?;
            history::before(connection, keys, check, sweep).await
        })
    }

    /// Says what a change of a link was, when and by whom; `None` when the record does not have it.
    pub fn change_words(&self, number: u64) -> Result<Option<String>, RegistryError> {
        let line = self.line_of_record(number)?;
        Ok(line.map(|line| {
            let word = match line.entry.action {
                Action::Create => "created",
                Action::Replace => "replaced",
                _ => "altered",
            };
            format!("{word} {:.0} by {}", line.at, line.entry.who)
        }))
    }

    /// Puts the words of both definitions into a change of the definition.
    pub(crate) fn name_definitions(
        &self,
        change: &mut nights::Change,
    ) -> Result<(), RegistryError> {
        let Some([before, now]) = change.definitions else {
            return Ok(());
        };
        let difference = &mut change.difference;
        for (side, number) in [(&mut difference.before, before), (&mut difference.now, now)] {
            if let Some(words) = self.change_words(number)? {
                *side = words;
            }
        }
        Ok(())
    }

    /// Returns a line of the record by its number.
    pub fn line_of_record(&self, number: u64) -> Result<Option<RecordLine>, RegistryError> {
        self.run(async |store| record::line_of(&mut store.connection, number).await)
    }

    /// Grants permissions; returns how many were new.
    pub(crate) fn grant(&self, who: &str, grants: &[Grant]) -> Result<usize, RegistryError> {
        self.run(async |store| {
            grant::change(&mut store.connection, who, Action::Grant, grants).await
        })
    }

    /// Revokes permissions; returns how many there were.
    pub(crate) fn revoke(&self, who: &str, grants: &[Grant]) -> Result<usize, RegistryError> {
        self.run(async |store| {
            grant::change(&mut store.connection, who, Action::Revoke, grants).await
        })
    }

    /// Returns the permissions of a user, ordered.
    pub fn grants(&self, user: &str) -> Result<Vec<Grant>, RegistryError> {
        self.run(async |store| grant::of_user(&mut store.connection, user).await)
    }

    /// Seals everything anew under a fresh key, all but what is damaged.
    ///
    /// Its earlier keys leave the key file, so older copies of the registry need older copies of
    /// the key file. What stays there are the keys of other registries, one that still seals
    /// something damaged, and one of an earlier version, which may be shared. Other processes can
    /// read meanwhile, but not write.
    pub fn rotate_key(&mut self, who: &str) -> Result<Rotation, RegistryError> {
        self.run(async |store| rotation::rotate(store, who).await)
    }
}

/// The key file of a registry that names none.
fn beside(path: &Path) -> PathBuf {
    let key_file = path.with_extension("key");
    if key_file == path {
        path.with_added_extension("key")
    } else {
        key_file
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registry")
            .field("path", &self.path)
            .field("key_file", &self.key_file)
            .finish_non_exhaustive()
    }
}

impl Drop for Registry {
    /// Waits until the log is back in the file.
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(Open { runtime, store }) = open.take() else {
            return;
        };
        if thread::panicking() {
            return;
        }
        // What was committed is safe in the log too.
        let close = move || drop(runtime.block_on(store.connection.close()));
        if Handle::try_current().is_err() {
            close();
        } else {
            // A runtime can neither run nor end inside of an asynchronous task.
            thread::scope(|scope| drop(scope.spawn(close).join()));
        }
    }
}
