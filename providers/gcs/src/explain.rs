//! The words for what Google answered: message, guilty key and hint.

use linkdial_core::clock::clock_skew;
use linkdial_core::{Blame, Change, Code, Diagnosis};
use linkdial_s3::{Asked, Call, Fault, Vendor as _};

use crate::config::{ACCESS_ID, Auth, Config, ENDPOINT, REGION, SECRET, SERVICE_ACCOUNT, place};
use crate::error::{Reason, reason};

/// Message, guilty key and hint.
type Words = (String, Option<&'static str>, String);

impl Config {
    /// Returns the finding that an answer is.
    pub(crate) fn explain(&self, asked: Asked<'_>, fault: &Fault) -> Diagnosis {
        let code = self.code(asked, fault);
        let diagnosis = match (code, reason(fault)) {
            (Code::AccessWrongRegion, _) => self.wrong_region(asked, fault),
            (Code::AuthenticateClockSkew, _) => {
                clock_skew(asked.endpoint, fault.server_time, self.max_skew())
            }
            (Code::AccessNotThisService, _) => not_this_service(asked)
                .evidence("root_element", fault.root_element().unwrap_or_default()),
            (Code::AccessDenied | Code::ReadDenied | Code::WriteDenied, Some(reason)) => {
                self.refusal(code, reason, asked)
            }
            (code, _) => self.plain(code, asked, fault),
        };
        let (name, principal) = self.principal();
        diagnosis
            .evidence("operation", self.right(asked.call))
            .evidence("resource", asked.resource)
            .evidence("remote_code", fault.code.as_deref().unwrap_or_default())
            .evidence("remote_message", &fault.message)
            .evidence(
                "remote_details",
                fault.details.as_deref().unwrap_or_default(),
            )
            .evidence("status", fault.status)
            .evidence("challenge", fault.challenge.as_deref().unwrap_or_default())
            .evidence(
                "request_id",
                fault.request_id.as_deref().unwrap_or_default(),
            )
            .evidence(name, principal)
    }

    /// The key that says who the link is.
    const fn identity(&self) -> &'static str {
        match self.auth {
            Auth::Anonymous | Auth::Hmac(_) => ACCESS_ID,
            Auth::ServiceAccount(_) => SERVICE_ACCOUNT,
        }
    }

    fn plain(&self, code: Code, asked: Asked<'_>, fault: &Fault) -> Diagnosis {
        let (message, key, hint) = self
            .about_identity(code, asked)
            .unwrap_or_else(|| self.about_resource(code, asked, fault));
        let mut diagnosis = Diagnosis::new(code, message).hint(hint);
        if let Some(key) = key {
            diagnosis = diagnosis.key(place(key));
        }
        diagnosis
            .retry_after(fault.retry_after.as_deref())
            .evidence("location", fault.location.as_deref().unwrap_or_default())
    }

    fn about_identity(&self, code: Code, asked: Asked<'_>) -> Option<Words> {
        let Asked {
            endpoint, resource, ..
        } = asked;
        let account = matches!(self.auth, Auth::ServiceAccount(_));
        Some(match code {
            Code::AuthenticateUnknownKey => (
                format!("{endpoint} does not know the access id"),
                Some(ACCESS_ID),
                "take an HMAC key of the Interoperability page: a client id of OAuth or the id of \
                 an API key is none, and a deleted key is not known any more; id and secret may also be \
                 swapped"
                    .to_owned(),
            ),
            Code::AuthenticateBadSecret => (
                format!("{endpoint} knows the access id, and the secret does not belong to it"),
                Some(SECRET),
                "copy the secret again; a `/` or `+` lost on the way, or a backslash that SQL took, \
                 looks like this; a lost secret can not be shown again, make a new HMAC key"
                    .to_owned(),
            ),
            Code::AuthenticateMethodDisabled => (
                format!("{endpoint} knows the identity, and it is switched off"),
                Some(self.identity()),
                if account {
                    "enable the service account, in IAM, and see that no constraint \
                     storage.restrictAuthTypes forbids its tokens"
                } else {
                    "set the HMAC key to ACTIVE, enable its account, and see that no constraint \
                     storage.restrictAuthTypes forbids HMAC keys"
                }
                .to_owned(),
            ),
            Code::AuthenticateBadCredentials if account => (
                format!("{endpoint} refuses the token that the service account signed"),
                Some(SERVICE_ACCOUNT),
                "Google does not say why: see that the key is still listed and enabled, that its \
                 account exists, and that private_key belongs to private_key_id"
                    .to_owned(),
            ),
            Code::AuthenticateBadCredentials => (
                format!("{endpoint} refuses the identity"),
                Some(self.identity()),
                "check the access id and its secret".to_owned(),
            ),
            Code::AuthenticateTokenExpired | Code::AuthenticateTokenInvalid => (
                format!("{endpoint} refuses the token"),
                Some(self.identity()),
                "check the clock of this machine, then make a new key for the service account"
                    .to_owned(),
            ),
            Code::AuthenticateRequired => (
                format!("{endpoint} refuses anonymous access to `{resource}`"),
                Some(ACCESS_ID),
                format!(
                    "give `{ACCESS_ID}` and `{SECRET}`, or let allUsers read the bucket; public \
                     access prevention forbids that"
                ),
            ),
            _ => return None,
        })
    }

    fn about_resource(&self, code: Code, asked: Asked<'_>, fault: &Fault) -> Words {
        let Asked {
            endpoint, resource, ..
        } = asked;
        let right = self.right(asked.call);
        match code {
            Code::AccessNotFound => (
                format!("`{resource}` does not exist"),
                None,
                "check the spelling of the target".to_owned(),
            ),
            Code::AccessDenied | Code::WriteDenied => (
                format!("{endpoint} keeps `{resource}` as it is"),
                None,
                "a hold or a retention policy of the bucket forbids it".to_owned(),
            ),
            Code::AccessThrottled => (
                format!("{endpoint} asks to slow down"),
                None,
                "run it again later; a quota of the project looks like this as well".to_owned(),
            ),
            Code::AccessRedirected => (
                format!("{endpoint} redirects instead of answering"),
                Some(ENDPOINT),
                "the XML API is not served there: name the address that is; redirects are not \
                 followed with credentials"
                    .to_owned(),
            ),
            Code::ReadKeyRequired => (
                format!("`{resource}` is encrypted with a customer's key"),
                None,
                "a GCS link has no key for that: let Google or Cloud KMS encrypt the objects"
                    .to_owned(),
            ),
            Code::ReadKmsDenied | Code::WriteKmsDenied => (
                format!("the key of Cloud KMS that encrypts `{resource}` can not be used"),
                None,
                "enable the key, and give the service agent of Cloud Storage the role \
                 roles/cloudkms.cryptoKeyEncrypterDecrypter on it"
                    .to_owned(),
            ),
            Code::WriteNoSpace => (
                format!("{endpoint} has no space for `{resource}`"),
                None,
                "raise the quota".to_owned(),
            ),
            Code::AccessRequestRefused => (
                format!(
                    "{endpoint} refused {right} on `{resource}`: {}",
                    fault.code.as_deref().unwrap_or_default()
                ),
                None,
                "the service's own words stand in the evidence; look the code up in its \
                 documentation"
                    .to_owned(),
            ),
            _ => (
                format!("{endpoint} answered {}", fault.status),
                None,
                "try again later".to_owned(),
            ),
        }
    }

    fn refusal(&self, code: Code, reason: Reason, asked: Asked<'_>) -> Diagnosis {
        let Asked { call, resource, .. } = asked;
        let right = self.right(call);
        let lacking = || {
            Diagnosis::new(
                code,
                format!("the identity may not do {right} on `{resource}`"),
            )
            .key(place(self.identity()))
        };
        match reason {
            Reason::MissingRight => lacking().hint(format!(
                "give the account {} on the bucket, in IAM",
                role(call)
            )),
            Reason::UniformAccess => lacking().hint(format!(
                "the bucket has uniform bucket-level access, where ACLs count for nothing: give the \
                 account {} on it, in IAM",
                role(call)
            )),
            Reason::Network => Diagnosis::new(
                code,
                format!("the bucket of `{resource}` refuses this network"),
            )
            .blame(Blame::Network)
            .without_identity()
            .hint(
                "let this address in under the bucket's IP filter, or dial from a network that is \
                 let in; the cluster's may differ from this one",
            ),
            Reason::Perimeter => Diagnosis::new(
                code,
                format!("a policy of the organisation forbids {right} on `{resource}` from here"),
            )
            .hint(
                "ask for an access level of the service perimeter; from the cluster's own network \
                 it may be allowed",
            ),
            Reason::Payer => Diagnosis::new(
                code,
                format!("the bucket of `{resource}` lets the requester pay, and a link names no project that does"),
            )
            .blame(Blame::Configuration)
            .without_identity()
            .hint("switch Requester Pays off for the bucket: a GCS link has no key for the project"),
            Reason::Billing => Diagnosis::new(
                code,
                format!("a project behind `{resource}` can not be billed"),
            )
            .blame(Blame::Configuration)
            .without_identity()
            .hint("open or enable the billing account of the project that owns the bucket"),
        }
    }

    fn wrong_region(&self, asked: Asked<'_>, fault: &Fault) -> Diagnosis {
        let ours = &self.region;
        let diagnosis = match fault.named_region() {
            Some(theirs) => Diagnosis::new(
                Code::AccessWrongRegion,
                format!(
                    "{} is in {theirs}, and the link signs for {ours}",
                    asked.endpoint
                ),
            )
            .evidence("expected_region", &theirs)
            .key(place(REGION))
            .hint(format!("set `{REGION}` to `{theirs}` in CONFIG"))
            .repair(Change::set(place(REGION), theirs)),
            None => Diagnosis::new(
                Code::AccessWrongRegion,
                format!("`{}` is not at {}", asked.resource, asked.endpoint),
            )
            .key(place(if self.base_given { ENDPOINT } else { REGION }))
            .hint(
                "a regional address serves the buckets of its location only: leave `endpoint_url` \
                 out, or name the location of the bucket",
            ),
        };
        diagnosis
            .evidence("region", ours)
            .evidence("location", fault.location.as_deref().unwrap_or_default())
    }
}

/// Returns the finding that something else than Google's XML API answers.
pub(crate) fn not_this_service(asked: Asked<'_>) -> Diagnosis {
    Diagnosis::new(
        Code::AccessNotThisService,
        format!(
            "{} answers, but not as the XML API of Cloud Storage does",
            asked.endpoint
        ),
    )
    .hint(format!(
        "check {ENDPOINT}: a console, a proxy's page or another service listens there"
    ))
}

/// The least of the predefined roles that holds the right (Cloud Storage, IAM roles).
const fn role(call: Call) -> &'static str {
    match call {
        Call::PutObject => "roles/storage.objectCreator",
        Call::DeleteObject => "roles/storage.objectUser",
        _ => "roles/storage.objectViewer",
    }
}
