//! The write stage of an object store: a sentinel is put, read back, compared and deleted.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;
use crate::probe::{Halt, Probe};
use crate::stage::Stage;

use super::Store;

/// What the sentinel holds.
pub const SENTINEL: &[u8] =
    b"written by linkdial to prove that this link can write; safe to delete\n";

/// How a put ended.
#[derive(Debug)]
pub enum Put {
    /// The store confirmed it; the finding says what is wrong with it all the same.
    Written(Written, Option<Diagnosis>),
    /// The store answered that it did not take it.
    Refused(Diagnosis),
    /// The answer is a fault of the server, and does not say what became of it: it may be there.
    Doubtful(Diagnosis),
    /// The request went out and nothing came back: it may be there, or appear later.
    Unanswered(Diagnosis),
}

impl Put {
    /// Takes a put that the store did not confirm, with the status of its answer.
    ///
    /// Only a refusal of the request itself says that nothing was stored: behind a time-out, a fault
    /// of the server or one of a gateway before it the object may be there all the same.
    pub fn unconfirmed(status: Option<u16>, diagnosis: Diagnosis) -> Self {
        match status {
            Some(status) if (400..500).contains(&status) && status != 408 => {
                Self::Refused(diagnosis)
            }
            Some(_) => Self::Doubtful(diagnosis),
            None => Self::Unanswered(diagnosis),
        }
    }
}

/// What a store says of an object that it took.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// Its version, where the bucket keeps versions.
    pub version: Option<String>,
    /// Its entity tag, where a delete can be tied to it.
    pub etag: Option<String>,
}

/// How a delete ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Deleted {
    /// Nothing was there.
    Absent,
    /// It is gone, except for what these sentences say that the store keeps, such as a copy for a
    /// time.
    Gone(Vec<String>),
    /// Nothing is there, and the store does not say whether anything was.
    Unsaid,
}

/// How far the sentinel got.
#[derive(Debug)]
enum State {
    Absent,
    /// Whether an answer came, which does not say it.
    Unknown {
        answered: bool,
    },
    Written(Written),
}

/// Writes a sentinel behind the prefix under a name of its own, reads it back, compares and
/// deletes it. Without the permission of the caller the stage is skipped.
pub async fn write<S: Store>(
    probe: &mut Probe,
    endpoint: &Endpoint,
    store: &S,
    prefix: &str,
) -> Result<(), Halt> {
    if !probe.may_write() {
        probe.skip(Stage::Write, "writing was not asked for");
        probe.note(
            "unproven",
            "the right to write was not tried; --write tries it",
        );
        return Ok(());
    }
    // Behind the prefix: a policy may allow that and nothing else.
    let key = format!("{prefix}.linkdial-{:016x}{:016x}", random(), random());
    let resource = store.resource(&key);
    // Outlives the work, which may be dropped at any point.
    let state = Mutex::new(State::Absent);
    let now = |next| *state.lock().unwrap_or_else(PoisonError::into_inner) = next;
    let work = async {
        now(State::Unknown { answered: false });
        match store.put(&key).await {
            Put::Written(written, finding) => {
                now(State::Written(written));
                finding.map_or(Ok(()), Err)?;
            }
            Put::Refused(diagnosis) => {
                now(State::Absent);
                return Err(diagnosis);
            }
            Put::Doubtful(diagnosis) => {
                now(State::Unknown { answered: true });
                return Err(diagnosis);
            }
            Put::Unanswered(diagnosis) => return Err(diagnosis),
        }
        compare(&resource, &store.fetch(&key).await?)
    };
    let walked = probe.step(endpoint, &[Stage::Write], work).await;
    if walked.is_ok() {
        probe.note("sentinel", &resource);
    }
    let (written, answered) = match state.into_inner().unwrap_or_else(PoisonError::into_inner) {
        State::Absent => return walked,
        State::Unknown { answered } => (None, answered),
        State::Written(written) => (Some(written), true),
    };
    let finding = match probe.cleanup(store.delete(&key, written.as_ref())).await {
        // The server may still be about to store it.
        Ok(Deleted::Absent) if !answered => Some(may_appear(&resource)),
        Ok(Deleted::Absent) => None,
        Ok(Deleted::Unsaid) => {
            probe.note("kept", HIDDEN);
            (!answered).then(|| may_appear(&resource))
        }
        Ok(Deleted::Gone(mut kept)) => {
            if written.is_none() {
                kept.push(HIDDEN.to_owned());
            }
            probe.note("kept", kept.join("; "));
            None
        }
        Err(left) => {
            let hint = store.leftover_hint(&resource, written.as_ref());
            let message = if written.is_some() {
                format!("the sentinel `{resource}` could not be deleted")
            } else {
                format!("the sentinel `{resource}` may be there, and could not be deleted")
            };
            let version = written.and_then(|written| written.version);
            let finding = Diagnosis::new(Code::WriteLeftover, message)
                .evidence("resource", &resource)
                .evidence("version", version.unwrap_or_default())
                .evidence("reason", &left.message)
                .hint(hint);
            // Whoever lacks the right to delete is named by the same key as whoever lacks another.
            Some(left.keys.into_iter().fold(finding, Diagnosis::key))
        }
    };
    if let Some(finding) = finding {
        probe.finding(Some(endpoint), finding);
    }
    walked
}

/// A delete that could not name the version only hides it.
const HIDDEN: &str = "where versions are kept, one of the sentinel may remain";

fn may_appear(resource: &str) -> Diagnosis {
    Diagnosis::new(
        Code::WriteLeftover,
        format!("the sentinel `{resource}` is not there, and may still appear"),
    )
    .evidence("resource", resource)
    .evidence("reason", "no answer to the put came before it was deleted")
    .hint(format!(
        "look for `{resource}` in a while, and delete it by hand"
    ))
}

fn compare(resource: &str, read: &[u8]) -> Result<(), Diagnosis> {
    if read == SENTINEL {
        return Ok(());
    }
    Err(Diagnosis::new(
        Code::WriteReadbackDiffers,
        format!("`{resource}` came back other than it was written"),
    )
    .hint("something between here and the store changes objects"))
}

/// A number nobody else draws; the standard library's hasher is seeded by the system.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
