//! The login at a KDC: who answers, whether it knows the principal, whether the key is good.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use linkdial_core::net::{Net, Resolved};
use linkdial_core::{Blame, Code, Diagnosis, Endpoint, Halt, Probe, Retry, Role, Stage};
use tokio::time::Instant;

use crate::conf::Krb5Conf;
use crate::encryption::{EncryptionType, Key, Usage, list};
use crate::exchange::{self, Answered};
use crate::fault::{KerberosFault, Part};
use crate::identity::{Identity, Proof};
use crate::kdc_answer::{Answer, KdcReply, Sealed, Ticket, Unsealed};
use crate::kdc_error::{ENC_TIMESTAMP, KdcError};
use crate::kdc_request::{self, Unwritable};
use crate::keytab::how_to_write;
use crate::offer::Offer;
use crate::principal::Principal;
use crate::realm::Realm;
use crate::refusal::{Asked, Context, NEW_KEYS, skew};
use crate::turn::{Said, Turn};

/// The KDC wants a proof before it gives a ticket.
const PROOF_WANTED: i64 = 25;

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

/// One KDC of the realm.
struct Visit<'a> {
    kdc: &'a Endpoint,
    realm: &'a Realm,
    conf: &'a Krb5Conf,
    identity: &'a Identity,
    offer: &'a Offer<'a>,
    turn: &'a Turn,
    started: Instant,
    limit: Duration,
}

/// What a visit brought.
enum Outcome {
    Granted(Box<Grant>),
    Unproved(Unproved),
}

struct Grant {
    client: Principal,
    ticket: Ticket,
    session: Key,
    ends: Timestamp,
    authenticated: Timestamp,
    /// The type and the version of the keytab's key; `None` for the ticket of a cache.
    key: Option<(EncryptionType, u32)>,
}

/// What a KDC says to a request without a proof.
enum Greeting {
    /// It wants one: types that it has keys of, proofs that it takes.
    Wanted(KdcError),
    /// It gives the ticket to anybody; the key tells who can read it.
    Given(Box<KdcReply>),
}

