//! Sweeps and their checks in the database.

use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _};
use jiff::Timestamp;
use linkdial_core::{Code, LinkName, Outcome, Stage};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::check_name;
use super::column::{database_of, kind, name, number, outcome, time};
use super::error::{Fault, unknown};
use super::key::KeyRing;
use super::record::{self, Action, Entry};
use super::sqlite::WRITE;
use crate::history::{CheckName, Facts, PastCheck, PastStep, PastSweep, SweepState};
use crate::report::Summary;

/// The columns of a check with its name and facts.
const CHECK: &str = "n.database_name, n.link, n.twin, n.sealed, n.key_id, c.sweep, c.type, \
    c.verdict, c.code, c.elapsed_us, c.definition, c.steps, f.facts";
const TABLES: &str =
    "checks c JOIN check_names n ON n.number = c.name JOIN facts f ON f.number = c.facts";
/// The newest sweep that could find a check out, before one.
const LAST: &str = "SELECT l.sweep FROM checks l JOIN sweeps s ON s.number = l.sweep \
    WHERE l.name = n.number AND l.sweep < $1 AND l.verdict IN ('pass', 'warn', 'fail') \
    AND s.state <> 'offline' ORDER BY l.sweep DESC LIMIT 1";
/// Sweeps whose verdicts count.
const COUNTED: &str = "c.sweep IN (SELECT number FROM sweeps WHERE state <> 'offline')";

/// A stage of a check as a column holds it.
#[derive(Deserialize, Serialize)]
struct StoredStep(String, String, String, Option<String>, u64);

/// What is remembered of a check before a sweep.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The last time that it was green, the sweep of that and its start.
    pub green: Option<(PastCheck, u64, Timestamp)>,
    /// The start of the first sweep after that in which it was red.
    pub red_since: Option<Timestamp>,
}

/// Starts a sweep and returns its number. One that was killed before it ended is cut.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    who: &str,
    host: Option<&str>,
    started: Timestamp,
) -> Result<u64, Fault> {
    let mut transaction = connection.begin_with(WRITE).await?;
    settle(&mut transaction, keys).await?;
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 AS number FROM sweeps")
        .fetch_one(&mut *transaction)
        .await?;
    let sweep: i64 = row.try_get("number")?;
    sqlx::query(
        "INSERT INTO sweeps (number, who, host, started, state, passed, warned, failed, unverified) \
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0)",
    )
    .bind(sweep)
    .bind(who)
    .bind(host)
    .bind(started.to_string())
    .bind(SweepState::Running.as_str())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(u64::try_from(sweep).expect("numbers start at 1"))
}

/// Ends sweeps that were killed. Nobody was left to say that this machine was offline: one in which
/// checks failed and none had a connection does not count.
pub(super) async fn settle(connection: &mut SqliteConnection, keys: &KeyRing) -> Result<(), Fault> {
    let killed = sqlx::query("SELECT number FROM sweeps WHERE state = $1")
        .bind(SweepState::Running.as_str())
        .fetch_all(&mut *connection)
        .await?;
    for row in killed {
        let sweep = number(&row, "number")?;
        let state = if reached(connection, keys, sweep).await? {
            SweepState::Cut
        } else {
            SweepState::Offline
        };
        end_row(connection, sweep, None, state).await?;
    }
    Ok(())
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SweepEnding<'a> {
    /// Its number.
    pub(crate) sweep: u64,
    /// The user of the registry.
    pub(crate) who: &'a str,
    /// When it ended.
    pub(crate) ended: Timestamp,
    /// How.
    pub(crate) state: SweepState,
}

/// Ends a sweep with what is stored of it.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    ending: &SweepEnding<'_>,
) -> Result<(), Fault> {
    let SweepEnding {
        sweep,
        who,
        ended,
        state,
    } = *ending;
    let mut transaction = connection.begin_with(WRITE).await?;
    let summary = end_row(&mut transaction, sweep, Some(ended), state).await?;
    let detail = format!(
        "sweep {sweep}, {}: {} failed, {} unverified, {} warned, {} passed",
        state.as_str(),
        summary.fail,
        summary.unverified,
        summary.warn,
        summary.pass
    );
    let first = record::next_number(&mut transaction).await?;
    let entry = Entry::new(who, Action::Sweep, None, detail);
    record::add(&mut transaction, first, ended, &[entry]).await?;
    Ok(transaction.commit().await?)
}

