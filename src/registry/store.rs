//! Links and targets in the database, sealed and opened.

use std::ops::ControlFlow;
use std::path::Path;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use linkdial_core::{LinkName, Secret, Target};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::column::{DEFERRED, VERIFIED, database_of, intent, kind, name, number, state, user_of};
use super::error::{Fault, unknown};
use super::key::{KeyFile, KeyRing, SealingKey};
use super::link::{Change, Known, Listed, NewLink, State, StoredLink, StoredTarget};
use super::record::{self, Action, Entry};
use super::sealed::{self, Purpose};
use super::sqlite::{self, WRITE};
use super::{RegistryError, UserKind};

/// What the check of a registry says first once it is opened; the ids of its own keys follow.
const CHECK: &str = "linkdial";

/// An open file with the keys to it.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: SqliteConnection,
    pub(super) keys: KeyRing,
    pub(super) new_key: bool,
}

impl Store {
    pub(super) async fn open(path: &Path, key_file: KeyFile) -> Result<Self, Fault> {
        let mut connection = sqlite::open(path).await?;
        match unlock(&mut connection, key_file).await {
            Ok((keys, new_key)) => Ok(Self {
                connection,
                keys,
                new_key,
            }),
            Err(fault) => Err(sqlite::closed(connection, fault).await),
        }
    }

    /// Returns what the history is read and written with.
    pub(super) async fn with_keys(&mut self) -> Result<(&mut SqliteConnection, &KeyRing), Fault> {
        keep_up(&mut self.connection, &mut self.keys).await?;
        Ok((&mut self.connection, &self.keys))
    }

    pub(super) async fn read(&mut self, name: &LinkName) -> Result<Known, Fault> {
        loop {
            let (link, targets) = rows(&mut self.connection, name).await?;
            let mut strange = false;
            for row in link.iter().chain(&targets) {
                strange |= self.keys.get(row.try_get("key_id")?).is_none();
            }
            // Somebody has rotated the key meanwhile. If not, the row is damaged.
            if strange && keep_up(&mut self.connection, &mut self.keys).await? {
                continue;
            }
            return self.known(name, link.as_ref(), &targets);
        }
    }

    fn known(
        &self,
        name: &LinkName,
        link: Option<&SqliteRow>,
        targets: &[SqliteRow],
    ) -> Result<Known, Fault> {
        let mut known = Known::default();
        if let Some(row) = link {
            known.link = self.link(name, row)?;
            if known.link.is_none() {
                known.damaged = Some(number(row, "revision")?);
            }
        }
        for row in targets {
            known.targets.extend(self.target(name, row)?);
        }
        Ok(known)
    }

    /// Returns `None` where it is damaged.
    fn link(&self, name: &LinkName, row: &SqliteRow) -> Result<Option<StoredLink>, Fault> {
        let Some(mut texts) = opened(&self.keys, Purpose::Definition(name), row)? else {
            return Ok(None);
        };
        let secrets = texts.split_off(2);
        let ignored: &str = row.try_get("ignored")?;
        let ignored: Vec<(String, String)> =
            serde_json::from_str(ignored).map_err(|_| unknown("ignored", ignored))?;
        Ok(Some(StoredLink {
            name: name.clone(),
            kind: kind(row)?,
            credentials: texts.swap_remove(0),
            config: texts.swap_remove(0),
            secrets,
            description: row.try_get("description")?,
            // A code that is not known here lowers nothing here.
            ignored: ignored
                .into_iter()
                .filter_map(|(code, reason)| Some((code.parse().ok()?, reason)))
                .collect(),
            state: state(row)?,
            revision: number(row, "revision")?,
            definition: number(row, "definition")?,
        }))
    }

    /// Returns `None` where it is damaged.
    fn target(&self, name: &LinkName, row: &SqliteRow) -> Result<Option<StoredTarget>, Fault> {
        let Some(texts) = opened(&self.keys, Purpose::Target(name), row)? else {
            return Ok(None);
        };
        let (target, registry) = (&texts[0], &texts[1]);
        let user: Option<&str> = row.try_get("user_name")?;
        Ok(Some(StoredTarget {
            target: Target::new(target.expose()),
            intent: intent(row)?,
            format: row.try_get("format")?,
            registry: Some(registry.expose().to_owned()).filter(|registry| !registry.is_empty()),
            user: user.map(|user| user_of(row, user)).transpose()?,
        }))
    }

