//! Sweeps and checks as the history keeps them. Nothing in them is a secret: all of it stood in a
//! report.

#[cfg(test)]
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
#[cfg(test)]
use linkdial_core::Target;
use linkdial_core::{Code, Kind, LinkName, Outcome, Stage};

use super::Facts;
use crate::report::{Check, Summary};

/// What tells a check from the others of its sweep, and finds it again in another one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CheckName {
    /// The link.
    pub link: LinkName,
    /// The target as a report shows it; empty for none.
    pub target: String,
    /// Counts checks that look alike, from 0: a report hides what tells their targets apart.
    pub twin: u32,
}

/// A sweep as the history keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PastSweep {
    /// Its number, from 1.
    pub number: u64,
    /// The user of the registry.
    pub who: String,
    /// The machine that dialled, where it knows its name.
    pub host: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, and when it was killed.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub state: SweepState,
    /// How its checks ended.
    pub summary: Summary,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SweepState {
    /// It runs.
    Running,
    /// Every check ran to its end.
    Complete,
    /// A signal, a deadline or a crash cut it short.
    Cut,
    /// This machine had no network, so that no verdict counts.
    Offline,
}

/// A check as the history keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct PastCheck {
    /// Which one.
    pub name: CheckName,
    /// The kind of its link.
    pub kind: Kind,
    /// How it ended.
    pub verdict: Outcome,
    /// The code of its headline, where it did not simply pass.
    pub code: Option<Code>,
    /// How long it took.
    pub elapsed: Duration,
    /// The number of the last change of the link's clauses before it was dialled.
    pub definition: Option<u64>,
    /// What was found on the way.
    pub facts: Facts,
    /// The stages it walked.
    pub steps: Vec<PastStep>,
}

/// A stage of a check as the history keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PastStep {
    /// Which rung.
    pub stage: Stage,
    /// Role, host and port; empty before anything is dialled.
    pub at: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The code of its finding.
    pub code: Option<Code>,
    /// How long it took.
    pub elapsed: Duration,
}

impl CheckName {
    /// Names the checks of a report that no sweep made, in their order.
    #[cfg(test)]
    pub(crate) fn of_checks(checks: &[Check]) -> Vec<Self> {
        let checks = checks.iter();
        Self::all(checks.map(|check| (&check.link, check.target.as_ref())))
    }

    /// Names checks by link and target, in their order.
    #[cfg(test)]
    pub(crate) fn all<'a>(
        checks: impl IntoIterator<Item = (&'a LinkName, Option<&'a Target>)>,
    ) -> Vec<Self> {
        let mut seen = HashMap::new();
        let name = |(link, target): (&LinkName, Option<&Target>)| {
            let target = target.map_or_else(String::new, ToString::to_string);
            let twins: &mut u32 = seen.entry((link.clone(), target.clone())).or_default();
            *twins += 1;
            Self {
                link: link.clone(),
                target,
                twin: *twins - 1,
            }
        };
        checks.into_iter().map(name).collect()
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.link)?;
        if !self.target.is_empty() {
            write!(formatter, " with {}", self.target)?;
        }
        if self.twin > 0 {
            write!(formatter, " ({})", self.twin + 1)?;
        }
        Ok(())
    }
}

impl SweepState {
    pub(crate) const ALL: [Self; 4] = [Self::Running, Self::Complete, Self::Cut, Self::Offline];

    /// Returns the word of the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Cut => "cut",
            Self::Offline => "offline",
        }
    }
}

impl PastCheck {
    /// Keeps a check of a report; `now` is when it ran.
    pub(crate) fn of(
        name: CheckName,
        check: &Check,
        definition: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let headline = check.headline();
        let steps = check.steps.iter().map(|step| PastStep {
            stage: step.stage,
            at: (step.endpoint.as_ref())
                .map(|endpoint| format!("{} {endpoint}", endpoint.role))
                .unwrap_or_default(),
            outcome: step.outcome,
            code: step.finding.as_ref().map(|finding| finding.code),
            elapsed: step.elapsed,
        });
        Self {
            name,
            kind: check.kind,
            verdict: check.verdict(),
            code: headline.map(|(_, finding)| finding.code),
            elapsed: check.elapsed,
            definition,
            facts: Facts::of(check, now),
            steps: steps.collect(),
        }
    }

    /// Returns whether it failed.
    pub fn is_red(&self) -> bool {
        self.verdict == Outcome::Fail
    }

    /// Returns whether it serves, warnings aside.
    pub fn is_green(&self) -> bool {
        matches!(self.verdict, Outcome::Pass | Outcome::Warn)
    }
}
