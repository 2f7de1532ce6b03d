//! Which check may start next: in order, but never more than so many against one host and port.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::Item;

/// Host and port; the role does not matter to the server.
type Address = (String, u16);

/// Shared by all workers. A check that has to wait for its host waits as a number, not as a future.
pub(super) struct Queue {
    items: Vec<Item>,
    per_host: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    /// The first item that nobody has looked at.
    next: usize,
    /// Admitted when a place at their host became free.
    ready: VecDeque<(usize, Address)>,
    hosts: HashMap<Address, Host>,
    /// Items waiting at any host.
    parked: usize,
}

#[derive(Default)]
struct Host {
    running: usize,
    parked: VecDeque<usize>,
}

/// The answer to a worker with room for one more check.
pub(super) enum Next {
    /// This one may start.
    Run(Slot),
    /// All others wait for their hosts.
    Wait,
    /// There are no others.
    Done,
}

/// The right to run one check; gives its place back when dropped.
pub(super) struct Slot {
    queue: Arc<Queue>,
    index: usize,
    /// `None` for a check without one, and once it is given back.
    address: Mutex<Option<Address>>,
}

impl Queue {
    pub(super) fn new(items: Vec<Item>, per_host: usize) -> Self {
        Self {
            items,
            per_host,
            state: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// Becomes ready when a place at a host has become free.
    pub(super) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    pub(super) fn next(self: &Arc<Self>) -> Next {
        loop {
            let index = {
                let mut state = self.lock();
                if let Some((index, address)) = state.ready.pop_front() {
                    return Next::Run(self.slot(index, Some(address)));
                }
                if state.next == self.items.len() {
                    return if state.parked == 0 {
                        Next::Done
                    } else {
                        Next::Wait
                    };
                }
                state.next += 1;
                state.next - 1
            };
            // Outside the lock: reading a link is the larger part of the work here. One whose
            // reading panics is let through, so that its check records that.
            let item = &self.items[index];
            let endpoint = catch_unwind(AssertUnwindSafe(|| {
                let provider = item.link.opened().provider.as_ref()?;
                provider.endpoint(item.target.as_ref())
            }));
            let Ok(Some(endpoint)) = endpoint else {
                return Next::Run(self.slot(index, None));
            };
            let address = (endpoint.host.to_ascii_lowercase(), endpoint.port);
            let mut state = self.lock();
            let host = state.hosts.entry(address.clone()).or_default();
            if host.running < self.per_host {
                host.running += 1;
                return Next::Run(self.slot(index, Some(address)));
            }
            host.parked.push_back(index);
            state.parked += 1;
        }
    }

    fn slot(self: &Arc<Self>, index: usize, address: Option<Address>) -> Slot {
        Slot {
            queue: Arc::clone(self),
            index,
            address: Mutex::new(address),
        }
    }

    fn free(&self, address: Address) {
        let mut state = self.lock();
        let Some(host) = state.hosts.get_mut(&address) else {
            return;
        };
        if let Some(index) = host.parked.pop_front() {
            // The place goes on to the next one without becoming free in between.
            state.parked -= 1;
            state.ready.push_back((index, address));
        } else {
            host.running -= 1;
            if host.running == 0 {
                state.hosts.remove(&address);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    pub(super) const fn index(&self) -> usize {
        self.index
    }

    pub(super) fn item(&self) -> &Item {
        &self.queue.items[self.index]
    }

    /// Gives the place at the host back, when there is one.
    pub(super) fn leave(&self) {
        let address = self.lock_address().take();
        if let Some(address) = address {
            self.queue.free(address);
        }
    }

    /// Wakes the workers that wait for a place.
    pub(super) fn tell_others(&self) {
        self.queue.freed.notify_waiters();
    }

    fn lock_address(&self) -> MutexGuard<'_, Option<Address>> {
        // As above.
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leave();
        self.tell_others();
    }
}
