//! Dials SingleStore connection links with real clients before they are registered.
//!
//! The way of a script through the library, module by module:
//!
//! 1. [`sql`] turns text into statements, and remembers where everything stood.
//! 2. [`script`] replays the statements: which links are defined at the end, and which targets
//!    they are used with.
//! 3. [`drivers`] is the table of providers. Each is a crate of its own and knows only
//!    [`linkdial_core`], the contract.
//! 4. [`sweep`] runs many checks at once, under limits, a deadline and cancellation.
//! 5. [`report`] is one value with pure renderers: for people, JSON, `JUnit`, GitHub.
//! 6. [`verify()`] strings 3 to 5 together; [`cli`] is the command around it.
//!
//! A link that can not be reached is a finding in the report, never an `Err`.

pub mod cli;
pub mod drivers;
pub mod report;
pub mod script;
pub mod sql;
pub mod sweep;
mod verify;

pub use linkdial_core;
pub use verify::{Progress, verify};
