//! Logins with Kerberos: a real KDC, and what becomes of keytabs, principals and silence.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use linkdial_testcontainers::HdfsPath::{Data, Orders, PrivateFile, Writable};
use linkdial_testcontainers::HdfsUser::{Alice, Bob};
use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort};
use linkdial_testcontainers::{
    DnsAnswer, DnsServer, Hdfs, HdfsOptions, LinkStatement, Scratch, SecuredHdfs,
};

use crate::lab::{fail, linkdial_in, note, pass, path, read, report, verify, with_json};
use crate::paths::{export, names};

const AUTHENTICATION: &str = "/hadoop.security.authentication";
const KEYTAB: &str = "/kerberos.keytab";
const USER: &str = "/kerberos.user";
const NAMENODE: &str = "/dfs.namenode.kerberos.principal";

fn alice(name: &str) -> LinkStatement {
    SecuredHdfs::shared().create_link_for(name, Alice)
}

fn as_other(name: &str, principal: &str, keytab: &Path) -> LinkStatement {
    let kdc = SecuredHdfs::shared().kdc();
    alice(name)
        .config("kerberos.user", kdc.principal(principal))
        .config("kerberos.keytab", path(keytab))
}

#[test]
fn users_get_what_is_theirs() {
    let hdfs = SecuredHdfs::shared();
    let before = names(hdfs);
    let conf = hdfs.kdc().krb5_conf();
    let bob = |name: &str| hdfs.create_link_for(name, Bob);
    let bare = alice("bare").config("kerberos.user", "alice");
    let by_address = hdfs.url(Orders).replace("localhost", "127.0.0.1");
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[
            pass(alice("own"), hdfs.url(PrivateFile)),
            pass(bob("folder"), hdfs.url(Data)),
            fail(
                bob("private"),
                hdfs.url(PrivateFile),
                "read.denied",
                "namenode",
                USER,
            ),
            pass(bare, hdfs.url(Orders)),
            // The NameNode itself says which service it is.
            pass(alice("address"), by_address),
        ],
    );
    assert_eq!(note(&checks[0], "principal"), hdfs.kdc().principal("alice"));
    assert_eq!(note(&checks[0], "service"), "nn/localhost");
    let script = export(&alice("own"), &hdfs.url(Data)) + &export(&bob("other"), &hdfs.url(Data));
    let report = report(&["--krb5-conf", path(&conf)], &script);
    assert_eq!(report["checks"][0]["verdict"], "pass", "{report:#}");
    assert_eq!(report["checks"][1]["code"], "write.denied", "{report:#}");
    let script = export(&alice("sentinel"), &hdfs.url(Writable));
    let report = crate::lab::report(&["--krb5-conf", path(&conf), "--write"], &script);
    assert_eq!(report["checks"][0]["verdict"], "pass", "{report:#}");
    assert_eq!(names(hdfs), before);
}

