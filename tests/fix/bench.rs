//! A script that is mended, and what is to be true of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use linkdial::report::Format;
use linkdial_testcontainers::Certificates;
use linkdial_testcontainers::zoo::leaks;
use serde_json::{Map, Value};

/// The secret of this user begins with the id, which therefore is not shown either.
const IDS: [(&str, &str); 1] = [("access_key_id", "lab-readonly")];

/// A script with one link, and how it is mended.
pub(crate) struct Case<'a> {
    /// The statement that makes the link.
    pub(crate) link: String,
    /// The statements that use it.
    pub(crate) uses: String,
    /// What stands there and what takes its place, each once.
    pub(crate) edits: &'a [(&'a str, &'a str)],
    /// A part of the sentence of each change.
    pub(crate) changes: &'a [&'a str],
    /// Ends of the names of variables, in lower case, with the values that no text may show.
    pub(crate) secrets: &'a [(&'a str, &'a str)],
    /// Further arguments.
    pub(crate) arguments: &'a [&'a str],
}

/// Runs the binary with an empty environment.
pub(crate) fn linkdial(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .env_clear()
        .args(arguments)
        .arg("--ca-file")
        .arg(Certificates::shared().ca_file())
        .output()
        .unwrap()
}

/// Verifies a script, with what `more` asks for, and returns the report.
pub(crate) fn report(script: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.sql");
    fs::write(&path, script).unwrap();
    let mut arguments = vec!["verify", "--format", "json", "--timeout", "5s"];
    arguments.extend(more);
    arguments.push(path.to_str().unwrap());
    let output = linkdial(&arguments);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The first check of a report.
pub(crate) fn check(report: &Value) -> &Value {
    &report["checks"][0]
}

/// A pipeline from a target.
pub(crate) fn pipeline(link: &str, target: &str) -> String {
    format!("CREATE PIPELINE p AS LOAD DATA LINK {link} '{target}' INTO TABLE t;\n")
}

impl Case<'_> {
    /// Verifies the script and holds everything that a correction promises against it.
    pub(crate) fn holds(&self) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let script = format!("-- before\n{}{}", self.link, self.uses);
        fs::write(file("links.sql"), &script).unwrap();
        let fixed = file("fixed.sql");
        let (output, texts) = self.every_text(&file("links.sql"), Some(&fixed), folder.path());
        let text = |name: &str| {
            let found = texts.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_str()).unwrap()
        };
        let report: Value = serde_json::from_str(text("json")).unwrap();
        let found = check(&report);
        let correction = &found["correction"];
        assert!(correction.is_object(), "{found:#}");
        let verdict = correction["verdict"].as_str().unwrap();
        assert!(["pass", "warn"].contains(&verdict), "{correction:#}");
        let changes = correction["changes"].as_array().unwrap();
        let told: Vec<&str> = changes
            .iter()
            .map(|it| it["text"].as_str().unwrap())
            .collect();
        assert_eq!(told.len(), self.changes.len(), "{told:?}");
        for (told, expected) in told.iter().zip(self.changes) {
            assert!(told.contains(expected), "{expected} is not in {told}");
        }
        // The run ends as the script does, not as its copy would.
        let failed = found["verdict"] == "fail";
        assert_eq!(output.status.code(), Some(i32::from(failed)));

        let statement = correction["statement"].as_str().unwrap();
        let line = statement.lines().next().unwrap();
        for name in ["standard output", "markdown", "html"] {
            assert!(
                text(name).contains("corrected, and dialled"),
                "{}",
                text(name)
            );
        }
        assert!(
            text("standard output").contains(line),
            "{}",
            text("standard output")
        );
        self.shows_no_secret(&texts);
        follows(&report, include_str!("../../docs/report.schema.json"));
        self.is_as_an_editor_would(&script, text("sarif"));
        self.is_as_printed(correction, statement);
        self.is_as_written(&script, &fixed);
        let noun = if told.len() == 1 { "repair" } else { "repairs" };
        let told = format!("{} {noun} written", told.len());
        assert!(
            text("standard error").contains(&told),
            "{}",
            text("standard error")
        );
    }

    /// Runs the script in every format and returns what is written where.
    fn every_text(
        &self,
        script: &Path,
        fixed: Option<&PathBuf>,
        folder: &Path,
    ) -> (Output, Vec<(&'static str, String)>) {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let formats = Format::ALL.map(Format::as_str);
        let outputs = formats.map(|format| format!("{format}={}", path(format)));
        let mut arguments = vec!["verify", "-v", "--log", "trace", "--timeout", "5s"];
        arguments.extend(outputs.iter().flat_map(|output| ["--output", output]));
        arguments.extend(self.arguments);
        if let Some(fixed) = fixed {
            arguments.extend(["--fix", fixed.to_str().unwrap()]);
        }
        arguments.push(script.to_str().unwrap());
        let output = linkdial(&arguments);
        let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut texts = vec![
            ("standard output", read(&output.stdout)),
            ("standard error", read(&output.stderr)),
        ];
        texts.extend(formats.map(|name| (name, fs::read_to_string(path(name)).unwrap())));
        (output, texts)
    }

    fn shows_no_secret(&self, texts: &[(&str, String)]) {
        // Of a PEM each line counts: what is between them depends on who writes it.
        let secrets = self.secrets.iter().flat_map(|(_, secret)| secret.lines());
        let secrets: Vec<&str> = secrets.filter(|it| !it.starts_with("-----")).collect();
        for (name, text) in texts {
            for secret in &secrets {
                let seen = leaks(text, secret);
                assert!(seen.is_empty(), "{name} shows {secret}, {seen:?}:\n{text}");
            }
        }
    }

    /// The fix of SARIF comes to the same, where it shows no secret.
    fn is_as_an_editor_would(&self, script: &str, sarif: &str) {
        let sarif: Value = serde_json::from_str(sarif).unwrap();
        // The publisher's pattern of languages ends with a bracket that opens nowhere.
        let published = include_str!("../schemas/sarif-2.1.0.json");
        let pattern = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
        follows(&sarif, &published.replace(pattern, "^[a-zA-Z]{2}"));
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let mut fixes = results.iter().filter_map(|it| it.get("fixes"));
        let Some(fixes) = fixes.next() else {
            let carried = ["moves to", "change places"];
            let moves = |change: &&str| carried.iter().any(|it| change.contains(it));
            assert!(self.changes.iter().any(moves), "{sarif:#}");
            return;
        };
        let replacements = fixes[0]["artifactChanges"][0]["replacements"]
            .as_array()
            .unwrap();
        let mut fixed = script.to_owned();
        let mut edits: Vec<_> = replacements
            .iter()
            .map(|it| {
                let region = &it["deletedRegion"];
                let at = |line: &str, column: &str| {
                    offset(
                        script,
                        region[line].as_u64().unwrap(),
                        region[column].as_u64().unwrap(),
                    )
                };
                let text = it["insertedContent"]["text"].as_str().unwrap_or_default();
                (
                    at("startLine", "startColumn")..at("endLine", "endColumn"),
                    text,
                )
            })
            .collect();
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, text) in edits {
            fixed.replace_range(range, text);
        }
        assert_eq!(fixed, self.expected(script));
    }

    /// The statement is what was dialled, once its variables are filled.
    fn is_as_printed(&self, correction: &Value, statement: &str) {
        let mut variables = Map::new();
        for part in statement.split("${").skip(1) {
            let name = part.split('}').next().unwrap();
            let lower = name.to_ascii_lowercase();
            let mut known = self.secrets.iter().chain(&IDS);
            let known = known.find(|(end, _)| lower.ends_with(end));
            let (_, value) = known.unwrap_or_else(|| panic!("nothing fills {name}"));
            variables.insert(name.to_owned(), Value::from(*value));
        }
        let folder = tempfile::tempdir().unwrap();
        let vars = folder.path().join("vars.json");
        fs::write(&vars, Value::Object(variables).to_string()).unwrap();
        let mut uses = self.uses.clone();
        if correction["target"].is_string() {
            for (before, after) in self.edits {
                uses = uses.replace(before, after);
            }
        }
        let script = format!("{statement}\n{uses}");
        let mut arguments = vec!["--vars", vars.to_str().unwrap()];
        arguments.extend(self.arguments);
        let again = report(&script, &arguments);
        assert_eq!(again["errors"], Value::Array(Vec::new()), "{script}");
        assert_eq!(
            check(&again)["verdict"],
            correction["verdict"],
            "{:#}",
            check(&again)
        );
    }

    /// The copy differs in the repairs alone, and passes.
    fn is_as_written(&self, script: &str, fixed: &Path) {
        let expected = self.expected(script);
        let fixed = fs::read_to_string(fixed).unwrap();
        assert_eq!(fixed, expected);
        let again = report(&fixed, self.arguments);
        let verdict = &check(&again)["verdict"];
        assert!(
            *verdict == "pass" || *verdict == "warn",
            "{:#}",
            check(&again)
        );
        assert!(check(&again)["correction"].is_null(), "{:#}", check(&again));
    }

    fn expected(&self, script: &str) -> String {
        let mut expected = script.to_owned();
        for (before, after) in self.edits {
            assert_eq!(
                expected.matches(before).count(),
                1,
                "{before} in {expected}"
            );
            expected = expected.replace(before, after);
        }
        expected
    }
}

/// Line and column, as an editor counts them, as a byte.
fn offset(text: &str, line: u64, column: u64) -> usize {
    let line = usize::try_from(line).unwrap();
    let before: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = &text[before..];
    let chars = usize::try_from(column).unwrap() - 1;
    before
        + rest
            .char_indices()
            .nth(chars)
            .map_or(rest.len(), |(at, _)| at)
}

fn follows(document: &Value, schema: &str) {
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|it| it.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}
