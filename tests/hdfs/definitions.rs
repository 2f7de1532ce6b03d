//! Links that leave out what a login or a name service needs.

use linkdial_testcontainers::LinkStatement;

use crate::lab::{Case, fail, verify};

const AUTHENTICATION: &str = "hadoop.security.authentication";
const SERVICES: &str = "dfs.nameservices";
const NAMENODES: &str = "dfs.ha.namenodes.lake";

fn lacks(link: LinkStatement, key: &'static str) -> Case {
    fail(link, "hdfs://lake/data", "define.missing-key", "", key)
}

#[test]
fn what_a_link_leaves_out_is_named_by_its_key() {
    let link = |name: &str| LinkStatement::new(name, "HDFS").with_empty_credentials();
    let kerberos = |name: &str| link(name).config(AUTHENTICATION, "kerberos");
    let service = |name: &str| link(name).config(SERVICES, "lake");
    let nobody = service("address").config(NAMENODES, "nn1");
    verify(
        &[],
        &[
            lacks(kerberos("nothing"), "/kerberos.user"),
            lacks(
                kerberos("user").config("kerberos.user", "alice@LINKDIAL.TEST"),
                "/kerberos.keytab",
            ),
            lacks(
                kerberos("keytab").config("kerberos.keytab", "/etc/keytab"),
                "/kerberos.user",
            ),
            lacks(service("namenodes"), "/dfs.ha.namenodes.lake"),
            lacks(nobody, "/dfs.namenode.rpc-address.lake.nn1"),
        ],
    );
}
