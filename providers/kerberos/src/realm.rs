//! Where the KDCs of a realm are: `krb5.conf` first, then DNS.

use linkdial_core::net::Net;
use linkdial_core::{Code, Diagnosis, Endpoint, Role};

use crate::conf::{Krb5Conf, PORT};
use crate::fault::{KerberosFault, Part};

/// So many KDCs are asked.
const MAX_KDCS: usize = 8;

/// So many realms are listed as evidence.
const MAX_LISTED: usize = 8;

/// A realm and the KDCs that it is said to have.
#[derive(Clone, Debug)]
pub struct Realm {
    /// Its name.
    pub name: String,
    /// Its KDCs, the preferred ones first; at least one, at most 8.
    pub kdcs: Vec<Endpoint>,
    /// Who named them.
    pub source: KdcSource,
}

/// Who named the KDCs of a realm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KdcSource {
    /// `[realms]` in `krb5.conf`.
    Conf,
    /// SRV records (RFC 4120, section 7.2.3).
    Dns,
}

impl KdcSource {
    /// Returns the word of the notes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conf => "krb5.conf",
            Self::Dns => "DNS",
        }
    }
}

impl Realm {
    /// Finds the KDCs of a realm. The caller holds the deadline.
    ///
    /// # Errors
    ///
    /// `authenticate.realm-unknown` where nobody names one; `resolve.server-failed` or
    /// `resolve.timed-out` where the name servers did not say whether they do;
    /// `define.not-compiled-in` where all of them are reached over HTTPS.
    pub async fn find(net: &Net, conf: &Krb5Conf, name: &str) -> Result<Self, KerberosFault> {
        let (named, source) = match conf.kdcs(name) {
            kdcs if !kdcs.is_empty() => (kdcs, KdcSource::Conf),
            _ if !conf.https_kdcs(name).is_empty() => return Err(Self::behind_https(conf, name)),
            _ if !conf.asks_dns_for_kdcs() => {
                return Err(Self::unknown(
                    conf,
                    name,
                    "not asked: dns_lookup_kdc is false",
                ));
            }
            _ => {
                let asked = Self::ask(net, name).await;
                let asked = asked.map_err(|failure| Self::unanswered(conf, name, failure))?;
                (asked, KdcSource::Dns)
            }
        };
        if named.is_empty() {
            return Err(Self::unknown(conf, name, "no SRV record"));
        }
        let endpoint = |(host, port): &(String, u16)| Endpoint::new(Role::Kdc, host, *port);
        Ok(Self {
            name: name.to_owned(),
            kdcs: named.iter().take(MAX_KDCS).map(endpoint).collect(),
            source,
        })
    }

    /// Returns whether DNS has to be asked for the KDCs of a realm.
    pub(crate) fn is_asked_of_dns(conf: &Krb5Conf, name: &str) -> bool {
        let named = !conf.kdcs(name).is_empty() || !conf.https_kdcs(name).is_empty();
        !named && conf.asks_dns_for_kdcs()
    }

    /// Returns the name that DNS is asked for, as the record shows it.
    pub(crate) fn asked_of_dns(name: &str) -> Endpoint {
        Endpoint::new(Role::Kdc, &format!("_kerberos._tcp.{name}"), PORT)
    }

    /// Asks for SRV records. That there are none is known only where both questions were answered.
    async fn ask(net: &Net, name: &str) -> Result<Vec<(String, u16)>, Diagnosis> {
        let (tcp, udp) = (
            format!("_kerberos._tcp.{name}"),
            format!("_kerberos._udp.{name}"),
        );
        let (tcp, udp) = tokio::join!(net.services(&tcp), net.services(&udp));
        let mut kdcs = Vec::new();
        let mut failed = None;
        for answer in [tcp, udp] {
            match answer {
                Ok(services) => {
                    for kdc in services.into_iter().map(|it| (it.host, it.port)) {
                        if !kdcs.contains(&kdc) {
                            kdcs.push(kdc);
                        }
                    }
                }
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        match failed {
            Some(failure) if kdcs.is_empty() => Err(failure),
            _ => Ok(kdcs),
        }
    }

    /// The realm may well exist: nobody could look.
    fn unanswered(conf: &Krb5Conf, name: &str, failure: Diagnosis) -> KerberosFault {
        failure
            .evidence("realm", name)
            .evidence("krb5_conf", conf.shown())
            .into()
    }

    fn behind_https(conf: &Krb5Conf, name: &str) -> KerberosFault {
        let finding = Diagnosis::new(
            Code::DefineNotCompiledIn,
            format!("this build of linkdial does not reach the KDCs of {name} over HTTPS"),
        )
        .evidence("realm", name)
        .evidence("krb5_conf", conf.shown())
        .evidence("kdc", conf.https_kdcs(name).join(", "))
        .hint("check the login with `kinit`, or name a KDC that is reached over port 88");
        KerberosFault::new(Part::Outside, finding)
    }

    fn unknown(conf: &Krb5Conf, name: &str, dns: &str) -> KerberosFault {
        let mut known = conf.realms();
        known.truncate(MAX_LISTED);
        let alike = known.iter().find(|it| it.eq_ignore_ascii_case(name));
        let hint = match (alike, conf.realms().contains(&name)) {
            (Some(near), false) => format!("the file has the realm `{near}`: case counts"),
            _ => format!(
                "add `{name} = {{ kdc = HOST }}` to [realms], or name the cluster's own file with \
                 --krb5-conf FILE"
            ),
        };
        let finding = Diagnosis::new(
            Code::AuthenticateRealmUnknown,
            format!("nothing says where the KDC of the realm {name} is"),
        )
        .evidence("realm", name)
        .evidence("krb5_conf", conf.shown())
        .evidence("realms", known.join(", "))
        .evidence("dns", dns)
        .hint(hint);
        KerberosFault::new(Part::Principal, finding)
    }
}
