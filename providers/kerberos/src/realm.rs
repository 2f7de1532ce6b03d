//! Where the KDCs of a realm are: `krb5.conf` first, then DNS.

use linkdial_core::net::Net;
use linkdial_core::{Code, Diagnosis, Endpoint, Retry, Role};

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
    /// `authenticate.realm-unknown` where nobody names one.
    pub async fn find(net: &Net, conf: &Krb5Conf, name: &str) -> Result<Self, KerberosFault> {
        let (named, source, asked) = match conf.kdcs(name) {
            kdcs if kdcs.is_empty() && conf.asks_dns_for_kdcs() => {
                let (kdcs, asked) = Self::ask(net, name).await;
                (kdcs, KdcSource::Dns, asked)
            }
            kdcs => (kdcs, KdcSource::Conf, Asked::Not),
        };
        if named.is_empty() {
            return Err(Self::unknown(conf, name, asked));
        }
        let endpoint = |(host, port): &(String, u16)| Endpoint::new(Role::Kdc, host, *port);
        Ok(Self {
            name: name.to_owned(),
            kdcs: named.iter().take(MAX_KDCS).map(endpoint).collect(),
            source,
        })
    }

    /// Returns the name that DNS is asked for, as the record shows it.
    pub(crate) fn asked_of_dns(name: &str) -> Endpoint {
        Endpoint::new(Role::Kdc, &format!("_kerberos._tcp.{name}"), PORT)
    }

    async fn ask(net: &Net, name: &str) -> (Vec<(String, u16)>, Asked) {
        let (tcp, udp) = (
            format!("_kerberos._tcp.{name}"),
            format!("_kerberos._udp.{name}"),
        );
        let (tcp, udp) = tokio::join!(net.services(&tcp), net.services(&udp));
        let mut kdcs = Vec::new();
        let mut asked = Asked::Nothing;
        for answer in [tcp, udp] {
            match answer {
                Ok(services) => {
                    for kdc in services.into_iter().map(|it| (it.host, it.port)) {
                        if !kdcs.contains(&kdc) {
                            kdcs.push(kdc);
                        }
                    }
                }
                Err(finding) => asked = Asked::Failed(finding),
            }
        }
        (kdcs, asked)
    }

    fn unknown(conf: &Krb5Conf, name: &str, asked: Asked) -> KerberosFault {
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
        let mut finding = Diagnosis::new(
            Code::AuthenticateRealmUnknown,
            format!("nothing says where the KDC of the realm {name} is"),
        )
        .evidence("realm", name)
        .evidence("krb5_conf", conf.shown())
        .evidence("realms", known.join(", "))
        .hint(hint);
        match asked {
            Asked::Not => finding = finding.evidence("dns", "not asked: dns_lookup_kdc is false"),
            Asked::Nothing => finding = finding.evidence("dns", "no SRV record"),
            Asked::Failed(failure) => {
                finding = finding.evidence("dns", failure.message).retry(Retry::Later);
            }
        }
        KerberosFault::new(Part::Principal, finding)
    }
}

/// What DNS said.
enum Asked {
    Not,
    Nothing,
    Failed(Diagnosis),
}
