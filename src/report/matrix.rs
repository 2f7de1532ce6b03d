//! Servers against stages: which of the servers of one check stopped where.
//!
//! What is drawn hangs on the endpoints of the record alone, and on no kind of link.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use linkdial_core::{Endpoint, Outcome, Role, Stage};

use super::human::{BOLD, COLUMNS, DIM, Detail, INDENT, Page, sign};
use super::layout::{cut_middle, harmless, pad, width};
use super::{Check, Step, Summary};

/// Servers shown; the others are counted.
const ROWS: usize = 12;
/// Fewer columns say nothing of a host: the number of its broker goes first.
const ADDRESS_COLUMNS: usize = 12;
/// The name under which a record tells the number that a cluster knows a server by.
const ID: &str = "broker";

/// One server with what came of each stage there.
struct Row<'a> {
    endpoint: &'a Endpoint,
    ids: Vec<&'a str>,
    cells: BTreeMap<Stage, Outcome>,
}

/// The widths that all lines of one matrix share.
struct Grid {
    stages: Vec<Stage>,
    /// Whether the longest head is cut, to leave more for names.
    short: bool,
    role: usize,
    /// Address and number.
    name: usize,
}

impl Page<'_> {
    /// Draws the servers of a check that has several: where it did not pass, or in detail.
    pub(super) fn matrix(&mut self, check: &Check) -> io::Result<()> {
        let wanted = match self.options.detail {
            Detail::Quiet => false,
            Detail::Normal => check.verdict() != Outcome::Pass,
            Detail::Verbose => true,
        };
        if !wanted {
            return Ok(());
        }
        let rows = Row::of(&check.steps);
        if rows.len() < 2 {
            return Ok(());
        }
        let (shown, rest) = select(&rows);
        let grid = Grid::new(&rows, &shown);
        let head = self.paint(BOLD, &grid.head(&rows));
        writeln!(self.out, "{INDENT}{head}")?;
        for row in shown {
            let role = pad(row.endpoint.role.as_str(), grid.role);
            let name = pad(&row.name(grid.name), grid.name);
            write!(self.out, "{INDENT}{role} {name} ")?;
            // Nothing is written behind the last symbol.
            let mut gap = 1;
            for &stage in &grid.stages {
                let columns = width(grid.word(stage));
                match row.cells.get(&stage) {
                    Some(&outcome) => {
                        let (symbol, style) = sign(outcome);
                        let symbol = self.paint(style, &symbol.to_string());
                        write!(self.out, "{:gap$}{symbol}", "")?;
                        gap = columns;
                    }
                    None => gap += columns + 1,
                }
            }
            writeln!(self.out)?;
        }
        if !rest.is_empty() {
            let text = self.rest(&rest);
            writeln!(self.out, "{INDENT}{text}")?;
        }
        Ok(())
    }

    /// Counts the servers that are not shown.
    fn rest(&self, rest: &[&Row<'_>]) -> String {
        let count = rest.len();
        if rest.iter().all(|row| row.is_good()) {
            return self.paint(DIM, &format!("and {count} more, all passed"));
        }
        let summary = Summary::of(rest.iter().map(|row| row.verdict()));
        let more = self.paint(DIM, &format!("and {count} more:"));
        format!("{more} {}", self.counts(&summary))
    }
}

impl<'a> Row<'a> {
    /// Returns a row for each server, in the order in which they were dialled.
    fn of(steps: &'a [Step]) -> Vec<Self> {
        let mut rows: Vec<Self> = Vec::new();
        // A cluster may name thousands.
        let mut known = HashMap::new();
        for step in steps {
            let Some(endpoint) = &step.endpoint else {
                continue;
            };
            let key = (endpoint.role, endpoint.host.as_str(), endpoint.port);
            let index = *known.entry(key).or_insert(rows.len());
            if index == rows.len() {
                rows.push(Self {
                    endpoint,
                    ids: Vec::new(),
                    cells: BTreeMap::new(),
                });
            }
            let row = &mut rows[index];
            let cell = row.cells.entry(step.stage).or_insert(step.outcome);
            *cell = step.outcome.max(*cell);
            let evidence = step.finding.iter().flat_map(|finding| &finding.evidence);
            for (name, value) in step.notes.iter().chain(evidence) {
                if *name == ID && !row.ids.contains(&value.as_str()) {
                    row.ids.push(value);
                }
            }
        }
        rows
    }

