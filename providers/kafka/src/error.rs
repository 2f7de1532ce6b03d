//! From an answer to a finding.
//!
//! | answer | finding | source |
//! | --- | --- | --- |
//! | a TLS record on a plain stream | `tls.required` | RFC 8446, 5.1 |
//! | HTTP, SSH and other first bytes; no Metadata among the requests that it knows | `access.not-this-service` | KRaft controllers answer ApiVersions as well |
//! | the stream ends after Metadata on a stream without login | `authenticate.required` | `SaslServerAuthenticator` closes it |
//! | SaslHandshake 33, 34 | `authenticate.mechanism-not-offered` | `UNSUPPORTED_SASL_MECHANISM`, `ILLEGAL_SASL_STATE`: a listener without SASL |
//! | SaslAuthenticate 58, or the stream ends, with a password | `authenticate.bad-credentials` | `SASL_AUTHENTICATION_FAILED` |
//! | the same with a token that is past its end | `authenticate.token-expired` | its own `exp` |
//! | the same with another token | `authenticate.token-invalid` | RFC 7628, 3.2.2 |
//! | a server signature that does not hold | `access.not-this-service` | RFC 5802, 3 |
//! | topic 3 | `access.not-found` | `UNKNOWN_TOPIC_OR_PARTITION` |
//! | topic 29 | `access.denied` | `TOPIC_AUTHORIZATION_FAILED`, also for a topic that is missing |
//! | topic 5; a partition without leader | `access.leader-missing` | `LEADER_NOT_AVAILABLE` |
//! | topic 17 | `access.not-found` | `INVALID_TOPIC_EXCEPTION` |
//! | authorized operations without Read, Write | `read.denied`, `write.denied` | KIP-430 |
//! | every other error | `access.server-error` | |

use jiff::Timestamp;
use kafka_protocol::error::ResponseError;
use linkdial_core::net::name_protocol;
use linkdial_core::{Change, Code, Diagnosis, Endpoint, HUNG_UP, Outcome, Policy, Secret, Stage};

use crate::config::Config;
use crate::keys::{
    CLIENT_ID, MECHANISM, OAUTH_SCOPE, OAUTH_TOKEN, OAUTH_URL, PASSWORD, PRINCIPAL, PROTOCOL,
    USERNAME,
};
use crate::login::Login;
use crate::metadata::{Rights, Topic};
use crate::token::Claims;
use crate::wire::{Broken, Connection};

/// Partitions beyond this many are counted, not listed.
const MAX_PARTITIONS: usize = 10;

/// Who is asked, and for which link.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) config: &'a Config,
}

impl Asked<'_> {
    pub(crate) fn finding(&self, code: Code, what: &str) -> Diagnosis {
        Diagnosis::new(code, format!("{} {what}", self.endpoint))
    }

    /// Adds the value that a key needs as a way to mend it.
    pub(crate) fn set(&self, finding: Diagnosis, key: &str, value: &str) -> Diagnosis {
        finding.repair(Change::set(self.config.place(key), value))
    }

    fn keyed(&self, finding: Diagnosis, keys: &[&str]) -> Diagnosis {
        let places = keys.iter().map(|key| self.config.place(key));
        places.fold(finding, Diagnosis::key)
    }
}

/// Explains why no answer came.
pub(crate) fn broken(asked: &Asked<'_>, connection: &Connection, broken: Broken) -> Diagnosis {
    match broken {
        Broken::Foreign(bytes) if !connection.has_answered() => {
            foreign(asked, connection.is_tls(), &bytes)
        }
        Broken::Unsendable => Diagnosis::new(
            Code::DefineInvalidValue,
            format!("`{CLIENT_ID}` is too long to be sent"),
        )
        .key(asked.config.place(CLIENT_ID))
        .hint("shorten it: a few words are enough"),
        Broken::Foreign(_) | Broken::Garbled => asked
            .finding(
                Code::AccessNotThisService,
                "gives answers that are not Kafka's",
            )
            .hint("this is another service: check host and port"),
        Broken::Io(error) => connection
            .context()
            .client_certificate(&error)
            .unwrap_or_else(|| cut(asked, connection, &error.kind().to_string())),
        Broken::Closed => cut(asked, connection, "it closed the connection"),
    }
}

