//! The walk through the stages of a Kafka link.

use std::net::IpAddr;
use std::time::Duration;

use linkdial_core::{
    Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage, Target,
};

use crate::config::Config;
use crate::error::{self, Asked};
use crate::keys::{KEYS, PROTOCOL};
use crate::login::{self, Hello, Login};
use crate::material::Loaded;
use crate::metadata::{Broker, Metadata, Topic};
use crate::schema_registry;
use crate::target::{Address, Brokers, is_host};
use crate::token_endpoint;
use crate::wire::Connection;

/// Brokers beyond this many are not dialled: no cluster has them.
const MAX_BROKERS: usize = 1000;

/// How long a peer that broke off TLS has for a word in plain text.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// A Kafka link, ready to be dialled.
#[derive(Debug)]
pub struct Kafka {
    config: Config,
}

impl Provider for Kafka {
    const KIND: Kind = Kind::Kafka;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        Config::read(clauses).map(|config| Self { config })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let (endpoints, _) = self.bootstrap(target).ok()?;
        endpoints.into_iter().next()
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let (bootstrap, topic) = match self.bootstrap(probe.target()) {
            Ok(found) => found,
            Err(finding) => return Err(probe.halt(None, finding)),
        };
        let tls = self.load_tls(probe).await?;
        let fetched = token_endpoint::settle(probe, &self.config).await?;
        let walk = Walk {
            config: &self.config,
            tls: tls.as_ref(),
            login: fetched.as_ref().or(self.config.login.as_ref()),
        };
        let mut session = None;
        let mut proven: Vec<Address> = Vec::new();
        let mut halted = None;
        for endpoint in &bootstrap {
            match walk.enter(probe, endpoint, None).await {
                Ok(found) => {
                    proven.push(address(endpoint));
                    session.get_or_insert((endpoint, found));
                }
                Err(halt) if is_over(probe) => return Err(halt),
                Err(halt) => halted = Some(halt),
            }
        }
        let Some((endpoint, (mut connection, hello))) = session else {
            return halted.map_or(Ok(()), Err);
        };
        if halted.is_some() {
            probe.tolerate(Role::Bootstrap);
        }
        let asked = walk.asked(endpoint);
        let limit = walk.limit(probe);
        let work = login::metadata(&mut connection, &hello, topic.as_deref(), &asked);
        let metadata = probe
            .step_within(endpoint, &[Stage::Access], limit, work)
            .await?;
        note_cluster(probe, &metadata, &hello);
        if let Some(topic) = &topic {
            judge_topic(probe, &asked, topic, &metadata);
        }
        let advertised = Advertised {
            by: endpoint,
            proven: &proven,
        };
        let visited = walk.visit(probe, &advertised, &metadata).await;
        let registry = schema_registry::check(probe, &self.config).await;
        visited.and(registry)
        // The client library itself, with the link's own settings, is to confirm here what this
        // stream has proved.
    }
}

impl Kafka {
    /// Returns what is dialled first, and the topic.
    fn bootstrap(
        &self,
        target: Option<&Target>,
    ) -> Result<(Vec<Endpoint>, Option<String>), Diagnosis> {
        if let Some(target) = target {
            let brokers = Brokers::parse(target.as_str())?;
            let endpoints = brokers.bootstrap.iter();
            let endpoints = endpoints.map(|it| it.endpoint(Role::Bootstrap)).collect();
            return Ok((endpoints, brokers.topic));
        }
        let Some((addresses, place)) = &self.config.bootstrap else {
            return Err(Diagnosis::new(
                Code::DefineNoTarget,
                "the link holds no broker, and no pipeline uses it",
            )
            .hint("name them with --target 'LINK=HOST:PORT/TOPIC', or add the CREATE PIPELINE"));
        };
        let endpoints = addresses.iter();
        let named = |it: &Address| it.endpoint(Role::Bootstrap).named_by(place.clone());
        Ok((endpoints.map(named).collect(), None))
    }

