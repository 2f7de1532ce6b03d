//! The words for what Azure answered: message, guilty key and hint.

use linkdial_core::clock::clock_skew;
use linkdial_core::xml::root_element;
use linkdial_core::{Blame, Change, Code, Diagnosis, KeyPlace};

use crate::config::{ACCOUNT_KEY, Auth, ENDPOINT, SAS_TOKEN};
use crate::error::{Asked, Call, Fault, MAX_SKEW};

/// Message, guilty key and hint.
type Words<'a> = (String, Option<&'a KeyPlace>, String);

impl Fault {
    /// Returns the finding that the answer is.
    pub(crate) fn diagnose(&self, asked: Asked<'_>) -> Diagnosis {
        let code = self.code(asked);
        let diagnosis = match code {
            Code::AuthenticateClockSkew => clock_skew(asked.endpoint, self.server_time, MAX_SKEW),
            Code::AccessNotThisService => not_this_service(asked)
                .evidence("root_element", root_element(&self.body).unwrap_or_default()),
            code => self.plain(code, asked),
        };
        diagnosis
            .evidence("operation", asked.call.name())
            .evidence("resource", asked.resource)
            .evidence("remote_code", self.code.as_deref().unwrap_or_default())
            .evidence("remote_message", &self.message)
            .evidence("status", self.status)
            .evidence("request_id", self.request_id.as_deref().unwrap_or_default())
            .evidence("account", &asked.config.account)
    }

    fn plain(&self, code: Code, asked: Asked<'_>) -> Diagnosis {
        let (message, key, hint) = self
            .about_identity(code, asked)
            .or_else(|| self.about_right(code, asked))
            .unwrap_or_else(|| self.about_resource(code, asked));
        let mut diagnosis = Diagnosis::new(code, message).hint(hint);
        if let Some(key) = key {
            diagnosis = diagnosis.key(key.clone());
        }
        let endpoint = asked.config.places.endpoint.clone();
        match code {
            Code::AuthenticateUnknownKey if lacks_account(asked) => {
                let whole = format!("{}{}", asked.config.base, asked.config.account);
                diagnosis = diagnosis.repair(Change::set(endpoint, whole));
            }
            Code::TlsRequired => {
                diagnosis = diagnosis.repair(Change::Scheme {
                    place: endpoint,
                    scheme: "https",
                });
            }
            _ => {}
        }
        let firewall = self.refused_by_firewall(code);
        if firewall {
            diagnosis = diagnosis.blame(Blame::Network);
        }
        if firewall || self.refused_for_its_name() || self.refused_for_its_account() {
            diagnosis = diagnosis.without_identity();
        }
        diagnosis
            .retry_after(self.retry_after.as_deref())
            .evidence("location", self.location.as_deref().unwrap_or_default())
    }

