//! Statements that show something, and permissions.

use std::ops::{ControlFlow, Range};

use linkdial_core::{Code, LinkName};
use unicode_width::UnicodeWidthStr as _;

use super::links::{database, opened, shown_config};
use super::session::{At, Done, Session, Stop, announce};
use super::{Event, Outcome, Table};
use crate::registry::{Grant, Listed, Permission, Registry, RegistryError, State};
use crate::sql::ast::{Comparison, Condition, Grants, LinkColumn, SelectLinks};
use crate::sql::error::SyntaxError;

/// What makes the text of a column, given a link as listings show it.
type Cell = fn(&Listed) -> String;

impl Session<'_> {
    pub(super) fn show_links(&mut self, at: &At, wanted: Option<String>) -> Result<Done, Stop> {
        let Some(wanted) = wanted else {
            return Err(SyntaxError::new(
                Code::SqlNoDatabase,
                at.span.clone(),
                "nothing says which database's links to show",
            )
            .hint(
                "write SHOW LINKS ON database, USE before it, or --database; \
                 information_schema.LINKS has all of them",
            )
            .into());
        };
        self.permit(Permission::ShowLink, &wanted, &at.span)?;
        let columns: [(&'static str, Cell); 5] = [
            ("Link", |link| link.name.name.clone()),
            ("Type", |link| link.kind.to_string()),
            ("Description", |link| link.description.clone()),
            ("Config", |link| link.config.clone()),
            ("State", |link| state(&link.state)),
        ];
        self.list(at, Some(&wanted), &columns, |_| true)
    }

    pub(super) fn select_links(&mut self, at: &At, select: &SelectLinks) -> Result<Done, Stop> {
        let columns: Vec<(&'static str, Cell)> =
            select.columns.iter().map(|column| cell(*column)).collect();
        // As elsewhere in information_schema, what a user may not see is not there.
        let mut grants = None;
        if self.options.user != Registry::ROOT {
            grants = Some(self.registry.grants(&self.options.user)?);
        }
        let is_visible = |link: &Listed| {
            let database = link.name.database.as_deref().unwrap_or_default();
            grants.as_ref().is_none_or(|grants| {
                let mut grants = grants.iter();
                grants.any(|grant| grant.allows(Permission::ShowLink, database))
            })
        };
        let equal = select
            .conditions
            .iter()
            .find_map(|condition| match condition {
                Condition {
                    column: LinkColumn::DatabaseName,
                    comparison: Comparison::Equal(text),
                } => Some(text.as_str()),
                _ => None,
            });
        self.list(at, equal, &columns, |link| {
            is_visible(link)
                && select
                    .conditions
                    .iter()
                    .all(|condition| holds(condition, link))
        })
    }

    /// Hands over a table, reading it twice: once for the widths, so that no row is kept.
    fn list(
        &mut self,
        at: &At,
        database: Option<&str>,
        columns: &[(&'static str, Cell)],
        takes: impl Fn(&Listed) -> bool,
    ) -> Result<Done, Stop> {
        let mut widths: Vec<usize> = columns.iter().map(|(name, _)| name.width()).collect();
        self.registry.list(database, |link| {
            if takes(&link) {
                for (width, (_, cell)) in widths.iter_mut().zip(columns) {
                    *width = (*width).max(cell(&link).width());
                }
            }
            ControlFlow::Continue(())
        })?;
        self.head(at, columns.iter().map(|(name, _)| *name).collect(), widths);
        let on_event = &mut *self.on_event;
        self.registry.list(database, |link| {
            if !takes(&link) {
                return ControlFlow::Continue(());
            }
            let texts: Vec<String> = columns.iter().map(|(_, cell)| cell(&link)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            on_event(Event::Row(&texts))
        })?;
        Ok(Done::new(Outcome::Shown))
    }

    fn head(&mut self, at: &At, columns: Vec<&'static str>, widths: Vec<usize>) {
        let table = Table {
            statement: at.words.clone(),
            place: self.sources[at.file.0].place(at.span.start),
            columns,
            widths,
        };
        // A reader that is gone has its say at the first row.
        announce(self.on_event, Event::Table(&table));
    }

    /// Hands over a table that is short.
    fn rows(&mut self, at: &At, columns: Vec<&'static str>, rows: &[Vec<String>]) {
        let widths = columns.iter().enumerate().map(|(index, name)| {
            let cells = rows.iter().map(|row| row[index].width());
            cells.max().unwrap_or_default().max(name.width())
        });
        let widths = widths.collect();
        self.head(at, columns, widths);
        for row in rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            if (self.on_event)(Event::Row(&row)).is_break() {
                return;
            }
        }
    }

    pub(super) fn show_create_link(
        &mut self,
        at: &At,
        name: &LinkName,
        span: Range<usize>,
    ) -> Result<Done, Stop> {
        let place = database(name, &span)?;
        self.permit(Permission::ShowLink, place, &span)?;
        let known = self.known(name)?;
        let Some(stored) = &known.link else {
            return self.missing(name, span);
        };
        let link = opened(stored);
        let mut statement = String::new();
        if matches!(stored.state, State::Deferred { .. }) {
            statement.push_str("-- linkdial: verify deferred\n");
        }
        statement.push_str("CREATE LINK ");
        for part in stored.name.database.iter().chain([&stored.name.name]) {
            if !statement.ends_with(' ') {
                statement.push('.');
            }
            statement.push('`');
            statement.push_str(&part.replace('`', "``"));
            statement.push('`');
        }
        statement.push_str(" AS ");
        statement.push_str(stored.kind.as_str());
        if link.definition.credentials.members().is_empty() {
            statement.push_str(" CREDENTIALS \"{}\"");
        } else {
            statement.push_str(" CREDENTIALS <CREDENTIALS REDACTED>");
        }
        statement.push_str(" CONFIG ");
        statement.push_str(&quoted(&shown_config(&link).replace("${", "$${")));
        if !stored.description.is_empty() {
            statement.push_str(" DESCRIPTION ");
            statement.push_str(&quoted(&stored.description));
        }
        let columns = vec!["Link Name", "Create Link"];
        self.rows(at, columns, &[vec![name.name.clone(), statement]]);
        Ok(Done {
            kind: Some(stored.kind),
            ..Done::new(Outcome::Shown).link(name)
        })
    }

    pub(super) fn show_grants(&mut self, at: &At, user: Option<String>) -> Result<Done, Stop> {
        let user = user.unwrap_or_else(|| self.options.user.clone());
        if user != self.options.user {
            self.only_root(at, "see the permissions of others")?;
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        if user == Registry::ROOT {
            rows.push(vec![format!(
                "GRANT CREATE LINK, DROP LINK, SHOW LINK ON *.* TO {}",
                quoted_user(&user)
            )]);
        }
        let mut grants = self.registry.grants(&user)?;
        grants.sort_by(|left, right| left.database.cmp(&right.database));
        for same in grants.chunk_by(|left, right| left.database == right.database) {
            let words: Vec<&str> = same.iter().map(|grant| grant.permission.as_str()).collect();
            let scope = scope(same[0].database.as_deref());
            let user = quoted_user(&user);
            rows.push(vec![format!(
                "GRANT {} ON {scope} TO {user}",
                words.join(", ")
            )]);
        }
        self.rows(at, vec!["Grants"], &rows);
        Ok(Done::new(Outcome::Shown))
    }

    pub(super) fn grant(&mut self, at: &At, grants: Grants) -> Result<Done, Stop> {
        self.change_grants(at, grants, Outcome::Granted, Registry::grant)
    }

    pub(super) fn revoke(&mut self, at: &At, grants: Grants) -> Result<Done, Stop> {
        self.change_grants(at, grants, Outcome::Revoked, Registry::revoke)
    }

    fn change_grants(
        &mut self,
        at: &At,
        grants: Grants,
        outcome: Outcome,
        change: fn(&Registry, &str, &[Grant]) -> Result<usize, RegistryError>,
    ) -> Result<Done, Stop> {
        self.only_root(at, "give or take permissions")?;
        let Grants {
            permissions,
            database,
            users,
            others,
        } = grants;
        if users.iter().any(|user| user == Registry::ROOT) {
            return Err(SyntaxError::new(
                Code::SqlNotPermitted,
                at.span.clone(),
                "root has every permission, and nobody can take one away",
            )
            .hint("name another user")
            .into());
        }
        let mut list = Vec::new();
        for user in &users {
            for permission in &permissions {
                list.push(Grant {
                    user: user.clone(),
                    permission: *permission,
                    database: database.clone(),
                });
            }
        }
        self.grants = None;
        let changed = if self.options.plan {
            let mut known = Vec::new();
            for user in &users {
                known.extend(self.registry.grants(user)?);
            }
            let gives = outcome == Outcome::Granted;
            list.iter().filter(|it| known.contains(it) != gives).count()
        } else {
            change(self.registry, &self.options.user, &list)?
        };
        let outcome = if changed == 0 {
            Outcome::Unchanged
        } else {
            outcome
        };
        let words: Vec<&str> = permissions.iter().map(|it| it.as_str()).collect();
        let scope = scope(database.as_deref());
        let done = Done::new(outcome);
        let done = done.note(format!(
            "{} on {scope}: {}",
            words.join(", "),
            users.join(", ")
        ));
        Ok(if others.is_empty() {
            done
        } else {
            done.note(format!(
                "passed over, because they are no permissions on links: {}",
                others.join(", ")
            ))
        })
    }

    fn only_root(&self, at: &At, what: &str) -> Result<(), Stop> {
        if self.options.user == Registry::ROOT {
            return Ok(());
        }
        Err(SyntaxError::new(
            Code::SqlNotPermitted,
            at.span.clone(),
            format!("user `{}` may not {what}", self.options.user),
        )
        .hint("only root may")
        .into())
    }
}

fn cell(column: LinkColumn) -> (&'static str, Cell) {
    match column {
        LinkColumn::Config => ("CONFIG", |link| link.config.clone()),
        LinkColumn::DatabaseName => ("DATABASE_NAME", |link| {
            link.name.database.clone().unwrap_or_default()
        }),
        LinkColumn::Description => ("DESCRIPTION", |link| link.description.clone()),
        LinkColumn::Link => ("LINK", |link| link.name.name.clone()),
        LinkColumn::State => ("STATE", |link| state(&link.state)),
        LinkColumn::Type => ("TYPE", |link| link.kind.to_string()),
    }
}

fn holds(condition: &Condition, link: &Listed) -> bool {
    let (_, cell) = cell(condition.column);
    let text = cell(link);
    match &condition.comparison {
        Comparison::Equal(wanted) => text == *wanted,
        Comparison::Like(pattern) => is_like(&text, pattern),
    }
}

/// Compares with a pattern of MySQL: `%` any text, `_` any character, a backslash takes the
/// meaning of either away.
fn is_like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut next) = (0, 0);
    // Where to go on when what follows the last `%` does not fit here.
    let mut again: Option<(usize, usize)> = None;
    loop {
        let literal = match pattern.get(next) {
            Some('%') => {
                next += 1;
                again = Some((at, next));
                continue;
            }
            Some('\\') if next + 1 < pattern.len() => Some((pattern[next + 1], 2)),
            Some('_') if at < text.len() => {
                at += 1;
                next += 1;
                continue;
            }
            Some('_') => None,
            Some(other) => Some((*other, 1)),
            None if at == text.len() => return true,
            None => None,
        };
        match literal {
            Some((wanted, length)) if text.get(at) == Some(&wanted) => {
                at += 1;
                next += length;
            }
            _ => match again {
                Some((from, rest)) if from < text.len() => {
                    at = from + 1;
                    next = rest;
                    again = Some((at, rest));
                }
                _ => return false,
            },
        }
    }
}

fn state(state: &State) -> String {
    match state {
        State::Verified { at } => format!("verified {}", at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        State::Deferred { at, by } => {
            format!("deferred {} by {by}", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
    }
}

fn scope(database: Option<&str>) -> String {
    database.map_or_else(
        || "*.*".to_owned(),
        |database| format!("`{}`.*", database.replace('`', "``")),
    )
}

fn quoted_user(user: &str) -> String {
    format!("'{}'@'%'", user.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Writes a text as SingleStore prints it: in double quotes, with backslash escapes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_mysql() {
        for (text, pattern, fits) in [
            ("orders", "orders", true),
            ("orders", "Orders", false),
            ("orders", "ord%", true),
            ("orders", "%ers", true),
            ("orders", "%d%r%", true),
            ("orders", "o_ders", true),
            ("orders", "o_der", false),
            ("orders", "", false),
            ("", "%", true),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("100%", "100\\%", true),
            ("100x", "100\\%", false),
            ("aab", "%ab", true),
            ("aaaa", "%a%b", false),
            ("é", "_", true),
        ] {
            assert_eq!(is_like(text, pattern), fits, "{text} LIKE {pattern}");
        }
    }
}
