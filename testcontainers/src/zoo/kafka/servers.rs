//! What a real broker, a real KDC, an OAuth server and a schema registry answer.

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{MECHANISM, PASSWORD, PROTOCOL, USERNAME, found};
use crate::KafkaListener::{
    self, ClosedPort, Gssapi, Mute, MutualTls, Oidc, Plain, Plaintext, ScramSha256, ScramSha512,
    Tls, UnresolvableName,
};
use crate::KafkaUser::{self, Admin, Alice, Describer, Nobody, Reader, Writer};
use crate::broken::{self, Broken, RefusedPort};
use crate::{
    Answer, Certificates, Error, LinkStatement, SchemaRegistry, SchemaRegistryOptions,
    SecuredKafka, TokenIssuerOptions,
};

const GUIDE: &str = "Apache Kafka, Protocol guide: error codes; recorded at Kafka 4.3.1";
const KIP_430: &str = "Apache Kafka, KIP-430: authorized operations; recorded at Kafka 4.3.1";
const KDC_ERRORS: &str = "RFC 4120, 7.5.9: error codes of a KDC; recorded at MIT krb5";
const ADVERTISED: &str = "Apache Kafka, Configuration: advertised.listeners is what clients dial";
const TOKEN_URL: (&str, &str) = ("CONFIG", "/sasl.oauthbearer.token.endpoint.url");
const CLIENT_SECRET: (&str, &str) = ("CREDENTIALS", "/sasl.oauthbearer.client.secret");
const KEYTAB: (&str, &str) = ("CONFIG", "/sasl.kerberos.keytab");
const PRINCIPAL: (&str, &str) = ("CONFIG", "/sasl.kerberos.principal");
const SERVICE: (&str, &str) = ("CONFIG", "/sasl.kerberos.service.name");

fn real(
    family: Family,
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark, &SecuredKafka) -> Result<Seeded, Error> + Send + Sync + 'static,
) -> Fault {
    Fault::new(
        Kind::Kafka,
        family,
        name,
        "Kafka",
        expected,
        source,
        move |mark| seed(mark, SecuredKafka::shared()),
    )
}

fn service(
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark, &SecuredKafka) -> Seeded + Send + Sync + 'static,
) -> Fault {
    real(
        Family::Service,
        name,
        expected,
        source,
        move |mark, kafka| Ok(seed(mark, kafka)),
    )
}

/// A pipeline from a topic through a listener.
fn at(
    mark: &Mark,
    kafka: &SecuredKafka,
    link: LinkStatement,
    listener: KafkaListener,
    topic: &str,
) -> Seeded {
    let target = format!("{}/{topic}", kafka.bootstrap_of(listener));
    let seeded = Seeded::read(mark, link, target);
    if listener == Gssapi {
        let conf = kafka.kdc().krb5_conf().display().to_string();
        seeded.own_option("--krb5-conf", conf, KERBEROS)
    } else {
        seeded
    }
}

const KERBEROS: &str = "it has no keytab of its own";

pub(super) fn faults() -> Vec<Fault> {
    [
        logins(),
        protocols(),
        rights(),
        advertised(),
        kerberos(),
        tokens(),
        registries(),
    ]
    .concat()
}

fn logins() -> Vec<Fault> {
    let wrong = |name, listener| {
        let expected = found("authenticate.bad-credentials").key(PASSWORD);
        service(name, expected, GUIDE, move |mark, kafka| {
            let link = kafka.create_link_for("l", listener, Reader);
            let link = link.credential("sasl.password", mark.secret());
            at(mark, kafka, link, listener, "orders")
        })
    };
    vec![
        wrong("password-wrong-plain", Plain),
        wrong("password-wrong-scram-256", ScramSha256),
        wrong("password-wrong-scram-512", ScramSha512),
        service(
            "user-unknown",
            found("authenticate.bad-credentials").key(PASSWORD),
            GUIDE,
            |mark, kafka| {
                let link = kafka
                    .create_link_for("l", ScramSha512, Reader)
                    .credential("sasl.username", "stranger")
                    .credential("sasl.password", mark.secret());
                at(mark, kafka, link, ScramSha512, "orders")
            },
        ),
        service(
            "mechanism-not-offered",
            found("authenticate.mechanism-not-offered").key(MECHANISM),
            GUIDE,
            |mark, kafka| {
                let link = kafka
                    .create_link_for("l", Plain, Reader)
                    .config("sasl.mechanism", "SCRAM-SHA-256")
                    .credential("sasl.password", mark.secret());
                at(mark, kafka, link, Plain, "orders")
            },
        ),
        service(
            "login-required",
            found("authenticate.required").key(PROTOCOL),
            "Apache Kafka, SaslServerAuthenticator: a request before the login ends the connection",
            |mark, kafka| {
                at(
                    mark,
                    kafka,
                    kafka.create_link_for("l", Plaintext, Alice),
                    Plain,
                    "orders",
                )
            },
        ),
        service(
            "listener-without-login",
            found("authenticate.mechanism-not-offered")
                .key(PROTOCOL)
                .mended(),
            GUIDE,
            |mark, kafka| {
                let link = kafka
                    .create_link_for("l", Plain, Reader)
                    .credential("sasl.password", mark.secret());
                at(mark, kafka, link, Plaintext, "orders")
            },
        ),
    ]
}

