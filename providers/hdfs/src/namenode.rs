//! One `NameNode`: reached, asked what it offers, logged in, asked for the path.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::{Code, Diagnosis, Endpoint, Halt, Outcome, Probe, Reached, Role, Stage};

use crate::client::{Answer, Client, Failure, Looked, Order, Question};
use crate::config::{Config, Login, Namenode};
use crate::error::Asked;
use crate::identity::{Known, Who};
use crate::keys::{AUTHENTICATION, DATA_PROTECTION, FALLBACK, NAMENODE_PRINCIPAL, RPC_PROTECTION};
use crate::negotiation::{self, Offer};

/// A `NameNode` that was visited.
#[derive(Debug)]
pub(crate) enum State {
    /// It serves.
    Active(Box<Session>),
    /// It leaves that to another one.
    Standby(Endpoint),
    /// It was reached and no more was to be asked, or could be.
    Unasked,
}

/// An active `NameNode` with a client that is logged in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) endpoint: Endpoint,
    pub(crate) client: Client,
    /// What is at the path; nothing where a link that only writes names what is not there yet.
    pub(crate) looked: Option<Looked>,
}

/// What every visit of one link needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) config: &'a Config,
    pub(crate) who: Option<&'a Who>,
    pub(crate) path: &'a str,
    /// What a finding of a client that can not be run says; none where it can.
    pub(crate) obstacle: Option<&'static str>,
}

