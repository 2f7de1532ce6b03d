//! Mistakes in the statement. What SQL and JSON themselves forbid stands here for all kinds.

use super::super::{Expected, Family, Fault, Kind, Mark, SSE_C, Seeded};
use super::{
    CUSTOMER_KEY, ENDPOINT, ID, KEY_ID, KMS_KEY, REGION, ROLE, SECRET, SSE, TEMPORARY_ID, TOKEN,
    link,
};
use crate::{LinkStatement, Minio, User};

const PAGE: &str = "SingleStore, CREATE LINK";
const MYSQL: &str = "SingleStore, CREATE LINK: grammar; strings as in MySQL, String Literals";
const JSON: &str = "RFC 8259, 2 to 7: grammar of JSON";
const IDS: &str = "AWS IAM User Guide, IAM identifiers: unique IDs, AKIA and ASIA";

/// Where links go that are refused before a packet is sent.
const NOWHERE: &str = "https://127.0.0.1:9";

fn mistake(
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark) -> Seeded + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| Ok(seed(mark));
    Fault::undialled(Kind::S3, name, expected, source, seed)
}

/// A mistake in a text of SQL.
fn text(name: &str, expected: Expected, source: &'static str, script: fn(&str) -> String) -> Fault {
    mistake(name, expected, source, move |mark| {
        Seeded::script(mark, script(&mark.word()))
    })
}

/// A mistake in the keys of a link.
fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: impl Fn(LinkStatement, &Mark) -> LinkStatement + Send + Sync + 'static,
) -> Fault {
    mistake(name, expected, source, move |mark| {
        Seeded::read(mark, change(link(mark, NOWHERE), mark), "orders")
    })
}

/// A mistake that only warns: the link works at a store.
fn works(
    name: &str,
    expected: Expected,
    source: &'static str,
    target: &'static str,
    change: fn(LinkStatement) -> LinkStatement,
) -> Fault {
    let seed = move |mark: &Mark| {
        let login = User::ReadOnly.login();
        let link = change(Minio::shared().create_link("l", &login));
        Ok(Seeded::read(mark, link, target).secret(login.secret_access_key))
    };
    Fault::new(
        Kind::S3,
        Family::Statement,
        name,
        "MinIO",
        expected.warn(),
        source,
        seed,
    )
}

pub(super) fn faults() -> Vec<Fault> {
    [in_sql(), in_json(), in_keys(), in_encryption(), warnings()].concat()
}

fn in_sql() -> Vec<Fault> {
    let sql = Expected::sql;
    vec![
        text(
            "typographic-quote",
            sql("sql.typographic-quote"),
            "SingleStore, CREATE LINK: the S3 example's quote before CONFIG's brace is a typographic one",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\"}}' CONFIG \u{2018}{{\"region\":\"us-east-1\"}}';"
                )
            },
        ),
        text(
            "quote-not-closed",
            sql("sql.unterminated-string"),
            "SingleStore, CREATE LINK: the GCS example's CREDENTIALS lack the closing quote",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\"}};"
                )
            },
        ),
        text(
            "keyword-glued",
            sql("sql.glued-keyword"),
            "SingleStore, CREATE LINK: an example copied from a page that lost its line breaks",
            |secret| {
                format!(
                    "CREATE LINK l AS S3CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\"}}';"
                )
            },
        ),
        text(
            "clause-twice",
            sql("sql.duplicate-clause"),
            MYSQL,
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CONFIG '{{}}' CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\"}}' CONFIG '{{}}';"
                )
            },
        ),
        text("clauses-missing", sql("sql.missing-clause"), MYSQL, |_| {
            "CREATE LINK l AS S3;".to_owned()
        }),
        text("kind-misspelt", sql("sql.unknown-kind"), MYSQL, |secret| {
            format!(
                "CREATE LINK l AS AWS CREDENTIALS '{{\"aws_secret_access_key\":\"{secret}\"}}';"
            )
        }),
        text(
            "replace-and-if-not-exists",
            sql("sql.replace-and-if-not-exists"),
            "SingleStore, CREATE LINK: OR REPLACE and IF NOT EXISTS exclude each other",
            |secret| {
                format!(
                    "CREATE OR REPLACE LINK IF NOT EXISTS l AS S3 CREDENTIALS '{{\"aws_secret_access_key\":\"{secret}\"}}';"
                )
            },
        ),
        text(
            "credentials-redacted",
            sql("sql.redacted-credentials"),
            "SingleStore, SHOW CREATE LINK: CREDENTIALS <CREDENTIALS REDACTED>",
            |_| {
                "CREATE LINK l AS S3 CONFIG '{\"region\":\"us-east-1\"}' CREDENTIALS <CREDENTIALS REDACTED>;".to_owned()
            },
        ),
        text(
            "variable-unfilled",
            sql("sql.unbound-variable"),
            "linkdial: `${NAME}` is filled by --var, --vars and --vars-env",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{secret}\",\"aws_secret_access_key\":\"${{ZOO_UNSET}}\"}}';"
                )
            },
        ),
    ]
}