fn protocols() -> Vec<Fault> {
    let world = |name, expected, source, seed: fn(&Mark, &SecuredKafka) -> Seeded| {
        real(Family::World, name, expected, source, move |mark, kafka| {
            Ok(seed(mark, kafka))
        })
    };
    vec![
        world(
            "plain-to-broker-with-tls",
            found("tls.required").key(PROTOCOL).mended(),
            "RFC 8446, 6: the alert of a listener with TLS; recorded at Kafka 4.3.1",
            |mark, kafka| {
                at(
                    mark,
                    kafka,
                    kafka.create_link_for("l", Plaintext, Alice),
                    Tls,
                    "orders",
                )
            },
        ),
        world(
            "login-to-broker-with-tls",
            found("tls.required").key(PROTOCOL),
            "RFC 8446, 6: the alert of a listener with TLS; recorded at Kafka 4.3.1",
            |mark, kafka| {
                let link = kafka
                    .create_link_for("l", Plain, Reader)
                    .credential("sasl.password", mark.secret());
                at(mark, kafka, link, ScramSha512, "orders")
            },
        ),
        world(
            "tls-to-plain-broker",
            found("tls.not-tls").key(PROTOCOL).mended(),
            "a listener in plain text hangs up on a ClientHello; recorded at Kafka 4.3.1",
            |mark, kafka| {
                at(
                    mark,
                    kafka,
                    kafka.create_link_for("l", Tls, Alice),
                    Plaintext,
                    "orders",
                )
            },
        ),
        world(
            "authority-foreign",
            found("tls.unknown-issuer").key(super::CA),
            "RFC 5280, 6.1: no path to a trust anchor",
            |mark, kafka| {
                let link = kafka
                    .create_link_for("l", Tls, Alice)
                    .config("ssl.ca.pem", Certificates::shared().foreign_ca_pem());
                at(mark, kafka, link, Tls, "orders")
            },
        ),
        world(
            "client-certificate-missing",
            found("tls.client-certificate-required").key(("CONFIG", "/ssl.certificate.location")),
            "Apache Kafka, Configuration: ssl.client.auth=required; RFC 8446, 6.2",
            |mark, kafka| {
                at(
                    mark,
                    kafka,
                    kafka.create_link_for("l", Tls, Alice),
                    MutualTls,
                    "orders",
                )
            },
        ),
        world(
            "client-certificate-foreign",
            found("tls.client-certificate-refused").key(("CONFIG", "/ssl.certificate.pem")),
            "RFC 8446, 6.2: bad_certificate, unknown_ca, certificate_unknown",
            |mark, kafka| {
                let foreign = Certificates::shared().foreign_client();
                let link = kafka
                    .create_link_for("l", MutualTls, Alice)
                    .config("ssl.certificate.pem", foreign.certificate_pem())
                    .credential("ssl.key.pem", foreign.key_pem());
                at(mark, kafka, link, MutualTls, "orders")
            },
        ),
    ]
}

fn rights() -> Vec<Fault> {
    let topic = |name, user: KafkaUser, topic: &'static str, expected: Expected, source| {
        service(name, expected, source, move |mark, kafka| {
            let link = kafka.create_link_for("l", Plain, user);
            at(mark, kafka, link, Plain, topic).secret(user.password())
        })
    };
    vec![
        topic(
            "topic-missing",
            Admin,
            "no-such-topic",
            found("access.not-found"),
            GUIDE,
        ),
        topic(
            "topic-hidden",
            Nobody,
            "orders",
            found("access.denied"),
            GUIDE,
        ),
        topic(
            "topic-of-others",
            Alice,
            "secret",
            found("access.denied"),
            GUIDE,
        ),
        topic(
            "read-denied-to-writer",
            Writer,
            "orders",
            found("read.denied").key(USERNAME),
            KIP_430,
        ),
        topic(
            "read-denied-to-describer",
            Describer,
            "orders",
            found("read.denied").key(USERNAME),
            KIP_430,
        ),
        service(
            "write-denied",
            found("write.denied").key(USERNAME),
            KIP_430,
            |mark, kafka| {
                let link = kafka.create_link_for("l", Plain, Reader);
                let target = format!("{}/orders", kafka.bootstrap_of(Plain));
                Seeded::write(mark, &link, &target).secret(Reader.password())
            },
        ),
    ]
}

