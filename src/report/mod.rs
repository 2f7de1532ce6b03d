//! What a run found, as one value; every format is a pure function of it.
//!
//! Nothing here waits, dials or reads a clock: the same report gives the same bytes.

mod applied;
pub mod applied_json;
mod code_page;
mod corrected;
mod corrected_json;
mod format;
#[cfg(test)]
mod format_tests;
mod github;
pub mod history_json;
mod history_page;
mod html;
mod human;
pub mod json;
mod junit;
mod layout;
mod markdown;
mod matrix;
mod night;
mod openmetrics;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod sample_hostile;
#[cfg(test)]
mod sample_sweep;
mod sarif;
mod sarif_fix;
mod sweep_json;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{
    Blame, ClauseName, Code, Diagnosis, Endpoint, Intent, Kind, LinkName, Outcome, Policy, Repair,
    Retry, Role, Stage, Target,
};

use crate::correction::Correction;
use crate::history::Night;
use crate::script::{ScriptError, ScriptLink, Skipped, Use};
use crate::sql::{Excerpt, Place};

pub use applied::AppliedPage;
pub use code_page::plain as plain_code_page;
pub use format::{Format, RenderError, render};
pub use history_page::{HistoryFormat, HistoryView, render_history};
pub use human::{Detail, HumanOptions};

/// The file name that stands for standard input.
pub const STDIN: &str = "<stdin>";

/// Everything one run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The machine that dialled, when it knows its name: a verdict speaks for its network only.
    pub host: Option<String>,
    /// When the run started.
    pub started: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
    /// The last stage that was asked for; `None` when all were.
    pub until: Option<Stage>,
    /// Whether every check ran to its end.
    pub complete: bool,
    /// Where the links stand.
    pub origin: Origin,
    /// What the script says that does not parse or is not allowed.
    pub errors: Vec<ScriptError>,
    /// Statements that were passed over.
    pub skipped: Vec<Skipped>,
    /// One entry for each link and target, in the order of the script, or of the names.
    pub checks: Vec<Check>,
    /// What a sweep adds: changes, incidents, dates. `None` for other runs.
    pub night: Option<Night>,
}

/// Where the links of a report stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// In a registry.
    Registry,
    /// In a script.
    Script,
}

/// One link, dialled with one target.
#[derive(Clone, Debug)]
pub struct Check {
    /// The link's name as the script has it.
    pub link: LinkName,
    /// Its kind.
    pub kind: Kind,
    /// What it was dialled with.
    pub target: Option<Target>,
    /// What the script does with the target.
    pub intent: Intent,
    /// Where the link's statement starts; `None` for a link of a registry.
    pub place: Option<Place>,
    /// How long the check took.
    pub elapsed: Duration,
    /// Whether linkdial itself failed inside it: the run has not done its work.
    pub broken: bool,
    /// The link's statement, mended and dialled, where what is wrong could be mended.
    pub correction: Option<Correction>,
    /// The record, in the order it was made.
    pub steps: Vec<Step>,
}

/// The record of one stage at one endpoint.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which rung.
    pub stage: Stage,
    /// Where; `None` before anything is dialled.
    pub endpoint: Option<Endpoint>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
    /// What was learned.
    pub notes: Vec<(&'static str, String)>,
    /// Why it did not simply pass.
    pub finding: Option<Finding>,
}

/// A diagnosis whose keys are traced back to the file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Stable name of the fault.
    pub code: Code,
    /// The fact.
    pub message: String,
    /// Names and values that support it.
    pub evidence: Vec<(&'static str, String)>,
    /// Who has to act.
    pub blame: Blame,
    /// Whether the same dial may pass later.
    pub retry: Retry,
    /// What to do about it.
    pub hint: Option<String>,
    /// What grants the rights that are missing, in the backend's own words.
    pub policy: Vec<Policy>,
    /// The guilty keys, the most likely one first.
    pub keys: Vec<Key>,
    /// Where the target stands, when no key is guilty and the target may be.
    pub target: Option<TargetPlace>,
    /// What would mend it, as far as that is known: alternatives, the likeliest first.
    pub repairs: Vec<Repair>,
}

