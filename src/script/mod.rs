//! A whole script: which links it leaves defined, and which targets they are used with.

mod definitions;
mod link_clause;
mod near_names;
mod replay;
mod uses;
pub(crate) mod variables;

use std::sync::Arc;

use linkdial_core::{ClauseName, Code, Definition, Intent, KeyPlace, LinkName, Secret, Target};

use crate::sql::source::{FileId, SourceFile};
use crate::sql::{Excerpt, Place};
use link_clause::LinkClause;

pub use variables::{Variable, Variables};

/// What a script comes to.
#[derive(Debug)]
pub struct Script {
    /// The links that are defined at its end, in the order of their (last) CREATE.
    pub links: Vec<ScriptLink>,
    /// Everything that does not parse or is not allowed, in the order of the text.
    pub errors: Vec<ScriptError>,
    /// What was passed over, one entry for each kind of statement.
    pub skipped: Vec<Skipped>,
}

/// What stands outside of the text and changes what it means.
#[derive(Clone, Debug, Default)]
pub struct ScriptOptions {
    /// The current database at the start of each file, as `USE` sets it.
    pub database: Option<String>,
    /// What fills `${NAME}`.
    pub variables: Variables,
}

/// One link that the script leaves defined.
#[derive(Debug)]
pub struct ScriptLink {
    /// Its name, with the database of the statement or of the last `USE`.
    pub name: LinkName,
    /// Kind and clauses, variables filled in.
    pub definition: Definition,
    /// Where its statement starts.
    pub place: Place,
    /// What it is used with; one check each, one check without a target where it is empty.
    pub uses: Vec<Use>,
    /// Warnings that a `-- linkdial: ignore CODE reason` comment lowers to notes.
    pub ignored: Vec<(Code, String)>,
    /// `-- linkdial: verify deferred` stands before it.
    pub deferred: bool,
    /// Values of the secret variables that its clauses are made of, each by itself.
    pub secrets: Vec<Secret>,
    origin: Origin,
}

/// Where a link's parts stand in the files.
#[derive(Debug)]
struct Origin {
    sources: Arc<Vec<SourceFile>>,
    file: FileId,
    header: std::ops::Range<usize>,
    config: Option<LinkClause>,
    credentials: Option<LinkClause>,
}

/// A target with what all statements that name it do to it.
#[derive(Clone, Debug)]
pub struct Use {
    /// As written.
    pub target: Target,
    /// All uses joined.
    pub intent: Intent,
    /// Where the target stands; `None` when it came from the command line.
    pub place: Option<Place>,
    /// The word after `FORMAT`, in upper case.
    pub format: Option<String>,
    /// The text after `SCHEMA REGISTRY`.
    pub registry: Option<String>,
    span: Option<(FileId, std::ops::Range<usize>)>,
}

impl Use {
    /// Makes a use that no statement has, such as one from the command line.
    pub fn new(target: Target, intent: Intent) -> Self {
        Self {
            target,
            intent,
            place: None,
            format: None,
            registry: None,
            span: None,
        }
    }

    /// Joins another use of the same target.
    fn join(&mut self, other: Self) {
        let Self {
            target: _,
            intent,
            place,
            format,
            registry,
            span,
        } = other;
        self.intent = self.intent.and(intent);
        self.place = self.place.take().or(place);
        self.format = self.format.take().or(format);
        self.registry = self.registry.take().or(registry);
        self.span = self.span.take().or(span);
    }
}

/// Something in the script that is wrong (exit 2).
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// One of the `sql.*` codes.
    pub code: Code,
    /// The fact.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What could have stood there.
    pub expected: Vec<String>,
    /// Where.
    pub place: Place,
    /// The line with the part to underline.
    pub excerpt: Excerpt,
}

/// Statements of one kind that linkdial passes over.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its first words, such as `CREATE TABLE`.
    pub statement: String,
    /// How many there were; 0 where only the warning matters.
    pub count: u32,
    /// Where the first one stands.
    pub place: Place,
    /// Why it deserves a look, such as a use of a link that the script does not define.
    pub warning: Option<String>,
}

/// No link of the script has this name, or more than one has it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnknownLink {
    /// Links of that name in several databases.
    #[error("links of this name stand in several databases: {}", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// None; the name that comes nearest.
    #[error("the script leaves no link of this name defined")]
    NotFound {
        /// The nearest name, if one is near.
        nearest: Option<String>,
    },
}

impl Script {
    /// Reads files, in this order, as one script, and replays it in memory.
    ///
    /// Never fails: what is wrong is in [`Script::errors`], and the other links are still there.
    pub fn read(files: Vec<(String, String)>, options: &ScriptOptions) -> Self {
        replay::replay(files, options)
    }