fn in_json() -> Vec<Fault> {
    let whole = ("CREDENTIALS", "");
    let invalid = Expected::define("define.invalid-json", whole);
    vec![
        text("comma-at-end", invalid, JSON, |secret| {
            format!(
                "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\",}}' CONFIG '{{\"region\":\"us-east-1\"}}';"
            )
        }),
        text("single-quotes-in-json", invalid, JSON, |secret| {
            format!(
                "CREATE LINK l AS S3 CREDENTIALS \"{{'aws_access_key_id':'{ID}','aws_secret_access_key':'{secret}'}}\" CONFIG '{{\"region\":\"us-east-1\"}}';"
            )
        }),
        text("list-for-object", invalid, JSON, |secret| {
            format!(
                "CREATE LINK l AS S3 CREDENTIALS '[\"{ID}\",\"{secret}\"]' CONFIG '{{\"region\":\"us-east-1\"}}';"
            )
        }),
        text(
            "backslash-once",
            invalid,
            "MySQL, String Literals: SQL takes one backslash away; RFC 8259, 7: `\\c` is no escape",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\\\\cd\"}}' CONFIG '{{\"region\":\"us-east-1\"}}';"
                )
            },
        ),
        text(
            "line-break-in-secret",
            Expected::define("define.raw-line-break", SECRET),
            "MySQL, String Literals: `\\n` is a line break; RFC 8259, 7: a text holds none",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\\n{secret}\"}}' CONFIG '{{\"region\":\"us-east-1\"}}';"
                )
            },
        ),
        text(
            "key-twice",
            Expected::define("define.duplicate-key", SECRET),
            "RFC 8259, 4: names of an object should be unique",
            |secret| {
                format!(
                    "CREATE LINK l AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{ID}\",\"aws_secret_access_key\":\"{secret}\",\"aws_secret_access_key\":\"{secret}2\"}}' CONFIG '{{\"region\":\"us-east-1\"}}';"
                )
            },
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn in_keys() -> Vec<Fault> {
    let define = Expected::define;
    vec![
        keys(
            "secret-key-misspelt",
            define(
                "define.missing-key",
                ("CREDENTIALS", "/aws_secret_acess_key"),
            ),
            PAGE,
            |link, mark| {
                link.without("aws_secret_access_key")
                    .credential("aws_secret_acess_key", mark.secret())
            },
        ),
        keys(
            "secret-missing",
            define("define.missing-key", SECRET),
            PAGE,
            |link, _| link.without("aws_secret_access_key"),
        ),
        keys(
            "id-missing",
            define("define.missing-key", KEY_ID),
            PAGE,
            |link, _| link.without("aws_access_key_id"),
        ),
        keys(
            "temporary-without-token",
            define("define.temporary-key-without-token", TOKEN),
            IDS,
            |link, _| link.credential("aws_access_key_id", TEMPORARY_ID),
        ),
        keys(
            "id-placeholder",
            define("define.placeholder-value", KEY_ID),
            "SingleStore, CREATE LINK: `your_access_key_id` of the examples",
            |link, _| link.credential("aws_access_key_id", "your_access_key_id"),
        ),
        keys(
            "secret-placeholder",
            define("define.placeholder-value", SECRET),
            "SingleStore, CREATE LINK: placeholders in angle brackets",
            |link, _| link.credential("aws_secret_access_key", "<secret>"),
        ),
        keys(
            "id-with-space",
            define("define.stray-whitespace", KEY_ID),
            IDS,
            |link, _| link.credential("aws_access_key_id", format!("{ID} ")),
        ),
        keys(
            "secret-with-line-feed",
            define("define.stray-whitespace", SECRET),
            "echo(1): writes a line feed behind its text",
            |link, mark| link.credential("aws_secret_access_key", format!("{}\n", mark.word())),
        ),
        keys(
            "secret-with-byte-order-mark",
            define("define.stray-whitespace", SECRET),
            "RFC 3629, 6: a byte order mark in front of a text",
            |link, mark| {
                link.credential("aws_secret_access_key", format!("\u{feff}{}", mark.word()))
            },
        ),
        keys(
            "id-and-secret-swapped",
            define("define.invalid-value", KEY_ID),
            IDS,
            |link, mark| {
                link.credential("aws_access_key_id", mark.secret())
                    .credential("aws_secret_access_key", ID)
            },
        ),
        keys(
            "region-in-words",
            define("define.invalid-value", REGION),
            "AWS General Reference, Amazon S3 endpoints and quotas: codes of regions",
            |link, _| link.config("region", "US East (N. Virginia)"),
        ),
        keys(
            "endpoint-without-scheme",
            define("define.invalid-value", ENDPOINT),
            PAGE,
            |link, _| link.config("endpoint_url", "minio.example.com:9000"),
        ),
        keys(
            "path-style-in-words",
            define("define.wrong-type", ("CONFIG", "/s3_force_path_style")),
            PAGE,
            |link, _| link.config("s3_force_path_style", "yes"),
        ),
        keys(
            "suffixes-as-text",
            define("define.wrong-type", ("CONFIG", "/suffixes")),
            "SingleStore, Azure Blob pipelines: suffixes is an array",
            |link, _| link.config("suffixes", "csv"),
        ),
        keys(
            "role-of-a-user",
            define("define.invalid-value", ROLE),
            "AWS IAM User Guide, IAM identifiers: ARN of a role",
            |link, _| link.credential("role_arn", "arn:aws:iam::123456789012:user/loader"),
        ),
        keys(
            "pair-and-cluster-identity",
            define("define.conflicting-keys", KEY_ID),
            "SingleStore Operator, Enable EKS IRSA: creds_mode stands in for a key pair",
            |link, _| link.config("creds_mode", "eks_irsa"),
        ),
        mistake(
            "target-with-space",
            Expected::fail("define.target-invalid"),
            "Amazon S3 User Guide, General purpose bucket naming rules: letters, digits, dots, hyphens",
            |mark| Seeded::read(mark, link(mark, NOWHERE), "my orders/2026"),
        ),
    ]
}

fn in_encryption() -> Vec<Fault> {
    let define = Expected::define;
    let customer = |link: LinkStatement, key: String, md5: &str| {
        link.config("x-amz-server-side-encryption-customer-algorithm", "AES256")
            .config("x-amz-server-side-encryption-customer-key", key)
            .config("x-amz-server-side-encryption-customer-key-MD5", md5)
    };
    let md5 = ("CONFIG", "/x-amz-server-side-encryption-customer-key-MD5");
    vec![
        keys(
            "customer-key-without-md5",
            define("define.sse-customer-key", md5),
            SSE_C,
            move |link, mark| {
                customer(link, mark.base64(32), "")
                    .without("x-amz-server-side-encryption-customer-key-MD5")
            },
        ),
        keys(
            "customer-key-too-short",
            define("define.sse-customer-key", CUSTOMER_KEY),
            SSE_C,
            move |link, mark| customer(link, mark.base64(24), "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ),
        keys(
            "customer-key-with-foreign-md5",
            define("define.sse-customer-key", md5),
            SSE_C,
            move |link, mark| customer(link, mark.base64(32), "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ),
        keys(
            "customer-key-and-kms",
            define("define.conflicting-keys", SSE),
            SSE_C,
            move |link, mark| {
                customer(link, mark.base64(32), "1B2M2Y8AsgTpgAmY7PhCfg==")
                    .config("x-amz-server-side-encryption", "aws:kms")
            },
        ),
        keys(
            "kms-key-without-kms",
            define("define.conflicting-keys", SSE),
            "Amazon S3 API Reference, PutObject: the key id counts with aws:kms alone",
            |link, _| {
                link.config("x-amz-server-side-encryption", "AES256")
                    .config(
                        "x-amz-server-side-encryption-aws-kms-key-id",
                        "alias/orders",
                    )
            },
        ),
        keys(
            "encryption-unknown",
            define("define.invalid-value", SSE),
            "Amazon S3 API Reference, PutObject: AES256, aws:kms, aws:kms:dsse",
            |link, _| link.config("x-amz-server-side-encryption", "AES-256"),
        ),
        keys(
            "kms-key-alone",
            define("define.conflicting-keys", SSE),
            "Amazon S3 API Reference, PutObject: the key id counts with aws:kms alone",
            |link, _| link.config(&KMS_KEY.1[1..], "alias/orders"),
        ),
    ]
}

fn warnings() -> Vec<Fault> {
    vec![
        works(
            "secret-in-config",
            Expected::define(
                "define.secret-in-config",
                ("CONFIG", "/aws_secret_access_key"),
            )
            .mended(),
            "SingleStore, SHOW LINKS: column Config; secrets belong in CREDENTIALS",
            "private",
            |link| {
                link.without("aws_secret_access_key").config(
                    "aws_secret_access_key",
                    User::ReadOnly.login().secret_access_key,
                )
            },
        ),
        works(
            "region-key-misspelt",
            Expected::define("define.unknown-key", ("CONFIG", "/regoin")).mended(),
            PAGE,
            "private",
            |link| link.without("region").config("regoin", "us-east-1"),
        ),
        works(
            "target-with-scheme",
            Expected::fail("define.target-scheme").mended(),
            "SingleStore, CREATE PIPELINE: 'bucket[/path]', without a scheme",
            "s3://private/team/",
            |link| link,
        ),
        Fault::new(
            Kind::S3,
            Family::Statement,
            "identity-of-the-cluster",
            "MinIO",
            Expected::define("define.identity-not-here", ("CONFIG", "/creds_mode")).unverified(),
            "SingleStore Operator, Enable EKS IRSA: the identity is that of the pod",
            |mark| {
                let link = Minio::shared().anonymous_link("l").with_empty_credentials();
                Ok(Seeded::read(
                    mark,
                    link.config("creds_mode", "eks_irsa"),
                    "private",
                ))
            },
        ),
    ]
}
