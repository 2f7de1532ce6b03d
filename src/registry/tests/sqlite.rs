//! The file itself: its schema, and what is wrong with it.

use std::fs;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::*;

/// Runs statements on a file that is no registry yet.
fn make(path: &Path, statements: &'static str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(statements).execute(&mut connection).await?;
            connection.close().await
        })
        .unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.open());
    make(
        &scratch.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'later', TRUE, X'00', 0)",
    );
    let error = scratch.try_open().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the registry `{}` has schema 99, and this linkdial knows 3",
            scratch.path().display()
        )
    );
}

#[test]
fn the_oldest_schema_is_brought_to_the_newest() {
    let scratch = Scratch::new();
    make(&scratch.path(), include_str!("schema_1.sql"));
    fs::write(scratch.key_file(), include_str!("schema_1.key")).unwrap();
    for _ in 0..2 {
        let registry = scratch.open();
        assert_eq!(registry.new_key(), None);
        let link = name("orders");
        let known = registry.read(&link).unwrap();
        let user = Some((UserKind::Pipeline, name("load")));
        assert_eq!(
            known.targets,
            [StoredTarget {
                user,
                ..target("bucket/orders/")
            }]
        );
        let stored = known.link.unwrap();
        assert_eq!((stored.revision, stored.definition), (2, 2));
        assert_eq!(
            credentials(&registry, &link),
            "{\"aws_access_key_id\": \"AKIAEXAMPLE\"}"
        );
        let grants = registry.grants("ada").unwrap();
        assert_eq!(grants[0].to_string(), "SHOW LINK ON shop.*");
        // The record goes on behind the revisions.
        let lines = record(&registry);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].number, 2);
        assert_eq!(lines[0].entry.link.as_ref(), Some(&link));
    }
    let registry = scratch.open();
    assert_eq!(put(&registry, &name("next"), None, "{}", &[]).unwrap(), 3);
}

#[test]
fn a_file_that_another_program_has_only_marked_stays_as_it_is() {
    for mark in [
        "CREATE VIEW songs AS SELECT 1",
        "PRAGMA application_id = -77",
        "PRAGMA user_version = 5",
    ] {
        let scratch = Scratch::new();
        make(&scratch.path(), mark);
        let before = fs::read(scratch.path()).unwrap();
        match scratch.try_open().unwrap_err() {
            RegistryError::NotARegistry(path) => assert_eq!(path, scratch.path()),
            other => panic!("{mark}: {other}"),
        }
        assert_eq!(fs::read(scratch.path()).unwrap(), before, "{mark}");
        assert!(!scratch.key_file().exists(), "{mark}");
    }
}

#[test]
fn another_file_is_no_registry() {
    let scratch = Scratch::new();
    make(&scratch.path(), "CREATE TABLE songs (title TEXT)");
    let before = fs::read(scratch.path()).unwrap();
    let refused = || match scratch.try_open().unwrap_err() {
        RegistryError::NotARegistry(path) => assert_eq!(path, scratch.path()),
        other => panic!("{other}"),
    };
    refused();
    assert_eq!(fs::read(scratch.path()).unwrap(), before);
    assert!(!scratch.key_file().exists());

    fs::write(
        scratch.path(),
        "not a database, but long enough to look like one. ".repeat(40),
    )
    .unwrap();
    refused();
    assert!(!scratch.key_file().exists());
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let scratch = Scratch::new();
    let file = scratch.folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("links.db"), scratch.folder.path().to_owned()] {
        match Registry::open(&Location::Sqlite(path.clone()), None).unwrap_err() {
            RegistryError::Open { path: named, .. } => assert_eq!(named, path),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_full_disk_is_named_and_changes_nothing() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let link = name("orders");
    put(&registry, &link, None, "{\"k\": 1}", &[]).unwrap();
    // The file may not grow any more.
    sql(&registry, "PRAGMA max_page_count = 1");
    let large = format!("{{\"k\": \"{}\"}}", "x".repeat(100_000));
    match put(&registry, &link, Some(1), &large, &[]).unwrap_err() {
        RegistryError::Full(path) => assert_eq!(path, scratch.path()),
        other => panic!("{other}"),
    }
    assert_eq!(credentials(&registry, &link), "{\"k\": 1}");
    assert_eq!(record(&registry).len(), 1);
}

#[test]
fn a_file_that_can_not_be_written_is_named() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    sql(&registry, "PRAGMA query_only = ON");
    match put(&registry, &name("orders"), None, "{}", &[]).unwrap_err() {
        RegistryError::ReadOnly(path) => assert_eq!(path, scratch.path()),
        other => panic!("{other}"),
    }
}

