//! Registries and keys that can not be used: one clear sentence, what to do next, and nothing
//! changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::snapshot::{Snapshot, assert_sound};
use crate::{Folder, on_file, said, sql, stderr, stdout};

/// With a line feed in front, or it would look like an option.
const DEFERRED: &str = "\n-- linkdial: verify deferred\n\
                        CREATE LINK a AS HTTP CREDENTIALS '{\"headers\": {\"a\": \"b\"}}';";

/// Every file of a folder with its bytes; none where there is no folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

/// The program could not do its work: it says so in one sentence with a hint, and what it wrote
/// for other programs is whole or not there.
pub(crate) fn assert_refused(output: &Output, sentence: &str, hint: &str) {
    assert_eq!(output.status.code(), Some(3), "{}", said(output));
    let text = stderr(output);
    let lines: Vec<&str> = text.lines().collect();
    let [.., error, advice] = lines[..] else {
        panic!("two lines: {text}");
    };
    assert!(
        error.starts_with("error: ") && error.contains(sentence),
        "{text}"
    );
    assert!(
        advice.starts_with("hint: ") && advice.contains(hint),
        "{text}"
    );
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    assert!(!text.contains("panicked"), "{text}");
    if !stdout(output).is_empty() {
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["complete"], false, "{document:#}");
    }
}

/// Applies a statement that has to be refused and to leave every file as it is.
fn refused(folder: &Folder, arguments: &[&str], sentence: &str, hint: &str) {
    let before = files(&folder.home());
    for format in ["json", "human"] {
        for statement in ["SHOW LINKS;", DEFERRED] {
            let mut command = folder.apply();
            command
                .args(["--format", format, "-e", statement])
                .args(arguments);
            let output = command.output().unwrap();
            assert_refused(&output, sentence, hint);
            assert_eq!(stdout(&output), "", "nothing ran");
        }
    }
    let after = files(&folder.home());
    assert!(
        after.keys().eq(before.keys()),
        "{sentence}: {:?}",
        after.keys()
    );
    assert!(after == before, "{sentence}: a file is another one");
}

/// A registry with one link.
fn prepared() -> Folder {
    let folder = Folder::new();
    folder.applied(DEFERRED);
    assert_eq!(Snapshot::read(&folder.open()).links.len(), 1);
    folder
}

#[test]
fn a_folder_that_can_not_be_made_is_told() {
    let folder = Folder::new();
    folder.write("home", "a file");
    refused(
        &folder,
        &[],
        "can not open the registry `",
        "check the path and who may write there",
    );
    let folder = Folder::new();
    fs::create_dir_all(folder.registry()).unwrap();
    let mut command = folder.apply();
    let output = command.args(["-e", "SHOW LINKS"]).output().unwrap();
    assert_refused(&output, "can not open the registry `", "check the path");
}

#[test]
fn a_file_of_something_else_is_told() {
    let folder = Folder::new();
    fs::create_dir(folder.home()).unwrap();
    fs::write(folder.registry(), "name,value\n".repeat(1000)).unwrap();
    refused(&folder, &[], "` is not a registry", "name another file");
    // A database of another program.
    let folder = Folder::new();
    fs::create_dir(folder.home()).unwrap();
    fs::write(folder.registry(), "").unwrap();
    sql(&folder.registry(), "CREATE TABLE notes (text TEXT)");
    refused(&folder, &[], "` is not a registry", "name another file");
}

#[test]
fn a_newer_schema_is_told() {
    let folder = prepared();
    sql(
        &folder.registry(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'newer', TRUE, x'00', 0)",
    );
    refused(
        &folder,
        &[],
        "` has schema 99, and this linkdial knows ",
        "use the newer linkdial",
    );
}

