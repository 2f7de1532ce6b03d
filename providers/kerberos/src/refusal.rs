//! From an error of a KDC or a server to a finding.
//!
//! | error (RFC 4120, section 7.5.9) | finding |
//! | --- | --- |
//! | 6, asked for the client | `authenticate.principal-unknown` |
//! | 7, asked for a service | `authenticate.service-unknown` |
//! | 7, asked for the first ticket; 68 | `authenticate.realm-unknown` |
//! | 24, 31 with a keytab | `authenticate.keytab-stale`; MIT says 24 since 1.14, 31 before |
//! | 32 | `authenticate.token-expired`: the ticket of a cache has ended |
//! | 31, 35, 36, 41, 44, 45 with a cache | `authenticate.token-invalid`: another KDC made it |
//! | 33, 37 | `authenticate.clock-skew` |
//! | 9, 14, 15 | `authenticate.encryption-type`; 9: there is no key at all |
//! | 1, 12, 18, 21, 23 | `authenticate.method-disabled` |
//! | 16; 25, after a proof | `authenticate.mechanism-not-offered` |
//! | any of a server that was shown a ticket, 33 and 37 apart | `authenticate.service-refused` |
//! | every other one | `access.server-error` |

use jiff::Timestamp;
use linkdial_core::{Code, Diagnosis, Endpoint};

use crate::encryption::{EncryptionType, list};
use crate::fault::{KerberosFault, Part};
use crate::kdc_error::KdcError;
use crate::keytab::how_to_write;
use crate::principal::Principal;

/// New keys make every copy of the keytab stale.
pub(crate) const NEW_KEYS: &str =
    "see `klist -kte FILE`; make new keys with AES, and give every node the new keytab";

/// How far clocks may be apart, in seconds, where nobody has changed it (`clockskew` of krb5.conf).
const TOLERATED: i64 = 300;

const BY_NTP: &str = "keep both clocks by NTP; Kerberos refuses beyond 5 minutes";

