//! Mistakes in the statement.

use super::super::{Expected, Fault, Kind, Mark, Seeded};
use super::{ACCOUNT, ENDPOINT, KEY, NAME, SAS, link, signature};
use crate::LinkStatement;

const NAMES: &str =
    "Azure, Storage account overview: account names, 3 to 24 lower-case letters and digits";
const KEYS: &str = "Azure, Manage storage account access keys: base64 of 64 bytes";
const PAGE: &str = "SingleStore, CREATE LINK; Azure Blob pipelines: both keys must be given";

fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: impl Fn(LinkStatement, &Mark) -> LinkStatement + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| {
        let link = link(mark, "https://127.0.0.1:9");
        Ok(super::read(mark, change(link, mark)))
    };
    Fault::undialled(Kind::Azure, name, expected, source, seed)
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let define = Expected::define;
    let invalid = |key| define("define.invalid-value", key);
    vec![
        keys("account-in-capitals", invalid(ACCOUNT), NAMES, |link, _| {
            link.credential("account_name", "ZooAccount")
        }),
        keys("account-as-host", invalid(ACCOUNT), NAMES, |link, _| {
            link.credential("account_name", "zooaccount.blob.core.windows.net")
        }),
        keys("key-not-base64", invalid(KEY), KEYS, |link, mark| {
            link.credential("account_key", format!("{}-", mark.secret()))
        }),
        keys("key-cut", invalid(KEY), KEYS, |link, mark| {
            link.without("endpoint_url")
                .credential("account_key", mark.base64(48))
        }),
        keys(
            "key-missing",
            define("define.missing-key", KEY),
            PAGE,
            |link, _| link.without("account_key"),
        ),
        keys(
            "account-missing",
            define("define.missing-key", ACCOUNT),
            PAGE,
            |link, _| link.without("account_name"),
        ),
        keys(
            "key-misspelt",
            define("define.missing-key", ("CREDENTIALS", "/acount_key")),
            PAGE,
            |link, mark| {
                link.without("account_key")
                    .credential("acount_key", mark.base64(64))
            },
        ),
        keys(
            "connection-string-as-key",
            invalid(KEY),
            "Azure, Configure Azure Storage connection strings: AccountKey=",
            |link, mark| {
                link.credential(
                    "account_key",
                    format!(
                        "DefaultEndpointsProtocol=https;AccountName={NAME};AccountKey={}",
                        mark.base64(64)
                    ),
                )
            },
        ),
        keys(
            "connection-string-as-link",
            define("define.unknown-key", ("CREDENTIALS", "/connection_string")),
            PAGE,
            |link, mark| {
                link.without("account_key")
                    .without("account_name")
                    .credential(
                        "connection_string",
                        format!(
                            "DefaultEndpointsProtocol=https;AccountName={NAME};AccountKey={}",
                            mark.base64(64)
                        ),
                    )
            },
        ),
        keys(
            "account-and-key-swapped",
            invalid(ACCOUNT),
            NAMES,
            |link, mark| {
                link.credential("account_name", mark.base64(64))
                    .credential("account_key", NAME)
            },
        ),
        keys(
            "two-accounts",
            define("define.conflicting-keys", ACCOUNT),
            "Azure, Use the Azurite emulator: http://host:port/ACCOUNT",
            |link, _| link.config("endpoint_url", "https://127.0.0.1:9/otheraccount"),
        ),
        keys(
            "data-lake-endpoint",
            invalid(ENDPOINT),
            "Azure, Storage account overview, Standard endpoints: .dfs. is the Data Lake service",
            |link, _| {
                link.config(
                    "endpoint_url",
                    format!("https://{NAME}.dfs.core.windows.net"),
                )
            },
        ),
        keys(
            "key-with-line-feed",
            define("define.stray-whitespace", KEY),
            KEYS,
            |link, mark| link.credential("account_key", format!("{}\n", mark.base64(64))),
        ),
        keys(
            "key-placeholder",
            define("define.placeholder-value", KEY),
            "SingleStore, CREATE LINK: `your_account_key` of the examples",
            |link, _| link.credential("account_key", "your_account_key"),
        ),
        keys(
            "key-and-signature",
            define("define.conflicting-keys", KEY),
            "Azure, Authorize requests to Azure Storage: Shared Key or a shared access signature",
            |link, mark| {
                link.credential(
                    "sas_token",
                    signature(mark, "sr=c&sp=rl&se=2099-01-01T00:00:00Z"),
                )
            },
        ),
        keys(
            "signature-cut",
            invalid(SAS),
            "Azure, Create a service SAS: sig is required",
            |link, mark| {
                link.without("account_key").credential(
                    "sas_token",
                    format!(
                        "sv=2024-11-04&sr=c&sp=rl&se=2099-01-01T00:00:00Z&si={}",
                        mark.word()
                    ),
                )
            },
        ),
        keys(
            "signature-for-https-alone",
            define("define.conflicting-keys", ENDPOINT),
            "Azure, Create a service SAS: spr=https",
            |link, mark| {
                link.without("account_key")
                    .config("endpoint_url", format!("http://127.0.0.1:9/{NAME}"))
                    .credential(
                        "sas_token",
                        signature(mark, "spr=https&sr=c&sp=rl&se=2099-01-01T00:00:00Z"),
                    )
            },
        ),
        keys(
            "key-of-s3",
            define("define.missing-key", ("CREDENTIALS", "/aws_access_key_id")),
            PAGE,
            |_, mark| {
                LinkStatement::new("l", "AZURE")
                    .credential("aws_access_key_id", "AKIAZ00000000000ZOO1")
                    .credential("aws_secret_access_key", mark.secret())
            },
        ),
        Fault::undialled(
            Kind::Azure,
            "target-in-capitals",
            Expected::fail("define.target-invalid"),
            "Azure, Naming and referencing containers, blobs and metadata: lower case",
            |mark| {
                Ok(
                    Seeded::read(mark, link(mark, "https://127.0.0.1:9"), "Orders/2026")
                        .secret(mark.base64(64)),
                )
            },
        ),
    ]
}
