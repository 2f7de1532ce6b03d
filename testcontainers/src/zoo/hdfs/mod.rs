//! Faults of HDFS links.

mod answers;
mod servers;
mod statement;

use super::{Expected, Fault};
use crate::LinkStatement;

const AUTHENTICATION: (&str, &str) = ("CONFIG", "/hadoop.security.authentication");
const USER: (&str, &str) = ("CONFIG", "/kerberos.user");
const KEYTAB: (&str, &str) = ("CONFIG", "/kerberos.keytab");

/// What is found at the `NameNode`.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("namenode")
}

/// A link without a login, as this user.
fn link(user: &str) -> LinkStatement {
    LinkStatement::new("l", "HDFS")
        .config("kerberos.user", user)
        .with_empty_credentials()
}

pub(super) fn faults() -> Vec<Fault> {
    [statement::faults(), servers::faults(), answers::faults()].concat()
}