#[test]
fn what_the_realm_objects_to_is_named_by_its_key() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let url = || hdfs.url(Orders);
    let stale = kdc.stale_keytab("stale").unwrap();
    let unknown = kdc.unknown_keytab("ghost").unwrap();
    let locked = kdc.locked_keytab("locked").unwrap();
    let expired = kdc.expired_keytab("expired").unwrap();
    let own = hdfs.keytab(Alice);
    let folder = Scratch::new("hdfs-keytabs").unwrap();
    folder.write("garbage", "no keytab at all").unwrap();
    folder.write("empty", "").unwrap();
    let file = |name: &str| folder.path().join(name);
    let realm = alice("realm").config("kerberos.user", "alice@NOWHERE.TEST");
    let namenode = |name: &str, principal: &str| {
        alice(name).config("dfs.namenode.kerberos.principal", principal)
    };
    let host = format!("nn/_HOST@{}", kdc.realm());
    let pattern = |name: &str, pattern: &str| {
        namenode(name, "any/thing").config("dfs.namenode.kerberos.principal.pattern", pattern)
    };
    verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            fail(
                as_other("stale", "stale", &stale),
                url(),
                "authenticate.keytab-stale",
                "kdc",
                KEYTAB,
            ),
            fail(
                as_other("ghost", "ghost", &unknown),
                url(),
                "authenticate.principal-unknown",
                "kdc",
                USER,
            ),
            fail(
                as_other("locked", "locked", &locked),
                url(),
                "authenticate.method-disabled",
                "kdc",
                USER,
            ),
            fail(
                as_other("expired", "expired", &expired),
                url(),
                "authenticate.method-disabled",
                "kdc",
                USER,
            ),
            fail(
                as_other("other", "bob", &own),
                url(),
                "define.principal-not-in-keytab",
                "",
                USER,
            ),
            fail(realm, url(), "define.principal-not-in-keytab", "", USER),
            fail(
                as_other("garbage", "alice", &file("garbage")),
                url(),
                "define.keytab-invalid",
                "",
                KEYTAB,
            ),
            fail(
                as_other("empty", "alice", &file("empty")),
                url(),
                "define.keytab-invalid",
                "",
                KEYTAB,
            ),
            fail(
                namenode("service", "hdfs/_HOST@X.TEST"),
                url(),
                "authenticate.service-refused",
                "namenode",
                NAMENODE,
            ),
            pass(namenode("host", &host), url()),
            pass(pattern("pattern", "nn/*@LINKDIAL.TEST"), url()),
            fail(
                pattern("other_pattern", "nn/*@OTHER.TEST"),
                url(),
                "authenticate.service-refused",
                "namenode",
                "/dfs.namenode.kerberos.principal.pattern",
            ),
        ],
    );
}

#[test]
fn a_link_without_kerberos_and_a_cluster_without_it_are_told_apart() {
    let hdfs = SecuredHdfs::shared();
    let open = Hdfs::shared();
    let conf = hdfs.kdc().krb5_conf();
    let simple = hdfs.plain_link("simple");
    let fallback = alice("fallback").config("ipc.client.fallback-to-simple-auth-allowed", true);
    verify(
        &["--krb5-conf", path(&conf)],
        &[
            fail(
                simple,
                hdfs.url(Orders),
                "authenticate.required",
                "namenode",
                AUTHENTICATION,
            ),
            fail(
                alice("kerberos"),
                open.url(Orders),
                "authenticate.downgraded",
                "namenode",
                AUTHENTICATION,
            ),
            // The keytab would never be opened there.
            fail(
                alice("no_keytab").config("kerberos.keytab", "/nonexistent/keytab"),
                open.url(Orders),
                "authenticate.downgraded",
                "namenode",
                AUTHENTICATION,
            ),
            fail(
                fallback,
                open.url(Orders),
                "authenticate.downgraded",
                "namenode",
                AUTHENTICATION,
            )
            .verdict("warn"),
        ],
    );
}

#[test]
fn a_kdc_that_is_down_or_silent_costs_one_stage() {
    let hdfs = SecuredHdfs::shared();
    let closed = RefusedPort::start();
    let silent = Broken::start(Fault::Silent);
    for address in [closed.addr(), silent.addr()] {
        let conf = hdfs.kdc().krb5_conf_with_kdc(address).unwrap();
        let started = Instant::now();
        let case = fail(
            alice("l"),
            hdfs.url(Orders),
            "authenticate.kdc-unreachable",
            "kdc",
            "",
        );
        verify(&["--krb5-conf", path(&conf), "--timeout", "2s"], &[case]);
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_millis(4500), "{elapsed:?}");
    }
}

