//! A program that is killed leaves whole links, and the next one goes on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linkdial_testcontainers::{HttpEndpoint, S3Server};
use serde_json::{Value, json};

use crate::snapshot::{Snapshot, assert_sound};
use crate::{Folder, Random, rounds, said, stdout};

/// Kills when nobody asks for more.
const KILLS: usize = 20;

/// A script of 50 links, and what each may look like while it runs.
struct Work {
    /// What the registry holds before, in half of the rounds.
    before: String,
    script: String,
    /// The credentials of each link: those it may have, the last one at the end.
    credentials: BTreeMap<String, Vec<Value>>,
    /// How many targets a link has at the end; none before the statement that names them.
    targets: BTreeMap<String, Vec<String>>,
}

impl Work {
    fn new(http: &HttpEndpoint, s3: &S3Server) -> Self {
        let mut work = Self {
            before: String::new(),
            script: String::new(),
            credentials: BTreeMap::new(),
            targets: BTreeMap::new(),
        };
        for index in 0..18 {
            let name = format!("new_{index}");
            work.create(http, "CREATE LINK", &name, "first");
        }
        for index in 0..14 {
            let name = format!("replaced_{index}");
            let old = headers("old");
            writeln!(
                work.before,
                "CREATE LINK {name} AS HTTP CREDENTIALS '{old}';"
            )
            .unwrap();
            work.knows(&name, old);
            work.create(http, "CREATE OR REPLACE LINK", &name, "first");
        }
        for index in 0..12 {
            let name = format!("altered_{index}");
            work.create(http, "CREATE OR REPLACE LINK", &name, "first");
            let last = headers("second");
            writeln!(work.script, "ALTER LINK {name} SET CREDENTIALS '{last}';").unwrap();
            work.knows(&name, last);
        }
        for index in 0..2 {
            let name = format!("dropped_{index}");
            let old = headers("old");
            writeln!(
                work.before,
                "CREATE LINK {name} AS HTTP CREDENTIALS '{old}';"
            )
            .unwrap();
            work.knows(&name, old);
            writeln!(work.script, "DROP LINK IF EXISTS {name};").unwrap();
            work.create(http, "CREATE LINK", &name, "first");
        }
        for index in 0..4 {
            work.pipeline(s3, &format!("bucket_{index}"));
        }
        assert_eq!(work.credentials.len(), 50);
        // Targets that come after their links are dialled and stored on their own.
        for index in 0..4 {
            let url = http.url("/echo");
            let (name, function) = (format!("new_{index}"), format!("f_{index}"));
            writeln!(
                work.script,
                "CREATE OR REPLACE EXTERNAL FUNCTION {function}(a INT) RETURNS INT \
                 AS REMOTE SERVICE '{url}' FORMAT JSON LINK {name};"
            )
            .unwrap();
            work.target(&name, url);
        }
        // In the registry they need a target as well, or nothing could be dialled.
        let url = http.url("/");
        let comment = format!("-- linkdial: target '{url}'\nCREATE LINK");
        work.before = work.before.replace("CREATE LINK", &comment);
        work
    }

    fn create(&mut self, http: &HttpEndpoint, words: &str, name: &str, value: &str) {
        let (url, headers) = (http.url("/"), headers(value));
        writeln!(
            self.script,
            "-- linkdial: target '{url}'\n{words} {name} AS HTTP CREDENTIALS '{headers}';"
        )
        .unwrap();
        self.knows(name, headers);
        self.target(name, url);
    }

    fn pipeline(&mut self, s3: &S3Server, name: &str) {
        let login = S3Server::login();
        let link = s3.create_link(name, &login).to_string();
        let link = link.trim_end_matches([';', '\n']);
        let link = link.replacen("CREATE LINK", "CREATE OR REPLACE LINK", 1);
        writeln!(
            self.script,
            "{link};\nCREATE OR REPLACE PIPELINE of_{name} AS LOAD DATA LINK {name} \
             'demo/orders/*' INTO TABLE t;"
        )
        .unwrap();
        self.knows(
            name,
            json!({
                "aws_access_key_id": login.access_key_id,
                "aws_secret_access_key": login.secret_access_key,
            }),
        );
        self.target(name, "demo/orders/*".to_owned());
    }

    fn knows(&mut self, name: &str, credentials: Value) {
        let all = self.credentials.entry(format!("shop.{name}")).or_default();
        all.push(credentials);
    }

    fn target(&mut self, name: &str, target: String) {
        let all = self.targets.entry(format!("shop.{name}")).or_default();
        all.push(target);
    }

    /// Every link is one that the script has made whole.
    fn assert_whole(&self, snapshot: &Snapshot) {
        for (name, link) in &snapshot.links {
            let known = &self.credentials[name];
            assert!(known.contains(&link.credentials), "{name}: {link:?}");
            assert!(link.verified, "{name}: {link:?}");
            for target in &link.targets {
                assert!(self.targets[name].contains(target), "{name}: {link:?}");
            }
        }
    }

