//! A fresh key for everything that is sealed.
//!
//! A crash at any point leaves a key file with the key that the registry names: the fresh key is
//! in the file before anything is sealed with it, everything is sealed anew in one transaction, and
//! the old key leaves the file last. The file is only written under the write lock of the registry,
//! so that two rotations do not lose each other's keys.

use jiff::Timestamp;
use linkdial_core::{LinkName, Secret};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::RegistryError;
use super::column::{database_of, name};
use super::error::Fault;
use super::key::{KeyRing, SealingKey};
use super::record::{self, Action, Entry};
use super::sealed::{self, Purpose};
use super::sqlite::WRITE;
use super::store::{Store, keep_up, set_key};

/// Rows that are held at once.
const PAGE: i64 = 500;

/// Seals everything anew and forgets the old key; returns the number of links.
pub(super) async fn rotate(store: &mut Store, who: &str) -> Result<usize, Fault> {
    let links = seal_anew(store, who).await?;
    forget_old_keys(store).await?;
    Ok(links)
}

/// Adds a fresh key to the file and seals everything with it.
pub(super) async fn seal_anew(store: &mut Store, who: &str) -> Result<usize, Fault> {
    let mut transaction = store.connection.begin_with(WRITE).await?;
    // Another process may have rotated; from here on none can.
    keep_up(&mut transaction, &mut store.keys).await?;
    let fresh = SealingKey::generate()?;
    let keys: Vec<_> = [&fresh].into_iter().chain(store.keys.keys()).collect();
    store.keys.file().replace(&keys)?;

    let links = LINKS
        .seal_anew(&mut transaction, &store.keys, &fresh)
        .await?;
    TARGETS
        .seal_anew(&mut transaction, &store.keys, &fresh)
        .await?;
    set_key(&mut transaction, &fresh).await?;
    let first = record::next_number(&mut transaction).await?;
    let entry = Entry::new(who, Action::RotateKey, None, format!("links: {links}"));
    record::add(&mut transaction, first, Timestamp::now(), &[entry]).await?;
    transaction.commit().await?;
    store.keys.turn_to(fresh);
    Ok(links)
}

/// Leaves the one key in the file that is in use.
async fn forget_old_keys(store: &mut Store) -> Result<(), Fault> {
    let mut transaction = store.connection.begin_with(WRITE).await?;
    // It may be the key of the next rotation by now, which tidies up on its own as well.
    keep_up(&mut transaction, &mut store.keys).await?;
    store.keys.file().replace(&[store.keys.current()])?;
    Ok(transaction.rollback().await?)
}

/// A table with sealed texts.
struct Table {
    /// The rows behind one, by primary key.
    page: &'static str,
    update: &'static str,
    /// Whether a position is part of the primary key.
    has_position: bool,
    purpose: fn(&LinkName) -> Purpose<'_>,
}

const LINKS: Table = Table {
    page: "SELECT database_name, link, sealed, key_id FROM links \
           WHERE (database_name, link) > ($2, $3) ORDER BY database_name, link LIMIT $1",
    update: "UPDATE links SET sealed = $1, key_id = $2 WHERE database_name = $3 AND link = $4",
    has_position: false,
    purpose: |name| Purpose::Definition(name),
};

const TARGETS: Table = Table {
    page: "SELECT database_name, link, position, sealed, key_id FROM targets \
           WHERE (database_name, link, position) > ($2, $3, $4) \
           ORDER BY database_name, link, position LIMIT $1",
    update: "UPDATE targets SET sealed = $1, key_id = $2 \
             WHERE database_name = $3 AND link = $4 AND position = $5",
    has_position: true,
    purpose: |name| Purpose::Target(name),
};

impl Table {
    /// Seals every row anew; returns how many there are.
    async fn seal_anew(
        &self,
        connection: &mut SqliteConnection,
        keys: &KeyRing,
        fresh: &SealingKey,
    ) -> Result<usize, Fault> {
        let mut count = 0;
        let mut last = LinkName::new(None, "");
        let mut position = -1_i64;
        loop {
            let mut page = sqlx::query(self.page)
                .bind(PAGE)
                .bind(database_of(&last))
                .bind(&last.name);
            if self.has_position {
                page = page.bind(position);
            }
            let rows = page.fetch_all(&mut *connection).await?;
            if rows.is_empty() {
                return Ok(count);
            }
            count += rows.len();
            for row in rows {
                last = name(row.try_get("database_name")?, row.try_get("link")?);
                let purpose = (self.purpose)(&last);
                let key = keys.get(row.try_get("key_id")?);
                let texts = key
                    .and_then(|key| sealed::open(key, purpose, row.try_get("sealed").ok()?))
                    .ok_or_else(|| RegistryError::Damaged(last.clone()))?;
                let texts: Vec<_> = texts.iter().map(Secret::expose).collect();
                let mut update = sqlx::query(self.update)
                    .bind(sealed::seal(fresh, purpose, &texts)?)
                    .bind(fresh.id())
                    .bind(database_of(&last))
                    .bind(&last.name);
                if self.has_position {
                    position = row.try_get("position")?;
                    update = update.bind(position);
                }
                update.execute(&mut *connection).await?;
            }
        }
    }
}
