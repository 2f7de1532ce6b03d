//! Keys that a kind does not know, and what was meant by them.

use std::collections::HashSet;

use crate::clause::{ClauseName, Value};
use crate::code::Code;
use crate::diagnosis::{Diagnosis, KeyPlace, Outcome};
use crate::redact::looks_secret;
use crate::repair::{Change, Repair};

use super::{Clauses, Key, MAX_FINDINGS, nearest, quoted};

/// An unknown key that stands for a known one.
#[derive(Debug)]
pub(super) struct NearMiss {
    pub(super) known: &'static str,
    pub(super) place: KeyPlace,
    pub(super) written: String,
}

/// So many keys are named in one sentence.
pub(super) const NAMED: usize = 4;

impl Clauses<'_> {
    /// Returns the change that a near miss asks for; `None` where the right key is there as well.
    pub(super) fn rename(&self, miss: &NearMiss) -> Option<Change> {
        self.node(miss.known).is_none().then(|| Change::Rename {
            place: miss.place.clone(),
            to: miss.known.to_owned(),
        })
    }

    pub(super) fn unknown(&mut self, key: &str, place: KeyPlace) {
        if let Some(known) = Key::meant_by(self.keys, key).map(|known| known.name) {
            self.near_misses.push(NearMiss {
                known,
                place,
                written: key.to_owned(),
            });
            return;
        }
        let hint = match place.clause {
            ClauseName::Config => {
                "SingleStore may pass it on or ignore it; remove it if nothing needs it"
            }
            ClauseName::Credentials => {
                "SingleStore may pass it on or ignore it: check what it is called there"
            }
        };
        self.findings.push(
            Diagnosis::new(
                Code::DefineUnknownKey,
                format!("no link of this kind has the key {}", quoted(key)),
            )
            .key(place)
            .hint(hint),
        );
    }

    /// Records what keys of `CREDENTIALS` that the kind does not know are, in the place of all that
    /// was found about them; nothing where none of them is there.
    pub fn foreign(
        &mut self,
        is_foreign: impl Fn(&str) -> bool,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> bool {
        let members = self.credentials.members().iter();
        let places: Vec<KeyPlace> = members
            .filter(|it| is_foreign(&it.key) && !self.keys.iter().any(|key| key.name == it.key))
            .map(|it| KeyPlace::key(ClauseName::Credentials, &it.key))
            .collect();
        if places.is_empty() {
            return false;
        }
        let pointers: HashSet<&str> = places.iter().map(|it| it.pointer.as_str()).collect();
        let is_one = |place: &KeyPlace| {
            place.clause == ClauseName::Credentials && pointers.contains(place.pointer.as_str())
        };
        self.findings
            .retain(|finding| !finding.keys.iter().any(is_one));
        self.near_misses.retain(|miss| !is_one(&miss.place));
        let finding = Diagnosis::new(Code::DefineUnknownKey, message)
            .outcome(Outcome::Fail)
            .hint(hint);
        // Each is looked for in the script and shown.
        let places = places.into_iter().take(MAX_FINDINGS);
        self.findings.push(places.fold(finding, Diagnosis::key));
        true
    }

    /// Credentials of which the kind knows none make no anonymous link: somebody meant to log in.
    pub(crate) fn settle(&mut self) {
        let is_credential = |key: &Key| key.clause == ClauseName::Credentials;
        if !self.keys.iter().any(is_credential) {
            // Nobody logs in with them.
            return;
        }
        let members = || {
            let members = self.credentials.members().iter();
            members.filter(|it| !matches!(it.value.value, Value::Null))
        };
        let row = |name: &str| self.keys.iter().find(|key| key.name == name);
        let knows_who = members()
            .filter_map(|it| row(&it.key))
            .any(|key| key.clause == ClauseName::Credentials);
        let there: Vec<&str> = members()
            .map(|it| it.key.as_str())
            .filter(|key| row(key).is_none())
            .collect();
        if there.is_empty() || knows_who || self.failed() {
            return;
        }
        let kind = self.kind;
        let meant: Vec<String> = self
            .near_misses
            .iter()
            .filter(|miss| miss.place.clause == ClauseName::Credentials)
            .take(NAMED)
            .map(|miss| format!("`{}` for {}", miss.known, quoted(&miss.written)))
            .collect();
        let hint = if meant.is_empty() {
            let names: Vec<String> = self
                .keys
                .iter()
                .filter(|key| key.clause == ClauseName::Credentials)
                .take(NAMED)
                .map(|key| format!("`{}`", key.name))
                .collect();
            format!("the keys of {kind} links are called {}", names.join(", "))
        } else {
            format!("for a link to {kind} write {}", meant.join(", "))
        };
        let named: Vec<String> = there.iter().take(NAMED).map(|key| quoted(key)).collect();
        let more = if there.len() > NAMED { " and more" } else { "" };
        let message = format!(
            "CREDENTIALS holds {}{more}, and no key that {kind} links have",
            named.join(", ")
        );
        let misses = self.near_misses.iter();
        let renames: Vec<Change> = misses.filter_map(|miss| self.rename(miss)).collect();
        self.foreign(|_| true, message, hint);
        if let Some(finding) = self.findings.last_mut()
            && !renames.is_empty()
        {
            finding.repairs.push(Repair::new(renames));
        }
    }
}

