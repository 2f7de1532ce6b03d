//! A script against a registry: every link is dialled before it is registered.
//!
//! The whole script is read before its first statement runs. Links that can be dialled whatever the
//! other statements come to are dialled many at once; the statements themselves run in order, one
//! by one, and each stands alone.

mod ahead;
mod answers;
mod candidate;
mod links;
mod session;
mod uses;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::{Code, Intent, Kind, LinkName, Outcome as Verdict, Settings, Target};

use crate::dial::Progress;
use crate::registry::{Registry, RegistryError};
use crate::report::Check;
use crate::script::program::Program;
use crate::script::{ScriptError, ScriptOptions, Skipped, UnknownLink};
use crate::sql::Place;
use crate::sweep::Limits;

pub(crate) use links::{all_targets, opened};
use session::Session;

/// A script that is read and not yet applied.
#[derive(Debug)]
pub struct Statements {
    program: Program,
    script: ScriptOptions,
}

impl Statements {
    /// Reads files, in this order, as one script.
    ///
    /// Never fails: what does not parse is told when the others are applied.
    pub fn read(files: Vec<(String, String)>, options: ScriptOptions) -> Self {
        Self {
            program: Program::read(files, &options),
            script: options,
        }
    }

    /// Returns whether something in the text is wrong.
    pub fn has_errors(&self) -> bool {
        !self.program.errors.is_empty()
    }

    /// Returns the links that are created or altered, in alphabetical order.
    pub fn changed_links(&self) -> Vec<LinkName> {
        self.program.changed_links()
    }

    /// Adds a target to the link of a `CREATE LINK` or `ALTER LINK`, named `name` or
    /// `database.name`.
    ///
    /// # Errors
    ///
    /// When no such statement has this name, or links of several databases have it.
    pub fn add_target(
        &mut self,
        link: &str,
        target: &Target,
        intent: Intent,
    ) -> Result<(), UnknownLink> {
        self.program.add_target(link, target, intent)
    }
}

/// How statements are applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// The user of the registry.
    pub user: String,
    /// Stores what does not pass, as deferred.
    pub defer: bool,
    /// Dials and says what would change; changes nothing.
    pub plan: bool,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            user: Registry::ROOT.to_owned(),
            defer: false,
            plan: false,
        }
    }
}

/// What a statement came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// `CHECK LINK`: the link was dialled.
    Checked,
    /// The link is stored although its dial did not pass or was not tried.
    Deferred,
    /// The link, or what used it, is gone.
    Dropped,
    /// The statement is wrong in itself; [`Applied::error`] says how.
    Error,
    /// A permission was granted.
    Granted,
    /// Nothing ran: the run was stopped before, or the link was refused before.
    NotReached,
    /// The dial did not let it in; the registry is as it was.
    Refused,
    /// The link, or a new target of it, was dialled and stored.
    Registered,
    /// A permission was revoked.
    Revoked,
    /// Rows were handed over.
    Shown,
    /// The registry holds it already; nothing was dialled.
    Unchanged,
}

impl Outcome {
    /// Every outcome, in alphabetical order.
    pub const ALL: [Self; 11] = [
        Self::Checked,
        Self::Deferred,
        Self::Dropped,
        Self::Error,
        Self::Granted,
        Self::NotReached,
        Self::Refused,
        Self::Registered,
        Self::Revoked,
        Self::Shown,
        Self::Unchanged,
    ];

    /// Returns the word for people and for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Deferred => "deferred",
            Self::Dropped => "dropped",
            Self::Error => "error",
            Self::Granted => "granted",
            Self::NotReached => "not reached",
            Self::Refused => "refused",
            Self::Registered => "registered",
            Self::Revoked => "revoked",
            Self::Shown => "shown",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One statement with what it came to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its first words, such as `CREATE LINK`.
    pub statement: String,
    /// The link it is about.
    pub link: Option<LinkName>,
    /// The kind of that link.
    pub kind: Option<Kind>,
    /// Where it starts.
    pub place: Place,
    /// What it came to.
    pub outcome: Outcome,
    /// What is wrong with it.
    pub error: Option<ScriptError>,
    /// What a person should know: a name that differs in letter case only, users of a dropped link.
    pub notes: Vec<String>,
    /// The dials, one for each target.
    pub checks: Vec<Check>,
}

