//! What a registry promises, on real files.

mod keys;
mod links;
mod rotation;
mod secrets;
mod sqlite;
mod writers;

use linkdial_core::{Intent, Kind, LinkName, Secret, Target};
use tempfile::TempDir;

use super::*;

/// A registry in a folder of its own.
struct Scratch {
    folder: TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data/links.db")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("data/links.key")
    }

    fn try_open(&self) -> Result<Registry, RegistryError> {
        Registry::open(&Location::Sqlite(self.path()), None)
    }

    fn open(&self) -> Registry {
        self.try_open().unwrap()
    }
}

fn name(name: &str) -> LinkName {
    LinkName::new(Some("shop"), name)
}

fn entry(action: Action, link: &LinkName) -> Entry {
    Entry {
        who: "ada".to_owned(),
        action,
        link: Some(link.clone()),
        verdict: None,
        code: None,
        detail: None,
    }
}

fn target(text: &str) -> StoredTarget {
    StoredTarget {
        target: Target::new(text),
        intent: Intent::READ,
        format: None,
        registry: None,
        user: None,
    }
}

/// Stores an S3 link with these credentials.
fn put(
    registry: &Registry,
    link: &LinkName,
    expected: Option<u64>,
    credentials: &str,
    targets: &[StoredTarget],
) -> Result<u64, RegistryError> {
    registry.commit(&Change {
        name: link,
        expected,
        link: Some(NewLink {
            secrets: &[],
            kind: Kind::S3,
            credentials: &Secret::new(credentials),
            config: &Secret::new("{}"),
            shown_config: "{}".to_owned(),
            description: "",
            ignored: &[],
            state: verified(),
        }),
        targets,
        record: &[entry(Action::Create, link)],
    })
}

fn verified() -> State {
    State::Verified {
        at: "2026-11-22T16:00:00.25Z".parse().unwrap(),
    }
}

fn take(registry: &Registry, link: &LinkName, expected: u64) -> Result<u64, RegistryError> {
    registry.commit(&Change {
        name: link,
        expected: Some(expected),
        link: None,
        targets: &[],
        record: &[entry(Action::Drop, link)],
    })
}

fn listed(registry: &Registry, database: Option<&str>) -> Vec<String> {
    let mut names = Vec::new();
    let each = |link: Listed| {
        names.push(link.name.to_string());
        ControlFlow::Continue(())
    };
    registry.list(database, each).unwrap();
    names
}

fn record(registry: &Registry) -> Vec<RecordLine> {
    let mut lines = Vec::new();
    let each = |line| {
        lines.push(line);
        ControlFlow::Continue(())
    };
    registry.record(each).unwrap();
    lines
}

/// Runs statements on the registry's own connection.
fn sql(registry: &Registry, text: &'static str) {
    registry
        .run(async |store| {
            sqlx::raw_sql(text).execute(&mut store.connection).await?;
            Ok(())
        })
        .unwrap();
}

/// Returns the one number that a query gives.
fn count(registry: &Registry, query: &'static str) -> i64 {
    registry
        .run(async |store| {
            let row = sqlx::query(query).fetch_one(&mut store.connection).await?;
            Ok(sqlx::Row::try_get(&row, 0)?)
        })
        .unwrap()
}

/// Returns the credentials of a link.
fn credentials(registry: &Registry, link: &LinkName) -> String {
    let link = registry.read(link).unwrap().link.unwrap();
    link.credentials.expose().to_owned()
}