impl Visit<'_> {
    /// Walks the stages at one `NameNode`.
    pub(crate) async fn walk(self, probe: &mut Probe, node: &Namenode) -> Result<State, Halt> {
        let mut endpoint = Endpoint::new(Role::Namenode, &node.address.host, node.address.port());
        if let Some(place) = &node.place {
            endpoint = endpoint.named_by(place.clone());
        }
        let mut reached = probe.reach(&endpoint, None).await?;
        let offer = self.greet(probe, &endpoint, &mut reached).await?;
        let address = reached.dialler.address();
        // The client has a stream of its own.
        drop(reached);
        let Some(who) = self.who else {
            return Ok(State::Unasked);
        };
        let obstacle = match who {
            Who::NotHere(reason) => Some(*reason),
            Who::Kerberos(known) => known.environment.as_ref().err().copied().or(self.obstacle),
            Who::Simple(_) => self.obstacle,
        };
        if let Some(reason) = obstacle {
            let stage = who.stages()[0];
            probe.skip(stage, reason);
            note(probe, &endpoint, &offer);
            probe.note("unproven", format!("login and path: {reason}"));
            return Ok(State::Unasked);
        }
        let order = self.order(who, address, probe.stage_timeout());
        let state = self.look(probe, &endpoint, who, &order).await?;
        note(probe, &endpoint, &offer);
        if let State::Active(session) = &state {
            who.note(probe);
            if let Some(looked) = &session.looked {
                probe.note("path", &looked.status);
            }
        }
        Ok(state)
    }

    /// Asks what it offers, and judges whether the link can take it.
    async fn greet(
        &self,
        probe: &mut Probe,
        endpoint: &Endpoint,
        reached: &mut Reached,
    ) -> Result<Offer, Halt> {
        let settings = Arc::clone(probe.settings());
        let limit = probe.stage_timeout();
        let mut warning = None;
        let work = async {
            let offer = negotiation::ask(&mut reached.dialled, endpoint).await?;
            warning = self.judge(endpoint, &offer)?;
            if let Some(Who::Kerberos(known)) = self.who
                && let Known {
                    ticket: Some(ticket),
                    ..
                } = known.as_ref()
                && let Some((service, host)) = &offer.kerberos
                && let Login::Kerberos(kerberos) = &self.config.login
            {
                let ticket = ticket.ticket(&settings.net, service, host, limit).await;
                ticket.map_err(|fault| fault.into_diagnosis(&kerberos.guilty))?;
            }
            Ok(offer)
        };
        let stages = [Stage::Authenticate];
        let offer = probe.step_within(endpoint, &stages, limit, work).await?;
        if matches!(self.config.login, Login::Kerberos(_)) {
            // The offer alone proves nothing of the login.
            probe.take_back();
        }
        if let Some(warning) = warning {
            probe.finding(Some(endpoint), warning);
        }
        Ok(offer)
    }

    /// Compares what the link asks for with what is offered; what is no more than odd is a warning.
    fn judge(&self, endpoint: &Endpoint, offer: &Offer) -> Result<Option<Diagnosis>, Diagnosis> {
        let config = self.config;
        let methods = offer.methods.join(", ");
        let Login::Kerberos(kerberos) = &config.login else {
            if offer.simple {
                return Ok(None);
            }
            return Err(Diagnosis::new(
                Code::AuthenticateRequired,
                format!("{endpoint} lets nobody in without Kerberos"),
            )
            .evidence("offered", methods)
            .key(config.place(AUTHENTICATION))
            .hint(format!(
                "set `{AUTHENTICATION}` to kerberos, with `kerberos.user` and `kerberos.keytab`"
            )));
        };
        let Some((service, host)) = &offer.kerberos else {
            let finding = Diagnosis::new(
                Code::AuthenticateDowngraded,
                format!("the link asks for Kerberos, and {endpoint} offers none"),
            )
            .evidence("offered", methods)
            .key(config.place(AUTHENTICATION))
            .hint("this is another cluster, or Kerberos was switched off there");
            if kerberos.fallback && offer.simple {
                let finding = finding.outcome(Outcome::Warn).key(config.place(FALLBACK));
                return Ok(Some(finding));
            }
            return Err(finding);
        };
        self.judge_principal(endpoint, service, host)?;
        self.judge_protection(endpoint, &offer.protections)
    }

    fn judge_principal(
        &self,
        endpoint: &Endpoint,
        service: &str,
        host: &str,
    ) -> Result<(), Diagnosis> {
        let Some((wanted, instance, _)) = self.config.expected(&endpoint.host) else {
            return Ok(());
        };
        let named = self
            .config
            .namenode_principal
            .as_deref()
            .unwrap_or_default();
        // What `_HOST` becomes is the business of DNS.
        let same_host = named.contains("/_HOST") || instance.eq_ignore_ascii_case(host);
        if wanted == service && same_host {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::AuthenticateServiceRefused,
            format!("{endpoint} says that it is `{service}/{host}`, and the link expects another"),
        )
        .evidence("offered", format!("{service}/{host}"))
        .evidence("expected", named)
        .key(self.config.place(NAMENODE_PRINCIPAL))
        .hint(format!(
            "set `{NAMENODE_PRINCIPAL}` to {service}/_HOST@REALM, if this is the right cluster"
        )))
    }

    fn judge_protection(
        &self,
        endpoint: &Endpoint,
        offered: &[&'static str],
    ) -> Result<Option<Diagnosis>, Diagnosis> {
        let wanted = &self.config.rpc_protections;
        let meets = |level: &&'static str| wanted.iter().any(|wanted| wanted == level);
        if offered.is_empty() || offered.iter().any(meets) {
            return Ok(None);
        }
        if wanted.is_empty() && offered.contains(&"authentication") {
            return Ok(None);
        }
        let finding = Diagnosis::new(
            Code::AuthenticateProtectionMismatch,
            format!("{endpoint} protects calls in another way than the link asks for"),
        )
        .evidence("offered", offered.join(", "))
        .evidence("asked_for", wanted.join(", "))
        .key(self.config.place(RPC_PROTECTION))
        .hint(format!("set `{RPC_PROTECTION}` to {}", offered[0]));
        if wanted.is_empty() {
            let finding = finding.evidence("default", "authentication");
            return Ok(Some(finding.outcome(Outcome::Warn)));
        }
        Err(finding)
    }

    fn order(&self, who: &Who, address: std::net::SocketAddr, limit: Duration) -> Order {
        let config = self.config;
        let kerberos = matches!(who, Who::Kerberos(_));
        let mut options = config.options.clone();
        let mut set = |name: &str, value: String| options.push((name.to_owned(), value));
        set(
            AUTHENTICATION,
            if kerberos { "kerberos" } else { "simple" }.to_owned(),
        );
        // One NameNode at a time: each has a verdict of its own.
        set("dfs.client.failover.max.attempts", "0".to_owned());
        // So that it can still say which DataNode was silent.
        let patience = (limit / 4).max(Duration::from_millis(200));
        set(
            "dfs.client.socket-timeout",
            patience.as_millis().to_string(),
        );
        if let Some(protection) = &config.data_protection {
            set(DATA_PROTECTION, protection.clone());
        }
        Order {
            // The address that was checked.
            url: format!("hdfs://{address}"),
            options,
            user: match who {
                Who::Simple(user) => Some(user.clone()),
                Who::Kerberos(_) | Who::NotHere(_) => None,
            },
            keytab: match who {
                Who::Kerberos(known) => known.keytab.clone(),
                Who::Simple(_) | Who::NotHere(_) => None,
            },
        }
    }

    /// Logs in and asks for the path.
    async fn look(
        &self,
        probe: &mut Probe,
        endpoint: &Endpoint,
        who: &Who,
        order: &Order,
    ) -> Result<State, Halt> {
        let settings = Arc::clone(probe.settings());
        let program = settings.client_program.as_deref().unwrap_or(Path::new(""));
        let environment = match who {
            Who::Kerberos(known) => known.environment.clone().unwrap_or_default(),
            Who::Simple(_) | Who::NotHere(_) => Vec::new(),
        };
        let asked = Asked {
            endpoint,
            config: self.config,
            stage: Stage::Access,
            call: "getFileInfo",
            path: self.path,
        };
        let only_writes = probe.intent().write && !probe.intent().read;
        let work = async {
            let client = Client::start(program, &environment, order).await?;
            let path = self.path.to_owned();
            match client.ask(Question::Look { path }).await? {
                Ok(Answer::Looked(looked)) => Ok(Some((client, Some(looked)))),
                Ok(_) => Err(asked.explain(&Failure::foreign())),
                Err(failure) => match asked.explain(&failure) {
                    it if it.code == Code::AccessStandby => Ok(None),
                    it if it.code == Code::AccessNotFound && only_writes => {
                        Ok(Some((client, None)))
                    }
                    it => Err(it),
                },
            }
        };
        let stages = who.stages();
        let found = probe.step_within(endpoint, stages, probe.stage_timeout(), work);
        let Some((client, looked)) = found.await? else {
            // It knows who asks, and says nothing of the path.
            if probe.walks(Stage::Access) {
                probe.take_back();
            }
            probe.note("state", "standby");
            return Ok(State::Standby(endpoint.clone()));
        };
        Ok(State::Active(Box::new(Session {
            endpoint: endpoint.clone(),
            client,
            looked,
        })))
    }
}

fn note(probe: &mut Probe, endpoint: &Endpoint, offer: &Offer) {
    probe.note("offered", offer.methods.join(", "));
    if let Some((service, host)) = &offer.kerberos {
        probe.note("service", format!("{service}/{host}"));
        if !host.eq_ignore_ascii_case(&endpoint.host) {
            probe.note("dialled_as", &endpoint.host);
        }
    }
    probe.note("rpc_protection", offer.protections.join(", "));
}
