//! Exit codes, and failures of the program itself.

use std::process::ExitCode;

use linkdial_core::Outcome;

use crate::report::Report;

/// How the process ends; the table stands in the README.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Nothing failed.
    Good = 0,
    /// A check failed; under `--strict` also: is unverified, or there was none.
    Failed = 1,
    /// Bad usage, or a statement that does not parse or is not permitted.
    Usage = 2,
    /// linkdial could not do its work.
    Broken = 3,
    /// Stopped by a signal; the partial report was written.
    Interrupted = 130,
}

impl Exit {
    /// Returns how a run ends whose report could be written.
    pub(super) fn of(report: &Report, strict: bool, interrupted: bool) -> Self {
        if interrupted && !report.complete {
            return Self::Interrupted;
        }
        let is_offline = (report.night.as_ref()).is_some_and(|night| night.offline.is_some());
        if is_offline || report.checks.iter().any(|check| check.broken) {
            return Self::Broken;
        }
        if !report.errors.is_empty() {
            return Self::Usage;
        }
        let failed = report.checks.iter().any(|check| match check.verdict() {
            Outcome::Fail => true,
            Outcome::Skip | Outcome::Unverified => strict,
            Outcome::Pass | Outcome::Warn => false,
        });
        // A run that checked nothing has proved nothing.
        if failed || (strict && report.checks.is_empty()) {
            Self::Failed
        } else {
            Self::Good
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The caller asked for something that can not be.
    #[error("{0}")]
    Usage(String),
    /// The machine refused.
    #[error("{0}")]
    Broken(String),
}

impl Failure {
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Broken(_) => Exit::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn verdicts_become_codes_as_the_table_says() {
        let of = |verdicts: &[Outcome], strict| Exit::of(&sample::of(verdicts), strict, false);
        assert_eq!(of(&[], false), Exit::Good);
        assert_eq!(of(&[], true), Exit::Failed);
        assert_eq!(of(&[Outcome::Pass, Outcome::Warn], true), Exit::Good);
        assert_eq!(of(&[Outcome::Unverified], false), Exit::Good);
        assert_eq!(of(&[Outcome::Unverified], true), Exit::Failed);
        assert_eq!(of(&[Outcome::Pass, Outcome::Fail], false), Exit::Failed);
    }

    #[test]
    fn a_statement_error_beats_a_failed_check_and_an_interrupt_beats_both() {
        let mut report = sample::report();
        assert!(!report.errors.is_empty());
        assert_eq!(Exit::of(&report, false, false), Exit::Usage);
        report.complete = false;
        assert_eq!(Exit::of(&report, false, true), Exit::Interrupted);
        // The deadline of the run is no signal.
        assert_eq!(Exit::of(&report, false, false), Exit::Usage);
        report.complete = true;
        // A signal that came after the last check took nothing away.
        assert_eq!(Exit::of(&report, false, true), Exit::Usage);
    }

    #[test]
    fn a_check_in_which_linkdial_failed_is_no_good_run() {
        let mut report = sample::of(&[Outcome::Fail, Outcome::Unverified]);
        report.checks[1].broken = true;
        assert_eq!(Exit::of(&report, false, false), Exit::Broken);
        report.errors = sample::report().errors;
        assert_eq!(Exit::of(&report, false, false), Exit::Broken);
    }
}
