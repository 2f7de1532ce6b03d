//! What Hadoop and a KDC answer.

use std::path::PathBuf;

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{AUTHENTICATION, KEYTAB, USER, found, link};
use crate::HdfsPath::{Data, Enclosed, Orders, PrivateFile, PrivateFolder};
use crate::HdfsUser::Alice;
use crate::broken::{self, Broken, RefusedPort};
use crate::{Error, Hdfs, LinkStatement, SecuredHdfs};

const CLASSES: &str =
    "Apache Hadoop 3.4, FSPermissionChecker, FSDirectory; recorded at Hadoop 3.4.3";
const KDC_ERRORS: &str = "RFC 4120, 7.5.9: error codes of a KDC; recorded at MIT krb5";
const NAMENODE: (&str, &str) = ("CONFIG", "/dfs.namenode.kerberos.principal");
pub(super) const KERBEROS: &str = "it has no keytab of its own";

fn simple(
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark, &Hdfs) -> Seeded + Send + Sync + 'static,
) -> Fault {
    Fault::new(
        Kind::Hdfs,
        Family::Service,
        name,
        "Hadoop",
        expected,
        source,
        move |mark| Ok(seed(mark, Hdfs::shared())),
    )
}

fn secured(
    family: Family,
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark, &SecuredHdfs) -> Result<Seeded, Error> + Send + Sync + 'static,
) -> Fault {
    Fault::new(
        Kind::Hdfs,
        family,
        name,
        "Hadoop with Kerberos",
        expected,
        source,
        move |mark| seed(mark, SecuredHdfs::shared()),
    )
}

fn with_realm(mark: &Mark, hdfs: &SecuredHdfs, link: LinkStatement, url: String) -> Seeded {
    let conf = hdfs.kdc().krb5_conf();
    Seeded::read(mark, link, url).own_option("--krb5-conf", conf.display(), KERBEROS)
}

pub(super) fn faults() -> Vec<Fault> {
    [paths(), places(), logins(), realms()].concat()
}

fn paths() -> Vec<Fault> {
    let read = |name, path: &'static str, expected| {
        simple(name, expected, CLASSES, move |mark, hdfs| {
            Seeded::read(mark, link("bob"), hdfs.url(path))
        })
    };
    vec![
        read("path-missing", "/no/such/path", found("access.not-found")),
        read(
            "path-below-a-file",
            "/data/orders.csv/x",
            found("access.not-found"),
        ),
        read(
            "file-denied",
            PrivateFile.path(),
            found("read.denied").key(USER),
        ),
        read(
            "folder-denied",
            PrivateFolder.path(),
            found("access.denied").key(USER),
        ),
        read(
            "file-in-denied-folder",
            Enclosed.path(),
            found("access.denied").key(USER),
        ),
        simple(
            "write-denied",
            found("write.denied").key(USER),
            CLASSES,
            |mark, hdfs| {
                // The proof of it leaves nothing behind and needs no leave to write.
                let mut seeded = Seeded::write(mark, &link("bob"), &hdfs.url(Data));
                seeded.options.clear();
                seeded
            },
        ),
    ]
}

/// What may listen in the place of a `NameNode`.
fn places() -> Vec<Fault> {
    let at = |name, source, address: fn(&Hdfs) -> std::net::SocketAddr| {
        simple(
            name,
            found("access.not-this-service"),
            source,
            move |mark, hdfs| {
                Seeded::read(
                    mark,
                    link("alice"),
                    format!("hdfs://{}/data", address(hdfs)),
                )
            },
        )
    };
    vec![
        at(
            "datanode-in-its-place",
            "a DataNode hangs up on a call; recorded at Hadoop 3.4.3",
            |hdfs| hdfs.datanode(1).addr(),
        ),
        at(
            "web-port-in-its-place",
            "RFC 9112, 4: the answer begins with HTTP/; recorded at Hadoop 3.4.3",
            |hdfs| hdfs.web_addr(),
        ),
    ]
}

