//! A fresh registry with an HTTP service beside it, and runs against both.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use linkdial::apply::{Applied, ApplyOptions, Ending, Event, Statements, apply};
use linkdial::linkdial_core::{LinkName, Settings, Stage};
use linkdial::registry::{Location, Registry, State};
use linkdial::report::applied_json::{self, AppliedDocument};
use linkdial::report::{AppliedPage, HumanOptions};
use linkdial::script::ScriptOptions;
use linkdial::sweep::Limits;
use linkdial_testcontainers::HttpEndpoint;
use serde_json::Value;

/// A registry of its own.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) registry: Registry,
    pub(crate) http: HttpEndpoint,
}

/// How a script is run.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) script: ScriptOptions,
    pub(crate) apply: ApplyOptions,
    pub(crate) until: Option<Stage>,
}

/// What it came to.
pub(crate) struct Ran {
    /// For people.
    pub(crate) page: String,
    /// For programs; it was held against the schema.
    pub(crate) json: Value,
    pub(crate) statements: Vec<Applied>,
    pub(crate) ending: Ending,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = open(folder.path());
        Self {
            folder,
            registry,
            http: HttpEndpoint::start(),
        }
    }

    /// A second handle, as another process would have it.
    pub(crate) fn second(&self) -> Registry {
        open(self.folder.path())
    }

    pub(crate) fn run(&self, name: &str, text: &str, run: &Run) -> Ran {
        Self::run_on(&self.registry, name, text, run)
    }

    pub(crate) fn run_on(registry: &Registry, name: &str, text: &str, run: &Run) -> Ran {
        let files = vec![(name.to_owned(), text.to_owned())];
        let statements = Statements::read(files, run.script.clone());
        let settings = Arc::new(Settings {
            until: run.until.unwrap_or(Stage::Write),
            ..Settings::default()
        });
        let mut page = AppliedPage::new(HumanOptions::default(), run.apply.plan);
        let mut document = AppliedDocument::default();
        let (mut human, mut json) = (Vec::new(), Vec::new());
        let (user, plan) = (run.apply.user.as_str(), run.apply.plan);
        document
            .start(Some("ci-runner-7"), Timestamp::now(), user, plan, &mut json)
            .unwrap();
        let mut all = Vec::new();
        let limits = Limits::default();
        let ending = apply(
            statements,
            registry,
            &run.apply,
            &settings,
            &limits,
            |event| {
                match event {
                    Event::Applied(applied) => {
                        page.applied(applied, &mut human).unwrap();
                        document.applied(applied, &mut json).unwrap();
                        all.push(applied.clone());
                    }
                    Event::Table(table) => {
                        page.table(table, &mut human).unwrap();
                        document.table(table, &mut json).unwrap();
                    }
                    Event::Row(row) => {
                        page.row(row, &mut human).unwrap();
                        document.row(row, &mut json).unwrap();
                    }
                    Event::Progress(_) => {}
                }
                ControlFlow::Continue(())
            },
        );
        page.end(&ending, &mut human).unwrap();
        document.end(&ending, &mut json).unwrap();
        let json = valid(std::str::from_utf8(&json).unwrap());
        assert_eq!(json["statements"].as_array().unwrap().len(), all.len());
        Ran {
            page: String::from_utf8(human).unwrap(),
            json,
            statements: all,
            ending,
        }
    }

    /// Every link with its state and targets.
    pub(crate) fn holds(&self) -> String {
        let mut names: Vec<LinkName> = Vec::new();
        let each = |link: linkdial::registry::Listed| {
            names.push(link.name);
            ControlFlow::Continue(())
        };
        self.registry.list(None, each).unwrap();
        let mut out = String::new();
        for name in names {
            let known = self.registry.read(&name).unwrap();
            let link = known.link.unwrap();
            let state = match &link.state {
                State::Verified { .. } => "verified".to_owned(),
                State::Deferred { by, .. } => format!("deferred by {by}"),
            };
            writeln!(out, "  {name} {} {state}", link.kind).unwrap();
            for target in known.targets {
                let intent = target.intent.words().join("+");
                write!(out, "    {intent} '{}'", target.target).unwrap();
                let options = [("format", target.format), ("registry", target.registry)];
                for (word, text) in options {
                    if let Some(text) = text {
                        write!(out, " {word} {text}").unwrap();
                    }
                }
                if let Some((kind, user)) = target.user {
                    write!(out, " of {} {user}", kind.as_str()).unwrap();
                }
                out.push('\n');
            }
            for (code, reason) in link.ignored {
                writeln!(out, "    ignores {code}: {reason}").unwrap();
            }
        }
        out
    }

    /// The record, a line for each entry.
    pub(crate) fn record(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let each = |line: linkdial::registry::RecordLine| {
            let entry = line.entry;
            let link = entry.link.map(|link| link.to_string());
            let verdict = entry.verdict.map(|verdict| verdict.to_string());
            let code = entry.code.map(|code| code.to_string());
            let words = [
                Some(entry.who),
                Some(entry.action.as_str().to_owned()),
                link,
                verdict,
                code,
                entry.detail,
            ];
            let words: Vec<String> = words.into_iter().flatten().collect();
            lines.push(words.join(" "));
            ControlFlow::Continue(())
        };
        self.registry.record(each).unwrap();
        lines
    }
}