#[test]
fn a_wrong_or_missing_or_broken_key_is_told() {
    let folder = prepared();
    let other = prepared();
    let other = other.key_file();
    refused(
        &folder,
        &["--key-file", other.to_str().unwrap()],
        "` does not hold the key of this registry",
        "name the key file that belongs to this registry",
    );
    // The right name with another key behind it.
    let right = fs::read_to_string(folder.key_file()).unwrap();
    let wrong = fs::read_to_string(&other).unwrap();
    let word = |text: &str, index: usize| {
        let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
        line.split(' ').nth(index).unwrap().to_owned()
    };
    fs::write(
        folder.key_file(),
        right.replace(&word(&right, 2), &word(&wrong, 2)),
    )
    .unwrap();
    refused(
        &folder,
        &[],
        "` does not hold the key of this registry",
        "name the key file",
    );
    fs::write(folder.key_file(), right.replace(&word(&right, 2), "short")).unwrap();
    let output = folder.apply().args(["-e", "SHOW LINKS"]).output().unwrap();
    assert_refused(
        &output,
        "line 3 of the key file `",
        "put the right key file there",
    );
    assert!(!said(&output).contains("short"), "{}", said(&output));
    fs::remove_file(folder.key_file()).unwrap();
    refused(&folder, &[], "the key file `", "put the key file back");
    assert!(!folder.key_file().exists(), "no other key takes its place");

    fs::write(folder.key_file(), right).unwrap();
    assert_eq!(Snapshot::read(&folder.open()).links.len(), 1);
}

#[test]
fn a_key_that_others_may_read_is_warned_about() {
    let folder = prepared();
    for (mode, warns) in [(0o644, true), (0o640, true), (0o400, false), (0o600, false)] {
        fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(mode)).unwrap();
        let output = folder.apply().args(["-e", "SHOW LINKS"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let warned = stderr(&output).contains("others may read the key `");
        assert_eq!(warned, warns, "{mode:o}: {}", stderr(&output));
    }
}

#[test]
fn a_key_that_systemd_has_handed_over_is_not_warned_about() {
    let folder = prepared();
    fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(0o440)).unwrap();
    let key_file = folder.key_file();
    let own = key_file.parent().unwrap();
    for (credentials, warns) in [(own, false), (&own.join("other"), true)] {
        let mut command = folder.apply();
        command.env("CREDENTIALS_DIRECTORY", credentials);
        let output = command.args(["-e", "SHOW LINKS"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let warned = stderr(&output).contains("others may read the key `");
        assert_eq!(warned, warns, "{}", stderr(&output));
    }
}

#[test]
fn a_lock_of_another_program_is_waited_for_and_told() {
    let folder = prepared();
    let before = Snapshot::read(&folder.open()).lines();
    let statements = "SHOW LINKS; CREATE LINK b AS HTTP CREDENTIALS '{\"headers\": {}}'; \
                      DROP LINK a; SHOW LINKS;";
    on_file(&folder.registry(), async |connection| {
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await
            .unwrap();
        // Side by side, because each waits its five seconds.
        let children = ["json", "human"].map(|format| {
            let mut command = folder.apply();
            command.args(["--defer", "--offline", "--format", format, "-e", statements]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        let [json, human] = children.map(|child| child.wait_with_output().unwrap());
        for output in [&json, &human] {
            assert_refused_while_running(output);
        }
        let document: Value = serde_json::from_slice(&json.stdout).unwrap();
        let outcomes: Vec<&Value> = document["statements"]
            .as_array()
            .unwrap()
            .iter()
            .map(|statement| &statement["outcome"])
            .collect();
        // Reading goes on; after the failure nothing is tried.
        assert_eq!(
            outcomes,
            ["shown", "not reached", "not reached", "not reached"]
        );
        assert_eq!(document["complete"], false);
        sqlx::query("ROLLBACK")
            .execute(&mut *connection)
            .await
            .unwrap();
    });
    assert_eq!(Snapshot::read(&folder.open()).lines(), before);
    assert_sound(&folder.registry());
}

fn assert_refused_while_running(output: &Output) {
    assert_eq!(output.status.code(), Some(3), "{}", said(output));
    let text = stderr(output);
    assert!(
        text.contains("` is locked by another process\nhint: wait for the other process"),
        "{text}"
    );
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
}

#[test]
fn a_damaged_file_is_told() {
    let folder = Folder::new();
    let links: String = (0..200)
        .map(|index| DEFERRED.replace("LINK a", &format!("LINK a_{index}")) + "\n")
        .collect();
    folder.applied(&links);
    // Everything behind the first page, which says what the file is.
    let mut bytes = fs::read(folder.registry()).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(folder.registry(), bytes).unwrap();
    let output = folder
        .apply()
        .args(["--format", "json", "-e", "SHOW LINKS"])
        .output()
        .unwrap();
    assert_refused(
        &output,
        "` is damaged",
        "put a backup of the file in its place",
    );
}
