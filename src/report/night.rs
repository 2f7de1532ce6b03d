//! What a sweep adds to its report, in the words that all formats for people share, and how a
//! terminal shows it.

use std::collections::HashMap;
use std::io;

use anstyle::Style;
use jiff::Timestamp;
use linkdial_core::Outcome;

use super::human::{BOLD, COLUMNS, DIM, Detail, GREEN, INDENT, MAGENTA, Page, RED, YELLOW};
use super::layout::{harmless, wrap};
use super::{Check, Report};
use crate::history::{
    Change, ChangeKind, CheckName, Difference, Expiry, Incident, Night, Offline, Story,
};

/// The code of the finding that this machine has no network.
pub(super) const OFFLINE: &str = Offline::CODE.as_str();

const EXPIRES_SOON: &str = "expires soon";

/// How bad each kind of change is, the most urgent first.
const KINDS: [(ChangeKind, Outcome); 7] = [
    (ChangeKind::NewlyRed, Outcome::Fail),
    (ChangeKind::NewlyGreen, Outcome::Pass),
    (ChangeKind::StillRed, Outcome::Fail),
    (ChangeKind::Slower, Outcome::Warn),
    (ChangeKind::CertificateChanged, Outcome::Skip),
    (ChangeKind::BrokersChanged, Outcome::Skip),
    (ChangeKind::DefinitionChanged, Outcome::Skip),
];

/// Something of a sweep under its own heading. No text in it is escaped for any format.
pub(super) struct Part {
    pub(super) heading: &'static str,
    /// How bad it is; `Skip` for what is neither good nor bad.
    pub(super) tone: Outcome,
    pub(super) items: Vec<Item>,
}

/// A line of a part, with what stands under it.
pub(super) struct Item {
    pub(super) subject: Subject,
    pub(super) text: String,
    /// What differs from the last green sweep, for a red check.
    pub(super) story: Option<String>,
    pub(super) under: Vec<Subject>,
}

/// What a line is about.
pub(super) struct Subject {
    pub(super) text: String,
    /// Its number among the checks of the report, when it is one of them.
    pub(super) check: Option<usize>,
}

/// Finds what a sweep says about a check.
pub(super) struct Words<'a> {
    report: &'a Report,
    night: &'a Night,
    numbers: HashMap<CheckName, usize>,
    stories: HashMap<usize, &'a Story>,
    changes: HashMap<usize, Vec<&'a Change>>,
}

impl<'a> Words<'a> {
    /// Returns `None` for a report that no sweep made.
    pub(super) fn of(report: &'a Report) -> Option<Self> {
        let night = report.night.as_ref()?;
        let names = night.names.iter().cloned();
        let numbers: HashMap<CheckName, usize> = names.zip(0..).collect();
        let stories = night.stories.iter();
        let stories = stories.filter_map(|story| Some((*numbers.get(&story.check)?, story)));
        let mut changes: HashMap<usize, Vec<&Change>> = HashMap::new();
        for change in &night.changes {
            if let Some(&number) = numbers.get(&change.check) {
                changes.entry(number).or_default().push(change);
            }
        }
        Some(Self {
            report,
            night,
            stories: stories.collect(),
            changes,
            numbers,
        })
    }

    /// Returns the line that tells the sweep from others.
    pub(super) fn title(&self) -> String {
        let number = self.night.sweep;
        match self.night.previous {
            Some((previous, at)) => {
                format!(
                    "sweep {number}, compared with sweep {previous} of {}",
                    date(at)
                )
            }
            None => format!("sweep {number}, the first one"),
        }
    }