/// Explains why Metadata got no answer: without a login that is how a broker asks for one.
pub(crate) fn metadata(asked: &Asked<'_>, connection: &Connection, why: Broken) -> Diagnosis {
    let closed = match &why {
        Broken::Closed => true,
        Broken::Io(error) => {
            let reset = std::io::ErrorKind::ConnectionReset;
            error.kind() == reset && connection.context().client_certificate(error).is_none()
        }
        _ => false,
    };
    if !closed || asked.config.login.is_some() {
        return broken(asked, connection, why);
    }
    let wanted = if connection.is_tls() {
        "sasl_ssl"
    } else {
        "sasl_plaintext"
    };
    let finding = asked
        .finding(
            Code::AuthenticateRequired,
            "requires SASL: it closed the connection without a login",
        )
        .evidence("during", "Metadata")
        .hint(format!(
            "set `{PROTOCOL}` to {wanted}, `{MECHANISM}`, user and password; or dial a listener \
             without login"
        ));
    let finding = asked.keyed(finding, &[PROTOCOL]);
    if asked.config.names_a_login() {
        asked.set(finding, PROTOCOL, wanted)
    } else {
        finding
    }
}

fn cut(asked: &Asked<'_>, connection: &Connection, error: &str) -> Diagnosis {
    asked
        .finding(
            Code::ConnectReset,
            "cut the connection before its answer was complete",
        )
        .evidence("during", "request")
        .evidence("error", error)
        .hint(if connection.has_answered() {
            "something on the way or the broker itself hung up: check its log"
        } else {
            "check that the port is that of a Kafka listener, and whether it speaks TLS"
        })
}

fn foreign(asked: &Asked<'_>, tls: bool, bytes: &[u8]) -> Diagnosis {
    // The fifth letter may still be on its way.
    let protocol = if bytes.starts_with(b"HTTP") {
        "HTTP"
    } else {
        name_protocol(bytes)
    };
    let shown = bytes[..bytes.len().min(48)].escape_ascii();
    if protocol == "TLS" && !tls {
        let wanted = if asked.config.names_a_login() {
            "sasl_ssl"
        } else {
            "ssl"
        };
        let finding = asked
            .finding(
                Code::TlsRequired,
                "speaks TLS, and the link asks for plain text",
            )
            .evidence("first_bytes", shown)
            .hint(format!("set `{PROTOCOL}` to {wanted}"));
        let finding = asked.keyed(finding, &[PROTOCOL]);
        return asked.set(finding, PROTOCOL, wanted);
    }
    asked
        .finding(
            Code::AccessNotThisService,
            &format!("speaks {protocol}, not Kafka"),
        )
        .evidence("protocol", protocol)
        .evidence("first_bytes", shown)
        .hint("this is another service: check host and port")
}

/// The port answers in Kafka's protocol and is no broker's.
pub(crate) fn no_broker(asked: &Asked<'_>, apis: usize) -> Diagnosis {
    asked
        .finding(
            Code::AccessNotThisService,
            "speaks Kafka and knows no Metadata request: it is a controller, not a broker",
        )
        .evidence("apis", apis)
        .hint("write the port of a broker's listener, not that of the controller")
}

/// The broker refused the mechanism before any credential went out.
pub(crate) fn mechanism(
    asked: &Asked<'_>,
    mechanism: &str,
    code: i16,
    offered: &[&str],
) -> Diagnosis {
    if code == ResponseError::IllegalSaslState.code() {
        let without = if asked.config.tls.is_some() {
            "ssl"
        } else {
            "plaintext"
        };
        let finding = asked
            .finding(
                Code::AuthenticateMechanismNotOffered,
                "is a listener without login",
            )
            .evidence("asked_for", mechanism)
            .evidence("remote_code", name(code))
            .hint(format!(
                "set `{PROTOCOL}` to {without}, or write the port of a listener with SASL"
            ));
        let finding = asked.keyed(finding, &[PROTOCOL]);
        return asked.set(finding, PROTOCOL, without);
    }
    if code != ResponseError::UnsupportedSaslMechanism.code() {
        return asked
            .finding(Code::AccessServerError, "failed to begin the login")
            .evidence("remote_code", name(code))
            .hint("look into the log of the broker");
    }
    let list = offered.join(", ");
    let finding = asked
        .finding(
            Code::AuthenticateMechanismNotOffered,
            &format!("does not offer the mechanism {mechanism}"),
        )
        .evidence("asked_for", mechanism)
        .evidence("offered", &list)
        .evidence("remote_code", name(code))
        .hint(match offered {
            [] => "ask whoever runs the cluster for the mechanism of this listener".to_owned(),
            [one] => format!("set `{MECHANISM}` to {one}"),
            _ => format!("set `{MECHANISM}` to one of {list}"),
        });
    let finding = asked.keyed(finding, &[MECHANISM]);
    let usable = asked.config.usable(offered);
    usable
        .into_iter()
        .fold(finding, |finding, it| asked.set(finding, MECHANISM, it))
}

