//! One page for people: no script, nothing loaded, readable on a phone and in the dark.
//!
//! Every text goes through [`escaped`], and the policy in its head forbids the page everything but
//! its own style, should one ever not.

use std::fmt::{Arguments, Write as _};
use std::io::{self, Write};

use linkdial_core::Outcome;

use super::corrected::heading;
use super::human::{REMARKS, sign, time};
use super::json::TOOL;
use super::layout::harmless;
use super::night::{Item, Part, Subject, Words, date};
use super::{Check, Finding, Report, Step, Summary, TargetPlace};
use crate::correction::Correction;
use crate::script::{ScriptError, Skipped};
use crate::sql::{Excerpt, Place};

const STYLE: &str = include_str!("html.css");
/// Nothing is fetched, run, framed or sent; styles stand in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The text of the page so far.
struct Page(String);

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page(String::new());
    let words = Words::of(report);
    page.head(report);
    page.banner(report);
    page.raw("<main>\n");
    if let Some(words) = &words {
        page.night(words);
    }
    page.script(&report.errors, &report.skipped);
    page.overview(&report.checks);
    page.findings(&report.checks, words.as_ref());
    page.rest(&report.checks);
    page.raw("</main>\n");
    page.foot();
    out.write_all(page.0.as_bytes())
}

