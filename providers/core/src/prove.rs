//! The negative proof: a server that takes a wrong secret as well proves nothing about the right one.
//!
//! After a check that logged in, the same link is dialled once more with one character of its secret
//! changed, as far as the login and no further. The one attempt climbs the ladder on a connection of
//! its own, under the deadlines of the check it belongs to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::code::Code;
use crate::diagnosis::{Diagnosis, HUNG_UP, KeyPlace, Outcome, Retry};
use crate::probe::{Probe, Step};
use crate::provider::DynProvider;
use crate::secret::Secret;
use crate::stage::Stage;

/// A link with a wrong secret.
#[derive(Debug)]
pub enum Wrong<P> {
    /// The same link with one character of its secret changed.
    Link {
        /// What is dialled.
        provider: P,
        /// The key that holds the secret.
        key: KeyPlace,
        /// The wrong secret, which is almost the right one and is as little shown. `None` where it
        /// is no text of the link, such as the key of a file.
        secret: Option<Secret>,
    },
    /// There is nothing to try, and why.
    Nothing(&'static str),
}

impl<P> Wrong<P> {
    /// Makes one of the changed secret, where it can be changed.
    pub fn of(secret: Option<Secret>, key: KeyPlace, provider: impl FnOnce(Secret) -> P) -> Self {
        match secret {
            Some(secret) => Self::Link {
                provider: provider(secret.clone()),
                key,
                secret: Some(secret),
            },
            None => Self::Nothing("its secret has no character that can be changed"),
        }
    }

    /// Wraps the provider.
    pub fn map<Q>(self, wrap: impl FnOnce(P) -> Q) -> Wrong<Q> {
        match self {
            Self::Link {
                provider,
                key,
                secret,
            } => Wrong::Link {
                provider: wrap(provider),
                key,
                secret,
            },
            Self::Nothing(reason) => Wrong::Nothing(reason),
        }
    }
}

impl Secret {
    /// Returns the text with one character changed: of the same length and of the same alphabet, so
    /// that only the server can tell. `None` where there is no character of ASCII.
    #[must_use]
    pub fn changed(&self) -> Option<Self> {
        let text = self.expose();
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // The last letters of base64 may hold bits that nobody reads, the first ones a label.
        let middle = text.len() / 2;
        let from_the_middle = (middle..text.len()).chain((0..middle).rev());
        let bytes = text.as_bytes();
        let mut places = from_the_middle.clone();
        let place = places.find(|&at| bytes[at].is_ascii_alphanumeric());
        let place = place.or_else(|| {
            let mut places = from_the_middle;
            places.find(|&at| bytes[at].is_ascii_graphic())
        })?;
        let other = match bytes[place] {
            b'9' => '0',
            b'z' => 'a',
            b'Z' => 'A',
            b'f' if is_hex => 'a',
            b'F' if is_hex => 'A',
            byte if byte.is_ascii_alphanumeric() => char::from(byte + 1),
            b'!' => '.',
            _ => '!',
        };
        let (before, rest) = text.split_at(place);
        Some(Self::new(format!("{before}{other}{}", &rest[1..])))
    }

    /// As [`Secret::changed`]; of a JSON Web Token the signature, so that it still says the same.
    #[must_use]
    pub fn changed_token(&self) -> Option<Self> {
        let text = self.expose();
        match text.rsplit_once('.') {
            Some((signed, signature)) if text.matches('.').count() == 2 => {
                let signature = Self::new(signature).changed()?;
                Some(Self::new(format!("{signed}.{}", signature.expose())))
            }
            _ => self.changed(),
        }
    }

