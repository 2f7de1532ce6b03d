//! Every option of a Kafka link: those that count, those that are let through, those that are not.

use linkdial_core::{Key, Shape};

pub(crate) const PROTOCOL: &str = "security.protocol";
pub(crate) const MECHANISM: &str = "sasl.mechanism";
pub(crate) const MECHANISMS: &str = "sasl.mechanisms";
pub(crate) const USERNAME: &str = "sasl.username";
pub(crate) const PASSWORD: &str = "sasl.password";
pub(crate) const CA_FILE: &str = "ssl.ca.location";
pub(crate) const CA_PEM: &str = "ssl.ca.pem";
pub(crate) const CERTIFICATE_FILE: &str = "ssl.certificate.location";
pub(crate) const CERTIFICATE_PEM: &str = "ssl.certificate.pem";
pub(crate) const KEY_FILE: &str = "ssl.key.location";
pub(crate) const KEY_PEM: &str = "ssl.key.pem";
pub(crate) const KEY_PASSWORD: &str = "ssl.key.password";
pub(crate) const REGISTRY_USERNAME: &str = "schema.registry.username";
pub(crate) const REGISTRY_PASSWORD: &str = "schema.registry.password";
pub(crate) const SERVICE: &str = "sasl.kerberos.service.name";
pub(crate) const PRINCIPAL: &str = "sasl.kerberos.principal";
pub(crate) const KEYTAB: &str = "sasl.kerberos.keytab";
pub(crate) const CACHE: [&str; 2] = ["sasl.kerberos.ccache", "sasl.kerberos.cache"];
pub(crate) const NO_KINIT: &str = "sasl.kerberos.disable.kinit";
pub(crate) const OAUTH_METHOD: &str = "sasl.oauthbearer.method";
pub(crate) const OAUTH_ID: &str = "sasl.oauthbearer.client.id";
pub(crate) const OAUTH_SECRET: &str = "sasl.oauthbearer.client.secret";
pub(crate) const OAUTH_URL: &str = "sasl.oauthbearer.token.endpoint.url";
pub(crate) const OAUTH_SCOPE: &str = "sasl.oauthbearer.scope";
pub(crate) const OAUTH_EXTENSIONS: &str = "sasl.oauthbearer.extensions";
pub(crate) const OAUTH_TOKEN: &str = "sasl.oauthbearer.token";
pub(crate) const SPOOF: &str = "spoof.dns";
pub(crate) const TIMEOUT: &str = "operation.timeout.ms";
pub(crate) const BOOTSTRAP: [&str; 2] = ["bootstrap.servers", "metadata.broker.list"];
pub(crate) const CLIENT_ID: &str = "client.id";

/// The options that bring a certificate or key along: a file of the nodes, or the text itself.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) file: &'static str,
    pub(crate) inline: Option<&'static str>,
}

impl Pair {
    /// Returns the names for a hint.
    pub(crate) fn names(&self) -> String {
        match self.inline {
            Some(inline) => format!("`{}` or `{inline}`", self.file),
            None => format!("`{}`", self.file),
        }
    }
}

/// The options of one client with TLS.
#[derive(Debug)]
pub(crate) struct TlsKeys {
    pub(crate) ca: Pair,
    pub(crate) certificate: Pair,
    pub(crate) key: Pair,
    /// The password of the key.
    pub(crate) password: &'static str,
}

/// TLS to the brokers.
pub(crate) static BROKER_TLS: TlsKeys = TlsKeys {
    ca: Pair {
        file: CA_FILE,
        inline: Some(CA_PEM),
    },
    certificate: Pair {
        file: CERTIFICATE_FILE,
        inline: Some(CERTIFICATE_PEM),
    },
    key: Pair {
        file: KEY_FILE,
        inline: Some(KEY_PEM),
    },
    password: KEY_PASSWORD,
};

/// TLS to the schema registry.
pub(crate) static REGISTRY_TLS: TlsKeys = TlsKeys {
    ca: Pair {
        file: "schema.registry.ssl.ca.location",
        inline: None,
    },
    certificate: Pair {
        file: "schema.registry.ssl.certificate.location",
        inline: None,
    },
    key: Pair {
        file: "schema.registry.ssl.key.location",
        inline: None,
    },
    password: "schema.registry.ssl.key.password",
};

/// A day; nobody means more.
const LONGEST_MS: i64 = 24 * 60 * 60 * 1000;

const fn text(name: &'static str) -> Key {
    Key::config(name, Shape::Text)
}

const fn secret(name: &'static str) -> Key {
    Key::credential(name, Shape::Text).secret()
}

