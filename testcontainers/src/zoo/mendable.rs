//! Mistakes in the statements of links that would serve: the repair can be known, and a real server
//! confirms it.

use super::{Expected, Family, Fault, Kind, Mark, Seeded};
use crate::KafkaListener::{Plain, ScramSha512, Tls};
use crate::KafkaUser::Alice;
use crate::{
    Azurite, Error, HttpEndpoint, KafkaListener, LinkStatement, Login, Minio, SecuredKafka, User,
};

const CREDENTIALS: &str = "CREDENTIALS";
const CONFIG: &str = "CONFIG";
const IDS: &str =
    "AWS IAM User Guide, IAM identifiers: no white space, quotes or marks belong to one";
const JSON: &str = "RFC 8259, 2 to 7: grammar of JSON";
const S3_KEYS: &str = "SingleStore, CREATE LINK: keys of S3 links";
const AZURE_KEYS: &str = "SingleStore, CREATE LINK: keys of AZURE links";
const GCS_KEYS: &str = "SingleStore, CREATE LINK: keys of GCS links";
const KAFKA_KEYS: &str = "librdkafka, CONFIGURATION.md: names and values of its properties";
const URLS: &str = "RFC 3986, 3.1: a URL begins with its scheme";
const TLS: &str = "RFC 8446, 5.1: the first byte of a record";

pub(super) fn faults() -> Vec<Fault> {
    [s3(), azure(), gcs(), http(), kafka()].concat()
}

/// A mistake in the text of a link that reads from a target, and would serve but for it.
fn read(
    kind: Kind,
    name: &str,
    server: &'static str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn() -> Result<(String, String, Vec<String>), Error> + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| {
        let (link, target, secrets) = seed()?;
        let script =
            format!("{link}CREATE PIPELINE p AS LOAD DATA LINK l '{target}' INTO TABLE t;");
        let seeded = Seeded::script(mark, script);
        Ok(secrets.into_iter().fold(seeded, Seeded::secret))
    };
    let family = if expected.role.is_empty() {
        Family::Statement
    } else {
        Family::World
    };
    Fault::new(kind, family, name, server, expected.mended(), source, seed)
}

/// A link of a user who may read, before it is changed.
fn store(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: fn(LinkStatement, &Login) -> String,
) -> Fault {
    read(Kind::S3, name, "MinIO", expected, source, move || {
        let login = User::ReadOnly.login();
        let link = change(Minio::shared().create_link("l", &login), &login);
        Ok((
            link,
            "private/team/".to_owned(),
            vec![login.secret_access_key],
        ))
    })
}

