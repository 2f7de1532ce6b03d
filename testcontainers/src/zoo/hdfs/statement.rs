//! Mistakes in the statement.

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{AUTHENTICATION, KEYTAB, USER, link};
use crate::{Hdfs, HdfsPath, HdfsUser, LinkStatement, SecuredHdfs};

const PAGE: &str = "SingleStore, Enabling wire encryption and Kerberos on HDFS pipelines";
const CORE: &str = "Apache Hadoop, core-default.xml: values of the property";
const HDFS: &str = "Apache Hadoop, hdfs-default.xml: values of the property";
const HA: &str =
    "Apache Hadoop, HDFS High Availability Using the Quorum Journal Manager: Configuration details";
const NOWHERE: &str = "hdfs://127.0.0.1:9/data";

fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: fn(LinkStatement) -> LinkStatement,
) -> Fault {
    let seed = move |mark: &Mark| Ok(Seeded::read(mark, change(link("alice")), NOWHERE));
    Fault::undialled(Kind::Hdfs, name, expected, source, seed)
}

fn target(name: &str, expected: Expected, text: &'static str) -> Fault {
    let seed = move |mark: &Mark| Ok(Seeded::read(mark, link("alice"), text));
    let source = "SingleStore, CREATE PIPELINE: 'hdfs://host:port/path'";
    Fault::undialled(Kind::Hdfs, name, expected, source, seed)
}

fn kerberos(link: LinkStatement) -> LinkStatement {
    link.config("hadoop.security.authentication", "kerberos")
        .config("kerberos.user", "alice@LINKDIAL.TEST")
        .config("kerberos.keytab", "/etc/zoo/of/the/nodes/alice.keytab")
        .config("dfs.namenode.kerberos.principal", "nn/_HOST@LINKDIAL.TEST")
        .config("dfs.datanode.kerberos.principal", "dn/_HOST@LINKDIAL.TEST")
}

fn pair(link: LinkStatement) -> LinkStatement {
    link.config("dfs.nameservices", "cluster")
        .config("dfs.ha.namenodes.cluster", "nn1,nn2")
        .config("dfs.namenode.rpc-address.cluster.nn1", "127.0.0.1:9")
        .config("dfs.namenode.rpc-address.cluster.nn2", "127.0.0.1:9")
        .config(
            "dfs.client.failover.proxy.provider.cluster",
            "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
        )
        .config("fs.defaultFS", "hdfs://cluster")
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let define = Expected::define;
    let mut faults = vec![
        keys(
            "authentication-misspelt",
            define("define.invalid-value", AUTHENTICATION),
            CORE,
            |link| kerberos(link).config("hadoop.security.authentication", "kerberoes"),
        ),
        keys(
            "user-missing",
            define("define.missing-key", USER),
            PAGE,
            |link| kerberos(link).without("kerberos.user"),
        ),
        keys(
            "keytab-missing",
            define("define.missing-key", KEYTAB),
            PAGE,
            |link| kerberos(link).without("kerberos.keytab"),
        ),
        keys(
            "keytab-misspelt",
            define("define.missing-key", ("CONFIG", "/kerberos.keytb")),
            PAGE,
            |link| {
                kerberos(link)
                    .without("kerberos.keytab")
                    .config("kerberos.keytb", "/etc/zoo.keytab")
            },
        ),
        keys(
            "user-is-no-principal",
            define("define.invalid-value", USER),
            "RFC 1964, 2.1.1: NAME[/INSTANCE]@REALM",
            |link| kerberos(link).config("kerberos.user", "alice@@LINKDIAL.TEST"),
        ),
        keys(
            "hostname-in-words",
            define(
                "define.wrong-type",
                ("CONFIG", "/dfs.client.use.datanode.hostname"),
            ),
            HDFS,
            |link| link.config("dfs.client.use.datanode.hostname", "yes"),
        ),
        keys(
            "protection-unknown",
            define("define.invalid-value", ("CONFIG", "/hadoop.rpc.protection")),
            CORE,
            |link| link.config("hadoop.rpc.protection", "encrypted"),
        ),
        keys(
            "transfer-protection-unknown",
            define(
                "define.invalid-value",
                ("CONFIG", "/dfs.data.transfer.protection"),
            ),
            HDFS,
            |link| link.config("dfs.data.transfer.protection", "auth-conf"),
        ),
        keys(
            "default-of-s3",
            define("define.invalid-value", ("CONFIG", "/fs.defaultFS")),
            CORE,
            |link| link.config("fs.defaultFS", "s3a://orders"),
        ),
        keys(
            "provider-missing",
            define(
                "define.missing-key",
                ("CONFIG", "/dfs.client.failover.proxy.provider.cluster"),
            ),
            HA,
            |link| pair(link).without("dfs.client.failover.proxy.provider.cluster"),
        ),
        keys(
            "address-of-a-namenode-missing",
            define(
                "define.missing-key",
                ("CONFIG", "/dfs.namenode.rpc-address.cluster.nn2"),
            ),
            HA,
            |link| pair(link).without("dfs.namenode.rpc-address.cluster.nn2"),
        ),
        keys(
            "namenodes-missing",
            define(
                "define.missing-key",
                ("CONFIG", "/dfs.ha.namenodes.cluster"),
            ),
            HA,
            |link| pair(link).without("dfs.ha.namenodes.cluster"),
        ),
        target(
            "target-of-s3",
            Expected::fail("define.target-invalid"),
            "s3://orders/data",
        ),
        target(
            "target-port-too-high",
            Expected::fail("define.target-invalid"),
            "hdfs://127.0.0.1:99999/data",
        ),
        target(
            "target-without-host",
            Expected::fail("define.no-target").unverified(),
            "/data",
        ),
    ];
    faults.push(Fault::new(
        Kind::Hdfs,
        Family::Statement,
        "keytab-not-switched-on",
        "Hadoop",
        define("define.unused-credentials", KEYTAB).warn(),
        CORE,
        |mark| {
            let link =
                link("alice").config("kerberos.keytab", "/etc/zoo/of/the/nodes/alice.keytab");
            Ok(Seeded::read(
                mark,
                link,
                Hdfs::shared().url(HdfsPath::Orders),
            ))
        },
    ));
    faults.push(Fault::new(
        Kind::Hdfs,
        Family::Statement,
        "keytab-on-the-nodes",
        "Hadoop with Kerberos",
        define("define.file-not-here", KEYTAB).unverified(),
        PAGE,
        |mark| {
            let hdfs = SecuredHdfs::shared();
            let link = hdfs
                .create_link_for("l", HdfsUser::Alice)
                .config("kerberos.keytab", "/etc/zoo/of/the/nodes/alice.keytab");
            let conf = hdfs.kdc().krb5_conf();
            Ok(
                Seeded::read(mark, link, hdfs.url(HdfsPath::Orders)).own_option(
                    "--krb5-conf",
                    conf.display(),
                    super::servers::KERBEROS,
                ),
            )
        },
    ));
    faults
}