/// The broker refused the credentials; with the code 0 it only hung up.
pub(crate) fn refused(asked: &Asked<'_>, login: &Login, code: i16, message: &str) -> Diagnosis {
    let finding = refusal(asked, login, code, message);
    let hung_up = if code == 0 {
        "in the place of an answer"
    } else {
        ""
    };
    finding.evidence(HUNG_UP, hung_up)
}

fn refusal(asked: &Asked<'_>, login: &Login, code: i16, message: &str) -> Diagnosis {
    if let Login::Token { token, .. } = login {
        return self::token(asked, token).evidence("message", message);
    }
    let failed = ResponseError::SaslAuthenticationFailed.code();
    if code != 0 && code != failed {
        return asked
            .finding(Code::AccessServerError, "failed to carry out the login")
            .evidence("remote_code", name(code))
            .evidence("message", message)
            .hint("look into the log of the broker");
    }
    let finding = asked
        .finding(
            Code::AuthenticateBadCredentials,
            "does not accept user and password",
        )
        .evidence("mechanism", login.mechanism())
        .evidence("remote_code", name(code))
        .evidence("message", message)
        .hint(
            "check both with whoever runs the cluster; a user of one SCRAM mechanism is unknown \
             to the other",
        );
    asked.keyed(finding, &[PASSWORD, USERNAME])
}

/// The broker refused the token: its own claims may say why, the broker does not.
pub(crate) fn token(asked: &Asked<'_>, token: &Secret) -> Diagnosis {
    let claims = Claims::read(token.expose());
    let now = Timestamp::now();
    let finding = if claims.expired(now) {
        asked
            .finding(
                Code::AuthenticateTokenExpired,
                "does not accept the token, which is past its end",
            )
            .hint("put a fresh token there")
    } else {
        asked
            .finding(Code::AuthenticateTokenInvalid, "does not accept the token")
            .hint("compare issuer, audience and scope with what the broker expects")
    };
    let finding = claims.tell(finding.evidence("mechanism", "OAUTHBEARER"));
    match &asked.config.login {
        // What the server put into the token follows from where, and for what, it was asked.
        Some(Login::Oidc(oidc)) if oidc.scope.is_some() => {
            asked.keyed(finding, &[OAUTH_SCOPE, OAUTH_URL])
        }
        Some(Login::Oidc(_)) => asked.keyed(finding, &[OAUTH_URL]),
        _ => asked.keyed(finding, &[OAUTH_TOKEN]),
    }
}

/// SCRAM could not be followed.
pub(crate) fn scram(asked: &Asked<'_>, reason: &str) -> Diagnosis {
    asked
        .finding(
            Code::AccessNotThisService,
            "gives a SCRAM message that can not be followed",
        )
        .evidence("reason", reason)
        .hint("this is no Kafka broker, or something on the way changes what it says")
}

/// The server took the proof and could not give its own.
pub(crate) fn impostor(asked: &Asked<'_>) -> Diagnosis {
    asked
        .finding(
            Code::AccessNotThisService,
            "accepted the login without proof that it knows the password",
        )
        .hint("something else than the broker answers there: check host, port and the way to it")
}

/// The login is not one of this version's.
pub(crate) fn unproven(asked: &Asked<'_>, mechanism: &str, code: Code, reason: &str) -> Diagnosis {
    let finding = Diagnosis::new(
        code,
        format!("{} was not logged in to: {reason}", asked.endpoint),
    )
    .evidence("mechanism", mechanism)
    .evidence("proved", "the broker offers the mechanism")
    .hint("check it on a node of the cluster with `kinit -kt KEYTAB PRINCIPAL`");
    asked.keyed(finding, &[MECHANISM])
}

