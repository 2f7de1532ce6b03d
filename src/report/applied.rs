//! What statements came to, for people: one line a statement, under it what is wrong; and tables.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::Style;
use linkdial_core::Outcome as Verdict;

use super::human::{BOLD, DIM, Detail, GREEN, MAGENTA, Page, RED, YELLOW, sign, time};
use super::layout::{harmless, pad, width};
use super::{Check, HumanOptions};
use crate::apply::{Applied, Ending, Outcome, Table};

/// The column that is a statement to copy and not a cell to align.
const STATEMENT: &str = "Create Link";

/// Writes statements as they end.
#[derive(Debug)]
pub struct AppliedPage {
    options: HumanOptions,
    plan: bool,
    widths: Vec<usize>,
    statement: bool,
}

impl AppliedPage {
    /// Takes the choices; a plan's lines say what would be.
    pub fn new(options: HumanOptions, plan: bool) -> Self {
        Self {
            options,
            plan,
            widths: Vec::new(),
            statement: false,
        }
    }

    /// Writes a statement that is done.
    ///
    /// # Errors
    ///
    /// When the destination does not take what is written; so for the other methods.
    pub fn applied(&self, applied: &Applied, out: &mut dyn Write) -> io::Result<()> {
        let mut page = self.page(out);
        let quiet = self.options.detail == Detail::Quiet;
        let worth_it = match applied.outcome {
            Outcome::Checked | Outcome::Error | Outcome::NotReached | Outcome::Refused => true,
            Outcome::Shown => return Ok(()),
            _ => !quiet || applied.checks.iter().any(Check::left_something),
        };
        if !worth_it {
            return Ok(());
        }
        if let Some(error) = &applied.error {
            return page.script_error(error);
        }
        if applied.outcome == Outcome::Checked {
            page.checks(&applied.checks, None)?;
            for note in &applied.notes {
                page.paragraph("", note)?;
            }
            return Ok(());
        }
        let (symbol, style) = look(applied.outcome);
        let word = word(applied.outcome, self.plan);
        let columns = if self.plan { 22 } else { 14 };
        let word = page.paint(style, &pad(&format!("{symbol} {word}"), columns));
        write!(page.out, "{word} {}", harmless(&applied.statement))?;
        if let Some(link) = &applied.link {
            // Of a pipeline the line names the link that it uses.
            let with = if applied.statement.ends_with(" LINK") {
                ""
            } else {
                " with"
            };
            let link = page.paint(BOLD, &harmless(&link.to_string()));
            write!(page.out, "{with} {link}")?;
        }
        let mut facts: Vec<String> = applied.kind.iter().map(ToString::to_string).collect();
        if !applied.checks.is_empty() {
            let targets = applied
                .checks
                .iter()
                .filter(|it| it.target.is_some())
                .count();
            if targets > 0 {
                let noun = if targets == 1 { "target" } else { "targets" };
                facts.push(format!("{targets} {noun}"));
            }
            let longest = applied.checks.iter().map(|check| check.elapsed).max();
            facts.push(time(longest.unwrap_or(Duration::ZERO)));
        }
        if !facts.is_empty() {
            let facts = page.paint(DIM, &format!("  {}", facts.join(", ")));
            write!(page.out, "{facts}")?;
        }
        writeln!(page.out)?;
        for note in &applied.notes {
            page.paragraph("", note)?;
        }
        let all = self.options.detail == Detail::Verbose;
        let told: Vec<_> = applied
            .checks
            .iter()
            .filter(|check| all || check.verdict() != Verdict::Pass)
            .cloned()
            .collect();
        page.checks(&told, None)?;
        let passed = applied.checks.iter();
        for check in passed.filter(|check| !all && check.verdict() == Verdict::Pass) {
            page.remarks(check)?;
        }
        Ok(())
    }

