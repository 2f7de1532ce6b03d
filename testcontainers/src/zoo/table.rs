//! What came of the faults, as a text.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Expected, Family, Fault, Found, Kind, LIMIT, Peer, Told};

/// What is added where a statement mends the fault.
const CORRECTED: &str = ", corrected and proved";

/// What came of one fault.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault.
    pub fault: Fault,
    /// What linkdial said; the reason where it was not asked or gave no report.
    pub found: Result<Found, String>,
    /// What other tools said.
    pub peers: Vec<(Peer, Told)>,
}

impl Row {
    /// Returns whether linkdial said what is expected, mended what can be, in time and without a secret.
    pub fn is_right(&self) -> bool {
        self.found.as_ref().is_ok_and(|found| {
            let expected = &self.fault.expected;
            let said = found.has_code(expected) && found.has_key(expected);
            said && found.is_mended(expected) && found.in_time() && found.leaks.is_empty()
        })
    }
}

/// The sums over all faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub faults: usize,
    /// How many have the code, verdict, stage and role expected.
    pub codes: usize,
    /// How many have a guilty key.
    pub keyed: usize,
    /// How many of these have the right one.
    pub keys: usize,
    /// How many without one blame a key all the same.
    pub blamed: usize,
    /// How many show a secret.
    pub leaks: usize,
    /// How many come with a statement that mends them, and was dialled.
    pub corrected: usize,
    /// The most by which a check was longer than its deadline.
    pub over: Duration,
    /// The longest check where nobody stays silent.
    pub longest: Duration,
}

impl Summary {
    /// Sums up.
    pub fn of(rows: &[Row]) -> Self {
        let mut sum = Self {
            faults: rows.len(),
            codes: 0,
            keyed: 0,
            keys: 0,
            blamed: 0,
            leaks: 0,
            corrected: 0,
            over: Duration::ZERO,
            longest: Duration::ZERO,
        };
        for Row { fault, found, .. } in rows {
            let expected = &fault.expected;
            sum.keyed += usize::from(expected.key.is_some());
            let Ok(found) = found else { continue };
            sum.codes += usize::from(found.has_code(expected));
            sum.keys += usize::from(expected.key.is_some() && found.has_key(expected));
            sum.blamed += usize::from(expected.key.is_none() && found.key.is_some());
            sum.leaks += usize::from(!found.leaks.is_empty());
            sum.corrected += usize::from(found.corrected);
            sum.over = sum.over.max(found.elapsed.saturating_sub(found.deadline));
            if !fault.silent {
                sum.longest = sum.longest.max(found.elapsed);
            }
        }
        sum
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            faults,
            codes,
            keyed,
            keys,
            blamed,
            leaks,
            corrected,
            ..
        } = self;
        write!(
            f,
            "code exact {codes} of {faults}, key exact {keys} of {keyed}, a key blamed without guilt \
             {blamed}, a secret seen {leaks}, corrected and proved {corrected}, longest over its deadline {} ms, longest where nobody \
             is silent {} ms",
            self.over.as_millis(),
            self.longest.as_millis()
        )
    }
}

/// What a run was made with.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// The day, as `2026-01-31`.
    pub date: String,
    /// The machine in words.
    pub machine: String,
    /// Programs with their versions.
    pub versions: Vec<String>,
}

