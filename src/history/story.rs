//! What differs for a red check from its last green sweep.

use super::facts::{BROKERS, Facts};
use super::{Difference, PastCheck, Story};
use jiff::Timestamp;

/// Returns what differs for a red check from the sweep that saw it green last.
///
/// `changed` tells when and by whom the link's definition was changed last.
pub fn story(
    now: &PastCheck,
    green: Option<(&PastCheck, u64, Timestamp)>,
    red_since: Option<Timestamp>,
    changed: Option<&str>,
) -> Story {
    let mut differences = Vec::new();
    if let Some((before, ..)) = green {
        if before.definition != now.definition {
            differences.push(Difference {
                fact: "definition".to_owned(),
                before: revision(before),
                now: changed.map_or_else(|| revision(now), ToOwned::to_owned),
            });
        }
        differences.extend(before.facts.differences(&now.facts));
        differences.retain(|it| it.fact != BROKERS);
        differences.extend(brokers(&before.facts, &now.facts));
    }
    Story {
        check: now.name.clone(),
        green: green.map(|(_, number, at)| (number, at)),
        red_since,
        differences,
    }
}

fn revision(check: &PastCheck) -> String {
    check
        .definition
        .map_or_else(String::new, |number| format!("change {number}"))
}

/// Returns what brokers came and went, and not those that stayed.
fn brokers(before: &Facts, now: &Facts) -> Option<Difference> {
    let (before, now) = (before.0.get(BROKERS)?, now.0.get(BROKERS)?);
    let without = |all: &str, others: &str| {
        let others: Vec<&str> = others.split(", ").collect();
        let left = all.split(", ").filter(|broker| !others.contains(broker));
        left.collect::<Vec<_>>().join(", ")
    };
    (before != now).then(|| Difference {
        fact: BROKERS.to_owned(),
        before: without(before, now),
        now: without(now, before),
    })
}
