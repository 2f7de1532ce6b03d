//! What a running process and its children hold, as /proc tells it every few milliseconds.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::Result;

/// Between two looks. A peak shorter than this may be missed.
const PAUSE: Duration = Duration::from_millis(3);

/// What processes held at their peak. Each peak has its own moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) processes: usize,
    /// Resident memory in KiB; what processes share counts for each.
    pub(crate) kib: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: usize,
}

/// The peaks of a process, and those of everything below it taken together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peaks {
    pub(crate) own: Held,
    pub(crate) children: Held,
}

/// Runs a command and looks at it until it ends; returns what it held, and its exit code.
pub(crate) fn watch(command: &mut Command) -> Result<(Peaks, i32)> {
    let me = std::process::id();
    if !fs::exists(format!("/proc/{me}/task/{me}/children"))? {
        return Err("this system does not tell the children of a process".into());
    }
    let mut process = command.spawn()?;
    let mut peaks = Peaks::default();
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok((peaks, status.code().unwrap_or(-1)));
        }
        if let Some(held) = look(process.id()) {
            peaks.own.raise(held);
        }
        let mut all = Held::default();
        for child in descendants(process.id()) {
            if let Some(held) = look(child) {
                all.add(held);
            }
        }
        peaks.children.raise(all);
        std::thread::sleep(PAUSE);
    }
}

impl Held {
    fn raise(&mut self, now: Self) {
        self.processes = self.processes.max(now.processes);
        self.kib = self.kib.max(now.kib);
        self.threads = self.threads.max(now.threads);
        self.descriptors = self.descriptors.max(now.descriptors);
    }

    fn add(&mut self, other: Self) {
        self.processes += other.processes;
        self.kib += other.kib;
        self.threads += other.threads;
        self.descriptors += other.descriptors;
    }
}

/// Returns what a process holds; `None` when it is gone.
fn look(process: u32) -> Option<Held> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(Held {
        processes: 1,
        // One that has ended and is not waited for has none.
        kib: number("VmRSS:")?,
        threads: number("Threads:")?,
        descriptors: fs::read_dir(format!("/proc/{process}/fd")).ok()?.count(),
    })
}

/// Returns all processes below one.
fn descendants(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return found;
    };
    for thread in threads.flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}
