//! Names of checks in the history. Their targets may hold what nobody else may see, so they are
//! sealed; rows of one link are few enough to be opened and compared.

use std::collections::HashMap;

use linkdial_core::{LinkName, Target};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::column::{database_of, name, number};
use super::error::Fault;
use super::key::KeyRing;
use super::sealed::{self, Purpose};
use super::sqlite::WRITE;
use super::store::opened;
use crate::history::CheckName;

/// A name with the target as it is dialled.
struct Row {
    number: i64,
    shown: String,
    whole: String,
    twin: u32,
}

/// Names checks by link and target. Two that a report shows alike are told apart by their whole
/// targets, and have the same names in every sweep.
pub(super) async fn name_all(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    checks: &[(&LinkName, Option<&Target>)],
) -> Result<Vec<CheckName>, Fault> {
    let mut transaction = connection.begin_with(WRITE).await?;
    let mut known: HashMap<&LinkName, Vec<Row>> = HashMap::new();
    let mut names = Vec::with_capacity(checks.len());
    for (link, target) in checks {
        if !known.contains_key(*link) {
            let rows = rows(&mut transaction, keys, link).await?;
            known.insert(*link, rows);
        }
        let rows = known.entry(*link).or_default();
        let shown = target.map_or_else(String::new, ToString::to_string);
        let whole = target.map_or_else(String::new, whole);
        let same = rows
            .iter()
            .find(|row| row.whole == whole && row.shown == shown);
        let twin = if let Some(row) = same {
            row.twin
        } else {
            let alike = rows.iter().filter(|row| row.shown == shown);
            let twin = alike.map(|row| row.twin + 1).max().unwrap_or(0);
            let number = insert(&mut transaction, keys, link, twin, [&shown, &whole]).await?;
            rows.push(Row {
                number,
                shown: shown.clone(),
                whole,
                twin,
            });
            twin
        };
        names.push(CheckName {
            link: (*link).clone(),
            target: shown,
            twin,
        });
    }
    transaction.commit().await?;
    Ok(names)
}

/// Everything that two targets can differ in, and that decides what is dialled.
fn whole(target: &Target) -> String {
    serde_json::json!([target.as_str(), target.registry()]).to_string()
}

async fn insert(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    link: &LinkName,
    twin: u32,
    texts: [&str; 2],
) -> Result<i64, Fault> {
    let row = sqlx::query(
        "INSERT INTO check_names (number, database_name, link, twin, sealed, key_id) \
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM check_names), $1, $2, $3, $4, $5) \
         RETURNING number",
    )
    .bind(database_of(link))
    .bind(&link.name)
    .bind(i64::from(twin))
    .bind(sealed::seal(keys.current(), Purpose::Check(link), &texts)?)
    .bind(keys.current().id())
    .fetch_one(connection)
    .await?;
    Ok(row.try_get("number")?)
}

/// Returns the names of a link, without damaged ones.
async fn rows(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    link: &LinkName,
) -> Result<Vec<Row>, Fault> {
    let rows = sqlx::query(
        "SELECT number, twin, sealed, key_id FROM check_names \
         WHERE database_name = $1 AND link = $2",
    )
    .bind(database_of(link))
    .bind(&link.name)
    .fetch_all(connection)
    .await?;
    let mut names = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(texts) = opened(keys, Purpose::Check(link), &row)? {
            names.push(Row {
                number: row.try_get("number")?,
                shown: texts[0].expose().to_owned(),
                whole: texts[1].expose().to_owned(),
                twin: twin(&row)?,
            });
        }
    }
    Ok(names)
}

/// Returns the number of a name that [`name_all`] gave.
pub(super) async fn number_of(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    name: &CheckName,
) -> Result<Option<i64>, Fault> {
    let rows = rows(connection, keys, &name.link).await?;
    let mut rows = rows.into_iter();
    let row = rows.find(|row| row.shown == name.target && row.twin == name.twin);
    Ok(row.map(|row| row.number))
}

/// Reads the name of a row that is joined with its names; `None` where it is damaged.
pub(super) fn read(row: &SqliteRow, keys: &KeyRing) -> Result<Option<CheckName>, Fault> {
    let link = name(row.try_get("database_name")?, row.try_get("link")?);
    let texts = opened(keys, Purpose::Check(&link), row)?;
    let twin = twin(row)?;
    Ok(texts.map(|texts| CheckName {
        target: texts[0].expose().to_owned(),
        link,
        twin,
    }))
}

fn twin(row: &SqliteRow) -> Result<u32, Fault> {
    Ok(u32::try_from(number(row, "twin")?).unwrap_or(u32::MAX))
}