/// Every key of a Kafka link.
pub(crate) const KEYS: &[Key] = &[
    // SingleStore's own
    Key::config(SPOOF, Shape::Object),
    Key::config(TIMEOUT, Shape::Integer(1, LONGEST_MS)),
    text(CACHE[0]),
    text(CACHE[1]),
    text("sasl.tmpdir"),
    Key::config(NO_KINIT, Shape::Boolean),
    // librdkafka's, as far as a link needs them
    text(BOOTSTRAP[0]),
    text(BOOTSTRAP[1]),
    text(CLIENT_ID),
    text(PROTOCOL),
    text(MECHANISM),
    text(MECHANISMS),
    Key::credential(USERNAME, Shape::Text),
    secret(PASSWORD),
    text(CA_FILE),
    Key::config(CA_PEM, Shape::Pem),
    text(CERTIFICATE_FILE),
    Key::config(CERTIFICATE_PEM, Shape::Pem),
    text(KEY_FILE),
    Key::credential(KEY_PEM, Shape::Pem).secret(),
    secret(KEY_PASSWORD),
    text(SERVICE),
    text(PRINCIPAL),
    text(KEYTAB),
    text("sasl.kerberos.min.time.before.relogin"),
    Key::config(OAUTH_METHOD, Shape::Word(&["default", "oidc"])),
    text(OAUTH_ID),
    secret(OAUTH_SECRET),
    text(OAUTH_URL),
    text(OAUTH_SCOPE),
    text(OAUTH_EXTENSIONS),
    secret("sasl.oauthbearer.config"),
    secret(OAUTH_TOKEN).extension(),
    Key::credential(REGISTRY_USERNAME, Shape::Text),
    secret(REGISTRY_PASSWORD),
    text(REGISTRY_TLS.ca.file),
    text(REGISTRY_TLS.certificate.file),
    text(REGISTRY_TLS.key.file),
    secret(REGISTRY_TLS.password),
    // librdkafka's, let through: they change how fast records flow, and no dial
    text("acks"),
    text("allow.auto.create.topics"),
    text("api.version.fallback.ms"),
    text("api.version.request"),
    text("api.version.request.timeout.ms"),
    text("auto.commit.interval.ms"),
    text("auto.offset.reset"),
    text("batch.num.messages"),
    text("batch.size"),
    text("broker.address.family"),
    text("broker.address.ttl"),
    text("broker.version.fallback"),
    text("check.crcs"),
    text("client.dns.lookup"),
    text("client.rack"),
    text("compression.codec"),
    text("compression.level"),
    text("compression.type"),
    text("connections.max.idle.ms"),
    text("delivery.timeout.ms"),
    text("enable.auto.commit"),
    text("enable.idempotence"),
    text("enable.partition.eof"),
    text("fetch.error.backoff.ms"),
    text("fetch.max.bytes"),
    text("fetch.message.max.bytes"),
    text("fetch.min.bytes"),
    text("fetch.wait.max.ms"),
    text("group.id"),
    text("heartbeat.interval.ms"),
    text("isolation.level"),
    text("linger.ms"),
    text("max.in.flight"),
    text("max.in.flight.requests.per.connection"),
    text("max.partition.fetch.bytes"),
    text("max.poll.interval.ms"),
    text("message.copy.max.bytes"),
    text("message.max.bytes"),
    text("message.send.max.retries"),
    text("message.timeout.ms"),
    text("metadata.max.age.ms"),
    text("partitioner"),
    text("queue.buffering.max.kbytes"),
    text("queue.buffering.max.messages"),
    text("queue.buffering.max.ms"),
    text("queued.max.messages.kbytes"),
    text("queued.min.messages"),
    text("receive.message.max.bytes"),
    text("reconnect.backoff.max.ms"),
    text("reconnect.backoff.ms"),
    text("request.required.acks"),
    text("request.timeout.ms"),
    text("retries"),
    text("retry.backoff.max.ms"),
    text("retry.backoff.ms"),
    text("session.timeout.ms"),
    text("socket.connection.setup.timeout.ms"),
    text("socket.keepalive.enable"),
    text("socket.max.fails"),
    text("socket.nagle.disable"),
    text("socket.receive.buffer.bytes"),
    text("socket.send.buffer.bytes"),
    text("socket.timeout.ms"),
    text("topic.metadata.refresh.interval.ms"),
    text("transactional.id"),
    // librdkafka's that REFUSED judges
    text("background_event_cb"),
    text("builtin.features"),
    text("closesocket_cb"),
    text("connect_cb"),
    text("consume_cb"),
    text("debug"),
    text("delivery.report.only.error"),
    text("dr_cb"),
    text("dr_msg_cb"),
    text("enable.sasl.oauthbearer.unsecure.jwt"),
    text("enable.ssl.certificate.verification"),
    text("error_cb"),
    text("https.ca.location"),
    text("https.ca.pem"),
    text("interceptors"),
    text("internal.termination.signal"),
    text("log.queue"),
    text("log_cb"),
    text("log_level"),
    text("oauthbearer_token_refresh_cb"),
    text("offset.store.method"),
    text("offset.store.path"),
    text("offset_commit_cb"),
    text("opaque"),
    text("open_cb"),
    text("plugin.library.paths"),
    text("rebalance_cb"),
    text("resolve_cb"),
    text("sasl.kerberos.kinit.cmd"),
    text("sasl.oauthbearer.assertion.file"),
    text("sasl.oauthbearer.assertion.jwt.template.file"),
    text("sasl.oauthbearer.assertion.private.key.file"),
    secret("sasl.oauthbearer.assertion.private.key.passphrase"),
    secret("sasl.oauthbearer.assertion.private.key.pem"),
    text("sasl.oauthbearer.metadata.authentication.type"),
    text("socket_cb"),
    text("ssl.cipher.suites"),
    text("ssl.crl.location"),
    text("ssl.curves.list"),
    text("ssl.endpoint.identification.algorithm"),
    text("ssl.engine.id"),
    text("ssl.engine.location"),
    text("ssl.keystore.location"),
    secret("ssl.keystore.password"),
    text("ssl.providers"),
    text("ssl.sigalgs.list"),
    text("ssl_certificate_verify_cb"),
    text("statistics.interval.ms"),
    text("stats_cb"),
    text("test.mock.broker.rtt"),
    text("test.mock.num.brokers"),
    text("throttle_cb"),
    text("topic.blacklist"),
];

