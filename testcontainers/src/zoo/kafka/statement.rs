//! Mistakes in the statement.

use serde_json::json;

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{CA, MECHANISM, PASSWORD, PROTOCOL, USERNAME, link};
use crate::KafkaListener::{Plain, Plaintext, Tls};
use crate::KafkaUser::Alice;
use crate::{Certificates, LinkStatement, SecuredKafka};

const OPTIONS: &str = "librdkafka, CONFIGURATION.md: values of the option";
const PAGE: &str = "SingleStore, Load data from Kafka: keys of CONFIG and CREDENTIALS";
const SOURCES: &str = "SingleStore, Configuration options for different sources";
const NOWHERE: &str = "127.0.0.1:9/orders";

fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    change: fn(LinkStatement, &Mark) -> LinkStatement,
) -> Fault {
    let seed = move |mark: &Mark| Ok(Seeded::read(mark, change(link(mark, true), mark), NOWHERE));
    Fault::undialled(Kind::Kafka, name, expected, source, seed)
}

fn target(name: &str, text: &'static str) -> Fault {
    let seed = move |mark: &Mark| Ok(Seeded::read(mark, link(mark, true), text));
    let expected = Expected::fail("define.target-invalid");
    let source = "SingleStore, CREATE PIPELINE: 'host:port[,host:port...]/topic'; Kafka, Topic: legal characters";
    Fault::undialled(Kind::Kafka, name, expected, source, seed)
}

pub(super) fn faults() -> Vec<Fault> {
    [logins(), certificates(), options(), targets(), at_brokers()].concat()
}

fn logins() -> Vec<Fault> {
    let define = Expected::define;
    vec![
        keys(
            "protocol-misspelt",
            define("define.invalid-value", PROTOCOL),
            OPTIONS,
            |link, _| link.config("security.protocol", "SASL-SSL"),
        ),
        keys(
            "mechanism-unknown",
            define("define.invalid-value", MECHANISM),
            OPTIONS,
            |link, _| link.config("sasl.mechanism", "SCRAM-SHA-1"),
        ),
        keys(
            "password-missing",
            define("define.missing-key", PASSWORD),
            PAGE,
            |link, _| link.without("sasl.password"),
        ),
        keys(
            "username-missing",
            define("define.missing-key", USERNAME),
            PAGE,
            |link, _| link.without("sasl.username"),
        ),
        keys(
            "password-misspelt",
            define("define.missing-key", ("CREDENTIALS", "/sasl.pasword")),
            PAGE,
            |link, mark| {
                link.without("sasl.password")
                    .credential("sasl.pasword", mark.secret())
            },
        ),
        keys(
            "password-placeholder",
            define("define.placeholder-value", PASSWORD),
            "SingleStore, CREATE LINK: placeholders in angle brackets",
            |link, _| link.credential("sasl.password", "<password>"),
        ),
        keys(
            "password-with-line-feed",
            define("define.stray-whitespace", PASSWORD),
            "echo(1): writes a line feed behind its text",
            |link, mark| link.credential("sasl.password", format!("{}\n", mark.word())),
        ),
        keys(
            "two-mechanisms",
            define("define.conflicting-keys", MECHANISM),
            "librdkafka, CONFIGURATION.md: sasl.mechanism is an alias of sasl.mechanisms",
            |link, _| link.config("sasl.mechanisms", "SCRAM-SHA-512"),
        ),
        keys(
            "token-endpoint-missing",
            define(
                "define.missing-key",
                ("CONFIG", "/sasl.oauthbearer.token.endpoint.url"),
            ),
            "librdkafka, CONFIGURATION.md: sasl.oauthbearer.method=oidc needs it",
            |link, mark| {
                link.without("sasl.username")
                    .without("sasl.password")
                    .config("sasl.mechanism", "OAUTHBEARER")
                    .config("sasl.oauthbearer.method", "oidc")
                    .config("sasl.oauthbearer.client.id", "zoo")
                    .credential("sasl.oauthbearer.client.secret", mark.secret())
            },
        ),
    ]
}

fn certificates() -> Vec<Fault> {
    let define = Expected::define;
    vec![
        keys(
            "certificate-without-key",
            define("define.missing-key", ("CONFIG", "/ssl.key.location")),
            "librdkafka, CONFIGURATION.md: ssl.certificate.location and ssl.key.location",
            |link, _| {
                link.config(
                    "ssl.certificate.pem",
                    Certificates::shared().client().certificate_pem(),
                )
            },
        ),
        keys(
            "certificate-of-another-key",
            define(
                "define.certificate-key-mismatch",
                ("CONFIG", "/ssl.certificate.pem"),
            ),
            "RFC 8446, 4.4.3: the certificate's key signs",
            |link, _| {
                link.config(
                    "ssl.certificate.pem",
                    Certificates::shared().client().certificate_pem(),
                )
                .credential(
                    "ssl.key.pem",
                    Certificates::shared().foreign_client().key_pem(),
                )
            },
        ),
        keys(
            "authority-is-no-pem",
            define("define.invalid-value", CA),
            "RFC 7468, 2: -----BEGIN CERTIFICATE-----",
            |link, _| link.config("ssl.ca.pem", "MIIBszCCAVmgAwIBAgIUQ"),
        ),
        keys(
            "authority-twice",
            define("define.conflicting-keys", ("CONFIG", "/ssl.ca.location")),
            "librdkafka, CONFIGURATION.md: ssl.ca.location, ssl.ca.pem",
            |link, _| {
                link.config(
                    "ssl.ca.location",
                    Certificates::shared().ca_file().display().to_string(),
                )
            },
        ),
        Fault::undialled(
            Kind::Kafka,
            "authority-with-line-breaks",
            define("define.raw-line-break", CA),
            "MySQL, String Literals: `\\n` is a line break; RFC 8259, 7: a text holds none",
            |mark| {
                let pem = Certificates::shared().ca_pem().replace('\n', "\\n");
                Ok(Seeded::script(
                    mark,
                    format!(
                        "CREATE LINK l AS KAFKA CONFIG '{{\"security.protocol\":\"sasl_ssl\",\"sasl.mechanism\":\"PLAIN\",\
                     \"ssl.ca.pem\":\"{pem}\"}}' CREDENTIALS '{{\"sasl.username\":\"zoo\",\"sasl.password\":\"{}\"}}';\n\
                     CREATE PIPELINE p AS LOAD DATA LINK l '{NOWHERE}' INTO TABLE t;",
                        mark.word()
                    ),
                ))
            },
        ),
    ]
}

