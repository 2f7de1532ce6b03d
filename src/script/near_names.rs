//! The name that a statement could have meant.

use std::collections::HashMap;

use linkdial_core::LinkName;
use linkdial_core::define::nearest;

/// Names that are looked up; more of them in one script are no slips, and each look-up compares
/// with every link.
const LOOK_UPS: usize = 50;

/// The names of a script's links, in alphabetical order.
pub(crate) struct NearNames<'a> {
    names: Vec<&'a LinkName>,
    known: HashMap<LinkName, Option<String>>,
}

impl<'a> NearNames<'a> {
    pub(crate) fn new(names: impl Iterator<Item = &'a LinkName>) -> Self {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable_by_key(|name| (&name.database, &name.name));
        names.dedup();
        Self {
            names,
            known: HashMap::new(),
        }
    }

    /// Returns the link whose name is nearest, one of the same database before all others.
    pub(crate) fn nearest(&mut self, name: &LinkName) -> Option<String> {
        if let Some(found) = self.known.get(name) {
            return found.clone();
        }
        if self.known.len() == LOOK_UPS {
            return None;
        }
        // The database is no part of the comparison: two names do not come nearer by sharing it.
        let among = |fits: &dyn Fn(&LinkName) -> bool| {
            let candidates = || self.names.iter().filter(|known| fits(known));
            let near = nearest(&name.name, candidates().map(|known| known.name.as_str()))?;
            candidates().find(|known| known.name == near)
        };
        let found = among(&|known| known.database == name.database)
            .or_else(|| among(&|_| true))
            .map(ToString::to_string);
        self.known.insert(name.clone(), found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_with_and_without_its_database() {
        let links = [
            LinkName::new(Some("shop"), "orders"),
            LinkName::new(Some("shop"), "events"),
            LinkName::new(None, "logs"),
        ];
        let mut names = NearNames::new(links.iter());
        for (database, name, expected) in [
            (None, "lgos", Some("logs")),
            (Some("ops"), "logs", Some("logs")),
            (Some("shop"), "ordres", Some("shop.orders")),
            (None, "orders", Some("shop.orders")),
            (Some("inventory"), "evnets", Some("shop.events")),
            (Some("shop"), "elsewhere", None),
            (Some("shop"), "hammer", None),
        ] {
            let found = names.nearest(&LinkName::new(database, name));
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_script_full_of_unknown_names_is_not_compared_with_all() {
        let links = [LinkName::new(None, "logs")];
        let mut names = NearNames::new(links.iter());
        for index in 0..LOOK_UPS {
            names.nearest(&LinkName::new(None, &format!("other{index}")));
        }
        assert_eq!(names.nearest(&LinkName::new(None, "lgos")), None);
        assert_eq!(names.known.len(), LOOK_UPS);
    }
}
