//! What a NameNode says of paths and rights.

use linkdial_testcontainers::HdfsPath::{
    Data, EmptyFile, EmptyFolder, Enclosed, Large, Orders, PrivateFile, PrivateFolder, Writable,
};
use linkdial_testcontainers::{Hdfs, HdfsCluster, HdfsOptions, HdfsUser, LinkStatement};

use crate::lab::{evidence, fail, note, pass, report, verify};

/// The key that decides about the user.
const USER: &str = "/kerberos.user";

pub(crate) fn as_user(name: &str, user: &str) -> LinkStatement {
    Hdfs::shared()
        .create_link(name)
        .config("kerberos.user", user)
}

#[test]
fn files_and_folders_are_read_by_whoever_may() {
    let hdfs = Hdfs::shared();
    let alice = |name| as_user(name, "alice");
    let checks = verify(
        &[],
        &[
            pass(alice("file"), hdfs.url(Orders)),
            pass(alice("folder"), hdfs.url(Data)),
            pass(alice("slash"), hdfs.url("/data/")),
            pass(alice("pattern"), hdfs.url("/data/ord*.csv")),
            pass(alice("nothing"), hdfs.url("/data/*.parquet")),
            pass(alice("empty_file"), hdfs.url(EmptyFile)),
            pass(alice("empty_folder"), hdfs.url(EmptyFolder)),
            pass(alice("root"), hdfs.url("/")),
            pass(alice("large"), hdfs.url(Large)),
            pass(alice("own"), hdfs.url(Enclosed)),
            pass(as_user("realm", "alice@ANY.TEST"), hdfs.url(PrivateFile)),
        ],
    );
    assert_eq!(note(&checks[0], "user"), "alice");
    assert_eq!(
        note(&checks[0], "path"),
        "/data/orders.csv -rw-r--r-- alice:team"
    );
    assert_eq!(note(&checks[0], "object"), Orders.path());
    assert_eq!(note(&checks[1], "files"), "4");
    assert_eq!(note(&checks[3], "object"), Orders.path());
    assert!(note(&checks[4], "unproven").contains("no file"));
    assert!(note(&checks[5], "unproven").contains("empty"));
    assert_eq!(note(&checks[7], "folders"), "4");
}

#[test]
fn the_user_is_the_systems_where_the_link_names_none() {
    let hdfs = Hdfs::shared();
    let checks = verify(&[], &[pass(hdfs.create_link("l"), hdfs.url(Orders))]);
    let system = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap();
    let system = String::from_utf8(system.stdout).unwrap();
    assert_eq!(note(&checks[0], "user"), system.trim());
}

#[test]
fn what_is_missing_or_forbidden_is_named() {
    let hdfs = Hdfs::shared();
    let bob = |name| as_user(name, "bob");
    let checks = verify(
        &[],
        &[
            fail(
                bob("nowhere"),
                hdfs.url("/nowhere"),
                "access.not-found",
                "namenode",
                "",
            ),
            fail(
                bob("below_a_file"),
                hdfs.url("/data/orders.csv/x"),
                "access.not-found",
                "namenode",
                "",
            ),
            fail(
                bob("file"),
                hdfs.url(PrivateFile),
                "read.denied",
                "namenode",
                USER,
            ),
            fail(
                bob("folder"),
                hdfs.url(PrivateFolder),
                "access.denied",
                "namenode",
                USER,
            ),
            fail(
                bob("enclosed"),
                hdfs.url(Enclosed),
                "access.denied",
                "namenode",
                USER,
            ),
        ],
    );
    assert_eq!(evidence(&checks[2], "principal"), "bob");
    assert_eq!(evidence(&checks[2], "owner"), "alice");
    assert_eq!(evidence(&checks[2], "mode"), "-rw-------");
    assert_eq!(evidence(&checks[3], "access"), "READ_EXECUTE");
    assert_eq!(evidence(&checks[4], "inode"), PrivateFolder.path());
    let hint = checks[4]["diagnosis"]["hint"].as_str().unwrap();
    assert!(hint.contains("-setfacl -m user:bob:--x /private"), "{hint}");
}

/// What is there: a sentinel leaves no more than the time at which its folder changed.
pub(crate) fn names(hdfs: &HdfsCluster) -> Vec<(String, u64)> {
    let contents = hdfs.contents().unwrap().into_iter();
    contents.map(|entry| (entry.path, entry.length)).collect()
}

