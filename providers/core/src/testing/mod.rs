//! The conformance suite: what every provider promises, checked on real sockets.
//!
//! A provider's test describes itself once and runs the whole suite:
//!
//! ```text
//! #[test]
//! fn conformance() {
//!     testing::conformance(&Driver::of::<Http>(), &Fixture {
//!         test: "conformance",
//!         link: |base, secret| Link { definition: ..., target: ... },
//!         faulty: || vec![...],
//!         writes: |request| request.method != "GET",
//!         write: None,
//!     }).assert();
//! }
//! ```
//!
//! Every check runs, whatever the others say; [`Report::assert`] names those that failed.
#![expect(
    clippy::missing_panics_doc,
    reason = "a test that can not set itself up has failed"
)]

mod boundaries;
mod environment;
mod logs;
mod proof;
pub mod record;
mod relay;
mod secrecy;
mod server;
mod time;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clause::{Clause, ClauseName};
use crate::code::Code;
use crate::diagnosis::Outcome;
use crate::link::{Definition, Kind};
use crate::net::Net;
use crate::probe::Step;
use crate::provider::Driver;
use crate::settings::Settings;
use crate::target::{Intent, Target};

pub use secrecy::leaked;
pub use server::Request;

/// A link with what it is used with.
#[derive(Clone, Debug)]
pub struct Link {
    /// Kind and both clauses.
    pub definition: Definition,
    /// What the statement that uses it names.
    pub target: Option<Target>,
}

impl Link {
    /// Makes a link of the texts of its clauses, and of its target.
    pub fn new(kind: Kind, config: &str, credentials: &str, target: Option<&str>) -> Self {
        Self {
            definition: definition(kind, config, credentials),
            target: target.map(Target::new),
        }
    }
}

/// What the suite has to know of a provider.
pub struct Fixture {
    /// The name of the test that runs the suite, as `cargo test` prints it; the check of the
    /// environment runs it again in a child process.
    pub test: &'static str,
    /// Makes a good link to the server at a base URL (`http://host:port` or `https://host:port`),
    /// holding the secret. The secret is 44 letters of base64.
    pub link: fn(base: &str, secret: &str) -> Link,
    /// Links with findings in their clauses: each has to name its keys.
    pub faulty: fn() -> Vec<Definition>,
    /// Says whether a request changes something at the server.
    pub writes: fn(&Request) -> bool,
    /// A real server to write to; `None` for a kind that never writes.
    pub write: Option<WriteFixture>,
}

/// A server that a probe may write to.
pub struct WriteFixture {
    /// A good link to it.
    pub link: Link,
    /// Settings that reach it; the suite sets what concerns writing.
    pub settings: fn() -> Settings,
    /// Lists what lies at the server beyond what lay there before the test.
    pub leftovers: Box<dyn Fn() -> Vec<String>>,
}

impl WriteFixture {
    /// Makes one of a link to a server, and of what lists the place that it writes to; what lies
    /// there by now is no leftover.
    pub fn new(
        link: Link,
        settings: fn() -> Settings,
        list: impl Fn() -> Vec<String> + 'static,
    ) -> Self {
        let before = list();
        let leftovers = move || {
            let mut left = list();
            left.retain(|name| !before.contains(name));
            left
        };
        Self {
            link,
            settings,
            leftovers: Box::new(leftovers),
        }
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fixture")
            .field("test", &self.test)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WriteFixture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WriteFixture")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// How a check ended; the error says what the provider did.
pub type Verdict = Result<(), String>;

/// What the suite found.
#[derive(Debug)]
pub struct Report {
    verdicts: Vec<(&'static str, Verdict)>,
}

impl Report {
    /// Returns the names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.verdicts
            .iter()
            .filter(|(_, verdict)| verdict.is_err())
            .map(|(name, _)| *name)
            .collect()
    }

    /// Returns what one check said.
    pub fn verdict(&self, name: &str) -> Option<&Verdict> {
        self.verdicts
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, verdict)| verdict)
    }

    /// Panics when a check failed, naming all that did.
    pub fn assert(&self) {
        assert!(self.failed().is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "conformance:")?;
        for (name, verdict) in &self.verdicts {
            match verdict {
                Ok(()) => writeln!(formatter, "  ok      {name}")?,
                Err(reason) => writeln!(formatter, "  FAILED  {name}: {reason}")?,
            }
        }
        Ok(())
    }
}

type Check = fn(&Driver, &Fixture) -> Verdict;

