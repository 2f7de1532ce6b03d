//! Markdown for a comment on a pull request or a chat: what is wrong first, bounded in length.
//!
//! Texts of strangers stand in code spans or are escaped, so that none of them mentions a person,
//! makes a link or ends the table that it stands in.

use std::fmt::Write as _;
use std::io::{self, Write};

use linkdial_core::{Outcome, Policy, Stage};

use super::corrected::heading;
use super::html::escaped;
use super::human::{sign, time};
use super::layout::harmless;
use super::night::{Item, Words};
use super::{Check, Finding, Report, Step, Summary, TargetPlace};
use crate::correction::Correction;
use crate::sql::Place;

/// What GitHub takes as a comment. Counted in bytes, which are never fewer than characters.
const LIMIT: usize = 65_536;
/// Kept for the sentences that say what was cut.
const RESERVE: usize = 1_000;
/// Up to where the parts before the details may reach.
const NIGHT_LIMIT: usize = LIMIT / 4;
const ERRORS_LIMIT: usize = LIMIT * 3 / 8;
const TABLE_LIMIT: usize = LIMIT * 5 / 8;

/// A text that grows by whole blocks up to a limit.
struct Page(String);

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page(format!("{}\n", summary(report)));
    if let Some(words) = Words::of(report) {
        page.night(&words);
    }
    page.errors(report);
    page.table(report);
    page.details(report);
    out.write_all(page.0.as_bytes())
}

fn summary(report: &Report) -> String {
    let summary = report.summary();
    let mut parts = Vec::new();
    if report.is_offline() {
        parts.push("no network, nothing is known of the links".to_owned());
    }
    if !report.errors.is_empty() {
        parts.push(count(
            report.errors.len(),
            "error in the script",
            "errors in the script",
        ));
    }
    parts.extend(counts(&summary));
    if parts.is_empty() {
        parts.push("nothing to check".to_owned());
    }
    let symbol = sign(report.overall()).0;
    let mut text = format!("**{symbol} linkdial: {}**", parts.join(", "));
    if !report.checks.is_empty() {
        let checks = count(report.checks.len(), "check", "checks");
        write_to(
            &mut text,
            format_args!(" — {checks} in {}", time(report.elapsed)),
        );
    }
    if let Some(host) = &report.host {
        write_to(&mut text, format_args!(" from {}", code(host)));
    }
    if let Some(until) = report.until {
        write_to(&mut text, format_args!(" until {until}"));
    }
    if !report.complete {
        text.push_str(" — stopped early: this report is partial");
    }
    text
}

fn counts(summary: &Summary) -> Vec<String> {
    let counts = [
        (summary.fail, "failed"),
        (summary.unverified, "unverified"),
        (summary.warn, "warned"),
        (summary.pass, "passed"),
    ];
    let there = counts.into_iter().filter(|(count, _)| *count > 0);
    there
        .map(|(count, word)| format!("{count} {word}"))
        .collect()
}

impl Page {
    /// Adds a block of whole lines unless the text would grow beyond the limit.
    fn add(&mut self, block: &str, limit: usize) -> bool {
        let fits = self.0.len() + block.len() <= limit - RESERVE;
        if fits {
            self.0.push_str(block);
        }
        fits
    }

    /// Adds blocks until one does not fit, and says how many were left out.
    fn add_all(&mut self, blocks: &[String], limit: usize, one: &str, many: &str) {
        let fitting = blocks.iter().take_while(|block| self.add(block, limit));
        let left = blocks.len() - fitting.count();
        if left > 0 {
            let left = count(left, one, many);
            let text = format!("\n_Cut here: {left} left out, to stay within a comment._\n");
            self.0.push_str(&text);
        }
    }

    fn night(&mut self, words: &Words<'_>) {
        let title = prose(&capitalized(&words.title()));
        write_to(&mut self.0, format_args!("\n### {title}\n"));
        let parts = words.parts();
        if parts.is_empty() {
            self.0
                .push_str("\nNothing changed, and nothing expires soon.\n");
        }
        let mut blocks = Vec::new();
        for part in parts {
            let mut heading = format!("\n**{}**\n\n", capitalized(part.heading));
            for item in &part.items {
                blocks.push(std::mem::take(&mut heading) + &line_of(item));
            }
        }
        self.add_all(&blocks, NIGHT_LIMIT, "line", "lines");
    }