/// Alice's link with another principal and its keytab.
fn as_user(kafka: &SecuredKafka, name: &str, keytab: &std::path::Path) -> LinkStatement {
    kafka
        .create_link_for("l", Gssapi, Alice)
        .config("sasl.kerberos.principal", kafka.kdc().principal(name))
        .config("sasl.kerberos.keytab", keytab.display().to_string())
}

/// Brokers that the cluster names and nobody reaches.
fn advertised() -> Vec<Fault> {
    let row = |name, listener, code| {
        let expected = Expected::fail(code).at("advertised");
        real(
            Family::World,
            name,
            expected,
            ADVERTISED,
            move |mark, kafka| {
                let link = kafka.create_link_for("l", listener, Alice);
                let mut seeded = at(mark, kafka, link, listener, "orders");
                if listener == UnresolvableName {
                    seeded.untold = Some("it would ask the system's name server");
                }
                Ok(seeded)
            },
        )
    };
    vec![
        row("advertised-port-closed", ClosedPort, "connect.refused"),
        row(
            "advertised-name-unknown",
            UnresolvableName,
            "resolve.not-found",
        ),
        row("advertised-silent", Mute, "access.timed-out").silent(),
        real(
            Family::World,
            "one-bootstrap-down",
            found("connect.refused").warn(),
            "librdkafka, CONFIGURATION.md: bootstrap.servers needs one that answers",
            |mark, kafka| {
                let closed = RefusedPort::start();
                let target = format!("{},{}/orders", closed.addr(), kafka.bootstrap_of(Plaintext));
                let link = kafka.create_link_for("l", Plaintext, Alice);
                Ok(Seeded::read(mark, link, target).hold(closed))
            },
        ),
    ]
}

fn kerberos() -> Vec<Fault> {
    let kdc = |code| Expected::fail(code).at("kdc");
    let row = |name, expected, source, make: fn(&SecuredKafka) -> Result<LinkStatement, Error>| {
        real(
            Family::Service,
            name,
            expected,
            source,
            move |mark, kafka| Ok(at(mark, kafka, make(kafka)?, Gssapi, "orders")),
        )
    };
    let unreachable =
        |name, address: fn() -> (std::net::SocketAddr, Box<dyn std::any::Any + Send>)| {
            real(
                Family::World,
                name,
                kdc("authenticate.kdc-unreachable"),
                "RFC 4120, 7.2: a KDC answers over UDP and TCP",
                move |mark, kafka| {
                    let (address, server) = address();
                    let conf = kafka.kdc().krb5_conf_with_kdc(address)?;
                    let target = format!("{}/orders", kafka.bootstrap_of(Gssapi));
                    let link = kafka.create_link_for("l", Gssapi, Alice);
                    Ok(Seeded::read(mark, link, target)
                        .own_option("--krb5-conf", conf.display(), KERBEROS)
                        .hold(server))
                },
            )
        };
    vec![
        row(
            "keytab-stale",
            kdc("authenticate.keytab-stale").key(KEYTAB),
            KDC_ERRORS,
            |kafka| {
                Ok(as_user(
                    kafka,
                    "zoostale",
                    &kafka.kdc().stale_keytab("zoostale")?,
                ))
            },
        ),
        row(
            "principal-unknown",
            kdc("authenticate.principal-unknown").key(PRINCIPAL),
            KDC_ERRORS,
            |kafka| {
                Ok(as_user(
                    kafka,
                    "zooghost",
                    &kafka.kdc().unknown_keytab("zooghost")?,
                ))
            },
        ),
        row(
            "principal-locked",
            kdc("authenticate.method-disabled").key(PRINCIPAL),
            KDC_ERRORS,
            |kafka| {
                Ok(as_user(
                    kafka,
                    "zoolocked",
                    &kafka.kdc().locked_keytab("zoolocked")?,
                ))
            },
        ),
        row(
            "service-unknown",
            found("authenticate.service-unknown").key(SERVICE),
            KDC_ERRORS,
            |kafka| {
                Ok(kafka
                    .create_link_for("l", Gssapi, Alice)
                    .config("sasl.kerberos.service.name", "kafkaa"))
            },
        ),
        row(
            "principal-not-in-keytab",
            Expected::define("define.principal-not-in-keytab", PRINCIPAL),
            "MIT krb5, keytab file format: the principals of its entries",
            |kafka| {
                Ok(kafka
                    .create_link_for("l", Gssapi, Alice)
                    .config("sasl.kerberos.principal", kafka.kdc().principal("somebody")))
            },
        ),
        unreachable("kdc-closed", || {
            let port = RefusedPort::start();
            (port.addr(), Box::new(port))
        }),
        unreachable("kdc-silent", || {
            let server = Broken::start(broken::Fault::Silent);
            (server.addr(), Box::new(server))
        })
        .silent(),
    ]
}

