//! A fresh key for everything that is sealed.
//!
//! A crash at any point leaves a key file with the key that the registry names: the fresh key is
//! in the file before anything is sealed with it, everything is sealed anew in one transaction, and
//! the old key leaves the file last. The registry remembers which keys it made, the fresh one before
//! it is in the file, and removes no others: the file may be that of several registries.

use jiff::Timestamp;
use linkdial_core::{LinkName, Secret};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::column::{database_of, name};
use super::error::Fault;
use super::key::{KeyRing, SealingKey};
use super::record::{self, Action, Entry};
use super::sealed::{self, Purpose};
use super::sqlite::WRITE;
use super::store::{Store, keep_up, opened, own_keys, set_key};

/// Rows that are held at once.
const PAGE: i64 = 500;

/// What came of a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The links that are sealed with the fresh key.
    pub links: usize,
    /// The damaged definitions and targets that stay as they were. Their key stays in the key file.
    pub left: usize,
}

/// Seals everything anew and forgets the old key.
pub(super) async fn rotate(store: &mut Store, who: &str) -> Result<Rotation, Fault> {
    let fresh = announce(store).await?;
    let rotation = seal_anew(store, fresh, who).await?;
    forget_old_keys(store).await?;
    // The log may hold what the old key opens. Somebody who reads keeps it a while longer.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut store.connection)
        .await?;
    Ok(rotation)
}

/// Makes a key that the registry knows as its own, so that the next rotation can remove it if this
/// one ends early.
pub(super) async fn announce(store: &mut Store) -> Result<SealingKey, Fault> {
    let fresh = SealingKey::generate()?;
    let mut transaction = store.connection.begin_with(WRITE).await?;
    keep_up(&mut transaction, &mut store.keys).await?;
    let mut own = own_keys(&mut transaction, &store.keys).await?;
    own.push(fresh.id().to_owned());
    set_key(&mut transaction, store.keys.current(), &own).await?;
    transaction.commit().await?;
    Ok(fresh)
}

/// Adds a fresh key to the file and seals everything with it.
pub(super) async fn seal_anew(
    store: &mut Store,
    fresh: SealingKey,
    who: &str,
) -> Result<Rotation, Fault> {
    let mut transaction = store.connection.begin_with(WRITE).await?;
    // Another process may have rotated; from here on none can.
    keep_up(&mut transaction, &mut store.keys).await?;
    let mut own = own_keys(&mut transaction, &store.keys).await?;
    if !own.iter().any(|id| id == fresh.id()) {
        own.push(fresh.id().to_owned());
    }
    store.keys.add(fresh.clone())?;

    let (links, left) = LINKS
        .seal_anew(&mut transaction, &store.keys, &fresh)
        .await?;
    let (_, left_targets) = TARGETS
        .seal_anew(&mut transaction, &store.keys, &fresh)
        .await?;
    let (_, left_names) = CHECK_NAMES
        .seal_anew(&mut transaction, &store.keys, &fresh)
        .await?;
    let left = left + left_targets + left_names;
    set_key(&mut transaction, &fresh, &own).await?;
    let first = record::next_number(&mut transaction).await?;
    let detail = match left {
        0 => format!("links: {links}"),
        left => format!("links: {links}, damaged and left: {left}"),
    };
    let entry = Entry::new(who, Action::RotateKey, None, detail);
    record::add(&mut transaction, first, Timestamp::now(), &[entry]).await?;
    transaction.commit().await?;
    store.keys.turn_to(fresh.id());
    Ok(Rotation { links, left })
}

/// Removes the registry's own keys from the file that seal nothing any more.
async fn forget_old_keys(store: &mut Store) -> Result<(), Fault> {
    let mut transaction = store.connection.begin_with(WRITE).await?;
    // It may be the key of the next rotation by now, which tidies up on its own as well.
    keep_up(&mut transaction, &mut store.keys).await?;
    let own = own_keys(&mut transaction, &store.keys).await?;
    let mut used = vec![store.keys.current_id().to_owned()];
    let rows = sqlx::query(
        "SELECT key_id FROM links UNION SELECT key_id FROM targets \
         UNION SELECT key_id FROM check_names",
    )
    .fetch_all(&mut *transaction)
    .await?;
    for row in rows {
        used.push(row.try_get("key_id")?);
    }
    let (used, unused): (Vec<_>, Vec<_>) = own.into_iter().partition(|id| used.contains(id));
    store.keys.file().remove(&unused)?;
    set_key(&mut transaction, store.keys.current(), &used).await?;
    transaction.commit().await?;
    let current = store.keys.current_id().to_owned();
    Ok(store.keys.reload(&current)?)
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

const CHECK_NAMES: Table = Table {
    page: "SELECT database_name, link, number AS position, sealed, key_id FROM check_names \
           WHERE (database_name, link, number) > ($2, $3, $4) \
           ORDER BY database_name, link, number LIMIT $1",
    update: "UPDATE check_names SET sealed = $1, key_id = $2 \
             WHERE database_name = $3 AND link = $4 AND number = $5",
    has_position: true,
    purpose: |name| Purpose::Check(name),
};

impl Table {
    /// Seals every row anew that opens; returns how many did and how many did not.
    async fn seal_anew(
        &self,
        connection: &mut SqliteConnection,
        keys: &KeyRing,
        fresh: &SealingKey,
    ) -> Result<(usize, usize), Fault> {
        let (mut count, mut left) = (0, 0);
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
                return Ok((count, left));
            }
            for row in rows {
                last = name(row.try_get("database_name")?, row.try_get("link")?);
                if self.has_position {
                    position = row.try_get("position")?;
                }
                let purpose = (self.purpose)(&last);
                let Some(texts) = opened(keys, purpose, &row)? else {
                    left += 1;
                    continue;
                };
                count += 1;
                let texts: Vec<_> = texts.iter().map(Secret::expose).collect();
                let mut update = sqlx::query(self.update)
                    .bind(sealed::seal(fresh, purpose, &texts)?)
                    .bind(fresh.id())
                    .bind(database_of(&last))
                    .bind(&last.name);
                if self.has_position {
                    update = update.bind(position);
                }
                update.execute(&mut *connection).await?;
            }
        }
    }
}
