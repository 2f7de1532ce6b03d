//! The JSON of a `CREDENTIALS` or `CONFIG` clause, with the place of every key and value.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use crate::code::Code;
use crate::diagnosis::{Diagnosis, KeyPlace};
use crate::repair::{Change, Repair};
use crate::secret::Secret;

/// Which of the two clauses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ClauseName {
    /// Settings that listings show.
    Config,
    /// Everything secret.
    Credentials,
}

impl ClauseName {
    /// Returns the word of the grammar.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "CONFIG",
            Self::Credentials => "CREDENTIALS",
        }
    }

    /// Returns the other clause.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Config => Self::Credentials,
            Self::Credentials => Self::Config,
        }
    }
}

impl fmt::Display for ClauseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One clause: its text after SQL unescaping, and what the JSON in it says.
///
/// Places are byte ranges of that text; whoever read the SQL knows where they lie in the file.
#[derive(Clone)]
pub struct Clause {
    name: ClauseName,
    text: Secret,
    members: Vec<Member>,
    faults: Vec<Diagnosis>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// Where the key stands, quotes included.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value stands, quotes included.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
    /// Whether it came from a source that makes it secret, whatever its key.
    pub secret: bool,
}

/// A JSON value. `Debug` shows its type only.
#[derive(Clone)]
pub enum Value {
    /// An array.
    Array(Vec<Node>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A number, as written.
    Number(String),
    /// An object; keys in the order of the text, duplicates included.
    Object(Vec<Member>),
    /// A string, unescaped.
    String(Secret),
}

impl Value {
    /// Returns the JSON name of the type.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Array(_) => "array",
            Self::Bool(_) => "boolean",
            Self::Null => "null",
            Self::Number(_) => "number",
            Self::Object(_) => "object",
            Self::String(_) => "string",
        }
    }
}

/// A JSON object that is the value of a key, inline or as a text of its own.
#[derive(Clone, Debug)]
pub struct Document(Vec<Member>);

