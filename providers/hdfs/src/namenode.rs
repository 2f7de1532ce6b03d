//! One `NameNode`: reached, asked what it offers, logged in, asked for the path.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linkdial_core::client_process;
use linkdial_core::{
    Blame, Change, Code, Diagnosis, Endpoint, Halt, Outcome, Probe, Reached, Role, Stage,
};
use tokio::sync::{OnceCell, SemaphorePermit};
use wildmatch::WildMatch;

use crate::client::{Answer, Client, Failure, Looked, Order, Question};
use crate::config::{Config, Login, Namenode};
use crate::datanode::no_weaker;
use crate::error::Asked;
use crate::identity::{Known, Who};
use crate::keys::{
    AUTHENTICATION, DATA_PROTECTION, FALLBACK, NAMENODE_PATTERN, NAMENODE_PRINCIPAL, RPC_PROTECTION,
};
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
    /// What another client of the same kind is started with.
    start: Start,
}

#[derive(Debug)]
struct Start {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    order: Order,
}

impl Session {
    /// Starts another client, where the first one has ended.
    pub(crate) async fn another(&self) -> Result<Client, Diagnosis> {
        let Start {
            program,
            environment,
            order,
        } = &self.start;
        Client::start(program, environment, order).await
    }
}

/// What every visit of one link needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) config: &'a Config,
    pub(crate) who: Option<&'a Who>,
    pub(crate) path: &'a str,
    /// Why the client can not be run; none where it can.
    pub(crate) obstacle: Option<&'static str>,
    pub(crate) place: &'a Place,
}

/// A place for all the processes of one check, taken when the first one is to start.
#[derive(Debug, Default)]
pub(crate) struct Place(OnceCell<Option<SemaphorePermit<'static>>>);

impl Place {
    /// Waits as long as there is time for the run itself.
    async fn take(&self, probe: &Probe) -> Result<(), &'static str> {
        let patience = probe.left().saturating_sub(probe.stage_timeout());
        let waiting = async {
            tokio::select! {
                biased;
                // The step says so.
                () = probe.cancelled() => None,
                place = client_process::place() => place,
            }
        };
        let taken = tokio::time::timeout(patience, self.0.get_or_init(|| waiting)).await;
        taken.map_or(Err("too many checks run the client at once"), |_| Ok(()))
    }
}

