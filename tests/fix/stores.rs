//! Links to object stores.

use linkdial_testcontainers::{Azurite, LinkStatement, Minio, User};

use crate::bench::{Case, pipeline};

const SECRET: &str = "lab-readonly-secret";

fn reader() -> (LinkStatement, String) {
    let minio = Minio::shared();
    let login = User::ReadOnly.login();
    assert_eq!(login.secret_access_key, SECRET);
    (minio.create_link("orders", &login), minio.endpoint_url())
}

fn case<'a>(
    link: &LinkStatement,
    edits: &'a [(&'a str, &'a str)],
    changes: &'a [&'a str],
) -> Case<'a> {
    Case {
        link: link.to_string(),
        uses: pipeline("orders", "private"),
        edits,
        changes,
        secrets: &[("secret_access_key", SECRET)],
        arguments: &[],
    }
}

#[test]
fn the_region_that_the_server_names() {
    let (link, _) = reader();
    let link = link.config("region", "eu-west-3");
    case(
        &link,
        &[("eu-west-3", "us-east-1")],
        &["`region` becomes `us-east-1`, and was `eu-west-3`"],
    )
    .holds();
}

#[test]
fn a_key_that_is_missing_for_a_region() {
    let (link, url) = reader();
    let link = link.without("region").config("regoin", "us-east-1");
    let text = link.to_string();
    assert!(text.contains("regoin"), "{text}");
    case(
        &link.config("endpoint_url", url),
        &[("regoin", "region")],
        &["`regoin` is renamed to `region`"],
    )
    .holds();
}

#[test]
fn a_value_below_an_unknown_key_becomes_a_variable() {
    let (link, url) = reader();
    let link = link.without("region").config("regoin", "us-east-1");
    let link = link.config("endpoint_url", url);
    Case {
        secrets: &[
            ("secret_access_key", SECRET),
            ("passphrase", "M4rkedPhrase"),
        ],
        ..case(
            &link.config("passphrase", "M4rkedPhrase"),
            &[("regoin", "region")],
            &["`regoin` is renamed to `region`"],
        )
    }
    .holds();
}

#[test]
fn https_where_the_server_speaks_plain_text() {
    let (link, url) = reader();
    let link = link.config("endpoint_url", url.replace("http:", "https:"));
    case(&link, &[("https:", "http:")], &["`endpoint_url` becomes"]).holds();
}

#[test]
fn http_where_the_server_wants_tls() {
    let minio = Minio::shared_tls();
    let link = minio.create_link("orders", &User::ReadOnly.login());
    let url = minio.endpoint_url().replace("https:", "http:");
    let link = link.config("endpoint_url", url);
    case(&link, &[("http:", "https:")], &["`endpoint_url` becomes"]).holds();
}

#[test]
fn no_scheme_and_then_the_one_that_fits() {
    let (link, url) = reader();
    let bare = url.replace("http://", "");
    let link = link.config("endpoint_url", bare.as_str());
    let after = format!("\"http://{bare}");
    case(
        &link,
        &[(&format!("\"{bare}"), &after)],
        &["becomes `https://", "becomes `http://"],
    )
    .holds();
}

#[test]
fn the_bucket_in_the_path() {
    let minio = Minio::shared();
    let link = minio.create_link("orders", &User::ReadOnly.login());
    let port = minio.addr().port();
    let link = link
        .config("endpoint_url", format!("http://other.test:{port}"))
        .config("s3_force_path_style", false);
    let address = minio.addr().ip();
    let names = ["private.other.test", "other.test"].map(|name| format!("{name}:{address}"));
    Case {
        arguments: &["--resolve", &names[0], "--resolve", &names[1]],
        ..case(
            &link,
            &[("false", "true")],
            &["`s3_force_path_style` becomes `true`, and was `false`"],
        )
    }
    .holds();
}

