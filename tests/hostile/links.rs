//! A link of each kind to one address.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::peer::Peer;

/// Nothing that a test writes may hold it.
pub(crate) const SECRET: &str = "M4rkedS3cretThatNobodyMaySeeInAnyReport012A=";

pub(crate) const KINDS: [&str; 6] = ["S3", "GCS", "AZURE", "HTTP", "KAFKA", "HDFS"];

/// The object stores, whose answers are XML, and HTTP.
pub(crate) const WEB: [&str; 4] = ["S3", "GCS", "AZURE", "HTTP"];

/// Links with their targets.
#[derive(Default)]
pub(crate) struct Links(String);

impl Links {
    /// Adds links named `kind_name` of these kinds to a server.
    pub(crate) fn to(self, name: &str, kinds: &[&str], peer: &Peer) -> Self {
        self.at(name, kinds, peer.address)
    }

    pub(crate) fn at(self, name: &str, kinds: &[&str], address: SocketAddr) -> Self {
        self.with_base(name, kinds, &format!("http://{address}"))
    }

    pub(crate) fn with_base(mut self, name: &str, kinds: &[&str], base: &str) -> Self {
        let host = base.split_once("://").unwrap().1;
        for kind in kinds {
            let (credentials, config, target) = match *kind {
                "S3" => (
                    format!(
                        r#"{{"aws_access_key_id": "AKIAIOSFODNN7QUARTZ", "aws_secret_access_key": "{SECRET}"}}"#
                    ),
                    format!(r#"{{"region": "us-east-1", "endpoint_url": "{base}"}}"#),
                    "bucket/prefix".to_owned(),
                ),
                "GCS" => (
                    format!(r#"{{"access_id": "GOOG1TEST", "secret_key": "{SECRET}"}}"#),
                    format!(r#"{{"endpoint_url": "{base}"}}"#),
                    "bucket/prefix".to_owned(),
                ),
                "AZURE" => (
                    format!(r#"{{"account_name": "orders", "account_key": "{SECRET}"}}"#),
                    format!(r#"{{"endpoint_url": "{base}"}}"#),
                    "bucket/prefix".to_owned(),
                ),
                "HTTP" => (
                    format!(r#"{{"headers": {{"Authorization": "Bearer {SECRET}"}}}}"#),
                    "{}".to_owned(),
                    format!("{base}/score"),
                ),
                "KAFKA" => (
                    format!(r#"{{"sasl.username": "reader", "sasl.password": "{SECRET}"}}"#),
                    r#"{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}"#
                        .to_owned(),
                    format!("{host}/orders"),
                ),
                _ => (
                    "{}".to_owned(),
                    r#"{"kerberos.user": "alice"}"#.to_owned(),
                    format!("hdfs://{host}/data"),
                ),
            };
            let link = format!("{}_{name}", kind.to_lowercase());
            writeln!(
                self.0,
                "-- linkdial: target '{target}'\n\
                 CREATE LINK {link} AS {kind} CREDENTIALS '{credentials}' CONFIG '{config}';"
            )
            .unwrap();
        }
        self
    }

    pub(crate) fn script(&self) -> &str {
        &self.0
    }
}