/// Where the target of a check was named.
#[derive(Clone, Debug)]
pub enum TargetPlace {
    /// With `--target`.
    CommandLine,
    /// By an earlier statement; the registry remembers it.
    Registry,
    /// In the script.
    Script(Place, Excerpt),
}

/// A guilty key and where it stands.
#[derive(Clone, Debug)]
pub struct Key {
    /// The clause that holds it, or should.
    pub clause: ClauseName,
    /// JSON Pointer (RFC 6901); empty for the clause as a whole.
    pub pointer: String,
    /// Where it stands; `None` for a key that is not there.
    pub place: Option<Place>,
    /// The line with the part to underline.
    pub excerpt: Option<Excerpt>,
}

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Nothing to say.
    pub pass: usize,
    /// Works, and something should be mended.
    pub warn: usize,
    /// Does not work.
    pub fail: usize,
    /// Could not be found out from here.
    pub unverified: usize,
}

impl Report {
    /// Counts the verdicts.
    pub fn summary(&self) -> Summary {
        Summary::of(self.checks.iter().map(Check::verdict))
    }

    /// Returns whether this machine had no network, so that no verdict counts.
    pub(crate) fn is_offline(&self) -> bool {
        let night = self.night.as_ref();
        night.is_some_and(|night| night.offline.is_some())
    }

    /// Returns how the run ended as a whole: a script that does not parse is as bad as a link that
    /// does not work.
    pub(crate) fn overall(&self) -> Outcome {
        if self.is_offline() {
            Outcome::Unverified
        } else if self.errors.is_empty() {
            linkdial_core::worst(self.checks.iter().map(Check::verdict))
        } else {
            Outcome::Fail
        }
    }
}

impl Summary {
    /// Counts outcomes; what was not walked is unverified.
    pub(crate) fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut summary = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Fail => summary.fail += 1,
                Outcome::Pass => summary.pass += 1,
                Outcome::Warn => summary.warn += 1,
                Outcome::Skip | Outcome::Unverified => summary.unverified += 1,
            }
        }
        summary
    }
}

impl Check {
    /// Returns the worst outcome of the steps; a record without a walked step is unverified.
    pub fn verdict(&self) -> Outcome {
        linkdial_core::worst(self.steps.iter().map(|step| step.outcome))
    }

    /// Returns whether the check was stopped before its end.
    pub fn was_interrupted(&self) -> bool {
        let mut findings = self.steps.iter().filter_map(|step| step.finding.as_ref());
        findings.any(|finding| matches!(finding.code, Code::Interrupted(_)))
    }

    /// Returns whether the check left something behind that a person has to remove, and that the
    /// script does not ignore.
    pub fn left_something(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.outcome == Outcome::Warn && step.is_leftover())
    }

    /// Returns the first step that ended as badly as the whole, with its finding; `None` for a
    /// check that passed. Of warnings, what was left behind comes first.
    pub fn headline(&self) -> Option<(&Step, &Finding)> {
        let verdict = self.verdict();
        let findings = self.findings();
        let mut worst = findings.into_iter();
        worst.find(|(step, _)| step.outcome == verdict)
    }

    /// Returns every finding, that of the headline first.
    pub fn findings(&self) -> Vec<(&Step, &Finding)> {
        let mut findings: Vec<_> = self
            .steps
            .iter()
            .filter_map(|step| step.finding.as_ref().map(|finding| (step, finding)))
            .collect();
        // Stable: within one outcome the order of the walk stays, but what somebody has to remove.
        findings.sort_by_key(|(step, _)| (std::cmp::Reverse(step.outcome), !step.is_leftover()));
        findings
    }
}