/// What was asked for when an error came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// The first ticket.
    Initial,
    /// A ticket for a server.
    Ticket(&'a Principal),
    /// A server was shown its ticket.
    Service(&'a Principal),
}

/// Who was asked, by whom, with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) asked: Asked<'a>,
    pub(crate) client: &'a Principal,
    /// The KDC; `None` where a server answered on the caller's stream.
    pub(crate) kdc: Option<&'a Endpoint>,
    /// The newest version of the key and the types in the keytab, where there is one.
    pub(crate) keytab: Option<(u32, &'a [EncryptionType])>,
}

/// Returns how far this machine's clock is ahead of another, in seconds.
pub(crate) fn skew(theirs: Timestamp) -> i64 {
    Timestamp::now().as_second() - theirs.as_second()
}

impl Context<'_> {
    /// Explains an error.
    pub(crate) fn explain(&self, error: &KdcError) -> KerberosFault {
        let (part, code) = self.classify(error.code);
        let (message, hint) = self.words(code, error);
        let finding = self
            .evidenced(Diagnosis::new(code, message))
            .evidence("kdc_error", error.name())
            .evidence("kdc_text", &error.text);
        let finding = match code {
            Code::AuthenticateClockSkew => {
                let skew = skew(error.server_time);
                finding.evidence("skew_seconds", format!("{skew:+}"))
            }
            Code::AuthenticateEncryptionType => {
                finding.evidence("kdc_enctypes", list(error.encryption_types()))
            }
            Code::AuthenticateRealmUnknown => {
                let named = error.client_realm.as_deref();
                finding.evidence("kdc_names", named.unwrap_or_default())
            }
            _ => finding,
        };
        KerberosFault::new(part, finding.hint(hint))
    }

    /// Returns what a KDC's clock comes to, where servers would not take tickets of its time.
    pub(crate) fn judge_clock(&self, skew: i64) -> Option<Diagnosis> {
        let far = skew.abs() > TOLERATED;
        far.then(|| {
            let finding = Diagnosis::new(Code::AuthenticateClockSkew, self.apart(skew));
            self.evidenced(finding)
                .evidence("skew_seconds", format!("{skew:+}"))
                .hint(BY_NTP)
        })
    }

    fn apart(&self, skew: i64) -> String {
        let way = if skew < 0 { "behind" } else { "ahead of" };
        let whose = match self.kdc {
            Some(_) => "the KDC",
            None => "the server",
        };
        format!(
            "this machine's clock is {} s {way} that of {whose}",
            skew.abs()
        )
    }

    /// Adds who was asked, by whom and with what.
    pub(crate) fn evidenced(&self, finding: Diagnosis) -> Diagnosis {
        let kdc = self.kdc.map(ToString::to_string).unwrap_or_default();
        let mut finding = finding
            .evidence("kdc", kdc)
            .evidence("realm", &self.client.realm)
            .evidence("principal", self.client);
        if let Asked::Ticket(server) | Asked::Service(server) = self.asked {
            finding = finding.evidence("service", server);
        }
        if let Some((kvno, kinds)) = self.keytab {
            finding = finding
                .evidence("keytab_kvno", kvno)
                .evidence("keytab_enctypes", list(kinds.iter().copied()));
        }
        finding
    }

    fn classify(&self, error: i64) -> (Part, Code) {
        match (error, self.asked) {
            (33 | 37, _) => (Part::Outside, Code::AuthenticateClockSkew),
            (_, Asked::Service(_)) => (Part::Service, Code::AuthenticateServiceRefused),
            (6, _) => (Part::Principal, Code::AuthenticatePrincipalUnknown),
            (7 | 19, Asked::Ticket(_)) => (Part::Service, Code::AuthenticateServiceUnknown),
            (9 | 14 | 15, Asked::Ticket(_)) => (Part::Service, Code::AuthenticateEncryptionType),
            (7 | 68, _) => (Part::Principal, Code::AuthenticateRealmUnknown),
            (24 | 31, Asked::Initial) => (Part::Keys, Code::AuthenticateKeytabStale),
            (32, _) => (Part::Keys, Code::AuthenticateTokenExpired),
            (20 | 31 | 35 | 36 | 41 | 44 | 45, _) => (Part::Keys, Code::AuthenticateTokenInvalid),
            (9 | 14 | 15, _) => (Part::Keys, Code::AuthenticateEncryptionType),
            (1 | 12 | 18 | 21 | 23, _) => (Part::Principal, Code::AuthenticateMethodDisabled),
            (16 | 25, _) => (Part::Keys, Code::AuthenticateMechanismNotOffered),
            _ => (Part::Outside, Code::AccessServerError),
        }
    }

    fn words(&self, code: Code, error: &KdcError) -> (String, String) {
        let client = self.client;
        let realm = &client.realm;
        let (message, hint) = match (code, self.asked) {
            (Code::AuthenticatePrincipalUnknown, _) => (
                format!("the KDC of {realm} does not know the principal `{client}`"),
                format!("check it with `kinit -kt FILE {client}`, and the realm; or create it"),
            ),
            (Code::AuthenticateServiceUnknown, Asked::Ticket(server)) => (
                format!("the KDC does not know the service `{server}`"),
                format!(
                    "check it with `kvno {}`; dial the server by the name in its principal",
                    server.name()
                ),
            ),
            (Code::AuthenticateRealmUnknown, _) => (
                format!("the KDC does not serve the realm {realm}"),
                "check the realm of the principal, and which KDC krb5.conf names for it".to_owned(),
            ),
            (Code::AuthenticateKeytabStale, _) => (
                format!("the key of the keytab is not that of `{client}` any more"),
                format!(
                    "compare `klist -kte FILE` with the KDC; {}",
                    how_to_write(client)
                ),
            ),
            (Code::AuthenticateTokenExpired, _) => (
                format!("the ticket of `{client}` has ended"),
                "get a new one with `kinit -c FILE`, or name a keytab".to_owned(),
            ),
            (Code::AuthenticateTokenInvalid, _) => (
                format!("the KDC does not take the ticket of `{client}`"),
                "another KDC made it, or its key was changed: `kinit -c FILE` again".to_owned(),
            ),
            (Code::AuthenticateClockSkew, _) => {
                (self.apart(skew(error.server_time)), BY_NTP.to_owned())
            }
            (Code::AuthenticateEncryptionType, Asked::Ticket(server)) => (
                format!("the KDC has no encryption type for `{server}` that clients use"),
                "give the service new keys with AES, and each of its servers the new keytab"
                    .to_owned(),
            ),
            (Code::AuthenticateEncryptionType, _) => (
                format!("the KDC has no key of `{client}` in an encryption type of the keytab"),
                NEW_KEYS.to_owned(),
            ),
            (Code::AuthenticateMethodDisabled, _) => (
                format!("the KDC knows `{client}` and does not let it log in"),
                "enable or unlock the account, or give it a later end".to_owned(),
            ),
            (Code::AuthenticateMechanismNotOffered, _) => (
                format!("the KDC does not let `{client}` log in with a key"),
                "ask who runs the KDC which way of logging in the account has".to_owned(),
            ),
            (Code::AuthenticateServiceRefused, Asked::Service(server)) => (
                format!("the server does not accept the ticket for `{server}`"),
                format!(
                    "compare `kvno {}` with `klist -kte` of the server's keytab; {}",
                    server.name(),
                    how_to_write(server)
                ),
            ),
            _ => (
                format!("the KDC failed with {}", error.name()),
                "look into the log of the KDC".to_owned(),
            ),
        };
        (message, hint)
    }
}
