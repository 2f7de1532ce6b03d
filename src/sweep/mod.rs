//! Many checks at once, under limits, a deadline and cancellation.
//!
//! The machine below `linkdial verify`, `check` and `sweep`; what makes a night of it is in
//! `src/nightly`. Knows neither scripts nor reports: what goes in is a list of [`Item`]s, what comes out is one
//! [`Record`] each, in the same order. One check runs on the calling thread; many run on one
//! single-threaded runtime a core, each check on one of them from start to end.

mod check;
mod limits;

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use linkdial_core::{CLEANUP_TIMEOUT, Code, Intent, Opened, Settings, Step, Target, interrupted};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use check::{SLACK, Watched};
use limits::{Next, Queue};

/// How long checks may take to notice that they are stopped; later ones are given up, unless one
/// undoes a write.
const GRACE: Duration = Duration::from_secs(1);
/// A server that has not answered by then is silent: its check does nothing but wait.
const PATIENCE: Duration = Duration::from_millis(100);
/// The futures of a cloud client are deep in builds without optimisation.
const STACK: usize = 8 << 20;

/// A link that is read once, when its first check needs it.
pub struct Link(LazyLock<Opened, Box<dyn FnOnce() -> Opened + Send>>);

impl Link {
    /// Takes what reads the link.
    pub fn new(open: impl FnOnce() -> Opened + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(open)))
    }

    fn opened(&self) -> &Opened {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Link").finish_non_exhaustive()
    }
}

/// One link with one target.
#[derive(Clone, Debug)]
pub struct Item {
    /// The link; checks of one link share it.
    pub link: Arc<Link>,
    /// What to dial it with.
    pub target: Option<Target>,
    /// What the uses do with the target.
    pub intent: Intent,
}

/// How many, how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Checks at once, but for those in `waiting`.
    pub jobs: NonZeroUsize,
    /// Checks at once against one host and port.
    pub jobs_per_host: NonZeroUsize,
    /// Further checks that wait for silent servers: a tenth of a second after its start a check gives its
    /// place among the `jobs` to another one, so that a few dead services do not hold up all others.
    /// Before it has connected it gives up its place at the host as well.
    pub waiting: usize,
    /// The deadline of the whole run.
    pub deadline: Option<Duration>,
    /// Stops the run.
    pub cancel: CancellationToken,
}

impl Limits {
    /// Checks at once: throughput on a small machine peaks here (16 to 64) and falls beyond.
    pub const JOBS: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");
    /// Checks at once against one host and port: polite, and below common listen backlogs.
    pub const JOBS_PER_HOST: NonZeroUsize = NonZeroUsize::new(16).expect("not zero");
    /// Further checks that wait: some sixty kibibytes and two descriptors each.
    pub const WAITING: usize = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            jobs: Self::JOBS,
            jobs_per_host: Self::JOBS_PER_HOST,
            waiting: Self::WAITING,
            deadline: None,
            cancel: CancellationToken::new(),
        }
    }
}

/// What one check came to.
#[derive(Clone, Debug)]
pub struct Record {
    /// The record of its stages; never empty.
    pub steps: Vec<Step>,
    /// How long it took; zero when it never started.
    pub elapsed: Duration,
    /// Whether linkdial itself failed inside the check.
    pub broken: bool,
}

impl Record {
    /// Tells those whom the deadline of the run stopped what to do about it.
    fn blame_deadline(&mut self) {
        let findings = self
            .steps
            .iter_mut()
            .filter_map(|step| step.diagnosis.as_mut());
        for finding in findings {
            // A check that ended for a reason of its own has a hint of its own.
            if let Code::Interrupted(stage) = finding.code
                && finding.hint == interrupted(stage).hint
            {
                finding.hint =
                    Some("the deadline of the run came first; raise `--deadline`".to_owned());
            }
        }
    }
}

/// What happens while checks run; the index is that of the item.
#[derive(Debug)]
pub enum Event<'a> {
    /// A check starts.
    Started(usize),
    /// A check is done.
    Finished(usize, &'a Record),
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// One record for each item, in their order.
    pub records: Vec<Record>,
    /// Whether nothing stopped the run before its end.
    pub complete: bool,
}

