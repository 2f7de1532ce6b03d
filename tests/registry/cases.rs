//! Scripts under `tests/sql/registry`, each beside what it comes to.
//!
//! A line `-- run OPTION...` starts another run against the same registry; without one the file is
//! one run. `{http}`, `{minio}` and `{closed}` are addresses of servers that live.
//! `UPDATE_EXPECT=1 cargo test --test registry` writes the expectations anew; read the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use linkdial::linkdial_core::{Code, Stage};
use linkdial::report::applied_json;
use linkdial_testcontainers::Minio;
use linkdial_testcontainers::broken::RefusedPort;

use super::lab::{Addresses, Lab, Run, without_times};

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/registry");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    assert!(paths.len() > 16, "the folder of scripts is not there");
    paths
}

#[test]
fn every_script_comes_to_what_stands_beside_it() {
    let update = std::env::vars_os().any(|(name, _)| name == "UPDATE_EXPECT");
    let mut wrong = String::new();
    for path in scripts() {
        let found = story(&path);
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

/// Those that a script alone cannot produce; the fourth needs two writers and is in `race`.
#[test]
fn every_code_of_the_registry_has_a_case() {
    let expected = |path: PathBuf| std::fs::read_to_string(path.with_extension("expected"));
    let all: String = scripts()
        .into_iter()
        .map(|it| expected(it).unwrap())
        .collect();
    for (code, number) in [
        (Code::SqlNoDatabase, " (SingleStore 1046)"),
        (Code::SqlNoSuchLink, " (SingleStore 2332)"),
        (Code::SqlNotPermitted, " (SingleStore 1227)"),
        (Code::SqlKindChange, ""),
        (Code::SqlLinkExists, ""),
        (Code::SqlRedactedCredentials, ""),
    ] {
        assert!(all.contains(&format!("error {code}{number}\n")), "{code}");
    }
}

#[test]
fn the_schema_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/apply.schema.json");
    let current = applied_json::schema();
    if std::fs::read_to_string(path).ok().as_ref() != Some(&current) {
        std::fs::write(path, current).unwrap();
        panic!("docs/apply.schema.json was out of date and has been written anew: commit it");
    }
}

/// What the runs of a file come to: the page, what was dialled over HTTP, the new lines of the
/// record, and what the registry holds then.
fn story(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let lab = Lab::new();
    let closed = RefusedPort::start();
    let mut addresses = vec![
        ("http", lab.http.addr().to_string()),
        ("closed", closed.addr().to_string()),
    ];
    if text.contains("{minio}") {
        let url = Minio::shared().endpoint_url();
        addresses.push(("minio", url.trim_start_matches("http://").to_owned()));
    }
    let addresses = Addresses::new(addresses);
    let mut out = String::new();
    let mut held = String::new();
    for (options, text) in runs(&text) {
        let run = read(&options);
        let (record, requests) = (lab.record(), lab.http.requests().len());
        let ran = lab.run(name, &addresses.filled(&text), &run);
        assert!(ran.ending.failure.is_none(), "{name}: {:?}", ran.ending);
        assert_eq!(ran.json["plan"], run.apply.plan);
        assert_eq!(ran.json["user"], run.apply.user);
        writeln!(out, "== run {options}").unwrap();
        out.push_str(&without_times(&addresses.hidden(&ran.page)));
        let requests = lab.http.requests().len() - requests;
        if requests > 0 {
            writeln!(out, "-- {requests} HTTP requests").unwrap();
        }
        let (now, holds) = (lab.record(), lab.holds());
        if run.apply.plan {
            assert_eq!((&record, &held), (&now, &holds), "{name} {options}");
        }
        assert_eq!(now[..record.len()], record, "a record only grows");
        if now.len() > record.len() {
            out.push_str("-- record\n");
            for line in &now[record.len()..] {
                writeln!(out, "  {}", addresses.hidden(line)).unwrap();
            }
        }
        if holds != held {
            writeln!(out, "-- holds\n{}", addresses.hidden(holds.trim_end())).unwrap();
            held = holds;
        }
    }
    out
}

/// Splits at the lines `-- run OPTION...`; every run keeps its line numbers.
fn runs(text: &str) -> Vec<(String, String)> {
    let mut runs: Vec<(String, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(options) = line.strip_prefix("-- run") {
            runs.push((options.trim().to_owned(), "\n".repeat(index)));
        } else if runs.is_empty() {
            runs.push((String::new(), String::new()));
        }
        let (_, text) = runs.last_mut().unwrap();
        text.push_str(line);
        text.push('\n');
    }
    runs
}

fn read(options: &str) -> Run {
    let mut run = Run::default();
    for option in options.split_whitespace() {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name.split_once(':') {
            Some(("secret", name)) => run.script.variables.set(name, value, true),
            Some(("var", name)) => run.script.variables.set(name, value, false),
            _ => match name {
                "database" => run.script.database = Some(value.to_owned()),
                "defer" => run.apply.defer = true,
                "plan" => run.apply.plan = true,
                "until" => run.until = Stage::ALL.into_iter().find(|stage| stage.as_str() == value),
                "user" => value.clone_into(&mut run.apply.user),
                other => panic!("no option `{other}`"),
            },
        }
    }
    run
}