/// What happens while a script is applied.
#[derive(Debug)]
pub enum Event<'a> {
    /// Dials go on.
    Progress(Progress<'a>),
    /// A statement is done. The rows of one that shows something came before.
    Applied(&'a Applied),
    /// Rows follow, with these columns.
    Table(&'a Table),
    /// A row, a text for each column. `Break` ends the table.
    Row(&'a [&'a str]),
}

/// A table before its rows.
#[derive(Clone, Debug)]
pub struct Table {
    /// The statement's first words.
    pub statement: String,
    /// Where the statement starts.
    pub place: Place,
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// The width of each column on a terminal, its name included.
    pub widths: Vec<usize>,
}

/// What a whole script came to.
#[derive(Debug)]
#[must_use = "it says what failed"]
pub struct Ending {
    /// How many statements came to what, in the order of [`Outcome::ALL`].
    counts: [usize; Outcome::ALL.len()],
    /// What does not parse; errors of statements that ran are told with them.
    pub errors: Vec<ScriptError>,
    /// Statements that were passed over.
    pub skipped: Vec<Skipped>,
    /// Whether a `CHECK LINK` failed.
    pub check_failed: bool,
    /// Whether linkdial itself failed inside a dial.
    pub broken: bool,
    /// Whether nothing stopped the run before its end.
    pub complete: bool,
    /// How long it took.
    pub elapsed: Duration,
    /// Why the rest was not reached, when it was the registry's fault.
    pub failure: Option<ApplyError>,
}

impl Ending {
    /// Returns how many statements came to this.
    pub fn count(&self, outcome: Outcome) -> usize {
        let index = Outcome::ALL.iter().position(|other| *other == outcome);
        index.map_or(0, |index| self.counts[index])
    }
}

/// Why linkdial could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The system gave no runtime or thread for the dials.
    #[error("cannot start the checks: {0}")]
    Dial(#[from] std::io::Error),
}

/// Applies statements to a registry.
///
/// Blocks the calling thread: from inside an asynchronous program, call it through
/// `tokio::task::spawn_blocking`. A link that can not be reached is refused, never an error; a
/// statement that is wrong is told and the others run. After a failure of the registry itself the
/// rest is not reached.
pub fn apply(
    statements: Statements,
    registry: &Registry,
    options: &ApplyOptions,
    settings: &Arc<Settings>,
    limits: &Limits,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Ending {
    Session::new(
        statements,
        registry,
        options,
        settings,
        limits,
        &mut on_event,
    )
    .run()
}

/// Whether all of these checks passed, warnings aside.
fn all_passed(checks: &[Check]) -> bool {
    let mut verdicts = checks.iter().map(Check::verdict);
    verdicts.all(|verdict| matches!(verdict, Verdict::Pass | Verdict::Warn))
}

/// Answers that leave open whether a link is good.
pub(crate) const UNPROVEN: [Code; 3] = [
    Code::AccessThrottled,
    Code::AccessMethodRefused,
    Code::AuthenticateNotEnforced,
];

/// Returns whether a link with these checks may be registered as verified.
pub(crate) fn is_admitted(checks: &[Check]) -> bool {
    all_passed(checks) && proves_nothing(checks).is_none()
}

/// Returns an answer in these checks that proves nothing about the link, ignored or not.
fn proves_nothing(checks: &[Check]) -> Option<Code> {
    let mut steps = checks.iter().flat_map(|check| &check.steps);
    steps.find_map(|step| {
        let told = step.finding.iter().map(|finding| finding.code);
        let ignored = step.notes.iter().filter(|(name, _)| *name == "ignored");
        let ignored = ignored.filter_map(|(_, text)| text.split_whitespace().next()?.parse().ok());
        told.chain(ignored).find(|code| UNPROVEN.contains(code))
    })
}
