//! Streams of one link: reached, greeted and logged in, many brokers side by side.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use linkdial_core::net::Dialled;
use linkdial_core::{Code, Diagnosis, Endpoint, Halt, Probe, Role, Stage};

use crate::config::Config;
use crate::error::Asked;
use crate::keys::PROTOCOL;
use crate::login::{self, Entry, Hello, Login};
use crate::material::Loaded;
use crate::wire::Connection;

/// Brokers that one check dials at once.
const AT_ONCE: usize = 16;

/// How long a peer that broke off TLS has for a word in plain text.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// What every stream of one link needs.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) config: &'a Config,
    pub(crate) tls: Option<&'a Loaded>,
    /// Who the link says it is, with what its servers lent it.
    pub(crate) login: Option<&'a Login>,
}

/// A stream on which the broker has let us in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) endpoint: Endpoint,
    pub(crate) connection: Connection,
    pub(crate) hello: Hello,
}

/// A walk beside others, and what it came to.
pub(crate) type Beside<T> = (Probe, T);

/// A walk beside others, before it runs.
pub(crate) type Task<'a, T> = BoxFuture<'a, Beside<T>>;

/// What an address came to when it was reached.
type Reached<'a> = (&'a Endpoint, Result<Dialled, Halt>);

/// Runs walks, some at once. They come back in their order.
pub(crate) fn side_by_side<T>(walks: Vec<Task<'_, T>>) -> impl Stream<Item = Beside<T>> {
    stream::iter(walks).buffered(AT_ONCE)
}