/// Runs all checks and returns their records in the order of the items.
///
/// Blocks the calling thread: from inside an asynchronous program, call it through
/// `tokio::task::spawn_blocking`. A check that panics is recorded as unverified; the others go on.
///
/// # Errors
///
/// When the system gives no runtime or thread.
pub fn run(
    items: Vec<Item>,
    settings: &Arc<Settings>,
    limits: &Limits,
    mut on_event: impl FnMut(Event<'_>),
) -> io::Result<Outcome> {
    // A child: the deadline stops this run and not whatever else the caller's token governs.
    let stop = limits.cancel.child_token();
    let deadline = limits.deadline.map(|limit| Instant::now() + limit);
    let mut records: Vec<Option<Record>> = Vec::with_capacity(items.len());
    records.resize_with(items.len(), || None);
    let mut watched = Vec::with_capacity(items.len());
    watched.resize_with(items.len(), Watched::default);
    let watched: Arc<[Watched]> = watched.into();
    let finished = if let [item] = items.as_slice() {
        let runtime = runtime()?;
        on_event(Event::Started(0));
        let record = runtime.block_on(supervise(
            check::run(item, settings, &stop, &watched[0]),
            &stop,
            deadline,
            &watched,
        ));
        // A system call for a name that hangs must not hold the program.
        runtime.shutdown_background();
        if let Some(record) = record {
            on_event(Event::Finished(0, &record));
            records[0] = Some(record);
        }
        records[0].is_some()
    } else {
        let mut messages = start(items, settings, limits, &stop, &watched)?;
        let receive = async {
            while let Some(message) = messages.recv().await {
                match message {
                    Message::Started(index) => on_event(Event::Started(index)),
                    Message::Finished(index, record) => {
                        on_event(Event::Finished(index, &record));
                        records[index] = Some(record);
                    }
                }
            }
        };
        // Workers are not joined: one that is blocked in foreign code is left behind.
        runtime()?
            .block_on(supervise(receive, &stop, deadline, &watched))
            .is_some()
    };
    let mut records: Vec<Record> = records
        .into_iter()
        .zip(watched.iter())
        .map(|(record, watched)| record.unwrap_or_else(|| watched.given_up()))
        .collect();
    if stop.is_cancelled() && !limits.cancel.is_cancelled() {
        records.iter_mut().for_each(Record::blame_deadline);
    }
    Ok(Outcome {
        complete: finished && !stop.is_cancelled(),
        records,
    })
}

enum Message {
    Started(usize),
    Finished(usize, Record),
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Awaits the work; stops it at the deadline, and gives it up a moment after it was stopped and
/// what it had written is gone.
async fn supervise<T>(
    work: impl Future<Output = T>,
    stop: &CancellationToken,
    deadline: Option<Instant>,
    watched: &[Watched],
) -> Option<T> {
    let stopped = async {
        match deadline {
            Some(deadline) => tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep_until(deadline) => stop.cancel(),
            },
            None => stop.cancelled().await,
        }
        tokio::time::sleep(GRACE).await;
        if watched.iter().any(Watched::is_cleaning) {
            let cleaned = join_all(watched.iter().map(Watched::cleaned));
            // However it ends, what was cleaned up still has to be recorded.
            drop(timeout(CLEANUP_TIMEOUT, cleaned).await);
            tokio::time::sleep(SLACK).await;
        }
    };
    tokio::select! {
        biased;
        result = work => Some(result),
        () = stopped => None,
    }
}

/// Starts one worker a core, the jobs dealt out evenly.
fn start(
    items: Vec<Item>,
    settings: &Arc<Settings>,
    limits: &Limits,
    stop: &CancellationToken,
    watched: &Arc<[Watched]>,
) -> io::Result<mpsc::UnboundedReceiver<Message>> {
    let jobs = limits.jobs.get();
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = cores.min(jobs).min(items.len());
    let queue = Arc::new(Queue::new(items, limits.jobs_per_host.get()));
    // Not bounded by itself; there are two short messages for each item.
    let (sender, receiver) = mpsc::unbounded_channel();
    for index in 0..workers {
        let worker = Worker {
            queue: Arc::clone(&queue),
            settings: Arc::clone(settings),
            stop: stop.clone(),
            watched: Arc::clone(watched),
            share: jobs / workers + usize::from(index < jobs % workers),
            waiting: limits.waiting.div_ceil(workers),
            busy: Arc::default(),
            messages: sender.clone(),
        };
        let runtime = runtime()?;
        thread::Builder::new()
            .name(format!("checks-{index}"))
            .stack_size(STACK)
            .spawn(move || {
                runtime.block_on(worker.work());
                runtime.shutdown_background();
            })?;
    }
    Ok(receiver)
}

/// One runtime's part of the work.
struct Worker {
    queue: Arc<Queue>,
    settings: Arc<Settings>,
    stop: CancellationToken,
    watched: Arc<[Watched]>,
    share: usize,
    /// Checks beyond the share that wait for silent servers.
    waiting: usize,
    /// The checks of this worker that hold a place.
    busy: Arc<AtomicUsize>,
    messages: mpsc::UnboundedSender<Message>,
}

/// A place among the jobs of a worker.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(busy))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Holds no more futures than its share and those that wait, however many items there are.
    async fn work(self) {
        let mut running = JoinSet::new();
        loop {
            let freed = self.queue.freed();
            tokio::pin!(freed);
            // From here on no freed place is missed.
            freed.as_mut().enable();
            let mut over = false;
            while self.busy.load(Ordering::Relaxed) < self.share
                && running.len() < self.share + self.waiting
                && !self.stop.is_cancelled()
            {
                match self.queue.next() {
                    Next::Run(slot) => {
                        running.spawn(self.check(slot));
                    }
                    Next::Wait => break,
                    Next::Done => {
                        over = true;
                        break;
                    }
                }
            }
            if running.is_empty() && (over || self.stop.is_cancelled()) {
                return;
            }
            tokio::select! {
                Some(_) = running.join_next() => {}
                () = freed => {}
                () = self.stop.cancelled(), if running.is_empty() => {}
            }
        }
    }

    fn check(&self, slot: limits::Slot) -> impl Future<Output = ()> + Send + use<> {
        let settings = Arc::clone(&self.settings);
        let stop = self.stop.clone();
        let watched = Arc::clone(&self.watched);
        let messages = self.messages.clone();
        let place = Place::take(&self.busy);
        async move {
            let index = slot.index();
            // A receiver that is gone has given the run up.
            messages.send(Message::Started(index)).ok();
            let record = {
                let watched = &watched[index];
                let mut check = pin!(check::run(slot.item(), &settings, &stop, watched));
                if let Ok(record) = timeout(PATIENCE, check.as_mut()).await {
                    record
                } else {
                    drop(place);
                    if watched.is_before_connected() {
                        slot.leave();
                    }
                    slot.tell_others();
                    check.await
                }
            };
            drop(slot);
            messages.send(Message::Finished(index, record)).ok();
        }
    }
}

#[cfg(test)]
mod tests;
