//! The walk through the stages of a Kafka link.

use std::sync::Arc;

use linkdial_core::{
    Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage, Target,
    Wrong,
};

use crate::brokers::Brokers;
use crate::client;
use crate::config::Config;
use crate::gssapi;
use crate::keys::KEYS;
use crate::login::{self, Hello, Login};
use crate::material::Loaded;
use crate::metadata::Metadata;
use crate::schema_registry;
use crate::target::{self, Address};
use crate::token::Claims;
use crate::token_endpoint;
use crate::topic;
use crate::walk::{Session, Walk};

/// Names beyond this many are not listed.
const NAMES: usize = 5;

/// A Kafka link, ready to be dialled.
#[derive(Debug)]
pub struct Kafka {
    config: Arc<Config>,
    /// A login with a wrong secret, in the place of the link's own.
    wrong: Option<Login>,
}

impl Provider for Kafka {
    const KIND: Kind = Kind::Kafka;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        Config::read(clauses).map(|config| Self {
            config: Arc::new(config),
            wrong: None,
        })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let (endpoints, _) = self.bootstrap(target).ok()?;
        endpoints.into_iter().next()
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        if let Some(limit) = self.config.timeout {
            probe.shorten(limit);
        }
        let (bootstrap, topic) = match self.bootstrap(probe.target()) {
            Ok(found) => found,
            Err(finding) => return Err(probe.halt(None, finding)),
        };
        let tls = self.load_tls(probe).await?;
        let login = self.wrong.as_ref().or(self.config.login.as_ref());
        // A password may have been put in its place.
        if let Some(Login::Plain { user, .. } | Login::Scram { user, .. }) = login {
            probe.withhold(user);
        }
        let settled = match gssapi::prepare(probe, &self.config, login).await? {
            Some(prepared) => gssapi::settle(probe, prepared).await?,
            None => token_endpoint::settle(probe, &self.config, login).await?,
        };
        let walk = Walk {
            config: &self.config,
            tls: tls.as_ref(),
            login: settled.as_ref().or(login),
        };
        let mut sessions = walk.enter_bootstrap(probe, &bootstrap).await?;
        // One that is fetched is another one each time.
        if let Some(Login::Token { token, .. }) = &self.config.login {
            let claims = Claims::read(token.expose());
            if let Some(ends) = claims.expires {
                probe.note("token_subject", &claims.subject);
                probe.note("token_ends", ends);
            }
        }
        if let Some(Login::ByClient(by)) = walk.login {
            let served = dial_by_client(probe, &walk, sessions, topic.as_deref(), by.reason).await;
            let registry = schema_registry::check(probe, &self.config).await;
            return served.and(registry);
        }
        let Some(Session {
            endpoint,
            connection,
            hello,
        }) = sessions.first_mut()
        else {
            return Ok(());
        };
        let endpoint = endpoint.clone();
        let asked = walk.asked(&endpoint);
        let limit = probe.stage_timeout();
        let work = login::metadata(connection, hello, topic.as_deref(), &asked);
        let metadata = probe
            .step_within(&endpoint, &[Stage::Access], limit, work)
            .await;
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(halt) => {
                // Whoever stands on the way can ask for a login: beyond private networks none is
                // tried in plain text.
                if self.config.tls.is_none() && !probe.is_near() {
                    probe.amend(Diagnosis::without_repairs);
                }
                return Err(halt);
            }
        };
        note_cluster(probe, &metadata, hello);
        note_names(probe, &bootstrap, &metadata);
        let known = topic.as_deref();
        let topic = known.and_then(|wanted| topic::judge(probe, &asked, wanted, &metadata));
        let entered: Vec<Endpoint> = sessions.iter().map(|it| it.endpoint.clone()).collect();
        let brokers = Brokers {
            walk: &walk,
            by: &endpoint,
            metadata: &metadata,
            topic,
        };
        // The library goes to every broker by itself, so the ladder has to have been there before.
        let served = match brokers.visit(probe, sessions).await {
            Ok(()) => client::confirm(probe, &walk, &entered, known, &metadata).await,
            Err(halt) => Err(halt),
        };
        let registry = schema_registry::check(probe, &self.config).await;
        served.and(registry)
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        match &self.config.login {
            None if self.config.tls.is_some() => {
                Wrong::Nothing("the handshake of TLS proves a client certificate")
            }
            None => Wrong::Nothing("the link has none"),
            Some(login) => login.with_wrong_secret(&self.config).map(|login| Self {
                config: Arc::clone(&self.config),
                wrong: Some(login),
            }),
        }
    }
}

impl Kafka {
    /// Returns what is dialled first, and the topic.
    fn bootstrap(
        &self,
        target: Option<&Target>,
    ) -> Result<(Vec<Endpoint>, Option<String>), Diagnosis> {
        if let Some(target) = target {
            let brokers = target::Brokers::parse(target.as_str())?;
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

/// Takes the cluster's word from librdkafka, and reaches every broker without a login of our own.
async fn dial_by_client(
    probe: &mut Probe,
    walk: &Walk<'_>,
    sessions: Vec<Session>,
    topic: Option<&str>,
    reason: &str,
) -> Result<(), Halt> {
    let entered: Vec<Endpoint> = sessions.iter().map(|it| it.endpoint.clone()).collect();
    let metadata = client::stand_in(probe, walk, &entered, topic, reason).await?;
    let Some(by) = entered.first() else {
        return Ok(());
    };
    let brokers = Brokers {
        walk,
        by,
        metadata: &metadata,
        topic: None,
    };
    brokers.visit(probe, sessions).await
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

/// Notes where the link's addresses are none that the cluster itself goes by: an alias, a load
/// balancer or a proxy stands there, and clients do not stay with it.
fn note_names(probe: &mut Probe, bootstrap: &[Endpoint], metadata: &Metadata) {
    let is_named = |endpoint: &&Endpoint| {
        metadata.brokers.iter().any(|broker| {
            broker.host.eq_ignore_ascii_case(&endpoint.host)
                && broker.port == i32::from(endpoint.port)
        })
    };
    let others = bootstrap.iter().filter(|endpoint| !is_named(endpoint));
    let others: Vec<String> = others.take(NAMES).map(Endpoint::to_string).collect();
    if !others.is_empty() {
        probe.note("not_advertised", others.join(", "));
    }
}