    pub(super) async fn commit(&mut self, change: &Change<'_>) -> Result<u64, Fault> {
        let mut transaction = self.connection.begin_with(WRITE).await?;
        let connection = &mut *transaction;
        if revision(connection, change.name).await? != change.expected {
            return Err(RegistryError::Conflict(change.name.clone()).into());
        }
        keep_up(connection, &mut self.keys).await?;
        let now = Timestamp::now();
        let first = record::next_number(connection).await?;
        let last = first - 1 + i64::try_from(change.record.len()).expect("entries are in memory");
        record::add(connection, first, now, change.record).await?;
        delete_link(connection, change.name).await?;
        delete_targets(connection, change.name).await?;
        if let Some(link) = &change.link {
            insert_link(connection, &self.keys, change, link, last, now).await?;
        }
        insert_targets(connection, &self.keys, change.name, change.targets).await?;
        transaction.commit().await?;
        Ok(u64::try_from(last).expect("numbers start at 1"))
    }

    pub(super) async fn set_targets(
        &mut self,
        name: &LinkName,
        expected: Option<u64>,
        targets: &[StoredTarget],
        entry: &Entry,
    ) -> Result<u64, Fault> {
        let mut transaction = self.connection.begin_with(WRITE).await?;
        let connection = &mut *transaction;
        if revision(connection, name).await? != expected {
            return Err(RegistryError::Conflict(name.clone()).into());
        }
        keep_up(connection, &mut self.keys).await?;
        let now = Timestamp::now();
        let number = record::next_number(connection).await?;
        record::add(connection, number, now, std::slice::from_ref(entry)).await?;
        sqlx::query(
            "UPDATE links SET revision = $1, changed_at = $2, changed_by = $3 \
             WHERE database_name = $4 AND link = $5",
        )
        .bind(number)
        .bind(now.to_string())
        .bind(&entry.who)
        .bind(database_of(name))
        .bind(&name.name)
        .execute(&mut *connection)
        .await?;
        delete_targets(connection, name).await?;
        insert_targets(connection, &self.keys, name, targets).await?;
        transaction.commit().await?;
        Ok(u64::try_from(number).expect("numbers start at 1"))
    }

    pub(super) async fn promote(
        &mut self,
        links: &[(&LinkName, u64)],
        who: &str,
    ) -> Result<Vec<LinkName>, Fault> {
        let mut transaction = self.connection.begin_with(WRITE).await?;
        let now = Timestamp::now();
        let mut promoted = Vec::new();
        for (name, expected) in links {
            let changed = sqlx::query(
                "UPDATE links SET state = $1, state_at = $2, state_by = NULL \
                 WHERE database_name = $3 AND link = $4 AND revision = $5 AND state = $6",
            )
            .bind(VERIFIED)
            .bind(now.to_string())
            .bind(database_of(name))
            .bind(&name.name)
            .bind(i64::try_from(*expected).unwrap_or(i64::MAX))
            .bind(DEFERRED)
            .execute(&mut *transaction)
            .await?;
            if changed.rows_affected() > 0 {
                promoted.push((*name).clone());
            }
        }
        let first = record::next_number(&mut transaction).await?;
        let entry = |name: &LinkName| {
            let detail = "it passed its dials".to_owned();
            Entry::new(who, Action::Promote, Some(name.clone()), detail)
        };
        let entries: Vec<Entry> = promoted.iter().map(entry).collect();
        record::add(&mut transaction, first, now, &entries).await?;
        transaction.commit().await?;
        Ok(promoted)
    }

    pub(super) async fn add_to_record(&mut self, entries: &[Entry]) -> Result<(), Fault> {
        let mut transaction = self.connection.begin_with(WRITE).await?;
        let first = record::next_number(&mut transaction).await?;
        record::add(&mut transaction, first, Timestamp::now(), entries).await?;
        Ok(transaction.commit().await?)
    }
}

/// Returns the keys of a registry, the first one made where it has none, and whether it was.
async fn unlock(
    connection: &mut SqliteConnection,
    key_file: KeyFile,
) -> Result<(KeyRing, bool), Fault> {
    let mut keys = KeyRing::new(key_file);
    let mut new_key = false;
    if proof(connection).await?.is_none() {
        let mut transaction = connection.begin_with(WRITE).await?;
        // Another process may have been first.
        if proof(&mut transaction).await?.is_none() {
            let key = SealingKey::generate()?;
            set_key(&mut transaction, &key, &[key.id().to_owned()]).await?;
            // Another one may lie there, but never one that two registries share: the rotation of
            // one would take it from the other.
            new_key = keys.add(key)?;
        }
        transaction.commit().await?;
    }
    keep_up(connection, &mut keys).await?;
    Ok((keys, new_key))
}

