//! The report for people: one line a check, under it what is wrong and how to mend it.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use linkdial_core::{Outcome, Policy};

use super::layout::{columns_before, harmless, pad, width, wrap};
use super::night::Words;
use super::{Check, Finding, Origin, Report, Step, Summary, TargetPlace};
use crate::harmless::is_harmful;
use crate::script::{ScriptError, Skipped};
use crate::sql::{Excerpt, Place};

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detail {
    /// What did not pass, and the summary.
    Quiet,
    /// One line a check.
    #[default]
    Normal,
    /// Every step with its time and notes.
    Verbose,
}

/// Choices of the human format.
#[derive(Clone, Copy, Debug, Default)]
pub struct HumanOptions {
    /// How much is shown.
    pub detail: Detail,
    /// Whether colours are written. They never carry meaning alone.
    pub color: bool,
}

pub(super) const COLUMNS: usize = 80;
pub(super) const INDENT: &str = "    ";
/// Longer names push their own line out of the columns, not everybody's.
const NAME_COLUMNS: usize = 28;
const TARGET_COLUMNS: usize = 26;
/// Guilty keys shown with their line; further ones are named.
const EXCERPTS: usize = 3;

/// Notes that a reader needs to judge a verdict: what was not tried, what was lowered, what was
/// registered all the same.
pub(super) const REMARKS: [&str; 3] = ["deferred", "ignored", "unproven"];

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const MAGENTA: Style = AnsiColor::Magenta.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

pub(super) fn render(
    report: &Report,
    options: HumanOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page { options, out };
    for error in &report.errors {
        page.script_error(error)?;
    }
    page.skipped(&report.skipped)?;
    let night = Words::of(report);
    page.checks(&report.checks, night.as_ref())?;
    if let Some(night) = &night {
        page.night(night)?;
    }
    page.summary(report)
}

pub(super) struct Page<'a> {
    pub(super) options: HumanOptions,
    pub(super) out: &'a mut dyn Write,
}

/// Widths of the columns, over all checks.
struct Columns {
    verdict: usize,
    kind: usize,
    link: usize,
    target: usize,
}