    /// Every link is as the script leaves it.
    fn assert_done(&self, snapshot: &Snapshot) {
        let now: Vec<&String> = snapshot.links.keys().collect();
        let wanted: Vec<&String> = self.credentials.keys().collect();
        assert_eq!(now, wanted);
        for (name, link) in &snapshot.links {
            assert_eq!(Some(&link.credentials), self.credentials[name].last());
            let mut targets = link.targets.clone();
            targets.sort();
            let mut wanted = self.targets[name].clone();
            wanted.sort();
            assert_eq!(targets, wanted, "{name}");
        }
    }
}

fn headers(value: &str) -> Value {
    json!({"headers": {"X-Api-Key": format!("{value}-value-of-a-header")}})
}

/// What a run of the script takes.
struct Times {
    whole: Duration,
    /// When the registry's file and its key are there.
    made: Duration,
}

#[test]
fn a_killed_program_leaves_whole_links_and_the_next_one_goes_on() {
    let (http, s3) = (HttpEndpoint::start(), S3Server::start().unwrap());
    let work = Work::new(&http, &s3);
    let mut random = Random::new();
    let prepared = Folder::new();
    prepared.applied(&work.before);
    let times = [Folder::new(), copy(&prepared)].map(|folder| measure(&folder, &work));

    let mut stopped = 0;
    let kills = rounds(KILLS, 10 * KILLS);
    for round in 0..kills {
        let empty = round % 2 == 0;
        let folder = if empty {
            Folder::new()
        } else {
            copy(&prepared)
        };
        let times = &times[usize::from(!empty)];
        // Every fourth moment is one in which the registry comes to be.
        let moment = if round % 4 == 0 {
            times.made * u32::try_from(random.below(1500)).unwrap() / 1000
        } else {
            times.whole * u32::try_from(random.below(1000)).unwrap() / 1000
        };
        let before = if empty { 0 } else { lines(&folder) };
        let script = folder.write("links.sql", &work.script);
        let started = Instant::now();
        let mut child = start(&folder, &script);
        thread::sleep(moment.saturating_sub(started.elapsed()));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        stopped += usize::from(output.status.code().is_none());

        let context = format!("round {round}, killed after {moment:?}");
        look(&folder, &work, before, stdout(&output), &context);
        let output = folder.apply().arg(&script).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{context}: {}",
            said(&output)
        );
        let snapshot = Snapshot::read(&folder.open());
        snapshot.assert_agrees();
        work.assert_done(&snapshot);
        assert_sound(&folder.registry());
    }
    eprintln!("{stopped} of {kills} runs were killed before their end");
    assert!(stopped * 2 > kills, "most moments lie within the run");
}

/// The registry after a kill: whole, and no less than what was reported.
fn look(folder: &Folder, work: &Work, before: u64, reported: &str, context: &str) {
    eprintln!("{context}: {} statements told", reported.lines().count());
    let snapshot = Snapshot::read(&folder.open());
    snapshot.assert_agrees();
    work.assert_whole(&snapshot);
    assert_sound(&folder.registry());
    for (name, told) in told(reported) {
        let recorded = snapshot
            .changes
            .iter()
            .filter(|(number, link, _)| *number > before && *link == name)
            .count();
        assert!(
            recorded >= told,
            "{context}: {told} changes of `{name}` were reported and {recorded} are there"
        );
    }
}

/// Counts the changes of each link that were reported in whole lines.
fn told(reported: &str) -> BTreeMap<String, usize> {
    let whole = reported.rfind('\n').map_or("", |end| &reported[..=end]);
    let mut told = BTreeMap::new();
    for line in whole.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.contains(&"registered") || words.contains(&"dropped") {
            let name = words.iter().find(|word| word.starts_with("shop."));
            let name = name.expect("a change is that of a link");
            *told.entry((*name).to_owned()).or_default() += 1;
        }
    }
    told
}

fn start(folder: &Folder, script: &Path) -> Child {
    let mut command = folder.apply();
    command.arg(script);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs the script to its end once.
fn measure(folder: &Folder, work: &Work) -> Times {
    let script = folder.write("links.sql", &work.script);
    let started = Instant::now();
    let mut child = start(folder, &script);
    while !folder.key_file().exists() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    let made = started.elapsed();
    let output: Output = child.wait_with_output().unwrap();
    let whole = started.elapsed();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let snapshot = Snapshot::read(&folder.open());
    snapshot.assert_agrees();
    work.assert_done(&snapshot);
    assert!(
        told(stdout(&output)).len() >= 48,
        "the output tells what changed: {}",
        said(&output)
    );
    eprintln!("a run takes {whole:?}; the key is there after {made:?}");
    Times { whole, made }
}

fn lines(folder: &Folder) -> u64 {
    Snapshot::read(&folder.open()).lines()
}

fn copy(from: &Folder) -> Folder {
    let to = Folder::new();
    fs::create_dir(to.home()).unwrap();
    for name in ["links.db", "links.key"] {
        fs::copy(from.home().join(name), to.home().join(name)).unwrap();
    }
    to
}
