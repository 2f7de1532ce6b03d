//! Faults of GCS links.

mod answers;
mod statement;

use super::{Expected, Fault, Mark};
use crate::LinkStatement;

const ACCESS_ID: (&str, &str) = ("CREDENTIALS", "/access_id");
const SECRET: (&str, &str) = ("CREDENTIALS", "/secret_key");
const KEY_FILE: (&str, &str) = ("CREDENTIALS", "/service_account_key");
const ENDPOINT: (&str, &str) = ("CONFIG", "/endpoint_url");

/// An id of an HMAC key of a user as Google makes them: 24 characters.
const ID: &str = "GOOG1ZOO0000000000000001";

/// What is found at the only endpoint.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("endpoint")
}

/// A link to a store at this address with a marked secret.
pub(super) fn link(mark: &Mark, url: &str) -> LinkStatement {
    LinkStatement::new("l", "GCS")
        .credential("access_id", ID)
        .credential("secret_key", mark.secret())
        .config("endpoint_url", url)
}

pub(super) fn faults() -> Vec<Fault> {
    [statement::faults(), answers::faults()].concat()
}
