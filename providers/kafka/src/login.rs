//! The first words on a stream: which protocol is spoken, and who we are.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse, TopicName,
    metadata_request::MetadataRequestTopic,
};
use kafka_protocol::protocol::{Decodable as _, StrBytes};
use linkdial_core::net::Net;
use linkdial_core::{Code, Diagnosis, Outcome, Secret, Wrong};
use linkdial_kerberos::{KerberosFault, Source};

use crate::config::Config;
use crate::error::{self, Asked};
use crate::gssapi::{ByClient, Gssapi, Kerberos};
use crate::keys::{KEYTAB, OAUTH_SECRET, OAUTH_TOKEN, PASSWORD};
use crate::metadata::{self, Metadata};
use crate::offsets;
use crate::scram::{Hash, Scram};
use crate::token_endpoint::Oidc;
use crate::wire::{Broken, Connection};

/// The version of the SASL handshake that is followed by framed messages.
const HANDSHAKE: i16 = 1;
const AUTHENTICATE: i16 = 2;

/// `SASL_AUTHENTICATION_FAILED`.
const REFUSED: i16 = 58;

/// A broker that has just been made leader may not know it yet: every client asks again then.
const TRIES: usize = 6;

/// How long a client waits before it asks again: its own `retry.backoff.ms`.
const PAUSE: Duration = Duration::from_millis(100);

/// Who the link says it is.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    Plain {
        user: String,
        password: Secret,
    },
    Scram {
        hash: Hash,
        user: String,
        password: Secret,
    },
    /// OAUTHBEARER with a token that the link holds.
    Token {
        token: Secret,
        extensions: Vec<(String, String)>,
    },
    /// OAUTHBEARER with a token that is fetched first; it becomes [`Login::Token`] then.
    Oidc(Box<Oidc>),
    /// GSSAPI with a ticket that is got first; it becomes [`Login::Kerberos`] then.
    Gssapi(Box<Gssapi>),
    /// GSSAPI with the ticket of a KDC.
    Kerberos(Box<Kerberos>),
    /// GSSAPI that linkdial can not compute: librdkafka logs in alone.
    ByClient(Box<ByClient>),
    /// A login that can not be carried out from here; the record says why.
    Unproven {
        mechanism: &'static str,
        code: Code,
        reason: &'static str,
    },
}

impl Login {
    /// Returns the same with one character of its secret changed.
    pub(crate) fn with_wrong_secret(&self, config: &Config) -> Wrong<Self> {
        match self {
            Self::Plain { user, password } => {
                Wrong::of(password.changed(), config.place(PASSWORD), |password| {
                    Self::Plain {
                        user: user.clone(),
                        password,
                    }
                })
            }
            Self::Scram {
                hash,
                user,
                password,
            } => Wrong::of(password.changed(), config.place(PASSWORD), |password| {
                Self::Scram {
                    hash: *hash,
                    user: user.clone(),
                    password,
                }
            }),
            Self::Token { token, extensions } => {
                Wrong::of(token.changed_token(), config.place(OAUTH_TOKEN), |token| {
                    Self::Token {
                        token,
                        extensions: extensions.clone(),
                    }
                })
            }
            Self::Oidc(oidc) => Wrong::of(
                oidc.secret.changed(),
                config.place(OAUTH_SECRET),
                |secret| {
                    Self::Oidc(Box::new(Oidc {
                        secret,
                        ..Oidc::clone(oidc)
                    }))
                },
            ),
            Self::Gssapi(gssapi) if matches!(gssapi.source, Source::Keytab(_)) => Wrong::Link {
                provider: Self::Gssapi(Box::new(Gssapi {
                    wrong: true,
                    ..Gssapi::clone(gssapi)
                })),
                key: config.place(KEYTAB),
                secret: None,
            },
            Self::Gssapi(_) => Wrong::Nothing("a ticket cache holds no key"),
            Self::Kerberos(_) | Self::ByClient(_) | Self::Unproven { .. } => {
                Wrong::Nothing("the link has none")
            }
        }
    }

    /// Returns the word of the protocol.
    pub(crate) const fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::Scram {
                hash: Hash::Sha256, ..
            } => "SCRAM-SHA-256",
            Self::Scram {
                hash: Hash::Sha512, ..
            } => "SCRAM-SHA-512",
            Self::Token { .. } | Self::Oidc(_) => "OAUTHBEARER",
            Self::Gssapi(_) | Self::Kerberos(_) | Self::ByClient(_) => "GSSAPI",
            Self::Unproven { mechanism, .. } => mechanism,
        }
    }
}

