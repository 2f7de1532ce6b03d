//! Names of a link that stay off the record until a server has shown that it knows them: whoever
//! swaps id and secret has a secret for a name.

use super::Step;
use crate::code::Code;
use crate::diagnosis::{Diagnosis, Outcome};
use crate::endpoint::Role;
use crate::redact::{REDACTED, Redactor};
use crate::secret::Secret;
use crate::stage::Stage;

/// What is withheld, each with what finds it in a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Withheld(Vec<(Secret, Redactor)>);

impl Withheld {
    pub(super) fn add(&mut self, name: &str) {
        if !name.is_empty() {
            let mut redactor = Redactor::default();
            redactor.add(name);
            self.0.push((Secret::new(name), redactor));
        }
    }

    /// Takes the names out of a finding, unless it or the record shows that the server knows them.
    pub(super) fn hide(
        &self,
        finding: &mut Diagnosis,
        public: &str,
        role: Option<Role>,
        steps: &[Step],
    ) {
        let about_login = finding.code.stage() >= Some(Stage::Authenticate);
        if !about_login || knows_name(finding) || has_logged_in(role, steps) {
            return;
        }
        for redactor in self.unknown_to(public) {
            finding.evidence.retain_mut(|(_, value)| {
                let was_shown = value != REDACTED;
                redactor.abridge(value);
                !(was_shown && value == REDACTED)
            });
            redactor.abridge_sentence(&mut finding.message);
            if let Some(hint) = &mut finding.hint {
                redactor.abridge_sentence(hint);
            }
            finding.policy.retain(|policy| policy.is_whole(redactor));
        }
    }

    /// The same for a note at the last step; it may be all gone.
    pub(super) fn hide_note(&self, value: &mut String, public: &str, steps: &[Step]) {
        let Some(last) = steps.last() else {
            return;
        };
        let role = last.endpoint.as_ref().map(|it| it.role);
        // Before the login nobody was sent a name that could come back.
        if last.stage < Stage::Authenticate || has_logged_in(role, steps) {
            return;
        }
        for redactor in self.unknown_to(public) {
            let was_shown = value != REDACTED;
            redactor.abridge(value);
            if was_shown && value == REDACTED {
                value.clear();
            }
        }
    }

    /// What stands in an address or a target is no secret.
    fn unknown_to(&self, public: &str) -> impl Iterator<Item = &Redactor> {
        let names = self.0.iter();
        let hidden = names.filter(move |(name, _)| !public.contains(name.expose()));
        hidden.map(|(_, redactor)| redactor)
    }
}

/// Returns whether a refusal says that the server knows the name.
fn knows_name(finding: &Diagnosis) -> bool {
    finding.proves_identity
        || matches!(
            finding.code,
            Code::AuthenticateBadSecret
                | Code::AuthenticateMethodDisabled
                | Code::AuthenticateRoleRefused
        )
}

fn has_logged_in(role: Option<Role>, steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        step.outcome == Outcome::Pass
            && step.stage >= Stage::Authenticate
            && step.endpoint.as_ref().map(|it| it.role) == role
    })
}