fn options() -> Vec<Fault> {
    let define = Expected::define;
    vec![
        keys(
            "plugin",
            define("define.refused-option", ("CONFIG", "/plugin.library.paths")),
            "librdkafka, CONFIGURATION.md: plugin.library.paths loads a library",
            |link, _| link.config("plugin.library.paths", "/tmp/zoo.so"),
        ),
        keys(
            "verification-off",
            define(
                "define.refused-option",
                ("CONFIG", "/enable.ssl.certificate.verification"),
            ),
            "librdkafka, CONFIGURATION.md: enable.ssl.certificate.verification",
            |link, _| link.config("enable.ssl.certificate.verification", "false"),
        ),
        keys(
            "kinit-command",
            define(
                "define.refused-option",
                ("CONFIG", "/sasl.kerberos.kinit.cmd"),
            ),
            "librdkafka, CONFIGURATION.md: sasl.kerberos.kinit.cmd runs a command",
            |link, _| link.config("sasl.kerberos.kinit.cmd", "id > /tmp/zoo"),
        ),
        keys(
            "debug",
            define("define.refused-option", ("CONFIG", "/debug")),
            "librdkafka, CONFIGURATION.md: debug writes what it sends to the log",
            |link, _| link.config("debug", "all"),
        ),
        keys(
            "timeout-in-words",
            define("define.wrong-type", ("CONFIG", "/operation.timeout.ms")),
            SOURCES,
            |link, _| link.config("operation.timeout.ms", "ten seconds"),
        ),
        keys(
            "spoof-as-text",
            define("define.wrong-type", ("CONFIG", "/spoof.dns")),
            SOURCES,
            |link, _| link.config("spoof.dns", "b1.example.com:9092=127.0.0.1:9"),
        ),
        keys(
            "spoof-without-port",
            define(
                "define.invalid-value",
                ("CONFIG", "/spoof.dns/b1.example.com:9092"),
            ),
            SOURCES,
            |link, _| {
                link.config(
                    "spoof.dns",
                    json!({"b1.example.com:9092": "proxy.example.com"}),
                )
            },
        ),
    ]
}

fn targets() -> Vec<Fault> {
    vec![
        target("target-with-scheme", "kafka://127.0.0.1:9/orders"),
        target("target-port-too-high", "127.0.0.1:99999/orders"),
        target("target-topic-with-space", "127.0.0.1:9/my orders"),
        target("target-empty-broker", "127.0.0.1:9,,127.0.0.1:9/orders"),
        Fault::undialled(
            Kind::Kafka,
            "pipeline-missing",
            Expected::fail("define.no-target").unverified(),
            "SingleStore, CREATE PIPELINE: the brokers stand in the pipeline",
            |mark| Ok(Seeded::script(mark, link(mark, false).to_string())),
        ),
    ]
}

/// What only shows that it is no failure where a broker is dialled.
fn at_brokers() -> Vec<Fault> {
    let real = |name, expected, source, seed: fn(&Mark, &SecuredKafka) -> Seeded| {
        Fault::new(
            Kind::Kafka,
            Family::Statement,
            name,
            "Kafka",
            expected,
            source,
            move |mark| Ok(seed(mark, SecuredKafka::shared())),
        )
    };
    vec![
        real(
            "login-not-switched-on",
            Expected::define("define.unused-credentials", USERNAME).warn(),
            "librdkafka, CONFIGURATION.md: security.protocol is plaintext by default",
            |mark, kafka| {
                Seeded::read(
                    mark,
                    LinkStatement::new("l", "KAFKA")
                        .credential("sasl.username", "zoo")
                        .credential("sasl.password", mark.secret()),
                    format!("{}/orders", kafka.bootstrap_of(Plaintext)),
                )
            },
        ),
        real(
            "password-in-config",
            Expected::define("define.secret-in-config", ("CONFIG", "/sasl.password"))
                .warn()
                .mended(),
            "SingleStore, SHOW LINKS: column Config; secrets belong in CREDENTIALS",
            |mark, kafka| {
                Seeded::read(
                    mark,
                    kafka
                        .create_link_for("l", Plain, Alice)
                        .without("sasl.password")
                        .config("sasl.password", Alice.password()),
                    format!("{}/orders", kafka.bootstrap_of(Plain)),
                )
                .secret(Alice.password())
            },
        ),
        real(
            "authority-on-the-nodes",
            Expected::define("define.file-not-here", ("CONFIG", "/ssl.ca.location")).unverified(),
            "SingleStore, Load data from Kafka: files lie at the same path on every node",
            |mark, kafka| {
                Seeded::read(
                    mark,
                    kafka
                        .create_link_for("l", Tls, Alice)
                        .without("ssl.ca.pem")
                        .config("ssl.ca.location", "/etc/zoo/of/the/nodes/ca.pem"),
                    format!("{}/orders", kafka.bootstrap_of(Tls)),
                )
            },
        ),
    ]
}
