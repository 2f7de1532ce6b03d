//! Links to checks: dials links with their targets and traces what was found back to the text.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Diagnosis, Intent, LinkName, Opened, Redactor, Settings, Stage, Target};

use crate::drivers;
use crate::registry::{Action, Entry};
use crate::report::{Check, Origin, Report, Step};
use crate::script::{ScriptLink, Use};
use crate::sweep::{self, Event, Item, Limits, Link, Record};

/// The checks of some links: one for each link and target, one for a link without targets.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    items: Vec<Item>,
    checks: Vec<Planned>,
}

/// A check before it runs.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    link: Arc<ScriptLink>,
    /// Which of the link's uses.
    used: Option<usize>,
    target: Option<Target>,
    intent: Intent,
}

impl Dials {
    /// Adds a link and returns the numbers of its checks.
    pub(crate) fn add(&mut self, link: Arc<ScriptLink>) -> Range<usize> {
        self.push(&Arc::clone(&link), move || open(&link))
    }

    /// Adds a link that can not be dialled and returns the numbers of its checks.
    pub(crate) fn add_broken(&mut self, link: ScriptLink, finding: Diagnosis) -> Range<usize> {
        let keys = drivers::keys(link.definition.kind);
        let redactor = Redactor::new(&link.definition, keys);
        self.push(&Arc::new(link), move || Opened {
            provider: None,
            findings: vec![finding],
            redactor,
        })
    }

    fn push(
        &mut self,
        link: &Arc<ScriptLink>,
        open: impl FnOnce() -> Opened + Send + 'static,
    ) -> Range<usize> {
        let first = self.items.len();
        let opened = Arc::new(Link::new(open));
        let mut uses: Vec<_> = link
            .uses
            .iter()
            .enumerate()
            .map(|(index, used)| {
                let target = used.target.clone();
                let target = target.with_format(used.format.clone());
                let target = target.with_registry(used.registry.clone());
                (Some(index), Some(target), used.intent)
            })
            .collect();
        if uses.is_empty() {
            uses.push((None, None, Intent::default()));
        }
        for (used, target, intent) in uses {
            self.checks.push(Planned {
                link: Arc::clone(link),
                used,
                target: target.clone(),
                intent,
            });
            self.items.push(Item {
                link: Arc::clone(&opened),
                target,
                intent,
            });
        }
        first..self.items.len()
    }

    /// How many checks there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns what the checks are of, in their order.
    pub(crate) fn planned(&self) -> &[Planned] {
        &self.checks
    }

    /// Parts what is run from what its records become.
    pub(crate) fn into_parts(self) -> (Vec<Item>, Vec<Planned>) {
        (self.items, self.checks)
    }

    /// Runs all checks; see [`sweep::run`]. The flag says whether nothing stopped them.
    pub(crate) fn run(
        &self,
        settings: &Arc<Settings>,
        limits: &Limits,
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> io::Result<(Vec<Check>, bool)> {
        on_progress(Progress::Planned(self.len()));
        let all: Vec<usize> = (0..self.len()).collect();
        self.run_some(&all, settings, limits, |event| match event {
            Event::Started(index) => on_progress(self.started(index)),
            Event::Finished(index, record) => on_progress(Progress::Finished(index, record)),
        })
    }

    /// Runs the checks with these numbers; the flag says whether nothing stopped them.
    pub(crate) fn run_some(
        &self,
        numbers: &[usize],
        settings: &Arc<Settings>,
        limits: &Limits,
        mut on_event: impl FnMut(Event<'_>),
    ) -> io::Result<(Vec<Check>, bool)> {
        if numbers.is_empty() {
            return Ok((Vec::new(), true));
        }
        let items = numbers.iter().map(|&number| self.items[number].clone());
        let outcome = sweep::run(items.collect(), settings, limits, |event| {
            on_event(match event {
                Event::Started(index) => Event::Started(numbers[index]),
                Event::Finished(index, record) => Event::Finished(numbers[index], record),
            });
        })?;
        let records = outcome.records.into_iter().zip(numbers);
        let checks = records.map(|(record, &number)| self.end(number, record));
        Ok((checks.collect(), outcome.complete))
    }

    /// Makes the check of a record.
    pub(crate) fn end(&self, number: usize, record: Record) -> Check {
        self.checks[number].clone().end(record)
    }

    /// Returns what tells that a check starts.
    pub(crate) fn started(&self, number: usize) -> Progress<'_> {
        Progress::Started(number, &self.checks[number].link)
    }

    /// Returns link and target of each check, in their order.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&LinkName, Option<&Target>)> {
        let checks = self.checks.iter();
        checks.map(|check| (&check.link.name, check.target.as_ref()))
    }
}

