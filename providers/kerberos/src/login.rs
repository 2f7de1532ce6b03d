//! The login at a KDC: who answers, whether it knows the principal, whether the key is good.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use linkdial_core::{Blame, Code, Diagnosis, Endpoint, Halt, Probe, Retry, Role, Stage};
use tokio::time::Instant;

use crate::conf::Krb5Conf;
use crate::encryption::{EncryptionType, Key, list};
use crate::fault::{KerberosFault, Part};
use crate::identity::Identity;
use crate::kdc_answer::Ticket;
use crate::offer::Offer;
use crate::principal::Principal;
use crate::realm::Realm;
use crate::turn::Turn;
use crate::visit::{Outcome, Visit};

/// How a login ended that did not fail.
#[derive(Clone, Debug)]
pub enum LogIn {
    /// The KDC gave a ticket that gets others.
    Done(Login),
    /// The KDC knows the principal; the proof is left to a library that can do more.
    Unproved(Unproved),
}

/// Why a login was not proved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unproved {
    /// The identity has neither keytab nor ticket here.
    NoKeys,
    /// Keytab and KDC have only encryption types in common that linkdial does not compute.
    EncryptionTypes(Vec<EncryptionType>),
    /// The KDC takes no timestamp as a proof; the numbers of those that it takes (RFC 4120,
    /// section 7.5.2).
    Proofs(Vec<i64>),
}

/// A ticket that gets others. Clones share it; there is no global state, so that two identities
/// never meet.
#[derive(Clone, Debug)]
pub struct Login(pub(crate) Arc<Granted>);

#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) client: Principal,
    pub(crate) ticket: Ticket,
    pub(crate) session: Key,
    pub(crate) ends: Timestamp,
    pub(crate) conf: Krb5Conf,
    /// The KDCs of the client's realm, the one that answered first.
    pub(crate) kdcs: Vec<Endpoint>,
}

impl Login {
    /// Returns the client, as the KDC has it.
    pub fn principal(&self) -> &Principal {
        &self.0.client
    }

    /// Returns until when the ticket is good.
    pub fn ends(&self) -> Timestamp {
        self.0.ends
    }

    /// Returns whether the library would turn the name of a host into its canonical one before it
    /// asks for a ticket, as [`Krb5Conf::canonicalizes_hosts`] says. [`Login::ticket`] does not.
    pub fn canonicalizes_hosts(&self) -> bool {
        self.0.conf.canonicalizes_hosts()
    }
}

/// Logs in at the KDCs of the identity's realm, all of them side by side within `limit` (and the
/// deadline of a stage). Each has its steps `resolve` and `connect` on the record; the login itself,
/// `authenticate`, stands at the one that answered first, and only that one is shown a proof. Where it
/// dies before it has said anything of the proof, the next one that answered is shown it; where it
/// refuses the key, the primary KDC is, when `krb5.conf` names another one of the list as such.
///
/// A KDC that does not answer, or lags behind, is a warning where another one does the work.
///
/// # Errors
///
/// [`Halt`]: the finding is on the record, with the guilty keys of the identity.
pub async fn log_in(
    probe: &mut Probe,
    conf: &Krb5Conf,
    identity: &Identity,
    limit: Duration,
) -> Result<LogIn, Halt> {
    let settings = Arc::clone(probe.settings());
    let limit = limit.min(settings.stage_timeout);
    let started = Instant::now();
    let halt = |probe: &mut Probe, at: Option<&Endpoint>, fault: KerberosFault| {
        probe.halt(at, fault.into_diagnosis(&identity.guilty))
    };
    let identity = &match identity.in_realm(conf) {
        Ok(identity) => identity,
        Err(fault) => return Err(halt(probe, None, fault)),
    };
    let offer = match Offer::new(conf, identity) {
        Ok(offer) => offer,
        Err(fault) => return Err(halt(probe, None, fault)),
    };
    let name = &identity.principal.realm;
    let realm = &find(probe, conf, identity, limit).await?;
    let turn = Turn::default();
    let visits = realm.kdcs.iter().map(|kdc| {
        let visit = Visit {
            kdc,
            realm,
            conf,
            identity,
            offer: &offer,
            turn: &turn,
            started,
            limit,
        };
        let mut fork = probe.fork();
        async move {
            let result = visit.walk(&mut fork).await;
            (fork, result)
        }
    });
    let visited = join_all(visits).await;
    let granted = |it: &Result<_, Halt>| matches!(it, Ok(Some(Outcome::Granted(_))));
    let is_granted = visited.iter().any(|(_, result)| granted(result));
    let mut done = None;
    let mut stopped = None;
    for (number, (mut fork, result)) in visited.into_iter().enumerate() {
        match result {
            Ok(Some(outcome)) => done = Some((number, outcome)),
            Ok(None) => {}
            Err(halt) => {
                if is_granted && fork.last_code() == Some(Code::AuthenticateKeytabStale) {
                    fork.amend(|it| lagging(&realm.kdcs[number], it));
                }
                stopped = stopped.or(Some(halt));
            }
        }
        probe.join(fork);
    }
    let Some((number, outcome)) = done else {
        return Err(match stopped {
            Some(halt) => halt,
            None => halt(probe, None, nobody(name)),
        });
    };
    probe.tolerate(Role::Kdc);
    Ok(match outcome {
        Outcome::Unproved(why) => LogIn::Unproved(why),
        Outcome::Granted(granted) => {
            let mut kdcs = realm.kdcs.clone();
            kdcs.swap(0, number);
            LogIn::Done(Login(Arc::new(Granted {
                client: granted.client,
                ticket: granted.ticket,
                session: granted.session,
                ends: granted.ends,
                conf: conf.clone(),
                kdcs,
            })))
        }
    })
}

