//! Links with what is to be said of them, for the tests of every kind.
#![allow(dead_code, reason = "each kind uses another part")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use linkdial::report::Format;
use linkdial_testcontainers::LinkStatement;
use serde_json::Value;

/// One link with its target, and what is to be said of it.
pub(crate) struct Case {
    link: LinkStatement,
    target: String,
    verdict: &'static str,
    code: &'static str,
    role: &'static str,
    /// The pointer of the guilty key that stands first.
    key: &'static str,
}

pub(crate) fn pass(link: LinkStatement, target: impl Into<String>) -> Case {
    Case {
        link,
        target: target.into(),
        verdict: "pass",
        code: "",
        role: "",
        key: "",
    }
}

/// The code with the role where it is found, and the guilty key; empty where there is none.
pub(crate) fn fail(
    link: LinkStatement,
    target: impl Into<String>,
    code: &'static str,
    role: &'static str,
    key: &'static str,
) -> Case {
    Case {
        verdict: "fail",
        code,
        role,
        key,
        ..pass(link, target)
    }
}

impl Case {
    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn verdict(self, verdict: &'static str) -> Self {
        Self { verdict, ..self }
    }
}

/// Runs the binary with an empty environment.
pub(crate) fn linkdial(arguments: &[&str], script: &str) -> Output {
    linkdial_in(arguments, script, &[])
}

/// Runs the binary with an environment of a caller.
pub(crate) fn linkdial_in(
    arguments: &[&str],
    script: &str,
    environment: &[(&str, &str)],
) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.sql");
    fs::write(&path, script).unwrap();
    Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .env_clear()
        .envs(environment.iter().copied())
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap()
}

/// Verifies a script and returns the report.
pub(crate) fn report(arguments: &[&str], script: &str) -> Value {
    read(&linkdial(&with_json(arguments), script))
}

pub(crate) fn with_json<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["verify", "--format", "json"];
    if !arguments.contains(&"--timeout") {
        all.extend(["--timeout", "3s"]);
    }
    all.extend(arguments);
    all
}

pub(crate) fn read(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Writes all cases in one script: each link with a pipeline from its target.
pub(crate) fn script(cases: &[Case]) -> String {
    let mut script = String::new();
    for (number, case) in cases.iter().enumerate() {
        let (link, target) = (&case.link, &case.target);
        let name = link.quoted_name();
        writeln!(
            script,
            "{link}CREATE PIPELINE p{number} AS LOAD DATA LINK {name} '{target}' INTO TABLE t;"
        )
        .unwrap();
    }
    script
}

/// Verifies all cases in one script and returns their checks.
pub(crate) fn verify(arguments: &[&str], cases: &[Case]) -> Vec<Value> {
    verify_in(arguments, cases, &[])
}

/// The same with an environment of a caller.
pub(crate) fn verify_in(
    arguments: &[&str],
    cases: &[Case],
    environment: &[(&str, &str)],
) -> Vec<Value> {
    let output = linkdial_in(&with_json(arguments), &script(cases), environment);
    told(&read(&output), cases)
}

/// Holds a report against what is to be said, and returns its checks.
pub(crate) fn told(report: &Value, cases: &[Case]) -> Vec<Value> {
    let checks = report["checks"].as_array().unwrap().clone();
    assert_eq!(checks.len(), cases.len(), "{report:#}");
    let mut wrong = String::new();
    for (check, case) in checks.iter().zip(cases) {
        let found = Told::of(check);
        let expected = Told {
            verdict: case.verdict,
            code: case.code,
            role: case.role,
            key: case.key,
        };
        if found != expected {
            writeln!(
                wrong,
                "{}: {found:?} is not {expected:?}: {:#}",
                case.link.name(),
                check["diagnosis"]
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    checks
}

/// Verifies a script in every format, with all events, and returns the texts by their names.
pub(crate) fn every_text(arguments: &[&str], script: &str) -> Vec<(&'static str, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = |format: &str| folder.path().join(format).to_str().unwrap().to_owned();
    let formats = Format::ALL.map(Format::as_str);
    let outputs = formats.map(|format| format!("{format}={}", file(format)));
    let mut all = vec!["verify", "-v", "--log", "trace"];
    all.extend(outputs.iter().flat_map(|output| ["--output", output]));
    all.extend(arguments);
    let output = linkdial(&all, script);
    let mut texts = vec![
        ("standard output", String::from_utf8(output.stdout).unwrap()),
        ("log", String::from_utf8(output.stderr).unwrap()),
    ];
    texts.extend(formats.map(|format| (format, fs::read_to_string(file(format)).unwrap())));
    texts
}

/// What a check says.
#[derive(Debug, PartialEq)]
pub(crate) struct Told<'a> {
    pub(crate) verdict: &'a str,
    pub(crate) code: &'a str,
    pub(crate) role: &'a str,
    pub(crate) key: &'a str,
}

impl<'a> Told<'a> {
    pub(crate) fn of(check: &'a Value) -> Self {
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        let steps = check["steps"].as_array().unwrap();
        let guilty = steps.iter().find(|step| {
            step["diagnosis"]["code"] == check["code"] && step["outcome"] == check["verdict"]
        });
        Self {
            verdict: text(&check["verdict"]),
            code: text(&check["code"]),
            role: guilty.map_or("", |step| text(&step["role"])),
            key: text(&check["diagnosis"]["keys"][0]["pointer"]),
        }
    }
}

/// The first note of this name in the steps of a check.
pub(crate) fn note<'a>(check: &'a Value, name: &str) -> &'a str {
    let mut steps = check["steps"].as_array().unwrap().iter();
    let found = steps.find_map(|step| step["notes"][name].as_str());
    found.unwrap_or_else(|| panic!("no note {name} in {check:#}"))
}

/// A piece of evidence of what decides.
pub(crate) fn evidence<'a>(check: &'a Value, name: &str) -> &'a str {
    let found = check["diagnosis"]["evidence"][name].as_str();
    found.unwrap_or_else(|| panic!("no evidence {name} in {check:#}"))
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
