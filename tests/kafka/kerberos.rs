//! GSSAPI: a real KDC, and what becomes of keytabs, principals and silence.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use linkdial_testcontainers::KafkaListener::Gssapi;
use linkdial_testcontainers::KafkaUser::{Alice, Reader};
use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort};
use linkdial_testcontainers::{LinkStatement, SecuredKafka};

use crate::lab::{Case, evidence, fail, linkdial_in, note, pass, path, read, verify, with_json};

const KEYTAB: &str = "/sasl.kerberos.keytab";
const PRINCIPAL: &str = "/sasl.kerberos.principal";
const SERVICE: &str = "/sasl.kerberos.service.name";

fn orders(kafka: &SecuredKafka) -> String {
    format!("{}/orders", kafka.bootstrap_of(Gssapi))
}

fn alice(name: &str, keytab: &Path) -> LinkStatement {
    let kafka = SecuredKafka::shared();
    kafka
        .create_link_for(name, Gssapi, Alice)
        .config("sasl.kerberos.keytab", path(keytab))
}

#[test]
fn what_the_kdc_objects_to_is_named_by_its_key() {
    let kafka = SecuredKafka::shared();
    let kdc = kafka.kdc();
    let to = orders(kafka);
    let stale = kdc.stale_keytab("stale").unwrap();
    let unknown = kdc.unknown_keytab("ghost").unwrap();
    let as_other = |name: &str, principal: &str, keytab: &Path| {
        alice(name, keytab).config("sasl.kerberos.principal", kdc.principal(principal))
    };
    let service = kafka
        .create_link_for("service", Gssapi, Alice)
        .config("sasl.kerberos.service.name", "kafkaa");
    let realm = kafka
        .create_link_for("realm", Gssapi, Alice)
        .config("sasl.kerberos.principal", "alice@NOWHERE.TEST");
    let by_address = to.replace("localhost", "127.0.0.1");
    let checks = verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            fail(
                as_other("stale", "stale", &stale),
                to.clone(),
                "authenticate.keytab-stale",
                "kdc",
                KEYTAB,
            ),
            fail(
                as_other("ghost", "ghost", &unknown),
                to.clone(),
                "authenticate.principal-unknown",
                "kdc",
                PRINCIPAL,
            ),
            fail(
                service,
                to.clone(),
                "authenticate.service-unknown",
                "bootstrap",
                SERVICE,
            ),
            fail(realm, to, "define.principal-not-in-keytab", "", PRINCIPAL),
            // The broker's principal is that of its name.
            fail(
                kafka.create_link_for("address", Gssapi, Alice),
                by_address,
                "authenticate.service-unknown",
                "bootstrap",
                SERVICE,
            ),
        ],
    );
    assert!(evidence(&checks[2], "service").starts_with("kafkaa/localhost@"));
}

#[test]
fn a_kdc_that_is_down_is_no_broker() {
    let kafka = SecuredKafka::shared();
    let closed = RefusedPort::start();
    let conf = kafka.kdc().krb5_conf_with_kdc(closed.addr()).unwrap();
    let link = kafka.create_link_for("l", Gssapi, Alice);
    let case = fail(
        link,
        orders(kafka),
        "authenticate.kdc-unreachable",
        "kdc",
        "",
    );
    verify(&["--krb5-conf", path(&conf)], &[case]);
}

#[test]
fn a_silent_kdc_costs_one_stage() {
    let kafka = SecuredKafka::shared();
    let silent = Broken::start(Fault::Silent);
    let conf = kafka.kdc().krb5_conf_with_kdc(silent.addr()).unwrap();
    let link = kafka.create_link_for("l", Gssapi, Alice);
    let started = Instant::now();
    let case = fail(
        link,
        orders(kafka),
        "authenticate.kdc-unreachable",
        "kdc",
        "",
    );
    verify(&["--krb5-conf", path(&conf), "--timeout", "2s"], &[case]);
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_millis(4500), "{elapsed:?}");
}