fn tokens() -> Vec<Fault> {
    let token = |code| Expected::fail(code).at("token");
    let row = |family, name, expected, source, options: fn() -> TokenIssuerOptions| {
        real(family, name, expected, source, move |mark, kafka| {
            let issuer = options().start_as(kafka.issuer());
            let link = kafka.create_link_for("l", Oidc, Alice).config(
                "sasl.oauthbearer.token.endpoint.url",
                issuer.token_endpoint(),
            );
            Ok(at(mark, kafka, link, Oidc, "orders")
                .secret(Alice.password())
                .hold(issuer))
        })
    };
    vec![
        row(
            Family::Service,
            "token-of-another-audience",
            found("authenticate.token-invalid").key(TOKEN_URL),
            "RFC 7519, 4.1.3: aud; RFC 7628, 3.2.2: invalid_token",
            || TokenIssuerOptions::default().audience("other"),
        ),
        row(
            Family::Service,
            "token-expired",
            token("authenticate.token-expired").key(TOKEN_URL),
            "RFC 7519, 4.1.4: exp",
            || TokenIssuerOptions::default().life(-60),
        ),
        row(
            Family::Service,
            "client-unknown",
            token("authenticate.token-endpoint").key(CLIENT_SECRET),
            "RFC 6749, 5.2: invalid_client",
            || TokenIssuerOptions::default().refusing(),
        ),
        row(
            Family::Service,
            "token-endpoint-fails",
            token("authenticate.token-endpoint"),
            "RFC 9110, 15.6.1: 500 Internal Server Error",
            || TokenIssuerOptions::default().answer(Answer::status(500)),
        ),
        row(
            Family::World,
            "token-endpoint-silent",
            token("authenticate.timed-out").key(TOKEN_URL),
            "the deadline of the stage",
            || TokenIssuerOptions::default().answer(Answer::silence()),
        )
        .silent(),
        real(
            Family::World,
            "token-endpoint-closed",
            token("connect.refused").key(TOKEN_URL),
            "RFC 9293, 3.5.2: a reset answers a SYN to a closed port (ECONNREFUSED)",
            |mark, kafka| {
                let closed = RefusedPort::start();
                let link = kafka.create_link_for("l", Oidc, Alice).config(
                    "sasl.oauthbearer.token.endpoint.url",
                    format!("http://{}/token", closed.addr()),
                );
                Ok(at(mark, kafka, link, Oidc, "orders")
                    .secret(Alice.password())
                    .hold(closed))
            },
        ),
    ]
}

fn registries() -> Vec<Fault> {
    let registry = |code| Expected::fail(code).at("registry");
    let row =
        |name, expected, source, locked: bool, make: fn(&Mark, LinkStatement) -> LinkStatement| {
            real(
                Family::Service,
                name,
                expected,
                source,
                move |mark, kafka| {
                    let server = if locked {
                        SchemaRegistryOptions::default().with_login().start()
                    } else {
                        SchemaRegistry::start()
                    };
                    let link = make(mark, kafka.create_link_for("l", Plain, Alice));
                    let target = format!("{}/orders", kafka.bootstrap_of(Plain));
                    let script = format!("{link}{}", server.create_pipeline("p", &target, &link));
                    Ok(Seeded::script(mark, script)
                        .secret(Alice.password())
                        .hold(server))
                },
            )
        };
    let page = "Confluent, Schema Registry API reference: 401 Unauthorized";
    vec![
        row(
            "registry-login-required",
            registry("authenticate.required").key(("CREDENTIALS", "/schema.registry.username")),
            page,
            true,
            |_, link| link,
        ),
        row(
            "registry-password-wrong",
            registry("authenticate.bad-credentials")
                .key(("CREDENTIALS", "/schema.registry.password")),
            page,
            true,
            |mark, link| {
                link.credential("schema.registry.username", SchemaRegistry::login().0)
                    .credential("schema.registry.password", mark.secret())
            },
        ),
    ]
}
