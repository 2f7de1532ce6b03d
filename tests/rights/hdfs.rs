//! Commands of `hdfs dfs`, run by the superuser.

use linkdial_testcontainers::HdfsPath::{Data, Enclosed, PrivateFile, PrivateFolder};
use linkdial_testcontainers::{Hdfs, HdfsUser};
use serde_json::Value;

use crate::{checks, policy, words};

fn check(script: &str, path: &str) -> Value {
    let hdfs = Hdfs::shared();
    let link = hdfs.create_link("l").config("kerberos.user", "bob");
    let statement = script.replace("URL", &hdfs.url(path));
    checks(&[], &format!("{link}{statement}")).remove(0)
}

const READS: &str = "CREATE PIPELINE p AS LOAD DATA LINK l 'URL' INTO TABLE t;\n";
const WRITES: &str = "SELECT 1 INTO LINK l 'URL';\n";

/// Runs a printed command as it is.
fn run(command: &str) {
    let words = words(command);
    assert_eq!(words[..2], ["hdfs", "dfs"]);
    let hdfs = Hdfs::shared();
    hdfs.client_as(HdfsUser::Superuser, &words[2..]).unwrap();
}

#[test]
fn an_entry_lets_the_user_in_and_no_further() {
    for (script, path, code, entry) in [
        // The way to a file opens no list of its folder.
        (
            READS,
            Enclosed.path(),
            "access.denied",
            "user:bob:--x /private",
        ),
        (
            READS,
            PrivateFolder.path(),
            "access.denied",
            "user:bob:r-x /private",
        ),
        (
            READS,
            PrivateFile.path(),
            "read.denied",
            "user:bob:r-- /data/private.csv",
        ),
        (WRITES, Data.path(), "write.denied", "user:bob:rwx /data"),
    ] {
        let refused = check(script, path);
        assert_eq!(refused["code"], code, "{path}: {refused:#}");
        let command = policy(&refused);
        assert_eq!(command, format!("hdfs dfs -setfacl -m {entry}"));
        run(command);
        let passed = check(script, path);
        assert_eq!(passed["verdict"], "pass", "{path}: {passed:#}");
    }
}
