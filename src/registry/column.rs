//! From values to columns and back.

use jiff::Timestamp;
use linkdial_core::{Intent, Kind, LinkName, Outcome};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::UserKind;
use super::error::{Fault, unknown};
use super::link::State;

pub(super) const VERIFIED: &str = "verified";
pub(super) const DEFERRED: &str = "deferred";

/// The database of a name; no database has an empty name.
pub(super) fn database_of(name: &LinkName) -> &str {
    name.database.as_deref().unwrap_or_default()
}

/// A name from its two columns.
pub(super) fn name(database: &str, name: &str) -> LinkName {
    LinkName::new(Some(database).filter(|database| !database.is_empty()), name)
}

/// A number of the record.
pub(super) fn number(row: &SqliteRow, column: &'static str) -> Result<u64, Fault> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).map_err(|_| unknown(column, number.to_string()))?)
}

/// A time in UTC.
pub(super) fn time(row: &SqliteRow, column: &'static str) -> Result<Timestamp, Fault> {
    let text: &str = row.try_get(column)?;
    Ok(text.parse().map_err(|_| unknown(column, text))?)
}

/// A verdict, or how a step ended.
pub(super) fn outcome(row: &SqliteRow, column: &'static str) -> Result<Outcome, Fault> {
    let word: &str = row.try_get(column)?;
    Ok(outcome_of(word).ok_or_else(|| unknown(column, word))?)
}

pub(super) fn outcome_of(word: &str) -> Option<Outcome> {
    let mut outcomes = [
        Outcome::Skip,
        Outcome::Pass,
        Outcome::Warn,
        Outcome::Unverified,
        Outcome::Fail,
    ]
    .into_iter();
    outcomes.find(|outcome| outcome.as_str() == word)
}

pub(super) fn kind(row: &SqliteRow) -> Result<Kind, Fault> {
    let word: &str = row.try_get("type")?;
    Ok(word.parse().map_err(|_| unknown("type", word))?)
}

pub(super) fn state(row: &SqliteRow) -> Result<State, Fault> {
    let at = time(row, "state_at")?;
    match row.try_get("state")? {
        VERIFIED => Ok(State::Verified { at }),
        DEFERRED => Ok(State::Deferred {
            at,
            by: row.try_get("state_by")?,
        }),
        word => Err(unknown("state", word).into()),
    }
}

/// The words that [`Intent::words`] gave.
pub(super) fn intent(row: &SqliteRow) -> Result<Intent, Fault> {
    let mut intent = Intent {
        read: false,
        write: false,
    };
    for word in row.try_get::<&str, _>("intent")?.split_whitespace() {
        intent = intent.and(match word {
            "read" => Intent::READ,
            "write" => Intent::WRITE,
            _ => return Err(unknown("intent", word).into()),
        });
    }
    Ok(intent)
}

/// The pipeline or function of a target with this name.
pub(super) fn user_of(row: &SqliteRow, user: &str) -> Result<(UserKind, LinkName), Fault> {
    let word: &str = row.try_get("user_kind")?;
    let kind = [UserKind::Function, UserKind::Pipeline]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| unknown("user_kind", word))?;
    Ok((kind, name(row.try_get("user_database")?, user)))
}
