//! The statements that linkdial knows.

use std::ops::Range;

use linkdial_core::{Code, Intent, Kind, LinkName, Target};

use super::literal::MappedText;

/// A statement with the bytes it covers.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) span: Range<usize>,
    pub(crate) kind: StatementKind,
    /// The `-- linkdial:` comments that stand before it.
    pub(crate) directives: Vec<Directive>,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum StatementKind {
    AlterLink(AlterLink),
    /// `CHECK LINK name [ON 'target' [FOR WRITE]]`: linkdial's own.
    CheckLink {
        link: Name,
        target: Option<(Target, Range<usize>)>,
        intent: Intent,
    },
    /// It has errors; the name of the link, where it is a statement about one.
    Broken(Option<Name>),
    CreateLink(CreateLink),
    DropLink {
        name: Name,
        if_exists: bool,
    },
    /// `DROP PIPELINE` or `DROP FUNCTION`.
    DropUser(User),
    /// `GRANT` of permissions on links.
    Grant(Grants),
    /// `REVOKE` of permissions on links.
    Revoke(Grants),
    /// `SELECT ... FROM information_schema.LINKS`.
    SelectLinks(SelectLinks),
    /// `SHOW CREATE LINK`.
    ShowCreateLink {
        name: Name,
    },
    /// `SHOW GRANTS [FOR user]`.
    ShowGrants {
        user: Option<String>,
    },
    /// `SHOW LINKS [ON database]`.
    ShowLinks {
        database: Option<String>,
    },
    Skipped {
        words: String,
    },
    /// It asks a registry for something linkdial can not answer; no concern of who only dials.
    Unanswered {
        words: String,
    },
    Use {
        database: String,
    },
    Uses(Uses),
}

/// A name with the database written before it, if any.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) database: Option<String>,
    pub(crate) bare: String,
    pub(crate) span: Range<usize>,
}

impl Name {
    /// Returns the full name, given the current database.
    pub(crate) fn resolve(&self, current: Option<&str>) -> LinkName {
        LinkName::new(self.database.as_deref().or(current), &self.bare)
    }
}

/// `CREATE LINK`.
#[derive(Debug)]
pub(crate) struct CreateLink {
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) config: Option<ClauseLiteral>,
    pub(crate) credentials: Option<ClauseLiteral>,
    pub(crate) description: Option<String>,
}

/// The string of a clause with the bytes it covers, quotes included.
#[derive(Clone, Debug)]
pub(crate) struct ClauseLiteral {
    pub(crate) text: MappedText,
    pub(crate) span: Range<usize>,
}

/// `ALTER LINK`: at most one change a clause.
#[derive(Debug)]
pub(crate) struct AlterLink {
    pub(crate) name: Name,
    pub(crate) config: Option<Change>,
    pub(crate) credentials: Option<Change>,
}

/// What `SET` does to a clause.
#[derive(Debug)]
pub(crate) enum Change {
    /// `SET CONFIG '{...}'`.
    Replace(ClauseLiteral),
    /// `SET CONFIG ::key = 'value'`.
    Key {
        key: MappedText,
        value: ClauseLiteral,
    },
}

/// A statement that uses links.
#[derive(Debug)]
pub(crate) struct Uses {
    /// Its first words, such as `CREATE PIPELINE`.
    pub(crate) words: String,
    /// The object that goes on using the link until it is dropped.
    pub(crate) user: Option<User>,
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) links: Vec<LinkUse>,
}

/// A pipeline or a function.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) kind: UserKind,
    pub(crate) name: Name,
}

/// What uses a link for longer than one statement.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UserKind {
    /// An external function.
    Function,
    /// A pipeline.
    Pipeline,
}

impl UserKind {
    /// Returns the word of the grammar, in upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "FUNCTION",
            Self::Pipeline => "PIPELINE",
        }
    }
}

/// One link in a statement that uses it.
#[derive(Debug)]
pub(crate) struct LinkUse {
    pub(crate) link: Name,
    pub(crate) target: Target,
    pub(crate) target_span: Range<usize>,
    pub(crate) intent: Intent,
    /// The word after `FORMAT`.
    pub(crate) format: Option<String>,
    /// The string after `SCHEMA REGISTRY`.
    pub(crate) registry: Option<String>,
}

/// What a user of a registry may do with links.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Permission {
    /// `CREATE LINK`: to create links, and with [`Permission::ShowLink`] to change them.
    CreateLink,
    /// `DROP LINK`: to drop links.
    DropLink,
    /// `SHOW LINK`: to see links, and to use them in other statements.
    ShowLink,
}

impl Permission {
    /// Every permission, in alphabetical order.
    pub const ALL: [Self; 3] = [Self::CreateLink, Self::DropLink, Self::ShowLink];

    /// Returns the words of the grammar, in upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateLink => "CREATE LINK",
            Self::DropLink => "DROP LINK",
            Self::ShowLink => "SHOW LINK",
        }
    }
}

/// `GRANT` and `REVOKE`, as far as they are about links.
#[derive(Debug)]
pub(crate) struct Grants {
    /// Never empty.
    pub(crate) permissions: Vec<Permission>,
    /// The one database; `None` stands for `*.*`.
    pub(crate) database: Option<String>,
    /// Never empty.
    pub(crate) users: Vec<String>,
    /// The other privileges of the list, in upper case: no business of linkdial.
    pub(crate) others: Vec<String>,
}

/// `SELECT ... FROM information_schema.LINKS [WHERE ... [AND ...]]`.
#[derive(Debug)]
pub(crate) struct SelectLinks {
    /// In the order of the statement, `*` written out.
    pub(crate) columns: Vec<LinkColumn>,
    /// All of them have to hold.
    pub(crate) conditions: Vec<Condition>,
}

/// A column of `information_schema.LINKS`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LinkColumn {
    DatabaseName,
    Link,
    Type,
    Description,
    Config,
    /// Linkdial's own, and no part of `*`: whether the link was verified.
    State,
}

impl LinkColumn {
    /// Every column, in the order of the table.
    pub(crate) const ALL: [Self; 6] = [
        Self::DatabaseName,
        Self::Link,
        Self::Type,
        Self::Description,
        Self::Config,
        Self::State,
    ];

    /// What `*` stands for.
    pub(crate) const STAR: [Self; 5] = [
        Self::DatabaseName,
        Self::Link,
        Self::Type,
        Self::Description,
        Self::Config,
    ];

    /// Returns the column's name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::DatabaseName => "DATABASE_NAME",
            Self::Link => "LINK",
            Self::Type => "TYPE",
            Self::Description => "DESCRIPTION",
            Self::Config => "CONFIG",
            Self::State => "STATE",
        }
    }
}

/// One comparison of a WHERE clause.
#[derive(Debug)]
pub(crate) struct Condition {
    /// One of `DATABASE_NAME`, `LINK`, `TYPE`.
    pub(crate) column: LinkColumn,
    pub(crate) comparison: Comparison,
}

/// What a column is compared with.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// `= 'text'`: the same text, letter case included.
    Equal(String),
    /// `LIKE 'pattern'` with `%`, `_` and the backslash, as in MySQL; letter case counts.
    Like(String),
}

/// A `-- linkdial:` comment.
#[derive(Debug)]
pub(crate) struct Directive {
    pub(crate) span: Range<usize>,
    pub(crate) kind: DirectiveKind,
}

/// What such a comment says.
#[derive(Debug)]
pub(crate) enum DirectiveKind {
    Deferred,
    Ignore {
        code: Code,
        reason: String,
    },
    Target {
        target: Target,
        target_span: Range<usize>,
        intent: Intent,
    },
}