    /// Returns what there is to say, the most urgent first; nothing of what is empty.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut add = |heading, tone, items: Vec<Item>| {
            if !items.is_empty() {
                parts.push(Part {
                    heading,
                    tone,
                    items,
                });
            }
        };
        let offline = self.night.offline.iter().map(offline);
        add("no network", Outcome::Unverified, offline.collect());
        let incidents = self.incidents().map(|incident| self.incident(incident));
        add("incidents", Outcome::Fail, incidents.collect());
        for (kind, tone) in KINDS {
            let changes = self.night.changes.iter();
            let changes = changes.filter(|change| change.kind == kind);
            let items = changes.map(|change| self.change(change)).collect();
            add(kind.as_str(), tone, items);
        }
        let expiries = self.expiring().map(|expiry| self.expiry(expiry));
        add(EXPIRES_SOON, Outcome::Warn, expiries.collect());
        let promoted = self.night.promoted.iter().map(|link| Item {
            subject: Subject::plain(link.to_string()),
            text: "was deferred, and counts as verified from now on".to_owned(),
            story: None,
            under: Vec::new(),
        });
        add("promoted", Outcome::Pass, promoted.collect());
        parts
    }

    /// Returns what differs from the last green sweep for a check of the report.
    pub(super) fn story(&self, number: usize) -> Option<String> {
        self.stories.get(&number).map(|story| story_line(story))
    }

    /// Returns the changes of a check of the report.
    pub(super) fn changes(&self, number: usize) -> &[&'a Change] {
        self.changes.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Returns since when a check of the report is red.
    pub(super) fn red_since(&self, number: usize) -> Option<Timestamp> {
        self.stories.get(&number).and_then(|story| story.red_since)
    }

    /// Returns the number of changes of a kind.
    pub(super) fn count(&self, kind: ChangeKind) -> usize {
        let changes = self.night.changes.iter();
        changes.filter(|change| change.kind == kind).count()
    }

    /// Returns what more than one check shares: of a single one, its own finding says all.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &'a Incident> + use<'a> {
        let incidents = self.night.incidents.iter();
        incidents.filter(|incident| incident.checks.len() > 1)
    }

    /// Returns what runs out soon.
    pub(super) fn expiring(&self) -> impl Iterator<Item = &'a Expiry> + use<'a> {
        let now = self.report.started;
        let expiries = self.night.expiries.iter();
        let end = now.checked_add(self.night.soon).unwrap_or(Timestamp::MAX);
        expiries.filter(move |expiry| expiry.at <= end)
    }

    fn incident(&self, incident: &Incident) -> Item {
        let checks = incident.checks.len();
        let what = format!("{} {}", incident.cause.as_str(), incident.shared);
        Item {
            subject: Subject::plain(what.trim_end().to_owned()),
            text: format!("{} in {checks} checks", incident.code),
            story: None,
            under: incident
                .checks
                .iter()
                .map(|name| self.subject(name))
                .collect(),
        }
    }

    fn change(&self, change: &Change) -> Item {
        let number = self.numbers.get(&change.check).copied();
        let is_red = matches!(change.kind, ChangeKind::NewlyRed | ChangeKind::StillRed);
        let since = number.and_then(|number| self.red_since(number));
        Item {
            subject: self.subject(&change.check),
            text: change_text(change, since),
            story: number
                .filter(|_| is_red)
                .and_then(|number| self.story(number)),
            under: Vec::new(),
        }
    }

    fn expiry(&self, expiry: &Expiry) -> Item {
        let when = match days(self.report.started, expiry.at) {
            ..=-2 => format!("{} days ago", -days(self.report.started, expiry.at)),
            -1 => "within the last day".to_owned(),
            0 => "within a day".to_owned(),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        let links = expiry.links.iter();
        Item {
            subject: Subject::plain(format!("{} of {}", expiry.kind.as_str(), expiry.of)),
            text: format!("{when}, {}", date(expiry.at)),
            story: None,
            under: links.map(|link| Subject::plain(link.to_string())).collect(),
        }
    }

    fn subject(&self, name: &CheckName) -> Subject {
        Subject {
            text: name.to_string(),
            check: self.numbers.get(name).copied(),
        }
    }
}

impl Subject {
    fn plain(text: String) -> Self {
        Self { text, check: None }
    }
}

fn offline(offline: &Offline) -> Item {
    let mut under = vec![format!("hint: {}", offline.hint)];
    if !offline.hosts.is_empty() {
        under.insert(0, format!("dialled: {}", offline.hosts.join(", ")));
    }
    Item {
        subject: Subject::plain(OFFLINE.to_owned()),
        text: offline.message.clone(),
        story: None,
        under: under.into_iter().map(Subject::plain).collect(),
    }
}

/// Says what changed for a check, and since when it is red where that is known.
pub(super) fn change_text(change: &Change, since: Option<Timestamp>) -> String {
    let Difference { before, now, .. } = &change.difference;
    match change.kind {
        ChangeKind::StillRed => {
            let since = since.map(|at| format!(" since {}", date(at)));
            let was = (before != now && !before.is_empty()).then(|| format!(", was {before}"));
            format!(
                "{now}{}{}",
                since.unwrap_or_default(),
                was.unwrap_or_default()
            )
        }
        ChangeKind::NewlyRed if before.is_empty() => format!("{now}, not in the sweep before"),
        ChangeKind::NewlyRed | ChangeKind::NewlyGreen | ChangeKind::Slower => {
            format!("{now}, was {before}")
        }
        ChangeKind::BrokersChanged
        | ChangeKind::CertificateChanged
        | ChangeKind::DefinitionChanged => difference(&change.difference),
    }
}