#[test]
fn a_ticket_cache_serves_as_well_as_a_keytab() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let files = ["alice", "bob"].map(|user| kdc.ticket_cache(user).unwrap());
    let before = files.clone().map(|file| std::fs::read(file).unwrap());
    let cache = |name: &str, file: &Path| {
        alice(name)
            .without("kerberos.keytab")
            .config("hadoop.security.kerberos.ticket.cache.path", path(file))
    };
    verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            pass(cache("good", &files[0]), hdfs.url(PrivateFile)),
            pass(
                cache("owner", &files[0]).without("kerberos.user"),
                hdfs.url(PrivateFile),
            ),
            fail(
                cache("other", &files[1]),
                hdfs.url(PrivateFile),
                "authenticate.token-invalid",
                "",
                "/hadoop.security.kerberos.ticket.cache.path",
            ),
        ],
    );
    // The cache is read, and no ticket is left in it.
    assert!(files.map(|file| std::fs::read(file).unwrap()) == before);
}

/// The environment of the caller counts for nothing, and identities never mix.
#[test]
fn fifty_links_with_five_keytabs_at_once_each_as_itself() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let own = kdc.ticket_cache("nobody").unwrap();
    let stranger = kdc.keytab(&["stranger"]).unwrap();
    let mut script = String::new();
    let others: Vec<_> = (0..3)
        .map(|number| {
            let name = format!("loader{number}");
            let keytab = kdc.keytab(&[&name]).unwrap();
            (name, keytab)
        })
        .collect();
    for number in 0..50 {
        let name = format!("l{number}");
        let link = match number % 5 {
            0 => hdfs.create_link_for(&name, Alice),
            1 => hdfs.create_link_for(&name, Bob),
            other => {
                let (user, keytab) = &others[other - 2];
                as_other(&name, user, keytab)
            }
        };
        let url = hdfs.url(PrivateFile);
        writeln!(
            script,
            "{link}CREATE PIPELINE p{number} AS LOAD DATA LINK {name} '{url}' INTO TABLE t;"
        )
        .unwrap();
    }
    let cache = format!("FILE:{}", path(&own));
    let environment = [
        ("KRB5CCNAME", cache.as_str()),
        ("KRB5_CLIENT_KTNAME", path(&stranger)),
        ("HADOOP_USER_NAME", "alice"),
        ("HADOOP_PROXY_USER", "alice"),
        ("HADOOP_CONF_DIR", "/nonexistent"),
    ];
    let conf = kdc.krb5_conf();
    let arguments = with_json(&[
        "--krb5-conf",
        path(&conf),
        "--jobs",
        "50",
        "--jobs-per-host",
        "50",
    ]);
    let report = read(&linkdial_in(&arguments, &script, &environment));
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 50);
    for (number, check) in checks.iter().enumerate() {
        // Only Alice may read it.
        let verdict = if number % 5 == 0 { "pass" } else { "fail" };
        assert_eq!(check["verdict"], verdict, "{check:#}");
        if number % 5 != 0 {
            assert_eq!(check["code"], "read.denied", "{check:#}");
        }
        let user = ["alice", "bob", "loader0", "loader1", "loader2"][number % 5];
        assert_eq!(note(check, "principal"), kdc.principal(user));
    }
}