fn logins() -> Vec<Fault> {
    let url = |hdfs: &SecuredHdfs| hdfs.url(Orders);
    vec![
        secured(
            Family::Service,
            "login-required",
            found("authenticate.required").key(AUTHENTICATION),
            "Apache Hadoop, Client: `SIMPLE authentication is not enabled`; recorded at Hadoop 3.4.3",
            move |mark, hdfs| Ok(with_realm(mark, hdfs, hdfs.plain_link("l"), url(hdfs))),
        ),
        secured(
            Family::Service,
            "cluster-without-kerberos",
            found("authenticate.downgraded").key(AUTHENTICATION),
            "Apache Hadoop, Client: `Server asks us to fall back to SIMPLE auth`; recorded at Hadoop 3.4.3",
            |mark, hdfs| {
                Ok(with_realm(
                    mark,
                    hdfs,
                    hdfs.create_link_for("l", Alice),
                    Hdfs::shared().url(Orders),
                ))
            },
        ),
        secured(
            Family::Service,
            "namenode-of-another-name",
            found("authenticate.service-refused").key(NAMENODE),
            "Apache Hadoop, SaslRpcClient: the server's principal has to be the configured one",
            move |mark, hdfs| {
                let link = hdfs
                    .create_link_for("l", Alice)
                    .config("dfs.namenode.kerberos.principal", "hdfs/_HOST@X.TEST");
                Ok(with_realm(mark, hdfs, link, url(hdfs)))
            },
        ),
        secured(
            Family::Service,
            "transfer-unprotected",
            Expected::fail("authenticate.protection-mismatch")
                .at("datanode")
                .key(("CONFIG", "/dfs.data.transfer.protection")),
            "Apache Hadoop, hdfs-default.xml: dfs.data.transfer.protection has to meet that of the DataNodes",
            |mark, hdfs| {
                let link = hdfs
                    .create_link_for("l", Alice)
                    .without("dfs.data.transfer.protection");
                Ok(with_realm(mark, hdfs, link, hdfs.url(Data)))
            },
        ),
    ]
}

fn realms() -> Vec<Fault> {
    let kdc = |code| Expected::fail(code).at("kdc");
    let user = |name,
                expected,
                source,
                principal: &'static str,
                keytab: fn(&SecuredHdfs) -> Result<PathBuf, Error>| {
        secured(
            Family::Service,
            name,
            expected,
            source,
            move |mark, hdfs| {
                let link = hdfs
                    .create_link_for("l", Alice)
                    .config("kerberos.user", hdfs.kdc().principal(principal))
                    .config("kerberos.keytab", keytab(hdfs)?.display().to_string());
                Ok(with_realm(mark, hdfs, link, hdfs.url(Orders)))
            },
        )
    };
    let unreachable =
        |name, address: fn() -> (std::net::SocketAddr, Box<dyn std::any::Any + Send>)| {
            secured(
                Family::World,
                name,
                kdc("authenticate.kdc-unreachable"),
                "RFC 4120, 7.2: a KDC answers over UDP and TCP",
                move |mark, hdfs| {
                    let (address, server) = address();
                    let conf = hdfs.kdc().krb5_conf_with_kdc(address)?;
                    Ok(
                        Seeded::read(mark, hdfs.create_link_for("l", Alice), hdfs.url(Orders))
                            .own_option("--krb5-conf", conf.display(), KERBEROS)
                            .hold(server),
                    )
                },
            )
        };
    let mit = "MIT krb5, keytab file format: version, length and principal of each entry";
    vec![
        user(
            "keytab-stale",
            kdc("authenticate.keytab-stale").key(KEYTAB),
            KDC_ERRORS,
            "zoostale",
            |hdfs| hdfs.kdc().stale_keytab("zoostale"),
        ),
        user(
            "principal-unknown",
            kdc("authenticate.principal-unknown").key(USER),
            KDC_ERRORS,
            "zooghost",
            |hdfs| hdfs.kdc().unknown_keytab("zooghost"),
        ),
        user(
            "principal-locked",
            kdc("authenticate.method-disabled").key(USER),
            KDC_ERRORS,
            "zoolocked",
            |hdfs| hdfs.kdc().locked_keytab("zoolocked"),
        ),
        user(
            "principal-expired",
            kdc("authenticate.method-disabled").key(USER),
            KDC_ERRORS,
            "zooexpired",
            |hdfs| hdfs.kdc().expired_keytab("zooexpired"),
        ),
        user(
            "principal-not-in-keytab",
            Expected::define("define.principal-not-in-keytab", USER),
            mit,
            "bob",
            |hdfs| Ok(hdfs.keytab(Alice)),
        ),
        secured(
            Family::Service,
            "keytab-is-none",
            Expected::define("define.keytab-invalid", KEYTAB),
            mit,
            |mark, hdfs| {
                let folder = crate::Scratch::new("zoo-keytab")?;
                let file = folder.write("alice.keytab", "no keytab at all")?;
                let link = hdfs
                    .create_link_for("l", Alice)
                    .config("kerberos.keytab", file.display().to_string());
                Ok(with_realm(mark, hdfs, link, hdfs.url(Orders)).hold(folder))
            },
        ),
        unreachable("kdc-closed", || {
            let port = RefusedPort::start();
            (port.addr(), Box::new(port))
        }),
        unreachable("kdc-silent", || {
            let server = Broken::start(broken::Fault::Silent);
            (server.addr(), Box::new(server))
        })
        .silent(),
    ]
}