/// What a broker says it can do.
#[derive(Debug)]
pub(crate) struct Hello {
    /// How many requests it knows.
    pub(crate) apis: usize,
    /// The versions of Metadata that it knows.
    pub(crate) metadata: (i16, i16),
    /// The versions of `ListOffsets` that it knows.
    list_offsets: Option<(i16, i16)>,
    /// The newest version of `SaslAuthenticate` that it knows.
    authenticate: i16,
}

impl Hello {
    /// Returns the version of Metadata that both sides know.
    pub(crate) fn metadata_version(&self) -> i16 {
        self.metadata.1.min(metadata::NEWEST)
    }

    /// Returns the version of `ListOffsets` that both sides know.
    pub(crate) fn list_offsets_version(&self) -> Option<i16> {
        let (oldest, newest) = self.list_offsets?;
        let version = newest.min(offsets::NEWEST);
        (version >= oldest.max(offsets::OLDEST)).then_some(version)
    }
}

/// Says hello, and logs in where the link does. Nothing secret goes out before the broker has
/// shown that it is one.
pub(crate) async fn open(
    connection: &mut Connection,
    entry: Option<&Entry<'_>>,
    asked: &Asked<'_>,
) -> Result<Hello, Diagnosis> {
    let hello = hello(connection, asked).await?;
    if let Some(entry) = entry {
        choose(connection, entry.login, asked).await?;
        authenticate(connection, &hello, entry, asked).await?;
    }
    Ok(hello)
}

/// A login at one broker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) login: &'a Login,
    /// What the broker calls itself: its Kerberos principal has that name.
    pub(crate) host: &'a str,
    pub(crate) net: &'a Net,
    /// How long the login may take.
    pub(crate) limit: Duration,
}

async fn hello(connection: &mut Connection, asked: &Asked<'_>) -> Result<Hello, Diagnosis> {
    let answer = connection.ask(0, &ApiVersionsRequest::default()).await;
    let answer = answer.and_then(api_versions);
    let answer = answer.map_err(|broken| error::broken(asked, connection, broken))?;
    let versions = |key: ApiKey| {
        let keys = answer.api_keys.iter();
        let mut known = keys.filter(|known| known.api_key == key as i16);
        known.next().map(|it| (it.min_version, it.max_version))
    };
    let Some(metadata) = versions(ApiKey::Metadata) else {
        return Err(error::no_broker(asked, answer.api_keys.len()));
    };
    let authenticate = versions(ApiKey::SaslAuthenticate).map_or(0, |(_, newest)| newest);
    Ok(Hello {
        apis: answer.api_keys.len(),
        metadata,
        list_offsets: versions(ApiKey::ListOffsets),
        authenticate: authenticate.clamp(0, AUTHENTICATE),
    })
}

/// Names the mechanism; a broker that does not offer it lists those that it does.
async fn choose(
    connection: &mut Connection,
    login: &Login,
    asked: &Asked<'_>,
) -> Result<(), Diagnosis> {
    let mechanism = login.mechanism();
    let request =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer = connection.ask(HANDSHAKE, &request).await;
    let answer = answer.and_then(mechanisms);
    let answer = answer.map_err(|broken| error::broken(asked, connection, broken))?;
    if answer.error_code == 0 {
        return Ok(());
    }
    let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
    Err(error::mechanism(
        asked,
        mechanism,
        answer.error_code,
        &offered,
    ))
}