    fn errors(&mut self, report: &Report) {
        let mut blocks = Vec::new();
        for error in &report.errors {
            let mut text = format!(
                "- ✗ **error** {} at {}: {}",
                code(error.code.as_str()),
                place(&error.place),
                prose(&error.message)
            );
            if let Some(hint) = &error.hint {
                write_to(&mut text, format_args!(" — hint: {}", prose(hint)));
            }
            text.push('\n');
            if let Some(correction) = &error.correction {
                text.push_str("\n<details><summary>corrected</summary>\n\n");
                add_correction(&mut text, correction);
                text.push_str("\n</details>\n\n");
            }
            blocks.push(text);
        }
        for skipped in &report.skipped {
            if let Some(warning) = &skipped.warning {
                let (at, warning) = (place(&skipped.place), prose(warning));
                blocks.push(format!("- ! **warning** at {at}: {warning}\n"));
            }
        }
        if let Some(first) = blocks.first_mut() {
            *first = format!("\n### Script\n\n{first}");
        }
        self.add_all(&blocks, ERRORS_LIMIT, "line", "lines");
    }

    /// The worst come first: what is cut should be what passed.
    fn table(&mut self, report: &Report) {
        if report.checks.is_empty() {
            return;
        }
        let mut checks: Vec<&Check> = report.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.verdict()));
        let head = "\n### Checks\n\n| verdict | link | kind | target | code | time |\n\
                    | --- | --- | --- | --- | --- | ---: |\n";
        let mut rows: Vec<String> = checks.iter().map(|check| row(check)).collect();
        rows[0] = format!("{head}{}", rows[0]);
        self.add_all(&rows, TABLE_LIMIT, "check", "checks");
    }

    fn details(&mut self, report: &Report) {
        let words = Words::of(report);
        let numbered = report.checks.iter().enumerate();
        let mut told: Vec<(usize, &Check)> = numbered
            .filter(|(_, check)| check.headline().is_some())
            .collect();
        told.sort_by_key(|(_, check)| std::cmp::Reverse(check.verdict()));
        let blocks: Vec<String> = told
            .into_iter()
            .map(|(number, check)| {
                let story = words.as_ref().and_then(|words| words.story(number));
                details(check, story.as_deref())
            })
            .collect();
        self.add_all(&blocks, LIMIT, "check with details", "checks with details");
    }
}

fn line_of(item: &Item) -> String {
    let mut text = format!("- {}: {}\n", code(&item.subject.text), prose(&item.text));
    for under in &item.under {
        let under = match under.check {
            Some(_) => code(&under.text),
            None => prose(&under.text),
        };
        write_to(&mut text, format_args!("  - {under}\n"));
    }
    if let Some(story) = &item.story {
        write_to(&mut text, format_args!("  - {}\n", prose(story)));
    }
    text
}

fn row(check: &Check) -> String {
    let verdict = check.verdict();
    let target = check
        .target
        .as_ref()
        .map(|target| cell(&target.to_string()));
    let found = check
        .headline()
        .map(|(_, finding)| cell(finding.code.as_str()));
    format!(
        "| {} {verdict} | {} | {} | {} | {} | {} |\n",
        sign(verdict).0,
        cell(&check.link.to_string()),
        check.kind,
        target.unwrap_or_default(),
        found.unwrap_or_default(),
        time(check.elapsed)
    )
}

fn details(check: &Check, story: Option<&str>) -> String {
    let verdict = check.verdict();
    let target = check.target.as_ref().map(ToString::to_string);
    let target = target.map(|target| format!(" with {}", html_code(&target)));
    // Between these tags is HTML, which knows no code spans.
    let mut text = format!(
        "\n<details><summary>{} {verdict}: {}{}</summary>\n\n",
        sign(verdict).0,
        html_code(&check.link.to_string()),
        target.unwrap_or_default()
    );
    for (step, finding) in check.findings() {
        add_finding(&mut text, check, step, finding);
    }
    if let Some(story) = story.filter(|_| verdict == Outcome::Fail) {
        write_to(&mut text, format_args!("- {}\n", prose(story)));
    }
    if let Some(correction) = &check.correction {
        add_correction(&mut text, correction);
    }
    text.push_str("\n</details>\n");
    text
}

fn add_correction(text: &mut String, correction: &Correction) {
    write_to(text, format_args!("- **{}**\n", heading(correction)));
    for change in &correction.changes {
        write_to(text, format_args!("  - {}\n", prose(&change.text)));
    }
    let statement: Vec<_> = correction.statement.lines().map(harmless).collect();
    let statement = statement.join("\n");
    // A block ends at as many marks as it began with.
    let mut fence = String::from("```");
    while statement.contains(&fence) {
        fence.push('`');
    }
    write_to(text, format_args!("\n{fence}sql\n{statement}\n{fence}\n"));
}