/// Returns what the answer says against the topic; empty when it can be used.
pub(crate) fn topic(asked: &Asked<'_>, wanted: &str, found: Option<&Topic>) -> Vec<Diagnosis> {
    let Some(topic) = found else {
        return vec![not_found(asked, wanted)];
    };
    let code = ResponseError::try_from_code(topic.error);
    let finding = match code {
        None | Some(ResponseError::LeaderNotAvailable) => return leaders(asked, topic, code),
        Some(ResponseError::UnknownTopicOrPartition) => not_found(asked, wanted),
        Some(ResponseError::TopicAuthorizationFailed) => Diagnosis::new(
            Code::AccessDenied,
            format!("the topic `{wanted}` is missing, or this user may not see it"),
        )
        .evidence("operation", "Describe")
        .hint(
            "a broker does not tell the two apart to a user without Describe: check the name, \
             then the ACLs of the topic",
        ),
        Some(ResponseError::InvalidTopicException) => Diagnosis::new(
            Code::AccessNotFound,
            format!("no cluster can have a topic `{wanted}`"),
        )
        .hint("check the name after the last `/` of the target"),
        Some(_) => Diagnosis::new(
            Code::AccessServerError,
            format!("{} can not tell of the topic `{wanted}`", asked.endpoint),
        )
        .hint("look into the log of the broker"),
    };
    let named = finding
        .evidence("topic", wanted)
        .evidence("remote_code", name(topic.error));
    vec![match &asked.config.login {
        // Name or user: no key is guilty alone.
        Some(Login::Plain { user, .. } | Login::Scram { user, .. })
            if named.code == Code::AccessDenied =>
        {
            named.evidence("user", user)
        }
        _ => named,
    }]
}

/// Returns what the client library was told against the topic.
pub(crate) fn told_of_topic(asked: &Asked<'_>, wanted: &str, code: i16) -> Vec<Diagnosis> {
    if code == 0 {
        return Vec::new();
    }
    let told = Topic {
        error: code,
        name: wanted.to_owned(),
        partitions: Vec::new(),
        rights: None,
    };
    topic(asked, wanted, Some(&told))
}

fn not_found(asked: &Asked<'_>, wanted: &str) -> Diagnosis {
    Diagnosis::new(
        Code::AccessNotFound,
        format!("the cluster has no topic `{wanted}`"),
    )
    .evidence("asked", asked.endpoint)
    .hint("check the name, letter case included; nothing was created by asking")
}

fn leaders(asked: &Asked<'_>, topic: &Topic, code: Option<ResponseError>) -> Vec<Diagnosis> {
    let leaderless = topic.leaderless();
    let count = topic.partitions.len();
    if leaderless.is_empty() && code.is_none() && count > 0 {
        return Vec::new();
    }
    vec![
        Diagnosis::new(
            Code::AccessLeaderMissing,
            format!(
                "{} of {count} partitions of the topic `{}` have no leader",
                leaderless.len(),
                topic.name
            ),
        )
        .evidence("partitions", listed(&leaderless))
        .evidence("asked", asked.endpoint)
        .evidence("remote_code", name(topic.error))
        .hint("bring the brokers back that hold these partitions, then check again"),
    ]
}

/// A broker does not serve what it is said to lead.
pub(crate) fn not_served(
    asked: &Asked<'_>,
    topic: &str,
    code: i16,
    partitions: &[i32],
) -> Diagnosis {
    let error = ResponseError::try_from_code(code);
    let what = format!("does not serve partitions of the topic `{topic}` that it is said to lead");
    let (code_of_finding, hint) = match error {
        Some(
            ResponseError::NotLeaderOrFollower
            | ResponseError::LeaderNotAvailable
            | ResponseError::ReplicaNotAvailable
            | ResponseError::UnknownTopicOrPartition
            | ResponseError::FencedLeaderEpoch
            | ResponseError::UnknownLeaderEpoch
            | ResponseError::OffsetNotAvailable,
        ) => (
            Code::AccessLeaderMissing,
            "asked six times in half a second: if leaders are changing now, check again later; else look \
             into the log of the broker",
        ),
        Some(ResponseError::TopicAuthorizationFailed) => (
            Code::AccessDenied,
            "add an ACL that allows Describe on the topic; brokers that differ in it are out of step",
        ),
        _ => (Code::AccessServerError, "look into the log of the broker"),
    };
    let finding = asked
        .finding(code_of_finding, &what)
        .evidence("partitions", listed(partitions))
        .evidence("topic", topic)
        .evidence("remote_code", name(code))
        .hint(hint);
    asked.principal(finding)
}

