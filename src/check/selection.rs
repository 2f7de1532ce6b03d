//! Which links of a registry are checked, and for whom.

use std::collections::HashMap;

use linkdial_core::{Kind, LinkName};
use wildmatch::WildMatch;

use super::CheckError;
use crate::registered::each_link;
use crate::registry::{Grant, Listed, Permission, Registry};
use crate::script::near_names::NearNames;
use crate::script::{UnknownLink, Use, named};

/// Which links of a registry are checked, and for whom.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Names, or patterns with `*` and `?`; every link where there is none.
    ///
    /// One with a dot is compared with `database.name`, one without with `name`. Letter case counts.
    pub names: Vec<String>,
    /// The database of names without a dot; where there are no names, every link of it is meant.
    pub database: Option<String>,
    /// The one database that links are taken of, whatever their names say.
    pub in_database: Option<String>,
    /// The kinds that are meant; every kind where there is none.
    pub kinds: Vec<Kind>,
    /// The user of the registry. All but root see links only where they have `SHOW LINK`.
    pub user: String,
    /// Targets for this run alone, each with the name of its link.
    pub targets: Vec<(String, Use)>,
}

impl Default for Selection {
    /// Every link, for root.
    fn default() -> Self {
        Self {
            names: Vec::new(),
            database: None,
            in_database: None,
            kinds: Vec::new(),
            user: Registry::ROOT.to_owned(),
            targets: Vec::new(),
        }
    }
}

/// A name or pattern.
struct Pattern<'a> {
    text: &'a str,
    fits: WildMatch,
    /// Where it has no dot.
    database: Option<&'a str>,
}

impl<'a> Pattern<'a> {
    fn new(text: &'a str, database: Option<&'a str>) -> Self {
        Self {
            text,
            fits: WildMatch::new(text),
            database: database.filter(|_| !text.contains('.')),
        }
    }

    fn matches(&self, name: &LinkName) -> bool {
        if self.text.contains('.') {
            return self.fits.matches(&name.to_string());
        }
        self.database.is_none_or(|known| known == database(name)) && self.fits.matches(&name.name)
    }

    /// Returns its name and the one database that it is about, if it is about one.
    fn name(&self) -> LinkName {
        match self.text.split_once('.') {
            Some((database, name)) => LinkName::new(Some(database), name),
            None => LinkName::new(self.database, self.text),
        }
    }
}

/// What one user may see of a registry.
struct View<'a> {
    registry: &'a Registry,
    user: &'a str,
    /// `None` for root, who may do everything.
    grants: Option<Vec<Grant>>,
}

impl<'a> View<'a> {
    fn of(registry: &'a Registry, user: &'a str) -> Result<Self, CheckError> {
        Ok(Self {
            registry,
            user,
            grants: (user != Registry::ROOT)
                .then(|| registry.grants(user))
                .transpose()?,
        })
    }

    fn shows(&self, database: &str) -> bool {
        let shows = |grant: &Grant| grant.allows(Permission::ShowLink, database);
        self.grants
            .as_ref()
            .is_none_or(|grants| grants.iter().any(shows))
    }