    /// Reads the files that the link names. What is wrong with them ends the walk, what is only
    /// missing here does not.
    async fn load_tls(&self, probe: &mut Probe) -> Result<Option<Loaded>, Halt> {
        match &self.config.tls {
            Some(tls) => tls.prepare(probe).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Who named the brokers that are visited, and which of them are known already.
struct Advertised<'a> {
    by: &'a Endpoint,
    proven: &'a [Address],
}

/// What every stream of one link needs.
struct Walk<'a> {
    config: &'a Config,
    tls: Option<&'a Loaded>,
    login: Option<&'a Login>,
}

impl Walk<'_> {
    fn asked<'b>(&'b self, endpoint: &'b Endpoint) -> Asked<'b> {
        Asked {
            endpoint,
            config: self.config,
        }
    }

    fn limit(&self, probe: &Probe) -> Duration {
        let stage = probe.settings().stage_timeout;
        self.config.timeout.unwrap_or(stage)
    }

    /// Climbs the ladder, says hello and logs in.
    async fn enter(
        &self,
        probe: &mut Probe,
        endpoint: &Endpoint,
        name: Option<&str>,
    ) -> Result<(Connection, Hello), Halt> {
        let tls = self.tls.map(|loaded| {
            let mut options = loaded.options.clone();
            options.server_name = name.map(str::to_owned);
            options
        });
        let reached = match probe.reach(endpoint, tls).await {
            Ok(reached) => reached,
            Err(halt) => {
                self.explain_tls(probe, endpoint).await;
                return Err(halt);
            }
        };
        let mut connection = Connection::new(reached.dialled, &self.config.client_id);
        let login = self.login;
        let stage = if login.is_some() {
            Stage::Authenticate
        } else {
            Stage::Access
        };
        let asked = self.asked(endpoint);
        let limit = self.limit(probe);
        let work = login::open(&mut connection, login, &asked);
        let hello = match probe.step_within(endpoint, &[stage], limit, work).await {
            Ok(hello) => hello,
            Err(halt) => {
                self.explain_tls(probe, endpoint).await;
                return Err(halt);
            }
        };
        if let Some(login) = login {
            probe.note("mechanism", login.mechanism());
        }
        probe.note("apis", hello.apis);
        Ok((connection, hello))
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
        let limit = self.limit(probe).min(SECOND_LOOK);
        let looked = tokio::time::timeout(limit, look).await;
        looked.is_ok_and(|hello| hello.is_some())
    }

    /// Dials every broker that the cluster names: a client goes to each of them.
    async fn visit(
        &self,
        probe: &mut Probe,
        advertised: &Advertised<'_>,
        metadata: &Metadata,
    ) -> Result<(), Halt> {
        let asked = self.asked(advertised.by);
        if metadata.brokers.is_empty() {
            let finding = error::server_error(&asked, "names no broker at all");
            return Err(probe.halt(Some(advertised.by), finding));
        }
        let mut result = Ok(());
        for broker in metadata.brokers.iter().take(MAX_BROKERS) {
            if let Err(halt) = self.visit_one(probe, advertised, broker).await {
                if matches!(probe.last_code(), Some(Code::Interrupted(_))) {
                    return Err(halt);
                }
                result = Err(halt);
            }
        }
        if metadata.brokers.len() > MAX_BROKERS {
            probe.note("unproven", "the brokers beyond a thousand were not dialled");
        }
        result
    }

    async fn visit_one(
        &self,
        probe: &mut Probe,
        advertised: &Advertised<'_>,
        broker: &Broker,
    ) -> Result<(), Halt> {
        let port = u16::try_from(broker.port).ok().filter(|port| *port > 0);
        let Some(port) = port.filter(|_| is_host(&broker.host)) else {
            let asked = self.asked(advertised.by);
            let what = format!(
                "names broker {} without host and port that can be dialled",
                broker.id
            );
            let finding = error::server_error(&asked, &what)
                .evidence("host", broker.host.escape_default())
                .evidence("port", broker.port);
            return Err(probe.halt(Some(advertised.by), finding));
        };
        let named = Address {
            host: broker.host.clone(),
            port,
        };
        let spoofed = self.config.spoofed(&named);
        let dialled = spoofed.map_or(&named, |(dialled, _)| dialled);
        let mut endpoint = dialled.endpoint(Role::Advertised);
        if let Some((_, place)) = spoofed {
            endpoint = endpoint.named_by(place.clone());
        } else if advertised.proven.contains(&address(&endpoint)) {
            probe.pass(Stage::Connect, Some(&endpoint));
            probe.note("broker", broker.id);
            probe.note("known", "it is a bootstrap address");
            return Ok(());
        }
        let name = spoofed.map(|_| broker.host.as_str());
        let entered = self.enter(probe, &endpoint, name).await;
        let Err(halt) = entered else {
            probe.note("broker", broker.id);
            return Ok(());
        };
        let hint = advertised.hint(&named, spoofed.is_some());
        probe.amend(|finding| {
            let network = matches!(finding.code.stage(), Some(Stage::Resolve | Stage::Connect));
            let finding = finding
                .evidence("broker", broker.id)
                .evidence("advertised_as", &named)
                .evidence("advertised_by", advertised.by);
            if network { finding.hint(hint) } else { finding }
        });
        Err(halt)
    }
}