fn s3() -> Vec<Fault> {
    let stray = |key| Expected::define("define.stray-whitespace", (CREDENTIALS, key));
    let (id, secret) = ("/aws_access_key_id", "/aws_secret_access_key");
    let endpoint = (CONFIG, "/endpoint_url");
    vec![
        store(
            "store-comma-at-end",
            Expected::define("define.invalid-json", (CREDENTIALS, "")),
            JSON,
            |link, _| link.to_string().replacen("\"}'", "\",}'", 1),
        ),
        store(
            "store-quotes-of-a-word-processor",
            Expected::define("define.invalid-json", (CREDENTIALS, "")),
            JSON,
            |link, _| {
                let text = link.to_string();
                text.replacen("\"aws_access_key_id\"", "“aws_access_key_id”", 1)
            },
        ),
        store(
            "store-clauses-swapped",
            Expected::define("define.secret-in-config", (CONFIG, secret)).warn(),
            S3_KEYS,
            |link, _| {
                let text = link.to_string();
                let text = text
                    .replace(CREDENTIALS, "FORMER")
                    .replace(CONFIG, CREDENTIALS);
                text.replace("FORMER", CONFIG)
            },
        ),
        store(
            "store-secret-key-misspelt",
            Expected::define("define.missing-key", (CREDENTIALS, "/aws_secret_acess_key")),
            S3_KEYS,
            |link, _| link.to_string().replace("secret_access", "secret_acess"),
        ),
        store("store-id-with-space", stray(id), IDS, |link, login| {
            let id = format!("{} ", login.access_key_id);
            link.credential("aws_access_key_id", id).to_string()
        }),
        store("store-id-in-quotes", stray(id), IDS, |link, login| {
            let id = format!("\"{}\"", login.access_key_id);
            link.credential("aws_access_key_id", id).to_string()
        }),
        store(
            "store-secret-with-line-feed",
            stray(secret),
            IDS,
            |link, login| {
                let secret = format!("{}\n", login.secret_access_key);
                link.credential("aws_secret_access_key", secret).to_string()
            },
        ),
        store(
            "store-secret-with-byte-order-mark",
            stray(secret),
            IDS,
            |link, login| {
                let secret = format!("\u{feff}{}", login.secret_access_key);
                link.credential("aws_secret_access_key", secret).to_string()
            },
        ),
        store(
            "store-secret-in-quotes",
            stray(secret),
            IDS,
            |link, login| {
                let secret = format!("\"{}\"", login.secret_access_key);
                link.credential("aws_secret_access_key", secret).to_string()
            },
        ),
        store(
            "store-endpoint-without-scheme",
            Expected::define("define.invalid-value", endpoint),
            URLS,
            |link, _| link.to_string().replace("\"http://", "\""),
        ),
        store(
            "store-with-tls-that-has-none",
            Expected::fail("tls.not-tls").at("endpoint").key(endpoint),
            TLS,
            |link, _| link.to_string().replace("\"http://", "\"https://"),
        ),
    ]
}

fn azure() -> Vec<Fault> {
    let of = |name, expected, source, change: fn(LinkStatement, &str, &str) -> String| {
        read(Kind::Azure, name, "Azurite", expected, source, move || {
            let azurite = Azurite::shared();
            let link = azurite.create_link("l", &azurite.account());
            let (account, key) = (azurite.account_name(), azurite.account_key());
            let link = change(link, account, key);
            Ok((link, "private/team/".to_owned(), vec![key.to_owned()]))
        })
    };
    vec![
        of(
            "store-key-misspelt",
            Expected::define("define.missing-key", (CREDENTIALS, "/acount_key")),
            AZURE_KEYS,
            |link, _, _| {
                link.to_string()
                    .replace("\"account_key\"", "\"acount_key\"")
            },
        ),
        of(
            "store-key-with-line-feed",
            Expected::define("define.stray-whitespace", (CREDENTIALS, "/account_key")),
            AZURE_KEYS,
            |link, _, key| {
                link.credential("account_key", format!("{key}\n"))
                    .to_string()
            },
        ),
        of(
            "store-account-and-key-swapped",
            Expected::define("define.invalid-value", (CREDENTIALS, "/account_name")),
            AZURE_KEYS,
            |link, account, key| {
                let link = link.credential("account_name", key);
                link.credential("account_key", account).to_string()
            },
        ),
    ]
}