/// Every check by its name.
const CHECKS: [(&str, Check); 12] = [
    ("define is pure", boundaries::define_is_pure),
    ("define names its keys", boundaries::define_names_its_keys),
    ("no environment is read", environment::none_is_read),
    (
        "no packet before the policy",
        boundaries::no_packet_before_the_policy,
    ),
    ("a deadline on every stage", |driver, fixture| {
        patiently(|| time::a_deadline_on_every_stage(driver, fixture))
    }),
    ("refused at once", |driver, fixture| {
        patiently(|| time::refused_at_once(driver, fixture))
    }),
    ("cancelled promptly", |driver, fixture| {
        patiently(|| time::cancelled_promptly(driver, fixture))
    }),
    ("no secret in any text", secrecy::no_secret_in_any_text),
    (
        "nothing written unasked",
        boundaries::nothing_written_unasked,
    ),
    (
        "nothing left after a write",
        boundaries::nothing_left_after_a_write,
    ),
    ("one wrong attempt", proof::one_wrong_attempt),
    ("bounded memory", time::bounded_memory),
];

/// Runs every check against a provider.
///
/// It blocks: call it from a plain `#[test]`. In the child process of the check of the
/// environment it runs that one check and ends the process' test there.
pub fn conformance(driver: &Driver, fixture: &Fixture) -> Report {
    if environment::in_child(driver, fixture) {
        return Report {
            verdicts: Vec::new(),
        };
    }
    let verdicts = CHECKS
        .iter()
        .map(|(name, check)| (*name, check(driver, fixture)))
        .collect();
    Report { verdicts }
}

/// Runs one check by its name; `None` when there is none of that name.
pub fn check(name: &str, driver: &Driver, fixture: &Fixture) -> Option<Verdict> {
    if environment::in_child(driver, fixture) {
        return None;
    }
    let (_, check) = CHECKS.iter().find(|(known, _)| *known == name)?;
    Some(check(driver, fixture))
}

/// Makes a definition from the text of its two clauses.
pub fn definition(kind: Kind, config: &str, credentials: &str) -> Definition {
    Definition {
        kind,
        config: Clause::parse(ClauseName::Config, config),
        credentials: Clause::parse(ClauseName::Credentials, credentials),
    }
}

/// Opens a link and dials its target once; the findings of the Define stage come first.
pub async fn dial(driver: &Driver, link: &Link, settings: Settings, intent: Intent) -> Vec<Step> {
    let opened = driver.open(&link.definition);
    let cancel = CancellationToken::new();
    opened
        .check(&Arc::new(settings), &cancel, link.target.clone(), intent)
        .await
}

/// Returns the code that decides a record: that of the first step with the worst outcome.
pub fn decisive(steps: &[Step]) -> Option<Code> {
    let worst = crate::provider::verdict(steps);
    steps
        .iter()
        .find(|step| step.outcome == worst)
        .and_then(|step| step.diagnosis.as_ref())
        .map(|diagnosis| diagnosis.code)
}

/// The secret of the suite's links: base64 with every letter that an encoder changes.
const SECRET: &str = "c0nf0rm/AnCe+m4rk3r/7Q9z+x4Kw2/Lp8+vT6yB3s==";

/// The deadline of a stage in the suite: long enough for a debug build on a busy machine.
const STAGE_TIMEOUT: Duration = Duration::from_millis(700);

/// What a check may take beyond the deadline or the event it waits for.
const SLACK: Duration = Duration::from_millis(200);

/// Settings with short deadlines that trust the certificates of these authorities, in PEM.
pub fn settings_trusting(ca: &str) -> Settings {
    let net = Net::builder().ca_pem(ca.as_bytes());
    Settings {
        stage_timeout: Duration::from_secs(5),
        net: net.expect("the certificates are those of a test").build(),
        ..Settings::default()
    }
}

fn settings() -> Settings {
    Settings {
        stage_timeout: STAGE_TIMEOUT,
        check_timeout: STAGE_TIMEOUT * 4,
        ..Settings::default()
    }
}

/// Dials on a runtime of its own, as one link of a command does. It blocks, as [`dial`] does not.
pub fn dial_blocking(
    driver: &Driver,
    link: &Link,
    settings: Settings,
    intent: Intent,
) -> Vec<Step> {
    runtime().block_on(dial(driver, link, settings, intent))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// Runs a check of time up to three times: a busy machine is late once, a provider each time.
fn patiently(check: impl Fn() -> Verdict) -> Verdict {
    check().or_else(|_| check()).or_else(|_| check())
}

/// The record in short, for the sentence of a failure.
fn brief(steps: &[Step]) -> String {
    steps
        .iter()
        .map(|step| {
            let code = step.diagnosis.as_ref().map_or("", |it| it.code.as_str());
            format!("{} {} {code}", step.stage, step.outcome)
                .trim_end()
                .to_owned()
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn expect_code(steps: &[Step], accepted: impl Fn(Code) -> bool, wanted: &str) -> Verdict {
    let fails = steps.iter().any(|step| step.outcome >= Outcome::Warn);
    match decisive(steps) {
        Some(code) if fails && accepted(code) => Ok(()),
        _ => Err(format!("wanted {wanted}, got: {}", brief(steps))),
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}