impl Planned {
    /// Returns whether both are checks of one link.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.link, &other.link)
    }

    /// Returns what the link is dialled with.
    pub(crate) const fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Returns the use that the check is for.
    pub(crate) fn used(&self) -> Option<&Use> {
        self.link.uses.get(self.used?)
    }

    /// Makes the same check of a link in the place of this one, with another target where one is
    /// given.
    pub(crate) fn instead(&self, link: Arc<ScriptLink>, target: Option<Target>) -> Self {
        Self {
            link,
            target: target.or_else(|| self.target.clone()),
            ..self.clone()
        }
    }

    /// Makes what runs the check by itself.
    pub(crate) fn item(&self) -> Item {
        let link = Arc::clone(&self.link);
        Item {
            link: Arc::new(Link::new(move || open(&link))),
            target: self.target.clone(),
            intent: self.intent,
        }
    }

    /// The link that is dialled.
    pub(crate) fn link(&self) -> &ScriptLink {
        &self.link
    }

    /// Makes the check of its record.
    pub(crate) fn end(self, record: Record) -> Check {
        let Self {
            link,
            used,
            target,
            intent,
        } = self;
        let used = used.and_then(|index| link.uses.get(index));
        let steps = record.steps.into_iter();
        Check {
            link: link.name.clone(),
            kind: link.definition.kind,
            target,
            intent,
            place: link.place.clone(),
            elapsed: record.elapsed,
            broken: record.broken,
            correction: None,
            steps: steps.map(|step| Step::located(step, &link, used)).collect(),
        }
    }
}

/// Makes the report of a run that begins now.
pub(crate) fn begin(settings: &Settings) -> Report {
    Report {
        host: host(),
        started: Timestamp::now(),
        elapsed: Duration::ZERO,
        until: (settings.until != Stage::Write).then_some(settings.until),
        complete: true,
        origin: Origin::Script,
        errors: Vec::new(),
        skipped: Vec::new(),
        checks: Vec::new(),
        night: None,
    }
}

/// Returns the name of this machine, when it is text.
pub(crate) fn host() -> Option<String> {
    hostname::get().ok()?.into_string().ok()
}

/// Makes the line of a registry's record about a dial.
pub(crate) fn entry(who: &str, check: &Check) -> Entry {
    Entry {
        who: who.to_owned(),
        action: Action::Dial,
        link: Some(check.link.clone()),
        verdict: Some(check.verdict()),
        code: check.headline().map(|(_, finding)| finding.code),
        detail: None,
    }
}

/// Reads a link's definition; nothing is dialled.
pub(crate) fn open(link: &ScriptLink) -> Opened {
    let mut opened = drivers::open(&link.definition);
    for secret in &link.secrets {
        opened.redactor.add(secret.expose());
    }
    for finding in &mut opened.findings {
        finding.redact(&opened.redactor);
    }
    opened
}

/// What a caller learns while the checks run.
#[derive(Debug)]
pub enum Progress<'a> {
    /// So many checks are planned.
    Planned(usize),
    /// So many checks failed that did not fail before, and are dialled once more in a moment.
    Again(usize),
    /// A check starts: its index, its link.
    Started(usize, &'a ScriptLink),
    /// A check is done: its index, its record.
    Finished(usize, &'a Record),
}

#[cfg(test)]
mod tests;