    /// Adds a target to a link, named as in the report: `name` or `database.name`.
    pub fn add_target(
        &mut self,
        link: &str,
        target: Target,
        intent: Intent,
    ) -> Result<(), UnknownLink> {
        let full: Vec<usize> = self.positions(|name| name.to_string() == link);
        let found = if full.is_empty() {
            self.positions(|name| name.name == link)
        } else {
            full
        };
        match found.as_slice() {
            [index] => {
                let uses = &mut self.links[*index].uses;
                let new = Use::new(target, intent);
                match uses.iter_mut().find(|known| known.target == new.target) {
                    Some(known) => known.join(new),
                    None => uses.push(new),
                }
                Ok(())
            }
            [] => {
                let names: Vec<String> = self
                    .links
                    .iter()
                    .map(|known| known.name.to_string())
                    .collect();
                let nearest =
                    linkdial_core::define::nearest(link, names.iter().map(String::as_str));
                Err(UnknownLink::NotFound {
                    nearest: nearest.map(str::to_owned),
                })
            }
            several => Err(UnknownLink::Ambiguous(
                several
                    .iter()
                    .map(|index| self.links[*index].name.to_string())
                    .collect(),
            )),
        }
    }

    fn positions(&self, matches: impl Fn(&LinkName) -> bool) -> Vec<usize> {
        self.links
            .iter()
            .enumerate()
            .filter(|(_, link)| matches(&link.name))
            .map(|(index, _)| index)
            .collect()
    }
}

impl ScriptLink {
    /// Returns where a key's value stands in the file.
    ///
    /// For a key that is not there, that is the clause it belongs in; for a clause that is not
    /// there, the start of the statement.
    pub fn locate(&self, key: &KeyPlace) -> Option<(Place, Excerpt)> {
        let range = self.clause(key.clause).locate(key);
        self.show(key.clause, range)
    }

    /// Returns where a key itself stands, else what [`ScriptLink::locate`] returns.
    pub fn locate_key(&self, key: &KeyPlace) -> Option<(Place, Excerpt)> {
        let clause = self.clause(key.clause);
        let range = key
            .span
            .clone()
            .or_else(|| key_span(clause.members(), &key.pointer))
            .or_else(|| clause.locate(key));
        self.show(key.clause, range)
    }

    /// Returns the place of a finding: the key where the key is at fault, else the value.
    pub fn locate_for(&self, code: Code, key: &KeyPlace) -> Option<(Place, Excerpt)> {
        match code {
            Code::DefineDuplicateKey
            | Code::DefineExtensionKey
            | Code::DefineSecretInConfig
            | Code::DefineMissingKey
            | Code::DefineUnknownKey => self.locate_key(key),
            _ => self.locate(key),
        }
    }

    /// Returns where a target stands; `None` when it came from the command line.
    pub fn locate_target(&self, taken: &Use) -> Option<(Place, Excerpt)> {
        let (file, span) = taken.span.as_ref()?;
        let source = self.origin.sources.get(file.0)?;
        Some((source.place(span.start), source.excerpt(span)))
    }

    /// Returns the line where the link's statement starts, its name underlined.
    pub fn excerpt(&self) -> Excerpt {
        self.origin.sources[self.origin.file.0].excerpt(&self.origin.header)
    }

    fn clause(&self, name: ClauseName) -> &linkdial_core::Clause {
        match name {
            ClauseName::Config => &self.definition.config,
            ClauseName::Credentials => &self.definition.credentials,
        }
    }

    fn show(
        &self,
        clause: ClauseName,
        range: Option<std::ops::Range<usize>>,
    ) -> Option<(Place, Excerpt)> {
        let text = match clause {
            ClauseName::Config => self.origin.config.as_ref(),
            ClauseName::Credentials => self.origin.credentials.as_ref(),
        };
        let (file, span) = match text {
            None => (self.origin.file, self.origin.header.clone()),
            Some(text) => range
                .and_then(|range| text.locate(&range))
                .unwrap_or_else(|| text.literal()),
        };
        let source = self.origin.sources.get(file.0)?;
        Some((source.place(span.start), source.excerpt(&span)))
    }
}

/// Follows a JSON Pointer to the key of its last part.
fn key_span(
    members: &[linkdial_core::clause::Member],
    pointer: &str,
) -> Option<std::ops::Range<usize>> {
    use linkdial_core::clause::Value;

    let (part, rest) = match pointer.strip_prefix('/')?.split_once('/') {
        Some((part, rest)) => (part, Some(rest)),
        None => (pointer.strip_prefix('/')?, None),
    };
    let part = part.replace("~1", "/").replace("~0", "~");
    let member = members.iter().rev().find(|member| member.key == part)?;
    match (rest, &member.value.value) {
        (None, _) => Some(member.key_span.clone()),
        (Some(rest), Value::Object(inner)) => key_span(inner, &format!("/{rest}")),
        (Some(_), _) => None,
    }
}
