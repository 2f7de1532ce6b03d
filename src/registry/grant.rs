//! Who may do what with the links of which database.

use std::fmt;

use jiff::Timestamp;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::Permission;
use super::error::{Fault, unknown};
use super::record::{self, Action, Entry};
use super::sqlite::WRITE;

/// A permission that a user has.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Grant {
    /// Who.
    pub user: String,
    /// What.
    pub permission: Permission,
    /// Where; `None` stands for every database.
    pub database: Option<String>,
}

impl Grant {
    /// Returns whether it lets its user do this with the links of a database.
    pub fn allows(&self, permission: Permission, database: &str) -> bool {
        self.permission == permission
            && self
                .database
                .as_deref()
                .is_none_or(|known| known == database)
    }

    /// No database has an empty name, so that stands for every one.
    fn database_name(&self) -> &str {
        self.database.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Grant {
    /// Writes `SHOW LINK ON shop.*`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.database.as_deref().unwrap_or("*");
        write!(formatter, "{} ON {database}.*", self.permission.as_str())
    }
}

/// Grants or revokes, as the action says; returns how many permissions changed.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    who: &str,
    action: Action,
    grants: &[Grant],
) -> Result<usize, Fault> {
    let (sql, word) = match action {
        Action::Revoke => (
            "DELETE FROM grants WHERE user_name = $1 AND permission = $2 AND database_name = $3",
            "FROM",
        ),
        _ => (
            "INSERT INTO grants (user_name, permission, database_name) VALUES ($1, $2, $3) \
             ON CONFLICT (user_name, permission, database_name) DO NOTHING",
            "TO",
        ),
    };
    let mut transaction = connection.begin_with(WRITE).await?;
    let mut entries = Vec::new();
    for grant in grants {
        let done = sqlx::query(sql)
            .bind(&grant.user)
            .bind(grant.permission.as_str())
            .bind(grant.database_name())
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 1 {
            let detail = format!("{grant} {word} {}", grant.user);
            entries.push(Entry::new(who, action, None, detail));
        }
    }
    let first = record::next_number(&mut transaction).await?;
    record::add(&mut transaction, first, Timestamp::now(), &entries).await?;
    transaction.commit().await?;
    Ok(entries.len())
}

/// Returns the permissions of a user, ordered.
pub(super) async fn of_user(
    connection: &mut SqliteConnection,
    user: &str,
) -> Result<Vec<Grant>, Fault> {
    let rows = sqlx::query(
        "SELECT permission, database_name FROM grants WHERE user_name = $1 \
         ORDER BY permission, database_name",
    )
    .bind(user)
    .fetch_all(connection)
    .await?;
    let grant = |row: &sqlx::sqlite::SqliteRow| {
        let word: &str = row.try_get("permission")?;
        let database: String = row.try_get("database_name")?;
        Ok(Grant {
            user: user.to_owned(),
            permission: Permission::ALL
                .into_iter()
                .find(|permission| permission.as_str() == word)
                .ok_or_else(|| unknown("permission", word))?,
            database: Some(database).filter(|database| !database.is_empty()),
        })
    };
    rows.iter().map(grant).collect()
}
