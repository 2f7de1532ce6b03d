//! Levels of protection: those that meet, and those that do not.

use linkdial_testcontainers::HdfsPath::{Data, Large, Writable};
use linkdial_testcontainers::HdfsUser::Alice;
use linkdial_testcontainers::{HdfsCipher, HdfsProtection, SecuredHdfs, SecuredHdfsOptions};

use serde_json::Value;

use crate::lab::{fail, pass, path, report, verify};
use crate::paths::{export, names};

const RPC: &str = "hadoop.rpc.protection";
const DATA: &str = "dfs.data.transfer.protection";

fn start(options: SecuredHdfsOptions) -> (SecuredHdfs, std::path::PathBuf) {
    let hdfs = options.start().unwrap();
    let conf = hdfs.kdc().krb5_conf();
    (hdfs, conf)
}

#[test]
fn a_cluster_with_privacy_is_read_with_privacy() {
    let options = SecuredHdfsOptions::default()
        .rpc_protection(HdfsProtection::Privacy)
        .transfer_protection(Some(HdfsProtection::Privacy));
    let (hdfs, conf) = start(options);
    let link = |name: &str| hdfs.create_link_for(name, Alice);
    let set = |name: &str, key: &str, value: &str| link(name).config(key, value);
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[
            pass(set("both", RPC, "privacy"), hdfs.url(Large)),
            pass(set("list", RPC, "integrity,privacy"), hdfs.url(Large)),
            fail(
                set("weak", RPC, "authentication"),
                hdfs.url(Large),
                "authenticate.protection-mismatch",
                "namenode",
                "/hadoop.rpc.protection",
            ),
            // Hadoop's own client asks for no more than authentication then.
            fail(
                link("silent").without(RPC),
                hdfs.url(Large),
                "authenticate.protection-mismatch",
                "namenode",
                "/hadoop.rpc.protection",
            )
            .verdict("warn"),
        ],
    );
    corrected(
        &checks[2],
        "`hadoop.rpc.protection` becomes `privacy`, and was",
    );
    corrected(&checks[3], "`hadoop.rpc.protection` becomes `privacy`");
}

/// The level that the servers want was dialled and passes.
fn corrected(check: &Value, change: &str) {
    let correction = &check["correction"];
    assert_eq!(correction["verdict"], "pass", "{check:#}");
    let told = correction["changes"][0]["text"].as_str().unwrap();
    assert!(told.contains(change), "{told}");
}

#[test]
fn blocks_are_protected_on_both_sides_or_on_none() {
    let mismatch = |link, url: String| {
        fail(
            link,
            url,
            "authenticate.protection-mismatch",
            "datanode",
            "/dfs.data.transfer.protection",
        )
    };
    let (hdfs, conf) = start(SecuredHdfsOptions::default());
    let link = |name: &str| hdfs.create_link_for(name, Alice);
    let without = link("without").without(DATA);
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[
            pass(
                link("with").config(DATA, "integrity,authentication"),
                hdfs.url(Data),
            ),
            mismatch(without, hdfs.url(Data)),
            // hdfs-native reads all the same, and Hadoop's own client does not.
            mismatch(link("other").config(DATA, "privacy"), hdfs.url(Data)),
        ],
    );
    // A weaker one is no correction: whoever stands on the way may have left the strong ones out.
    assert!(checks[2]["correction"].is_null(), "{:#}", checks[2]);
    // What is written goes to a DataNode as well.
    let other = link("export").config(DATA, "privacy");
    let script = export(&other, &hdfs.url(Writable));
    let report = report(&["--krb5-conf", path(&conf), "--write"], &script);
    assert_eq!(
        report["checks"][0]["code"], "authenticate.protection-mismatch",
        "{report:#}"
    );
    let left = names(&hdfs)
        .into_iter()
        .filter(|it| it.0.contains(".linkdial"));
    assert_eq!(left.count(), 0);
    drop(hdfs);
    let (hdfs, conf) = start(SecuredHdfsOptions::default().transfer_protection(None));
    let link = |name: &str| hdfs.create_link_for(name, Alice);
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[
            pass(link("without").without(DATA), hdfs.url(Data)),
            mismatch(link("with").config(DATA, "privacy"), hdfs.url(Data)),
        ],
    );
    corrected(&checks[1], "`dfs.data.transfer.protection` is removed");
}

#[test]
fn older_encryption_of_blocks_needs_no_key_of_the_link() {
    for cipher in [HdfsCipher::TripleDes, HdfsCipher::Aes] {
        let options = SecuredHdfsOptions::default()
            .transfer_protection(None)
            .encrypted_transfer(cipher);
        let (hdfs, conf) = start(options);
        let link = hdfs.create_link_for("l", Alice);
        verify(
            &["--krb5-conf", path(&conf)],
            &[pass(link, hdfs.url(Large))],
        );
    }
}

#[test]
fn every_level_is_met_by_its_name() {
    let several = SecuredHdfsOptions::default().property(RPC, "authentication,privacy");
    let rc4 = SecuredHdfsOptions::default()
        .transfer_protection(None)
        .encrypted_transfer(HdfsCipher::TripleDes)
        .property("dfs.encrypt.data.transfer.algorithm", "rc4");
    let integrity = SecuredHdfsOptions::default()
        .rpc_protection(HdfsProtection::Integrity)
        .transfer_protection(Some(HdfsProtection::Integrity));
    let aes = SecuredHdfsOptions::default()
        .transfer_protection(Some(HdfsProtection::Privacy))
        .property(
            "dfs.encrypt.data.transfer.cipher.suites",
            "AES/CTR/NoPadding",
        );
    for (options, level) in [
        (several, "privacy"),
        (rc4, "authentication"),
        (integrity, "integrity"),
        (aes, "authentication"),
    ] {
        let (hdfs, conf) = start(options);
        let link = hdfs.create_link_for("l", Alice).config(RPC, level);
        verify(
            &["--krb5-conf", path(&conf)],
            &[pass(link, hdfs.url(Large))],
        );
    }
}
