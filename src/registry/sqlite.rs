//! One file with everything: how it is made, opened and brought to the newest schema.

use std::borrow::Cow;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlSafeStr as _, SqliteConnection};
use tokio::time::Instant;

use super::RegistryError;
use super::error::Fault;

/// How long a lock of another process is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection waits before it tries again to turn to the write-ahead log.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Starts a transaction that may write, so that it does not find out too late that it can not.
pub(super) const WRITE: &str = "BEGIN IMMEDIATE";

/// Every schema, in order. A registry only goes forward.
fn migrations() -> Vec<Migration> {
    [
        ("links", include_str!("migrations/0001_links.sql")),
        ("record", include_str!("migrations/0002_record.sql")),
        ("history", include_str!("migrations/0003_history.sql")),
    ]
    .into_iter()
    .zip(1..)
    .map(|((name, sql), version)| {
        Migration::new(
            version,
            Cow::Borrowed(name),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    })
    .collect()
}

/// The newest schema.
fn known() -> i64 {
    migrations().last().map_or(0, |last| last.version)
}

/// Opens the file, which is made where there is none, and migrates it.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, Fault> {
    make(path).map_err(|source| RegistryError::Open {
        path: path.to_owned(),
        source,
    })?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    let mut connection = loop {
        match connect(path).await {
            // A file can not wait for its turn to the write-ahead log; the time-out of SQLite
            // does not cover it.
            Err(fault) if fault.is_locked() && Instant::now() < deadline => {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            result => break result?,
        }
    };
    match migrate(&mut connection, path).await {
        Ok(()) => Ok(connection),
        Err(fault) => Err(closed(connection, fault).await),
    }
}

/// Closes a file that is not to be used, so that nothing stays beside it.
pub(super) async fn closed(connection: SqliteConnection, fault: Fault) -> Fault {
    // What went wrong first is what is told.
    drop(connection.close().await);
    fault
}

/// Makes the file before SQLite does, for nobody else to read. What SQLite makes beside it gets
/// the same mode.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(folder)?;
    }
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut options = OpenOptions::new();
    // To open a file that is there, and to close it again, would end SQLite's locks on it.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn connect(path: &Path) -> Result<SqliteConnection, Fault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_TIMEOUT)
        // What was replaced or dropped is overwritten: an old key must find nothing to open.
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    match turn_to_log(&mut connection, path).await {
        Ok(()) => Ok(connection),
        Err(fault) => Err(closed(connection, fault).await),
    }
}

/// Turns a registry, and no file of another program, to the write-ahead log.
async fn turn_to_log(connection: &mut SqliteConnection, path: &Path) -> Result<(), Fault> {
    version(connection, path).await?;
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(connection)
        .await?;
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), Fault> {
    let known = known();
    if version(connection, path).await? == known {
        return Ok(());
    }
    // The migrator does not lock SQLite on its own.
    let mut transaction = connection.begin_with(WRITE).await?;
    if version(&mut transaction, path).await? < known {
        Migrator::with_migrations(migrations())
            .run_direct(None, &mut *transaction, false)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Returns the schema of the file, 0 where it is empty.
async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, Fault> {
    // A program that has made nothing yet may have put its mark on the file.
    let row = sqlx::query(
        "SELECT COUNT(*) + (SELECT application_id <> 0 FROM pragma_application_id) \
         + (SELECT user_version <> 0 FROM pragma_user_version), \
         COUNT(CASE WHEN type = 'table' AND name IN ('_sqlx_migrations', 'registry') THEN 1 END) \
         FROM sqlite_master",
    )
    .fetch_one(&mut *connection)
    .await?;
    match (row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?) {
        (0, _) => return Ok(0),
        (_, 2) => {}
        _ => return Err(RegistryError::NotARegistry(path.to_owned()).into()),
    }
    let found = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?
        .try_get(0)?;
    let known = known();
    if found > known {
        let path = path.to_owned();
        return Err(RegistryError::Newer { path, found, known }.into());
    }
    Ok(found)
}
