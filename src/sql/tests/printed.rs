//! What is written down as SQL is read as it was: names, quotes, escapes, comments.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::ast::{Change, ClauseLiteral, StatementKind};
use super::*;

/// A statement before it is written down.
#[derive(Clone, Debug)]
enum Written {
    Create {
        or_replace: bool,
        if_not_exists: bool,
        name: Named,
        kind: &'static str,
        credentials: String,
        config: Option<String>,
        description: Option<String>,
    },
    Drop {
        if_exists: bool,
        name: Named,
    },
    Set {
        name: Named,
        clause: &'static str,
        text: String,
    },
    SetKey {
        name: Named,
        clause: &'static str,
        key: String,
        value: String,
    },
    Use(String),
}

#[derive(Clone, Debug)]
struct Named {
    database: Option<String>,
    bare: String,
}

/// What lexers trip over, and what people write.
const LETTERS: &str = "[a-zA-Z0-9_é'\"`.,;@$#{}:=\\-\\\\ \u{202e}\u{1f600}/*]{1,12}";

fn named() -> impl Strategy<Value = Named> {
    (option::of(LETTERS), LETTERS).prop_map(|(database, bare)| Named { database, bare })
}

/// The text of a clause: anything that JSON can hold, as one string of it.
fn clause() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| serde_json::json!({ "key": text }).to_string())
}

fn written() -> impl Strategy<Value = Written> {
    let which = || prop_oneof![Just("CREDENTIALS"), Just("CONFIG")];
    let kinds = ["S3", "GCS", "AZURE", "HDFS", "HTTP", "KAFKA"];
    prop_oneof![
        (
            0..3,
            named(),
            proptest::sample::select(kinds.to_vec()),
            clause(),
            option::of(clause()),
            option::of(any::<String>()),
        )
            .prop_map(|(again, name, kind, credentials, config, description)| {
                Written::Create {
                    or_replace: again == 1,
                    if_not_exists: again == 2,
                    name,
                    kind,
                    credentials,
                    config,
                    description,
                }
            }),
        (any::<bool>(), named()).prop_map(|(if_exists, name)| Written::Drop { if_exists, name }),
        (named(), which(), clause()).prop_map(|(name, clause, text)| Written::Set {
            name,
            clause,
            text
        }),
        (named(), which(), "[a-z_.`é ]{1,10}", any::<String>()).prop_map(
            |(name, clause, key, value)| Written::SetKey {
                name,
                clause,
                key,
                value
            }
        ),
        LETTERS.prop_map(Written::Use),
    ]
}

/// What may stand between two tokens.
fn gap() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(" "),
        1 => Just("\n"),
        1 => Just("\t\r\n"),
        1 => Just(" /* it's a \"comment\"; */ "),
        1 => Just(" -- don't stop; \n"),
        1 => Just(" # nor `here`\n"),
    ]
}

/// Writes tokens down, with these gaps between them in turn, and every other word in lower case.
struct Printer<'a> {
    gaps: &'a [&'static str],
    used: usize,
    text: String,
}