impl Walk<'_> {
    pub(crate) fn asked<'b>(&'b self, endpoint: &'b Endpoint) -> Asked<'b> {
        Asked {
            endpoint,
            config: self.config,
        }
    }

    /// Reaches and enters every bootstrap address. Returns the sessions; there is one at least.
    ///
    /// Some that fail while others serve are warnings.
    pub(crate) async fn enter_bootstrap(
        &self,
        probe: &mut Probe,
        endpoints: &[Endpoint],
    ) -> Result<Vec<Session>, Halt> {
        let walks = endpoints.iter().map(|endpoint| {
            let mut fork = probe.fork();
            let reach = async move {
                let reached = self.reach(&mut fork, endpoint, None).await;
                (fork, (endpoint, reached))
            };
            reach.boxed()
        });
        let walks: Vec<Task<'_, Reached<'_>>> = walks.collect();
        let mut reached: Vec<_> = side_by_side(walks).collect().await;
        let mut walks = Vec::with_capacity(reached.len());
        if self.login.is_some()
            && let Some(first) = reached.iter().position(|(_, (_, stream))| stream.is_ok())
        {
            // One alone shows whether the identity is any good: every refusal counts as an attempt.
            let rest = reached.split_off(first + 1);
            for (fork, (endpoint, stream)) in reached {
                walks.push(self.greet(fork, endpoint, None, stream).await);
            }
            if walks.last().is_some_and(|(fork, _)| is_over(fork)) {
                walks.extend(rest.into_iter().filter_map(|(fork, (_, stream))| {
                    // Those that were reached and are not asked any more prove nothing wrong.
                    Some((fork, Err(stream.err()?)))
                }));
                return Self::gather(probe, walks, Some(first));
            }
            reached = rest;
        }
        let greeted = reached
            .into_iter()
            .map(|(fork, (endpoint, stream))| self.greet(fork, endpoint, None, stream).boxed());
        let greeted: Vec<Task<'_, Result<Session, Halt>>> = greeted.collect();
        let greeted = side_by_side(greeted);
        walks.extend(greeted.collect::<Vec<_>>().await);
        Self::gather(probe, walks, None)
    }

    /// Puts the records together in the order of the addresses. `decided` is the number of the one
    /// whose word holds for all: those that could not be asked are warnings beside it.
    fn gather(
        probe: &mut Probe,
        walks: Vec<Beside<Result<Session, Halt>>>,
        decided: Option<usize>,
    ) -> Result<Vec<Session>, Halt> {
        let mut sessions = Vec::new();
        let mut halted = None;
        for (number, (mut fork, entered)) in walks.into_iter().enumerate() {
            let decides = decided.is_none_or(|it| it == number);
            if !decides {
                fork.tolerate(Role::Bootstrap);
            }
            probe.join(fork);
            match entered {
                Ok(session) => sessions.push(session),
                Err(halt) if decides => halted = Some(halt),
                Err(_) => {}
            }
        }
        match halted {
            Some(halt) if decided.is_some() || sessions.is_empty() => Err(halt),
            Some(_) => {
                probe.tolerate(Role::Bootstrap);
                Ok(sessions)
            }
            None => Ok(sessions),
        }
    }

    /// Climbs the ladder, says hello and logs in.
    pub(crate) async fn enter(
        &self,
        mut probe: Probe,
        endpoint: &Endpoint,
        name: Option<&str>,
    ) -> Beside<Result<Session, Halt>> {
        let stream = self.reach(&mut probe, endpoint, name).await;
        self.greet(probe, endpoint, name, stream).await
    }

    async fn reach(
        &self,
        probe: &mut Probe,
        endpoint: &Endpoint,
        name: Option<&str>,
    ) -> Result<Dialled, Halt> {
        let tls = self.tls.map(|loaded| {
            let mut options = loaded.options.clone();
            options.server_name = name.map(str::to_owned);
            options
        });
        match probe.reach(endpoint, tls).await {
            Ok(reached) => Ok(reached.dialled),
            Err(halt) => {
                self.explain_tls(probe, endpoint).await;
                Err(halt)
            }
        }
    }

    async fn greet(
        &self,
        mut probe: Probe,
        endpoint: &Endpoint,
        name: Option<&str>,
        stream: Result<Dialled, Halt>,
    ) -> Beside<Result<Session, Halt>> {
        let stream = match stream {
            Ok(stream) => stream,
            Err(halt) => return (probe, Err(halt)),
        };
        let mut connection = Connection::new(stream, &self.config.client_id);
        let stages: &[Stage] = match self.login {
            Some(_) => &[Stage::Authenticate],
            None => &[Stage::Access],
        };
        let asked = self.asked(endpoint);
        let limit = probe.stage_timeout();
        let settings = Arc::clone(probe.settings());
        let entry = self.login.map(|login| Entry {
            login,
            host: name.unwrap_or(&endpoint.host),
            net: &settings.net,
            limit,
        });
        let work = login::open(&mut connection, entry.as_ref(), &asked);
        let hello = match probe.step_within(endpoint, stages, limit, work).await {
            Ok(hello) => hello,
            Err(halt) => {
                self.explain_tls(&mut probe, endpoint).await;
                // Whoever stands on the way can say that no login is wanted.
                let asks = probe.last_code() == Some(Code::AuthenticateMechanismNotOffered);
                if asks && self.config.tls.is_none() && !probe.is_near() {
                    probe.amend(Diagnosis::without_repairs);
                }
                return (probe, Err(halt));
            }
        };
        if let Some(Login::ByClient(_)) = self.login {
            // That the mechanism is offered is no login.
            probe.take_back();
        }
        if let Some(login) = self.login {
            probe.note("mechanism", login.mechanism());
        }
        probe.note("apis", hello.apis);
        let session = Session {
            endpoint: endpoint.clone(),
            connection,
            hello,
        };
        (probe, Ok(session))
    }

    /// Says of a failed handshake what only this kind of link knows.
    async fn explain_tls(&self, probe: &mut Probe, endpoint: &Endpoint) {
        let (Some(loaded), Some(tls)) = (self.tls, &self.config.tls) else {
            return;
        };
        let config = self.config;
        match probe.last_code() {
            Some(
                Code::TlsUnknownIssuer
                | Code::TlsClientCertificateRequired
                | Code::TlsClientCertificateRefused,
            ) => probe.amend(|finding| tls.explain(loaded, config, finding)),
            Some(Code::TlsNotTls) => probe.amend(|finding| {
                finding
                    .key(config.place(PROTOCOL))
                    .hint("this is another service: check host and port")
            }),
            Some(Code::TlsHandshakeFailed | Code::ConnectReset)
                if self.speaks_plain(probe, endpoint).await =>
            {
                let without = if config.login.is_some() {
                    "sasl_plaintext"
                } else {
                    "plaintext"
                };
                let asked = self.asked(endpoint);
                // What SCRAM shows can be guessed at by whoever sees it.
                let may_be_seen = config.login.is_none() || probe.is_near();
                probe.amend(|finding| {
                    let mut plain = Diagnosis::new(
                        Code::TlsNotTls,
                        format!("{endpoint} speaks plain Kafka, not TLS"),
                    )
                    .evidence("protocol", "Kafka")
                    .key(config.place(PROTOCOL))
                    .hint(format!(
                        "write the port of a TLS listener, or set `{PROTOCOL}` to {without}"
                    ));
                    plain.evidence.extend(finding.evidence);
                    if may_be_seen && config.hides_its_secret() {
                        plain = asked.set(plain, PROTOCOL, without);
                    }
                    plain
                });
            }
            _ => {}
        }
    }

    /// Looks a second time, in plain text and without any credential: a Kafka listener without TLS
    /// hangs up on a handshake and says nothing.
    async fn speaks_plain(&self, probe: &Probe, endpoint: &Endpoint) -> bool {
        let net = &probe.settings().net;
        let asked = self.asked(endpoint);
        let look = async {
            let resolved = net.resolve(endpoint).await.ok()?;
            let connected = net.connect(endpoint, &resolved).await.ok()?;
            let mut connection =
                Connection::new(connected.into_plain(endpoint), &self.config.client_id);
            login::open(&mut connection, None, &asked).await.ok()
        };
        let limit = probe.stage_timeout().min(SECOND_LOOK);
        let looked = tokio::time::timeout(limit, look).await;
        looked.is_ok_and(|hello| hello.is_some())
    }
}

/// Returns whether the other bootstrap addresses are not worth a login: an identity that one
/// broker refuses is refused by all, and a check that was stopped is over.
fn is_over(probe: &Probe) -> bool {
    matches!(
        probe.last_code(),
        Some(
            Code::AuthenticateBadCredentials
                | Code::AuthenticateTokenExpired
                | Code::AuthenticateTokenInvalid
                | Code::DefineIdentityNotHere
                | Code::DefineNotCompiledIn
                | Code::Interrupted(_)
        )
    )
}