async fn authenticate(
    connection: &mut Connection,
    hello: &Hello,
    entry: &Entry<'_>,
    asked: &Asked<'_>,
) -> Result<(), Diagnosis> {
    let login = entry.login;
    let mut exchange = Exchange {
        connection,
        version: hello.authenticate,
        login,
        asked,
    };
    match login {
        Login::Plain { user, password } => {
            let message = format!("\0{user}\0{}", password.expose());
            exchange.say(message.into_bytes()).await?;
            Ok(())
        }
        Login::Scram {
            hash,
            user,
            password,
        } => {
            let scram = Scram::new(*hash, user, password.clone())
                .map_err(|reason| error::scram(asked, reason))?;
            let first = exchange.say(scram.first()).await?;
            // The rounds are the server's choice: they must not hold up the deadline.
            let proof = tokio::task::spawn_blocking(move || scram.prove(&first))
                .await
                .unwrap_or(Err("the computation was stopped"))
                .map_err(|reason| error::scram(asked, reason))?;
            let last = exchange.say(proof.message.clone()).await?;
            if proof.holds_for(&last) {
                Ok(())
            } else {
                Err(error::impostor(asked))
            }
        }
        Login::Token { token, extensions } => {
            let mut message = format!("n,,\u{1}auth=Bearer {}\u{1}", token.expose());
            for (name, value) in extensions {
                message.extend([name, "=", value, "\u{1}"]);
            }
            message.push('\u{1}');
            let refusal = exchange.say(message.into_bytes()).await?;
            if refusal.is_empty() {
                return Ok(());
            }
            // The broker tells its reason first and wants to hear that it was understood
            // (RFC 7628, section 3.2.3).
            let reason = String::from_utf8_lossy(&refusal).into_owned();
            let told = exchange.say(vec![1]).await.err();
            Err(told.unwrap_or_else(|| error::token(asked, token)))
                .map_err(|told| told.evidence("answer", reason))
        }
        Login::Kerberos(kerberos) => exchange.show_ticket(kerberos, entry).await,
        Login::ByClient(_) => Ok(()),
        Login::Oidc(_) | Login::Gssapi(_) => Err(error::unproven(
            asked,
            login.mechanism(),
            Code::DefineIdentityNotHere,
            "it was not asked for before",
        )),
        Login::Unproven {
            mechanism,
            code,
            reason,
        } => Err(error::unproven(asked, mechanism, *code, reason)),
    }
}

/// The messages of one login.
struct Exchange<'a> {
    connection: &'a mut Connection,
    version: i16,
    login: &'a Login,
    asked: &'a Asked<'a>,
}

/// What came in place of an answer.
enum Refusal {
    /// The broker said no: its error code and its words; no code where it only hung up.
    Refused(i16, String),
    /// No answer came.
    Broken(Diagnosis),
}

impl Exchange<'_> {
    async fn say(&mut self, message: Vec<u8>) -> Result<Bytes, Diagnosis> {
        self.tell(message).await.map_err(|refusal| match refusal {
            Refusal::Refused(code, words) => error::refused(self.asked, self.login, code, &words),
            Refusal::Broken(finding) => finding,
        })
    }

    async fn tell(&mut self, message: Vec<u8>) -> Result<Bytes, Refusal> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
        let answer = self.connection.ask(self.version, &request).await;
        let answer = answer.and_then(|body| {
            read(Some(body), |body| {
                SaslAuthenticateResponse::decode(body, self.version)
            })
        });
        let answer = answer.map_err(|broken| match broken {
            // Some brokers only hang up.
            Broken::Closed => Refusal::Refused(0, String::new()),
            other => Refusal::Broken(error::broken(self.asked, self.connection, other)),
        })?;
        if answer.error_code != 0 {
            let words = answer.error_message.unwrap_or_default();
            return Err(Refusal::Refused(answer.error_code, words.to_string()));
        }
        Ok(answer.auth_bytes)
    }

    /// GSSAPI (RFC 4752): the ticket, the server's proof, and no security layer.
    async fn show_ticket(
        &mut self,
        kerberos: &Kerberos,
        entry: &Entry<'_>,
    ) -> Result<(), Diagnosis> {
        let named = |fault: KerberosFault| fault.into_diagnosis(&kerberos.guilty);
        // Silence of the KDC is to be told from that of the broker.
        let limit = entry.limit * 9 / 10;
        let ticket = kerberos
            .login
            .ticket(entry.net, &kerberos.service, entry.host, limit);
        let mut initiator = ticket.await.map_err(|fault| {
            let unknown = fault.code() == Code::AuthenticateServiceUnknown;
            let finding = named(fault);
            if unknown && kerberos.canonicalizes {
                return finding.outcome(Outcome::Unverified).hint(
                    "krb5.conf lets the cluster's client ask DNS for the canonical name: dial that one, \
                     or set dns_canonicalize_hostname = false",
                );
            }
            finding
        })?;
        let mut message = initiator.first();
        for round in 0..3 {
            let answer = self.tell(message).await.map_err(|refusal| match refusal {
                // It hung up, or says that it is the login that it does not like.
                Refusal::Refused(0 | REFUSED, words) => named(initiator.refused(&words)),
                Refusal::Refused(code, words) => {
                    error::refused(self.asked, self.login, code, &words)
                }
                Refusal::Broken(finding) => finding,
            })?;
            message = match round {
                0 => {
                    initiator.accept(&answer).map_err(named)?;
                    Vec::new()
                }
                1 => {
                    initiator.unwrap_layers(&answer).map_err(named)?;
                    initiator.wrap_choice(None).map_err(named)?
                }
                _ => break,
            };
        }
        Ok(())
    }
}