#[test]
fn a_line_feed_behind_a_secret_and_quotes_around_the_id() {
    let (link, _) = reader();
    let login = User::ReadOnly.login();
    let id = login.access_key_id.as_str();
    let link = link
        .credential("aws_access_key_id", format!("\"{id}\""))
        .credential("aws_secret_access_key", format!("\u{feff}{SECRET}\n"));
    // What JSON and SQL make of both.
    let written = format!(r#"\\"{id}\\""#);
    case(
        &link,
        &[(&written, id), (&format!("\u{feff}{SECRET}\\\\n"), SECRET)],
        &[
            "the value of `aws_access_key_id`",
            "the value of `aws_secret_access_key`",
        ],
    )
    .holds();
}

#[test]
fn a_secret_moves_to_credentials() {
    let (link, _) = reader();
    let text = link.to_string();
    let secret = format!(",\"aws_secret_access_key\":\"{SECRET}\"");
    assert!(text.contains(&secret), "{text}");
    let moved = text
        .replace(&secret, "")
        .replace("CONFIG '{", &format!("CONFIG '{{{}, ", &secret[1..]));
    let id = User::ReadOnly.login().access_key_id;
    let before = format!("\"aws_secret_access_key\":\"{SECRET}\", ");
    Case {
        link: moved,
        ..case(
            &link,
            &[
                (&before, ""),
                (
                    &format!("\"{id}\"}}"),
                    &format!("\"{id}\", \"aws_secret_access_key\":\"{SECRET}\"}}"),
                ),
            ],
            &["`aws_secret_access_key` moves to CREDENTIALS"],
        )
    }
    .holds();
}

#[test]
fn a_scheme_in_front_of_a_target() {
    let (link, _) = reader();
    Case {
        uses: pipeline("orders", "s3://private/team/*"),
        ..case(
            &link,
            &[("s3://private/team/*", "private/team/*")],
            &["the target becomes `private/team/*`"],
        )
    }
    .holds();
}

#[test]
fn a_comma_too_many_and_quotes_of_a_word_processor() {
    let (link, _) = reader();
    let text = link
        .to_string()
        .replace("CONFIG '{\"", "CONFIG '{“")
        .replace("\"}';\n", "\",}';\n");
    let key = text
        .split("CONFIG '{“")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let text = text.replace(&format!("“{key}\""), &format!("“{key}”"));
    Case {
        link: text,
        ..case(
            &link,
            &[
                (&format!("“{key}”"), &format!("\"{key}\"")),
                ("\",}'", "\"}'"),
            ],
            &["the quotes in CONFIG", "a comma"],
        )
    }
    .holds();
}

#[test]
fn clauses_that_are_swapped() {
    let minio = Minio::shared();
    let url = minio.endpoint_url();
    let login = User::ReadOnly.login();
    let id = login.access_key_id.as_str();
    let identity = format!(r#"{{"aws_access_key_id":"{id}","aws_secret_access_key":"{SECRET}"}}"#);
    let place = format!(r#"{{"endpoint_url":"{url}","region":"us-east-1"}}"#);
    let slip = format!("CREDENTIALS '{place}' CONFIG '{identity}'");
    let place = format!(r#"{{"endpoint_url": "{url}", "region": "us-east-1"}}"#);
    let mended = format!("CREDENTIALS '{identity}' CONFIG '{place}'");
    Case {
        link: format!("CREATE LINK orders AS S3 {slip};\n"),
        uses: pipeline("orders", "private"),
        edits: &[(&slip, &mended)],
        changes: &[
            "`aws_access_key_id` moves to CREDENTIALS",
            "`aws_secret_access_key` moves to CREDENTIALS",
            "`endpoint_url` moves to CONFIG",
            "`region` moves to CONFIG",
        ],
        secrets: &[("secret_access_key", SECRET)],
        arguments: &[],
    }
    .holds();
}

/// In a clause that does not parse, nothing tells the names of its keys from its secrets.
#[test]
fn marks_that_leave_the_credentials_unread() {
    let (link, _) = reader();
    let right = link.to_string();
    let credentials = right.split('\'').nth(1).unwrap();
    let [open, id, between, close] = ["{\"", "\":\"", "\",\"", "\"}"];
    let curly = |text: &str| {
        let text = text.replace(open, "{“").replace(id, "”:“");
        text.replace(between, "”,“").replace(close, "”}")
    };
    for (slip, told) in [
        (credentials.replace(close, "\",}"), "a comma"),
        (curly(credentials), "the quotes in CREDENTIALS"),
        (credentials.replace('"', "”"), "the quotes in CREDENTIALS"),
        (
            credentials
                .replacen(id, "\":“", 1)
                .replacen(between, "”,\"", 1),
            "the quotes in CREDENTIALS",
        ),
        (
            credentials.replacen(between, "”,\"", 1),
            "the quotes in CREDENTIALS",
        ),
    ] {
        assert_ne!(slip, credentials);
        Case {
            link: right.replace(credentials, &slip),
            ..case(&link, &[(&slip, credentials)], &[told])
        }
        .holds();
    }
    // Both at once; what is wrong with the secret itself is mended behind them.
    let slip = curly(&credentials.replace(close, "\\\\n\",}")).replace("\",}", "”,}");
    Case {
        link: right.replace(credentials, &slip),
        ..case(
            &link,
            &[(&slip, credentials)],
            &["the quotes in CREDENTIALS", "a comma", "the value of"],
        )
    }
    .holds();
}

#[test]
fn what_other_kinds_call_a_key() {
    let (link, _) = reader();
    let text = link.to_string();
    let slip = text
        .replace("\"aws_access_key_id\"", "\"access_id\"")
        .replace("\"aws_secret_access_key\"", "\"secret_key\"");
    Case {
        link: slip,
        ..case(
            &link,
            &[
                ("\"access_id\"", "\"aws_access_key_id\""),
                ("\"secret_key\"", "\"aws_secret_access_key\""),
            ],
            &["`access_id` is renamed to", "`secret_key` is renamed to"],
        )
    }
    .holds();
}

#[test]
fn id_and_secret_of_google_change_places() {
    let minio = Minio::shared_gcs();
    let login = User::ReadOnly.hmac_login();
    let (id, secret) = (
        login.access_key_id.as_str(),
        login.secret_access_key.as_str(),
    );
    let link = minio
        .create_gcs_link("orders", &login)
        .credential("access_id", secret)
        .credential("secret_key", id);
    Case {
        secrets: &[("secret_key", secret), ("access_id", id)],
        ..case(
            &link,
            &[
                (
                    &format!("\"access_id\":\"{secret}\""),
                    &format!("\"access_id\":\"{id}\""),
                ),
                (
                    &format!("\"secret_key\":\"{id}\""),
                    &format!("\"secret_key\":\"{secret}\""),
                ),
            ],
            &["`access_id` and `secret_key` change places"],
        )
    }
    .holds();
}

#[test]
fn the_account_in_the_path_of_an_emulator() {
    let azurite = Azurite::shared();
    let account = azurite.account();
    let link = azurite.create_link("orders", &account);
    let whole = azurite.endpoint_url();
    let bare = whole.rsplit_once('/').unwrap().0.to_owned();
    let link = link.config("endpoint_url", bare.as_str());
    Case {
        secrets: &[("account_key", azurite.account_key())],
        ..case(
            &link,
            &[(&format!("\"{bare}\""), &format!("\"{whole}\""))],
            &["`endpoint_url` becomes"],
        )
    }
    .holds();
}

/// An Azurite says nothing at all to those who speak to it in the other way.
#[test]
fn an_azurite_behind_tls_and_one_without() {
    for (azurite, before, after) in [
        (Azurite::shared(), "https:", "http:"),
        (Azurite::shared_tls(), "http:", "https:"),
    ] {
        let account = azurite.account();
        let url = azurite.endpoint_url().replace(after, before);
        let link = azurite
            .create_link("orders", &account)
            .config("endpoint_url", url);
        Case {
            secrets: &[("account_key", azurite.account_key())],
            ..case(&link, &[(before, after)], &["`endpoint_url` becomes"])
        }
        .holds();
    }
}
