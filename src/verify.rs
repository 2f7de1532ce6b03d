//! From a script to a report: the library's main entry.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use linkdial_core::{Intent, Settings, Stage};
use tokio::time::Instant;

use crate::drivers;
use crate::report::{Check, Report, Step};
use crate::script::{Script, ScriptLink};
use crate::sweep::{self, Event, Item, Limits, Link};

/// What a caller learns while the checks run.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The checks are known.
    Planned(usize),
    /// A check starts: its index, its link.
    Started(usize, &'a ScriptLink),
    /// A check is done: its index, its record.
    Finished(usize, &'a sweep::Record),
}

/// Dials every link that the script leaves defined, and reports.
///
/// One check for each link and target; a link that nothing uses is dialled without a target.
/// Blocks the calling thread: see [`sweep::run`].
///
/// # Errors
///
/// When the system gives no runtime or thread. A link that can not be reached is a finding in the
/// report, never an error.
pub fn verify(
    script: Script,
    settings: &Arc<Settings>,
    limits: &Limits,
    mut on_progress: impl FnMut(Progress<'_>),
) -> io::Result<Report> {
    let started = Timestamp::now();
    let clock = Instant::now();
    let mut items = Vec::new();
    let mut links = Vec::new();
    for link in script.links {
        let link = Arc::new(link);
        let opener = Arc::clone(&link);
        let opened = Arc::new(Link::new(move || {
            let mut opened = drivers::open(&opener.definition);
            for secret in &opener.secrets {
                opened.redactor.add(secret.expose());
            }
            for finding in &mut opened.findings {
                finding.redact(&opened.redactor);
            }
            opened
        }));
        let mut uses: Vec<_> = link
            .uses
            .iter()
            .enumerate()
            .map(|(index, used)| {
                let target = used.target.clone().with_format(used.format.clone());
                (Some(index), Some(target), used.intent)
            })
            .collect();
        if uses.is_empty() {
            uses.push((None, None, Intent::default()));
        }
        for (taken, target, intent) in uses {
            links.push((Arc::clone(&link), taken));
            items.push(Item {
                link: Arc::clone(&opened),
                target,
                intent,
            });
        }
    }
    on_progress(Progress::Planned(items.len()));
    let dialled: Vec<_> = items
        .iter()
        .map(|item| (item.target.clone(), item.intent))
        .collect();
    let outcome = if items.is_empty() {
        sweep::Outcome {
            records: Vec::new(),
            complete: true,
        }
    } else {
        sweep::run(items, settings, limits, |event| match event {
            Event::Started(index) => on_progress(Progress::Started(index, &links[index].0)),
            Event::Finished(index, record) => on_progress(Progress::Finished(index, record)),
        })?
    };
    let checks = outcome
        .records
        .into_iter()
        .zip(&links)
        .zip(dialled)
        .map(|((record, (link, taken)), (target, intent))| Check {
            link: link.name.clone(),
            kind: link.definition.kind,
            target,
            intent,
            place: link.place.clone(),
            elapsed: record.elapsed,
            steps: record
                .steps
                .into_iter()
                .map(|step| Step::located(step, link, taken.and_then(|index| link.uses.get(index))))
                .collect(),
        })
        .collect();
    Ok(Report {
        host: hostname::get()
            .ok()
            .and_then(|name| name.into_string().ok()),
        started,
        elapsed: clock.elapsed(),
        until: (settings.until != Stage::Write).then_some(settings.until),
        complete: outcome.complete,
        errors: script.errors,
        skipped: script.skipped,
        checks,
    })
}
