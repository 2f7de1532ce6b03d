//! Safe mode, and what a check leaves behind: nothing.

use linkdial_testcontainers::HdfsOptions;
use linkdial_testcontainers::HdfsPath::{Orders, Writable};

use crate::lab::{pass, report, verify};
use crate::paths::{export, names};

#[test]
fn a_namenode_in_safe_mode_is_read_and_not_written() {
    let hdfs = HdfsOptions::default().start().unwrap();
    let before = names(&hdfs);
    let link = |name: &str| hdfs.create_link(name).config("kerberos.user", "alice");
    hdfs.set_safe_mode(true).unwrap();
    verify(&[], &[pass(link("read"), hdfs.url(Orders))]);
    let script = export(&link("write"), &hdfs.url(Writable));
    for arguments in [&[][..], &["--write"]] {
        let report = report(arguments, &script);
        let check = &report["checks"][0];
        assert_eq!(check["verdict"], "fail", "{report:#}");
        assert_eq!(check["code"], "access.safe-mode", "{report:#}");
    }
    hdfs.set_safe_mode(false).unwrap();
    let report = report(&["--write"], &script);
    assert_eq!(report["checks"][0]["verdict"], "pass", "{report:#}");
    assert_eq!(names(&hdfs), before);
}
