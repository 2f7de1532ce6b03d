//! One KDC, asked for a ticket: its steps on the record, and what it says of the key.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::net::{Net, Resolved};
use linkdial_core::{Code, Diagnosis, Endpoint, Halt, Probe, Stage};
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
use crate::login::{Unproved, unwritable};
use crate::offer::Offer;
use crate::principal::Principal;
use crate::realm::Realm;
use crate::refusal::{Asked, Context, NEW_KEYS, skew};
use crate::turn::{Said, Turn};

/// The KDC wants a proof before it gives a ticket.
const PROOF_WANTED: i64 = 25;

/// One KDC of the realm.
pub(crate) struct Visit<'a> {
    pub(crate) kdc: &'a Endpoint,
    pub(crate) realm: &'a Realm,
    pub(crate) conf: &'a Krb5Conf,
    pub(crate) identity: &'a Identity,
    pub(crate) offer: &'a Offer<'a>,
    pub(crate) turn: &'a Turn,
    pub(crate) started: Instant,
    pub(crate) limit: Duration,
}

/// What a visit brought.
pub(crate) enum Outcome {
    Granted(Box<Grant>),
    Unproved(Unproved),
}

pub(crate) struct Grant {
    pub(crate) client: Principal,
    pub(crate) ticket: Ticket,
    pub(crate) session: Key,
    pub(crate) ends: Timestamp,
    authenticated: Timestamp,
    key_expires: Option<Timestamp>,
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

/// Returns how far this machine's clock is ahead of the KDC's, where its answer tells.
fn clock_offset(answer: &Answer) -> Option<i64> {
    match answer {
        Answer::Error(error) => Some(skew(error.server_time)),
        Answer::Reply(_) => None,
    }
}

impl Visit<'_> {
    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    pub(crate) async fn walk(&self, probe: &mut Probe) -> Result<Option<Outcome>, Halt> {
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
        let skew = clock_offset(&answer);
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
        // A library goes by the KDC's clock, and the servers that it logs in to do not.
        if let Outcome::Unproved(Unproved::EncryptionTypes(_) | Unproved::Proofs(_)) = &outcome
            && let Some(finding) = skew.and_then(|it| self.context().judge_clock(it))
        {
            probe.finding(Some(kdc), finding.outcome(linkdial_core::Outcome::Warn));
        }
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
        if let Some(skew) = clock_offset(&answer) {
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
            key_expires: unsealed.key_expires,
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
            // MIT's KDC writes 0 for never.
            let key_expires = granted.key_expires;
            if let Some(at) = key_expires.filter(|at| *at > Timestamp::UNIX_EPOCH) {
                probe.note("key_expires", at);
            }
        } else {
            probe.note("from", "ticket cache");
        }
        probe.note("ticket_ends", granted.ends);
    }
}