impl Step {
    fn is_leftover(&self) -> bool {
        let finding = self.finding.as_ref();
        finding.is_some_and(|finding| finding.code == Code::WriteLeftover)
    }

    /// Traces the keys of a step back to the link's statement, and lowers a warning that the
    /// script asks to ignore to a note. A fault of the target is traced back to the use that
    /// names it.
    pub fn located(step: linkdial_core::Step, link: &ScriptLink, taken: Option<&Use>) -> Self {
        let mut located = Self {
            stage: step.stage,
            endpoint: step.endpoint,
            outcome: step.outcome,
            elapsed: step.elapsed,
            notes: step.notes,
            finding: None,
        };
        let Some(diagnosis) = step.diagnosis else {
            return located;
        };
        let ignored = link
            .ignored
            .iter()
            .find(|(code, _)| *code == diagnosis.code)
            .filter(|_| step.outcome == Outcome::Warn);
        if let Some((code, reason)) = ignored {
            located.outcome = Outcome::Pass;
            located
                .notes
                .push(("ignored", format!("{code} {reason}").trim_end().to_owned()));
        } else {
            let role = located.endpoint.as_ref().map(|it| it.role);
            located.finding = Some(Finding::located(diagnosis, role, link, taken));
        }
        located
    }
}

impl Finding {
    fn located(
        diagnosis: Diagnosis,
        role: Option<Role>,
        link: &ScriptLink,
        taken: Option<&Use>,
    ) -> Self {
        let keys: Vec<Key> = diagnosis
            .keys
            .iter()
            .map(|key| {
                let (place, excerpt) = link.locate_for(diagnosis.code, key).unzip();
                Key {
                    clause: key.clause,
                    pointer: key.pointer.clone(),
                    place,
                    excerpt,
                }
            })
            .collect();
        Self {
            code: diagnosis.code,
            message: diagnosis.message,
            evidence: diagnosis.evidence,
            blame: diagnosis.blame,
            retry: diagnosis.retry,
            hint: diagnosis.hint,
            policy: diagnosis.policy,
            target: taken
                .filter(|_| keys.is_empty() && may_be_the_target(diagnosis.code, role, link))
                .map(|taken| match link.locate_target(taken) {
                    Some((place, excerpt)) => TargetPlace::Script(place, excerpt),
                    None if taken.stored => TargetPlace::Registry,
                    None => TargetPlace::CommandLine,
                }),
            keys,
            repairs: diagnosis.repairs,
        }
    }

    /// Returns where the first key that stands anywhere does, else the target.
    pub fn place(&self) -> Option<&Place> {
        self.keys
            .iter()
            .find_map(|key| key.place.as_ref())
            .or_else(|| self.target_place())
    }

    /// Returns where the script names the target that may be at fault.
    pub fn target_place(&self) -> Option<&Place> {
        match &self.target {
            Some(TargetPlace::Script(place, _)) => Some(place),
            Some(TargetPlace::CommandLine | TargetPlace::Registry) | None => None,
        }
    }
}

/// Returns whether a fault with no guilty key is one of the target.
fn may_be_the_target(code: Code, role: Option<Role>, link: &ScriptLink) -> bool {
    match code {
        Code::DefineTargetInvalid
        | Code::DefineTargetScheme
        | Code::AccessDenied
        | Code::AccessNotFound => true,
        Code::Interrupted(_) => false,
        _ => match code.stage() {
            Some(Stage::Read | Stage::Write) => true,
            // The target of such a link is the whole address, or the statement names it.
            Some(Stage::Resolve | Stage::Connect | Stage::Tls | Stage::Access) => {
                link.definition.kind == Kind::Http
                    || matches!(
                        role,
                        Some(Role::Bootstrap | Role::Namenode | Role::Registry)
                    )
            }
            Some(Stage::Define | Stage::Authenticate) | None => false,
        },
    }
}
