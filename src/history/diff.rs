//! What is not as it was in another sweep.

use std::collections::BTreeMap;
use std::time::Duration;

use linkdial_core::{Code, Outcome};

use super::facts::{BROKERS, CERTIFICATE};
use super::{CheckName, Difference, PastCheck};

/// What is not as it was for one check. A check may have several.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What changed.
    pub kind: ChangeKind,
    /// Which check.
    pub check: CheckName,
    /// The code now, where it did not simply pass.
    pub code: Option<Code>,
    /// What it was and what it is.
    pub difference: Difference,
    /// The lines of the record that hold both definitions, where the link's definition was changed.
    pub definitions: Option<[u64; 2]>,
}

/// What changed for a check between two sweeps.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It failed, and did not fail before.
    NewlyRed,
    /// It serves, and did not before.
    NewlyGreen,
    /// It failed both times.
    StillRed,
    /// It took much longer.
    Slower,
    /// A server shows another certificate.
    CertificateChanged,
    /// The cluster names other servers.
    BrokersChanged,
    /// The link's definition was changed.
    DefinitionChanged,
}

/// A check is slower when it took so many times as long...
const SLOWER_TIMES: u32 = 2;
/// ... and so much longer: below that the machine may have been busy.
const SLOWER_BY: Duration = Duration::from_millis(250);

impl ChangeKind {
    /// Returns the words of a report, such as `newly red`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewlyRed => "newly red",
            Self::NewlyGreen => "newly green",
            Self::StillRed => "still red",
            Self::Slower => "slower",
            Self::CertificateChanged => "certificate changed",
            Self::BrokersChanged => "brokers changed",
            Self::DefinitionChanged => "definition changed",
        }
    }
}

/// Returns what changed from one sweep to another, the kinds in their order and the checks of each
/// in that of their names. A check that only one of them has, or that could not be found out, is no
/// change by itself: a red one that is new is newly red.
pub fn diff<'a>(
    before: impl IntoIterator<Item = &'a PastCheck>,
    now: impl IntoIterator<Item = &'a PastCheck>,
) -> Vec<Change> {
    let known: BTreeMap<&CheckName, &PastCheck> = before
        .into_iter()
        .map(|check| (&check.name, check))
        .collect();
    let changes = now
        .into_iter()
        .flat_map(|check| compare(known.get(&check.name).copied(), check));
    let mut changes: Vec<Change> = changes.collect();
    in_order(&mut changes);
    changes
}

/// Puts changes into the order of their kinds and names.
pub(crate) fn in_order(changes: &mut [Change]) {
    changes.sort_by(|left, right| (left.kind, &left.check).cmp(&(right.kind, &right.check)));
}

/// Returns what changed for one check since it was last found out.
pub(crate) fn compare(known: Option<&PastCheck>, check: &PastCheck) -> Vec<Change> {
    let mut changes = Vec::new();
    let change = |kind, difference| Change {
        kind,
        check: check.name.clone(),
        code: check.code,
        difference,
        definitions: None,
    };
    let verdicts = || Difference {
        fact: "verdict".to_owned(),
        before: known.map_or_else(String::new, PastCheck::word),
        now: check.word(),
    };
    match known.map(|known| known.verdict) {
        Some(Outcome::Fail) if check.is_red() => {
            changes.push(change(ChangeKind::StillRed, verdicts()));
        }
        _ if check.is_red() => changes.push(change(ChangeKind::NewlyRed, verdicts())),
        Some(Outcome::Fail) if check.is_green() => {
            changes.push(change(ChangeKind::NewlyGreen, verdicts()));
        }
        _ => {}
    }
    let Some(known) = known else { return changes };
    if let (Some(before), Some(now)) = (known.definition, check.definition)
        && before != now
    {
        let numbers = Difference {
            fact: "definition".to_owned(),
            before: format!("change {before}"),
            now: format!("change {now}"),
        };
        changes.push(Change {
            definitions: Some([before, now]),
            ..change(ChangeKind::DefinitionChanged, numbers)
        });
    }
    let differences = known.facts.differences(&check.facts).into_iter();
    let was_found_out = check.is_red() || check.is_green();
    for difference in differences.filter(|_| was_found_out) {
        let kind = match difference.word() {
            CERTIFICATE => ChangeKind::CertificateChanged,
            BROKERS => ChangeKind::BrokersChanged,
            _ => continue,
        };
        changes.push(change(kind, difference));
    }
    if known.is_green() && check.is_green() && is_slower(known.elapsed, check.elapsed) {
        let times = Difference {
            fact: "time".to_owned(),
            before: format!("{} ms", known.elapsed.as_millis()),
            now: format!("{} ms", check.elapsed.as_millis()),
        };
        changes.push(change(ChangeKind::Slower, times));
    }
    changes
}

fn is_slower(before: Duration, now: Duration) -> bool {
    now >= before * SLOWER_TIMES && now >= before + SLOWER_BY
}

impl PastCheck {
    /// Returns its code, or its verdict where it has none.
    fn word(&self) -> String {
        let code = self.code.map(Code::as_str);
        code.unwrap_or(self.verdict.as_str()).to_owned()
    }
}