/// Writes the script of a link that only writes to a path.
pub(crate) fn export(link: &LinkStatement, url: &str) -> String {
    format!("{link}SELECT 1 INTO LINK {} '{url}';\n", link.quoted_name())
}

#[test]
fn the_right_to_write_is_proved_without_a_trace() {
    let hdfs = Hdfs::shared();
    let before = hdfs.contents().unwrap();
    let cases = [
        (as_user("own", "alice"), hdfs.url(Data), "pass", ""),
        (as_user("open", "bob"), hdfs.url(Writable), "pass", ""),
        (
            as_user("new", "bob"),
            hdfs.url("/writable/new/deep"),
            "pass",
            "",
        ),
        (
            as_user("denied", "bob"),
            hdfs.url(Data),
            "fail",
            "write.denied",
        ),
        (
            as_user("no_way", "bob"),
            hdfs.url("/private/out"),
            "fail",
            "access.denied",
        ),
        (
            as_user("root", "bob"),
            hdfs.url("/made/by/nobody"),
            "fail",
            "write.denied",
        ),
        (
            as_user("file", "alice"),
            hdfs.url("/data/orders.csv/x"),
            "fail",
            "access.not-found",
        ),
    ];
    let script: String = cases
        .iter()
        .map(|(link, url, ..)| export(link, url))
        .collect();
    let report = report(&[], &script);
    for (check, (link, _, verdict, code)) in report["checks"].as_array().unwrap().iter().zip(&cases)
    {
        let name = link.name();
        assert_eq!(check["verdict"], *verdict, "{name}: {check:#}");
        assert_eq!(
            check["code"].as_str().unwrap_or_default(),
            *code,
            "{name}: {check:#}"
        );
        if *verdict == "pass" {
            assert!(
                note(check, "proof").contains("nothing was written"),
                "{check:#}"
            );
        }
    }
    assert_eq!(hdfs.contents().unwrap(), before);
}

#[test]
fn a_sentinel_is_written_and_goes() {
    // Of its own: others compare what is in the shared one.
    let hdfs = HdfsOptions::default().start().unwrap();
    let before = names(&hdfs);
    let script = export(&as_user("own", "alice"), &hdfs.url(Writable))
        + &export(&as_user("other", "bob"), &hdfs.url(Data));
    let report = report(&["--write"], &script);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks[0]["verdict"], "pass", "{report:#}");
    assert!(note(&checks[0], "sentinel").starts_with("/writable/.linkdial-"));
    assert_eq!(checks[1]["code"], "write.denied", "{report:#}");
    assert_eq!(names(&hdfs), before);
}

/// What the client would not honour is left out, which is no pass.
#[test]
fn a_client_that_is_not_run_proves_nothing() {
    let hdfs = Hdfs::shared();
    let link = as_user("l", "alice").config("dfs.client.use.datanode.hostname", true);
    let case = fail(
        link,
        hdfs.url(Orders),
        "define.not-compiled-in",
        "namenode",
        "",
    );
    let checks = verify(
        &["--only-net", "127.0.0.0/8"],
        &[case.verdict("unverified")],
    );
    assert!(note(&checks[0], "offered").contains("SIMPLE"));
}

#[test]
fn names_that_a_shell_would_take_apart_are_quoted() {
    let hdfs = HdfsOptions::default().start().unwrap();
    let folder = "/writable/a b,c'$(x)";
    hdfs.client_as(HdfsUser::Alice, &["-mkdir", folder])
        .unwrap();
    hdfs.client_as(HdfsUser::Alice, &["-chmod", "700", folder])
        .unwrap();
    let quoted = folder.replace('\'', "''");
    let script = |user: &str| {
        let link = as_user("l", user);
        let url = hdfs.url(&quoted);
        format!("{link}CREATE PIPELINE p AS LOAD DATA LINK l '{url}' INTO TABLE t;\n")
    };
    let own = report(&[], &script("alice"));
    assert_eq!(own["checks"][0]["verdict"], "pass", "{own:#}");
    let other = report(&[], &script("bob"));
    let check = &other["checks"][0];
    assert_eq!(check["code"], "access.denied", "{other:#}");
    assert_eq!(evidence(check, "inode"), folder);
    let hint = check["diagnosis"]["hint"].as_str().unwrap();
    assert!(hint.contains(r"'/writable/a b,c'\''$(x)'"), "{hint}");
}
