//! Scripts under `tests/sql`, each beside what it comes to.
//!
//! `UPDATE_EXPECT=1 cargo test --test sql` writes the expectations anew; read the difference.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

#[path = "sql/large.rs"]
mod large;
#[path = "sql/secrets.rs"]
mod secrets;

use std::fmt::Write as _;
use std::path::Path;

use linkdial::script::{Script, ScriptLink, ScriptOptions, UnknownLink};
use linkdial::sql::{Excerpt, Place};
use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::{Clause, ClauseName, Code, Intent, KeyPlace, Target};

#[test]
fn every_script_comes_to_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let update = std::env::vars_os().any(|(name, _)| name == "UPDATE_EXPECT");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    assert!(paths.len() > 15, "the folder of scripts is not there");
    let mut wrong = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = summary(&text);
        let expectation = path.with_extension("expected");
        if update {
            std::fs::write(&expectation, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&expectation).unwrap_or_default();
        if found != expected {
            writeln!(
                wrong,
                "== {}\n-- expected\n{expected}-- found\n{found}",
                path.display()
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A script alone cannot produce these: they need links that are registered, a user of the registry
/// or another writer.
const OF_THE_REGISTRY: [Code; 5] = [
    Code::SqlConflict,
    Code::SqlNoDatabase,
    Code::SqlLinkDamaged,
    Code::SqlNoSuchLink,
    Code::SqlNotPermitted,
];

/// Every other code of the input is produced by one of the scripts.
#[test]
fn every_code_of_a_statement_has_a_script() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            all.push_str(&summary(&std::fs::read_to_string(path).unwrap()));
        }
    }
    for code in Code::ALL {
        if code.as_str().starts_with("sql.") && !OF_THE_REGISTRY.contains(code) {
            assert!(all.contains(&format!("{code} at ")), "no script for {code}");
        }
    }
}

/// Splits at lines `-- file NAME`, and reads options from lines `-- option NAME=VALUE`.
fn read(text: &str) -> Script {
    let mut options = ScriptOptions::default();
    for line in text.lines() {
        let Some((name, value)) = line
            .strip_prefix("-- option ")
            .and_then(|option| option.split_once('='))
        else {
            continue;
        };
        match name.split_once(' ') {
            Some(("secret", name)) => options.variables.set(name, value, true),
            Some(("var", name)) => options.variables.set(name, value, false),
            _ => options.database = Some(value.to_owned()),
        }
    }
    let mut files = vec![(String::from("a.sql"), String::new())];
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("-- file ") {
            files.push((name.trim().to_owned(), String::new()));
        }
        files.last_mut().unwrap().1.push_str(line);
    }
    Script::read(files, &options)
}

fn summary(text: &str) -> String {
    let script = read(text);
    let mut out = String::new();
    for link in &script.links {
        describe(link, &mut out);
    }
    for error in &script.errors {
        writeln!(out, "{} at {}", error.code, at(&error.place)).unwrap();
        writeln!(out, "  {}", error.message).unwrap();
        caret(&error.excerpt, &mut out);
        if !error.expected.is_empty() {
            writeln!(out, "  expected: {}", error.expected.join(", ")).unwrap();
        }
        if let Some(hint) = &error.hint {
            writeln!(out, "  hint: {hint}").unwrap();
        }
    }
    for skipped in &script.skipped {
        write!(
            out,
            "skipped {} x{} at {}",
            skipped.statement,
            skipped.count,
            at(&skipped.place)
        )
        .unwrap();
        match &skipped.warning {
            Some(warning) => writeln!(out, ": {warning}").unwrap(),
            None => out.push('\n'),
        }
    }
    out
}