/// Reads the rows of a link and of its targets, both in one state.
async fn rows(
    connection: &mut SqliteConnection,
    name: &LinkName,
) -> Result<(Option<SqliteRow>, Vec<SqliteRow>), Fault> {
    let mut transaction = connection.begin().await?;
    let link = sqlx::query(
        "SELECT type, description, sealed, key_id, revision, definition, state, state_at, \
         state_by, ignored FROM links WHERE database_name = $1 AND link = $2",
    )
    .bind(database_of(name))
    .bind(&name.name)
    .fetch_optional(&mut *transaction)
    .await?;
    let targets = sqlx::query(
        "SELECT sealed, key_id, intent, format, user_kind, user_database, user_name \
         FROM targets WHERE database_name = $1 AND link = $2 ORDER BY position",
    )
    .bind(database_of(name))
    .bind(&name.name)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((link, targets))
}

/// Opens what is sealed in a row, two texts at least; `None` where it is damaged.
pub(super) fn opened(
    keys: &KeyRing,
    purpose: Purpose<'_>,
    row: &SqliteRow,
) -> Result<Option<Vec<Secret>>, Fault> {
    let Some(key) = keys.get(row.try_get("key_id")?) else {
        return Ok(None);
    };
    let texts = sealed::open(key, purpose, row.try_get("sealed")?);
    Ok(texts.filter(|texts| texts.len() >= 2))
}

/// The key that everything is sealed with, as the registry knows it.
#[derive(Eq, PartialEq)]
struct Proof {
    key_id: String,
    check: String,
}

/// Returns `None` for a registry that has no key yet.
async fn proof(connection: &mut SqliteConnection) -> Result<Option<Proof>, Fault> {
    let row = sqlx::query(
        "SELECT k.value AS key_id, c.value AS proof FROM registry k, registry c \
         WHERE k.name = 'key' AND c.name = 'check'",
    )
    .fetch_optional(connection)
    .await?;
    let proof = |row: SqliteRow| {
        Ok(Proof {
            key_id: row.try_get("key_id")?,
            check: row.try_get("proof")?,
        })
    };
    row.map(proof).transpose()
}

