//! Everything that a registry holds, and whether it agrees with its own record.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use linkdial::registry::{Action, Known, Registry, State};
use serde_json::Value;

use crate::sql;

/// Everything that a registry holds.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) links: BTreeMap<String, Link>,
    /// Number, link and action of every change.
    pub(crate) changes: Vec<(u64, String, Action)>,
    lines: u64,
}

/// A link, opened.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) credentials: Value,
    pub(crate) targets: Vec<String>,
    pub(crate) verified: bool,
    revision: u64,
}

impl Snapshot {
    /// Reads all of it: a link that does not open ends the test.
    pub(crate) fn read(registry: &Registry) -> Self {
        let mut names = Vec::new();
        let each = |listed: linkdial::registry::Listed| {
            names.push(listed.name);
            ControlFlow::Continue(())
        };
        registry.list(None, each).unwrap();
        let mut links = BTreeMap::new();
        for name in names {
            let Known { link, targets, .. } = registry.read(&name).unwrap();
            let link = link.expect("a listed link is there");
            let json = |text: &linkdial_core::Secret| -> Value {
                serde_json::from_str(text.expose()).expect("a stored clause is JSON")
            };
            assert!(json(&link.config).is_object());
            let link = Link {
                credentials: json(&link.credentials),
                targets: targets
                    .iter()
                    .map(|it| it.target.as_str().to_owned())
                    .collect(),
                verified: matches!(link.state, State::Verified { .. }),
                revision: link.revision,
            };
            links.insert(name.to_string(), link);
        }
        let mut changes = Vec::new();
        let mut lines = 0;
        let each = |line: linkdial::registry::RecordLine| {
            lines += 1;
            assert_eq!(line.number, lines, "no number is missing in the record");
            let action = line.entry.action;
            if !matches!(action, Action::Dial | Action::Grant | Action::Revoke) {
                let link = line.entry.link.expect("a change is that of a link");
                changes.push((line.number, link.to_string(), action));
            }
            ControlFlow::Continue(())
        };
        registry.record(each).unwrap();
        Self {
            links,
            changes,
            lines,
        }
    }

    /// Plays the record from its first line; it has to come to the links that are there.
    pub(crate) fn assert_agrees(&self) {
        let mut played: BTreeMap<&str, u64> = BTreeMap::new();
        let mut dropped = BTreeSet::new();
        for (number, link, action) in &self.changes {
            let known = played.contains_key(link.as_str());
            match action {
                Action::Create => assert!(!known, "{number}: `{link}` is created twice"),
                Action::Drop => {
                    assert!(known, "{number}: `{link}` is dropped and was not there");
                    played.remove(link.as_str());
                    dropped.insert(link);
                    continue;
                }
                // A pipeline goes after its link.
                Action::Targets if dropped.contains(link) && !known => continue,
                _ => assert!(
                    known,
                    "{number}: `{link}` is changed and was not there: {action:?}"
                ),
            }
            played.insert(link, *number);
        }
        let stored: BTreeMap<&str, u64> = (self.links.iter())
            .map(|(name, link)| (name.as_str(), link.revision))
            .collect();
        assert_eq!(stored, played, "the links are those of the record");
    }

    /// Returns how many lines the record has.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }
}

/// The file below is sound, and no target is left of a link that is gone.
pub(crate) fn assert_sound(path: &Path) {
    assert_eq!(sql(path, "PRAGMA integrity_check").as_deref(), Some("ok"));
    let orphans = "SELECT link FROM targets WHERE user_name IS NULL AND NOT EXISTS (SELECT 1 FROM \
                   links WHERE links.link = targets.link \
                   AND links.database_name = targets.database_name)";
    assert_eq!(sql(path, orphans), None);
}
