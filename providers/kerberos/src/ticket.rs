//! Tickets for servers, asked of the KDCs of the login, and of other realms where those refer to.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use linkdial_core::net::Net;
use linkdial_core::{Code, Diagnosis, Endpoint};
use tokio::time::{sleep, timeout};

use crate::encryption::{Key, Usage};
use crate::exchange::{self, Answered, is_unreachable};
use crate::fault::{KerberosFault, Part};
use crate::gss::Initiator;
use crate::kdc_answer::{Answer, KdcReply, Ticket, Unsealed};
use crate::kdc_request;
use crate::login::{Login, unwritable};
use crate::principal::Principal;
use crate::realm::Realm;
use crate::refusal::{Asked, Context};

/// So many other realms are asked on the way to a server.
const MAX_REFERRALS: usize = 5;

/// A KDC that says nothing for so long is joined by the next one.
const PATIENCE: Duration = Duration::from_secs(1);

impl Login {
    /// Gets a ticket for a service on a host, as it is dialled, within `limit`, and makes the first
    /// token for it. Runs beside others of the same login.
    ///
    /// The realm of the host is that of `[domain_realm]`, else that of the client, whose KDC may
    /// refer to another one.
    ///
    /// # Errors
    ///
    /// `authenticate.service-unknown`, `.kdc-unreachable`, `.realm-unknown`, `.encryption-type`,
    /// `.clock-skew` and the like; `resolve.server-failed` and `.timed-out` where DNS does not say
    /// where another realm is; `define.not-compiled-in` where the session key is of a type that
    /// linkdial does not compute with, or that realm is behind HTTPS alone.
    pub async fn ticket(
        &self,
        net: &Net,
        service: &str,
        host: &str,
        limit: Duration,
    ) -> Result<Initiator, KerberosFault> {
        let realm = self.0.conf.realm_of(host).unwrap_or(&self.0.client.realm);
        let server = Principal::service(service, host, realm);
        let asking = timeout(limit, self.walk(net, &server, limit)).await;
        asking.unwrap_or_else(|_| Err(self.silent(&server, limit)))
    }

    /// Asks from realm to realm until somebody knows the server.
    async fn walk(
        &self,
        net: &Net,
        server: &Principal,
        limit: Duration,
    ) -> Result<Initiator, KerberosFault> {
        let client = &self.0.client;
        let mut held = (self.0.ticket.clone(), self.0.session.clone());
        let mut kdcs = self.0.kdcs.clone();
        let mut realm = client.realm.clone();
        // A server of another realm: its KDC is asked with a ticket that ours gives for it.
        let mut wanted = if server.realm == realm {
            server.clone()
        } else {
            Principal::ticket_granting(&server.realm, &realm)
        };
        for _ in 0..=MAX_REFERRALS {
            let (kdc, reply, unsealed) = self.ask(net, &kdcs, &held, &wanted, limit).await?;
            let referred = unsealed.server.grants_for().map(ToOwned::to_owned);
            match referred.filter(|it| *it != realm) {
                Some(next) => {
                    if !unsealed.session.kind().is_computed() {
                        return Err(not_computed(&unsealed, server));
                    }
                    kdcs = Realm::find(net, &self.0.conf, &next).await?.kdcs;
                    held = (reply.ticket.clone(), unsealed.session);
                    // A realm on the way to that of the server only knows the next one.
                    wanted = match wanted.grants_for() {
                        Some(goal) if goal != next => Principal::ticket_granting(goal, &next),
                        _ => Principal {
                            realm: next.clone(),
                            ..server.clone()
                        },
                    };
                    realm = next;
                }
                None if reply.ticket.server.components == wanted.components => {
                    if !unsealed.session.kind().is_computed() {
                        return Err(not_computed(&unsealed, server));
                    }
                    let initiator = Initiator::new(client, &reply.ticket, &unsealed);
                    return initiator.map_err(|_| unwritable(client));
                }
                None => return Err(exchange::not_ours(&kdc).into()),
            }
        }
        let finding = Diagnosis::new(
            Code::AuthenticateServiceUnknown,
            format!("the KDCs refer from realm to realm and none knows `{server}`"),
        )
        .evidence("service", server)
        .evidence("last_realm", realm)
        .hint("say in [domain_realm] of krb5.conf which realm the host belongs to");
        Err(KerberosFault::new(Part::Service, finding))
    }

