//! A whole script: which links it leaves defined, and which targets they are used with.

pub(crate) mod action;
pub(crate) mod definitions;
pub(crate) mod faults;
pub(crate) mod link_clause;
pub(crate) mod near_names;
pub(crate) mod program;
#[cfg(test)]
mod properties;
mod reader;
mod replay;
pub(crate) mod uses;
pub(crate) mod variables;

use std::sync::Arc;

use linkdial_core::{
    Clause, ClauseName, Code, Definition, Intent, KeyPlace, Kind, LinkName, Secret, Target,
};

use crate::correction::Correction;
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
    /// Statements that would make a link and do not parse.
    pub(crate) broken: Vec<BrokenLink>,
    pub(crate) sources: Arc<Vec<SourceFile>>,
    /// What it was read with.
    pub(crate) options: ScriptOptions,
}

/// A statement that would make a link, and does not parse.
#[derive(Clone, Debug)]
pub(crate) struct BrokenLink {
    pub(crate) name: LinkName,
    pub(crate) file: FileId,
    pub(crate) statement: std::ops::Range<usize>,
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
#[derive(Clone, Debug)]
pub struct ScriptLink {
    /// Its name, with the database of the statement or of the last `USE`.
    pub name: LinkName,
    /// Kind and clauses, variables filled in.
    pub definition: Definition,
    /// Its description; empty where it has none.
    pub description: String,
    /// Where its statement starts; `None` for one that a registry holds.
    pub place: Option<Place>,
    /// What it is used with; one check each, one check without a target where it is empty.
    pub uses: Vec<Use>,
    /// Warnings that a `-- linkdial: ignore CODE reason` comment lowers to notes.
    pub ignored: Vec<(Code, String)>,
    /// `-- linkdial: verify deferred` stands before it.
    pub deferred: bool,
    /// Values of the secret variables that its clauses are made of, each by itself.
    pub secrets: Vec<Secret>,
    /// `None` for one that a registry holds.
    origin: Option<Origin>,
    texts: Texts,
}

/// Where a link's statement stands.
#[derive(Clone, Debug)]
struct Origin {
    sources: Arc<Vec<SourceFile>>,
    file: FileId,
    header: std::ops::Range<usize>,
    /// The whole statement, without what ends it.
    statement: std::ops::Range<usize>,
}

/// The texts of the clauses, with the places of their parts.
#[derive(Clone, Debug, Default)]
struct Texts {
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
    /// A registry remembers it.
    pub stored: bool,
    span: Option<(FileId, std::ops::Range<usize>)>,
    /// Where other statements name the same target.
    also: Vec<(FileId, std::ops::Range<usize>)>,
}

impl Use {
    /// Returns every place of a script that names the target, quotes included.
    pub(crate) fn places(&self) -> impl Iterator<Item = &(FileId, std::ops::Range<usize>)> {
        self.span.iter().chain(&self.also)
    }

    /// Makes a use that no statement has, such as one from the command line.
    pub fn new(target: Target, intent: Intent) -> Self {
        Self {
            target,
            intent,
            place: None,
            format: None,
            registry: None,
            stored: false,
            span: None,
            also: Vec::new(),
        }
    }

    /// Returns whether one dial serves both: one target, and no two registries.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        let registries = [&self.registry, &other.registry];
        self.target == other.target
            && (registries.contains(&&None) || self.registry == other.registry)
    }

    /// Joins another use that goes with this one.
    pub(crate) fn join(&mut self, other: Self) {
        let Self {
            target: _,
            intent,
            place,
            format,
            registry,
            stored,
            span,
            also,
        } = other;
        self.intent = self.intent.and(intent);
        self.place = self.place.take().or(place);
        self.format = self.format.take().or(format);
        self.registry = self.registry.take().or(registry);
        self.stored |= stored;
        self.also.extend(also);
        match span {
            Some(span) if self.span.is_some() => self.also.push(span),
            span => self.span = self.span.take().or(span),
        }
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
    /// The statement as it parses and passes, where that is known.
    pub correction: Option<Box<Correction>>,
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
        target: &Target,
        intent: Intent,
    ) -> Result<(), UnknownLink> {
        let names: Vec<LinkName> = self.links.iter().map(|link| link.name.clone()).collect();
        let name = named(link, &names)?;
        let uses = self.links.iter_mut().filter(|link| link.name == *name);
        for uses in uses.map(|link| &mut link.uses) {
            let new = Use::new(target.clone(), intent);
            match uses.iter_mut().find(|known| known.goes_with(&new)) {
                Some(known) => known.join(new),
                None => uses.push(new),
            }
        }
        Ok(())
    }
}

/// Finds the link that a text names, with its database or without.
pub(crate) fn named<'a>(text: &str, names: &'a [LinkName]) -> Result<&'a LinkName, UnknownLink> {
    if let Some(full) = names.iter().find(|name| name.to_string() == text) {
        return Ok(full);
    }
    let bare: Vec<&LinkName> = names.iter().filter(|name| name.name == text).collect();
    match bare.as_slice() {
        [only] => Ok(only),
        [] => {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let nearest = linkdial_core::define::nearest(text, names.iter().map(String::as_str));
            Err(UnknownLink::NotFound {
                nearest: nearest.map(str::to_owned),
            })
        }
        several => Err(UnknownLink::Ambiguous(
            several.iter().map(ToString::to_string).collect(),
        )),
    }
}

