//! What a statement does, with everything filled in that stands outside of it.

use std::ops::Range;

use linkdial_core::{ClauseName, Code, LinkName};

use super::link_clause::LinkClause;
use super::{ScriptLink, Use};
use crate::sql::ast::{ClauseLiteral, Grants, SelectLinks, UserKind};
use crate::sql::literal::MappedText;
use crate::sql::source::FileId;

/// One statement.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) file: FileId,
    pub(crate) span: Range<usize>,
    pub(crate) kind: ActionKind,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum ActionKind {
    Alter(Alter),
    /// It has errors; the link it is about, and whether it would make it.
    Broken(Option<(LinkName, bool)>),
    Check(Uses),
    Create(Box<Create>),
    Drop {
        name: LinkName,
        name_span: Range<usize>,
        if_exists: bool,
    },
    DropUser(User),
    Grant(Grants),
    Revoke(Grants),
    Select(SelectLinks),
    ShowCreate {
        name: LinkName,
        name_span: Range<usize>,
    },
    ShowGrants {
        user: Option<String>,
    },
    /// The database that is named, else the current one.
    ShowLinks {
        database: Option<String>,
    },
    Skipped {
        words: String,
    },
    /// It has errors that concern a registry only.
    Unanswered {
        words: String,
    },
    Uses(Uses),
}

/// `CREATE LINK`.
#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) name_span: Range<usize>,
    /// What it makes; its uses are those of the comments before it.
    pub(crate) link: ScriptLink,
}

/// `ALTER LINK`.
#[derive(Clone, Debug)]
pub(crate) struct Alter {
    pub(crate) name: LinkName,
    pub(crate) name_span: Range<usize>,
    pub(crate) changes: Vec<(ClauseName, Change)>,
    pub(crate) comments: Comments,
}

/// What `SET` does to a clause.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Replace(LinkClause),
    Key {
        key: MappedText,
        value: ClauseLiteral,
        file: FileId,
    },
}

/// A pipeline or function by its full name.
pub(crate) type User = (UserKind, LinkName);

/// Returns a pipeline or function with its database: where it names none and there is no current
/// one, it is taken for a neighbour of the link that it uses.
pub(crate) fn full(user: &User, link: Option<&LinkName>) -> User {
    let (kind, name) = user;
    let neighbour = link.and_then(|link| link.database.as_deref());
    let database = name.database.as_deref().or(neighbour);
    (*kind, LinkName::new(database, &name.name))
}

/// A statement that uses links.
#[derive(Debug)]
pub(crate) struct Uses {
    pub(crate) words: String,
    pub(crate) user: Option<User>,
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) links: Vec<LinkUsed>,
    pub(crate) ignored: Vec<(Code, String)>,
}

/// One link of such a statement; `CHECK LINK` need not name a target.
#[derive(Debug)]
pub(crate) struct LinkUsed {
    pub(crate) name: LinkName,
    pub(crate) name_span: Range<usize>,
    pub(crate) used: Option<Use>,
}

/// What the comments before a statement say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    pub(crate) targets: Vec<Use>,
    pub(crate) ignored: Vec<(Code, String)>,
    pub(crate) deferred: bool,
}

impl Comments {
    /// Tells a link what they say about it; targets are the caller's.
    pub(crate) fn apply(&self, link: &mut ScriptLink) {
        link.deferred |= self.deferred;
        for ignored in &self.ignored {
            if !link.ignored.contains(ignored) {
                link.ignored.push(ignored.clone());
            }
        }
    }
}

impl Action {
    /// Returns its first words, in upper case.
    pub(crate) fn words(&self) -> String {
        let words = match &self.kind {
            ActionKind::Alter(_) => "ALTER LINK",
            ActionKind::Broken(_) | ActionKind::Unanswered { .. } => "",
            ActionKind::Create(create) if create.or_replace => "CREATE OR REPLACE LINK",
            ActionKind::Create(create) if create.if_not_exists => "CREATE LINK IF NOT EXISTS",
            ActionKind::Create(_) => "CREATE LINK",
            ActionKind::Drop { .. } => "DROP LINK",
            ActionKind::DropUser((kind, _)) => return format!("DROP {}", kind.as_str()),
            ActionKind::Skipped { words } => words,
            ActionKind::Check(uses) | ActionKind::Uses(uses) => &uses.words,
            kind => words(kind).unwrap_or_default(),
        };
        words.to_owned()
    }
}

impl ActionKind {
    /// Returns the link that a statement makes, changes or shows.
    pub(crate) fn link(&self) -> Option<&LinkName> {
        match self {
            Self::Alter(alter) => Some(&alter.name),
            Self::Broken(link) => link.as_ref().map(|(name, _)| name),
            Self::Create(create) => Some(&create.link.name),
            Self::Drop { name, .. } | Self::ShowCreate { name, .. } => Some(name),
            Self::Check(uses) => uses.links.first().map(|link| &link.name),
            Self::DropUser(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::Select(_)
            | Self::ShowGrants { .. }
            | Self::ShowLinks { .. }
            | Self::Skipped { .. }
            | Self::Unanswered { .. }
            | Self::Uses(_) => None,
        }
    }
}

/// The words of a statement that only a registry answers.
pub(crate) fn words(kind: &ActionKind) -> Option<&'static str> {
    match kind {
        ActionKind::Grant(_) => Some("GRANT"),
        ActionKind::Revoke(_) => Some("REVOKE"),
        ActionKind::Select(_) => Some("SELECT FROM information_schema.LINKS"),
        ActionKind::ShowCreate { .. } => Some("SHOW CREATE LINK"),
        ActionKind::ShowGrants { .. } => Some("SHOW GRANTS"),
        ActionKind::ShowLinks { .. } => Some("SHOW LINKS"),
        _ => None,
    }
}