    /// Asks the KDCs of one realm; the next one joins when one is dead or silent.
    async fn ask(
        &self,
        net: &Net,
        kdcs: &[Endpoint],
        (granting, session): &(Ticket, Key),
        wanted: &Principal,
        limit: Duration,
    ) -> Result<(Endpoint, KdcReply, Unsealed), KerberosFault> {
        let client = &self.0.client;
        let nonce = kdc_request::random().map_err(|_| unwritable(client))?;
        let request = kdc_request::ticket(client, granting, session, wanted, nonce)
            .map_err(|_| unwritable(wanted))?;
        let (kdc, answered) = any(net, kdcs, &request, limit)
            .await
            .map_err(|(kdc, finding)| match kdc {
                Some(kdc) => exchange::unreachable(&kdc, &wanted.realm, finding),
                None => finding,
            })?;
        let context = Context {
            asked: Asked::Ticket(wanted),
            client,
            kdc: Some(&kdc),
            keytab: None,
        };
        let reply = match answered.answer {
            Answer::Reply(reply) => *reply,
            Answer::Error(error) => return Err(self.explained(context.explain(&error))),
        };
        let unsealed = reply.unseal(session, Usage::TgsReply, nonce);
        let unsealed = unsealed.map_err(|_| exchange::not_ours(&kdc))?;
        Ok((kdc, reply, unsealed))
    }

    /// Says where the library would have asked for another name than we did.
    fn explained(&self, fault: KerberosFault) -> KerberosFault {
        if fault.code() == Code::AuthenticateServiceUnknown && self.0.conf.canonicalizes_hosts() {
            return fault.evidence(
                "dns_canonicalize_hostname",
                "true: the client library may ask for another name of this host",
            );
        }
        fault
    }

    fn silent(&self, server: &Principal, limit: Duration) -> KerberosFault {
        let kdcs: Vec<String> = self.0.kdcs.iter().map(ToString::to_string).collect();
        let finding = Diagnosis::new(
            Code::AuthenticateKdcUnreachable,
            format!("no KDC answered for `{server}` in time"),
        )
        .evidence("kdc", kdcs.join(", "))
        .evidence("service", server)
        .evidence("waited_ms", limit.as_millis())
        .hint("check that the KDC runs, and that port 88 is open from here for TCP and UDP");
        KerberosFault::new(Part::Outside, finding)
    }
}

fn not_computed(unsealed: &Unsealed, server: &Principal) -> KerberosFault {
    let finding = Diagnosis::new(
        Code::DefineNotCompiledIn,
        "this build of linkdial does not compute with the key of the ticket",
    )
    .evidence("service", server)
    .evidence("enctype", unsealed.session.kind())
    .hint("the KDC gave a ticket; whether the server takes it was not found out");
    KerberosFault::new(Part::Service, finding)
}

/// Sends a request to the first KDC, and to the next ones when those before are dead or silent.
async fn any(
    net: &Net,
    kdcs: &[Endpoint],
    request: &[u8],
    limit: Duration,
) -> Result<(Endpoint, Answered), (Option<Endpoint>, Diagnosis)> {
    let patience = PATIENCE.min(limit / 3);
    let mut waiting = kdcs.iter();
    let mut running = FuturesUnordered::new();
    let mut failed = None;
    let attempt = |kdc: &Endpoint| {
        let kdc = kdc.clone();
        async move {
            let asked = async {
                let resolved = net.resolve(&kdc).await?;
                exchange::ask(net, &kdc, &resolved, request, limit).await
            };
            (asked.await, kdc)
        }
    };
    loop {
        if running.is_empty() {
            match waiting.next() {
                Some(kdc) => running.push(attempt(kdc)),
                None => break,
            }
        }
        tokio::select! {
            Some((asked, kdc)) = running.next() => match asked {
                Ok(answered) => return Ok((kdc, answered)),
                Err(finding) => {
                    let worse = |(_, known): &(_, Diagnosis)| is_unreachable(known.code);
                    if failed.as_ref().is_none_or(worse) {
                        failed = Some((Some(kdc), finding));
                    }
                }
            },
            () = sleep(patience), if waiting.len() > 0 => {
                running.extend(waiting.next().map(attempt));
            }
        }
    }
    Err(failed.unwrap_or_else(|| {
        let what = "the realm has no KDC";
        (None, Diagnosis::new(Code::AuthenticateRealmUnknown, what))
    }))
}