    /// Says why these patterns stand for no link that the user may see.
    fn refuse(&self, patterns: &[&Pattern<'_>]) -> Result<Vec<String>, CheckError> {
        let (mut visible, mut hidden) = (Vec::new(), Vec::new());
        each_link(self.registry, |link| {
            if self.shows(database(&link.name)) {
                visible.push(link.name);
            } else {
                hidden.push(link.name);
            }
        })?;
        let mut near = NearNames::new(visible.iter());
        let refusals = patterns.iter().map(|pattern| {
            let name = pattern.name();
            let denied = hidden.iter().find(|link| pattern.matches(link));
            let denied = denied.map(database).or_else(|| {
                let database = name.database.as_deref()?;
                (!database.contains(['*', '?']) && !self.shows(database)).then_some(database)
            });
            if let Some(database) = denied {
                let user = self.user;
                return format!(
                    "user `{user}` has no permission SHOW LINK in database `{database}` \
                     (sql.not-permitted)\n\
                     hint: root gives it with GRANT SHOW LINK ON {database}.* TO '{user}'"
                );
            }
            let nearest = near.nearest(&name);
            let nearest = nearest.map(|name| format!("; did you mean `{name}`?"));
            format!(
                "no link matches `{name}`{} ({})",
                nearest.unwrap_or_default(),
                self.count(visible.len())
            )
        });
        Ok(refusals.collect())
    }

    fn count(&self, visible: usize) -> String {
        let links = match visible {
            0 => "no link".to_owned(),
            1 => "1 link".to_owned(),
            count => format!("{count} links"),
        };
        if self.grants.is_none() {
            format!("the registry holds {links}")
        } else {
            format!("the registry holds {links} that `{}` may see", self.user)
        }
    }
}

impl Selection {
    /// Reads the links that are meant, in the order of their names, each with the targets that are
    /// added to it. Of a registry of any size only those are held.
    pub(crate) fn links(&self, registry: &Registry) -> Result<Vec<(Listed, Vec<Use>)>, CheckError> {
        let view = View::of(registry, &self.user)?;
        let known = self.database.as_deref();
        let mut patterns: Vec<Pattern<'_>> = self
            .names
            .iter()
            .map(|text| Pattern::new(text, known))
            .collect();
        if patterns.is_empty() {
            patterns.push(Pattern::new("*", known));
        }
        let mut links: Vec<Listed> = Vec::new();
        let mut matched = vec![false; patterns.len()];
        let mut is_empty = true;
        each_link(registry, |link| {
            is_empty = false;
            if !view.shows(database(&link.name)) {
                return;
            }
            let mut is_meant = false;
            for (pattern, matched) in patterns.iter().zip(&mut matched) {
                let fits = pattern.matches(&link.name);
                *matched |= fits;
                is_meant |= fits;
            }
            // A name that stands for links of other kinds stands for something.
            let wanted = self.in_database.as_deref();
            let is_meant = is_meant && wanted.is_none_or(|wanted| wanted == database(&link.name));
            if is_meant && (self.kinds.is_empty() || self.kinds.contains(&link.kind)) {
                links.push(link);
            }
        })?;
        let mut refusals = Vec::new();
        // Nothing is asked of an empty registry but what it holds.
        if !(is_empty && self.names.is_empty()) {
            let unmatched = patterns.iter().zip(&matched);
            let unmatched = unmatched.filter(|(_, matched)| !**matched);
            let unmatched: Vec<_> = unmatched.map(|(pattern, _)| pattern).collect();
            if !unmatched.is_empty() {
                refusals = view.refuse(&unmatched)?;
            }
        }
        if links.is_empty() && refusals.is_empty() && !is_empty {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
            let of = match (&self.in_database, kinds.is_empty()) {
                (Some(database), true) => format!("in database `{database}`"),
                (Some(database), false) => {
                    format!("of kind {} in database `{database}`", kinds.join(" or "))
                }
                (None, _) => format!("of kind {}", kinds.join(" or ")),
            };
            refusals.push(format!("no link {of} is meant"));
        }
        let names: Vec<LinkName> = links.iter().map(|link| link.name.clone()).collect();
        let mut added: HashMap<&LinkName, Vec<Use>> = HashMap::new();
        for (text, used) in &self.targets {
            match self.target_of(text, &names) {
                Ok(name) => added.entry(name).or_default().push(used.clone()),
                Err(refusal) if refusals.is_empty() => refusals.push(refusal),
                // A link that is not there is missing once.
                Err(_) => {}
            }
        }
        if !refusals.is_empty() {
            return Err(CheckError::Selection(refusals.join("\n")));
        }
        let added = names
            .iter()
            .map(|name| added.remove(name).unwrap_or_default());
        let added: Vec<_> = added.collect();
        Ok(links.into_iter().zip(added).collect())
    }

    /// Finds the link that a target is for.
    fn target_of<'a>(&self, text: &str, names: &'a [LinkName]) -> Result<&'a LinkName, String> {
        let full = match &self.database {
            Some(database) if !text.contains('.') => format!("{database}.{text}"),
            _ => text.to_owned(),
        };
        named(&full, names).map_err(|unknown| match unknown {
            UnknownLink::Ambiguous(_) => format!("a target for `{text}`: {unknown}"),
            UnknownLink::NotFound { nearest } => {
                let nearest = nearest.map(|name| format!("; did you mean `{name}`?"));
                format!(
                    "a target for `{text}`: no link of this name is checked{}",
                    nearest.unwrap_or_default()
                )
            }
        })
    }
}

/// Returns the database of a registered link; all have one.
fn database(name: &LinkName) -> &str {
    name.database.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_a_dot_is_compared_with_the_whole_name() {
        for (text, database, fitting) in [
            ("shop.orders", None, &["shop.orders"][..]),
            ("orders", None, &["ops.orders", "shop.orders"]),
            ("orders", Some("ops"), &["ops.orders"]),
            ("shop.orders", Some("ops"), &["shop.orders"]),
            ("Orders", None, &["shop.Orders"]),
            ("order?", Some("shop"), &["shop.orders"]),
            ("?rders", Some("shop"), &["shop.Orders", "shop.orders"]),
            ("*", Some("ops"), &["ops.orders"]),
            ("*.orders", None, &["ops.orders", "shop.orders"]),
            ("sh*", None, &[]),
            ("shop.*", None, &["shop.Orders", "shop.orders"]),
            ("rder", None, &[]),
            ("", None, &[]),
        ] {
            let pattern = Pattern::new(text, database);
            let names = [("ops", "orders"), ("shop", "Orders"), ("shop", "orders")];
            let names = names.map(|(database, name)| LinkName::new(Some(database), name));
            let found = names.iter().filter(|name| pattern.matches(name));
            let found: Vec<_> = found.map(ToString::to_string).collect();
            assert_eq!(found, fitting, "{text} {database:?}");
        }
    }
}
