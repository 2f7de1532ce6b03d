//! Providers that panic with a secret in their message: no format, no record, no history shows it.

use std::future::Future;
use std::pin::Pin;

use linkdial_core::testing::leaked;
use linkdial_core::{DynProvider, Endpoint, Halt, Probe, Role, Wrong};

use super::*;
use crate::history::{Facts, PastCheck};
use crate::registry::{Location, Registry};
use crate::report::{Format, HumanOptions, render};
use crate::script::{Script, ScriptOptions};

const SECRET: &str = "pN7/xWq+4kLz9vTb2nM6yRcJ";

/// Where it panics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Open,
    Endpoint,
    Probe,
    /// Behind a step whose notes repeat the secret.
    LaterStep,
    /// Between two steps, where nobody watches a stage.
    Between,
}

#[derive(Debug)]
struct Panics(At);

impl DynProvider for Panics {
    fn with_wrong_secret(&self) -> Wrong<Box<dyn DynProvider>> {
        Wrong::Nothing("it has none")
    }

    fn endpoint(&self, _target: Option<&Target>) -> Option<Endpoint> {
        assert!(self.0 != At::Endpoint, "it does not like {SECRET}");
        Some(Endpoint::new(Role::Endpoint, "fake", 1))
    }

    fn probe<'a>(
        &'a self,
        probe: &'a mut Probe,
    ) -> Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 'a>> {
        Box::pin(async move {
            let endpoint = Endpoint::new(Role::Endpoint, SECRET, 1);
            let fine = async { Ok(()) };
            if self.0 != At::Probe {
                probe.step(&endpoint, &[Stage::Resolve], fine).await?;
                probe.note("server", SECRET);
                probe.note("caller", format!("Bearer {SECRET}"));
            }
            assert!(self.0 != At::Between, "lost between: {SECRET}");
            let work = async { panic!("the peer said {SECRET} and {}", SECRET.to_lowercase()) };
            probe.step(&endpoint, &[Stage::Access], work).await
        })
    }
}

fn links() -> Vec<(At, Arc<ScriptLink>)> {
    let all = [
        At::Open,
        At::Endpoint,
        At::Probe,
        At::LaterStep,
        At::Between,
    ];
    let links = all.map(|at| {
        let text = format!(
            "-- linkdial: target 'bucket/x'\nCREATE LINK a{} AS S3 CREDENTIALS \
             '{{\"aws_access_key_id\": \"AKIA\", \"aws_secret_access_key\": \"{SECRET}\"}}';",
            at as u8
        );
        let options = ScriptOptions::default();
        let script = Script::read(vec![("links.sql".to_owned(), text)], &options);
        (at, Arc::new(script.links[0].clone()))
    });
    links.into()
}

fn assert_shows_nothing(what: &str, text: &str) {
    if let Some(leak) = leaked(text, &[SECRET]) {
        panic!("{what} shows {leak}: {text}");
    }
}

#[test]
fn a_panic_shows_no_secret_in_any_format_record_or_history() {
    let mut dials = Dials::default();
    for (at, link) in links() {
        let definition = link.definition.clone();
        dials.push(&link, move || {
            assert!(at != At::Open, "while reading: {SECRET}");
            Opened {
                provider: Some(Box::new(Panics(at))),
                findings: Vec::new(),
                redactor: Redactor::new(&definition, &[]),
            }
        });
    }
    let settings = Arc::new(Settings::default());
    let (checks, _) = dials.run(&settings, &Limits::default(), |_| {}).unwrap();
    assert_eq!(checks.len(), links().len());
    for check in &checks {
        assert!(check.broken, "{check:?}");
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.db");
    let registry = Registry::open(&Location::Sqlite(path.clone()), None).unwrap();
    let now = Timestamp::now();
    let lock = registry.lock_for_sweep().unwrap();
    let sweep = registry.begin_sweep(&lock, "root", None, now).unwrap();
    let targets: Vec<_> = dials.targets().collect();
    let names = registry.name_checks(&targets).unwrap().into_iter();
    let past: Vec<PastCheck> = std::iter::zip(names, &checks)
        .map(|(name, check)| PastCheck::of(name, check, None, now))
        .collect();
    assert_shows_nothing("the history", &format!("{past:?}"));
    registry.add_to_sweep(sweep, &past).unwrap();
    let entries: Vec<Entry> = checks.iter().map(|check| entry("root", check)).collect();
    registry.add_to_record(&entries).unwrap();
    for check in &checks {
        assert_shows_nothing("a fact", &format!("{:?}", Facts::of(check, now)));
    }
    drop((lock, registry));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert_shows_nothing("a file of the registry", &String::from_utf8_lossy(&bytes));
    }

    let report = Report {
        checks,
        ..begin(&settings)
    };
    for format in Format::ALL {
        let mut page = Vec::new();
        render(&report, format, HumanOptions::default(), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(!page.is_empty(), "{format:?}");
        assert_shows_nothing(&format!("{format:?}"), &page);
    }
    // What is shown is that linkdial failed.
    let mut page = Vec::new();
    render(&report, Format::Json, HumanOptions::default(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains(".interrupted"), "{page}");
}
