//! What the history says, for people: tables of sweeps and of checks, and what changed.

use std::io::{self, Write};

use jiff::Timestamp;
use linkdial_core::Outcome;

use super::history_json;
use super::human::{BOLD, DIM, GREEN, INDENT, Page, RED, YELLOW, sign, time};
use super::layout::{harmless, pad, width};
use super::{HumanOptions, Summary};
use crate::history::{Change, Expiry, PastCheck, PastSweep, SweepState};

/// What is asked of a history.
#[derive(Clone, Debug)]
pub enum HistoryView {
    /// All sweeps, the newest first.
    Sweeps(Vec<PastSweep>),
    /// Checks of links, each with number and start of its sweep, the newest first.
    Link(Vec<(PastCheck, u64, Timestamp)>),
    /// The checks of one sweep.
    Sweep(PastSweep, Vec<PastCheck>),
    /// What changed between two sweeps.
    Diff {
        /// The first one.
        before: PastSweep,
        /// The second one.
        now: PastSweep,
        /// In the order of [`crate::history::diff`].
        changes: Vec<Change>,
    },
    /// What runs out, the first one first.
    Expiries(Vec<Expiry>),
}

/// How a history is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum HistoryFormat {
    /// For people
    Human,
    /// One document, schema 1
    Json,
}

/// Writes what the history says; `options` concern [`HistoryFormat::Human`] only. `now` is what
/// dates are compared with.
///
/// # Errors
///
/// When the destination does not take what is written.
pub fn render_history(
    view: &HistoryView,
    format: HistoryFormat,
    options: HumanOptions,
    now: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format == HistoryFormat::Json {
        return history_json::render(view, out);
    }
    let mut page = Page { options, out };
    match view {
        HistoryView::Sweeps(sweeps) => page.sweeps(sweeps),
        HistoryView::Link(checks) => page.checks_of_links(checks),
        HistoryView::Sweep(sweep, checks) => {
            page.sweeps(std::slice::from_ref(sweep))?;
            page.checks_of_sweep(checks)
        }
        HistoryView::Diff {
            before,
            now,
            changes,
        } => page.diff(before, now, changes),
        HistoryView::Expiries(expiries) => page.expiries(expiries, now),
    }
}

impl Page<'_> {
    fn sweeps(&mut self, sweeps: &[PastSweep]) -> io::Result<()> {
        if sweeps.is_empty() {
            return writeln!(
                self.out,
                "no sweep yet: `linkdial sweep` makes the first one"
            );
        }
        let head =
            "sweep  started                  took   state     failed unverified warned passed";
        let head = self.paint(BOLD, head);
        writeln!(self.out, "{head}")?;
        for sweep in sweeps {
            let took = sweep.ended.and_then(|ended| {
                std::time::Duration::try_from(ended.duration_since(sweep.started)).ok()
            });
            let took = took.map_or_else(|| "-".to_owned(), time);
            let Summary {
                pass,
                warn,
                fail,
                unverified,
            } = sweep.summary;
            let style = match sweep.state {
                SweepState::Complete => DIM,
                SweepState::Running => BOLD,
                SweepState::Cut | SweepState::Offline => YELLOW,
            };
            let state = self.paint(style, &format!("{:8}", sweep.state.as_str()));
            let failed = format!("{fail:>6}");
            let failed = if fail > 0 {
                self.paint(RED, &failed)
            } else {
                failed
            };
            writeln!(
                self.out,
                "{:>5}  {:20}  {took:>9}  {state}  {failed} {unverified:>10} {warn:>6} {pass:>6}",
                sweep.number,
                format!("{:.0}", sweep.started),
            )?;
        }
        Ok(())
    }

    fn checks_of_links(&mut self, checks: &[(PastCheck, u64, Timestamp)]) -> io::Result<()> {
        let mut shown: Option<String> = None;
        for (check, sweep, started) in checks {
            let name = check.name.to_string();
            if shown.as_ref() != Some(&name) {
                let head = self.paint(BOLD, &harmless(&name));
                writeln!(self.out, "{head}  {}", check.kind)?;
                shown = Some(name);
            }
            write!(self.out, "{INDENT}{sweep:>5}  {started:.0}  ")?;
            self.verdict(check)?;
        }
        Ok(())
    }

    fn checks_of_sweep(&mut self, checks: &[PastCheck]) -> io::Result<()> {
        let names: Vec<String> = (checks.iter())
            .map(|check| harmless(&check.name.to_string()).into_owned())
            .collect();
        let columns = names.iter().map(|name| width(name)).max().unwrap_or(0);
        for (check, name) in checks.iter().zip(names) {
            write!(self.out, "{INDENT}{}  ", pad(&name, columns.min(40)))?;
            self.verdict(check)?;
        }
        Ok(())
    }

    fn verdict(&mut self, check: &PastCheck) -> io::Result<()> {
        let (symbol, style) = sign(check.verdict);
        let word = self.paint(style, &format!("{symbol} {:10}", check.verdict.as_str()));
        let elapsed = self.paint(DIM, &format!("{:>8}", time(check.elapsed)));
        let code = check.code.map(|code| self.paint(style, code.as_str()));
        let line = format!("{word}  {elapsed}  {}", code.unwrap_or_default());
        writeln!(self.out, "{}", line.trim_end())
    }

    fn diff(&mut self, before: &PastSweep, now: &PastSweep, changes: &[Change]) -> io::Result<()> {
        let title = format!(
            "from sweep {} ({:.0}) to sweep {} ({:.0})",
            before.number, before.started, now.number, now.started
        );
        let title = self.paint(BOLD, &title);
        writeln!(self.out, "{title}")?;
        if changes.is_empty() {
            return writeln!(self.out, "{INDENT}nothing changed");
        }
        self.changes(changes)
    }

    fn expiries(&mut self, expiries: &[Expiry], now: Timestamp) -> io::Result<()> {
        if expiries.is_empty() {
            return writeln!(
                self.out,
                "nothing that the history knows of runs out by then"
            );
        }
        for expiry in expiries {
            let ended = expiry.at <= now;
            let (symbol, style) = sign(if ended { Outcome::Fail } else { Outcome::Warn });
            let style = if ended { style } else { GREEN };
            let symbol = self.paint(style, &symbol.to_string());
            let what = format!("{} of {}", expiry.kind.as_str(), expiry.of);
            let what = harmless(&what).into_owned();
            let links: Vec<String> = expiry.links.iter().map(ToString::to_string).collect();
            writeln!(self.out, "{symbol} {:.0}  {what}", expiry.at)?;
            self.paragraph("", &links.join(", "))?;
        }
        Ok(())
    }
}
