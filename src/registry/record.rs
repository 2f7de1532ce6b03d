//! The record of every change and dial.

use std::ops::ControlFlow;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use linkdial_core::{Code, LinkName, Outcome};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::column::{database_of, name, number, outcome_of, time};
use super::error::{Fault, unknown};

/// A line of the record. It never holds a secret.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The user of the registry.
    pub who: String,
    /// What was done.
    pub action: Action,
    /// Which link; `None` for grants and keys.
    pub link: Option<LinkName>,
    /// What a dial came to.
    pub verdict: Option<Outcome>,
    /// The code of a dial that did not simply pass.
    pub code: Option<Code>,
    /// Whom a grant is for and which, the pipeline that was dropped, or how far a dial went.
    pub detail: Option<String>,
}

/// What a line of the record is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// A link was created.
    Create,
    /// A link was replaced.
    Replace,
    /// A link was altered.
    Alter,
    /// A link was dropped.
    Drop,
    /// Targets were added or taken back.
    Targets,
    /// A link was dialled.
    Dial,
    /// A permission was granted.
    Grant,
    /// A permission was revoked.
    Revoke,
    /// The registry was sealed under a new key.
    RotateKey,
    /// A deferred link passed its dial and counts as verified.
    Promote,
    /// All links, or some, were dialled by a sweep; its history says what came of each.
    Sweep,
}

/// A line of the record as it is read.
#[derive(Clone, Debug)]
pub struct RecordLine {
    /// Its number.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub entry: Entry,
}

impl Action {
    const ALL: [Self; 11] = [
        Self::Create,
        Self::Replace,
        Self::Alter,
        Self::Drop,
        Self::Targets,
        Self::Dial,
        Self::Grant,
        Self::Revoke,
        Self::RotateKey,
        Self::Promote,
        Self::Sweep,
    ];

    /// Returns the word of the record, such as `create` or `rotate-key`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Alter => "alter",
            Self::Drop => "drop",
            Self::Targets => "targets",
            Self::Dial => "dial",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::RotateKey => "rotate-key",
            Self::Promote => "promote",
            Self::Sweep => "sweep",
        }
    }
}

impl Entry {
    /// An entry without a dial.
    pub(super) fn new(who: &str, action: Action, link: Option<LinkName>, detail: String) -> Self {
        Self {
            who: who.to_owned(),
            action,
            link,
            verdict: None,
            code: None,
            detail: Some(detail),
        }
    }
}

/// Returns the number that the next line gets; right until the transaction ends.
pub(super) async fn next_number(connection: &mut SqliteConnection) -> Result<i64, Fault> {
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 FROM record")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// Adds lines; the first one gets this number.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    first: i64,
    at: Timestamp,
    entries: &[Entry],
) -> Result<(), Fault> {
    for (number, entry) in (first..).zip(entries) {
        sqlx::query(
            "INSERT INTO record \
             (number, at, who, action, database_name, link, verdict, code, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(number)
        .bind(at.to_string())
        .bind(&entry.who)
        .bind(entry.action.as_str())
        .bind(entry.link.as_ref().map(database_of))
        .bind(entry.link.as_ref().map(|link| link.name.as_str()))
        .bind(entry.verdict.map(Outcome::as_str))
        .bind(entry.code.map(Code::as_str))
        .bind(&entry.detail)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Hands over the record, the oldest line first.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    mut each: impl FnMut(RecordLine) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let mut rows = sqlx::query(
        "SELECT number, at, who, action, database_name, link, verdict, code, detail \
         FROM record ORDER BY number",
    )
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        if each(line(&row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Returns one line by its number.
pub(super) async fn line_of(
    connection: &mut SqliteConnection,
    number: u64,
) -> Result<Option<RecordLine>, Fault> {
    let row = sqlx::query(
        "SELECT number, at, who, action, database_name, link, verdict, code, detail \
         FROM record WHERE number = $1",
    )
    .bind(i64::try_from(number).unwrap_or(i64::MAX))
    .fetch_optional(connection)
    .await?;
    row.map(|row| line(&row)).transpose()
}

fn line(row: &SqliteRow) -> Result<RecordLine, Fault> {
    let action: &str = row.try_get("action")?;
    let verdict = row
        .try_get::<Option<&str>, _>("verdict")?
        .map(|word| outcome_of(word).ok_or_else(|| unknown("verdict", word)));
    let code = row
        .try_get::<Option<&str>, _>("code")?
        .map(|word| word.parse::<Code>().map_err(|_| unknown("code", word)));
    let link = row
        .try_get::<Option<&str>, _>("link")?
        .map(|link| Ok::<_, Fault>(name(row.try_get("database_name")?, link)));
    Ok(RecordLine {
        number: number(row, "number")?,
        at: time(row, "at")?,
        entry: Entry {
            who: row.try_get("who")?,
            action: Action::ALL
                .into_iter()
                .find(|known| known.as_str() == action)
                .ok_or_else(|| unknown("action", action))?,
            link: link.transpose()?,
            verdict: verdict.transpose()?,
            code: code.transpose()?,
            detail: row.try_get("detail")?,
        },
    })
}
