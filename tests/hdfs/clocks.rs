//! Clocks that differ, and tickets that have ended.

use linkdial_testcontainers::HdfsPath::{Orders, PrivateFile};
use linkdial_testcontainers::HdfsUser::Alice;
use linkdial_testcontainers::{LinkStatement, SecuredHdfs, wrong_clock};
use serde_json::Value;

use crate::lab::{Case, evidence, fail, note, pass, path, verify, verify_in};

const CACHE: &str = "/hadoop.security.kerberos.ticket.cache.path";
const NAMENODE: &str = "/dfs.namenode.kerberos.principal";

fn by_keytab(name: &str) -> LinkStatement {
    SecuredHdfs::shared().create_link_for(name, Alice)
}

fn by_cache(name: &str, file: &std::path::Path) -> LinkStatement {
    by_keytab(name)
        .without("kerberos.keytab")
        .config("hadoop.security.kerberos.ticket.cache.path", path(file))
}

fn skewed(link: LinkStatement) -> Case {
    let url = SecuredHdfs::shared().url(Orders);
    fail(link, url, "authenticate.clock-skew", "kdc", "")
}

/// How far this machine is ahead of the KDC has to be told within some seconds, with its sign, by a check or
/// a step.
fn assert_skew(told: &Value, wanted: i64) {
    let message = told["diagnosis"]["message"].as_str().unwrap();
    let told = evidence(told, "skew_seconds");
    assert!(told.starts_with(['+', '-']), "{told}");
    let found: i64 = told.parse().unwrap();
    assert!((found - wanted).abs() <= 5, "{found} is not {wanted}");
    let way = if wanted < 0 { "behind" } else { "ahead of" };
    assert!(message.contains(way), "{message}");
}

#[test]
fn a_ticket_that_has_ended_is_told_from_one_that_is_missing() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let ended = kdc.expired_ticket_cache("alice").unwrap();
    let before = std::fs::read(&ended).unwrap();
    let missing = std::path::Path::new("/nonexistent/cache");
    let checks = verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            fail(
                by_cache("ended", &ended),
                hdfs.url(PrivateFile),
                "authenticate.token-expired",
                "",
                CACHE,
            ),
            fail(
                by_cache("missing", missing),
                hdfs.url(PrivateFile),
                "define.file-not-here",
                "",
                CACHE,
            )
            .verdict("unverified"),
        ],
    );
    assert_eq!(evidence(&checks[0], "principal"), kdc.principal("alice"));
    assert!(evidence(&checks[0], "ended").starts_with("20"));
    let hint = checks[0]["diagnosis"]["hint"].as_str().unwrap();
    assert!(hint.contains("kinit"), "{hint}");
    assert!(std::fs::read(&ended).unwrap() == before);
}

#[test]
fn a_kdc_whose_clock_is_wrong_is_told_with_seconds_and_sign() {
    let kdc = SecuredHdfs::shared().kdc();
    // Of a KDC that is right.
    let cache = kdc.ticket_cache("alice").unwrap();
    for seconds in [600, -600] {
        let wrong = kdc.with_wrong_clock(seconds).unwrap();
        let checks = verify(
            &["--krb5-conf", path(&wrong.krb5_conf())],
            &[
                skewed(by_keytab("keytab")),
                skewed(by_cache("cache", &cache)),
            ],
        );
        for check in &checks {
            assert_skew(check, -seconds);
            assert_eq!(evidence(check, "kdc"), wrong.addr().to_string());
        }
    }
}

/// libkrb5 goes by the clock of the KDC, gets a ticket and shows it to a NameNode whose clock is right.
#[test]
fn what_a_namenode_says_to_a_ticket_of_another_time() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let types = ["aes256-cts-hmac-sha384-192"];
    // linkdial leaves keys of this type to libkrb5.
    let keytab = kdc.keytab_of_types("timeless", &types).unwrap();
    let link = by_keytab("l")
        .config("kerberos.user", kdc.principal("timeless"))
        .config("kerberos.keytab", path(&keytab));
    let right = pass(link.clone(), hdfs.url(Orders));
    verify(&["--krb5-conf", path(&kdc.krb5_conf())], &[right]);
    for seconds in [600, -600] {
        let wrong = kdc.with_wrong_clock(seconds).unwrap();
        let case = fail(
            link.clone(),
            hdfs.url(Orders),
            "authenticate.service-refused",
            "namenode",
            NAMENODE,
        );
        let checks = verify(&["--krb5-conf", path(&wrong.krb5_conf())], &[case]);
        let said = evidence(&checks[0], "remote_message");
        assert!(said.contains("GSS initiate failed"), "{said}");
        // It says no more, and linkdial has seen the reason before.
        let steps = checks[0]["steps"].as_array().unwrap();
        let warned = steps
            .iter()
            .find(|step| step["diagnosis"]["code"] == "authenticate.clock-skew")
            .unwrap_or_else(|| panic!("{:#}", checks[0]));
        assert_eq!(warned["outcome"], "warn", "{warned:#}");
        assert_eq!(warned["role"], "kdc", "{warned:#}");
        assert_skew(warned, -seconds);
    }
}

#[test]
fn the_clock_of_this_machine_is_told_with_seconds_and_sign() {
    let hdfs = SecuredHdfs::shared();
    let kdc = hdfs.kdc();
    let cache = kdc.ticket_cache("alice").unwrap();
    let conf = kdc.krb5_conf();
    let verify_at = |seconds: i64, cases: &[Case]| {
        let variables = wrong_clock(seconds).unwrap();
        let variables = variables.each_ref().map(|it| (it.0, it.1.as_str()));
        verify_in(&["--krb5-conf", path(&conf)], cases, &variables)
    };
    for seconds in [360, -360] {
        let cases = [
            skewed(by_keytab("keytab")),
            skewed(by_cache("cache", &cache)),
        ];
        for check in &verify_at(seconds, &cases) {
            assert_skew(check, seconds);
        }
    }
    // What Kerberos takes is a note.
    let near = [pass(by_keytab("keytab"), hdfs.url(Orders))];
    let checks = verify_at(120, &near);
    let offset: i64 = note(&checks[0], "clock_offset_s").parse().unwrap();
    assert!((offset - 120).abs() <= 5, "{offset}");
    // A ticket is good for a day.
    let ended = fail(
        by_cache("cache", &cache),
        hdfs.url(Orders),
        "authenticate.token-expired",
        "",
        CACHE,
    );
    let day = 25 * 3600;
    let checks = verify_at(day, &[skewed(by_keytab("keytab")), ended]);
    assert_skew(&checks[0], day);
}
