//! The contract between linkdial and its providers.
//!
//! What a provider author needs, in order:
//!
//! 1. [`Definition`]: kind and two clauses of JSON, with the place of every key ([`clause`]).
//! 2. [`Key`] and [`Clauses`]: the table of a kind's keys, and the reader that checks it.
//! 3. [`Provider`]: `define` is pure and returns all findings; `probe` walks the stages.
//! 4. [`Probe`]: runs each [`Stage`] under a deadline and records a [`Step`].
//! 5. [`Diagnosis`] and [`Code`]: what is wrong, how we know, which key, how to mend it.
//! 6. [`net`]: the ladder that resolves, connects and shakes hands before any client runs.

mod address;
pub mod clause;
mod clause_json;
pub mod client_process;
pub mod clock;
mod code;
pub mod define;
mod diagnosis;
mod endpoint;
mod file;
mod forms;
#[doc(hidden)]
pub mod fuzz;
mod link;
pub mod net;
mod policy;
mod probe;
mod prove;
mod provider;
mod redact;
mod repair;
mod secret;
mod service_url;
mod settings;
mod spelling;
mod stage;
pub mod store;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod trail;
pub mod xml;

pub use address::{hidden_in_url, merged, shown_url};
pub use clause::{Clause, ClauseName, Document};
pub use clause_json::REDACTED_VALUE;
pub use code::{Code, UnknownCode};
pub use define::{Clauses, Key, Shape};
pub use diagnosis::{Blame, Diagnosis, HUNG_UP, KeyPlace, Outcome, Retry};
pub use endpoint::{Endpoint, Role};
pub use file::read_file;
pub use link::{Definition, Kind, LinkName, UnknownKind};
pub use policy::{Language, Policy, shell_word};
pub use probe::{CLEANUP_TIMEOUT, Halt, Probe, Reached, Step, interrupted};
pub use prove::Wrong;
pub use provider::{Driver, DynProvider, Opened, Provider, verdict, worst};
pub use redact::{REDACTED, Redactor, looks_secret};
pub use repair::{Change, Repair, Setting, stays_with_its_host, trimmed, with_scheme};
pub use secret::Secret;
pub use service_url::UrlForm;
pub use settings::Settings;
pub use stage::Stage;
pub use target::{Intent, Target};
pub use trail::Trail;