    /// Writes the head of a table.
    ///
    /// # Errors
    ///
    /// See [`AppliedPage::applied`].
    pub fn table(&mut self, table: &Table, out: &mut dyn Write) -> io::Result<()> {
        self.widths.clone_from(&table.widths);
        self.statement = table.columns.contains(&STATEMENT);
        if self.statement {
            return Ok(());
        }
        let names = table.columns.iter().zip(&self.widths);
        let names: Vec<String> = names.map(|(name, width)| pad(name, *width)).collect();
        let page = self.page(out);
        let head = page.paint(BOLD, names.join("  ").trim_end());
        writeln!(page.out, "{head}")
    }

    /// Writes a row of that table.
    ///
    /// # Errors
    ///
    /// See [`AppliedPage::applied`].
    pub fn row(&self, row: &[&str], out: &mut dyn Write) -> io::Result<()> {
        if self.statement {
            // Ready to be copied; nothing in it wraps or pads.
            let statement = row.last().copied().unwrap_or_default();
            let mut lines = statement.lines().peekable();
            while let Some(line) = lines.next() {
                let end = if lines.peek().is_none() { ";" } else { "" };
                writeln!(out, "{}{end}", harmless(line))?;
            }
            return Ok(());
        }
        let last = row.len().saturating_sub(1);
        for (index, (text, columns)) in row.iter().zip(&self.widths).enumerate() {
            let mut text = harmless(text);
            if index == 0 && (text.starts_with("::") || text.starts_with("##[")) {
                // A CI server obeys a line that starts so.
                text.to_mut().insert(0, '\\');
            }
            let missing = columns.saturating_sub(width(&text));
            if index < last {
                write!(out, "{text}{:missing$}  ", "")?;
            } else {
                writeln!(out, "{text}")?;
            }
        }
        Ok(())
    }

    /// Writes what the whole came to.
    ///
    /// # Errors
    ///
    /// See [`AppliedPage::applied`].
    pub fn end(&self, ending: &Ending, out: &mut dyn Write) -> io::Result<()> {
        let mut page = self.page(out);
        for error in &ending.errors {
            page.script_error(error)?;
        }
        page.skipped(&ending.skipped)?;
        let counts: Vec<String> = Outcome::ALL
            .into_iter()
            .filter(|outcome| !matches!(outcome, Outcome::Error | Outcome::Shown))
            .map(|outcome| (outcome, ending.count(outcome)))
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| {
                let (_, style) = look(outcome);
                page.paint(style, &format!("{count} {}", word(outcome, self.plan)))
            })
            .collect();
        let errors = ending.errors.len() + ending.count(Outcome::Error);
        if !counts.is_empty() {
            let plan = if self.plan {
                "plan, nothing was changed: "
            } else {
                ""
            };
            writeln!(
                page.out,
                "{plan}{} in {}",
                counts.join(", "),
                time(ending.elapsed)
            )?;
        } else if errors == 0 && ending.count(Outcome::Shown) == 0 {
            writeln!(page.out, "nothing to do: no statement is about links")?;
        }
        page.error_count(errors)?;
        if !ending.complete {
            let text = page.paint(MAGENTA, "stopped early: the rest was not reached");
            writeln!(page.out, "{text}")?;
        }
        Ok(())
    }

    fn page<'a>(&self, out: &'a mut dyn Write) -> Page<'a> {
        Page {
            options: self.options,
            out,
        }
    }
}

/// Returns symbol and colour; the word beside them says the same.
const fn look(outcome: Outcome) -> (char, Style) {
    match outcome {
        Outcome::Checked | Outcome::Shown | Outcome::Unchanged => ('=', DIM),
        Outcome::Deferred => ('~', YELLOW),
        Outcome::Dropped | Outcome::Granted | Outcome::Registered | Outcome::Revoked => {
            ('✓', GREEN)
        }
        Outcome::Error | Outcome::Refused => (sign(Verdict::Fail).0, RED),
        Outcome::NotReached => ('-', DIM),
    }
}

fn word(outcome: Outcome, plan: bool) -> String {
    let changes = matches!(
        outcome,
        Outcome::Deferred
            | Outcome::Dropped
            | Outcome::Granted
            | Outcome::Registered
            | Outcome::Revoked
    );
    let would = if plan && changes { "would be " } else { "" };
    format!("{would}{}", outcome.as_str())
}