impl Document {
    /// Reads a value; `None` when it holds no JSON object.
    pub fn of(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Object(members) => Some(Self(members.clone())),
            Value::String(text) => {
                let clause = Clause::parse(ClauseName::Credentials, text.expose());
                let faulty = clause.members.is_empty() || !clause.faults.is_empty();
                (!faulty).then_some(Self(clause.members))
            }
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) => None,
        }
    }

    /// Returns its members in the order of the text.
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Returns the string of a member; an empty one counts as absent.
    pub fn text(&self, key: &str) -> Option<&Secret> {
        let member = self.0.iter().find(|member| member.key == key)?;
        match &member.value.value {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_name())
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Clause")
            .field("name", &self.name)
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

/// Strict JSON (RFC 8259); the library's leniencies are all off.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// No object of a link has more; a sentence and the page of the code say so.
const MAX_KEYS: usize = 1000;

impl Clause {
    /// Returns a clause that the statement does not have.
    pub fn empty(name: ClauseName) -> Self {
        Self {
            name,
            text: Secret::default(),
            members: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Reads the text of a clause.
    ///
    /// An empty text stands for `{}`, as in the vendor's HDFS example. What is wrong with the JSON
    /// is kept as [`Clause::faults`], so that the other clause is still read.
    pub fn parse(name: ClauseName, text: impl Into<Box<str>>) -> Self {
        let mut clause = Self {
            text: Secret::new(text),
            ..Self::empty(name)
        };
        if clause.text.expose().trim().is_empty() {
            return clause;
        }
        let text = clause.text.clone();
        match parse_to_ast(text.expose(), &CollectOptions::default(), &STRICT) {
            Ok(parsed) => match parsed.value {
                Some(ast::Value::Object(object)) => {
                    clause.members = clause.object(&object, "").unwrap_or_default();
                }
                Some(other) => {
                    let (span, found) = root_of(&other);
                    clause.invalid(span, format!("{name} is a JSON {found}, not an object"));
                }
                None => clause.invalid(0..text.len(), format!("{name} holds no JSON object")),
            },
            Err(error) => {
                let range = error.range();
                let rest = text.expose().get(range.start..).unwrap_or_default();
                // The library's sentence is built from the kind alone: it quotes no text. A
                // character of the grammar is no secret.
                let mut reason = lower_first(&error.kind().to_string());
                let found = rest.chars().next().filter(|char| is_structural(*char));
                if let (Some(found), true) = (found, is_vague(error.kind())) {
                    reason = format!("{reason} `{found}`");
                }
                let message = format!("{name} is not JSON: {reason}");
                let change = change(name, error.kind(), range.start, text.expose());
                match repair(error.kind(), rest) {
                    Some(hint) => clause.invalid_with(range.start..range.end, message, hint),
                    None => clause.invalid(range.start..range.end, message),
                }
                if let (Some(change), Some(fault)) = (change, clause.faults.last_mut()) {
                    fault.repairs.push(Repair::new([change]));
                }
            }
        }
        clause
    }

    /// Returns which clause it is.
    pub const fn name(&self) -> ClauseName {
        self.name
    }

    /// Returns the text after SQL unescaping. It may hold secrets in both clauses.
    pub const fn text(&self) -> &Secret {
        &self.text
    }

    /// Returns the top-level members in the order of the text.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the top-level members for filling in variables.
    pub fn members_mut(&mut self) -> &mut [Member] {
        &mut self.members
    }

    /// Returns what is wrong with the JSON itself.
    pub fn faults(&self) -> &[Diagnosis] {
        &self.faults
    }

    /// Returns the value of a top-level key; `null` counts as absent.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.value)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    /// Returns where a place lies in the clause's text: the value a pointer names, else the key.
    pub fn locate(&self, place: &KeyPlace) -> Option<Range<usize>> {
        if let Some(span) = &place.span {
            return Some(span.clone());
        }
        let mut members = Some(self.members.as_slice());
        let mut items: Option<&[Node]> = None;
        let mut found = None;
        for part in place.pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let node = if let Some(members) = members {
                &members
                    .iter()
                    .rev()
                    .find(|member| member.key == part)?
                    .value
            } else {
                items?.get(part.parse::<usize>().ok()?)?
            };
            found = Some(node.span.clone());
            (members, items) = match &node.value {
                Value::Object(inner) => (Some(inner.as_slice()), None),
                Value::Array(inner) => (None, Some(inner.as_slice())),
                _ => (None, None),
            };
        }
        found
    }

    fn invalid(&mut self, span: Range<usize>, message: String) {
        let hint = format!("write {} as one JSON object in quotes", self.name);
        self.invalid_with(span, message, hint);
    }

    fn invalid_with(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        self.faults.push(
            Diagnosis::new(Code::DefineInvalidJson, message)
                .key(KeyPlace {
                    clause: self.name,
                    pointer: String::new(),
                    span: Some(span),
                })
                .hint(hint),
        );
    }

    /// `None`: an object has too many keys, and that is all that is said of the clause.
    fn object(&mut self, object: &ast::Object<'_>, pointer: &str) -> Option<Vec<Member>> {
        if let Some(first) = object.properties.get(MAX_KEYS) {
            self.too_many(first, pointer);
            return None;
        }
        let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
        let mut known: HashMap<&str, Range<usize>> = HashMap::new();
        for property in &object.properties {
            let key = property.name.as_str();
            let name_range = property.name.range();
            let key_span = name_range.start..name_range.end;
            let pointer = format!("{pointer}/{}", escape_pointer(key));
            self.check_string(&key_span, &pointer);
            let first = known.entry(key).or_insert_with(|| key_span.clone());
            if *first != key_span {
                let first = first.clone();
                let clause = self.name;
                self.faults.push(
                    Diagnosis::new(
                        Code::DefineDuplicateKey,
                        format!("{clause} has the key `{key}` twice"),
                    )
                    .key(KeyPlace {
                        clause,
                        pointer: pointer.clone(),
                        span: Some(key_span.clone()),
                    })
                    .key(KeyPlace {
                        clause,
                        pointer: pointer.clone(),
                        span: Some(first),
                    })
                    .hint("keep one of the two; which one the server would take is not defined"),
                );
            }
            let value = self.node(&property.value, &pointer)?;
            members.push(Member {
                key: key.to_owned(),
                key_span,
                value,
            });
        }
        Some(members)
    }

    fn too_many(&mut self, first: &ast::ObjectProp<'_>, pointer: &str) {
        self.faults.clear();
        let range = first.name.range();
        // A clause that is no JSON is never stored, and who searches it for secrets would take long.
        let begun = self.text.expose().get(..range.end).unwrap_or_default();
        self.text = Secret::new(begun);
        let whose = match pointer.strip_prefix('/') {
            Some(key) => format!("the object of `{key}` in {}", self.name),
            None => self.name.to_string(),
        };
        self.invalid_with(
            range.start..range.end,
            format!("{whose} has more than 1,000 keys"),
            "no link has so many: a whole file may have been put there by mistake",
        );
    }

    fn node(&mut self, value: &ast::Value<'_>, pointer: &str) -> Option<Node> {
        let (span, _) = root_of(value);
        let value = match value {
            ast::Value::Array(array) => Value::Array(
                array
                    .elements
                    .iter()
                    .enumerate()
                    .map(|(index, element)| self.node(element, &format!("{pointer}/{index}")))
                    .collect::<Option<_>>()?,
            ),
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
            ast::Value::Object(object) => Value::Object(self.object(object, pointer)?),
            ast::Value::StringLit(literal) => {
                self.check_string(&span, pointer);
                Value::String(Secret::new(literal.value.as_ref()))
            }
        };
        Some(Node {
            span,
            value,
            secret: false,
        })
    }

    /// JSON allows no raw control character in a string (RFC 8259, section 7); the library does.
    fn check_string(&mut self, span: &Range<usize>, pointer: &str) {
        let Some(written) = self.text.expose().get(span.clone()) else {
            return;
        };
        let Some(offset) = written.bytes().position(|byte| byte < 0x20) else {
            return;
        };
        let line_break = written.bytes().any(|byte| byte == b'\n' || byte == b'\r');
        let place = KeyPlace {
            clause: self.name,
            pointer: pointer.to_owned(),
            span: Some(span.start + offset..span.start + offset + 1),
        };
        let key = pointer.trim_start_matches('/');
        let fault = if line_break {
            Diagnosis::new(
                Code::DefineRawLineBreak,
                format!("the JSON string of `{key}` holds a raw line break"),
            )
            .hint(
                "SQL unescapes before JSON is read: write `\\\\n` in the statement where the \
                 value has a line break",
            )
            .repair(Change::EscapeLineBreaks(KeyPlace::pointer(
                self.name, pointer,
            )))
        } else {
            Diagnosis::new(
                Code::DefineInvalidJson,
                format!("the JSON string of `{key}` holds a raw control character"),
            )
            .hint("write it as a JSON escape, with the backslash doubled for SQL: `\\\\t`")
        };
        self.faults.push(fault.key(place));
    }
}

const TYPOGRAPHIC_QUOTES: [char; 7] = ['“', '”', '„', '«', '»', '‘', '’'];

/// Characters that stand between keys and values, and so are never part of a secret.
fn is_structural(char: char) -> bool {
    "{}[]:,\"'<>".contains(char) || TYPOGRAPHIC_QUOTES.contains(&char)
}

/// Whether the library's sentence leaves open what stands at the place.
const fn is_vague(kind: &ParseErrorKind) -> bool {
    matches!(
        kind,
        ParseErrorKind::ExpectedColonAfterObjectKey
            | ParseErrorKind::ExpectedComma
            | ParseErrorKind::ExpectedObjectValue
            | ParseErrorKind::ExpectedStringObjectProperty
            | ParseErrorKind::UnexpectedToken
            | ParseErrorKind::UnexpectedTokenInObject
    )
}

/// Returns what mends broken JSON, from the kind of the fault and the text that starts there.
fn repair(kind: &ParseErrorKind, rest: &str) -> Option<&'static str> {
    if rest.starts_with("<redacted>") {
        return Some("listings hide the credentials: write the real ones as a JSON object");
    }
    if rest.starts_with(TYPOGRAPHIC_QUOTES) {
        return Some("these are quotes of a word processor: write straight double quotes");
    }
    match kind {
        ParseErrorKind::TrailingCommasNotAllowed => Some("remove the comma after the last key"),
        ParseErrorKind::SingleQuotedStringsNotAllowed => {
            Some("JSON has double quotes only: write them around keys and texts")
        }
        ParseErrorKind::String(ParseStringErrorKind::UnterminatedStringLiteral) => Some(
            "close the string with a double quote; one inside the text is written `\\\\\"` in SQL",
        ),
        ParseErrorKind::UnterminatedObject => Some("close the object with `}`"),
        _ if rest.starts_with(['[', ']']) => {
            Some("the documentation's brackets mark what may be left out: remove `[` and `]`")
        }
        ParseErrorKind::ExpectedComma => Some("put a comma between the two keys"),
        _ => None,
    }
}

/// Returns the change that mends broken JSON, where it leaves no choice.
fn change(name: ClauseName, kind: &ParseErrorKind, at: usize, text: &str) -> Option<Change> {
    const DOUBLE: [char; 3] = ['“', '”', '„'];
    let rest = text.get(at..)?;
    match kind {
        ParseErrorKind::TrailingCommasNotAllowed if rest.starts_with(',') => {
            let span = Some(at..at + 1);
            Some(Change::Cut(KeyPlace {
                clause: name,
                pointer: String::new(),
                span,
            }))
        }
        _ if rest.starts_with(DOUBLE) => Some(Change::StraightQuotes(name)),
        // One that closes what a straight one opens is seen further on only.
        _ if text.contains(DOUBLE) => {
            let straight = Clause::parse(name, text.replace(DOUBLE, "\""));
            (!straight.members.is_empty()).then_some(Change::StraightQuotes(name))
        }
        _ => None,
    }
}

fn root_of(value: &ast::Value<'_>) -> (Range<usize>, &'static str) {
    let (range, name) = match value {
        ast::Value::Array(it) => (it.range, "array"),
        ast::Value::BooleanLit(it) => (it.range, "boolean"),
        ast::Value::NullKeyword(it) => (it.range, "null"),
        ast::Value::NumberLit(it) => (it.range, "number"),
        ast::Value::Object(it) => (it.range, "object"),
        ast::Value::StringLit(it) => (it.range, "string"),
    };
    (range.start..range.end, name)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// Escapes one part of a JSON Pointer (RFC 6901, section 3).
pub fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
