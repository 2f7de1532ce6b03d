//! What statements came to, as one JSON document, schema 1. Keys are only ever added.
//!
//! It is written while the statements run, so that a table of any length passes through.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::json::{
    CheckDocument, Error, From, Skipped, Source, TOOL, Tool, check, milliseconds, script_error,
    skipped, source,
};
use crate::apply::{Applied, Ending, Outcome, Table};
use crate::harmless::harmless_json;

/// The number of the schema.
const SCHEMA: u32 = 1;

/// What the schema describes; it is written piece by piece.
#[derive(JsonSchema)]
#[schemars(title = "What the statements of linkdial apply came to, schema 1")]
#[expect(dead_code, reason = "the schema alone has it as a whole")]
struct Document<'a> {
    #[schemars(flatten)]
    head: Head<'a>,
    /// In the order of the script.
    statements: Vec<StatementDocument<'a>>,
    #[schemars(flatten)]
    tail: Tail<'a>,
}

#[derive(JsonSchema, Serialize)]
struct Head<'a> {
    /// Always 1 for this schema.
    schema: u32,
    /// What wrote the document.
    tool: Tool,
    /// Where it dialled from.
    from: From<'a>,
    /// RFC 3339, UTC.
    started: String,
    /// The user of the registry.
    user: &'a str,
    /// Whether nothing was changed: the outcomes then say what would have been.
    plan: bool,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Statement")]
struct StatementDocument<'a> {
    /// Its first words.
    statement: &'a str,
    source: Source<'a>,
    /// The columns of a statement that shows something.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<&'static str>>,
    /// Its rows, by column.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Map<String, Value>>>,
    #[serde(flatten)]
    rest: StatementRest<'a>,
}

#[derive(JsonSchema, Serialize)]
struct StatementRest<'a> {
    /// The link it is about; null for a statement about none or several.
    link: Option<String>,
    kind: Option<&'static str>,
    #[schemars(with = "OutcomeWord")]
    outcome: &'static str,
    /// What is wrong with the statement; null where nothing is.
    error: Option<Error<'a>>,
    /// What a person should know.
    notes: &'a [String],
    /// The dials, one for each target, as in the report.
    checks: Vec<CheckDocument<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct Tail<'a> {
    /// What does not parse. Errors of statements that ran stand with them.
    errors: Vec<Error<'a>>,
    /// Statements that were passed over.
    skipped: Vec<Skipped<'a>>,
    /// How many statements came to what, by the word of the outcome.
    #[schemars(with = "std::collections::BTreeMap<String, usize>")]
    summary: Map<String, Value>,
    /// False when the run was stopped, or the registry failed.
    complete: bool,
    /// Milliseconds.
    elapsed_ms: f64,
}

/// Only ever named by the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone lists the words")]
enum OutcomeWord {
    Checked,
    Deferred,
    Dropped,
    Error,
    Granted,
    #[serde(rename = "not reached")]
    NotReached,
    Refused,
    Registered,
    Revoked,
    Shown,
    Unchanged,
}

/// Returns the JSON Schema of the document, as it stands in `docs/apply.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document<'static>);
    format!("{:#}\n", schema.as_value())
}

/// Writes the document while the statements run.
#[derive(Debug, Default)]
pub struct AppliedDocument {
    statements: usize,
    /// The columns of the table that is open.
    columns: Vec<&'static str>,
    rows: usize,
}

impl AppliedDocument {
    /// Writes what is known before the first statement.
    ///
    /// # Errors
    ///
    /// When the destination does not take what is written; so for the other methods.
    pub fn start(
        &self,
        host: Option<&str>,
        started: Timestamp,
        user: &str,
        plan: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let head = Head {
            schema: SCHEMA,
            tool: TOOL,
            from: From { host },
            started: format!("{started:.0}"),
            user,
            plan,
        };
        write!(out, "{}, \"statements\": [", open(&head)?)
    }

    /// Writes a statement that is done.
    ///
    /// # Errors
    ///
    /// See [`AppliedDocument::start`].
    pub fn applied(&mut self, applied: &Applied, out: &mut dyn Write) -> io::Result<()> {
        let rest = StatementRest {
            link: applied.link.as_ref().map(ToString::to_string),
            kind: applied.kind.map(linkdial_core::Kind::as_str),
            outcome: applied.outcome.as_str(),
            error: applied.error.as_ref().map(script_error),
            notes: &applied.notes,
            checks: applied.checks.iter().map(check).collect(),
        };
        if !self.columns.is_empty() {
            self.columns.clear();
            let rest = text(&rest)?;
            return write!(out, "\n], {}", rest.trim_start_matches('{'));
        }
        self.next(out)?;
        let document = StatementDocument {
            statement: &applied.statement,
            source: source(&applied.place),
            columns: None,
            rows: None,
            rest,
        };
        out.write_all(text(&document)?.as_bytes())
    }

    /// Writes the head of a table; the statement it belongs to ends with
    /// [`AppliedDocument::applied`].
    ///
    /// # Errors
    ///
    /// See [`AppliedDocument::start`].
    pub fn table(&mut self, table: &Table, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct TableHead<'a> {
            statement: &'a str,
            source: Source<'a>,
            columns: &'a [&'static str],
        }
        self.next(out)?;
        self.columns.clone_from(&table.columns);
        self.rows = 0;
        let head = TableHead {
            statement: &table.statement,
            source: source(&table.place),
            columns: &table.columns,
        };
        write!(out, "{}, \"rows\": [", open(&head)?)
    }

    /// Writes a row of that table.
    ///
    /// # Errors
    ///
    /// See [`AppliedDocument::start`].
    pub fn row(&mut self, row: &[&str], out: &mut dyn Write) -> io::Result<()> {
        let end = if self.rows == 0 { "\n" } else { ",\n" };
        self.rows += 1;
        let cells = self.columns.iter().zip(row);
        let cells: Map<String, Value> = cells
            .map(|(name, text)| ((*name).to_owned(), Value::from(*text)))
            .collect();
        out.write_all(end.as_bytes())?;
        out.write_all(text(&cells)?.as_bytes())
    }

    /// Writes the rest, and ends the document.
    ///
    /// # Errors
    ///
    /// See [`AppliedDocument::start`].
    pub fn end(&mut self, ending: &Ending, out: &mut dyn Write) -> io::Result<()> {
        let summary = Outcome::ALL.into_iter().filter_map(|outcome| {
            let count = ending.count(outcome);
            (count > 0).then(|| (outcome.as_str().to_owned(), Value::from(count)))
        });
        let tail = Tail {
            errors: ending.errors.iter().map(script_error).collect(),
            skipped: ending.skipped.iter().map(skipped).collect(),
            summary: summary.collect(),
            complete: ending.complete,
            elapsed_ms: milliseconds(ending.elapsed),
        };
        let tail = text(&tail)?;
        writeln!(out, "\n], {}", tail.trim_start_matches('{'))
    }

    fn next(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let end = if self.statements == 0 { "\n" } else { ",\n" };
        self.statements += 1;
        out.write_all(end.as_bytes())
    }
}

/// Writes an object without its closing brace.
fn open(value: &impl Serialize) -> io::Result<String> {
    let mut text = text(value)?;
    text.pop();
    Ok(text)
}

/// Writes a value in which nothing of a stranger can turn what is shown around it.
fn text(value: &impl Serialize) -> io::Result<String> {
    let json = serde_json::to_string(value)?;
    Ok(harmless_json(&json).into_owned())
}