/// Notes the current key and what proves it, with the ids of all keys that the registry made.
pub(super) async fn set_key(
    connection: &mut SqliteConnection,
    key: &SealingKey,
    own: &[String],
) -> Result<(), Fault> {
    let own = own.iter().map(String::as_str);
    let texts: Vec<_> = std::iter::once(CHECK).chain(own).collect();
    let check = sealed::seal(key, Purpose::Proof, &texts)?;
    for (name, value) in [("key", key.id()), ("check", &check)] {
        sqlx::query(
            "INSERT INTO registry (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Returns the ids of the keys that the registry made, after [`keep_up`]. A registry of an earlier
/// version did not note them.
pub(super) async fn own_keys(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
) -> Result<Vec<String>, Fault> {
    let proof = proof(connection).await?;
    let texts = proof.and_then(|it| sealed::open(keys.current(), Purpose::Proof, &it.check));
    let texts = texts.ok_or_else(|| keys.wrong())?;
    let own = texts.iter().skip(1);
    Ok(own.map(|id| id.expose().to_owned()).collect())
}

/// Makes sure that the keys at hand are those of the registry: another process may have rotated
/// them. In a transaction that writes they stay so. Returns whether they were others.
pub(super) async fn keep_up(
    connection: &mut SqliteConnection,
    keys: &mut KeyRing,
) -> Result<bool, Fault> {
    let mut wanted = proof(connection).await?;
    loop {
        let Some(proof) = &wanted else {
            return Err(keys.wrong().into());
        };
        if keys.current_id() == proof.key_id {
            return Ok(false);
        }
        let unlocked = keys.reload(&proof.key_id).and_then(|()| {
            let check = sealed::open(keys.current(), Purpose::Proof, &proof.check);
            check.map(drop).ok_or_else(|| keys.reject())
        });
        let Err(error) = unlocked else {
            return Ok(true);
        };
        // A rotation may have passed between the registry and the file.
        let now = self::proof(connection).await?;
        if now == wanted {
            return Err(error.into());
        }
        wanted = now;
    }
}

pub(super) async fn revision(
    connection: &mut SqliteConnection,
    name: &LinkName,
) -> Result<Option<u64>, Fault> {
    let row = sqlx::query("SELECT revision FROM links WHERE database_name = $1 AND link = $2")
        .bind(database_of(name))
        .bind(&name.name)
        .fetch_optional(connection)
        .await?;
    row.map(|row| number(&row, "revision")).transpose()
}

async fn delete_link(connection: &mut SqliteConnection, name: &LinkName) -> Result<(), Fault> {
    sqlx::query("DELETE FROM links WHERE database_name = $1 AND link = $2")
        .bind(database_of(name))
        .bind(&name.name)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_targets(connection: &mut SqliteConnection, name: &LinkName) -> Result<(), Fault> {
    sqlx::query("DELETE FROM targets WHERE database_name = $1 AND link = $2")
        .bind(database_of(name))
        .bind(&name.name)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_link(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    change: &Change<'_>,
    link: &NewLink<'_>,
    revision: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    let ignored: Vec<_> = (link.ignored.iter())
        .map(|(code, reason)| (code.as_str(), reason))
        .collect();
    let (state, at, by) = match &link.state {
        State::Verified { at } => (VERIFIED, at, None),
        State::Deferred { at, by } => (DEFERRED, at, Some(by)),
    };
    let mut texts = vec![link.credentials.expose(), link.config.expose()];
    texts.extend(link.secrets.iter().map(Secret::expose));
    let purpose = Purpose::Definition(change.name);
    sqlx::query(
        "INSERT INTO links (database_name, link, folded, type, description, config, sealed, \
         key_id, revision, definition, state, state_at, state_by, ignored, changed_at, changed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(database_of(change.name))
    .bind(&change.name.name)
    .bind(folded(change.name))
    .bind(link.kind.as_str())
    .bind(link.description)
    .bind(&link.shown_config)
    .bind(sealed::seal(keys.current(), purpose, &texts)?)
    .bind(keys.current().id())
    .bind(revision)
    .bind(state)
    .bind(at.to_string())
    .bind(by)
    .bind(serde_json::json!(ignored).to_string())
    .bind(now.to_string())
    .bind(change.record.last().map(|entry| &entry.who))
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_targets(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    name: &LinkName,
    targets: &[StoredTarget],
) -> Result<(), Fault> {
    for (position, target) in (0_i64..).zip(targets) {
        let registry = target.registry.as_deref().unwrap_or_default();
        let texts = [target.target.as_str(), registry];
        let user = target.user.as_ref();
        sqlx::query(
            "INSERT INTO targets (database_name, link, position, sealed, key_id, intent, format, \
             user_kind, user_database, user_name) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(database_of(name))
        .bind(&name.name)
        .bind(position)
        .bind(sealed::seal(keys.current(), Purpose::Target(name), &texts)?)
        .bind(keys.current().id())
        .bind(target.intent.words().join(" "))
        .bind(&target.format)
        .bind(user.map(|(kind, _)| kind.as_str()))
        .bind(user.map(|(_, user)| database_of(user)))
        .bind(user.map(|(_, user)| &user.name))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Returns a link whose name differs only in letter case.
pub(super) async fn similar(
    connection: &mut SqliteConnection,
    wanted: &LinkName,
) -> Result<Option<LinkName>, Fault> {
    let rows = sqlx::query(
        "SELECT database_name, link FROM links WHERE folded = $1 ORDER BY database_name, link",
    )
    .bind(folded(wanted))
    .fetch_all(connection)
    .await?;
    for row in rows {
        let found = name(row.try_get("database_name")?, row.try_get("link")?);
        if found != *wanted {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Both parts in lower case, as JSON, so that a dot in a name is no dot between two.
fn folded(name: &LinkName) -> String {
    serde_json::json!([database_of(name).to_lowercase(), name.name.to_lowercase()]).to_string()
}

/// Returns the links that a pipeline or function uses.
pub(super) async fn links_of_user(
    connection: &mut SqliteConnection,
    kind: UserKind,
    user: &LinkName,
) -> Result<Vec<LinkName>, Fault> {
    let rows = sqlx::query(
        "SELECT DISTINCT database_name, link FROM targets \
         WHERE user_name = $1 AND user_database = $2 AND user_kind = $3 \
         ORDER BY database_name, link",
    )
    .bind(&user.name)
    .bind(database_of(user))
    .bind(kind.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok(name(row.try_get("database_name")?, row.try_get("link")?)))
        .collect()
}

/// Hands over every link, or those of one database.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    database: Option<&str>,
    mut each: impl FnMut(Listed) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let query = match database {
        Some(database) => sqlx::query(
            "SELECT database_name, link, type, description, config, state, state_at, state_by \
             FROM links WHERE database_name = $1 ORDER BY link",
        )
        .bind(database),
        None => sqlx::query(
            "SELECT database_name, link, type, description, config, state, state_at, state_by \
             FROM links ORDER BY database_name, link",
        ),
    };
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let listed = Listed {
            name: name(row.try_get("database_name")?, row.try_get("link")?),
            kind: kind(&row)?,
            description: row.try_get("description")?,
            config: row.try_get("config")?,
            state: state(&row)?,
        };
        if each(listed).is_break() {
            break;
        }
    }
    Ok(())
}
