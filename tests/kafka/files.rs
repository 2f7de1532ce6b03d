//! Files that belong to the cluster's nodes.

use linkdial_testcontainers::KafkaListener::{Gssapi, MutualTls};
use linkdial_testcontainers::KafkaUser::Alice;
use linkdial_testcontainers::SecuredKafka;
use serde_json::Value;

use crate::lab::{fail, note, pass, path, verify};

const THERE: &str = "/etc/kafka/none/of/this/machine";

fn codes(check: &Value) -> Vec<&str> {
    let steps = check["steps"].as_array().unwrap().iter();
    steps
        .filter_map(|step| step["diagnosis"]["code"].as_str())
        .collect()
}

#[test]
fn a_file_of_the_nodes_is_unverified_and_mapped_by_an_option() {
    let kafka = SecuredKafka::shared();
    let mutual = kafka.create_link_with_files("mutual", MutualTls, Alice);
    let gssapi = kafka.create_link_with_files("gssapi", Gssapi, Alice);
    let keytab = gssapi.to_string();
    let keytab = keytab
        .split('"')
        .find(|it| it.ends_with(".keytab"))
        .unwrap()
        .to_owned();
    let here = gssapi.clone().config("sasl.kerberos.keytab", THERE);
    let to = |listener| format!("{}/orders", kafka.bootstrap_of(listener));
    let conf = kafka.kdc().krb5_conf();
    let missing = "define.file-not-here";
    let checks = verify(
        &["--krb5-conf", path(&conf)],
        &[
            fail(
                mutual.clone().config("ssl.ca.location", THERE),
                to(MutualTls),
                missing,
                "",
                "/ssl.ca.location",
            )
            .verdict("unverified"),
            fail(
                here.clone(),
                to(Gssapi),
                missing,
                "",
                "/sasl.kerberos.keytab",
            )
            .verdict("unverified"),
        ],
    );
    // The rest was proved: the KDC knows the principal, the broker offers the mechanism.
    assert_eq!(codes(&checks[1]), [missing, "define.identity-not-here"]);
    assert!(note(&checks[1], "krb5_conf").ends_with("krb5.conf"));
    let map = format!("{THERE}={keytab}");
    let checks = verify(
        &["--krb5-conf", path(&conf), "--file", &map],
        &[pass(here, to(Gssapi))],
    );
    assert!(note(&checks[0], "client").starts_with("librdkafka"));
}

#[test]
fn a_keytab_that_is_here_and_wrong_fails() {
    let kafka = SecuredKafka::shared();
    let kdc = kafka.kdc();
    let folder = tempfile::tempdir().unwrap();
    let rubbish = folder.path().join("rubbish.keytab");
    std::fs::write(&rubbish, "no keytab").unwrap();
    let other = kdc.keytab(&["somebody"]).unwrap();
    let link = |name: &str, keytab: &std::path::Path| {
        kafka
            .create_link_for(name, Gssapi, Alice)
            .config("sasl.kerberos.keytab", path(keytab))
    };
    let to = format!("{}/orders", kafka.bootstrap_of(Gssapi));
    let key = "/sasl.kerberos.keytab";
    verify(
        &["--krb5-conf", path(&kdc.krb5_conf())],
        &[
            fail(
                link("rubbish", &rubbish),
                to.clone(),
                "define.keytab-invalid",
                "",
                key,
            ),
            fail(
                link("other", &other),
                to,
                "define.principal-not-in-keytab",
                "",
                key,
            ),
        ],
    );
}