/// A block of code within a list: indented, and fenced with more backticks than it holds.
fn add_block(text: &mut String, policy: &Policy) {
    let longest = policy.text.split(|c| c != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let language = policy.language.as_str();
    write_to(text, format_args!("    {fence}{language}\n"));
    for line in policy.text.lines() {
        write_to(text, format_args!("    {}\n", harmless(line)));
    }
    write_to(text, format_args!("    {fence}\n\n"));
}

fn add_finding(text: &mut String, check: &Check, step: &Step, finding: &Finding) {
    write_to(
        text,
        format_args!(
            "- **{}** {}: {}\n",
            step.outcome,
            code(finding.code.as_str()),
            prose(&finding.message)
        ),
    );
    if let Some(hint) = &finding.hint {
        write_to(text, format_args!("  - hint: {}\n", prose(hint)));
    }
    for policy in &finding.policy {
        write_to(
            text,
            format_args!("  - grant: {}\n\n", prose(&policy.title)),
        );
        add_block(text, policy);
    }
    for key in &finding.keys {
        let clause = key.clause.as_str();
        let pointer = match key.pointer.as_str() {
            "" => String::new(),
            pointer => format!(" {}", code(pointer)),
        };
        let at = key.place.as_ref().map(|at| format!(" at {}", place(at)));
        write_to(
            text,
            format_args!("  - key: {clause}{pointer}{}\n", at.unwrap_or_default()),
        );
    }
    if finding.keys.iter().all(|key| key.place.is_none()) {
        let at = match &finding.target {
            Some(TargetPlace::Script(at, _)) => Some(place(at)),
            Some(TargetPlace::CommandLine) => Some(code("--target")),
            Some(TargetPlace::Registry) => None,
            None => check.place.as_ref().map(place),
        };
        if let Some(at) = at {
            write_to(text, format_args!("  - at {at}\n"));
        }
    }
    if let Some(endpoint) = &step.endpoint {
        let at = code(&endpoint.to_string());
        let (stage, role) = (step.stage, endpoint.role);
        write_to(text, format_args!("  - stage: {stage} at {at} ({role})\n"));
    } else if step.stage != Stage::Define {
        write_to(text, format_args!("  - stage: {}\n", step.stage));
    }
    for (name, value) in &finding.evidence {
        write_to(text, format_args!("  - {name}: {}\n", code(value)));
    }
}

fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

fn place(place: &Place) -> String {
    code(&format!("{}:{}:{}", place.file, place.line, place.column))
}

/// Writes a text as a code span, in which nothing means anything.
fn code(text: &str) -> String {
    let text = harmless(text);
    // A span ends at as many marks as it began with.
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let is_bare = !text.starts_with(['`', ' ']) && !text.ends_with(['`', ' ']);
    match text.as_ref() {
        // There is no empty code span.
        "" => String::new(),
        text if is_bare => format!("{fence}{text}{fence}"),
        text => format!("{fence} {text} {fence}"),
    }
}

/// Writes a text as a code span in a table, where a bar ends the cell even there.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn html_code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Writes a sentence. Its pairs of back-ticks stay code; a word in which a platform would see a
/// mention, a link, a formula or an emoji becomes code.
fn prose(text: &str) -> String {
    let text = harmless(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of marks is none of ours.
    let has_pairs = parts.len() % 2 == 1;
    if !has_pairs {
        return words(&text);
    }
    let mut shown = String::with_capacity(text.len());
    for (index, part) in parts.into_iter().enumerate() {
        if index % 2 == 1 {
            shown.push_str(&code(part));
        } else {
            shown.push_str(&words(part));
        }
    }
    shown
}

fn words(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let means_something = word.contains(['@', '#', '$', '`', '\\', '/'])
        || lower.contains("www.")
        || word.matches(':').count() > 1;
    if means_something {
        let name = word.trim_end_matches([',', ';', ':', '.', '?']);
        let (name, rest) = word.split_at(name.len());
        return format!("{}{rest}", code(name));
    }
    let mut shown = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '*' | '_' | '[' | ']' | '|' | '~' => {
                shown.push('\\');
                shown.push(c);
            }
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            c => shown.push(c),
        }
    }
    shown
}

fn write_to(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("a string takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_something_elsewhere_are_code() {
        for (text, shown) in [
            ("did you mean `region`?", "did you mean `region`?"),
            ("ask @ann, now", "ask `@ann`, now"),
            ("see #12: it costs $5", "see `#12`: it costs `$5`"),
            ("at https://h.example/p.", "at `https://h.example/p`."),
            (
                "www.h.example :tada: b:9092",
                "`www.h.example` `:tada`: b:9092",
            ),
            (
                "*a* _b_ [c](d) ~e~ x|y",
                "\\*a\\* \\_b\\_ \\[c\\](d) \\~e\\~ x\\|y",
            ),
            ("a <b> & c", "a &lt;b&gt; &amp; c"),
            // One mark alone pairs with nothing.
            ("a ` b", "a `` ` `` b"),
        ] {
            assert_eq!(prose(text), shown, "{text}");
        }
    }

    #[test]
    fn a_span_holds_any_text() {
        for (text, shown) in [
            ("", ""),
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            ("a\nb", "`a b`"),
        ] {
            assert_eq!(code(text), shown, "{text}");
        }
        assert_eq!(cell("a|b"), "`a\\|b`");
    }
}