fn gcs() -> Vec<Fault> {
    let of = |name, expected, source, change: fn(LinkStatement, &Login) -> String| {
        read(Kind::Gcs, name, "MinIO", expected, source, move || {
            let login = User::ReadOnly.hmac_login();
            let link = Minio::shared_gcs().create_gcs_link("l", &login);
            let link = change(link, &login);
            let target = "private/team/".to_owned();
            Ok((link, target, vec![login.secret_access_key]))
        })
    };
    let define = |code, key| Expected::define(code, (CREDENTIALS, key));
    vec![
        of(
            "store-secret-misspelt",
            define("define.missing-key", "/secret_kye"),
            GCS_KEYS,
            |link, _| link.to_string().replace("\"secret_key\"", "\"secret_kye\""),
        ),
        of(
            "store-keys-of-s3",
            // All keys are foreign, and without any a link is anonymous: none is missing.
            define("define.unknown-key", "/aws_access_key_id"),
            GCS_KEYS,
            |link, _| {
                let text = link.to_string();
                let text = text.replace("\"access_id\"", "\"aws_access_key_id\"");
                text.replace("\"secret_key\"", "\"aws_secret_access_key\"")
            },
        ),
        of(
            "store-id-and-secret-swapped",
            define("define.invalid-value", "/access_id"),
            GCS_KEYS,
            |link, login| {
                let link = link.credential("access_id", login.secret_access_key.as_str());
                link.credential("secret_key", login.access_key_id.as_str())
                    .to_string()
            },
        ),
        of(
            "store-id-in-quotes",
            define("define.stray-whitespace", "/access_id"),
            GCS_KEYS,
            |link, login| {
                let id = format!("\"{}\"", login.access_key_id);
                link.credential("access_id", id).to_string()
            },
        ),
        of(
            "store-secret-with-space",
            define("define.stray-whitespace", "/secret_key"),
            GCS_KEYS,
            |link, login| {
                let secret = format!(" {}", login.secret_access_key);
                link.credential("secret_key", secret).to_string()
            },
        ),
        of(
            "store-with-tls-that-has-none",
            Expected::fail("tls.not-tls")
                .at("endpoint")
                .key((CONFIG, "/endpoint_url")),
            TLS,
            |link, _| link.to_string().replace("\"http://", "\"https://"),
        ),
    ]
}

fn http() -> Vec<Fault> {
    let seed = |mark: &Mark| {
        let service = HttpEndpoint::start();
        let url = service.url("/").replace("http:", "https:");
        Ok(Seeded::call(
            mark,
            LinkStatement::new("l", "HTTP").with_empty_credentials(),
            url,
        )
        .hold(service))
    };
    vec![Fault::new(
        Kind::Http,
        Family::World,
        "service-with-tls-that-has-none",
        "HTTP service",
        Expected::fail("tls.not-tls").at("endpoint").mended(),
        TLS,
        seed,
    )]
}

fn kafka() -> Vec<Fault> {
    let of = |name,
              listener: KafkaListener,
              expected,
              source,
              change: fn(LinkStatement, &str) -> String| {
        read(Kind::Kafka, name, "Kafka", expected, source, move || {
            let kafka = SecuredKafka::shared();
            let link = kafka.create_link_for("l", listener, Alice);
            let password = Alice.password();
            let link = change(link, &password);
            let target = format!("{}/orders", kafka.bootstrap_of(listener));
            Ok((link, target, vec![password]))
        })
    };
    vec![
        of(
            "broker-protocol-misspelt",
            ScramSha512,
            Expected::define("define.invalid-value", (CONFIG, "/security.protocol")),
            KAFKA_KEYS,
            |link, _| link.config("security.protocol", "SASL-SSL").to_string(),
        ),
        of(
            "broker-mechanism-misspelt",
            ScramSha512,
            Expected::define("define.invalid-value", (CONFIG, "/sasl.mechanism")),
            KAFKA_KEYS,
            |link, _| link.config("sasl.mechanism", "scram-sha512").to_string(),
        ),
        of(
            "broker-password-misspelt",
            Plain,
            Expected::define("define.missing-key", (CREDENTIALS, "/sasl.pasword")),
            KAFKA_KEYS,
            |link, _| link.to_string().replace("sasl.password", "sasl.pasword"),
        ),
        of(
            "broker-password-with-line-feed",
            Plain,
            Expected::define("define.stray-whitespace", (CREDENTIALS, "/sasl.password")),
            KAFKA_KEYS,
            |link, password| {
                let password = format!("{password}\n");
                link.credential("sasl.password", password).to_string()
            },
        ),
        of(
            "broker-authority-with-line-breaks",
            Tls,
            Expected::define("define.raw-line-break", (CONFIG, "/ssl.ca.pem")),
            "RFC 8259, 7: control characters in a string are escaped; MySQL, String Literals",
            |link, _| link.to_string().replace(r"\\n", r"\n"),
        ),
    ]
}