/// The example of SingleStore's documentation, letter for letter: its keytab is a file of the cluster.
#[test]
fn what_is_only_on_the_cluster_is_unverified() {
    let hdfs = SecuredHdfs::shared();
    let conf = hdfs.kdc().krb5_conf();
    let page = include_str!("../sql/vendor_page.sql").lines();
    let mut page = page.filter(|line| line.starts_with("CREATE LINK hdfs"));
    let page = page.next().unwrap();
    let report = report(&["--krb5-conf", path(&conf)], page);
    let check = &report["checks"][0];
    assert_eq!(check["verdict"], "unverified", "{report:#}");
    let codes = check["steps"].to_string();
    for code in [
        "define.file-not-here",
        "define.no-target",
        "authenticate.realm-unknown",
    ] {
        assert!(codes.contains(code), "{code} in {report:#}");
    }
    // With a target and a realm that is known, everything but the login is proved.
    let namenode = "\"dfs.namenode.kerberos.principal\": \"";
    let own = page
        .replace("user@masked_host", &hdfs.kdc().principal("alice"))
        .replace(&format!("{namenode}hdfs"), &format!("{namenode}nn"));
    let script = format!(
        "{own}\nCREATE PIPELINE p AS LOAD DATA LINK hdfs '{}' INTO TABLE t;",
        hdfs.url(Orders)
    );
    let report = crate::lab::report(&["--krb5-conf", path(&conf)], &script);
    let check = &report["checks"][0];
    assert_eq!(check["verdict"], "unverified", "{report:#}");
    assert_eq!(check["code"], "define.file-not-here", "{report:#}");
    assert_eq!(note(check, "service"), "nn/localhost");
    assert!(note(check, "unproven").contains("nodes of the cluster"));
    // A copy of the file is as good as the file.
    let copy = format!(
        "/opt/software/adkeytabs/user.keytab={}",
        path(&hdfs.keytab(Alice))
    );
    let arguments = ["--krb5-conf", path(&conf), "--file", &copy];
    let script = script.replace("@masked_host", &format!("@{}", hdfs.kdc().realm()));
    let report = crate::lab::report(
        &arguments,
        &script.replace(
            "\"dfs.client",
            "\"dfs.data.transfer.protection\": \"authentication\",\"dfs.client",
        ),
    );
    assert_eq!(report["checks"][0]["verdict"], "pass", "{report:#}");
}

#[test]
fn a_realm_without_a_kdc_is_named() {
    let hdfs = SecuredHdfs::shared();
    let folder = Scratch::new("hdfs-conf").unwrap();
    let text = "[libdefaults]\n default_realm = LINKDIAL.TEST\n dns_lookup_kdc = false\n";
    folder.write("krb5.conf", text).unwrap();
    let conf = folder.path().join("krb5.conf");
    let case = fail(
        alice("l"),
        hdfs.url(Orders),
        "authenticate.realm-unknown",
        "",
        USER,
    );
    verify(&["--krb5-conf", path(&conf)], &[case]);
    // Where the file names none, DNS is asked.
    let silent = folder.write("silent.conf", "[libdefaults]\n").unwrap();
    let dns = DnsServer::always(DnsAnswer::NotFound);
    let server = dns.addr().to_string();
    let case = fail(
        alice("l"),
        hdfs.url(Orders),
        "authenticate.realm-unknown",
        "kdc",
        USER,
    );
    let arguments = ["--krb5-conf", path(&silent), "--dns-server", &server];
    verify(&arguments, &[case]);
    assert!(dns.queries() > 0);
}

/// The NameNode's own keytab is out of date, then the KDC knows the NameNode no more.
#[test]
fn what_is_wrong_with_the_namenodes_own_key_is_not_the_links_fault() {
    let hdfs = SecuredHdfs::start().unwrap();
    let kdc = hdfs.kdc();
    let conf = kdc.krb5_conf();
    let link = hdfs.create_link_for("l", Alice);
    kdc.stale_keytab("nn/localhost").unwrap();
    let refused = fail(
        link.clone(),
        hdfs.url(Orders),
        "authenticate.service-refused",
        "namenode",
        NAMENODE,
    );
    verify(&["--krb5-conf", path(&conf)], &[refused]);
    kdc.unknown_keytab("nn/localhost").unwrap();
    let unknown = fail(
        link,
        hdfs.url(Orders),
        "authenticate.service-unknown",
        "namenode",
        NAMENODE,
    );
    verify(&["--krb5-conf", path(&conf)], &[unknown]);
}

/// A cluster may let somebody log in and then do nothing at all.
#[test]
fn a_user_whom_the_service_is_not_for_is_named() {
    let hdfs = HdfsOptions::default()
        .property("hadoop.security.authorization", "true")
        .property("security.client.protocol.acl", "nobody-else")
        .start()
        .unwrap();
    let link = hdfs.create_link("l").config("kerberos.user", "alice");
    let case = fail(link, hdfs.url(Orders), "access.denied", "namenode", USER);
    verify(&[], &[case]);
}
