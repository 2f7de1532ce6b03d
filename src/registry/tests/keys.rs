//! The key file: made once, never guessed, and wrong in one clear way.

use std::fs;

use super::*;
use crate::registry::key::SealingKey;

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

#[test]
fn a_key_file_that_is_there_is_never_replaced_by_a_first_key() {
    let scratch = Scratch::new();
    let path = scratch.folder.path().join("links.key");
    let file = KeyFile::new(path.clone());
    assert!(file.create(&SealingKey::generate().unwrap()).unwrap());
    let first = fs::read(&path).unwrap();
    assert!(!file.create(&SealingKey::generate().unwrap()).unwrap());
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::read_dir(scratch.folder.path()).unwrap().count(), 1);
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
        ["links.db", "links.db-shm", "links.db-wal", "links.key"]
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
fn a_closed_registry_is_one_file_and_its_key() {
    let scratch = Scratch::new();
    put(&scratch.open(), &name("orders"), None, "{}", &[]).unwrap();
    let files = fs::read_dir(scratch.path().parent().unwrap()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    assert_eq!(files, [scratch.path(), scratch.key_file()]);
}
