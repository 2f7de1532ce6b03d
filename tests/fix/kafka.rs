//! Links to brokers.

use linkdial_testcontainers::KafkaListener::{
    MutualTls, Plain, Plaintext, ScramSha256, ScramSha512, Tls,
};
use linkdial_testcontainers::KafkaUser::Alice;
use linkdial_testcontainers::{KafkaListener, LinkStatement, SecuredKafka};

use crate::bench::{Case, pipeline};

fn case<'a>(
    link: &LinkStatement,
    listener: KafkaListener,
    edits: &'a [(&'a str, &'a str)],
    changes: &'a [&'a str],
    secrets: &'a [(&'a str, &'a str)],
) -> Case<'a> {
    let bootstrap = SecuredKafka::shared().bootstrap_of(listener);
    Case {
        link: link.to_string(),
        uses: pipeline("events", &format!("{bootstrap}/orders")),
        edits,
        changes,
        secrets,
        arguments: &[],
    }
}

fn link(listener: KafkaListener) -> LinkStatement {
    SecuredKafka::shared().create_link_for("events", listener, Alice)
}

#[test]
fn a_protocol_without_the_login_that_the_broker_wants() {
    let password = Alice.password();
    let secrets = [("sasl_password", password.as_str())];
    case(
        &link(Plain).config("security.protocol", "plaintext"),
        Plain,
        &[("\"plaintext\"", "\"sasl_plaintext\"")],
        &["`security.protocol` becomes `sasl_plaintext`, and was `plaintext`"],
        &secrets,
    )
    .holds();
}

#[test]
fn a_protocol_without_tls() {
    let password = Alice.password();
    let secrets = [("sasl_password", password.as_str())];
    case(
        &link(ScramSha512).config("security.protocol", "sasl_plaintext"),
        ScramSha512,
        &[("\"sasl_plaintext\"", "\"sasl_ssl\"")],
        &["`security.protocol` becomes `sasl_ssl`"],
        &secrets,
    )
    .holds();
    case(
        &link(Tls).config("security.protocol", "plaintext"),
        Tls,
        &[("\"plaintext\"", "\"ssl\"")],
        &["`security.protocol` becomes `ssl`"],
        &[],
    )
    .holds();
}

#[test]
fn a_protocol_with_tls_at_a_listener_without() {
    case(
        &link(Tls),
        Plaintext,
        &[("\"ssl\"", "\"plaintext\"")],
        &["`security.protocol` becomes `plaintext`"],
        &[],
    )
    .holds();
}

#[test]
fn a_mechanism_that_the_broker_offers() {
    let password = Alice.password();
    let secrets = [("sasl_password", password.as_str())];
    case(
        &link(ScramSha512).config("sasl.mechanism", "PLAIN"),
        ScramSha512,
        &[("\"PLAIN\"", "\"SCRAM-SHA-512\"")],
        &["`sasl.mechanism` becomes `SCRAM-SHA-512`, and was `PLAIN`"],
        &secrets,
    )
    .holds();
}

#[test]
fn words_that_are_nearly_right() {
    let password = Alice.password();
    let secrets = [("sasl_password", password.as_str())];
    case(
        &link(ScramSha256)
            .config("security.protocol", "SASL-SSL")
            .config("sasl.mechanism", "scram-sha256"),
        ScramSha256,
        &[
            ("\"SASL-SSL\"", "\"sasl_ssl\""),
            ("scram-sha256", "SCRAM-SHA-256"),
        ],
        &[
            "`security.protocol` becomes `sasl_ssl`",
            "`sasl.mechanism` becomes `SCRAM-SHA-256`",
        ],
        &secrets,
    )
    .holds();
}

#[test]
fn line_breaks_of_a_key_in_pem() {
    let right = link(MutualTls).to_string();
    // SQL takes one of the two backslashes, and JSON meets the line break.
    let slip = right.replace(r"\\n", r"\n");
    let pem: Vec<&str> = slip
        .split('"')
        .filter(|it| it.contains("-----BEGIN"))
        .collect();
    let edits: Vec<(&str, String)> = pem
        .iter()
        .map(|it| (*it, it.replace(r"\n", r"\\n")))
        .collect();
    let edits: Vec<(&str, &str)> = edits.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let key = pem.iter().find(|it| it.contains("PRIVATE KEY")).unwrap();
    let key_lines = key.replace(r"\n", "\n");
    let secrets = [("ssl_key_pem", key_lines.as_str())];
    Case {
        link: slip.clone(),
        ..case(
            &link(MutualTls),
            MutualTls,
            &edits,
            &["the line breaks of"; 3],
            &secrets,
        )
    }
    .holds();
}

#[test]
fn quotes_of_a_word_processor_around_name_and_password() {
    let link = link(Plain);
    let password = Alice.password();
    let right = link.to_string();
    let credentials = right.split('\'').nth(1).unwrap();
    let slip = credentials
        .replace("{\"", "{“")
        .replace("\":\"", "”: “")
        .replace("\",\"", "”, “")
        .replace("\"}", "”}");
    let straight = slip.replace(['“', '”'], "\"");
    Case {
        link: right.replace(credentials, &slip),
        ..case(
            &link,
            Plain,
            &[(&slip, &straight)],
            &["the quotes in CREDENTIALS"],
            &[("sasl_password", &password)],
        )
    }
    .holds();
}

/// Nobody but the broker may learn a password: the link hides it, and the repair would not.
#[test]
fn a_password_is_not_shown_to_mend_a_link() {
    let kafka = SecuredKafka::shared();
    let tls_to_plain = link(ScramSha512).config("sasl.mechanism", "PLAIN");
    let scram_to_plain = link(Plain).config("sasl.mechanism", "SCRAM-SHA-512");
    for link in [tls_to_plain, scram_to_plain] {
        let target = format!("{}/orders", kafka.bootstrap_of(Plain));
        let script = format!("{link}{}", pipeline("events", &target));
        let report = crate::bench::report(&script, &[]);
        let check = crate::bench::check(&report);
        assert_eq!(check["verdict"], "fail", "{check:#}");
        assert!(check["correction"].is_null(), "{check:#}");
    }
}