impl Page<'_> {
    pub(super) fn script_error(&mut self, error: &ScriptError) -> io::Result<()> {
        let label = self.paint(RED, "error");
        let code = self.paint(BOLD, error.code.as_str());
        write!(self.out, "{label} {code}")?;
        if let Some(number) = error.code.number() {
            write!(self.out, " (SingleStore {number})")?;
        }
        writeln!(self.out)?;
        self.paragraph("", &error.message)?;
        self.excerpt(&error.place, Some(&error.excerpt), RED)?;
        if !error.expected.is_empty() {
            self.paragraph("expected: ", &error.expected.join(", "))?;
        }
        if let Some(hint) = &error.hint {
            self.paragraph("hint: ", hint)?;
        }
        if let Some(correction) = &error.correction {
            self.correction(correction)?;
        }
        writeln!(self.out)
    }

    pub(super) fn skipped(&mut self, list: &[Skipped]) -> io::Result<()> {
        for skipped in list {
            if let Some(warning) = &skipped.warning {
                let label = self.paint(YELLOW, "warning");
                let place = place(&skipped.place);
                let text = harmless(warning);
                writeln!(self.out, "{label} {place}: {text}")?;
            }
        }
        let plain: Vec<String> = list
            .iter()
            .filter(|skipped| skipped.warning.is_none())
            .map(|skipped| {
                let at = match self.options.detail {
                    Detail::Verbose => format!(" ({})", place(&skipped.place)),
                    Detail::Normal | Detail::Quiet => String::new(),
                };
                format!("{} {}{at}", skipped.count, harmless(&skipped.statement))
            })
            .collect();
        if plain.is_empty() || self.options.detail == Detail::Quiet {
            return Ok(());
        }
        for (index, line) in wrap(&plain.join(", "), COLUMNS - 9).iter().enumerate() {
            let label = if index == 0 { "skipped" } else { "" };
            let text = self.paint(DIM, &format!("{label:7}  {line}"));
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    pub(super) fn checks(&mut self, checks: &[Check], night: Option<&Words<'_>>) -> io::Result<()> {
        let quiet = self.options.detail == Detail::Quiet;
        let mut shown: Vec<(usize, &Check)> = checks.iter().enumerate().collect();
        shown.retain(|(_, check)| {
            !quiet || check.verdict() > Outcome::Warn || check.left_something()
        });
        let columns = Columns::of(&shown);
        for (number, check) in shown {
            self.check(check, &columns)?;
            let story = night.and_then(|night| night.story(number));
            self.story(check, story.as_deref())?;
        }
        Ok(())
    }

    fn check(&mut self, check: &Check, columns: &Columns) -> io::Result<()> {
        let verdict = check.verdict();
        let (symbol, style) = sign(verdict);
        let word = self.paint(style, &pad(&format!("{symbol} {verdict}"), columns.verdict));
        let elapsed = self.paint(DIM, &format!("{:>8}", time(check.elapsed)));
        let kind = pad(check.kind.as_str(), columns.kind);
        let name = harmless_name(check);
        let link = self.paint(BOLD, &pad(&name, columns.link));
        let target = target(check);
        let code = check.headline().map(|(_, finding)| finding.code.as_str());
        write!(self.out, "{word}  {elapsed}  {kind}  {link}")?;
        let mut used = columns.verdict + columns.kind + width(&name).max(columns.link) + 14;
        if !target.is_empty() {
            write!(self.out, "  {target}")?;
            used += 2 + width(&target);
        }
        // A code that does not fit stands over its message.
        let gap = if target.is_empty() {
            columns.target + 4
        } else {
            columns.target.saturating_sub(width(&target)) + 2
        };
        let fits = code.is_some_and(|code| used + gap + code.len() <= COLUMNS);
        if let Some(code) = code.filter(|_| fits) {
            let code = self.paint(style, code);
            write!(self.out, "{:gap$}{code}", "")?;
        }
        writeln!(self.out)?;
        if self.options.detail == Detail::Verbose {
            self.steps(check)?;
        }
        self.matrix(check)?;
        for (index, (step, finding)) in check.findings().into_iter().enumerate() {
            if index > 0 || !fits {
                let (_, style) = sign(step.outcome);
                let word = self.paint(style, step.outcome.as_str());
                let code = self.paint(style, finding.code.as_str());
                writeln!(self.out, "{INDENT}{word} {code}")?;
            }
            self.finding(check, step, finding)?;
        }
        if self.options.detail == Detail::Normal {
            self.remarks(check)?;
        }
        match &check.correction {
            Some(correction) => self.correction(correction),
            None => Ok(()),
        }
    }

    fn finding(&mut self, check: &Check, step: &Step, finding: &Finding) -> io::Result<()> {
        let (_, style) = sign(step.outcome);
        self.paragraph("", &finding.message)?;
        if finding.keys.iter().all(|key| key.place.is_none()) {
            match &finding.target {
                Some(TargetPlace::Script(place, excerpt)) => {
                    self.excerpt(place, Some(excerpt), style)?;
                }
                Some(TargetPlace::CommandLine) => {
                    let arrow = self.paint(CYAN, "-->");
                    writeln!(self.out, "{INDENT}{arrow} --target")?;
                }
                // The check's own line names it.
                Some(TargetPlace::Registry) => {}
                None => {
                    if let Some(place) = &check.place {
                        self.excerpt(place, None, style)?;
                    }
                }
            }
        }
        for key in finding.keys.iter().take(EXCERPTS) {
            if let Some(place) = &key.place {
                self.excerpt(place, key.excerpt.as_ref(), style)?;
            }
        }
        let further: Vec<String> = finding
            .keys
            .iter()
            .skip(EXCERPTS)
            .filter_map(|key| key.place.as_ref())
            .map(place)
            .collect();
        if !further.is_empty() {
            self.paragraph("also at ", &further.join(", "))?;
        }
        if !finding.evidence.is_empty() {
            self.paragraph("", &pairs(&finding.evidence))?;
        }
        if let Some(hint) = &finding.hint {
            self.paragraph("hint: ", hint)?;
        }
        for policy in &finding.policy {
            self.policy(policy)?;
        }
        Ok(())
    }

    /// Writes what is to be copied: its lines stay as they are, whatever their length.
    fn policy(&mut self, policy: &Policy) -> io::Result<()> {
        self.paragraph("grant: ", &policy.title)?;
        for line in policy.text.lines() {
            writeln!(self.out, "{INDENT}  {}", harmless(line))?;
        }
        Ok(())
    }

    pub(super) fn remarks(&mut self, check: &Check) -> io::Result<()> {
        let mut shown: Vec<&str> = Vec::new();
        for (name, value) in check.steps.iter().flat_map(|step| &step.notes) {
            if REMARKS.contains(name) && !shown.contains(&value.as_str()) {
                shown.push(value);
                self.paragraph(&format!("{name}: "), value)?;
            }
        }
        Ok(())
    }

    fn steps(&mut self, check: &Check) -> io::Result<()> {
        for step in &check.steps {
            let (symbol, style) = sign(step.outcome);
            let word = self.paint(style, &format!("{symbol} {:10}", step.outcome.as_str()));
            let elapsed = self.paint(DIM, &format!("{:>8}", time(step.elapsed)));
            let at = step
                .endpoint
                .as_ref()
                .map(|endpoint| format!("  {} {endpoint}", endpoint.role))
                .unwrap_or_default();
            let at = harmless(&at).into_owned();
            let line = format!("{:12}{at}", step.stage.as_str());
            writeln!(self.out, "{INDENT}{word}  {elapsed}  {}", line.trim_end())?;
            if !step.notes.is_empty() {
                for line in wrap(&pairs(&step.notes), COLUMNS - 28) {
                    let line = self.paint(DIM, &line);
                    writeln!(self.out, "{:28}{line}", "")?;
                }
            }
        }
        Ok(())
    }

    fn summary(&mut self, report: &Report) -> io::Result<()> {
        let summary = report.summary();
        if report.checks.is_empty() {
            let text = match report.origin {
                _ if !report.errors.is_empty() => "no link was checked",
                Origin::Registry => "nothing to check: the registry holds no link",
                Origin::Script => "nothing to check: the script leaves no link defined",
            };
            writeln!(self.out, "{text}")?;
        } else {
            let total = report.checks.len();
            let noun = if total == 1 { "check" } else { "checks" };
            write!(self.out, "{total} {noun} in {}", time(report.elapsed))?;
            if let Some(host) = &report.host {
                write!(self.out, " from {}", harmless(host))?;
            }
            if let Some(until) = report.until {
                write!(self.out, " until {until}")?;
            }
            writeln!(self.out, ": {}", self.counts(&summary))?;
        }
        self.error_count(report.errors.len())?;
        if !report.complete {
            let text = self.paint(MAGENTA, "stopped early: this report is partial");
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// Returns how many ended how, the worst first.
    pub(super) fn counts(&self, summary: &Summary) -> String {
        let counts = [
            (summary.fail, "failed", RED),
            (summary.unverified, "unverified", MAGENTA),
            (summary.warn, "warned", YELLOW),
            (summary.pass, "passed", GREEN),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, word, style)| self.paint(style, &format!("{count} {word}")))
            .collect();
        counts.join(", ")
    }

    /// Says how much of the script is wrong.
    pub(super) fn error_count(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let noun = if count == 1 { "error" } else { "errors" };
        let text = self.paint(RED, &format!("{count} {noun} in the script"));
        writeln!(self.out, "{text}")
    }

    /// Writes the place, and the line with its carets where there is one.
    fn excerpt(&mut self, at: &Place, excerpt: Option<&Excerpt>, style: Style) -> io::Result<()> {
        let arrow = self.paint(CYAN, "-->");
        writeln!(self.out, "{INDENT}{arrow} {}", place(at))?;
        let Some(excerpt) = excerpt else {
            return Ok(());
        };
        let number = excerpt.line.to_string();
        let margin = number.len();
        let bar = self.paint(CYAN, "|");
        let gutter = self.paint(CYAN, &number);
        let text: String = excerpt
            .text
            .chars()
            .map(|c| if is_harmful(c) { ' ' } else { c })
            .collect();
        writeln!(self.out, "{INDENT}{gutter} {bar} {}", text.trim_end())?;
        let before = columns_before(&text, excerpt.start);
        let marked = columns_before(&text, excerpt.start + excerpt.width)
            .saturating_sub(before)
            .max(1);
        let carets = self.paint(style, &"^".repeat(marked));
        writeln!(
            self.out,
            "{INDENT}{:margin$} {bar} {:before$}{carets}",
            "", ""
        )
    }

    /// Writes a wrapped text, indented under its check.
    pub(super) fn paragraph(&mut self, label: &str, text: &str) -> io::Result<()> {
        let text = harmless(text);
        let lines = wrap(&text, COLUMNS - INDENT.len() - label.len());
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 {
                self.paint(CYAN, label)
            } else {
                " ".repeat(label.len())
            };
            writeln!(self.out, "{INDENT}{label}{line}")?;
        }
        Ok(())
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.options.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

impl Columns {
    fn of(checks: &[(usize, &Check)]) -> Self {
        let widest = |measure: &dyn Fn(&Check) -> usize, most: usize| {
            checks
                .iter()
                .map(|(_, check)| measure(check))
                .filter(|columns| *columns <= most)
                .max()
                .unwrap_or(0)
        };
        Self {
            verdict: widest(&|check| 2 + check.verdict().as_str().len(), COLUMNS),
            kind: widest(&|check| check.kind.as_str().len(), COLUMNS),
            link: widest(&|check| width(&harmless_name(check)), NAME_COLUMNS),
            target: widest(&|check| width(&target(check)), TARGET_COLUMNS),
        }
    }
}

/// Returns symbol and colour of an outcome; the word beside them says the same.
pub(super) const fn sign(outcome: Outcome) -> (char, Style) {
    match outcome {
        Outcome::Fail => ('✗', RED),
        Outcome::Pass => ('✓', GREEN),
        Outcome::Skip => ('-', DIM),
        Outcome::Unverified => ('?', MAGENTA),
        Outcome::Warn => ('!', YELLOW),
    }
}

fn harmless_name(check: &Check) -> String {
    harmless(&check.link.to_string()).into_owned()
}

fn target(check: &Check) -> String {
    let target = check.target.as_ref().map(ToString::to_string);
    harmless(&target.unwrap_or_default()).into_owned()
}

fn place(place: &Place) -> String {
    let file = harmless(&place.file);
    format!("{file}:{}:{}", place.line, place.column)
}

fn pairs(pairs: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", harmless(value)))
        .collect();
    pairs.join(", ")
}

/// Writes a time in the unit that leaves about three digits.
pub(super) fn time(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 10_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1e3)
    }
}
