//! What a shared access signature says about itself.
//!
//! Azure Storage REST API: Create an account SAS; Create a service SAS; Create a user delegation
//! SAS. The parameters are signed and not encrypted, so that most of what can be wrong with one is
//! known before a packet is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use linkdial_core::{Code, Diagnosis, Retry, Secret};
use url::form_urlencoded;

use crate::error::{Call, MAX_SKEW};

/// The length of a signature in bytes: HMAC-SHA256.
const SIGNATURE_LENGTH: usize = 32;

/// A shared access signature.
#[derive(Clone, Debug)]
pub(crate) struct Sas {
    /// The query as it is sent, without a question mark.
    pub(crate) query: Secret,
    /// The signature, decoded and as written.
    pub(crate) signature: [Secret; 2],
    /// `spr`: whether plain http is ruled out.
    pub(crate) https_only: bool,
    /// `skoid`: whether an identity of Entra ID signed it, and not the account's key.
    pub(crate) delegated: bool,
    start: Option<Timestamp>,
    expiry: Option<Timestamp>,
    /// `sp`; none where a policy of the container holds them.
    permissions: Option<String>,
    scope: Scope,
}

/// What it is for.
#[derive(Clone, Debug)]
enum Scope {
    /// `ss` and `srt` of an account SAS.
    Account { services: String, types: String },
    /// `sr` of a service SAS or a user delegation SAS.
    Resource(String),
}

/// Why a text is no signature.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

impl Sas {
    /// Reads the parameters. The signature itself is the server's to judge.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let whole = "copy it again, from `sv=` to the end of `sig=`";
        let malformed = |message: &str, hint| Malformed {
            message: message.to_owned(),
            hint,
        };
        if text.contains("://") {
            return Err(malformed(
                "is a whole URL",
                "write only what stands behind the question mark",
            ));
        }
        if text.contains("&amp;") {
            return Err(malformed(
                "has `&amp;` between its parameters",
                "it was copied from the source of a page: write `&` alone",
            ));
        }
        let text = text.strip_prefix('?').unwrap_or(text);
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        let twice = |(index, (name, _)): (usize, &(String, String))| {
            pairs[..index].iter().any(|(before, _)| before == name)
        };
        if pairs.iter().enumerate().any(twice) {
            return Err(malformed(
                "has a parameter twice",
                "copy it again: which of the two the service takes is not defined",
            ));
        }
        let get = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let (Some(signature), Some(_)) = (get("sig"), get("sv")) else {
            return Err(malformed("lacks `sig` or `sv`", whole));
        };
        if STANDARD.decode(&signature).map(|bytes| bytes.len()) != Ok(SIGNATURE_LENGTH) {
            return Err(malformed(
                "has a `sig` that is not 32 bytes of base64",
                "copy it again; inside a SAS a `+` is written %2B, and a `/` may be %2F",
            ));
        }
        let written = text.split('&').find_map(|pair| pair.strip_prefix("sig="));
        let date = |name: &str| match get(name) {
            Some(text) => moment(&text).map(Some).ok_or_else(|| Malformed {
                message: format!("has no date in `{name}`"),
                hint: "dates are written as 2026-11-30T08:00:00Z",
            }),
            None => Ok(None),
        };
        // The key that signs a user delegation SAS has a start and an end of its own.
        let start = date("st")?.max(date("skt")?);
        let (end, end_of_key) = (date("se")?, date("ske")?);
        let expiry = end.into_iter().chain(end_of_key).min();
        if end.is_none() && get("si").is_none() {
            return Err(malformed("has neither `se` nor `si`", whole));
        }
        let scope = match (get("ss"), get("srt"), get("sr")) {
            (Some(services), Some(types), _) => Scope::Account { services, types },
            (_, _, Some(resource)) => Scope::Resource(resource),
            _ => return Err(malformed("has neither `sr` nor `ss` and `srt`", whole)),
        };
        Ok(Self {
            query: Secret::new(text),
            signature: [
                Secret::new(signature),
                Secret::new(written.unwrap_or_default()),
            ],
            https_only: get("spr").as_deref() == Some("https"),
            delegated: get("skoid").is_some(),
            start,
            expiry,
            permissions: get("sp"),
            scope,
        })
    }

    /// Returns the same with one character of the signature changed: all that it says stays.
    pub(crate) fn with_wrong_signature(&self) -> Option<Self> {
        let [signature, written] = &self.signature;
        let wrong = signature.changed()?;
        let wrong: String = form_urlencoded::byte_serialize(wrong.expose().as_bytes()).collect();
        let right = format!("sig={}", written.expose());
        let wrong = format!("sig={wrong}");
        Self::parse(&self.query.expose().replacen(&right, &wrong, 1)).ok()
    }

    /// Returns how long it holds yet, in hours; none where a policy of the container says that.
    ///
    /// The dates themselves are parts of a secret, and no report shows them.
    pub(crate) fn hours_left(&self, now: Timestamp) -> Option<i64> {
        let left = self.expiry?.duration_since(now);
        Some(left.as_hours())
    }

    /// Returns whether its end has come.
    pub(crate) fn ended(&self, now: Timestamp) -> bool {
        self.expiry.is_some_and(|expiry| expiry <= now)
    }

    /// Returns the finding that it does not hold now. What the clocks of this machine and of the
    /// server may differ by is the server's to judge.
    pub(crate) fn check_time(&self, now: Timestamp) -> Option<Diagnosis> {
        if let Some(expiry) = self.expiry.filter(|_| self.ended(now - MAX_SKEW)) {
            return Some(
                Diagnosis::new(
                    Code::AuthenticateTokenExpired,
                    "the shared access signature has expired",
                )
                .evidence("expired_seconds_ago", now.duration_since(expiry).as_secs())
                .hint("make a new one with a later end, or use the account's key"),
            );
        }
        let start = self.start.filter(|&start| start > now + MAX_SKEW)?;
        let wait = std::time::Duration::try_from(start.duration_since(now)).unwrap_or_default();
        Some(
            Diagnosis::new(
                Code::AuthenticateTokenInvalid,
                "the shared access signature does not hold yet",
            )
            .evidence("starts_in_seconds", wait.as_secs())
            .retry(Retry::After(wait))
            .hint("wait, or make one that starts now; leave `st` out to be safe from clocks"),
        )
    }

    /// Returns what a call needs and the signature does not give; none where it may be made, or
    /// where a policy of the container decides.
    pub(crate) fn lacks(&self, call: Call) -> Option<String> {
        let (letters, kind) = needs(call);
        match &self.scope {
            Scope::Account { services, .. } if !services.contains('b') => {
                return Some("b (blob) in `ss`".to_owned());
            }
            Scope::Account { types, .. } if !types.contains(kind) => {
                return Some(format!("{kind} ({}) in `srt`", type_name(kind)));
            }
            Scope::Resource(resource) => {
                let fits = match kind {
                    's' => false,
                    'c' => matches!(resource.as_str(), "c" | "d"),
                    _ => true,
                };
                if !fits {
                    return Some(match kind {
                        's' => "the account as a whole: it is for one resource".to_owned(),
                        _ => "the container: its `sr` is for a single blob".to_owned(),
                    });
                }
            }
            Scope::Account { .. } => {}
        }
        let permissions = self.permissions.as_ref()?;
        (!letters
            .iter()
            .any(|(letter, _)| permissions.contains(*letter)))
        .then(|| {
            let named: Vec<String> = letters
                .iter()
                .map(|(letter, name)| format!("{letter} ({name})"))
                .collect();
            format!("{} in `sp`", named.join(" or "))
        })
    }

    /// Returns the finding that a call is not covered.
    pub(crate) fn refuses(&self, call: Call) -> Option<Diagnosis> {
        let lacking = self.lacks(call)?;
        Some(
            Diagnosis::new(
                call.denied(),
                format!("the shared access signature lacks {lacking}"),
            )
            .evidence("operation", call.name())
            .evidence("lacking", &lacking)
            .evidence("sp", self.permissions.as_deref().unwrap_or_default())
            .hint(match &self.scope {
                Scope::Account { services, .. } if !services.contains('b') => {
                    "make one for the blob service: ss=b"
                }
                Scope::Account { types, .. } if !(types.contains('c') && types.contains('o')) => {
                    "make one for containers and objects: srt=co"
                }
                _ => {
                    "make one with r (read) and l (list) for the container; add c, w and d to write"
                }
            })
            .without_identity(),
        )
    }
}

