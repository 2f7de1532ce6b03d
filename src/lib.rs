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
//! 6. [`verify()`] strings 3 to 5 together for a script, [`check()`] for the links of a [`registry`];
//!    [`cli`] is the commands around them.
//!
//! A link that can not be reached is a finding in the report, never an `Err`.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//!
//! use linkdial::linkdial_core::{Settings, Stage};
//! use linkdial::report::{Format, HumanOptions, render};
//! use linkdial::script::{Script, ScriptOptions};
//! use linkdial::sweep::Limits;
//!
//! let text = "CREATE LINK logs AS S3 CREDENTIALS '{}' CONFIG '{\"regoin\": \"eu-central-1\"}';";
//! let script = Script::read(
//!     vec![("links.sql".into(), text.into())],
//!     &ScriptOptions::default(),
//! );
//! // Without `until` it would dial.
//! let settings = Settings {
//!     until: Stage::Define,
//!     ..Settings::default()
//! };
//! let report = linkdial::verify(script, &Arc::new(settings), &Limits::default(), |_| {})?;
//!
//! let mut page = Vec::new();
//! render(&report, Format::Human, HumanOptions::default(), &mut page)?;
//! assert!(String::from_utf8_lossy(&page).contains("did you mean `region`?"));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod apply;
mod check;
pub mod cli;
mod dial;
pub mod drivers;
mod harmless;
pub mod registry;
pub mod report;
pub mod script;
pub mod sql;
pub mod sweep;
mod verify;

pub use check::{CheckError, Selection, check};
pub use dial::Progress;
pub use linkdial_core;
pub use verify::verify;