/// Asks for the brokers, and for one topic where there is one. Creates none.
pub(crate) async fn metadata(
    connection: &mut Connection,
    hello: &Hello,
    topic: Option<&str>,
    asked: &Asked<'_>,
) -> Result<Metadata, Diagnosis> {
    let version = hello.metadata_version();
    let mut request = MetadataRequest::default();
    // Before version 4 the name of a topic may create it; asking for all of them does not.
    let by_name = version >= 4;
    let named = |name: &str| {
        let name = TopicName(StrBytes::from_string(name.to_owned()));
        MetadataRequestTopic::default().with_name(Some(name))
    };
    let topics = topic.map(named).into_iter().collect();
    if by_name || (topic.is_none() && version >= 1) {
        request = request.with_topics(Some(topics));
    } else if version >= 1 {
        request = request.with_topics(None);
    } else {
        request = request.with_topics(Some(Vec::new()));
    }
    if by_name {
        request = request.with_allow_auto_topic_creation(false);
    }
    if version >= 8 {
        request = request.with_include_topic_authorized_operations(topic.is_some());
    }
    let answer = connection.ask(version, &request).await;
    let answer = answer.and_then(|body| Metadata::read(body, version).ok_or(Broken::Garbled));
    answer.map_err(|broken| error::metadata(asked, connection, broken))
}

/// Asks a broker for the ends of the partitions that it leads. Returns how many it serves.
pub(crate) async fn offsets(
    connection: &mut Connection,
    version: i16,
    topic: &str,
    partitions: &[i32],
    asked: &Asked<'_>,
) -> Result<usize, Diagnosis> {
    let request = offsets::request(topic, partitions);
    let mut tries = 1;
    loop {
        let answer = connection.ask(version, &request).await;
        let answer =
            answer.and_then(|body| offsets::read(body, version, topic).ok_or(Broken::Garbled));
        let answer = answer.map_err(|broken| error::broken(asked, connection, broken))?;
        let missing = |index: &&i32| answer.iter().all(|(told, _)| told != *index);
        let missing: Vec<i32> = partitions.iter().filter(missing).copied().collect();
        if !missing.is_empty() {
            return Err(error::not_told(asked, topic, &missing));
        }
        let Some((_, code)) = answer.iter().find(|(_, error)| *error != 0) else {
            return Ok(partitions.len());
        };
        if tries == TRIES || !error::may_pass(*code) {
            let bad = answer.iter().filter(|(_, error)| error == code);
            let bad: Vec<i32> = bad.map(|(index, _)| *index).collect();
            return Err(error::not_served(asked, topic, *code, &bad));
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

fn api_versions(body: Bytes) -> Result<ApiVersionsResponse, Broken> {
    let fits = fits(&body, 6);
    read(fits.then_some(body), |body| {
        ApiVersionsResponse::decode(body, 0)
    })
}

fn mechanisms(body: Bytes) -> Result<SaslHandshakeResponse, Broken> {
    let fits = fits(&body, 2);
    read(fits.then_some(body), |body| {
        SaslHandshakeResponse::decode(body, HANDSHAKE)
    })
}

/// Feeds a body to the readers of a login's answers.
pub(crate) fn fuzz(body: &Bytes) {
    if let Ok(answer) = api_versions(body.clone()) {
        assert!(answer.api_keys.len() <= body.len() / 6);
    }
    if let Ok(answer) = mechanisms(body.clone()) {
        assert!(answer.mechanisms.len() <= body.len() / 2);
    }
    for version in 0..=AUTHENTICATE {
        drop(read(Some(body.clone()), |body| {
            SaslAuthenticateResponse::decode(body, version)
        }));
    }
}

/// Returns whether a body of an error code and an array can hold as many elements as it claims:
/// the decoder reserves room for them before it looks.
fn fits(body: &Bytes, least: usize) -> bool {
    let Some(mut count) = body.get(2..6) else {
        return false;
    };
    let count = usize::try_from(count.get_i32()).unwrap_or(0);
    count <= (body.len() - 6) / least
}

fn read<T, E>(
    body: Option<Bytes>,
    decode: impl FnOnce(&mut Bytes) -> Result<T, E>,
) -> Result<T, Broken> {
    let mut body = body.ok_or(Broken::Garbled)?;
    decode(&mut body).map_err(|_| Broken::Garbled)
}