impl ScriptLink {
    /// Makes a link of what a registry holds: the JSON of both clauses, final as it is.
    pub(crate) fn stored(
        name: LinkName,
        kind: Kind,
        credentials: &Secret,
        config: &Secret,
    ) -> Self {
        Self {
            name,
            definition: Definition {
                kind,
                config: Clause::parse(ClauseName::Config, config.expose()),
                credentials: Clause::parse(ClauseName::Credentials, credentials.expose()),
            },
            description: String::new(),
            place: None,
            uses: Vec::new(),
            ignored: Vec::new(),
            deferred: false,
            secrets: Vec::new(),
            origin: None,
            texts: Texts::default(),
        }
    }

    /// Lets the parts of a stored link stand where a statement about it does.
    pub(crate) fn stands_at(
        &mut self,
        sources: &Arc<Vec<SourceFile>>,
        file: FileId,
        header: std::ops::Range<usize>,
    ) {
        let text = |clause: &Clause| {
            let text = clause.text().expose();
            Some(LinkClause::stored(
                clause.name(),
                text,
                file,
                header.clone(),
            ))
        };
        self.texts = Texts {
            config: text(&self.definition.config),
            credentials: text(&self.definition.credentials),
        };
        self.place = sources.get(file.0).map(|source| source.place(header.start));
        self.origin = Some(Origin {
            sources: Arc::clone(sources),
            file,
            statement: header.clone(),
            header,
        });
    }

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
        let source = self.origin.as_ref()?.sources.get(file.0)?;
        Some((source.place(span.start), source.excerpt(span)))
    }

    /// Returns the file and the part of it that the link's statement is; `None` for a link that a
    /// registry holds.
    pub(crate) fn statement(&self) -> Option<(&SourceFile, FileId, std::ops::Range<usize>)> {
        let origin = self.origin.as_ref()?;
        let source = origin.sources.get(origin.file.0)?;
        Some((source, origin.file, origin.statement.clone()))
    }

    /// Returns a file that the link or one of its uses stands in.
    pub(crate) fn source(&self, file: FileId) -> Option<&SourceFile> {
        self.origin.as_ref()?.sources.get(file.0)
    }

    /// Returns the text of a clause with its places; `None` where the statement does not have it.
    pub(crate) const fn clause_of(&self, name: ClauseName) -> Option<&LinkClause> {
        match name {
            ClauseName::Config => self.texts.config.as_ref(),
            ClauseName::Credentials => self.texts.credentials.as_ref(),
        }
    }

    /// Returns the line where the link's statement starts, its name underlined.
    pub fn excerpt(&self) -> Option<Excerpt> {
        let origin = self.origin.as_ref()?;
        Some(origin.sources[origin.file.0].excerpt(&origin.header))
    }

    /// Returns the text of a clause with its places, to be changed; `None` where there is none.
    fn clause_text(&mut self, name: ClauseName) -> &mut Option<LinkClause> {
        match name {
            ClauseName::Config => &mut self.texts.config,
            ClauseName::Credentials => &mut self.texts.credentials,
        }
    }

    /// Remembers the secret variables that the clauses are made of, each once, and forgets those of
    /// values that were replaced.
    fn gather_secrets(&mut self, variables: &Variables) {
        let clauses = [&self.texts.config, &self.texts.credentials];
        let texts = clauses.into_iter().flatten().map(LinkClause::text);
        let mut found: Vec<Secret> = std::mem::take(&mut self.secrets);
        found.extend(texts.flat_map(|text| variables.secrets_of(text)).cloned());
        let clauses = [&self.definition.config, &self.definition.credentials];
        let mut strings = Vec::new();
        for member in clauses.into_iter().flat_map(Clause::members) {
            variables::strings(&member.value, &mut strings);
        }
        // In the text of a clause a value may be escaped, or be one of many of a variable.
        for (text, secret) in &strings {
            found.extend(variables.secrets_of(text.expose()).cloned());
            if *secret {
                found.push(text.clone());
            }
        }
        // What is no JSON has no strings, and may show all of them.
        let is_json = clauses.into_iter().all(|clause| clause.faults().is_empty());
        for secret in found {
            let is_used = |(text, _): &(Secret, bool)| text.expose().contains(secret.expose());
            if !self.secrets.contains(&secret) && (!is_json || strings.iter().any(is_used)) {
                self.secrets.push(secret);
            }
        }
    }

    pub(crate) fn clause(&self, name: ClauseName) -> &Clause {
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
        let origin = self.origin.as_ref()?;
        let text = match clause {
            ClauseName::Config => self.texts.config.as_ref(),
            ClauseName::Credentials => self.texts.credentials.as_ref(),
        };
        let (file, span) = match text {
            None => (origin.file, origin.header.clone()),
            Some(text) => range
                .and_then(|range| text.locate(&range))
                .unwrap_or_else(|| text.literal()),
        };
        let source = origin.sources.get(file.0)?;
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
