//! Who uses which link with which target, while a script is replayed.

use std::collections::HashMap;

use linkdial_core::LinkName;

use super::Use;
use super::action::User;

/// All uses so far, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct UseList {
    records: Vec<Option<Record>>,
    by_user: HashMap<User, Vec<usize>>,
    by_link: HashMap<LinkName, Vec<usize>>,
}

#[derive(Debug)]
struct Record {
    link: LinkName,
    taken: Use,
    lasting: bool,
}

impl UseList {
    /// Adds a use; one by a pipeline or function lasts until that is dropped.
    pub(crate) fn add(&mut self, link: LinkName, taken: Use, user: Option<&User>) {
        let index = self.records.len();
        if let Some(user) = user {
            self.by_user.entry(user.clone()).or_default().push(index);
        }
        self.by_link.entry(link.clone()).or_default().push(index);
        self.records.push(Some(Record {
            link,
            taken,
            lasting: user.is_some(),
        }));
    }

    /// Returns whether the pipeline or function exists.
    pub(crate) fn has(&self, user: &User) -> bool {
        self.by_user.contains_key(user)
    }

    /// Takes back what a dropped pipeline or function used.
    pub(crate) fn drop_user(&mut self, user: &User) {
        for index in self.by_user.remove(user).unwrap_or_default() {
            self.records[index] = None;
        }
    }

    /// Forgets the exports and backups that a dropped link served; pipelines stay.
    pub(crate) fn drop_link(&mut self, link: &LinkName) {
        let Some(indexes) = self.by_link.get_mut(link) else {
            return;
        };
        let records = &mut self.records;
        indexes.retain(|&index| {
            let lasting = records[index].as_ref().is_some_and(|record| record.lasting);
            if !lasting {
                records[index] = None;
            }
            lasting
        });
    }

    /// Returns all uses, in the order of the text.
    pub(crate) fn into_uses(self) -> impl Iterator<Item = (LinkName, Use)> {
        self.records
            .into_iter()
            .flatten()
            .map(|record| (record.link, record.taken))
    }
}
