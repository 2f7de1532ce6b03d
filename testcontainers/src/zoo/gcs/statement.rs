//! Mistakes in the statement.

use super::super::{Expected, Fault, Kind, Mark, Seeded};
use super::{ACCESS_ID, ENDPOINT, ID, KEY_FILE, SECRET, link};
use crate::{LinkStatement, ServiceAccount};

const PAGE: &str = "SingleStore, CREATE LINK; Load data from GCS using a pipeline: HMAC keys only";
const HMAC: &str = "Cloud Storage, HMAC keys: ids start with GOOG, secrets are 40 characters";

fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: impl Fn(LinkStatement, &Mark) -> LinkStatement + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| {
        let link = change(link(mark, "https://127.0.0.1:9"), mark);
        Ok(Seeded::read(mark, link, "orders"))
    };
    Fault::undialled(Kind::Gcs, name, expected, source, seed)
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let define = Expected::define;
    let invalid = |key| define("define.invalid-value", key);
    vec![
        keys(
            "secret-missing",
            define("define.missing-key", SECRET),
            PAGE,
            |link, _| link.without("secret_key"),
        ),
        keys(
            "id-missing",
            define("define.missing-key", ACCESS_ID),
            PAGE,
            |link, _| link.without("access_id"),
        ),
        keys(
            "secret-misspelt",
            define("define.missing-key", ("CREDENTIALS", "/secret_kye")),
            PAGE,
            |link, mark| {
                link.without("secret_key")
                    .credential("secret_kye", mark.secret())
            },
        ),
        keys(
            "keys-of-s3",
            define("define.missing-key", ("CREDENTIALS", "/aws_access_key_id")),
            PAGE,
            |_, mark| {
                LinkStatement::new("l", "GCS")
                    .credential("aws_access_key_id", ID)
                    .credential("secret_key", mark.secret())
            },
        ),
        keys(
            "id-and-secret-swapped",
            invalid(ACCESS_ID),
            HMAC,
            |link, mark| {
                link.credential("access_id", mark.secret())
                    .credential("secret_key", ID)
            },
        ),
        keys(
            "id-in-quotes",
            define("define.stray-whitespace", ACCESS_ID),
            HMAC,
            |link, _| link.credential("access_id", format!("\"{ID}\"")),
        ),
        keys(
            "secret-with-space",
            define("define.stray-whitespace", SECRET),
            HMAC,
            |link, mark| link.credential("secret_key", format!(" {}", mark.secret())),
        ),
        keys(
            "secret-placeholder",
            define("define.placeholder-value", SECRET),
            "SingleStore, CREATE LINK: placeholders that begin with `your_`",
            |link, _| link.credential("secret_key", "your_google_secret_key"),
        ),
        keys(
            "region-in-words",
            invalid(("CONFIG", "/region")),
            "Cloud Storage, Bucket locations: codes of locations",
            |link, _| link.config("region", "South Carolina"),
        ),
        keys(
            "endpoint-of-s3",
            invalid(ENDPOINT),
            "AWS General Reference, Amazon S3 endpoints: amazonaws.com",
            |link, _| link.config("endpoint_url", "https://s3.us-east-1.amazonaws.com"),
        ),
        keys(
            "bucket-in-endpoint",
            invalid(ENDPOINT),
            "Cloud Storage, Request endpoints: BUCKET.storage.googleapis.com",
            |link, _| link.config("endpoint_url", "https://orders.storage.googleapis.com"),
        ),
        keys(
            "suffixes-as-text",
            define("define.wrong-type", ("CONFIG", "/suffixes")),
            PAGE,
            |link, _| link.config("suffixes", "csv"),
        ),
        keys(
            "two-identities",
            define("define.conflicting-keys", KEY_FILE),
            "Cloud Storage, Authentication: an HMAC key or a service account",
            |link, _| link.credential("service_account_key", ServiceAccount::shared().json()),
        ),
        keys(
            "key-file-cut",
            invalid(("CREDENTIALS", "/service_account_key/private_key")),
            "RFC 7468, 2: a PEM text ends with its END line",
            |link, _| {
                let account = ServiceAccount::shared();
                let mut json = account.json();
                json["private_key"] = account
                    .private_key_pem()
                    .chars()
                    .take(800)
                    .collect::<String>()
                    .into();
                link.without("access_id")
                    .without("secret_key")
                    .credential("service_account_key", json)
            },
        ),
        Fault::undialled(
            Kind::Gcs,
            "key-file-with-line-breaks",
            Expected::define(
                "define.raw-line-break",
                ("CREDENTIALS", "/service_account_key/private_key"),
            ),
            "MySQL, String Literals: `\\n` is a line break; RFC 8259, 7: a text holds none",
            |mark| {
                Ok(Seeded::script(
                    mark,
                    format!(
                        "CREATE LINK l AS GCS CREDENTIALS '{{\"service_account_key\":{{\"type\":\"service_account\",\
                 \"client_email\":\"zoo@zoo.iam.gserviceaccount.com\",\"private_key\":\
                 \"-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n\"}}}}';\n\
                 CREATE PIPELINE p AS LOAD DATA LINK l 'orders' INTO TABLE t;",
                        mark.word()
                    ),
                ))
            },
        ),
        Fault::undialled(
            Kind::Gcs,
            "target-of-http",
            Expected::fail("define.target-invalid"),
            "SingleStore, CREATE PIPELINE: 'bucket[/path]'",
            |mark| {
                Ok(Seeded::read(
                    mark,
                    link(mark, "https://127.0.0.1:9"),
                    "https://storage.googleapis.com/orders",
                ))
            },
        ),
    ]
}