impl Advertised<'_> {
    /// Returns what to do about a broker that can not be reached where it says it is.
    fn hint(&self, named: &Address, spoofed: bool) -> String {
        if spoofed {
            return "check the entry of `spoof.dns`: a client goes there for every record"
                .to_owned();
        }
        if is_local(&named.host) && !is_local(&self.by.host) {
            return format!(
                "the broker tells its clients to dial `{}`, which is each client itself: set \
                 `advertised.listeners` on the broker to a name that the cluster can reach",
                named.host
            );
        }
        "clients go to this address after the first answer: correct `advertised.listeners` on the \
         broker, open the way there, or map it with `spoof.dns`"
            .to_owned()
    }
}

fn address(endpoint: &Endpoint) -> Address {
    Address {
        host: endpoint.host.clone(),
        port: endpoint.port,
    }
}

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Returns whether the other bootstrap addresses are not worth a dial: an identity that one
/// broker refuses is refused by all, and a check that was stopped is over.
fn is_over(probe: &Probe) -> bool {
    matches!(
        probe.last_code(),
        Some(
            Code::AuthenticateBadCredentials
                | Code::AuthenticateTokenExpired
                | Code::AuthenticateTokenInvalid
                | Code::DefineNotCompiledIn
                | Code::Interrupted(_)
        )
    )
}

fn note_cluster(probe: &mut Probe, metadata: &Metadata, hello: &Hello) {
    probe.note("cluster", &metadata.cluster);
    probe.note("brokers", metadata.brokers.len());
    if let Some(controller) = metadata.controller {
        probe.note("controller", controller);
    }
    let (oldest, newest) = hello.metadata;
    probe.note(
        "metadata_version",
        format!(
            "{} (broker: {oldest} to {newest})",
            hello.metadata_version()
        ),
    );
}

/// Says whether the topic is there, led and open to what the statements do.
fn judge_topic(probe: &mut Probe, asked: &Asked<'_>, wanted: &str, metadata: &Metadata) {
    let found = metadata.topics.iter().find(|topic| topic.name == wanted);
    if let Some(topic) = found {
        probe.note("partitions", topic.partitions);
    }
    let findings = error::topic(asked, wanted, found);
    let usable = findings.is_empty();
    for finding in findings {
        probe.finding(Some(asked.endpoint), finding);
    }
    if let Some(topic) = found.filter(|_| usable) {
        judge_rights(probe, asked, topic);
    }
}

fn judge_rights(probe: &mut Probe, asked: &Asked<'_>, topic: &Topic) {
    let intent = probe.intent();
    let Some(rights) = topic.rights else {
        probe.note("unproven", "the broker does not tell what this user may do");
        return;
    };
    probe.note("allowed", rights.names());
    let asks = [
        (Stage::Read, intent.read || !intent.write, rights.may_read()),
        (Stage::Write, intent.write, rights.may_write()),
    ];
    for (stage, wanted, allowed) in asks {
        if !wanted || !probe.walks(stage) {
            continue;
        }
        if allowed {
            probe.pass(stage, Some(asked.endpoint));
            probe.note(
                "proved_by",
                "the broker's own list of what this user may do",
            );
        } else {
            let finding = error::denied(asked, stage, &topic.name, rights);
            probe.finding(Some(asked.endpoint), finding);
        }
    }
}
