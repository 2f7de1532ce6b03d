//! Faults of KAFKA links.

mod answers;
mod broker;
mod servers;
mod statement;

use super::{Expected, Fault, Mark};
use crate::{Certificates, LinkStatement};

const PROTOCOL: (&str, &str) = ("CONFIG", "/security.protocol");
const MECHANISM: (&str, &str) = ("CONFIG", "/sasl.mechanism");
const USERNAME: (&str, &str) = ("CREDENTIALS", "/sasl.username");
const PASSWORD: (&str, &str) = ("CREDENTIALS", "/sasl.password");
const CA: (&str, &str) = ("CONFIG", "/ssl.ca.pem");

/// What is found at a bootstrap address.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("bootstrap")
}

/// A link that logs in with a marked password.
pub(super) fn link(mark: &Mark, tls: bool) -> LinkStatement {
    let link = LinkStatement::new("l", "KAFKA")
        .config("sasl.mechanism", "PLAIN")
        .credential("sasl.username", "zoo")
        .credential("sasl.password", mark.secret());
    if tls {
        link.config("security.protocol", "sasl_ssl")
            .config("ssl.ca.pem", Certificates::shared().ca_pem())
    } else {
        link.config("security.protocol", "sasl_plaintext")
    }
}

pub(super) fn faults() -> Vec<Fault> {
    [statement::faults(), servers::faults(), answers::faults()].concat()
}