fn open(folder: &std::path::Path) -> Registry {
    let location = Location::Sqlite(folder.join("links.db"));
    Registry::open(&location, None).unwrap()
}

/// Reads a document that keeps to the schema.
pub(crate) fn valid(text: &str) -> Value {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let schema = serde_json::from_str(&applied_json::schema()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let errors: Vec<_> = schema
        .iter_errors(&document)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{text}");
    document
}

impl Ran {
    /// The outcomes, in the order of the script.
    pub(crate) fn outcomes(&self) -> Vec<&'static str> {
        let outcomes = self.statements.iter().map(|it| it.outcome.as_str());
        outcomes.collect()
    }
}

/// Addresses of a run by the names they have in a script. Those that stand for them are as wide,
/// so that nothing else moves.
pub(crate) struct Addresses(HashMap<&'static str, (String, String)>);

impl Addresses {
    pub(crate) fn new(list: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let known = list
            .into_iter()
            .enumerate()
            .map(|(index, (name, address))| {
                let port = address.rsplit_once(':').unwrap().1;
                let digit = char::from(b'1' + u8::try_from(index).unwrap());
                let stand_in = digit.to_string().repeat(port.len());
                (name, (address.clone(), format!("127.0.0.1:{stand_in}")))
            });
        Self(known.collect())
    }

    pub(crate) fn filled(&self, text: &str) -> String {
        let known = self.0.iter();
        known.fold(text.to_owned(), |text, (name, (address, _))| {
            text.replace(&format!("{{{name}}}"), address)
        })
    }

    pub(crate) fn hidden(&self, text: &str) -> String {
        let known = self.0.values();
        known.fold(text.to_owned(), |text, (address, stand_in)| {
            text.replace(address, stand_in)
        })
    }
}

/// Replaces what differs from run to run: durations, times, and the ids of a server's answers.
pub(crate) fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        out.push_str(&without_ids(&without_durations(&without_timestamps(line))));
    }
    out
}

fn without_timestamps(line: &str) -> String {
    const SHAPE: &str = "0000-00-00T00:00:00Z";
    let is_digit = |c: char| c.is_ascii_digit();
    let mut out = line.to_owned();
    while let Some(at) = (0..out.len()).find(|at| {
        out.get(*at..at + SHAPE.len())
            .is_some_and(|text| text != SHAPE && text.replace(is_digit, "0") == SHAPE)
    }) {
        out.replace_range(at..at + SHAPE.len(), SHAPE);
    }
    out
}

fn without_durations(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(" ms") {
        let before = &rest[..at];
        let kept = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if kept.len() == before.len() {
            out.push_str(&rest[..at + 3]);
        } else {
            // A column of times is aligned on the right.
            let text = kept.trim_end_matches(' ');
            let gap = (kept.len() - text.len()).min(2);
            out.extend([text, &"  "[..gap], "0 ms"]);
        }
        rest = &rest[at + 3..];
    }
    out + rest
}

fn without_ids(line: &str) -> String {
    let mut out = line.to_owned();
    for name in ["request_id=", "host_id="] {
        if let Some(at) = out.find(name) {
            let start = at + name.len();
            let rest = &out[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
            let end = start + end.unwrap_or(rest.len());
            out.replace_range(start..end, &"0".repeat(end - start));
        }
    }
    out
}
