//! Two programs change one registry at once, and nothing is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::{Output, Stdio};

use linkdial_testcontainers::HttpEndpoint;
use serde_json::{Value, json};

use crate::snapshot::{Snapshot, assert_sound};
use crate::{Folder, Random, rounds, said};

const ROUNDS: usize = 10;
/// Links of each program alone, and links of both.
const OWN: u64 = 12;
const SHARED: u64 = 8;

/// What one program does: each statement about a link gives it a value of its own.
struct Script {
    text: String,
    /// By statement, in order: the value that its link has then.
    values: Vec<Option<Value>>,
}

impl Script {
    fn new(who: &str, http: &HttpEndpoint, random: &mut Random) -> Self {
        let mut script = Self {
            text: String::new(),
            values: Vec::new(),
        };
        let mut links: Vec<String> = (0..OWN).map(|index| format!("{who}_{index}")).collect();
        links.extend((0..SHARED).map(|index| format!("shared_{index}")));
        shuffle(&mut links, random);
        for name in &links {
            let (url, value) = (http.url("/"), value(who, "created"));
            let words = format!(
                "-- linkdial: target '{url}'\nCREATE OR REPLACE LINK {name} AS HTTP \
                 CREDENTIALS '{value}'"
            );
            script.says(&words, Some(value));
        }
        shuffle(&mut links, random);
        for name in &links {
            match random.below(4) {
                0 => {
                    let value = value(who, "altered");
                    let words = format!("ALTER LINK {name} SET CREDENTIALS '{value}'");
                    script.says(&words, Some(value));
                }
                1 => {
                    let url = http.url("/echo");
                    script.says(
                        &format!(
                            "CREATE EXTERNAL FUNCTION {who}_of_{name}(a INT) RETURNS INT \
                             AS REMOTE SERVICE '{url}' FORMAT JSON LINK {name}"
                        ),
                        None,
                    );
                }
                _ => {}
            }
        }
        script
    }

    fn says(&mut self, words: &str, value: Option<Value>) {
        writeln!(self.text, "{words};").unwrap();
        self.values.push(value);
    }
}

fn value(who: &str, word: &str) -> Value {
    json!({"headers": {"X-Api-Key": format!("{who}-{word}-value")}})
}

fn shuffle(names: &mut [String], random: &mut Random) {
    for end in (1..names.len()).rev() {
        let other = usize::try_from(random.below(end as u64 + 1)).unwrap();
        names.swap(end, other);
    }
}

/// What a program said that it did to a link.
#[derive(Default)]
struct Told {
    changes: usize,
    /// What the link has after the last of them that gave it a value.
    last: Option<Value>,
    /// Pipelines and functions that are stored with it.
    users: usize,
}

fn told(script: &Script, output: &Output, conflicts: &mut usize) -> BTreeMap<String, Told> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let statements = document["statements"].as_array().unwrap();
    assert_eq!(statements.len(), script.values.len(), "{}", said(output));
    let mut all: BTreeMap<String, Told> = BTreeMap::new();
    for (statement, value) in statements.iter().zip(&script.values) {
        let link = || statement["link"].as_str().unwrap().to_owned();
        match statement["outcome"].as_str().unwrap() {
            "registered" => {
                let told = all.entry(link()).or_default();
                told.changes += 1;
                match value {
                    Some(value) => told.last = Some(value.clone()),
                    None => told.users += 1,
                }
            }
            // A function that was stored together with its link.
            "unchanged" if value.is_none() => all.entry(link()).or_default().users += 1,
            "error" => {
                assert_eq!(statement["error"]["code"], "sql.conflict", "{statement:#}");
                *conflicts += 1;
            }
            other => panic!("{other}: {statement:#}"),
        }
    }
    all
}

#[test]
fn two_programs_at_once_lose_and_double_nothing() {
    let http = HttpEndpoint::start();
    let mut random = Random::new();
    let mut conflicts = 0;
    for round in 0..rounds(ROUNDS, 10 * ROUNDS) {
        let folder = Folder::new();
        // In every second round both want to make the registry.
        let before = if round % 2 == 0 {
            0
        } else {
            folder.applied("SHOW LINKS;");
            let link = "CREATE LINK shared_0 AS HTTP CREDENTIALS '{\"headers\": {\"a\": \"b\"}}';";
            let url = http.url("/");
            folder.applied(&format!("-- linkdial: target '{url}'\n{link}"));
            1
        };
        let scripts = ["one", "two"].map(|who| Script::new(who, &http, &mut random));
        let children = ["one.sql", "two.sql"].map(|name| {
            let text = &scripts[usize::from(name == "two.sql")].text;
            let mut command = folder.apply();
            command
                .args(["--format", "json"])
                .arg(folder.write(name, text));
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        let outputs = children.map(|child| child.wait_with_output().unwrap());
        let snapshot = Snapshot::read(&folder.open());
        snapshot.assert_agrees();
        assert_sound(&folder.registry());

        let mut found = 0;
        let reports = [0, 1].map(|index| {
            let known = found;
            let told = told(&scripts[index], &outputs[index], &mut found);
            let code = if found > known { 2 } else { 0 };
            assert_eq!(
                outputs[index].status.code(),
                Some(code),
                "round {round}: {}",
                said(&outputs[index])
            );
            told
        });
        conflicts += found;
        let names: BTreeSet<&String> = reports.iter().flat_map(BTreeMap::keys).collect();
        let stored: BTreeSet<&String> = snapshot.links.keys().collect();
        assert_eq!(stored, names, "round {round}: what was reported is there");
        for name in names {
            let of_both = reports.iter().filter_map(|told| told.get(name));
            let (changes, users) = of_both.clone().fold((0, 0), |(changes, users), told| {
                (changes + told.changes, users + told.users)
            });
            let recorded = snapshot.changes.iter().filter(|(_, link, _)| link == name);
            let before = if name == "shop.shared_0" { before } else { 0 };
            assert_eq!(
                recorded.count(),
                changes + before,
                "round {round}: the record has the changes of `{name}`"
            );
            let link = &snapshot.links[name];
            let values: Vec<_> = of_both.filter_map(|told| told.last.as_ref()).collect();
            assert!(
                values.contains(&&link.credentials),
                "round {round}: `{name}` is {:?}, and reported were {values:?}",
                link.credentials
            );
            let functions = link
                .targets
                .iter()
                .filter(|target| target.ends_with("/echo"))
                .count();
            assert_eq!(functions, users, "round {round}: `{name}` {link:?}");
        }
    }
    eprintln!("{conflicts} conflicts");
    assert!(conflicts > 0, "the programs never met");
}