    /// As [`Secret::changed_token`], of the value of a header: the scheme in front stays, and of a
    /// `Basic` payload (RFC 7617) only the password is changed.
    #[must_use]
    pub fn changed_header(&self) -> Option<Self> {
        let text = self.expose();
        let Some((scheme, token)) = text.split_once(' ') else {
            return self.changed_token();
        };
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("basic") {
            let token = Self::new(token).changed_token()?;
            return Some(Self::new(format!("{scheme} {}", token.expose())));
        }
        let payload = STANDARD.decode(token).ok()?;
        let payload = Self::new(String::from_utf8(payload).ok()?);
        let (user, password) = payload.expose().split_once(':')?;
        let password = Self::new(password).changed()?;
        let payload = Self::new(format!("{user}:{}", password.expose()));
        let encoded = STANDARD.encode(payload.expose());
        Some(Self::new(format!("{scheme} {encoded}")))
    }
}

/// Whether the one attempt was made. Shared by all walks of the wrong link.
pub(crate) type Attempted = Arc<AtomicBool>;

/// Takes the one attempt; false where it is gone.
pub(crate) fn take(attempted: &Attempted) -> bool {
    !attempted.swap(true, Ordering::Relaxed)
}

/// What the attempt came to.
#[derive(Debug, Eq, PartialEq)]
enum Proof {
    /// The server refused it.
    Refused(Code),
    /// It let it in.
    Accepted,
    /// It did not say.
    Unsaid(Option<Code>),
}

/// Dials once with a wrong secret, where the check has logged in, and records what that proves.
pub(crate) async fn try_wrong(provider: &dyn DynProvider, probe: &mut Probe) {
    let right = probe.steps();
    let (wrong, key, secret) = match provider.with_wrong_secret() {
        Wrong::Link { .. } if !has_logged_in(&right) => return,
        Wrong::Nothing(_) if !is_let_in(&right) => return,
        Wrong::Link {
            provider,
            key,
            secret,
        } => (provider, key, secret),
        Wrong::Nothing(reason) => {
            probe.note_login("unproven", format!("no wrong secret was tried: {reason}"));
            return;
        }
    };
    let mut attempt = probe.fork_wrong();
    if let Some(secret) = &secret {
        attempt.add_secret(secret.expose());
    }
    let walked = wrong.probe(&mut attempt).await;
    tracing::trace!(whole = walked.is_ok(), "wrong attempt ended");
    let steps = attempt.into_steps();
    match judge(&right, &steps) {
        Proof::Refused(code) => probe.note_login("wrong_secret", format!("refused: {code}")),
        Proof::Accepted => {
            let at = steps
                .iter()
                .find(|step| is_login(step))
                .and_then(|step| step.endpoint.as_ref());
            let server = at.map_or_else(|| "the server".to_owned(), ToString::to_string);
            let finding = Diagnosis::new(
                Code::AuthenticateNotEnforced,
                format!("{server} took a wrong secret as well, so a pass proves nothing about it"),
            )
            .key(key)
            .hint(
                "let the server check who asks; until then this link works for anybody who knows \
                 its address",
            );
            probe.finding(at, finding);
        }
        Proof::Unsaid(code) => {
            let ending = code.map_or("without an answer", Code::as_str);
            probe.note_login(
                "unproven",
                format!("whether a wrong secret is refused: the attempt ended with {ending}"),
            );
        }
    }
}

fn is_login(step: &Step) -> bool {
    step.stage == Stage::Authenticate && step.outcome == Outcome::Pass
}

fn has_logged_in(steps: &[Step]) -> bool {
    let failed = |step: &Step| step.stage == Stage::Authenticate && step.outcome > Outcome::Warn;
    steps.iter().any(is_login) && !steps.iter().any(failed)
}

/// Whether a check got as far as a login would: who has nothing to show for itself has none.
fn is_let_in(steps: &[Step]) -> bool {
    let fails = |step: &Step| step.outcome == Outcome::Fail;
    let lets_in = |step: &Step| step.stage == Stage::Access && step.outcome == Outcome::Pass;
    has_logged_in(steps) || (steps.iter().any(lets_in) && !steps.iter().any(fails))
}

fn judge(right: &[Step], wrong: &[Step]) -> Proof {
    let mut findings = wrong.iter().filter_map(|step| step.diagnosis.as_ref());
    let ended = findings.rfind(|finding| finding.outcome > Outcome::Warn);
    if wrong.iter().any(is_login) {
        // A gateway may say "denied" of a key that it does not know.
        let had_access = right
            .iter()
            .any(|step| step.stage == Stage::Access && step.outcome == Outcome::Pass);
        return match ended.map(|finding| finding.code) {
            Some(code @ Code::AccessDenied) if had_access => Proof::Refused(code),
            _ => Proof::Accepted,
        };
    }
    match ended {
        Some(finding) if refuses(finding) => Proof::Refused(finding.code),
        ended => Proof::Unsaid(ended.map(|finding| finding.code)),
    }
}

/// Whether a finding is a server's word about the identity. One that may pass later is none: a token
/// endpoint that is overloaded refuses everybody. Nor is a connection that was lost.
fn refuses(finding: &Diagnosis) -> bool {
    finding.retry == Retry::Never
        && finding.evidence.iter().all(|(name, _)| *name != HUNG_UP)
        && matches!(
            finding.code,
            Code::AuthenticateBadCredentials
                | Code::AuthenticateBadSecret
                | Code::AuthenticateKeytabStale
                | Code::AuthenticateMethodDisabled
                | Code::AuthenticateRequired
                | Code::AuthenticateRoleRefused
                | Code::AuthenticateTokenEndpoint
                | Code::AuthenticateTokenExpired
                | Code::AuthenticateTokenInvalid
                | Code::AuthenticateUnknownKey
        )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn changed(text: &str) -> String {
        Secret::new(text).changed().unwrap().expose().to_owned()
    }

    #[test]
    fn one_character_is_another_of_its_alphabet() {
        for (right, wrong) in [
            ("lab-secret", "lab-sfcret"),
            ("abcz/z==", "abcz/a=="),
            ("0eefff99", "0eefaf99"),
            ("0f", "0a"),
            ("A", "B"),
            ("Z9", "Z0"),
            ("/+!+/", "/+.+/"),
            ("é-é", "é!é"),
        ] {
            let found = changed(right);
            assert_eq!(found.len(), right.len());
            let differ = found.chars().zip(right.chars()).filter(|(a, b)| a != b);
            assert_eq!(differ.count(), 1, "{right} {found}");
            assert_eq!(found, wrong, "{right}");
        }
        assert_eq!(Secret::new("éé").changed(), None);
        assert_eq!(Secret::new("").changed(), None);
    }

    #[test]
    fn only_what_proves_is_changed() {
        let token = Secret::new("aaaa.bbbb.cccc").changed_token().unwrap();
        assert_eq!(token.expose(), "aaaa.bbbb.ccdc");
        let header = |text: &str| Secret::new(text).changed_header().unwrap();
        assert_eq!(header("Bearer abcd").expose(), "Bearer abdd");
        assert_eq!(header("key-1234").expose(), "key-2234");
        let basic = header("Basic dXNlcjpwYXNz"); // user:pass
        assert_eq!(STANDARD.decode(&basic.expose()[6..]).unwrap(), b"user:pats");
        assert_eq!(Secret::new("Basic ???").changed_header(), None);
    }

    fn step(stage: Stage, outcome: Outcome, code: Option<Code>) -> Step {
        Step {
            stage,
            endpoint: None,
            outcome,
            elapsed: Duration::ZERO,
            notes: Vec::new(),
            diagnosis: code.map(|code| Diagnosis::new(code, "")),
        }
    }

    #[test]
    fn only_a_refusal_proves_that_the_secret_counts() {
        let login = || step(Stage::Authenticate, Outcome::Pass, None);
        let fail = |code: Code| step(code.stage().unwrap(), code.outcome(), Some(code));
        let access = || step(Stage::Access, Outcome::Pass, None);
        let right = [login(), access()];
        let judged = |wrong: &[Step]| judge(&right, wrong);
        assert_eq!(judged(&[login(), access()]), Proof::Accepted);
        for code in [Code::AuthenticateBadSecret, Code::AuthenticateKeytabStale] {
            assert_eq!(judged(&[fail(code)]), Proof::Refused(code));
        }
        for code in [
            Code::ConnectReset,
            Code::AccessTimedOut,
            Code::AuthenticateTimedOut,
            Code::AuthenticateClockSkew,
            Code::AccessServerError,
        ] {
            assert_eq!(judged(&[fail(code)]), Proof::Unsaid(Some(code)));
        }
        assert_eq!(judged(&[]), Proof::Unsaid(None));
        let mut hung_up = fail(Code::AuthenticateBadCredentials);
        let finding = hung_up.diagnosis.take();
        hung_up.diagnosis = finding.map(|it| it.evidence(HUNG_UP, "in the place of an answer"));
        let unsaid = Proof::Unsaid(Some(Code::AuthenticateBadCredentials));
        assert_eq!(judged(&[hung_up]), unsaid);
        // The same answer to both says that the secret does not count.
        let denied = || [login(), fail(Code::AccessDenied)];
        assert_eq!(judged(&denied()), Proof::Refused(Code::AccessDenied));
        assert_eq!(judge(&denied(), &denied()), Proof::Accepted);
        assert!(has_logged_in(&right));
        assert!(!has_logged_in(&[access()]) && is_let_in(&[access()]));
        assert!(!is_let_in(&[access(), fail(Code::ReadDenied)]));
        assert!(!has_logged_in(&[
            login(),
            fail(Code::AuthenticateBadSecret)
        ]));
    }
}