fn story_line(story: &Story) -> String {
    let Some((sweep, at)) = story.green else {
        return "no sweep has seen it green".to_owned();
    };
    let differences: Vec<String> = story.differences.iter().map(difference).collect();
    let what = if differences.is_empty() {
        "nothing else that linkdial sees has changed since".to_owned()
    } else {
        format!("since then {}", differences.join("; "))
    };
    format!("green until sweep {sweep} ({}); {what}", date(at))
}

/// Says what differs; of sets only what came and went.
fn difference(difference: &Difference) -> String {
    let Difference { fact, before, now } = difference;
    if matches!(difference.word(), "brokers" | "datanodes") {
        let without = |all: &str, others: &str| {
            let others: Vec<&str> = others.split(", ").collect();
            let left = all
                .split(", ")
                .filter(|it| !it.is_empty() && !others.contains(it));
            left.collect::<Vec<_>>().join(", ")
        };
        let (gone, came) = (without(before, now), without(now, before));
        let told = [("gone", gone), ("new", came)].into_iter();
        let told: Vec<String> = told
            .filter(|(_, servers)| !servers.is_empty())
            .map(|(word, servers)| format!("{word} {servers}"))
            .collect();
        return format!("{fact}: {}", told.join(", "));
    }
    match (before.as_str(), now.as_str()) {
        ("", now) => format!("{fact}: {now}, not known before"),
        (before, "") => format!("{fact}: not known any more, was {before}"),
        (before, now) => format!("{fact}: {now}, was {before}"),
    }
}

/// Writes a time as people read it.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn days(now: Timestamp, at: Timestamp) -> i64 {
    at.duration_since(now).as_hours().div_euclid(24)
}

impl Page<'_> {
    /// Writes what a sweep adds; nothing for another report.
    pub(super) fn night(&mut self, words: &Words<'_>) -> io::Result<()> {
        let quiet = self.options.detail == Detail::Quiet;
        let title = self.paint(BOLD, &words.title());
        let mut parts = words.parts();
        // Whoever asks for what expires wants it told.
        let asked = words.night.soon != Night::SOON;
        parts.retain(|part| {
            !quiet || part.tone > Outcome::Warn || (asked && part.heading == EXPIRES_SOON)
        });
        if quiet && parts.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{title}")?;
        if parts.is_empty() {
            let text = self.paint(DIM, "nothing changed, and nothing expires soon");
            writeln!(self.out, "{INDENT}{text}")?;
        }
        for part in parts {
            let heading = self.paint(style(part.tone), part.heading);
            writeln!(self.out, "{INDENT}{heading}")?;
            for item in part.items {
                self.indented(2, &format!("{}: {}", item.subject.text, item.text))?;
                for line in item.under {
                    self.indented(3, &line.text)?;
                }
            }
        }
        Ok(())
    }

    /// Writes changes under the heading of their kind.
    pub(super) fn changes(&mut self, changes: &[Change]) -> io::Result<()> {
        for (kind, tone) in KINDS {
            let mut changes = changes.iter().filter(|it| it.kind == kind).peekable();
            if changes.peek().is_none() {
                continue;
            }
            let heading = self.paint(style(tone), kind.as_str());
            writeln!(self.out, "{INDENT}{heading}")?;
            for change in changes {
                let text = change_text(change, None);
                self.indented(2, &format!("{}: {text}", change.check))?;
            }
        }
        Ok(())
    }

    /// Writes what differs from the last green sweep under its check.
    pub(super) fn story(&mut self, check: &Check, story: Option<&str>) -> io::Result<()> {
        match story.filter(|_| check.verdict() == Outcome::Fail) {
            Some(story) => self.paragraph("", story),
            None => Ok(()),
        }
    }

    pub(super) fn indented(&mut self, depth: usize, text: &str) -> io::Result<()> {
        let indent = INDENT.repeat(depth);
        for line in wrap(&harmless(text), COLUMNS - indent.len()) {
            writeln!(self.out, "{indent}{line}")?;
        }
        Ok(())
    }
}

const fn style(tone: Outcome) -> Style {
    match tone {
        Outcome::Fail => RED,
        Outcome::Pass => GREEN,
        Outcome::Skip => BOLD,
        Outcome::Unverified => MAGENTA,
        Outcome::Warn => YELLOW,
    }
}