/// A broker leaves partitions out that it was asked for.
pub(crate) fn not_told(asked: &Asked<'_>, topic: &str, partitions: &[i32]) -> Diagnosis {
    asked
        .finding(
            Code::AccessServerError,
            &format!("says nothing of partitions of the topic `{topic}` that it is said to lead"),
        )
        .evidence("partitions", listed(partitions))
        .hint("look into the log of the broker")
}

/// Returns whether an error code may be gone the next time.
pub(crate) fn may_pass(code: i16) -> bool {
    ResponseError::try_from_code(code).is_some_and(|error| error.is_retriable())
}

fn listed(partitions: &[i32]) -> String {
    let shown = partitions.iter().take(MAX_PARTITIONS);
    let mut shown: Vec<String> = shown.map(i32::to_string).collect();
    if partitions.len() > shown.len() {
        shown.push(format!("and {} more", partitions.len() - shown.len()));
    }
    shown.join(", ")
}

/// The authorizer does not allow what the statement does.
pub(crate) fn denied(asked: &Asked<'_>, stage: Stage, topic: &str, rights: Rights) -> Diagnosis {
    let (code, operation) = if stage == Stage::Write {
        (Code::WriteDenied, "Write")
    } else {
        (Code::ReadDenied, "Read")
    };
    let finding = Diagnosis::new(
        code,
        format!("this user lacks {operation} on the topic `{topic}`"),
    )
    .evidence("operation", operation)
    .evidence("topic", topic)
    .evidence("allowed", rights.names())
    .hint(format!(
        "add an ACL that allows {operation} on the topic to this user"
    ));
    asked
        .principal(finding)
        .policy(asked.acl(topic, &[operation]))
}

/// A cluster without brokers, or with one that can not be dialled.
pub(crate) fn server_error(asked: &Asked<'_>, what: &str) -> Diagnosis {
    asked
        .finding(Code::AccessServerError, what)
        .hint("check `advertised.listeners` of the brokers")
        .outcome(Outcome::Fail)
}

impl Asked<'_> {
    /// Returns the command that allows operations on a topic; `None` where nothing says for whom.
    ///
    /// Read and Write imply Describe (Apache Kafka, Authorization and ACLs). The principal is what a
    /// broker makes of the login unless its settings say otherwise.
    pub(crate) fn acl(&self, topic: &str, operations: &[&str]) -> Option<Policy> {
        let user = match &self.config.login {
            Some(Login::Plain { user, .. } | Login::Scram { user, .. }) => user.clone(),
            Some(Login::Gssapi(gssapi)) => gssapi.principal.as_ref()?.components.first()?.clone(),
            Some(Login::Token { token, .. }) => Claims::read(token.expose()).subject,
            _ => return None,
        };
        // A `*` would be everybody (Apache Kafka, Authorization and ACLs).
        if user.is_empty() || user == "*" {
            return None;
        }
        let (broker, principal) = (self.endpoint.to_string(), format!("User:{user}"));
        let mut words = vec![
            "kafka-acls.sh",
            "--bootstrap-server",
            &broker,
            "--command-config",
            "ADMIN.properties",
            "--add",
            "--allow-principal",
            &principal,
        ];
        for operation in operations {
            words.extend(["--operation", operation]);
        }
        words.extend(["--resource-pattern-type", "literal", "--topic", topic]);
        let named = operations.join(" and ");
        let title = format!("{named} on the topic, with the login of an administrator");
        Policy::command(title, words)
    }

    fn principal(&self, finding: Diagnosis) -> Diagnosis {
        match &self.config.login {
            Some(Login::Plain { user, .. } | Login::Scram { user, .. }) => {
                self.keyed(finding.evidence("user", user), &[USERNAME])
            }
            Some(Login::Gssapi(gssapi)) => match &gssapi.principal {
                Some(principal) => {
                    self.keyed(finding.evidence("principal", principal), &[PRINCIPAL])
                }
                None => finding,
            },
            _ => finding,
        }
    }
}

/// Returns the protocol's name of an error code with its number; empty for none.
fn name(code: i16) -> String {
    match ResponseError::try_from_code(code) {
        Some(known) => format!("{known:?} ({code})"),
        None => String::new(),
    }
}
