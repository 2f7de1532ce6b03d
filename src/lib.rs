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
//! 5. [`report`] is one value with pure renderers: for people, JSON, JUnit, GitHub, SARIF, metrics,
//!    Markdown, HTML.
//! 6. [`verify()`] strings 3 to 5 together.
//! 7. [`registry`] keeps links, sealed; [`apply()`] runs statements against it, and dials a link
//!    before it is registered; [`check()`] dials what is registered.
//! 8. [`cli`] is the commands around them.
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
//!
//! A registry lets in what was dialled and passed:
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use linkdial::apply::{Event, Outcome};
//! use linkdial::script::ScriptOptions;
//! use linkdial::sweep::Limits;
//! use linkdial::{ApplyOptions, Location, Registry, Statements};
//!
//! # let folder = tempfile::tempdir()?;
//! # let server = linkdial_testcontainers::HttpEndpoint::start();
//! # let (path, url) = (folder.path().join("links.db"), server.url("/"));
//! let registry = Registry::open(&Location::Sqlite(path), None)?;
//! let text = format!(
//!     "CREATE LINK shop.score AS HTTP CREDENTIALS '{{}}';
//!      CREATE EXTERNAL FUNCTION shop.f(a INT) RETURNS INT
//!      AS REMOTE SERVICE '{url}' FORMAT JSON LINK shop.score;"
//! );
//! let files = vec![("links.sql".into(), text)];
//! let statements = Statements::read(files, ScriptOptions::default());
//! let (settings, limits) = (Arc::default(), Limits::default());
//! let options = ApplyOptions::default();
//! let ending = linkdial::apply(statements, &registry, &options, &settings, &limits, |event| {
//!     if let Event::Applied(applied) = event {
//!         println!("{} {}", applied.outcome.as_str(), applied.statement);
//!     }
//!     ControlFlow::Continue(())
//! });
//! assert!(ending.failure.is_none());
//! assert_eq!(ending.count(Outcome::Registered), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod apply;
mod check;
pub mod cli;
pub mod correction;
mod dial;
pub mod drivers;
#[doc(hidden)]
pub mod fuzz;
mod harmless;
pub mod history;
mod nightly;
mod registered;
pub mod registry;
pub mod report;
pub mod script;
pub mod sql;
pub mod sweep;
mod verify;

pub use apply::{ApplyOptions, Statements, apply};
pub use check::{CheckError, Selection, check};
pub use dial::Progress;
pub use linkdial_core;
pub use nightly::{SweepOptions, sweep};
pub use registry::{Location, Registry};
pub use verify::verify;
