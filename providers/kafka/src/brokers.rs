//! The brokers that a cluster names: a client goes to each of them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{FutureExt as _, StreamExt as _};
use linkdial_core::{Code, Endpoint, Halt, KeyPlace, Probe, Role, Stage};

use crate::error;
use crate::login;
use crate::metadata::{Broker, Metadata, Topic};
use crate::target::{Address, is_host};
use crate::walk::{Beside, Session, Task, Walk, side_by_side};

/// Brokers beyond this many are not dialled: no cluster has them.
const MAX_BROKERS: usize = 1000;

/// The brokers of one cluster, as one of them names them.
#[derive(Debug)]
pub(crate) struct Brokers<'a> {
    pub(crate) walk: &'a Walk<'a>,
    /// Who named them.
    pub(crate) by: &'a Endpoint,
    pub(crate) metadata: &'a Metadata,
    /// What the link is used with, where it is there.
    pub(crate) topic: Option<&'a Topic>,
}

/// A broker that is gone to.
struct Visit<'a> {
    broker: &'a Broker,
    /// What the broker calls itself.
    named: Address,
    endpoint: Endpoint,
    /// The link dials another address in place of the named one.
    spoofed: bool,
    /// A session with it from before, where it is a bootstrap address.
    session: Option<Session>,
}

impl Brokers<'_> {
    /// Dials every broker, and asks each that leads partitions of the topic whether it serves them.
    pub(crate) async fn visit(
        &self,
        probe: &mut Probe,
        mut sessions: Vec<Session>,
    ) -> Result<(), Halt> {
        let asked = self.walk.asked(self.by);
        if self.metadata.brokers.is_empty() {
            let finding = error::server_error(&asked, "names no broker at all");
            return Err(probe.halt(Some(self.by), finding));
        }
        let mut result = Ok(());
        let mut visits = Vec::new();
        let mut ids = BTreeSet::new();
        let brokers = self.metadata.brokers.iter().filter(|it| ids.insert(it.id));
        for broker in brokers.take(MAX_BROKERS) {
            match self.prepare(probe, broker, &mut sessions) {
                Ok(visit) => visits.push(visit),
                Err(halt) => result = Err(halt),
            }
        }
        // What is not asked any more need not stay open.
        drop(sessions);
        // Once the check is out of time, another one would be dialled only to be hung up on.
        let late = AtomicBool::new(false);
        let late = &late;
        let visits = visits.into_iter();
        let walks = visits.map(|visit| {
            let fork = probe.fork();
            let walk = async move {
                if late.load(Ordering::Relaxed) {
                    return (fork, Ok(()));
                }
                self.visit_one(fork, visit).await
            };
            walk.boxed()
        });
        let walks: Vec<Task<'_, Result<(), Halt>>> = walks.collect();
        let mut walks = side_by_side(walks);
        let mut interrupted = false;
        let mut left_out = 0_usize;
        while let Some((fork, visited)) = walks.next().await {
            interrupted |= matches!(fork.last_code(), Some(Code::Interrupted(_)));
            if late.load(Ordering::Relaxed) && fork.endpoints(Role::Advertised).is_empty() {
                left_out += 1;
            }
            probe.join(fork);
            if let Err(halt) = visited {
                result = Err(halt);
                if interrupted {
                    return result;
                }
                late.fetch_or(probe.left().is_zero(), Ordering::Relaxed);
            }
        }
        if left_out > 0 {
            probe.note(
                "not_dialled",
                format!("{left_out} brokers: the check was out of time"),
            );
        }
        if self.metadata.brokers.len() > MAX_BROKERS {
            probe.note("unproven", "the brokers beyond a thousand were not dialled");
        }
        result
    }

    /// Finds out where a broker is dialled.
    fn prepare<'b>(
        &self,
        probe: &mut Probe,
        broker: &'b Broker,
        sessions: &mut Vec<Session>,
    ) -> Result<Visit<'b>, Halt> {
        let port = u16::try_from(broker.port).ok().filter(|port| *port > 0);
        let Some(port) = port.filter(|_| is_host(&broker.host)) else {
            let asked = self.walk.asked(self.by);
            let what = format!(
                "names broker {} without host and port that can be dialled",
                broker.id
            );
            let finding = error::server_error(&asked, &what)
                .evidence("host", broker.host.escape_default())
                .evidence("port", broker.port);
            return Err(probe.halt(Some(self.by), finding));
        };
        let named = Address {
            host: broker.host.clone(),
            port,
        };
        let spoofed: Option<&(Address, KeyPlace)> = self.walk.config.spoofed(&named);
        let dialled = spoofed.map_or(&named, |(dialled, _)| dialled);
        let mut endpoint = dialled.endpoint(Role::Advertised);
        let mut session = None;
        if let Some((_, place)) = spoofed {
            endpoint = endpoint.named_by(place.clone());
        } else {
            let here = |it: &Session| it.endpoint.host == named.host && it.endpoint.port == port;
            let known = sessions.iter().position(here);
            session = known.map(|index| sessions.swap_remove(index));
        }
        Ok(Visit {
            broker,
            spoofed: spoofed.is_some(),
            named,
            endpoint,
            session,
        })
    }

    async fn visit_one(&self, mut probe: Probe, mut visit: Visit<'_>) -> Beside<Result<(), Halt>> {
        let session = visit.session.take();
        let (broker, endpoint) = (visit.broker, &visit.endpoint);
        let known = session.is_some();
        let entered;
        if let Some(session) = session {
            probe.pass(Stage::Connect, Some(endpoint));
            entered = Ok(session);
        } else {
            let name = visit.spoofed.then_some(broker.host.as_str());
            (probe, entered) = self.walk.enter(probe, endpoint, name).await;
        }
        let result = match entered {
            Ok(session) => {
                probe.note("broker", broker.id);
                if known {
                    probe.note("known", "it is a bootstrap address");
                }
                self.ask_leader(&mut probe, endpoint, session, broker.id)
                    .await
            }
            Err(halt) => Err(halt),
        };
        if result.is_err() {
            let hint = self.hint(&visit.named, visit.spoofed);
            probe.amend(|finding| {
                let network = matches!(finding.code.stage(), Some(Stage::Resolve | Stage::Connect));
                let finding = finding
                    .evidence("broker", broker.id)
                    .evidence("advertised_as", &visit.named)
                    .evidence("advertised_by", self.by);
                if network { finding.hint(hint) } else { finding }
            });
        }
        (probe, result)
    }

    /// Asks a broker for the ends of the partitions that it is said to lead.
    async fn ask_leader(
        &self,
        probe: &mut Probe,
        endpoint: &Endpoint,
        mut session: Session,
        broker: i32,
    ) -> Result<(), Halt> {
        let Some(topic) = self.topic else {
            return Ok(());
        };
        let led = topic.led_by(broker);
        if led.is_empty() || !probe.walks(Stage::Access) {
            return Ok(());
        }
        let Some(version) = session.hello.list_offsets_version() else {
            probe.note("unproven", "the broker can not be asked for its partitions");
            return Ok(());
        };
        let asked = self.walk.asked(endpoint);
        let limit = probe.stage_timeout();
        let work = login::offsets(&mut session.connection, version, &topic.name, &led, &asked);
        let served = probe
            .step_within(endpoint, &[Stage::Access], limit, work)
            .await?;
        probe.note("leads", served);
        Ok(())
    }

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

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