/// Finds the KDCs; a question to DNS is a step of its own.
async fn find(
    probe: &mut Probe,
    conf: &Krb5Conf,
    identity: &Identity,
    limit: Duration,
) -> Result<Realm, Halt> {
    let settings = Arc::clone(probe.settings());
    let name = &identity.principal.realm;
    let finding = async {
        let found = Realm::find(&settings.net, conf, name).await;
        found.map_err(|fault| fault.into_diagnosis(&identity.guilty))
    };
    if !Realm::is_asked_of_dns(conf, name) {
        return finding.await.map_err(|finding| probe.halt(None, finding));
    }
    let asked = Realm::asked_of_dns(name);
    let realm = probe
        .step_within(&asked, &[Stage::Resolve], limit, finding)
        .await?;
    let kdcs: Vec<String> = realm.kdcs.iter().map(ToString::to_string).collect();
    probe.note("kdcs", kdcs.join(", "));
    Ok(realm)
}

fn nobody(realm: &str) -> KerberosFault {
    let what = format!("no KDC of {realm} answered");
    KerberosFault::new(
        Part::Outside,
        Diagnosis::new(Code::AuthenticateKdcUnreachable, what),
    )
}

/// The key is good, as another KDC has said meanwhile.
fn lagging(kdc: &Endpoint, mut finding: Diagnosis) -> Diagnosis {
    finding.message = format!("the KDC {kdc} refuses a key that another one takes");
    finding.keys.clear();
    finding
        .blame(Blame::Server)
        .retry(Retry::Later)
        .hint("new keys have not reached it: check the replication of the realm's database")
}

/// Kerberos writes names in ASCII (RFC 4120, section 5.2.1).
pub(crate) fn unwritable(client: &Principal) -> KerberosFault {
    let finding = Diagnosis::new(
        Code::DefineNotCompiledIn,
        "this build of linkdial can not write the request for this name",
    )
    .evidence("principal", client)
    .hint("names in ASCII alone are supported; check the name with `kinit`");
    KerberosFault::new(Part::Principal, finding)
}

impl fmt::Display for Unproved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeys => formatter.write_str("there is neither keytab nor ticket here"),
            Self::EncryptionTypes(kinds) => {
                let kinds = list(kinds.iter().copied());
                write!(formatter, "linkdial does not compute with {kinds}")
            }
            Self::Proofs(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                write!(
                    formatter,
                    "the KDC takes no timestamp, only {}",
                    numbers.join(", ")
                )
            }
        }
    }
}
