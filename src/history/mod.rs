//! What sweeps leave behind, and what it says: changes, stories, incidents and dates.
//!
//! Everything here is a pure function of checks and of what the registry remembers of earlier ones;
//! [`Registry`](crate::Registry) stores it, a sweep fills it.

mod diff;
mod expiry;
mod facts;
mod incident;
mod night;
mod past;
mod story;
#[cfg(test)]
mod tests;

pub use diff::{Change, ChangeKind, diff};
pub(crate) use diff::{compare, in_order};
pub use expiry::{Expiry, ExpiryKind, expiries, expiries_of_past};
pub use facts::{Difference, Facts};
pub use incident::{Cause, Incident, fold};
pub use night::{Night, Offline, Story};
pub use past::{CheckName, PastCheck, PastStep, PastSweep, SweepState};
pub use story::story;
