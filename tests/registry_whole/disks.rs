//! Disks that take nothing more, or nothing at all.
//!
//! A full or read-only file system is mounted in a namespace of its own, which root and, on most
//! systems, others may make. Where nobody may, a limit on the size of files stands for the full
//! disk, and the mode of a folder for the read-only one.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::faults::{assert_refused, files};
use crate::snapshot::{Snapshot, assert_sound};
use crate::{Folder, apply, open, rounds, said, stderr, stdout};

/// Runs a shell in a namespace in which it may mount; `None` where that is not to be had.
fn namespace() -> Option<Command> {
    [&["-m"][..], &["-r", "-m"]]
        .into_iter()
        .find_map(|options| {
            let unshare = || {
                let mut command = Command::new("unshare");
                command.args(options).args(["sh", "-euc"]);
                command.stdin(Stdio::null());
                command
            };
            let folder = Folder::new();
            let mut probe = unshare();
            probe.arg("mount -t tmpfs tmpfs \"$1\"").arg("sh");
            let output = probe.arg(folder.path("")).output().ok()?;
            output.status.success().then(unshare)
        })
}

/// The arguments of a command behind those of a shell, and its empty environment.
fn with(mut shell: Command, words: &[&Path], command: &Command) -> Command {
    shell.arg("sh").args(words).args(["env", "-i"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

/// Needs more room than any of the disks has.
fn large() -> String {
    (0..150).fold(String::new(), |mut text, index| {
        let description = "d".repeat(4000);
        writeln!(
            text,
            "CREATE LINK large_{index} AS HTTP CREDENTIALS '{{\"headers\": {{\"a\": \"b\"}}}}' \
             DESCRIPTION '{description}';"
        )
        .unwrap();
        text
    })
}

#[test]
fn a_full_disk_is_told_and_leaves_whole_links() {
    let folder = Folder::new();
    let script = folder.write("large.sql", &large());
    if namespace().is_none() {
        eprintln!(
            "a_full_disk_is_told_and_leaves_whole_links: no namespace to mount in, so a limit on \
             the size of files (ulimit -f) stands for the full disk"
        );
    }
    // From a disk that can not take the first page to one that takes some links.
    let sizes: Vec<usize> = (0..rounds(16, 160))
        .map(|round| 4 + 512 * round / rounds(16, 160))
        .collect();
    let mut stored = 0;
    for size in sizes {
        let folder = Folder::new();
        fs::create_dir(folder.home()).unwrap();
        let rescued = folder.path("rescued");
        fs::create_dir(&rescued).unwrap();
        let mut command = folder.apply();
        command.args(["--defer", "--offline", "--format", "json"]);
        command.arg(&script);
        let output = full(size, &folder.home(), &rescued, &command);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{size} KiB: {}",
            said(&output)
        );
        let text = stderr(&output);
        if namespace().is_some() {
            assert!(
                text.contains("no space is left") || text.contains("No space left"),
                "{size} KiB: {text}"
            );
            assert!(
                text.contains("\nhint: free some space and run it again"),
                "{size} KiB: {text}"
            );
        }
        assert_eq!(text.matches("error: ").count(), 1, "{size} KiB: {text}");
        let told = deferred(stdout(&output));

        let registry = rescued.join("links.db");
        let snapshot = Snapshot::read(&open(&registry));
        snapshot.assert_agrees();
        assert_eq!(
            snapshot.links.len(),
            told,
            "{size} KiB: what was told is there"
        );
        assert_sound(&registry);
        stored += told;
        let mut again = apply(&registry);
        again.args(["--defer", "--offline"]).arg(&script);
        let output = again.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{size} KiB: {}",
            said(&output)
        );
        assert_eq!(Snapshot::read(&open(&registry)).links.len(), 150);
    }
    assert!(stored > 0, "some of the disks take some links");
}

/// Runs a command whose registry lies on a disk of so many KiB; what is left goes to `rescued`.
fn full(size: usize, home: &Path, rescued: &Path, command: &Command) -> Output {
    let size = size.to_string();
    let words = [Path::new(&size), home, rescued];
    let mut shell = if let Some(mut shell) = namespace() {
        shell.arg(
            "size=$1; home=$2; rescued=$3; shift 3; code=0
             mount -t tmpfs -o size=\"${size}k\" tmpfs \"$home\"
             \"$@\" || code=$?
             cp -a \"$home/.\" \"$rescued\"
             exit $code",
        );
        with(shell, &words, command)
    } else {
        let mut shell = Command::new("sh");
        shell.arg("-euc").stdin(Stdio::null()).arg(
            "size=$1; home=$2; rescued=$3; shift 3; code=0
             (trap '' XFSZ; ulimit -f \"$size\"; exec \"$@\") || code=$?
             cp -a \"$home/.\" \"$rescued\"
             exit $code",
        );
        with(shell, &words, command)
    };
    shell.output().unwrap()
}

/// Counts what a document says was stored; it may be missing, and is never half.
fn deferred(document: &str) -> usize {
    if document.is_empty() {
        return 0;
    }
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["complete"], false);
    let statements = document["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 150);
    let of = |word| statements.iter().filter(|it| it["outcome"] == word).count();
    assert_eq!(of("deferred") + of("not reached"), 150);
    of("deferred")
}

const LINK: &str = "CREATE LINK a AS HTTP CREDENTIALS '{\"headers\": {\"a\": \"b\"}}';";

#[test]
fn a_read_only_disk_is_told() {
    if is_root() && namespace().is_none() {
        eprintln!(
            "a_read_only_disk_is_told: skipped: root may write everywhere, and there is no \
             namespace to mount in"
        );
        return;
    }
    for (name, is_file) in [("home", false), ("home/links.db", true)] {
        let folder = Folder::new();
        folder.applied("-- linkdial: verify deferred\nCREATE LINK old AS HTTP CREDENTIALS '{}';");
        let before = files(&folder.home());
        assert!(before.contains_key("links.db"));
        let statements = ["SHOW LINKS", LINK, "DROP LINK old"];
        for statement in statements {
            let mut command = folder.apply();
            command.args(["--defer", "--offline", "--format", "json", "-e", statement]);
            let output = read_only(&folder.path(name), &mut command);
            // A file alone can still be read.
            if is_file && statement == "SHOW LINKS" && output.status.success() {
                assert!(stdout(&output).contains("\"old\""), "{}", said(&output));
                continue;
            }
            assert_refused(&output, "links.db", "who may write");
        }
        let mut after = files(&folder.home());
        // SQLite makes these where it may.
        for beside in ["links.db-shm", "links.db-wal"] {
            after.remove(beside);
        }
        assert_eq!(after, before, "{name}");
        assert_eq!(Snapshot::read(&folder.open()).links.len(), 1);
    }
}

/// Runs a command while a file or folder can not be written. Modes hold for everybody but root.
fn read_only(path: &Path, command: &mut Command) -> Output {
    if is_root() {
        let mut shell = namespace().unwrap();
        shell.arg(
            "path=$1; shift
             mount --bind \"$path\" \"$path\"
             mount -o remount,ro,bind \"$path\"
             exec \"$@\"",
        );
        return with(shell, &[path], command).output().unwrap();
    }
    let usual = fs::metadata(path).unwrap().permissions();
    fs::set_permissions(path, fs::Permissions::from_mode(usual.mode() & 0o555)).unwrap();
    let output = command.output().unwrap();
    fs::set_permissions(path, usual).unwrap();
    output
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}