fn describe(link: &ScriptLink, out: &mut String) {
    let deferred = if link.deferred { " deferred" } else { "" };
    writeln!(
        out,
        "link {} {} at {}{deferred}",
        link.name,
        link.definition.kind,
        at(link.place.as_ref().unwrap())
    )
    .unwrap();
    for clause in [&link.definition.credentials, &link.definition.config] {
        members(link, clause, out);
    }
    for taken in &link.uses {
        let (place, excerpt) = link.locate_target(taken).unwrap();
        assert_eq!(Some(&place), taken.place.as_ref());
        assert!(excerpt.text.contains(['\'', '"']), "{excerpt:?}");
        write!(
            out,
            "  {} '{}'",
            taken.intent.words().join("+"),
            taken.target
        )
        .unwrap();
        if let Some(place) = &taken.place {
            write!(out, " at {}", at(place)).unwrap();
        }
        if let Some(format) = &taken.format {
            write!(out, " format {format}").unwrap();
        }
        if let Some(registry) = &taken.registry {
            write!(out, " registry {registry}").unwrap();
        }
        out.push('\n');
    }
    for (code, reason) in &link.ignored {
        writeln!(out, "  ignores {code}: {reason}").unwrap();
    }
    for clause in [&link.definition.credentials, &link.definition.config] {
        for fault in clause.faults() {
            writeln!(out, "  {}: {}", fault.code, fault.message).unwrap();
            for key in &fault.keys {
                let (place, excerpt) = link.locate_for(fault.code, key).unwrap();
                writeln!(out, "  at {}", at(&place)).unwrap();
                caret(&excerpt, out);
            }
        }
    }
}

fn members(link: &ScriptLink, clause: &Clause, out: &mut String) {
    for member in clause.members() {
        let place = link
            .locate(&KeyPlace::key(clause.name(), &member.key))
            .unwrap()
            .0;
        writeln!(
            out,
            "  {} {} at {} = {}",
            clause.name(),
            member.key,
            at(&place),
            value(&member.value)
        )
        .unwrap();
    }
}

fn value(node: &Node) -> String {
    let secret = if node.secret { " (secret)" } else { "" };
    let text = match &node.value {
        Value::String(text) => format!("{:?}", text.expose()),
        Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Null => String::from("null"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let one = |member: &Member| format!("{:?}: {}", member.key, value(&member.value));
            let members: Vec<_> = members.iter().map(one).collect();
            format!("{{{}}}", members.join(", "))
        }
    };
    text + secret
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

fn caret(excerpt: &Excerpt, out: &mut String) {
    writeln!(out, "    | {}", excerpt.text).unwrap();
    writeln!(
        out,
        "    | {}{}",
        " ".repeat(excerpt.start),
        "^".repeat(excerpt.width)
    )
    .unwrap();
}

#[test]
fn a_missing_key_points_at_its_clause_and_a_missing_clause_at_the_statement() {
    let script = read("\n  CREATE LINK l AS S3 CREDENTIALS '{\"a\":\"b\"}';\n");
    let link = &script.links[0];
    let (place, excerpt) = link
        .locate(&KeyPlace::key(ClauseName::Credentials, "nothing"))
        .unwrap();
    assert_eq!((place.line, place.column), (2, 35));
    assert_eq!(
        excerpt.text,
        "  CREATE LINK l AS S3 CREDENTIALS '{\"a\":\"…\"}';"
    );
    let (place, excerpt) = link
        .locate(&KeyPlace::key(ClauseName::Config, "region"))
        .unwrap();
    assert_eq!((place.line, place.column), (2, 3));
    assert_eq!((excerpt.start, excerpt.width), (2, "CREATE LINK l".len()));
}

#[test]
fn a_target_from_outside_joins_those_of_the_script() {
    let mut script = read(
        "CREATE LINK a.l AS S3 CONFIG '{}'; CREATE LINK b.l AS S3 CONFIG '{}';\
         CREATE LINK only AS S3 CONFIG '{}'; CREATE PIPELINE p AS LOAD DATA LINK a.l 'x' INTO TABLE t;",
    );
    let target = || Target::new("x");
    script.add_target("a.l", &target(), Intent::WRITE).unwrap();
    script.add_target("only", &target(), Intent::READ).unwrap();
    let words: Vec<_> = script
        .links
        .iter()
        .map(|link| {
            let uses = link.uses.iter();
            uses.map(|one| one.intent.words().join("+"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(words, [vec!["read+write"], vec![], vec!["read"]]);
    assert_eq!(
        script.add_target("l", &target(), Intent::READ),
        Err(UnknownLink::Ambiguous(vec![
            String::from("a.l"),
            String::from("b.l")
        ]))
    );
    assert_eq!(
        script.add_target("onyl", &target(), Intent::READ),
        Err(UnknownLink::NotFound {
            nearest: Some(String::from("only"))
        })
    );
}