impl Visit<'_> {
    /// Walks the stages at one `NameNode`.
    pub(crate) async fn walk(self, probe: &mut Probe, node: &Namenode) -> Result<State, Halt> {
        let mut endpoint = Endpoint::new(Role::Namenode, &node.address.host, node.address.port());
        if let Some(place) = &node.place {
            endpoint = endpoint.named_by(place.clone());
        }
        let mut reached = match probe.reach(&endpoint, None).await {
            Ok(reached) => reached,
            Err(halt) => {
                let services = self.config.service_names();
                if probe.last_code() == Some(Code::ResolveNotFound) && !services.is_empty() {
                    let known = services.join("`, `");
                    probe.amend(|finding| {
                        finding.hint(format!(
                            "the link has the name service `{known}`, which is written without a port"
                        ))
                    });
                }
                return Err(halt);
            }
        };
        if !probe.walks(Stage::Authenticate) {
            return Ok(State::Unasked);
        }
        let offer = self.greet(probe, &endpoint, &mut reached).await?;
        let address = reached.dialler.address();
        // The client has a stream of its own.
        drop(reached);
        let Some(who) = self.who else {
            return Ok(State::Unasked);
        };
        if let Who::NotHere(reason) = who {
            // What is missing here is on the record.
            probe.skip(Stage::Authenticate, reason);
            note(probe, &endpoint, &offer);
            probe.note("unproven", format!("login and path: {reason}"));
            return Ok(State::Unasked);
        }
        if matches!(who, Who::Simple(_)) && !probe.walks(Stage::Access) {
            return Ok(State::Unasked);
        }
        let obstacle = match who {
            Who::Kerberos(known) => known.environment.as_ref().err().copied(),
            Who::Simple(_) | Who::NotHere(_) => None,
        };
        let obstacle = match obstacle.or(self.obstacle) {
            None => self.place.take(probe).await.err(),
            reason => reason,
        };
        if let Some(reason) = obstacle {
            probe.finding(Some(&endpoint), not_run(reason));
            note(probe, &endpoint, &offer);
            return Ok(State::Unasked);
        }
        let order = self.order(who, &offer, address, probe.stage_timeout());
        let state = self.look(probe, &endpoint, who, order).await?;
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
        let started = Instant::now();
        let mut warning = None;
        let work = async {
            let offer = negotiation::ask(&mut reached.dialled, endpoint).await?;
            warning = self.judge(endpoint, &offer)?;
            let mut realm = None;
            if let Some(Who::Kerberos(known)) = self.who
                && let Ok(ticket) = &known.ticket
                && let Some((service, host)) = &offer.kerberos
                && let Login::Kerberos(kerberos) = &self.config.login
            {
                // Silence of the KDC is to be told from that of the NameNode.
                let left = (limit * 9 / 10).saturating_sub(started.elapsed());
                let ticket = ticket.ticket(&settings.net, service, host, left).await;
                let ticket = ticket.map_err(|fault| fault.into_diagnosis(&kerberos.guilty))?;
                realm = Some(ticket.server().realm.clone());
            }
            self.judge_principal(endpoint, &offer, realm.as_deref())?;
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
            ))
            .repair(Change::set(config.place(AUTHENTICATION), "kerberos")));
        };
        if offer.kerberos.is_none() {
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
        }
        self.judge_protection(endpoint, &offer.protections)
    }

    /// Holds the `NameNode`'s principal against what the link expects, as Hadoop's own client does
    /// (`SaslRpcClient.getServerPrincipal`): the pattern alone, where there is one.
    fn judge_principal(
        &self,
        endpoint: &Endpoint,
        offer: &Offer,
        realm: Option<&str>,
    ) -> Result<(), Diagnosis> {
        let Some((service, host)) = &offer.kerberos else {
            return Ok(());
        };
        let offered = format!("{service}/{host}");
        let config = self.config;
        let whole = realm.map(|realm| format!("{offered}@{realm}"));
        let (key, expected, meets) = if let Some(pattern) = &config.namenode_pattern {
            let meets = whole.is_none_or(|whole| WildMatch::new(pattern).matches(&whole));
            (NAMENODE_PATTERN, pattern, meets)
        } else if let Some(expected) = &config.namenode_principal {
            let meets = config.expects(service, host, realm);
            (NAMENODE_PRINCIPAL, expected, meets)
        } else {
            return Ok(());
        };
        if meets {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::AuthenticateServiceRefused,
            format!("{endpoint} says that it is `{offered}`, and the link expects another"),
        )
        .evidence("offered", &offered)
        .evidence("realm", realm.unwrap_or_default())
        .evidence("expected", expected)
        .key(self.config.place(key))
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
        let finding = match no_weaker(wanted.iter().map(String::as_str), offered) {
            Some(level) => finding.repair(Change::set(self.config.place(RPC_PROTECTION), level)),
            None => finding,
        };
        if wanted.is_empty() {
            let finding = finding.evidence("default", "authentication");
            return Ok(Some(finding.outcome(Outcome::Warn)));
        }
        Err(finding)
    }

    fn order(&self, who: &Who, offer: &Offer, address: SocketAddr, limit: Duration) -> Order {
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
            service: offer.kerberos.clone().filter(|_| kerberos),
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
        order: Order,
    ) -> Result<State, Halt> {
        let settings = Arc::clone(probe.settings());
        let environment = match who {
            Who::Kerberos(known) => known.environment.clone().unwrap_or_default(),
            Who::Simple(_) | Who::NotHere(_) => Vec::new(),
        };
        let start = Start {
            program: settings.client_program.clone().unwrap_or_default(),
            environment,
            order,
        };
        let open = || Client::start(&start.program, &start.environment, &start.order);
        let asked = |call| Asked {
            endpoint,
            config: self.config,
            stage: Stage::Access,
            call,
            path: self.path,
        };
        let client = match who {
            Who::Kerberos(known) => {
                let work = async {
                    let client = open().await?;
                    match client.ask(Question::LogIn).await? {
                        Ok(_) => Ok(client),
                        Err(failure) => {
                            let finding = asked("getFileInfo").explain(&failure);
                            Err(of_this_machine(finding, known))
                        }
                    }
                };
                let stages = &[Stage::Authenticate];
                let client = probe.step_within(endpoint, stages, probe.stage_timeout(), work);
                Some(client.await?)
            }
            Who::Simple(_) | Who::NotHere(_) => None,
        };
        if !probe.walks(Stage::Access) {
            return Ok(State::Unasked);
        }
        let only_writes = probe.intent().write && !probe.intent().read;
        let work = async {
            let client = match client {
                Some(client) => client,
                None => open().await?,
            };
            let path = self.path.to_owned();
            match client.ask(Question::Look { path }).await? {
                Ok(Answer::Looked(mut looked)) => {
                    // Whatever path it answers with.
                    self.path.clone_into(&mut looked.status.path);
                    Ok(Some((client, Some(looked))))
                }
                Ok(_) => Err(asked("getFileInfo").explain(&Failure::foreign())),
                Err(failure) => match asked("getFileInfo").explain(&failure) {
                    it if it.code == Code::AccessStandby => Ok(None),
                    it if it.code == Code::AccessNotFound && only_writes => {
                        Ok(Some((client, None)))
                    }
                    it => Err(it),
                },
            }
        };
        let found = probe.step_within(endpoint, &[Stage::Access], probe.stage_timeout(), work);
        let Some((client, looked)) = found.await? else {
            // It knows who asks, and says nothing of the path.
            probe.take_back();
            probe.note("state", "standby");
            return Ok(State::Standby(endpoint.clone()));
        };
        Ok(State::Active(Box::new(Session {
            endpoint: endpoint.clone(),
            client,
            looked,
            start,
        })))
    }
}

/// linkdial's own ticket for the name that the `NameNode` gave was good: the library asks for another
/// name, which it had from this machine's DNS.
fn of_this_machine(finding: Diagnosis, known: &Known) -> Diagnosis {
    if finding.code != Code::AuthenticateServiceUnknown || known.ticket.is_err() {
        return finding;
    }
    finding
        .outcome(Outcome::Unverified)
        .blame(Blame::Tool)
        .hint(
            "libkrb5 turns the NameNode's name into another one by DNS: set \
             `dns_canonicalize_hostname = false` and `rdns = false` in the krb5.conf that is used here",
        )
}

/// The client can not be run, which says nothing against the link.
fn not_run(reason: &str) -> Diagnosis {
    Diagnosis::new(
        Code::DefineNotCompiledIn,
        format!("nothing was asked of the NameNode: {reason}"),
    )
    .hint("check it once more without that, or on a node of the cluster with `hdfs dfs -ls`")
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
