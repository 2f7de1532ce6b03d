//! Faults of S3 links.

mod answers;
mod servers;
mod statement;

use super::{Expected, Fault, Mark};
use crate::LinkStatement;

const KEY_ID: (&str, &str) = ("CREDENTIALS", "/aws_access_key_id");
const SECRET: (&str, &str) = ("CREDENTIALS", "/aws_secret_access_key");
const TOKEN: (&str, &str) = ("CREDENTIALS", "/aws_session_token");
const ROLE: (&str, &str) = ("CREDENTIALS", "/role_arn");
const ENDPOINT: (&str, &str) = ("CONFIG", "/endpoint_url");
const REGION: (&str, &str) = ("CONFIG", "/region");
const SSE: (&str, &str) = ("CONFIG", "/x-amz-server-side-encryption");
const KMS_KEY: (&str, &str) = ("CONFIG", "/x-amz-server-side-encryption-aws-kms-key-id");
const CUSTOMER_KEY: (&str, &str) = ("CONFIG", "/x-amz-server-side-encryption-customer-key");

/// A long-lived key id as AWS makes them.
const ID: &str = "AKIAZ00000000000ZOO1";

/// A temporary one.
const TEMPORARY_ID: &str = "ASIAZ00000000000ZOO1";

/// What is found at the only endpoint.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("endpoint")
}

/// A link to a store at this address with a marked secret.
pub(super) fn link(mark: &Mark, url: &str) -> LinkStatement {
    LinkStatement::new("l", "S3")
        .credential("aws_access_key_id", ID)
        .credential("aws_secret_access_key", mark.secret())
        .config("endpoint_url", url)
        .config("region", "us-east-1")
}

/// The same with a temporary key pair and its token.
fn temporary(mark: &Mark, url: &str) -> LinkStatement {
    link(mark, url)
        .credential("aws_access_key_id", TEMPORARY_ID)
        .credential("aws_session_token", mark.secret())
}

pub(super) fn faults() -> Vec<Fault> {
    [statement::faults(), servers::faults(), answers::faults()].concat()
}
