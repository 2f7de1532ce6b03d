//! The key file: made once, never guessed, and wrong in one clear way.

use std::fs;

use super::*;

#[test]
fn a_key_is_made_once_and_beside_the_registry() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    assert_eq!(registry.new_key(), Some(scratch.key_file().as_path()));
    let key = fs::read_to_string(scratch.key_file()).unwrap();
    let lines: Vec<_> = key.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("linkdial-key-1 "));
    drop(registry);

    assert_eq!(scratch.open().new_key(), None);
    assert_eq!(fs::read_to_string(scratch.key_file()).unwrap(), key);
}

/// Opens a registry of this name with the key file that all of a test share.
fn sharing(scratch: &Scratch, name: &str) -> Registry {
    let location = Location::Sqlite(scratch.folder.path().join(name));
    Registry::open(&location, Some(scratch.folder.path().join("all.key"))).unwrap()
}

/// The lines of the key file that all share.
fn shared_lines(scratch: &Scratch) -> Vec<String> {
    let text = fs::read_to_string(scratch.folder.path().join("all.key")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_new_registry_adds_a_key_of_its_own() {
    let scratch = Scratch::new();
    let path = scratch.folder.path().join("all.key");
    let first = sharing(&scratch, "a.db");
    assert_eq!(first.new_key(), Some(path.as_path()));
    // What a person wrote there stays, without an end of line too.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("# mine\n{text}\n# last")).unwrap();
    let before = shared_lines(&scratch);

    let second = sharing(&scratch, "b.db");
    assert_eq!(second.new_key(), None);
    let after = shared_lines(&scratch);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + 1);
    assert!(after[before.len()].starts_with("linkdial-key-1 "));
    let keys = [&first, &second].map(|registry| {
        registry
            .run(async |store| Ok(store.keys.current_id().to_owned()))
            .unwrap()
    });
    assert_ne!(keys[0], keys[1]);
    put(&first, &name("orders"), None, "{}", &[]).unwrap();
    drop(first);
    assert_eq!(
        credentials(&sharing(&scratch, "a.db"), &name("orders")),
        "{}"
    );
}

#[test]
fn a_rotation_leaves_the_keys_of_other_registries() {
    let scratch = Scratch::new();
    let mut first = sharing(&scratch, "a.db");
    let second = sharing(&scratch, "b.db");
    put(&second, &name("orders"), None, "{\"k\": 1}", &[]).unwrap();
    let before = shared_lines(&scratch);
    for _ in 0..2 {
        first.rotate_key("ada").unwrap();
    }
    drop((first, second));
    let after = shared_lines(&scratch);
    let key = |lines: &[String], nth| {
        let mut keys = lines.iter().filter(|line| !line.starts_with('#'));
        keys.nth(nth).cloned()
    };
    assert_eq!(after.len(), before.len());
    // The line of the first one went, and its new one comes last.
    assert_eq!(key(&after, 0), key(&before, 1));
    assert!(!before.contains(&key(&after, 1).unwrap()));
    sharing(&scratch, "a.db");
    let second = sharing(&scratch, "b.db");
    assert_eq!(credentials(&second, &name("orders")), "{\"k\": 1}");
}

#[test]
fn a_key_that_the_registry_did_not_make_stays() {
    let scratch = Scratch::new();
    let mut registry = scratch.open();
    // As an earlier version left it: the key may be shared.
    registry
        .run(async |store| {
            let key = store.keys.current().clone();
            store::set_key(&mut store.connection, &key, &[]).await
        })
        .unwrap();
    let before = fs::read_to_string(scratch.key_file()).unwrap();
    for _ in 0..2 {
        registry.rotate_key("ada").unwrap();
        let after = fs::read_to_string(scratch.key_file()).unwrap();
        assert!(after.starts_with(&before), "{after}");
        assert_eq!(after.lines().count(), before.lines().count() + 1);
    }
}

#[test]
fn registries_that_share_a_key_file_lose_no_line() {
    let scratch = Scratch::new();
    let names: Vec<_> = (0..4).map(|number| format!("{number}.db")).collect();
    let barrier = std::sync::Barrier::new(names.len());
    let made: usize = thread::scope(|scope| {
        let threads = names.iter().map(|name| {
            let (scratch, barrier) = (&scratch, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut registry = sharing(scratch, name);
                for _ in 0..3 {
                    registry.rotate_key("ada").unwrap();
                }
                usize::from(registry.new_key().is_some())
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
    for name in &names {
        sharing(&scratch, name);
    }
    let lines = shared_lines(&scratch);
    let keys = lines.iter().filter(|line| !line.starts_with('#')).count();
    assert_eq!(keys, names.len());
}

#[test]
fn a_key_file_that_somebody_changes_is_waited_for() {
    let scratch = Scratch::new();
    let lock = scratch.folder.path().join("all.key.lock");
    let lock = fs::File::create(lock).unwrap();
    lock.lock().unwrap();
    let location = Location::Sqlite(scratch.folder.path().join("a.db"));
    let key = scratch.folder.path().join("all.key");
    match Registry::open(&location, Some(key.clone())).unwrap_err() {
        RegistryError::KeyUnwritable { path, source } => {
            assert_eq!(path, key);
            assert_eq!(source.to_string(), "another process is changing it");
        }
        other => panic!("{other}"),
    }
    assert!(!key.exists());
    drop(lock);
    sharing(&scratch, "a.db");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_to_a_key_file_stays_one() {
    let scratch = Scratch::new();
    drop(sharing(&scratch, "a.db"));
    let link = scratch.folder.path().join("link.key");
    std::os::unix::fs::symlink("all.key", &link).unwrap();
    let location = Location::Sqlite(scratch.folder.path().join("b.db"));
    let mut registry = Registry::open(&location, Some(link.clone())).unwrap();
    registry.rotate_key("ada").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    // One file has one lock, by whatever name.
    assert!(!scratch.folder.path().join("link.key.lock").exists());
    sharing(&scratch, "a.db");
}

#[cfg(unix)]
#[test]
fn who_may_read_a_key_file_still_may_when_it_changes() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = Scratch::new();
    let path = scratch.folder.path().join("all.key");
    let mut first = sharing(&scratch, "a.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    drop(sharing(&scratch, "b.db"));
    first.rotate_key("ada").unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn what_is_no_key_file_is_not_added_to() {
    let scratch = Scratch::new();
    let path = scratch.folder.path().join("notes.txt");
    for (text, failed) in [
        ("remember the milk\n".to_owned(), "line 1 of the key file"),
        ("\n".repeat((1 << 20) + 1), "can not read the key file"),
    ] {
        fs::write(&path, &text).unwrap();
        let location = Location::Sqlite(scratch.path());
        let error = Registry::open(&location, Some(path.clone())).unwrap_err();
        assert!(error.to_string().starts_with(failed), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_key_file_of_the_caller_is_used() {
    let scratch = Scratch::new();
    let elsewhere = scratch.folder.path().join("my.key");
    let open = |key_file| Registry::open(&Location::Sqlite(scratch.path()), key_file);
    let registry = open(Some(elsewhere.clone())).unwrap();
    assert_eq!(registry.new_key(), Some(elsewhere.as_path()));
    assert_eq!(registry.key_file(), elsewhere);
    drop(registry);
    assert!(!scratch.key_file().exists());
    match open(None).unwrap_err() {
        RegistryError::KeyMissing(path) => assert_eq!(path, scratch.key_file()),
        other => panic!("{other}"),
    }
    open(Some(elsewhere)).unwrap();
}

#[test]
fn a_registry_with_the_extension_of_a_key_has_its_key_beside_it() {
    assert_eq!(
        beside(Path::new("/d/links.key")),
        Path::new("/d/links.key.key")
    );
    assert_eq!(beside(Path::new("/d/links")), Path::new("/d/links.key"));
}

#[test]
fn a_lost_key_is_not_replaced() {
    let scratch = Scratch::new();
    drop(scratch.open());
    fs::remove_file(scratch.key_file()).unwrap();
    let error = scratch.try_open().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the key file `{}` is missing", scratch.key_file().display())
    );
    assert!(!scratch.key_file().exists());
}

#[test]
fn a_wrong_key_is_found_when_the_registry_is_opened() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let key = fs::read_to_string(scratch.key_file()).unwrap();
    let other = Scratch::new();
    drop(other.open());
    let other = fs::read_to_string(other.key_file()).unwrap();
    let line = |text: &str| text.lines().last().unwrap().to_owned();
    let words = |text: &str| {
        let words: Vec<_> = line(text).split(' ').map(str::to_owned).collect();
        (words[1].clone(), words[2].clone())
    };
    // Another key, and another key that calls itself by the same name.
    let same_name = format!("linkdial-key-1 {} {}", words(&key).0, words(&other).1);
    for wrong in [line(&other), same_name] {
        fs::write(scratch.key_file(), wrong).unwrap();
        let error = scratch.try_open().unwrap_err();
        assert!(matches!(error, RegistryError::WrongKey(_)), "{error}");
        for secret in [words(&key).1, words(&other).1] {
            assert!(!format!("{error:?} {error} {}", error.hint()).contains(&secret));
        }
    }
    // Order does not matter: the registry names its key.
    fs::write(scratch.key_file(), format!("{other}\n\n{key}")).unwrap();
    scratch.open();
}

#[test]
fn a_malformed_key_file_is_named_with_its_line() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let key = fs::read_to_string(scratch.key_file()).unwrap();
    let good = key.lines().last().unwrap();
    for (text, bad) in [
        (String::new(), 1),
        ("# nothing\n".to_owned(), 1),
        (format!("{good}\nlinkdial-key-1 a Zm9v"), 2),
        (format!("\n# k\n{good} more"), 3),
        (format!("{good}\n{good}"), 2),
        (good.replace("key-1", "key-2"), 1),
    ] {
        fs::write(scratch.key_file(), &text).unwrap();
        match scratch.try_open().unwrap_err() {
            RegistryError::KeyMalformed { path, line } => {
                assert_eq!((path, line), (scratch.key_file(), bad), "{text}");
            }
            other => panic!("{other}"),
        }
    }
    fs::write(scratch.key_file(), b"linkdial-key-1 \xff").unwrap();
    let error = scratch.try_open().unwrap_err();
    assert!(matches!(error, RegistryError::KeyMalformed { line: 1, .. }));

    fs::remove_file(scratch.key_file()).unwrap();
    fs::create_dir(scratch.key_file()).unwrap();
    let error = scratch.try_open().unwrap_err();
    assert!(
        matches!(error, RegistryError::KeyUnreadable { .. }),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn others_can_not_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = Scratch::new();
    let registry = scratch.open();
    put(&registry, &name("orders"), None, "{}", &[]).unwrap();
    let mut seen = Vec::new();
    for file in fs::read_dir(scratch.path().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        seen.push(file.file_name().into_string().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "links.db",
            "links.db-shm",
            "links.db-wal",
            "links.key",
            "links.key.lock"
        ]
    );
    let folder = fs::metadata(scratch.path().parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);

    assert!(!registry.key_is_exposed());
    for mode in [0o640, 0o604] {
        fs::set_permissions(scratch.key_file(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(registry.key_is_exposed());
    }
}

#[test]
fn a_closed_registry_is_one_file_and_its_key_with_a_lock() {
    let scratch = Scratch::new();
    put(&scratch.open(), &name("orders"), None, "{}", &[]).unwrap();
    let files = fs::read_dir(scratch.path().parent().unwrap()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    let lock = scratch.key_file().with_file_name("links.key.lock");
    assert_eq!(fs::metadata(&lock).unwrap().len(), 0);
    assert_eq!(files, [scratch.path(), scratch.key_file(), lock]);
}