/// Why a group of options has no place in a link.
pub(crate) struct Refused {
    pub(crate) reason: &'static str,
    pub(crate) hint: &'static str,
    /// The options, each with the values that are harmless.
    pub(crate) options: &'static [(&'static str, &'static [&'static str])],
}

/// Options that are refused.
pub(crate) const REFUSED: &[Refused] = &[
    Refused {
        reason: "would run code of the link's choice",
        hint: "remove it",
        options: &[
            ("plugin.library.paths", &[]),
            ("sasl.kerberos.kinit.cmd", &[]),
            ("ssl.engine.id", &[]),
            ("ssl.engine.location", &[]),
            ("ssl.providers", &[]),
        ],
    },
    Refused {
        reason: "would write files",
        hint: "remove it: a pipeline keeps its offsets in the database",
        options: &[
            ("offset.store.path", &[]),
            ("offset.store.method", &["broker", "none"]),
        ],
    },
    Refused {
        reason: "reads a file of a form that linkdial can not check",
        hint: "use PEM: `ssl.ca.location`, `ssl.certificate.location` and `ssl.key.location`",
        options: &[
            ("https.ca.location", &[]),
            ("https.ca.pem", &[]),
            ("sasl.oauthbearer.assertion.file", &[]),
            ("sasl.oauthbearer.assertion.jwt.template.file", &[]),
            ("sasl.oauthbearer.assertion.private.key.file", &[]),
            ("sasl.oauthbearer.assertion.private.key.passphrase", &[]),
            ("sasl.oauthbearer.assertion.private.key.pem", &[]),
            ("ssl.crl.location", &[]),
            ("ssl.keystore.location", &[]),
            ("ssl.keystore.password", &[]),
        ],
    },
    Refused {
        reason: "would send requests with the identity of the machine",
        hint: "remove it, and give the link an identity of its own",
        options: &[("sasl.oauthbearer.metadata.authentication.type", &["none"])],
    },
    Refused {
        reason: "makes tokens that nobody has signed",
        hint: "remove it: set `sasl.oauthbearer.method` to oidc with client id, client secret and \
               token endpoint",
        options: &[("enable.sasl.oauthbearer.unsecure.jwt", &["false"])],
    },
    Refused {
        reason: "weakens what TLS protects",
        hint: "remove it; a private CA is named by `ssl.ca.location` or `ssl.ca.pem`",
        options: &[
            ("enable.ssl.certificate.verification", &["true"]),
            ("ssl.cipher.suites", &[]),
            ("ssl.curves.list", &[]),
            ("ssl.endpoint.identification.algorithm", &["https"]),
            ("ssl.sigalgs.list", &[]),
        ],
    },
    Refused {
        reason: "is for the library's own tests and debuggers",
        hint: "remove it",
        options: &[
            ("builtin.features", &[]),
            ("debug", &[]),
            ("internal.termination.signal", &[]),
            ("log.queue", &[]),
            ("log_level", &[]),
            ("statistics.interval.ms", &["0"]),
            ("test.mock.broker.rtt", &[]),
            ("test.mock.num.brokers", &["0"]),
        ],
    },
    Refused {
        reason: "takes a function of a program, which a link can not hold",
        hint: "remove it",
        options: &[
            ("background_event_cb", &[]),
            ("closesocket_cb", &[]),
            ("connect_cb", &[]),
            ("consume_cb", &[]),
            ("dr_cb", &[]),
            ("dr_msg_cb", &[]),
            ("error_cb", &[]),
            ("interceptors", &[]),
            ("log_cb", &[]),
            ("oauthbearer_token_refresh_cb", &[]),
            ("offset_commit_cb", &[]),
            ("opaque", &[]),
            ("open_cb", &[]),
            ("rebalance_cb", &[]),
            ("resolve_cb", &[]),
            ("socket_cb", &[]),
            ("ssl_certificate_verify_cb", &[]),
            ("stats_cb", &[]),
            ("throttle_cb", &[]),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once_and_every_refused_one_is_known() {
        let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for (option, _) in REFUSED.iter().flat_map(|group| group.options) {
            assert!(names.contains(option), "{option}");
        }
    }
}