/// Sets the mode of a file or folder; returns whether that keeps this user out.
#[cfg(unix)]
fn keeps_out(path: &Path, mode: u32) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let out = if path.is_dir() {
        tempfile::tempfile_in(path).is_err()
    } else {
        fs::OpenOptions::new().write(true).open(path).is_err()
    };
    if !out {
        eprintln!("skipped: this user may write everywhere");
    }
    out
}

#[cfg(unix)]
#[test]
fn a_file_of_somebody_else_is_named() {
    let scratch = Scratch::new();
    drop(scratch.open());
    if keeps_out(&scratch.path(), 0o400) {
        let registry = scratch.open();
        assert!(registry.read(&name("orders")).unwrap().link.is_none());
        match put(&registry, &name("orders"), None, "{}", &[]).unwrap_err() {
            RegistryError::ReadOnly(path) => assert_eq!(path, scratch.path()),
            other => panic!("{other}"),
        }
        drop(registry);
        assert!(keeps_out(&scratch.path(), 0));
        match scratch.try_open().unwrap_err() {
            RegistryError::Open { path, .. } => assert_eq!(path, scratch.path()),
            other => panic!("{other}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_of_somebody_else_is_named() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let folder = scratch.path().parent().unwrap().to_owned();
    if keeps_out(&folder, 0o500) {
        match scratch.try_open().unwrap_err() {
            RegistryError::ReadOnly(path) => assert_eq!(path, scratch.path()),
            other => panic!("{other}"),
        }
        assert!(!keeps_out(&folder, 0o700));
        fs::remove_file(scratch.path()).unwrap();
        assert!(keeps_out(&folder, 0o500));
        match scratch.try_open().unwrap_err() {
            RegistryError::Open { path, source } => {
                assert_eq!(path, scratch.path());
                assert_eq!(source.kind(), std::io::ErrorKind::PermissionDenied);
            }
            other => panic!("{other}"),
        }
        assert!(!keeps_out(&folder, 0o700));
    }
}

#[test]
fn a_lock_is_not_waited_for_without_end() {
    let scratch = Scratch::new();
    let holder = scratch.open();
    let registry = scratch.open();
    sql(&registry, "PRAGMA busy_timeout = 10");
    sql(&holder, "BEGIN IMMEDIATE");
    match put(&registry, &name("orders"), None, "{}", &[]).unwrap_err() {
        RegistryError::Locked(path) => assert_eq!(path, scratch.path()),
        other => panic!("{other}"),
    }
    // Readers are not in the way of a writer.
    assert!(registry.read(&name("orders")).unwrap().link.is_none());
    sql(&holder, "ROLLBACK");
    put(&registry, &name("orders"), None, "{}", &[]).unwrap();
}

#[test]
fn a_damaged_file_is_named() {
    let scratch = Scratch::new();
    put(&scratch.open(), &name("orders"), None, "{}", &[]).unwrap();
    let mut bytes = fs::read(scratch.path()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(scratch.path(), bytes).unwrap();
    let error = scratch.try_open().unwrap_err();
    assert!(matches!(error, RegistryError::Corrupt(_)), "{error}");
}

#[test]
fn a_word_of_another_version_is_named() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    put(&registry, &name("orders"), None, "{}", &[]).unwrap();
    sql(&registry, "UPDATE links SET type = 'FTP'");
    assert_eq!(
        registry.read(&name("orders")).unwrap_err().to_string(),
        "`FTP` in column `type` of the registry is not known to this linkdial"
    );
}

#[test]
fn commits_are_safe_when_they_return() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    assert_eq!(count(&registry, "PRAGMA synchronous"), 2);
    assert_eq!(
        count(
            &registry,
            "SELECT journal_mode = 'wal' FROM pragma_journal_mode"
        ),
        1
    );
    assert_eq!(count(&registry, "PRAGMA foreign_keys"), 1);
}

#[test]
fn a_registry_is_dropped_inside_of_an_asynchronous_task() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let scratch = Scratch::new();
    for number in 0..2 {
        let registry = scratch.open();
        let link = name(&format!("l{number}"));
        put(&registry, &link, None, "{}", &[]).unwrap();
        if number == 0 {
            runtime.block_on(async move { drop(registry) });
        } else {
            let task = runtime.spawn_blocking(move || {
                assert!(registry.read(&link).unwrap().link.is_some());
                drop(registry);
            });
            runtime.block_on(task).unwrap();
        }
        // The log is back in the file.
        let wal = scratch.path().with_file_name("links.db-wal");
        assert!(!wal.exists());
    }
    assert_eq!(listed(&scratch.open(), None), ["shop.l0", "shop.l1"]);
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn a_call_inside_of_an_asynchronous_task_panics() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let scratch = Scratch::new();
    let registry = scratch.open();
    runtime.block_on(async { drop(registry.read(&name("orders"))) });
}