async fn end_row(
    connection: &mut SqliteConnection,
    sweep: u64,
    ended: Option<Timestamp>,
    state: SweepState,
) -> Result<Summary, Fault> {
    if state == SweepState::Offline {
        sqlx::query(
            "UPDATE checks SET verdict = 'unverified' WHERE sweep = $1 AND verdict = 'fail'",
        )
        .bind(column(sweep))
        .execute(&mut *connection)
        .await?;
    }
    let summary = counted(connection, sweep).await?;
    sqlx::query(
        "UPDATE sweeps SET ended = $1, state = $2, passed = $3, warned = $4, failed = $5, \
         unverified = $6 WHERE number = $7",
    )
    .bind(ended.map(|ended| ended.to_string()))
    .bind(state.as_str())
    .bind(column(summary.pass as u64))
    .bind(column(summary.warn as u64))
    .bind(column(summary.fail as u64))
    .bind(column(summary.unverified as u64))
    .bind(column(sweep))
    .execute(connection)
    .await?;
    Ok(summary)
}

/// Counts the verdicts that are stored for a sweep.
async fn counted(connection: &mut SqliteConnection, sweep: u64) -> Result<Summary, Fault> {
    let rows = sqlx::query("SELECT verdict FROM checks WHERE sweep = $1")
        .bind(column(sweep))
        .fetch_all(connection)
        .await?;
    let verdicts: Result<Vec<_>, Fault> = rows.iter().map(|row| outcome(row, "verdict")).collect();
    Ok(Summary::of(verdicts?))
}

