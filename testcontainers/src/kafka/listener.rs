/// A way into a [`SecuredKafka`](crate::SecuredKafka).
///
/// The last three greet a client well and then send it to a broker that cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KafkaListener {
    /// Plain text without a login; may do everything.
    Plaintext,
    /// TLS without a login; may do everything.
    Tls,
    /// TLS with a client certificate, whose common name is the user.
    MutualTls,
    /// Plain text with SASL PLAIN.
    Plain,
    /// TLS with SASL SCRAM-SHA-256; the same port as SCRAM-SHA-512.
    ScramSha256,
    /// TLS with SASL SCRAM-SHA-512.
    ScramSha512,
    /// TLS with SASL OAUTHBEARER, which takes unsigned tokens.
    OauthBearer,
    /// TLS with SASL OAUTHBEARER, which takes the tokens of
    /// [`SecuredKafka::issuer`](crate::SecuredKafka::issuer).
    Oidc,
    /// Plain text with SASL GSSAPI, for principals of
    /// [`SecuredKafka::kdc`](crate::SecuredKafka::kdc); advertised as `localhost`, the host of the
    /// service's principal.
    Gssapi,
    /// Plain text; the advertised port is closed.
    ClosedPort,
    /// Plain text; the advertised name is `broker-1.invalid`, which nobody can resolve.
    UnresolvableName,
    /// Plain text; the advertised broker takes every connection and says nothing.
    Mute,
}

/// The listeners that have a port besides the first one, in the order of these ports.
pub(super) const FURTHER: [KafkaListener; 10] = [
    KafkaListener::Tls,
    KafkaListener::MutualTls,
    KafkaListener::Plain,
    KafkaListener::ScramSha512,
    KafkaListener::OauthBearer,
    KafkaListener::Oidc,
    KafkaListener::Gssapi,
    KafkaListener::ClosedPort,
    KafkaListener::UnresolvableName,
    KafkaListener::Mute,
];

impl KafkaListener {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Plaintext,
        Self::Tls,
        Self::MutualTls,
        Self::Plain,
        Self::ScramSha256,
        Self::ScramSha512,
        Self::OauthBearer,
        Self::Oidc,
        Self::Gssapi,
        Self::ClosedPort,
        Self::UnresolvableName,
        Self::Mute,
    ];

    /// The value of `security.protocol`, in capital letters.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Tls | Self::MutualTls => "SSL",
            Self::Plain | Self::Gssapi => "SASL_PLAINTEXT",
            Self::ScramSha256 | Self::ScramSha512 | Self::OauthBearer | Self::Oidc => "SASL_SSL",
            Self::Plaintext | Self::ClosedPort | Self::UnresolvableName | Self::Mute => "PLAINTEXT",
        }
    }

    /// The value of `sasl.mechanism`, where there is a login.
    pub fn mechanism(self) -> Option<&'static str> {
        match self {
            Self::Plain => Some("PLAIN"),
            Self::ScramSha256 => Some("SCRAM-SHA-256"),
            Self::ScramSha512 => Some("SCRAM-SHA-512"),
            Self::OauthBearer | Self::Oidc => Some("OAUTHBEARER"),
            Self::Gssapi => Some("GSSAPI"),
            _ => None,
        }
    }

    /// Whether it speaks TLS.
    pub fn is_tls(self) -> bool {
        self.protocol().ends_with("SSL")
    }

    /// The broker's name for it. The vendor's image asks for files of its own where one of them
    /// ends with `SSL`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Tls => "TLS",
            Self::MutualTls => "MTLS",
            Self::Plain => "PLAIN",
            Self::ScramSha256 | Self::ScramSha512 => "SCRAM",
            Self::OauthBearer => "OAUTH",
            Self::Oidc => "OIDC",
            Self::Gssapi => "KERBEROS",
            Self::ClosedPort => "CLOSED",
            Self::UnresolvableName => "NAMELESS",
            Self::Mute => "MUTE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listener_but_the_first_has_a_further_port() {
        for listener in KafkaListener::ALL {
            let ports = FURTHER.iter().filter(|it| it.name() == listener.name());
            let expected = usize::from(listener != KafkaListener::Plaintext);
            assert_eq!(ports.count(), expected, "{listener:?}");
        }
    }
}
