//! One reader, many bytes: until it panics, takes too long, or has had enough of them.

use std::any::Any;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::mutate::{Random, change};

/// How much a reader is given.
#[derive(Clone)]
pub(crate) struct Effort {
    pub(crate) changes: u64,
    pub(crate) time: Duration,
}

/// What a reader may take for one input.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Of processor time, so that a machine with other work to do fails nobody.
    pub(crate) work: Duration,
    /// On the clock, after which it counts as hanging.
    pub(crate) silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            work: Duration::from_secs(1),
            silence: Duration::from_mins(2),
        }
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Figures {
    name: &'static str,
    seeds: usize,
    pub(crate) changes: u64,
    elapsed: Duration,
    longest: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            seeds,
            changes,
            elapsed,
            longest,
        } = self;
        write!(
            formatter,
            "{name}: {seeds} seeds, {changes} changes, {:.1} s, longest {:.1} ms",
            elapsed.as_secs_f64(),
            longest.as_secs_f64() * 1e3
        )
    }
}

/// Bytes that a reader does not bear.
#[derive(Debug)]
pub(crate) struct Find {
    name: &'static str,
    pub(crate) what: String,
    /// The file that has them now.
    pub(crate) kept: PathBuf,
}

impl fmt::Display for Find {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, what, kept } = self;
        write!(formatter, "{name}: {what}; bytes in {}", kept.display())
    }
}

/// Feeds the seeds and changes of them. A reader that does not come back is left to itself.
pub(crate) fn hunt(
    name: &'static str,
    read: fn(&[u8]),
    corpus: Vec<Vec<u8>>,
    seed: u64,
    effort: &Effort,
    limits: &Limits,
) -> Result<Figures, Find> {
    let current: Arc<Mutex<Vec<u8>>> = Arc::default();
    let (sender, receiver) = channel();
    let worker = Worker {
        read,
        current: Arc::clone(&current),
        work: limits.work,
        alive: sender,
    };
    let effort = effort.clone();
    let thread = std::thread::spawn(move || worker.run(name, &corpus, seed, &effort));
    let found = |what| Find {
        name,
        what,
        kept: keep(name, &current.lock().unwrap()),
    };
    loop {
        match receiver.recv_timeout(limits.silence) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                return Err(found(format!("did not come back for {:?}", limits.silence)));
            }
        }
    }
    thread.join().unwrap().map_err(found)
}

struct Worker {
    read: fn(&[u8]),
    current: Arc<Mutex<Vec<u8>>>,
    work: Duration,
    /// A word now and then that the reader comes back.
    alive: std::sync::mpsc::Sender<()>,
}

impl Worker {
    fn run(
        self,
        name: &'static str,
        corpus: &[Vec<u8>],
        seed: u64,
        effort: &Effort,
    ) -> Result<Figures, String> {
        let started = Instant::now();
        let mut told = started;
        let mut random = Random(seed);
        let mut longest = Duration::ZERO;
        for bytes in corpus {
            longest = longest.max(self.feed(bytes)?);
        }
        let mut changes = 0;
        while changes < effort.changes && started.elapsed() < effort.time {
            let bytes = change(corpus, &mut random);
            longest = longest.max(self.feed(&bytes)?);
            changes += 1;
            if told.elapsed() > Duration::from_millis(100) {
                told = Instant::now();
                if self.alive.send(()).is_err() {
                    return Err("came back too late".to_owned());
                }
            }
        }
        Ok(Figures {
            name,
            seeds: corpus.len(),
            changes,
            elapsed: started.elapsed(),
            longest,
        })
    }

    fn feed(&self, bytes: &[u8]) -> Result<Duration, String> {
        {
            let mut current = self.current.lock().unwrap();
            current.clear();
            current.extend_from_slice(bytes);
        }
        let before = worked();
        let started = Instant::now();
        let read = self.read;
        catch_unwind(AssertUnwindSafe(|| read(bytes)))
            .map_err(|panic| format!("panics: {}", said(panic.as_ref())))?;
        let elapsed = started.elapsed();
        let took = match (before, worked()) {
            (Some(before), Some(after)) => after.saturating_sub(before).min(elapsed),
            _ => elapsed,
        };
        if took > self.work {
            return Err(format!("takes {took:?} of processor time"));
        }
        Ok(took)
    }
}

/// The processor time of this thread; Linux alone tells without a call of its own.
fn worked() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

fn keep(name: &str, bytes: &[u8]) -> PathBuf {
    let file = format!("fuzz-{name}-{}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    fs::write(&path, bytes).unwrap();
    path
}