impl Visit<'_> {
    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    async fn walk(&self, probe: &mut Probe) -> Result<Option<Outcome>, Halt> {
        let settings = Arc::clone(probe.settings());
        let net = &settings.net;
        let kdc = self.kdc;
        let resolving = net.resolve(kdc);
        let resolved = probe
            .step_within(kdc, &[Stage::Resolve], self.left(), resolving)
            .await?;
        for (name, value) in resolved.notes() {
            probe.note(name, value);
        }
        probe.note("krb5_conf", self.conf.shown());
        probe.note("kdc_from", self.realm.source.as_str());
        let (answer, nonce) = self.greet(probe, &resolved).await?;
        let greeting = match self.judge(answer) {
            Ok(greeting) => greeting,
            Err(fault) => {
                let finding = fault.into_diagnosis(&self.identity.guilty);
                let told = std::future::ready(Err::<(), _>(finding));
                let left = self.left().max(Duration::from_millis(1));
                probe
                    .step_within(kdc, &[Stage::Authenticate], left, told)
                    .await?;
                return Ok(None);
            }
        };
        let Some(mut said) = self.turn.take(self.is_primary() == Some(true)).await else {
            probe.note("login", "at another KDC");
            return Ok(None);
        };
        let left = self.left();
        // One that is the last to ask has all the time.
        let patience = if *said == Said::Nothing {
            left / 2
        } else {
            left
        };
        let proving = async {
            let proved = tokio::select! {
                proved = self.prove(net, &resolved, greeting, nonce) => proved,
                () = self.turn.wanted_after(patience) => Err(self.silent(patience)),
            };
            proved.map_err(|fault| fault.into_diagnosis(&self.identity.guilty))
        };
        let outcome = probe
            .step_within(kdc, &[Stage::Authenticate], left, proving)
            .await;
        let outcome = outcome.inspect_err(|_| probe.amend(|it| self.renamed(it)));
        *said = match probe.last_code().filter(|_| outcome.is_err()) {
            Some(Code::AuthenticateKdcUnreachable) => *said,
            Some(Code::AuthenticateKeytabStale) if self.is_primary() == Some(false) => {
                Said::Refused
            }
            _ => Said::Enough,
        };
        let outcome = outcome?;
        if matches!(outcome, Outcome::Unproved(_)) {
            // The KDC knows the principal, and nobody has logged in.
            probe.take_back();
        }
        self.note(probe, &outcome);
        Ok(Some(outcome))
    }

    /// Returns whether this is the primary KDC; `None` where nothing says which one is.
    fn is_primary(&self) -> Option<bool> {
        let realm = &self.identity.principal.realm;
        let named = (self.kdc.host.as_str(), self.kdc.port);
        self.conf.is_primary(realm, named)
    }

    /// The KDC that has greeted says nothing of the proof, and another one waits.
    fn silent(&self, waited: Duration) -> KerberosFault {
        let what = format!("{} greeted and then did not answer", self.kdc);
        let finding = Diagnosis::new(Code::AuthenticateTimedOut, what);
        finding.evidence("waited_ms", waited.as_millis()).into()
    }

    /// Asks without a proof: whether this is a KDC, what its clock says, whether it knows the
    /// principal.
    async fn greet(&self, probe: &mut Probe, resolved: &Resolved) -> Result<(Answer, u32), Halt> {
        let settings = Arc::clone(probe.settings());
        let left = self.left();
        let asking = async {
            let client = &self.identity.principal;
            let guilty = &self.identity.guilty;
            let unwritable = |error| self.unwritable(error).into_diagnosis(guilty);
            let nonce = kdc_request::random().map_err(unwritable)?;
            let request = kdc_request::initial(client, &self.offer.asked(), nonce, None);
            let request = request.map_err(unwritable)?;
            let answered = exchange::ask(&settings.net, self.kdc, resolved, &request, left).await?;
            Ok((answered, nonce))
        };
        let asked = probe
            .step_within(self.kdc, &[Stage::Connect], left, asking)
            .await;
        let (answered, nonce) = asked.inspect_err(|_| probe.amend(|it| self.renamed(it)))?;
        let Answered {
            answer,
            transport,
            address,
        } = answered;
        probe.note("address", address);
        probe.note("transport", transport);
        if let Answer::Error(error) = &answer {
            let skew = skew(error.server_time);
            probe.note("clock_offset_s", format!("{skew:+}"));
        }
        Ok((answer, nonce))
    }

    fn context(&self) -> Context<'_> {
        Context {
            asked: Asked::Initial,
            client: &self.identity.principal,
            kdc: Some(self.kdc),
            keytab: self
                .offer
                .kvno
                .map(|kvno| (kvno, self.offer.kinds.as_slice())),
        }
    }

    /// Gives a KDC that does not answer its own code.
    fn renamed(&self, finding: Diagnosis) -> Diagnosis {
        exchange::unreachable(self.kdc, &self.identity.principal.realm, finding)
    }

    fn unwritable(&self, _: Unwritable) -> KerberosFault {
        unwritable(&self.identity.principal)
    }

    /// Takes a KDC's first answer.
    fn judge(&self, answer: Answer) -> Result<Greeting, KerberosFault> {
        match answer {
            Answer::Reply(reply) => Ok(Greeting::Given(reply)),
            Answer::Error(error) if error.code == PROOF_WANTED => Ok(Greeting::Wanted(error)),
            Answer::Error(error) => Err(self.context().explain(&error)),
        }
    }

    /// Proves the identity with what it has.
    async fn prove(
        &self,
        net: &Net,
        resolved: &Resolved,
        greeting: Greeting,
        nonce: u32,
    ) -> Result<Outcome, KerberosFault> {
        match (&self.identity.proof, &self.offer.cached) {
            (Proof::Nothing, _) => return Ok(Outcome::Unproved(Unproved::NoKeys)),
            (Proof::Keytab(_), _) => {}
            (Proof::Cache(_), Some(cached)) => return self.renew(net, resolved, cached).await,
            (Proof::Cache(_), None) => return Ok(self.not_computed()),
        }
        let error = match greeting {
            Greeting::Given(reply) => return self.open(&reply, nonce),
            Greeting::Wanted(error) => error,
        };
        let proofs: Vec<i64> = error.proofs().collect();
        if !proofs.is_empty() && !proofs.contains(&ENC_TIMESTAMP) {
            return Ok(Outcome::Unproved(Unproved::Proofs(proofs)));
        }
        let has = error.encryption_types();
        let takes = |kind: &EncryptionType| has.is_empty() || has.contains(kind);
        let mut keys = self.offer.keys.iter();
        let Some(entry) = keys.find(|it| takes(&it.encryption_type)) else {
            if self.offer.others.iter().any(takes) {
                return Ok(self.not_computed());
            }
            return Err(self.nothing_in_common(list(has)));
        };
        let kinds = self.offer.computed();
        let nonce = kdc_request::random().map_err(|error| self.unwritable(error))?;
        let client = &self.identity.principal;
        let request = kdc_request::initial(client, &kinds, nonce, Some(&entry.key))
            .map_err(|error| self.unwritable(error))?;
        let left = self.left();
        let answered = exchange::ask(net, self.kdc, resolved, &request, left).await?;
        match answered.answer {
            Answer::Reply(reply) => self.open(&reply, nonce),
            Answer::Error(error) => Err(self.context().explain(&error)),
        }
    }

    /// Reads an answer with the keytab's key of its type.
    fn open(&self, reply: &KdcReply, nonce: u32) -> Result<Outcome, KerberosFault> {
        let mut keys = self.offer.keys.iter();
        let Some(entry) = keys.find(|it| it.encryption_type == reply.kind) else {
            if self.offer.others.contains(&reply.kind) {
                return Ok(self.not_computed());
            }
            return Err(self.nothing_in_common(reply.kind.to_string()));
        };
        let unsealed = reply
            .unseal(&entry.key, Usage::AsReply, nonce)
            .map_err(|sealed| match sealed {
                Sealed::WrongKey => self.stale(reply.kvno),
                Sealed::NotOurs => exchange::not_ours(self.kdc).into(),
            })?;
        self.grant(reply, unsealed, Some((reply.kind, entry.kvno)))
    }

    /// Shows the ticket of a cache, which a KDC takes only when it made it.
    async fn renew(
        &self,
        net: &Net,
        resolved: &Resolved,
        (ticket, session, _): &(Ticket, Key, Timestamp),
    ) -> Result<Outcome, KerberosFault> {
        let client = &self.identity.principal;
        let server = Principal::ticket_granting(&client.realm, &client.realm);
        let nonce = kdc_request::random().map_err(|error| self.unwritable(error))?;
        let request = kdc_request::ticket(client, ticket, session, &server, nonce)
            .map_err(|error| self.unwritable(error))?;
        let left = self.left();
        let answered = exchange::ask(net, self.kdc, resolved, &request, left).await?;
        let context = Context {
            asked: Asked::Ticket(&server),
            ..self.context()
        };
        let reply = match answered.answer {
            Answer::Reply(reply) => reply,
            Answer::Error(error) => return Err(context.explain(&error)),
        };
        let unsealed = reply.unseal(session, Usage::TgsReply, nonce);
        let unsealed = unsealed.map_err(|_| exchange::not_ours(self.kdc))?;
        self.grant(&reply, unsealed, None)
    }

    fn grant(
        &self,
        reply: &KdcReply,
        unsealed: Unsealed,
        key: Option<(EncryptionType, u32)>,
    ) -> Result<Outcome, KerberosFault> {
        if unsealed.server.grants_for() != Some(self.identity.principal.realm.as_str()) {
            return Err(exchange::not_ours(self.kdc).into());
        }
        if !unsealed.session.kind().is_computed() {
            let kinds = vec![unsealed.session.kind()];
            return Ok(Outcome::Unproved(Unproved::EncryptionTypes(kinds)));
        }
        Ok(Outcome::Granted(Box::new(Grant {
            client: reply.client.clone(),
            ticket: reply.ticket.clone(),
            session: unsealed.session,
            ends: unsealed.ends,
            authenticated: unsealed.authenticated,
            key,
        })))
    }

    fn not_computed(&self) -> Outcome {
        Outcome::Unproved(Unproved::EncryptionTypes(self.offer.others.clone()))
    }

    fn nothing_in_common(&self, kdc_has: String) -> KerberosFault {
        let client = &self.identity.principal;
        let finding = Diagnosis::new(
            Code::AuthenticateEncryptionType,
            format!("keytab and KDC have no encryption type of `{client}` in common"),
        );
        let finding = self
            .context()
            .evidenced(finding)
            .evidence("kdc_enctypes", kdc_has)
            .hint(NEW_KEYS);
        KerberosFault::new(Part::Keys, finding)
    }

    fn stale(&self, kvno: Option<u32>) -> KerberosFault {
        let client = &self.identity.principal;
        let finding = Diagnosis::new(
            Code::AuthenticateKeytabStale,
            format!("the key of the keytab is not that of `{client}` any more"),
        );
        let kvno = kvno.map(|it| it.to_string());
        let finding = self
            .context()
            .evidenced(finding)
            .evidence("kdc_kvno", kvno.unwrap_or_default())
            .hint(format!(
                "compare `klist -kte FILE` with the KDC; {}",
                how_to_write(client)
            ));
        KerberosFault::new(Part::Keys, finding)
    }

    /// Adds to the login's step what was learned.
    fn note(&self, probe: &mut Probe, outcome: &Outcome) {
        probe.note("principal", &self.identity.principal);
        let granted = match outcome {
            Outcome::Granted(granted) => granted,
            Outcome::Unproved(why) => {
                probe.note("unproved", why);
                return;
            }
        };
        if let Some((kind, kvno)) = granted.key {
            probe.note("enctype", kind);
            probe.note("kvno", kvno);
            let skew = skew(granted.authenticated);
            probe.note("clock_offset_s", format!("{skew:+}"));
        } else {
            probe.note("from", "ticket cache");
        }
        probe.note("ticket_ends", granted.ends);
    }
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
