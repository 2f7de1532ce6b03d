//! Faults of AZURE links.

mod answers;
mod statement;

use super::{Expected, Fault, Mark, Seeded};
use crate::LinkStatement;

const ACCOUNT: (&str, &str) = ("CREDENTIALS", "/account_name");
const KEY: (&str, &str) = ("CREDENTIALS", "/account_key");
const SAS: (&str, &str) = ("CREDENTIALS", "/sas_token");
const ENDPOINT: (&str, &str) = ("CONFIG", "/endpoint_url");

/// The account of links that go to no Azurite.
const NAME: &str = "zooaccount";

/// What is found at the only endpoint.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("endpoint")
}

/// A link to a blob service at this address, the account in its path, with a marked key.
pub(super) fn link(mark: &Mark, url: &str) -> LinkStatement {
    LinkStatement::new("l", "AZURE")
        .credential("account_name", NAME)
        .credential("account_key", mark.base64(64))
        .config("endpoint_url", format!("{url}/{NAME}"))
}

/// A pipeline of such a link.
pub(super) fn read(mark: &Mark, link: LinkStatement) -> Seeded {
    Seeded::read(mark, link, "orders/2026/").secret(mark.base64(64))
}

/// A shared access signature with a marked signature that may do so much.
fn signature(mark: &Mark, parameters: &str) -> String {
    let signature = mark.base64(32).replace('=', "%3D");
    format!("sv=2024-11-04&{parameters}&sig={signature}")
}

/// The same link with a signature in the place of the key.
fn signed(mark: &Mark, url: &str, parameters: &str) -> LinkStatement {
    link(mark, url)
        .without("account_key")
        .credential("sas_token", signature(mark, parameters))
}

pub(super) fn faults() -> Vec<Fault> {
    [statement::faults(), answers::faults()].concat()
}