/// Returns whether a check of a sweep had a connection, or whether none failed for the lack of one.
async fn reached(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    sweep: u64,
) -> Result<bool, Fault> {
    let (mut reached, mut failed) = (false, false);
    of_sweep(connection, keys, sweep, |check| {
        failed |= check.is_red();
        let mut steps = check.steps.iter();
        reached = steps.any(|it| it.stage >= Stage::Connect && it.outcome == Outcome::Pass);
        if reached {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await?;
    Ok(reached || !failed)
}

/// Adds checks to a sweep, all or none; one that is there already is replaced.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    sweep: u64,
    checks: &[PastCheck],
) -> Result<(), Fault> {
    let mut transaction = connection.begin_with(WRITE).await?;
    for check in checks {
        let Some(name) = check_name::number_of(&mut transaction, keys, &check.name).await? else {
            // Its link was named when the sweep began; somebody has damaged the row since.
            continue;
        };
        let facts = facts_number(&mut transaction, name, &check.facts).await?;
        let steps: Vec<StoredStep> = check.steps.iter().map(StoredStep::of).collect();
        sqlx::query(
            "INSERT INTO checks (name, sweep, type, verdict, code, elapsed_us, \
             definition, facts, steps) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (name, sweep) DO UPDATE SET verdict = excluded.verdict, \
             code = excluded.code, \
             elapsed_us = excluded.elapsed_us, definition = excluded.definition, \
             facts = excluded.facts, steps = excluded.steps",
        )
        .bind(name)
        .bind(column(sweep))
        .bind(check.kind.as_str())
        .bind(check.verdict.as_str())
        .bind(check.code.map(Code::as_str))
        .bind(i64::try_from(check.elapsed.as_micros()).unwrap_or(i64::MAX))
        .bind(check.definition.map(column))
        .bind(facts)
        .bind(serde_json::json!(steps).to_string())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}

/// Returns the number of facts: those of the night before, where they are the same.
async fn facts_number(
    connection: &mut SqliteConnection,
    name: i64,
    facts: &Facts,
) -> Result<i64, Fault> {
    let text = serde_json::json!(facts).to_string();
    let row = sqlx::query(
        "SELECT f.number, f.facts FROM checks c JOIN facts f ON f.number = c.facts \
         WHERE c.name = $1 ORDER BY c.sweep DESC LIMIT 1",
    )
    .bind(name)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = row
        && row.try_get::<&str, _>("facts")? == text
    {
        return Ok(row.try_get("number")?);
    }
    let row = sqlx::query(
        "INSERT INTO facts (number, facts) \
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM facts), $1) RETURNING number",
    )
    .bind(text)
    .fetch_one(connection)
    .await?;
    Ok(row.try_get("number")?)
}

/// Hands over every sweep, the newest first.
pub(super) async fn sweeps(
    connection: &mut SqliteConnection,
    mut each: impl FnMut(PastSweep) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let mut rows = sqlx::query("SELECT * FROM sweeps ORDER BY number DESC").fetch(connection);
    while let Some(row) = rows.try_next().await? {
        if each(sweep(&row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands over the checks of a sweep, by name.
pub(super) async fn of_sweep(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    sweep: u64,
    mut each: impl FnMut(PastCheck) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let query = format!(
        "SELECT {CHECK} FROM {TABLES} WHERE c.sweep = $1 \
         ORDER BY n.database_name, n.link, n.number"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(column(sweep));
    hand_over(query.fetch(connection), keys, |check, _| each(check)).await
}

/// Hands over the checks of a link, each with its sweep, the newest first.
pub(super) async fn of_link(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    link: &LinkName,
    each: impl FnMut(PastCheck, u64) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let query = format!(
        "SELECT {CHECK} FROM {TABLES} WHERE n.database_name = $1 AND n.link = $2 \
         ORDER BY c.sweep DESC, n.number"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(database_of(link))
        .bind(&link.name);
    hand_over(query.fetch(connection), keys, each).await
}

/// Hands over the checks of rows, each with its sweep, without damaged ones.
async fn hand_over(
    mut rows: impl Stream<Item = Result<SqliteRow, sqlx::Error>> + Unpin,
    keys: &KeyRing,
    mut each: impl FnMut(PastCheck, u64) -> ControlFlow<()>,
) -> Result<(), Fault> {
    while let Some(row) = rows.try_next().await? {
        let Some(check) = check(&row, keys)? else {
            continue;
        };
        if each(check, number(&row, "sweep")?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Returns the links that the history knows, by name.
pub(super) async fn links(connection: &mut SqliteConnection) -> Result<Vec<LinkName>, Fault> {
    let rows = sqlx::query(
        "SELECT DISTINCT database_name, link FROM check_names ORDER BY database_name, link",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok(name(row.try_get("database_name")?, row.try_get("link")?)))
        .collect()
}

/// Returns what is remembered of a check before a sweep.
pub(super) async fn before(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    name: &CheckName,
    sweep: u64,
) -> Result<Remembered, Fault> {
    let Some(known) = check_name::number_of(connection, keys, name).await? else {
        return Ok(Remembered::default());
    };
    let mut remembered = Remembered::default();
    let mut last = async |verdicts: &str| -> Result<Option<(PastCheck, u64)>, Fault> {
        let query = format!(
            "SELECT {CHECK} FROM {TABLES} WHERE c.name = $1 AND c.sweep < $2 \
             AND c.verdict IN ({verdicts}) AND {COUNTED} ORDER BY c.sweep DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(known)
            .bind(column(sweep))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let found = check(&row, keys)?;
        let sweep = number(&row, "sweep")?;
        Ok(found.map(|check| (check, sweep)))
    };
    let green = last("'pass', 'warn'").await?;
    let after = green.as_ref().map_or(0, |(_, number)| *number);
    if let Some((check, number)) = green {
        let started = started(connection, number).await?;
        remembered.green = started.map(|started| (check, number, started));
    }
    let query = format!(
        "SELECT MIN(c.sweep) AS sweep FROM checks c WHERE c.name = $1 AND c.sweep > $2 \
         AND c.sweep < $3 AND c.verdict = 'fail' AND {COUNTED}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(known)
        .bind(column(after))
        .bind(column(sweep))
        .fetch_one(&mut *connection)
        .await?;
    if row.try_get::<Option<i64>, _>("sweep")?.is_some() {
        remembered.red_since = started(connection, number(&row, "sweep")?).await?;
    }
    Ok(remembered)
}

/// Hands over what is known last of every check before a sweep, where it could be found out.
pub(super) async fn last_checks(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    before: u64,
    mut each: impl FnMut(PastCheck) -> ControlFlow<()>,
) -> Result<(), Fault> {
    // From the names to their newest rows: SQLite keeps to this order of tables.
    let query = format!(
        "SELECT {CHECK} FROM check_names n CROSS JOIN checks c ON c.name = n.number \
         AND c.sweep = ({LAST}) CROSS JOIN facts f ON f.number = c.facts"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(column(before));
    hand_over(query.fetch(connection), keys, |check, _| each(check)).await
}

/// Returns the checks that were red when they were found out last, before a sweep.
pub(super) async fn reds(
    connection: &mut SqliteConnection,
    keys: &KeyRing,
    before: u64,
) -> Result<Vec<CheckName>, Fault> {
    let query = format!(
        "SELECT n.database_name, n.link, n.twin, n.sealed, n.key_id FROM check_names n \
         CROSS JOIN checks c ON c.name = n.number AND c.sweep = ({LAST}) \
         WHERE c.verdict = 'fail'"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(column(before));
    let rows = query.fetch_all(connection).await?;
    let names = rows.iter().map(|row| check_name::read(row, keys));
    let names: Result<Vec<_>, Fault> = names.collect();
    Ok(names?.into_iter().flatten().collect())
}

async fn started(
    connection: &mut SqliteConnection,
    sweep: u64,
) -> Result<Option<Timestamp>, Fault> {
    let row = sqlx::query("SELECT started FROM sweeps WHERE number = $1")
        .bind(column(sweep))
        .fetch_optional(connection)
        .await?;
    row.map(|row| time(&row, "started")).transpose()
}

/// Forgets what is older, but for what the story of a check that is still dialled and not green starts
/// with: the last time that it was green, and the first time that it was red after that. Returns how
/// many sweeps are gone.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    before: Timestamp,
) -> Result<u64, Fault> {
    const OLD: &str = "sweep IN (SELECT number FROM sweeps WHERE started < $1 \
        AND state <> 'running' AND number < (SELECT MAX(number) FROM sweeps))";
    let mut transaction = connection.begin_with(WRITE).await?;
    let query = format!(
        "DELETE FROM checks WHERE {OLD} AND NOT (\
         EXISTS (SELECT 1 FROM checks k JOIN sweeps s ON s.number = k.sweep \
         WHERE k.name = checks.name AND s.started >= $1 AND k.verdict NOT IN ('pass', 'warn')) \
         AND (sweep = (SELECT MAX(g.sweep) FROM checks g WHERE g.name = checks.name \
         AND g.verdict IN ('pass', 'warn')) \
         OR sweep = (SELECT MIN(r.sweep) FROM checks r WHERE r.name = checks.name \
         AND r.verdict = 'fail' AND r.sweep > COALESCE((SELECT MAX(g.sweep) FROM checks g \
         WHERE g.name = checks.name AND g.verdict IN ('pass', 'warn')), 0))))"
    );
    let checks = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(before.to_string())
        .execute(&mut *transaction)
        .await?;
    let gone = sqlx::query(
        "DELETE FROM sweeps WHERE started < $1 AND state <> 'running' \
         AND number < (SELECT MAX(number) FROM sweeps) \
         AND number NOT IN (SELECT sweep FROM checks)",
    )
    .bind(before.to_string())
    .execute(&mut *transaction)
    .await?;
    if checks.rows_affected() > 0 {
        for query in [
            "DELETE FROM facts WHERE number NOT IN (SELECT facts FROM checks)",
            "DELETE FROM check_names WHERE number NOT IN (SELECT name FROM checks)",
        ] {
            sqlx::query(query).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(gone.rows_affected())
}

fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn sweep(row: &SqliteRow) -> Result<PastSweep, Fault> {
    let count = |column| -> Result<usize, Fault> {
        Ok(usize::try_from(number(row, column)?).unwrap_or(usize::MAX))
    };
    let word: &str = row.try_get("state")?;
    let state = SweepState::ALL
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| unknown("state", word))?;
    let ended = row.try_get::<Option<&str>, _>("ended")?.is_some();
    Ok(PastSweep {
        number: number(row, "number")?,
        who: row.try_get("who")?,
        host: row.try_get("host")?,
        started: time(row, "started")?,
        ended: ended.then(|| time(row, "ended")).transpose()?,
        state,
        summary: Summary {
            pass: count("passed")?,
            warn: count("warned")?,
            fail: count("failed")?,
            unverified: count("unverified")?,
        },
    })
}

fn check(row: &SqliteRow, keys: &KeyRing) -> Result<Option<PastCheck>, Fault> {
    let Some(name) = check_name::read(row, keys)? else {
        return Ok(None);
    };
    let facts: &str = row.try_get("facts")?;
    let steps: &str = row.try_get("steps")?;
    let steps: Vec<StoredStep> =
        serde_json::from_str(steps).map_err(|_| unknown("steps", steps))?;
    let definition = row.try_get::<Option<i64>, _>("definition")?.is_some();
    Ok(Some(PastCheck {
        name,
        kind: kind(row)?,
        verdict: outcome(row, "verdict")?,
        // A code of a newer version is not told.
        code: (row.try_get::<Option<&str>, _>("code")?).and_then(|code| code.parse().ok()),
        elapsed: Duration::from_micros(number(row, "elapsed_us")?),
        definition: definition.then(|| number(row, "definition")).transpose()?,
        facts: serde_json::from_str(facts).map_err(|_| unknown("facts", facts))?,
        steps: steps.into_iter().filter_map(StoredStep::step).collect(),
    }))
}

impl StoredStep {
    fn of(step: &PastStep) -> Self {
        Self(
            step.stage.as_str().to_owned(),
            step.at.clone(),
            step.outcome.as_str().to_owned(),
            step.code.map(|code| code.as_str().to_owned()),
            u64::try_from(step.elapsed.as_micros()).unwrap_or(u64::MAX),
        )
    }

    /// Returns `None` for words of a newer version.
    fn step(self) -> Option<PastStep> {
        let Self(stage, at, outcome, code, elapsed) = self;
        Some(PastStep {
            stage: Stage::ALL.into_iter().find(|it| it.as_str() == stage)?,
            at,
            outcome: super::column::outcome_of(&outcome)?,
            code: code.and_then(|code| code.parse().ok()),
            elapsed: Duration::from_micros(elapsed),
        })
    }
}