/// Escapes a text for the inside of an element or of an attribute in quotes.
pub(super) fn escaped(text: &str) -> String {
    let text = harmless(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

impl Page {
    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn add(&mut self, html: Arguments<'_>) {
        self.0.write_fmt(html).expect("a string takes every write");
    }

    fn head(&mut self, report: &Report) {
        let title = escaped(&headline(report));
        self.add(format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>linkdial: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        ));
    }

    fn banner(&mut self, report: &Report) {
        let verdict = report.overall();
        let headline = escaped(&headline(report));
        self.add(format_args!(
            "<header class=\"{verdict}\">\n<p class=\"brand\">linkdial report</p>\n\
             <h1>{headline}</h1>\n<p class=\"meta\">{} · {}",
            date(report.started),
            time(report.elapsed)
        ));
        if let Some(host) = &report.host {
            self.add(format_args!(" · dialled from {}", code(host)));
        }
        if let Some(until) = report.until {
            self.add(format_args!(" · until stage {until}"));
        }
        self.raw("</p>\n");
        if !report.complete {
            self.raw("<p class=\"partial\">Stopped early: this report is partial.</p>\n");
        }
        self.tiles(&report.summary());
        self.raw("</header>\n");
    }

    /// The numbers, and the same as a bar.
    fn tiles(&mut self, summary: &Summary) {
        let counts = [
            (Outcome::Fail, summary.fail, "failed"),
            (Outcome::Unverified, summary.unverified, "unverified"),
            (Outcome::Warn, summary.warn, "with warnings"),
            (Outcome::Pass, summary.pass, "passed"),
        ];
        self.raw("<ul class=\"tiles\">\n");
        for (outcome, count, word) in counts {
            let class = if count == 0 { "none" } else { outcome.as_str() };
            let symbol = symbol(outcome);
            self.add(format_args!(
                "<li class=\"{class}\"><b>{count}</b> <span>{symbol} {word}</span></li>\n"
            ));
        }
        self.raw("</ul>\n<div class=\"bar\" aria-hidden=\"true\">");
        for (outcome, count, _) in counts.into_iter().filter(|(_, count, _)| *count > 0) {
            self.add(format_args!(
                "<i class=\"{outcome}\" style=\"flex-grow:{count}\"></i>"
            ));
        }
        self.raw("</div>\n");
    }

    fn night(&mut self, words: &Words<'_>) {
        let title = words.title();
        let (title, rest) = title.split_once(", ").unwrap_or((&title, ""));
        self.add(format_args!(
            "<section aria-labelledby=\"sweep\">\n<h2 id=\"sweep\">{}</h2>\n<p class=\"meta\">{}</p>\n",
            capitalized(title),
            capitalized(rest)
        ));
        let parts = words.parts();
        if parts.is_empty() {
            self.raw("<p>Nothing changed, and nothing expires soon.</p>\n");
        }
        self.raw("<div class=\"parts\">\n");
        for part in &parts {
            self.part(part);
        }
        self.raw("</div>\n</section>\n");
    }

    fn part(&mut self, part: &Part) {
        let (tone, heading) = (part.tone, capitalized(part.heading));
        let count = part.items.len();
        self.add(format_args!(
            "<div class=\"part {tone}\">\n<h3>{heading} <span class=\"count\">{count}</span></h3>\n<ul>\n"
        ));
        for item in &part.items {
            self.item(item);
        }
        self.raw("</ul>\n</div>\n");
    }

    fn item(&mut self, item: &Item) {
        self.add(format_args!(
            "<li><b>{}</b> <span>{}</span>",
            linked(&item.subject),
            sentence(&item.text)
        ));
        if let Some(story) = &item.story {
            self.add(format_args!("<p class=\"story\">{}</p>", sentence(story)));
        }
        if !item.under.is_empty() {
            self.raw("<ul>");
            for under in &item.under {
                self.add(format_args!("<li>{}</li>", linked(under)));
            }
            self.raw("</ul>");
        }
        self.raw("</li>\n");
    }

    fn script(&mut self, errors: &[ScriptError], skipped: &[Skipped]) {
        let warned = skipped.iter().any(|skipped| skipped.warning.is_some());
        if errors.is_empty() && !warned {
            return;
        }
        self.raw("<section aria-labelledby=\"script\">\n<h2 id=\"script\">Script</h2>\n");
        for error in errors {
            self.add(format_args!(
                "<article class=\"fail\">\n<h3>{} {}</h3>\n<p class=\"message\">{}</p>\n",
                badge(Outcome::Fail, "error"),
                code(error.code.as_str()),
                sentence(&error.message)
            ));
            self.excerpt(&error.place, Some(&error.excerpt));
            if !error.expected.is_empty() {
                let expected = escaped(&error.expected.join(", "));
                self.add(format_args!("<p>Expected: {expected}</p>\n"));
            }
            self.hint(error.hint.as_deref());
            if let Some(correction) = &error.correction {
                self.correction(correction);
            }
            self.raw("</article>\n");
        }
        for skipped in skipped {
            if let Some(warning) = &skipped.warning {
                self.add(format_args!(
                    "<article class=\"warn\">\n<h3>{} {}</h3>\n<p class=\"message\">{}</p>\n",
                    badge(Outcome::Warn, "warning"),
                    code(&skipped.statement),
                    sentence(warning)
                ));
                self.excerpt(&skipped.place, None);
                self.raw("</article>\n");
            }
        }
        self.raw("</section>\n");
    }

    fn overview(&mut self, checks: &[Check]) {
        self.raw("<section aria-labelledby=\"checks\">\n<h2 id=\"checks\">Checks</h2>\n");
        if checks.is_empty() {
            self.raw("<p>Nothing to check.</p>\n</section>\n");
            return;
        }
        self.raw(
            "<div class=\"card\"><table class=\"checks\">\n<thead><tr><th scope=\"col\">Verdict</th>\
             <th scope=\"col\">Link</th><th scope=\"col\" class=\"wide\">Finding</th>\
             <th scope=\"col\" class=\"wide number\">Time</th></tr></thead>\n<tbody>\n",
        );
        for (number, check) in (1..).zip(checks) {
            let verdict = check.verdict();
            let found = check
                .headline()
                .map(|(_, finding)| code(finding.code.as_str()));
            let found = found.unwrap_or_default();
            self.add(format_args!(
                "<tr><td>{}</td><th scope=\"row\"><a href=\"#check-{number}\">{}</a> \
                 <span class=\"kind\">{}</span>",
                badge(verdict, verdict.as_str()),
                escaped(&check.link.to_string()),
                check.kind
            ));
            if let Some(target) = &check.target {
                let target = escaped(&target.to_string());
                self.add(format_args!(" <span class=\"target\">{target}</span>"));
            }
            if !found.is_empty() {
                self.add(format_args!(" <span class=\"narrow\">{found}</span>"));
            }
            let elapsed = time(check.elapsed);
            self.add(format_args!(
                "</th><td class=\"wide\">{found}</td><td class=\"wide number\">{elapsed}</td></tr>\n"
            ));
        }
        self.raw("</tbody>\n</table></div>\n</section>\n");
    }

    fn findings(&mut self, checks: &[Check], words: Option<&Words<'_>>) {
        let numbered = checks.iter().enumerate();
        let mut told: Vec<(usize, &Check)> = numbered
            .filter(|(_, check)| check.headline().is_some())
            .collect();
        if told.is_empty() {
            return;
        }
        // Stable: within one verdict the order of the report stays.
        told.sort_by_key(|(_, check)| std::cmp::Reverse(check.verdict()));
        self.raw("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
        for (number, check) in told {
            self.open_check(number, check);
            for (step, finding) in check.findings() {
                self.finding(check, step, finding);
            }
            let story = words.and_then(|words| words.story(number));
            if let Some(story) = story.filter(|_| check.verdict() == Outcome::Fail) {
                self.add(format_args!(
                    "<p class=\"story\">{}</p>\n",
                    sentence(&story)
                ));
            }
            if let Some(correction) = &check.correction {
                self.correction(correction);
            }
            self.remarks(check);
            self.steps(check);
            self.raw("</article>\n");
        }
        self.raw("</section>\n");
    }

    fn correction(&mut self, correction: &Correction) {
        self.add(format_args!(
            "<details open><summary>{}</summary>\n<ul>\n",
            escaped(heading(correction))
        ));
        for change in &correction.changes {
            self.add(format_args!("<li>{}</li>\n", sentence(&change.text)));
        }
        let lines: Vec<_> = correction.statement.lines().map(harmless).collect();
        let statement = escaped(&lines.join("\n"));
        self.add(format_args!("</ul>\n<pre>{statement}</pre>\n</details>\n"));
    }

    /// What has no finding, behind one fold.
    fn rest(&mut self, checks: &[Check]) {
        let numbered = checks.iter().enumerate();
        let passed: Vec<(usize, &Check)> = numbered
            .filter(|(_, check)| check.headline().is_none())
            .collect();
        if passed.is_empty() {
            return;
        }
        let count = passed.len();
        let noun = if count == 1 { "check" } else { "checks" };
        self.add(format_args!(
            "<section aria-labelledby=\"passed\">\n<h2 id=\"passed\">Without findings</h2>\n\
             <details class=\"fold\"><summary>{count} {noun} and what was learned</summary>\n"
        ));
        for (number, check) in passed {
            self.open_check(number, check);
            self.remarks(check);
            self.steps(check);
            self.raw("</article>\n");
        }
        self.raw("</details>\n</section>\n");
    }

    fn open_check(&mut self, number: usize, check: &Check) {
        let verdict = check.verdict();
        self.add(format_args!(
            "<article class=\"{verdict}\" id=\"check-{}\">\n<h3>{} {} <span class=\"kind\">{}</span></h3>\n",
            number + 1,
            badge(verdict, verdict.as_str()),
            escaped(&check.link.to_string()),
            check.kind
        ));
        if let Some(target) = &check.target {
            let target = escaped(&target.to_string());
            self.add(format_args!("<p class=\"target\">{target}</p>\n"));
        }
    }

    fn finding(&mut self, check: &Check, step: &Step, finding: &Finding) {
        self.add(format_args!(
            "<div class=\"finding {}\">\n<p class=\"message\">{} {}<br>{}</p>\n",
            step.outcome,
            outcome(step.outcome),
            code(finding.code.as_str()),
            sentence(&finding.message)
        ));
        self.hint(finding.hint.as_deref());
        for policy in &finding.policy {
            let title = sentence(&policy.title);
            let lines: Vec<_> = policy.text.lines().map(escaped).collect();
            let text = lines.join("\n");
            self.add(format_args!(
                "<p class=\"hint\"><b>What grants it:</b> {title}</p>\n<pre>{text}</pre>\n"
            ));
        }
        if finding.keys.iter().all(|key| key.place.is_none()) {
            match &finding.target {
                Some(TargetPlace::Script(place, excerpt)) => self.excerpt(place, Some(excerpt)),
                Some(TargetPlace::CommandLine) => {
                    self.raw("<p class=\"place\"><code>--target</code></p>\n");
                }
                Some(TargetPlace::Registry) => {}
                None => {
                    if let Some(place) = &check.place {
                        self.excerpt(place, None);
                    }
                }
            }
        }
        for key in &finding.keys {
            if let Some(place) = &key.place {
                self.excerpt(place, key.excerpt.as_ref());
            } else {
                let key = format!("{} {}", key.clause.as_str(), key.pointer);
                self.add(format_args!("<p class=\"place\">Key: {}</p>\n", code(&key)));
            }
        }
        let blame = finding.blame.as_str();
        self.raw("<dl>\n");
        self.add(format_args!(
            "<div><dt>who has to act</dt><dd>{blame}</dd></div>\n"
        ));
        for (name, value) in &finding.evidence {
            let (name, value) = (escaped(&name.replace('_', " ")), escaped(value));
            self.add(format_args!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
        }
        self.raw("</dl>\n</div>\n");
    }

    fn hint(&mut self, hint: Option<&str>) {
        if let Some(hint) = hint {
            let hint = sentence(hint);
            self.add(format_args!(
                "<p class=\"hint\"><b>How to mend it:</b> {hint}</p>\n"
            ));
        }
    }

    fn remarks(&mut self, check: &Check) {
        let mut shown: Vec<&str> = Vec::new();
        for (name, value) in check.steps.iter().flat_map(|step| &step.notes) {
            if REMARKS.contains(name) && !shown.contains(&value.as_str()) {
                shown.push(value);
                let value = sentence(value);
                self.add(format_args!(
                    "<p class=\"remark\"><b>{name}:</b> {value}</p>\n"
                ));
            }
        }
    }

    fn steps(&mut self, check: &Check) {
        if check.steps.is_empty() {
            return;
        }
        let count = check.steps.len();
        let noun = if count == 1 { "step" } else { "steps" };
        self.add(format_args!(
            "<details><summary>{count} {noun} in {}</summary>\n<table class=\"steps\">\n<thead><tr>\
             <th scope=\"col\">Stage</th><th scope=\"col\">Outcome</th>\
             <th scope=\"col\">Where, and what was learned</th>\
             <th scope=\"col\" class=\"number\">Time</th></tr></thead>\n<tbody>\n",
            time(check.elapsed)
        ));
        for step in &check.steps {
            let (stage, outcome) = (step.stage, outcome(step.outcome));
            self.add(format_args!(
                "<tr><th scope=\"row\">{stage}</th><td>{outcome}</td><td>"
            ));
            if let Some(endpoint) = &step.endpoint {
                let at = code(&endpoint.to_string());
                self.add(format_args!("{} {at}", endpoint.role));
            }
            for (name, value) in &step.notes {
                let (name, value) = (escaped(&name.replace('_', " ")), escaped(value));
                self.add(format_args!("<div class=\"note\">{name}: {value}</div>"));
            }
            let elapsed = time(step.elapsed);
            self.add(format_args!(
                "</td><td class=\"number\">{elapsed}</td></tr>\n"
            ));
        }
        self.raw("</tbody>\n</table>\n</details>\n");
    }

    /// Writes the place, and the line with what is meant marked in it.
    fn excerpt(&mut self, place: &Place, excerpt: Option<&Excerpt>) {
        let at = format!("{}:{}:{}", place.file, place.line, place.column);
        self.add(format_args!("<p class=\"place\">{}</p>\n", code(&at)));
        let Some(excerpt) = excerpt else {
            return;
        };
        let part = |from: usize, count: usize| -> String {
            escaped(
                &excerpt
                    .text
                    .chars()
                    .skip(from)
                    .take(count)
                    .collect::<String>(),
            )
        };
        let end = excerpt.start + excerpt.width;
        let (before, after) = (part(0, excerpt.start), part(end, usize::MAX));
        let marked = part(excerpt.start, excerpt.width);
        let line = excerpt.line;
        self.add(format_args!(
            "<pre><span class=\"line\">{line}</span> {before}<mark>{marked}</mark>{}</pre>\n",
            after.trim_end()
        ));
    }

    fn foot(&mut self) {
        self.add(format_args!(
            "<footer>\n<p>A pass speaks for the network and the files of the machine that dialled. \
             <code>linkdial explain CODE</code> tells more about a finding.</p>\n\
             <p>linkdial {}</p>\n</footer>\n</body>\n</html>\n",
            TOOL.version
        ));
    }
}

/// Says how it went as a whole.
fn headline(report: &Report) -> String {
    let summary = report.summary();
    let total = report.checks.len();
    let checks = if total == 1 { "check" } else { "checks" };
    let of = |count: usize, what: &str| format!("{count} of {total} {checks} {what}");
    if report.is_offline() {
        return "No network: nothing is known of the links".to_owned();
    }
    match (report.overall(), total) {
        (_, 0) if report.errors.is_empty() => "Nothing to check".to_owned(),
        (_, 0) => "No link was checked".to_owned(),
        _ if summary.fail > 0 => of(summary.fail, "failed"),
        _ if !report.errors.is_empty() => "The script has errors".to_owned(),
        (Outcome::Unverified, _) => of(summary.unverified, "could not be verified"),
        (Outcome::Warn, _) => of(summary.warn, "passed with warnings"),
        (_, 1) => "The check passed".to_owned(),
        _ => format!("All {total} checks passed"),
    }
}

fn symbol(outcome: Outcome) -> char {
    sign(outcome).0
}

fn badge(outcome: Outcome, word: &str) -> String {
    let symbol = symbol(outcome);
    format!(
        "<span class=\"badge {outcome}\"><span aria-hidden=\"true\">{symbol}</span> {word}</span>"
    )
}

/// As a badge, and less loud.
fn outcome(outcome: Outcome) -> String {
    let symbol = symbol(outcome);
    format!(
        "<span class=\"word {outcome}\"><span aria-hidden=\"true\">{symbol}</span> {outcome}</span>"
    )
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn linked(subject: &Subject) -> String {
    let text = sentence(&subject.text);
    match subject.check {
        Some(number) => format!("<a href=\"#check-{}\">{text}</a>", number + 1),
        None => text,
    }
}

/// Writes a sentence; what stands in pairs of back-ticks is code.
fn sentence(text: &str) -> String {
    let text = escaped(text);
    if text.matches('`').count() % 2 == 1 {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            shown.push_str("<code>");
            shown.push_str(part);
            shown.push_str("</code>");
        } else {
            shown.push_str(part);
        }
    }
    shown
}

fn capitalized(text: &str) -> String {
    let text = escaped(text);
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}