/// A line for each fault, those that differ with what was expected.
pub fn human(rows: &[Row], asked: bool) -> String {
    let mut text = String::new();
    for row in rows {
        let Row {
            fault,
            found,
            peers,
        } = row;
        let Fault { name, expected, .. } = fault;
        if asked {
            let mark = if row.is_right() { "ok " } else { "NOT" };
            match found {
                Ok(found) => {
                    let milliseconds = found.elapsed.as_millis();
                    let key = key_of(
                        found
                            .key
                            .as_ref()
                            .map(|(clause, pointer)| (clause.as_str(), pointer.as_str())),
                    );
                    let corrected = if found.corrected { CORRECTED } else { "" };
                    line(
                        &mut text,
                        format_args!(
                            "{mark} {name:<44} {:<36} {key:<52} {milliseconds:>5} ms{corrected}",
                            found.code
                        ),
                    );
                    if !row.is_right() {
                        let Expected {
                            verdict,
                            code,
                            stage,
                            role,
                            ..
                        } = expected;
                        let wanted = key_of(expected.key);
                        line(&mut text, format_args!("    got {found} {key}"));
                        line(
                            &mut text,
                            format_args!("    for {verdict} {code} {stage} {role} {wanted}"),
                        );
                        if !found.is_mended(expected) {
                            line(&mut text, format_args!("    no statement mends it"));
                        }
                        for leak in &found.leaks {
                            line(&mut text, format_args!("    a secret is seen: {leak}"));
                        }
                    }
                }
                Err(why) => line(&mut text, format_args!("{mark} {name:<44} {why}")),
            }
        } else {
            line(&mut text, format_args!("{name:<44} {}", expected.code));
        }
        for (peer, told) in peers {
            line(&mut text, format_args!("    {:<7} {told}", peer.program()));
        }
    }
    if asked {
        line(&mut text, format_args!("{}", Summary::of(rows)));
    }
    text
}

/// The same as one document.
pub fn json(rows: &[Row], header: &Header) -> String {
    let faults: Vec<Value> = rows.iter().map(document).collect();
    let sum = Summary::of(rows);
    let document = json!({
        "schema": 1,
        "date": header.date, "machine": header.machine, "versions": header.versions,
        "summary": {
            "faults": sum.faults, "codes": sum.codes, "keyed": sum.keyed, "keys": sum.keys,
            "blamed": sum.blamed, "leaks": sum.leaks, "corrected": sum.corrected,
            "over_ms": milliseconds(sum.over), "longest_ms": milliseconds(sum.longest),
        },
        "faults": faults,
    });
    format!("{document:#}\n")
}

