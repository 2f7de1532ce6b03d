//! Gauges for monitoring, valid both as OpenMetrics 1.0 and as Prometheus text 0.0.4.
//!
//! A series stands for link, kind and target. Checks that look alike in these labels are one
//! series, since a reader refuses a document that has one twice: the worst of them counts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Outcome, Stage};

use super::{Check, Report};
use crate::harmless::harmless;

/// Labels of a series: names with their values.
type Labels = Vec<(&'static str, String)>;

/// A gauge with its samples in the order in which they were added.
struct Gauge {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Labels, f64)>,
}

/// What the checks of one series come to. Its texts are harmless already: what differs before that
/// alone would be one series twice.
struct Series {
    labels: Labels,
    verdict: Outcome,
    elapsed: Duration,
    stages: BTreeMap<(Stage, &'static str), Duration>,
    failures: Vec<(&'static str, &'static str)>,
    certificates: Vec<(String, Timestamp)>,
}

/// How a check can end, each with a sample of its own.
const VERDICTS: [Outcome; 4] = [
    Outcome::Pass,
    Outcome::Warn,
    Outcome::Fail,
    Outcome::Unverified,
];

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    // A machine without a network knows nothing of the links, and must raise no alarm for each.
    let checks = if report.is_offline() {
        &[]
    } else {
        &*report.checks
    };
    let mut gauges = gauges(&Series::all(checks));
    if report.night.is_some() && !report.is_offline() {
        let mut sweep = Gauge::new(
            "linkdial_sweep_timestamp_seconds",
            "When the last sweep that had a network started, in seconds since 1970.",
        );
        sweep.add(Vec::new(), seconds(report.started));
        gauges.push(sweep);
    }
    for gauge in gauges.iter().filter(|gauge| !gauge.samples.is_empty()) {
        gauge.write(out)?;
    }
    writeln!(out, "# EOF")
}