impl Printer<'_> {
    fn gap(&mut self) {
        self.text.push_str(self.gaps[self.used % self.gaps.len()]);
        self.used += 1;
    }

    fn words(&mut self, words: &str) {
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            self.gap();
            if self.used.is_multiple_of(2) {
                self.text.push_str(&word.to_lowercase());
            } else {
                self.text.push_str(word);
            }
        }
    }

    fn quoted(&mut self, name: &str) {
        self.text.push('`');
        self.text.push_str(&name.replace('`', "``"));
        self.text.push('`');
    }

    fn name(&mut self, name: &Named) {
        self.gap();
        if let Some(database) = &name.database {
            self.quoted(database);
            self.text.push('.');
        }
        self.quoted(&name.bare);
    }

    fn literal(&mut self, text: &str) {
        self.gap();
        if self.used.is_multiple_of(2) {
            self.text.push('\'');
            self.text.push_str(&encode(text));
            self.text.push('\'');
        } else {
            let escaped = text.replace('\\', "\\\\").replace('"', "\"\"");
            self.text.push('"');
            self.text.push_str(&escaped.replace('\0', "\\0"));
            self.text.push('"');
        }
    }

    fn statement(&mut self, statement: &Written) {
        match statement {
            Written::Create {
                or_replace,
                if_not_exists,
                name,
                kind,
                credentials,
                config,
                description,
            } => {
                self.words("CREATE");
                self.words(if *or_replace { "OR REPLACE" } else { "" });
                self.words("LINK");
                self.words(if *if_not_exists { "IF NOT EXISTS" } else { "" });
                self.name(name);
                self.words("AS");
                self.words(kind);
                self.words("CREDENTIALS");
                self.literal(credentials);
                for (word, text) in [("CONFIG", config), ("DESCRIPTION", description)] {
                    if let Some(text) = text {
                        self.words(word);
                        self.literal(text);
                    }
                }
            }
            Written::Drop { if_exists, name } => {
                self.words("DROP LINK");
                self.words(if *if_exists { "IF EXISTS" } else { "" });
                self.name(name);
            }
            Written::Set { name, clause, text } => {
                self.words("ALTER LINK");
                self.name(name);
                self.words("SET");
                self.words(clause);
                self.literal(text);
            }
            Written::SetKey {
                name,
                clause,
                key,
                value,
            } => {
                self.words("ALTER LINK");
                self.name(name);
                self.words("SET");
                self.words(clause);
                self.text.push_str(" ::");
                self.quoted(key);
                self.text.push_str(" =");
                self.literal(value);
            }
            Written::Use(database) => {
                self.words("USE");
                self.gap();
                self.quoted(database);
            }
        }
        self.text.push(';');
    }
}

fn is_named(found: &super::super::ast::Name, name: &Named) -> bool {
    found.database == name.database && found.bare == name.bare
}

fn text_of(literal: Option<&ClauseLiteral>) -> Option<&str> {
    literal.map(|literal| literal.text.text())
}

fn is_read_as(found: &StatementKind, statement: &Written) -> bool {
    match (found, statement) {
        (
            StatementKind::CreateLink(found),
            Written::Create {
                or_replace,
                if_not_exists,
                name,
                kind,
                credentials,
                config,
                description,
            },
        ) => {
            found.or_replace == *or_replace
                && found.if_not_exists == *if_not_exists
                && is_named(&found.name, name)
                && found.kind.to_string() == *kind
                && text_of(found.credentials.as_ref()) == Some(credentials)
                && text_of(found.config.as_ref()) == config.as_deref()
                && found.description == *description
        }
        (
            StatementKind::DropLink {
                name: found,
                if_exists: may_lack,
            },
            Written::Drop { if_exists, name },
        ) => may_lack == if_exists && is_named(found, name),
        (StatementKind::AlterLink(found), Written::Set { name, clause, text }) => {
            let (changed, other) = if *clause == "CONFIG" {
                (&found.config, &found.credentials)
            } else {
                (&found.credentials, &found.config)
            };
            let Some(Change::Replace(literal)) = changed else {
                return false;
            };
            other.is_none() && is_named(&found.name, name) && literal.text.text() == text
        }
        (
            StatementKind::AlterLink(found),
            Written::SetKey {
                name,
                clause,
                key,
                value,
            },
        ) => {
            let changed = if *clause == "CONFIG" {
                &found.config
            } else {
                &found.credentials
            };
            let Some(Change::Key {
                key: found_key,
                value: literal,
            }) = changed
            else {
                return false;
            };
            is_named(&found.name, name) && found_key.text() == key && literal.text.text() == value
        }
        (StatementKind::Use { database }, Written::Use(name)) => database == name,
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(
        statements in vec(written(), 1..5),
        gaps in vec(gap(), 1..12),
    ) {
        let mut printer = Printer { gaps: &gaps, used: 0, text: String::new() };
        for statement in &statements {
            printer.statement(statement);
        }
        let file = read("a.sql", printer.text.clone(), FileId(0));
        prop_assert!(file.errors.is_empty(), "{:?}\n{}", file.errors, printer.text);
        prop_assert_eq!(file.statements.len(), statements.len(), "{}", printer.text);
        for (found, statement) in file.statements.iter().zip(&statements) {
            prop_assert!(is_read_as(&found.kind, statement), "{:?}\n{:?}\n{}", found, statement, printer.text);
            prop_assert!(printer.text.get(found.span.clone()).is_some());
        }
    }
}
