//! Dials that go on while earlier statements run.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use linkdial_core::Settings;
use tokio_util::sync::CancellationToken;

use crate::dial::{Dials, Planned, Progress};
use crate::report::Check;
use crate::script::{ScriptLink, Use};
use crate::sweep::{self, Event, Limits, Record};

/// What runs on a thread of its own; nothing by default.
#[derive(Default)]
pub(super) struct Ahead {
    /// By statement: the numbers of its checks, and the revision that its link was read at.
    numbers: HashMap<usize, (Range<usize>, Option<u64>)>,
    planned: Vec<Planned>,
    records: Vec<Option<Record>>,
    messages: Option<Receiver<Message>>,
    /// Stops the dials that nobody waits for any more.
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Started(usize),
    Finished(usize, Record),
    Failed(io::Error),
}

impl Ahead {
    /// Starts all dials, under the limits.
    pub(super) fn start(
        dials: Dials,
        numbers: HashMap<usize, (Range<usize>, Option<u64>)>,
        settings: &Arc<Settings>,
        limits: &Limits,
    ) -> io::Result<Self> {
        let (items, planned) = dials.into_parts();
        // Two short messages for each check.
        let (sender, messages) = mpsc::channel();
        let stop = limits.cancel.child_token();
        let settings = Arc::clone(settings);
        let limits = Limits {
            cancel: stop.clone(),
            ..limits.clone()
        };
        let thread = thread::Builder::new()
            .name("dials".to_owned())
            .spawn(move || {
                let count = items.len();
                let mut told = vec![false; count];
                let result = sweep::run(items, &settings, &limits, |event| {
                    // A receiver that is gone has no more use for them.
                    match event {
                        Event::Started(index) => drop(sender.send(Message::Started(index))),
                        Event::Finished(index, record) => {
                            told[index] = true;
                            drop(sender.send(Message::Finished(index, record.clone())));
                        }
                    }
                });
                match result {
                    Err(error) => drop(sender.send(Message::Failed(error))),
                    // What was given up is told by its record alone.
                    Ok(outcome) => {
                        let records = outcome.records.into_iter().enumerate();
                        for (index, record) in records.filter(|(index, _)| !told[*index]) {
                            drop(sender.send(Message::Finished(index, record)));
                        }
                    }
                }
            })?;
        let mut records = Vec::new();
        records.resize_with(planned.len(), || None);
        Ok(Self {
            numbers,
            planned,
            records,
            messages: Some(messages),
            stop,
            thread: Some(thread),
        })
    }

    /// Stops what still runs, and returns the checks that ended and that no statement took.
    pub(super) fn rest(&mut self) -> Vec<Check> {
        self.end();
        while let Some(Ok(message)) = self.messages.as_ref().map(Receiver::try_recv) {
            if let Message::Finished(index, record) = message {
                self.records[index] = Some(record);
            }
        }
        let left = std::mem::take(&mut self.numbers);
        let mut left: Vec<usize> = left
            .into_values()
            .flat_map(|(numbers, _)| numbers)
            .collect();
        left.sort_unstable();
        let ended = left.into_iter().filter_map(|index| {
            let record = self.records[index].take()?;
            Some(self.planned[index].clone().end(record))
        });
        ended.filter(|check| !check.was_interrupted()).collect()
    }

    fn end(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // What it did not tell it does not know either.
            drop(thread.join());
        }
    }

    /// Waits for the checks of a statement; `None` when they were not dialled ahead, not for this
    /// revision of the link, or with other targets.
    pub(super) fn take(
        &mut self,
        statement: usize,
        link: &ScriptLink,
        revision: Option<u64>,
        on_progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<Vec<Check>>, super::ApplyError> {
        let Some((numbers, read)) = self.numbers.remove(&statement) else {
            return Ok(None);
        };
        let dialled = self.planned[numbers.clone()].first();
        let same = dialled.is_some_and(|it| same_uses(&it.link().uses, &link.uses));
        if read != revision || !same {
            return Ok(None);
        }
        while self.records[numbers.clone()].iter().any(Option::is_none) {
            let message = self.messages.as_ref().and_then(|it| it.recv().ok());
            match message {
                Some(Message::Started(index)) => {
                    on_progress(Progress::Started(index, self.planned[index].link()));
                }
                Some(Message::Finished(index, record)) => {
                    on_progress(Progress::Finished(index, &record));
                    self.records[index] = Some(record);
                }
                Some(Message::Failed(error)) => return Err(error.into()),
                // The thread is gone without a word: dial again.
                None => return Ok(None),
            }
        }
        let checks = numbers.filter_map(|index| {
            let record = self.records[index].take()?;
            Some(self.planned[index].clone().end(record))
        });
        Ok(Some(checks.collect()))
    }
}

fn same_uses(left: &[Use], right: &[Use]) -> bool {
    let parts = |used: &Use| {
        let options = (used.format.clone(), used.registry.clone());
        (used.target.clone(), used.intent, options)
    };
    left.iter().map(parts).eq(right.iter().map(parts))
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}
