//! What a change does, for a report.

use linkdial_core::{Change, KeyPlace, Setting, Target};

use super::CorrectedPart;
use super::shown::{Guard, value};
use crate::script::ScriptLink;

/// Returns what a change does to a link, without any secret. `link` is the link before it.
pub(super) fn part(
    change: &Change,
    link: &ScriptLink,
    after: &ScriptLink,
    guard: &Guard,
) -> CorrectedPart {
    let told = |action, place: &KeyPlace, text: String| CorrectedPart {
        action,
        clause: Some(place.clause),
        pointer: place.pointer.clone(),
        before: None,
        after: None,
        text,
    };
    match change {
        Change::Cut(place) => told(
            "cut",
            place,
            format!(
                "a comma that closes nothing is taken out of {}",
                place.clause
            ),
        ),
        Change::EscapeLineBreaks(place) => told(
            "escape",
            place,
            format!("the line breaks of `{}` are written as escapes", key(place)),
        ),
        Change::Move(place) => CorrectedPart {
            before: Some(place.clause.to_string()),
            after: Some(place.clause.other().to_string()),
            ..told(
                "move",
                place,
                format!("`{}` moves to {}", key(place), place.clause.other()),
            )
        },
        Change::Remove(place) => CorrectedPart {
            before: value(link, guard, place),
            ..told("remove", place, format!("`{}` is removed", key(place)))
        },
        Change::Rename { place, to } => CorrectedPart {
            before: Some(key(place)),
            after: Some(to.clone()),
            ..told(
                "rename",
                place,
                format!("`{}` is renamed to `{to}`", key(place)),
            )
        },
        Change::Port { place, .. } | Change::Scheme { place, .. } | Change::Set { place, .. } => {
            set(change, place, [link, after], guard)
        }
        Change::StraightQuotes(clause) => told(
            "quotes",
            &KeyPlace::pointer(*clause, ""),
            format!("the quotes in {clause} are straight ones"),
        ),
        Change::Swap(left, right) => told(
            "swap",
            left,
            format!("`{}` and `{}` change places", key(left), key(right)),
        ),
        Change::Target(text) => {
            let shown = Target::new(text.as_str()).to_string();
            let after = guard.is_harmless(&shown).then_some(shown);
            CorrectedPart {
                action: "target",
                clause: None,
                pointer: String::new(),
                before: None,
                text: match &after {
                    Some(shown) => format!("the target becomes `{shown}`"),
                    None => String::from("the target is changed"),
                },
                after,
            }
        }
        Change::Trim(place) => told(
            "trim",
            place,
            format!(
                "what stands around the value of `{}` is removed",
                key(place)
            ),
        ),
    }
}

/// Says what a value was and is, as far as it may be shown.
fn set(
    change: &Change,
    place: &KeyPlace,
    [link, after]: [&ScriptLink; 2],
    guard: &Guard,
) -> CorrectedPart {
    let other = KeyPlace::pointer(place.clause.other(), place.pointer.clone());
    // A key that stands in the other clause is set there.
    let there = link.clause(place.clause).locate(place).is_none()
        && link.clause(other.clause).locate(&other).is_some();
    let place = if there { &other } else { place };
    let before = value(link, guard, place);
    let now = value(after, guard, place);
    let text = match (&before, &now, change) {
        (Some(before), Some(now), _) => {
            format!("`{}` becomes `{now}`, and was `{before}`", key(place))
        }
        (None, Some(now), _) => format!("`{}` becomes `{now}`", key(place)),
        (
            _,
            None,
            Change::Set {
                value: Setting::Boolean(value),
                ..
            },
        ) => {
            format!("`{}` becomes {value}", key(place))
        }
        (_, None, _) => format!("`{}` is changed", key(place)),
    };
    CorrectedPart {
        before,
        after: now,
        action: "set",
        clause: Some(place.clause),
        pointer: place.pointer.clone(),
        text,
    }
}

fn key(place: &KeyPlace) -> String {
    place.pointer.trim_start_matches('/').replace("~1", "/")
}