fn document(row: &Row) -> Value {
    let Row {
        fault,
        found,
        peers,
    } = row;
    let Fault { expected, .. } = fault;
    let key = |key: Option<(&str, &str)>| {
        key.map(|(clause, pointer)| json!({"clause": clause, "pointer": pointer}))
    };
    let found = match found {
        Ok(found) => json!({
            "verdict": found.verdict, "code": found.code, "stage": found.stage, "role": found.role,
            "key": key(found.key.as_ref().map(|(clause, pointer)| (clause.as_str(), pointer.as_str()))),
            "elapsed_ms": milliseconds(found.elapsed), "deadline_ms": milliseconds(found.deadline),
            "leaks": found.leaks, "corrected": found.corrected, "message": found.message,
        }),
        Err(why) => json!({"error": why}),
    };
    let peers: serde_json::Map<String, Value> = peers
        .iter()
        .map(|(peer, told)| {
            let value = match told {
                Told::NotInstalled => json!({"outcome": "not installed"}),
                Told::CannotExpress(why) => json!({"outcome": "cannot express", "reason": why}),
                Told::Ran {
                    said,
                    elapsed,
                    success,
                } => json!({
                    "outcome": if *success { "success" } else { "failure" },
                    "said": said, "elapsed_ms": milliseconds(*elapsed),
                }),
                Told::Endless(said) => json!({"outcome": "killed", "said": said}),
            };
            (peer.program().to_owned(), value)
        })
        .collect();
    json!({
        "name": fault.name, "kind": fault.kind.as_str(), "family": fault.family.as_str(),
        "server": fault.server, "source": fault.source,
        "expected": {
            "verdict": expected.verdict, "code": expected.code, "stage": expected.stage,
            "role": expected.role, "key": key(expected.key), "mended": expected.mended,
        },
        "right": row.is_right(), "found": found, "peers": peers,
    })
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// The published page.
pub fn markdown(rows: &[Row], header: &Header) -> String {
    let mut text = String::new();
    let sum = Summary::of(rows);
    let put = |text: &mut String, args: fmt::Arguments<'_>| line(text, args);
    put(&mut text, format_args!("# The fault zoo\n"));
    put(
        &mut text,
        format_args!(
            "{} seeded faults of all six kinds of links, each with what is to be said of it, and what was said.\n\
             Verdict, code, stage, role and guilty key were written down before any answer, on the grounds in\n\
             the last column. Where a program said something else, row and program were both held against the source\n\
             again; which of them gave way, and why, is in the history of the table. `{}` writes this page.\n",
            sum.faults, "linkdial-testcontainers zoo --format markdown"
        ),
    );
    put(
        &mut text,
        format_args!("- {}, {}", header.date, header.machine),
    );
    put(&mut text, format_args!("- {}", header.versions.join(", ")));
    put(
        &mut text,
        format_args!(
            "- the stage's deadline is 1 s where somebody stays silent and 5 s elsewhere; peers have their own\n\
         \u{20} defaults and {} s at most\n",
            LIMIT.as_secs()
        ),
    );
    totals(&mut text, rows, &sum);
    compared(&mut text, rows);
    for kind in Kind::ALL {
        let those: Vec<&Row> = rows.iter().filter(|row| row.fault.kind == kind).collect();
        if !those.is_empty() {
            section(&mut text, kind, &those);
        }
    }
    text
}

fn totals(text: &mut String, rows: &[Row], sum: &Summary) {
    line(text, format_args!("| linkdial | |"));
    line(text, format_args!("| --- | --- |"));
    line(
        text,
        format_args!(
            "| verdict, code, stage and role exact | {} of {} |",
            sum.codes, sum.faults
        ),
    );
    line(
        text,
        format_args!(
            "| guilty key exact, where there is one | {} of {} |",
            sum.keys, sum.keyed
        ),
    );
    line(
        text,
        format_args!("| a key blamed where none is guilty | {} |", sum.blamed),
    );
    line(
        text,
        format_args!("| a marked secret in any output | {} |", sum.leaks),
    );
    line(
        text,
        format_args!(
            "| a statement that mends it, dialled before it is shown | {} |",
            sum.corrected
        ),
    );
    line(
        text,
        format_args!(
            "| longest over its deadline | {} ms |",
            sum.over.as_millis()
        ),
    );
    let mut talking: Vec<Duration> = rows
        .iter()
        .filter(|row| !row.fault.silent)
        .filter_map(|row| Some(row.found.as_ref().ok()?.elapsed))
        .collect();
    talking.sort_unstable();
    if let Some(longest) = talking.last() {
        let median = talking[talking.len() / 2];
        line(
            text,
            format_args!(
                "| a check where nobody is silent: median, longest | {:.1} ms, {} ms |",
                median.as_secs_f64() * 1000.0,
                longest.as_millis()
            ),
        );
    }
    line(
        text,
        format_args!("\n| kind | statement | world | service |"),
    );
    line(text, format_args!("| --- | --- | --- | --- |"));
    for kind in Kind::ALL {
        let count = |family| {
            let those = rows
                .iter()
                .filter(|row| (row.fault.kind, row.fault.family) == (kind, family));
            those.count()
        };
        let [statement, world, service] = Family::ALL.map(count);
        line(
            text,
            format_args!("| {kind} | {statement} | {world} | {service} |"),
        );
    }
    line(text, format_args!(""));
}

/// What each peer made of those faults that it can be told.
fn compared(text: &mut String, rows: &[Row]) {
    let all = |peer: Peer| {
        let told = rows.iter().flat_map(|row| {
            let fails = row.fault.expected.verdict == "fail";
            row.peers.iter().map(move |(it, told)| (*it, told, fails))
        });
        told.filter(move |(it, ..)| *it == peer)
            .map(|(_, told, fails)| (told, fails))
    };
    let peers: Vec<Peer> = Peer::ALL
        .into_iter()
        .filter(|peer| all(*peer).next().is_some())
        .collect();
    if peers.is_empty() {
        return;
    }
    line(
        text,
        format_args!(
            "| peer | faults it can be told | content with a link that fails | median | longest | killed |"
        ),
    );
    line(text, format_args!("| --- | --- | --- | --- | --- | --- |"));
    for peer in peers {
        let name = peer.program();
        if all(peer).all(|(told, _)| matches!(told, Told::NotInstalled)) {
            line(text, format_args!("| {name} | not installed | | | | |"));
            continue;
        }
        let mut times: Vec<Duration> = Vec::new();
        let (mut content, mut killed) = (0, 0);
        for (told, fails) in all(peer) {
            match told {
                Told::Ran {
                    elapsed, success, ..
                } => {
                    times.push(*elapsed);
                    content += usize::from(*success && fails);
                }
                Told::Endless(_) => {
                    times.push(LIMIT);
                    killed += 1;
                }
                Told::NotInstalled | Told::CannotExpress(_) => {}
            }
        }
        times.sort_unstable();
        let median = times
            .get(times.len() / 2)
            .copied()
            .unwrap_or_default()
            .as_secs_f64();
        let longest = times.last().copied().unwrap_or_default().as_secs_f64();
        let count = times.len();
        line(
            text,
            format_args!(
                "| {name} | {count} | {content} | {median:.2} s | {longest:.1} s | {killed} |"
            ),
        );
    }
    line(text, format_args!(""));
}

fn section(text: &mut String, kind: Kind, rows: &[&Row]) {
    line(text, format_args!("## {kind}\n"));
    line(
        text,
        format_args!("| fault | dialled | expected | guilty key | linkdial | peers | stands on |"),
    );
    line(
        text,
        format_args!("| --- | --- | --- | --- | --- | --- | --- |"),
    );
    for row in rows {
        let Fault {
            name,
            family,
            server,
            expected,
            source,
            ..
        } = &row.fault;
        let told = match &row.found {
            Ok(found) => told(row, found),
            Err(why) => why.clone(),
        };
        let spoken = row.peers.iter().filter_map(|(peer, told)| match told {
            Told::Ran { .. } | Told::Endless(_) => {
                Some(format!("{}: {}", peer.program(), cell(&told.to_string())))
            }
            Told::NotInstalled | Told::CannotExpress(_) => None,
        });
        let spoken: Vec<String> = spoken.collect();
        let mut said = format!("`{}`", expected.code);
        if expected.verdict != "fail" {
            said = format!("{said} ({})", expected.verdict);
        }
        if !expected.role.is_empty() {
            said = format!("{said} {}", expected.role);
        }
        line(
            text,
            format_args!(
                "| {name}, {family} | {server} | {said} | {} | {} | {} | {} |",
                key_of(expected.key),
                told_cell(&told),
                spoken.join("<br>"),
                cell(source)
            ),
        );
    }
    line(text, format_args!(""));
}

/// What linkdial said, for the page.
fn told(row: &Row, found: &Found) -> String {
    let milliseconds = found.elapsed.as_secs_f64() * 1000.0;
    let corrected = if found.corrected { CORRECTED } else { "" };
    if row.is_right() {
        return format!("the same, {milliseconds:.1} ms{corrected}");
    }
    let key = found.key.as_ref();
    let key = key_of(key.map(|(clause, pointer)| (clause.as_str(), pointer.as_str())));
    let missing = if found.is_mended(&row.fault.expected) {
        ""
    } else {
        ", not corrected"
    };
    format!("**{found} {key}{missing}**, {milliseconds:.1} ms{corrected}")
}

/// Its own emphasis stays.
fn told_cell(text: &str) -> String {
    match text
        .strip_prefix("**")
        .and_then(|rest| rest.split_once("**"))
    {
        Some((wrong, rest)) => format!("**{}**{}", cell(wrong), cell(rest)),
        None => cell(text),
    }
}

fn key_of(key: Option<(&str, &str)>) -> String {
    match key {
        None => "none".to_owned(),
        Some((clause, "")) => clause.to_owned(),
        Some((clause, pointer)) => format!("{clause} {pointer}"),
    }
}

/// A text that neither ends a cell nor is read as markup.
fn cell(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;");
    text.replace('*', "\\*")
        .replace('_', "\\_")
        .replace('`', "'")
}

fn line(text: &mut String, words: fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("a text takes everything");
}
