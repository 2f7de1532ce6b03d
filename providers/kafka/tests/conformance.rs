//! The promises that every provider keeps.

use linkdial_core::testing::{self, Fixture, Link};
use linkdial_core::{Driver, Kind, Target};
use linkdial_kafka::Kafka;

#[test]
fn conformance() {
    let fixture = Fixture {
        test: "conformance",
        link: |base, secret| {
            let (scheme, address) = base.split_once("://").expect("a base is a URL");
            let protocol = if scheme == "https" {
                "sasl_ssl"
            } else {
                "sasl_plaintext"
            };
            let config =
                format!(r#"{{"security.protocol": "{protocol}", "sasl.mechanism": "PLAIN"}}"#);
            let credentials =
                format!(r#"{{"sasl.username": "reader", "sasl.password": "{secret}"}}"#);
            Link {
                definition: testing::definition(Kind::Kafka, &config, &credentials),
                target: Some(Target::new(format!("{address}/orders"))),
            }
        },
        faulty: || {
            [
                (
                    r#"{"security.protocol": "sasl_ssl"}"#,
                    r#"{"sasl.username": "x"}"#,
                ),
                (r#"{"security.protocol": "tls", "debug": "all"}"#, ""),
                (
                    r#"{"security.protocol": "ssl", "ssl.key.location": "/k", "spoof.dns": {"a": "b"}}"#,
                    "",
                ),
                (
                    r#"{"sasl.mechanism": "PLAIN"}"#,
                    r#"{"sasl.pasword": "x"}"#,
                ),
                ("{", r#"{"ssl.key.pem": "x", "ssl.key.pem": 1}"#),
            ]
            .map(|(config, credentials)| testing::definition(Kind::Kafka, config, credentials))
            .into()
        },
        writes: |_| false,
        write: None,
    };
    testing::conformance(&Driver::of::<Kafka>(), &fixture).assert();
}

#[test]
fn conformance_of_fetched_tokens() {
    let fixture = Fixture {
        test: "conformance_of_fetched_tokens",
        link: |base, secret| {
            let config = format!(
                r#"{{"security.protocol": "sasl_plaintext", "sasl.mechanism": "OAUTHBEARER",
                    "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "loader",
                    "sasl.oauthbearer.token.endpoint.url": "{base}/token"}}"#
            );
            let credentials = format!(r#"{{"sasl.oauthbearer.client.secret": "{secret}"}}"#);
            let (_, address) = base.split_once("://").expect("a base is a URL");
            Link {
                definition: testing::definition(Kind::Kafka, &config, &credentials),
                target: Some(Target::new(format!("{address}/orders"))),
            }
        },
        faulty: || {
            let config = r#"{"security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc"}"#;
            vec![testing::definition(Kind::Kafka, config, "")]
        },
        writes: |_| false,
        write: None,
    };
    testing::conformance(&Driver::of::<Kafka>(), &fixture).assert();
}