fn gauges(all: &[Series]) -> Vec<Gauge> {
    let mut success = Gauge::new(
        "linkdial_probe_success",
        "Whether the link works: 1, 0, or no sample when that could not be found out.",
    );
    let mut verdict = Gauge::new(
        "linkdial_probe_verdict",
        "1 for the verdict of the check, 0 for the others.",
    );
    let mut duration = Gauge::new(
        "linkdial_probe_duration_seconds",
        "How long the check took.",
    );
    let mut stages = Gauge::new(
        "linkdial_stage_duration_seconds",
        "How long a stage of the check took, over all servers of one role.",
    );
    let mut failure = Gauge::new(
        "linkdial_probe_failure",
        "1 for each code that the check failed with.",
    );
    let mut certificate = Gauge::new(
        "linkdial_certificate_expiry_timestamp_seconds",
        "When the certificate of a server expires, in seconds since 1970.",
    );
    for series in all {
        let with = |more: &[(&'static str, &str)]| {
            let more = more
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            series.labels.iter().cloned().chain(more).collect()
        };
        if series.verdict != Outcome::Unverified {
            let works = series.verdict != Outcome::Fail;
            success.add(with(&[]), f64::from(u8::from(works)));
        }
        for word in VERDICTS {
            let is_it = f64::from(u8::from(series.verdict == word));
            verdict.add(with(&[("verdict", word.as_str())]), is_it);
        }
        duration.add(with(&[]), series.elapsed.as_secs_f64());
        for ((stage, role), elapsed) in &series.stages {
            let labels = with(&[("stage", stage.as_str()), ("role", role)]);
            stages.add(labels, elapsed.as_secs_f64());
        }
        for (code, blame) in &series.failures {
            failure.add(with(&[("code", code), ("blame", blame)]), 1.0);
        }
        for (endpoint, at) in &series.certificates {
            certificate.add(with(&[("endpoint", endpoint)]), seconds(*at));
        }
    }
    vec![success, verdict, duration, stages, failure, certificate]
}

impl Series {
    /// Returns the series of these checks, in their order.
    fn all(checks: &[Check]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut known: BTreeMap<Labels, usize> = BTreeMap::new();
        for check in checks {
            let found = Self::of(check);
            if let Some(&index) = known.get(&found.labels) {
                all[index].merge(found);
            } else {
                known.insert(found.labels.clone(), all.len());
                all.push(found);
            }
        }
        all
    }

    fn of(check: &Check) -> Self {
        let target = check.target.as_ref().map(ToString::to_string);
        let mut series = Self {
            labels: vec![
                ("link", harmless(&check.link.to_string()).into_owned()),
                ("kind", check.kind.as_str().to_owned()),
                (
                    "target",
                    harmless(&bare(&target.unwrap_or_default())).into_owned(),
                ),
            ],
            verdict: check.verdict(),
            elapsed: check.elapsed,
            stages: BTreeMap::new(),
            failures: Vec::new(),
            certificates: Vec::new(),
        };
        for step in &check.steps {
            let endpoint = step.endpoint.as_ref();
            if step.outcome != Outcome::Skip {
                let role = endpoint.map_or("", |endpoint| endpoint.role.as_str());
                *series.stages.entry((step.stage, role)).or_default() += step.elapsed;
            }
            let finding = step.finding.as_ref();
            if let Some(finding) = finding.filter(|_| step.outcome == Outcome::Fail) {
                series.add_failure((finding.code.as_str(), finding.blame.as_str()));
            }
            // Of a certificate that has expired, the finding tells it.
            let evidence = finding.into_iter().flat_map(|finding| &finding.evidence);
            let mut told = step.notes.iter().chain(evidence);
            if step.stage == Stage::Tls
                && let Some(endpoint) = endpoint
                && let Some((_, at)) = told.find(|(name, _)| *name == "not_after")
                && let Ok(at) = at.parse()
            {
                series.add_certificate(harmless(&endpoint.to_string()).into_owned(), at);
            }
        }
        series
    }

    fn merge(&mut self, other: Self) {
        self.verdict = self.verdict.max(other.verdict);
        self.elapsed = self.elapsed.max(other.elapsed);
        for (stage, elapsed) in other.stages {
            let known = self.stages.entry(stage).or_default();
            *known = elapsed.max(*known);
        }
        for failure in other.failures {
            self.add_failure(failure);
        }
        for (endpoint, at) in other.certificates {
            self.add_certificate(endpoint, at);
        }
    }

    fn add_failure(&mut self, failure: (&'static str, &'static str)) {
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// Keeps the date that comes first, should a server show several.
    fn add_certificate(&mut self, endpoint: String, at: Timestamp) {
        let mut known = self.certificates.iter_mut();
        match known.find(|(known, _)| *known == endpoint) {
            Some((_, date)) => *date = at.min(*date),
            None => self.certificates.push((endpoint, at)),
        }
    }
}

impl Gauge {
    fn new(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            samples: Vec::new(),
        }
    }

    fn add(&mut self, labels: Labels, value: f64) {
        self.samples.push((labels, value));
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { name, help, .. } = self;
        writeln!(out, "# HELP {name} {help}")?;
        writeln!(out, "# TYPE {name} gauge")?;
        for (labels, value) in &self.samples {
            write!(out, "{name}")?;
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            if !labels.is_empty() {
                write!(out, "{{{}}}", labels.join(","))?;
            }
            writeln!(out, " {value}")?;
        }
        Ok(())
    }
}

/// Both formats escape the same characters in the value of a label; a line break is none that could
/// still be there.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Returns a URL without user info, query and fragment: labels are kept for years, by many.
/// Another target stays whole, since `?` may stand in the names of objects.
fn bare(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://") else {
        return target.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of any date are far below 2^53"
)]
fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_no_more_of_a_url_than_its_path() {
        for (target, shown) in [
            ("https://h.example/p?a=1#b", "https://h.example/p"),
            ("https://user:w@h.example", "https://h.example"),
            ("https://h.example?x=a@b/c", "https://h.example"),
            ("https://h.example/a@b", "https://h.example/a@b"),
            ("bucket/a?.csv", "bucket/a?.csv"),
            ("b1:9092,b2:9092/topic", "b1:9092,b2:9092/topic"),
            ("", ""),
        ] {
            assert_eq!(bare(target), shown, "{target}");
        }
    }
}