/// The permissions of which a call needs one, and the resource type of an account SAS.
fn needs(call: Call) -> (&'static [(char, &'static str)], char) {
    match call {
        Call::GetServiceProperties => (&[('r', "read")], 's'),
        Call::ListContainers => (&[('l', "list")], 's'),
        Call::ListBlobs => (&[('l', "list")], 'c'),
        Call::GetBlob | Call::GetBlobProperties => (&[('r', "read")], 'o'),
        Call::PutBlob => (&[('c', "create"), ('w', "write")], 'o'),
        Call::DeleteBlob => (&[('d', "delete")], 'o'),
    }
}

fn type_name(kind: char) -> &'static str {
    match kind {
        's' => "service",
        'c' => "container",
        _ => "object",
    }
}

/// Reads a date of a SAS: a day, or a time with or without seconds, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    // The last day of the calendar stands for never, and ends after the last moment that is known.
    if text.starts_with("9999-12-3") {
        text.get(..10)?.parse::<Date>().ok()?;
        return Some(Timestamp::MAX);
    }
    let day = text.parse::<Date>().ok()?;
    let midnight = day.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp())
}

/// Feeds a text to the reader, and asks it all that is asked of a signature.
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(sas) = Sas::parse(&text) {
        sas.hours_left(Timestamp::UNIX_EPOCH);
        for call in [Call::ListBlobs, Call::GetBlob, Call::PutBlob] {
            sas.lacks(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIG: &str = "sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

    fn sas(parameters: &str) -> Sas {
        Sas::parse(&format!("?sv=2024-11-04&{parameters}&{SIG}")).unwrap()
    }

    #[test]
    fn the_hint_names_what_is_missing() {
        for (parameters, hint) in [
            ("ss=q&srt=sco", "ss=b"),
            ("ss=b&srt=s", "srt=co"),
            ("ss=b&srt=co", "r (read)"),
        ] {
            let finding = sas(&format!("{parameters}&sp=w&se=2099-01-01")).refuses(Call::ListBlobs);
            let found = finding.unwrap().hint.unwrap();
            assert!(found.contains(hint), "{found}");
        }
        let html = format!("sv=2024-11-04&amp;sr=c&amp;sp=rl&amp;se=2099-01-01&amp;{SIG}");
        let fault = Sas::parse(&html).unwrap_err();
        assert!(fault.message.contains("&amp;"), "{}", fault.message);
    }

    #[test]
    fn dates_come_in_three_forms() {
        for (text, read) in [
            ("2026-11-30", "2026-11-30T00:00:00Z"),
            ("2026-11-30T08:15Z", "2026-11-30T08:15:00Z"),
            ("2026-11-30T08:15:30Z", "2026-11-30T08:15:30Z"),
        ] {
            assert_eq!(moment(text).map(|it| it.to_string()).as_deref(), Some(read));
        }
        // How people write that it never ends.
        for text in ["9999-12-31T23:59:59Z", "9999-12-31", "9999-12-31T23:59Z"] {
            let end = moment(text).unwrap();
            assert!(end.to_string().starts_with("9999-12-3"), "{end}");
            let sas = sas(&format!("sr=c&sp=rl&se={text}"));
            assert!(!sas.ended(Timestamp::now()));
            assert_eq!(sas.check_time(Timestamp::now()), None);
            assert!(sas.hours_left(Timestamp::now()).unwrap() > 1_000_000);
        }
        assert_eq!(moment("9999-12-3x"), None);
        assert_eq!(moment("soon"), None);
    }

    #[test]
    fn time_is_judged_by_start_and_end() {
        let code = |parameters: &str, now: &str| {
            let finding = sas(parameters).check_time(now.parse().unwrap());
            finding.map(|finding| finding.code.as_str())
        };
        let both = "sr=c&sp=rl&st=2026-01-01&se=2026-02-01T00%3A00%3A00Z";
        assert_eq!(code(both, "2026-01-15T00:00:00Z"), None);
        let expired = Some("authenticate.token-expired");
        assert_eq!(code(both, "2026-02-01T00:15:00Z"), expired);
        let early = Some("authenticate.token-invalid");
        assert_eq!(code(both, "2025-12-31T23:44:59Z"), early);
        // The clock of this machine may be off by so much.
        assert_eq!(code(both, "2026-02-01T00:14:59Z"), None);
        assert_eq!(code(both, "2025-12-31T23:45:00Z"), None);
        assert_eq!(code("sr=c&si=policy", "2025-12-31T23:59:59Z"), None);
        // The key of a delegated signature may end before it and start after it.
        let delegated = format!("{both}&skt=2026-01-08T00%3A00%3A00Z&ske=2026-01-20");
        assert_eq!(code(&delegated, "2026-01-07T00:00:00Z"), early);
        assert_eq!(code(&delegated, "2026-01-15T00:00:00Z"), None);
        assert_eq!(code(&delegated, "2026-01-21T00:00:00Z"), expired);
        let wider = format!("{both}&skt=2025-12-01&ske=2026-03-01");
        assert_eq!(code(&wider, "2025-12-15T00:00:00Z"), early);
        assert_eq!(code(&wider, "2026-02-15T00:00:00Z"), expired);
    }

    #[test]
    fn what_a_call_needs_is_read_from_the_signature() {
        for (parameters, call, lacking) in [
            ("ss=bf&srt=sco&sp=rl&se=2099-01-01", Call::ListBlobs, None),
            (
                "ss=f&srt=sco&sp=rl&se=2099-01-01",
                Call::ListBlobs,
                Some("b (blob) in `ss`"),
            ),
            (
                "ss=b&srt=o&sp=rl&se=2099-01-01",
                Call::ListBlobs,
                Some("c (container) in `srt`"),
            ),
            (
                "ss=b&srt=sco&sp=r&se=2099-01-01",
                Call::ListContainers,
                Some("l (list) in `sp`"),
            ),
            (
                "sr=c&sp=rl&se=2099-01-01",
                Call::PutBlob,
                Some("c (create) or w (write) in `sp`"),
            ),
            ("sr=c&sp=w&se=2099-01-01", Call::PutBlob, None),
            ("sr=d&sdd=1&sp=rl&se=2099-01-01", Call::ListBlobs, None),
            (
                "sr=b&sp=rl&se=2099-01-01",
                Call::ListBlobs,
                Some("the container: its `sr` is for a single blob"),
            ),
            ("sr=c&si=policy", Call::DeleteBlob, None),
        ] {
            assert_eq!(
                sas(parameters).lacks(call).as_deref(),
                lacking,
                "{parameters} {call:?}"
            );
        }
    }
}