/// Two links at once, each as itself; the environment of the caller counts for neither and nothing
/// is left in it.
#[test]
fn two_identities_at_once_never_mix_and_the_caller_has_no_part() {
    let kafka = SecuredKafka::shared();
    let kdc = kafka.kdc();
    let to = orders(kafka);
    let own = kdc.ticket_cache("nobody").unwrap();
    let before = std::fs::read(&own).unwrap();
    let stranger = kdc.keytab(&["stranger"]).unwrap();
    let cache = format!("FILE:{}", path(&own));
    let mut script = String::new();
    for number in 0..8 {
        // Only Alice may read `empty` and write; the rights tell who was let in.
        let user = if number % 2 == 0 { Alice } else { Reader };
        let link = kafka.create_link_for(&format!("l{number}"), Gssapi, user);
        writeln!(
            script,
            "{link}CREATE PIPELINE p{number} AS LOAD DATA LINK l{number} '{to}' INTO TABLE t;"
        )
        .unwrap();
    }
    let conf = kdc.krb5_conf();
    let environment = [
        ("KRB5CCNAME", cache.as_str()),
        ("KRB5_CLIENT_KTNAME", path(&stranger)),
        ("KRB5_KTNAME", path(&stranger)),
    ];
    let arguments = with_json(&["--krb5-conf", path(&conf)]);
    let report = read(&linkdial_in(&arguments, &script, &environment));
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 8);
    for (number, check) in checks.iter().enumerate() {
        assert_eq!(check["verdict"], "pass", "{check:#}");
        let allowed = note(check, "allowed");
        assert_eq!(allowed == "Read, Describe", number % 2 == 1, "{allowed}");
        assert!(note(check, "client").starts_with("librdkafka"));
    }
    assert_eq!(std::fs::read(&own).unwrap(), before);
    // The variable for the configuration is the one that counts where no option is given.
    let environment = [("KRB5_CONFIG", path(&conf))];
    let report = read(&linkdial_in(&with_json(&[]), &script, &environment));
    assert_eq!(report["summary"]["pass"], 8, "{report:#}");
}

#[test]
fn a_ticket_cache_serves_as_well_as_a_keytab() {
    let kafka = SecuredKafka::shared();
    let kdc = kafka.kdc();
    let files = ["alice", "reader"].map(|user| kdc.ticket_cache(user).unwrap());
    let cache = |name: &str, file: &Path| {
        kafka
            .create_link_for(name, Gssapi, Alice)
            .without("sasl.kerberos.keytab")
            .config("sasl.kerberos.ccache", format!("FILE:{}", path(file)))
    };
    let to = orders(kafka);
    let cases: [Case; 2] = [
        pass(cache("good", &files[0]), to.clone()),
        fail(
            cache("other", &files[1]),
            to,
            "authenticate.token-invalid",
            "",
            "/sasl.kerberos.ccache",
        ),
    ];
    let before: Vec<Vec<u8>> = files.iter().map(|it| std::fs::read(it).unwrap()).collect();
    let checks = verify(&["--krb5-conf", path(&kdc.krb5_conf())], &cases);
    assert!(note(&checks[0], "client").starts_with("librdkafka"));
    // The cache is read, and no ticket is left in it.
    let after: Vec<Vec<u8>> = files.iter().map(|it| std::fs::read(it).unwrap()).collect();
    assert!(before == after);
}

#[test]
fn a_kdc_of_several_that_is_down_is_a_warning() {
    let kafka = SecuredKafka::shared();
    let closed = RefusedPort::start();
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("krb5.conf");
    let text = std::fs::read_to_string(kafka.kdc().krb5_conf()).unwrap();
    let line = |address: SocketAddr| format!("kdc = {address}");
    let own = line(kafka.kdc().addr());
    assert!(text.contains(&own), "{text}");
    let both = text.replace(&own, &format!("{}\n{own}", line(closed.addr())));
    std::fs::write(&conf, both).unwrap();
    let link = kafka.create_link_for("l", Gssapi, Alice);
    let case = fail(
        link,
        orders(kafka),
        "authenticate.kdc-unreachable",
        "kdc",
        "",
    )
    .verdict("warn");
    verify(&["--krb5-conf", path(&conf)], &[case]);
}

/// Keys of types that only libkrb5 computes with: librdkafka logs in, and says what is wrong.
#[test]
fn keys_that_linkdial_can_not_use_are_left_to_librdkafka() {
    let kafka = SecuredKafka::shared();
    let kdc = kafka.kdc();
    let types = ["aes256-cts-hmac-sha384-192"];
    let keytab = kdc.keytab_of_types("sha2", &types).unwrap();
    let link = |name: &str| {
        let principal = kdc.principal("sha2");
        alice(name, &keytab).config("sasl.kerberos.principal", principal)
    };
    let brokers = kafka.bootstrap_of(Gssapi);
    let service = link("service").config("sasl.kerberos.service.name", "kafkaa");
    let checks = verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            pass(link("brokers"), brokers.clone()),
            // Nobody has given this principal any right.
            fail(
                link("topic"),
                format!("{brokers}/orders"),
                "access.denied",
                "bootstrap",
                "",
            ),
            fail(
                service,
                brokers,
                "authenticate.service-unknown",
                "bootstrap",
                SERVICE,
            ),
        ],
    );
    assert!(note(&checks[0], "client").starts_with("librdkafka"));
    assert!(note(&checks[0], "unproven").contains("encryption types"));
}