impl Key {
    /// Returns the row of a key: its own, or the one with a `*` that it begins like.
    pub fn row_of<'a>(table: &'a [Self], name: &str) -> Option<&'a Self> {
        let begins = |row: &&Self| {
            let beginning = row.name.strip_suffix('*');
            beginning.is_some_and(|beginning| name.starts_with(beginning))
        };
        let own = table.iter().find(|row| row.name == name);
        own.or_else(|| table.iter().find(begins))
    }

    /// Returns the row that an unknown key stands for: others call it so, or it is a near miss.
    pub fn meant_by<'a>(table: &'a [Self], name: &str) -> Option<&'a Self> {
        let other = table.iter().find(|row| row.is_called(name));
        other.or_else(|| {
            let names = table.iter().map(|row| row.name);
            let near = nearest(name, names.filter(|name| !name.ends_with('*')))?;
            table.iter().find(|row| row.name == near)
        })
    }

    /// Returns whether a value of `CONFIG` below this key may be a secret: the table says so, or does
    /// not know the key and no slip of a harmless one of `CONFIG` explains it.
    pub fn may_hold_secret(table: &[Self], name: &str) -> bool {
        let harmless = |meant: &Self| meant.clause == ClauseName::Config && !meant.secret;
        match Self::row_of(table, name) {
            Some(row) => row.secret,
            None => looks_secret(name) || !Self::meant_by(table, name).is_some_and(harmless),
        }
    }

    /// Returns whether somebody else calls the key so.
    fn is_called(&self, name: &str) -> bool {
        // Nobody bounds a key, and no name is longer.
        name.len() <= 64 && {
            let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
            let name = plain(name);
            self.others.iter().any(|other| plain(other) == name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::define::Shape;

    #[test]
    fn only_a_known_key_and_its_slips_are_harmless() {
        const KEYS: &[Key] = &[
            Key::config("region", Shape::Text).also(&["location"]),
            Key::config("dfs.rpc.*", Shape::Text),
            Key::config("sealed", Shape::Text).secret(),
            Key::config("token.endpoint", Shape::Text),
            // Others call the secret so as well.
            Key::credential("key_id", Shape::Text).also(&["access_key"]),
        ];
        for name in [
            "region",
            "regoin",
            "Location",
            "dfs.rpc.a",
            "token.endpoint",
        ] {
            assert!(!Key::may_hold_secret(KEYS, name), "{name}");
        }
        for name in [
            "access_key",
            "sealed",
            "saeled",
            "passphrase",
            "",
            "dfs.rcp.a",
            "token.endpiont",
        ] {
            assert!(Key::may_hold_secret(KEYS, name), "{name}");
        }
    }
}