    fn verdict(&self) -> Outcome {
        linkdial_core::worst(self.cells.values().copied())
    }

    fn is_good(&self) -> bool {
        self.verdict() == Outcome::Pass
    }

    fn address(&self) -> String {
        harmless(&self.endpoint.to_string()).into_owned()
    }

    /// Returns the number of the server, where the cluster gave it one, with a space before it.
    fn id(&self) -> String {
        match self.ids.as_slice() {
            [] => String::new(),
            [id] => format!(" (id {})", harmless(id)),
            // Several behind one address.
            [id, more @ ..] => format!(" (id {} and {} more)", harmless(id), more.len()),
        }
    }

    /// Returns address and number in at most so many columns; the port is not cut.
    fn name(&self, columns: usize) -> String {
        let (address, mut id) = (self.address(), self.id());
        let left = columns.saturating_sub(width(&id));
        if left < ADDRESS_COLUMNS.min(width(&address)) {
            id.clear();
        }
        let port = 1 + self.endpoint.port.to_string().len();
        let address = cut_middle(&address, columns - width(&id), port);
        format!("{address}{id}")
    }
}

impl Grid {
    fn new(rows: &[Row<'_>], shown: &[&Row<'_>]) -> Self {
        let stages: BTreeSet<Stage> = rows
            .iter()
            .flat_map(|row| row.cells.keys())
            .copied()
            .collect();
        let widest = |measure: &dyn Fn(&Row<'_>) -> usize| {
            shown.iter().map(|row| measure(row)).max().unwrap_or(0)
        };
        let mut grid = Self {
            stages: stages.into_iter().collect(),
            short: false,
            role: widest(&|row| row.endpoint.role.as_str().len()),
            name: widest(&|row| width(&row.address()) + width(&row.id())),
        };
        grid.short = grid.name > grid.room();
        grid.name = grid.name.min(grid.room());
        grid
    }

    /// Returns the columns that are left for address and number.
    fn room(&self) -> usize {
        let heads = self.stages.iter().map(|&stage| 1 + width(self.word(stage)));
        let taken = INDENT.len() + self.role + 1 + 1 + heads.sum::<usize>();
        COLUMNS.saturating_sub(taken)
    }

    fn word(&self, stage: Stage) -> &'static str {
        match stage {
            Stage::Authenticate if self.short => "auth",
            _ => stage.as_str(),
        }
    }

    fn head(&self, rows: &[Row<'_>]) -> String {
        let is_broker =
            |row: &Row<'_>| matches!(row.endpoint.role, Role::Advertised | Role::Bootstrap);
        let what = if rows.iter().all(is_broker) {
            "broker"
        } else {
            "server"
        };
        let words: Vec<&str> = self.stages.iter().map(|&stage| self.word(stage)).collect();
        format!(
            "{}  {}",
            pad(what, self.role + 1 + self.name),
            words.join(" ")
        )
    }
}

/// Returns the rows to show and the others. All stay in their order where they fit; else those with
/// something wrong come first.
fn select<'r, 'a>(rows: &'r [Row<'a>]) -> (Vec<&'r Row<'a>>, Vec<&'r Row<'a>>) {
    let mut shown: Vec<&Row<'a>> = rows.iter().collect();
    if shown.len() <= ROWS {
        return (shown, Vec::new());
    }
    // Stable: within both groups the order of the walk stays.
    shown.sort_by_key(|row| row.is_good());
    let rest = shown.split_off(ROWS);
    (shown, rest)
}