    fn about_identity<'a>(&self, code: Code, asked: Asked<'a>) -> Option<Words<'a>> {
        let Asked {
            endpoint, config, ..
        } = asked;
        let (account, places) = (&config.account, &config.places);
        Some(match code {
            Code::AuthenticateUnknownKey if lacks_account(asked) => (
                format!("{endpoint} has the account in the path, and `{ENDPOINT}` has no path"),
                Some(&places.endpoint),
                format!("write {}{account}", config.base),
            ),
            Code::AuthenticateUnknownKey => (
                format!("{endpoint} does not know the account `{account}`"),
                Some(&places.account),
                format!(
                    "check the name, and that `{ENDPOINT}` belongs to it; the address of an emulator \
                     ends with the account"
                ),
            ),
            Code::AuthenticateBadSecret => (
                format!("{endpoint} knows the account, and the key does not belong to it"),
                Some(&places.proof),
                "copy key1 or key2 of the account again: keys are replaced by a rotation, and a `/` \
                 or `+` lost on the way looks like this"
                    .to_owned(),
            ),
            Code::AuthenticateBadCredentials => (
                format!("{endpoint} can not read the signature of the request"),
                Some(&places.proof),
                "look for a proxy on the way that changes the header Authorization; without one, \
                 copy key1 or key2 of the account again"
                    .to_owned(),
            ),
            Code::AuthenticateTokenExpired => (
                "the shared access signature has expired".to_owned(),
                Some(&places.proof),
                "make a new one with a later end, or use the account's key".to_owned(),
            ),
            Code::AuthenticateTokenInvalid => (
                format!("{endpoint} does not accept the shared access signature"),
                Some(&places.proof),
                "make a new one: a rotated account key and a changed policy of the container end \
                 all that were made before, and a changed letter looks like this"
                    .to_owned(),
            ),
            Code::AuthenticateRequired => (
                format!("{endpoint} saw no signature in the request"),
                Some(&places.proof),
                "something between here and the service removes it".to_owned(),
            ),
            Code::AuthenticateMethodDisabled
                if self.code.as_deref() == Some("AccountIsDisabled") =>
            {
                (
                    format!("the account `{account}` is disabled"),
                    Some(&places.account),
                    "enable the subscription that it belongs to".to_owned(),
                )
            }
            Code::AuthenticateMethodDisabled => (
                format!("the account `{account}` takes no account keys"),
                Some(&places.proof),
                "allow storage account key access in the account's configuration: SingleStore \
                 knows no other way in"
                    .to_owned(),
            ),
            _ => return None,
        })
    }

    fn about_right<'a>(&self, code: Code, asked: Asked<'a>) -> Option<Words<'a>> {
        let (call, resource) = (asked.call.name(), asked.resource);
        let places = &asked.config.places;
        if !matches!(
            code,
            Code::AccessDenied | Code::ReadDenied | Code::WriteDenied
        ) {
            return None;
        }
        let remote = self.code.as_deref().unwrap_or_default();
        Some(match remote {
            "AuthorizationFailure" => (
                format!("{} refuses this network", asked.endpoint),
                None,
                "let this address in under the account's networking, or dial from a network that \
                 is let in; the cluster's may differ from this one"
                    .to_owned(),
            ),
            "AuthorizationSourceIPMismatch" => (
                "the shared access signature is for other addresses".to_owned(),
                Some(&places.proof),
                "make one without `sip`, or with the cluster's addresses".to_owned(),
            ),
            "ContainerDisabled" => (
                format!("`{resource}` was disabled by an administrator"),
                None,
                "ask who runs the account".to_owned(),
            ),
            "BlobImmutableDueToPolicy" => (
                format!("a policy keeps `{resource}` from being changed"),
                None,
                "point the link at a container without an immutability policy".to_owned(),
            ),
            "InsufficientAccountPermissions" => (
                format!("the account does not allow {call} at present"),
                Some(&places.account),
                format!(
                    "look at the account's state: a failover or a lock may make it read-only, and \
                     its secondary (-secondary in `{ENDPOINT}`) always is"
                ),
            ),
            _ => (
                format!("the identity may not do {call} on `{resource}`"),
                Some(&places.proof),
                match asked.config.auth {
                    Auth::Sas(_) => format!("make a `{SAS_TOKEN}` that covers {call}"),
                    Auth::SharedKey(_) => {
                        format!("an `{ACCOUNT_KEY}` may do all: look for a lock or a policy")
                    }
                },
            ),
        })
    }

    fn about_resource<'a>(&self, code: Code, asked: Asked<'a>) -> Words<'a> {
        let Asked {
            endpoint, resource, ..
        } = asked;
        let places = &asked.config.places;
        let remote = self.code.as_deref().unwrap_or_default();
        match code {
            Code::AccessNotFound if remote == "ContainerBeingDeleted" => (
                format!("the container of `{resource}` is being deleted"),
                None,
                "wait until that is done and make it again, or restore it".to_owned(),
            ),
            Code::AccessNotFound => (
                format!("`{resource}` does not exist"),
                None,
                "check the spelling of the target, and that it belongs to this account; what was \
                 deleted may be restored while soft delete keeps it"
                    .to_owned(),
            ),
            Code::TlsRequired => (
                format!("{endpoint} takes https only"),
                Some(&places.endpoint),
                format!("write https:// in `{ENDPOINT}`"),
            ),
            Code::AccessThrottled => (
                format!("{endpoint} asks to slow down"),
                None,
                "run it again later".to_owned(),
            ),
            Code::AccessRedirected => (
                format!("{endpoint} redirects instead of answering"),
                Some(&places.endpoint),
                "the blob service is not there: name the address that is; redirects are not \
                 followed with credentials"
                    .to_owned(),
            ),
            Code::ReadArchived if remote == "BlobBeingRehydrated" => (
                format!("`{resource}` is on its way out of the archive"),
                None,
                "wait until its tier has changed; that takes up to 15 hours".to_owned(),
            ),
            Code::ReadArchived => (
                format!("`{resource}` is archived"),
                None,
                "change its tier to hot, cool or cold, or point the link at blobs that are online"
                    .to_owned(),
            ),
            Code::ReadKeyRequired => (
                format!(
                    "`{resource}` is encrypted with a key of its own, which a link can not hold"
                ),
                None,
                "write the blobs without a customer-provided key; an encryption scope needs none"
                    .to_owned(),
            ),
            Code::ReadKmsDenied | Code::WriteKmsDenied => (
                format!("the key of Key Vault that encrypts `{resource}` can not be used"),
                None,
                "enable the key and its vault, let the account's managed identity get, wrap and \
                 unwrap with it, and let the account through the vault's firewall"
                    .to_owned(),
            ),
            Code::AccessRequestRefused => (
                format!(
                    "{endpoint} refused {} on `{resource}`: {remote}",
                    asked.call.name()
                ),
                None,
                "the service's own words stand in the evidence; look the code up in its \
                 documentation"
                    .to_owned(),
            ),
            _ => (
                format!("{endpoint} answered {}", self.status),
                None,
                "try again later; the service's own log says more".to_owned(),
            ),
        }
    }
}

/// Returns whether the address of an emulator lacks the account that stands in its path.
fn lacks_account(asked: Asked<'_>) -> bool {
    asked.config.base_given && asked.config.base.path() == "/"
}

/// Returns the finding that something else than Azure's blob service answers.
pub(crate) fn not_this_service(asked: Asked<'_>) -> Diagnosis {
    let what = match asked.call {
        Call::GetBlob | Call::GetBlobProperties => "a blob",
        _ => "Azure's blob service",
    };
    Diagnosis::new(
        Code::AccessNotThisService,
        format!("{} answers, but not as {what} does", asked.endpoint),
    )
    .hint(format!(
        "check {ENDPOINT}: a console, a proxy's page or another service listens there"
    ))
}
