//! What Google's XML API and its doubles answer, and what it means.

use std::time::Duration;

use linkdial_core::clock::seconds_ahead;
use linkdial_core::{Code, Diagnosis};
use linkdial_s3::{Asked, Call, Fault, Vendor};

use crate::config::{Auth, Config};

/// The vendor's error codes. Sources: [XML] Cloud Storage, HTTP status and error codes for XML;
/// [JSON] the same for the JSON API, whose reasons the XML API shares; [MINIO] answers of MinIO,
/// recorded in the tests.
///
/// `AccessDenied`, 401 and the codes that carry more than one fault are handled in
/// [`Config::code`].
const CODES: &[(&str, Code)] = &[
    ("InvalidSecurity", Code::AuthenticateUnknownKey), // [XML]
    ("InvalidAccessKeyId", Code::AuthenticateUnknownKey), // [XML]
    ("SignatureDoesNotMatch", Code::AuthenticateBadSecret), // [XML]
    ("RequestTimeTooSkewed", Code::AuthenticateClockSkew), // [XML]
    ("ExpiredToken", Code::AuthenticateTokenExpired),  // [XML]
    ("InvalidToken", Code::AuthenticateTokenInvalid),  // [XML]
    ("NoSuchBucket", Code::AccessNotFound),            // [XML]
    ("NoSuchKey", Code::AccessNotFound),               // [XML]
    ("InvalidBucketName", Code::AccessNotFound),       // [XML]
    ("PermanentRedirect", Code::AccessWrongRegion),    // [XML]
    ("Redirect", Code::AccessWrongRegion),             // [XML]
    ("TemporaryRedirect", Code::AccessWrongRegion),    // [XML]
    ("InsufficientQuota", Code::AccessThrottled),      // [XML]
    ("SlowDown", Code::AccessThrottled),               // [XML]
    ("TooManyRequests", Code::AccessThrottled),        // [XML]
    ("RateLimitExceeded", Code::AccessThrottled),      // [JSON]
    ("UserRateLimitExceeded", Code::AccessThrottled),  // [JSON]
    ("ServiceUnavailable", Code::AccessServerError),   // [XML]
    ("InternalError", Code::AccessServerError),        // [XML]
    ("BackendError", Code::AccessServerError),         // [JSON]
    ("XMinioServerNotInitialized", Code::AccessServerError), // [MINIO]
    ("ObjectUnderActiveHold", Code::WriteDenied),      // [JSON]
    ("RetentionPolicyNotMet", Code::WriteDenied),      // [JSON]
    (
        "ResourceIsEncryptedWithCustomerEncryptionKey",
        Code::ReadKeyRequired,
    ), // [JSON]
];

/// A requester has to pay, and the request names no project that does. [JSON]
const PAYER: &[&str] = &[
    "AuthenticationRequiredRequesterPays",
    "InvalidPayer",
    "UserProjectMissing",
];

/// A project that stands behind the bucket or the identity can not be billed. [XML] [JSON]
const BILLING: &[&str] = &[
    "AccountDisabled",
    "AccountProblem",
    "NotSignedUp",
    "UserProjectAccessDenied",
    "UserProjectAccountProblem",
    "UserProjectInconsistent",
    "UserProjectInvalid",
];

/// Google refuses tokens of a clock that is further off (Google AIP-4111).
const MAX_TOKEN_SKEW: Duration = Duration::from_mins(5);

/// Google refuses signatures of a clock that is further off ([XML], `RequestTimeTooSkewed`).
const MAX_SIGNATURE_SKEW: Duration = Duration::from_mins(15);

/// Why a request was refused whose identity is not in doubt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// The identity lacks the right.
    MissingRight,
    /// ACLs count for nothing in this bucket.
    UniformAccess,
    /// The bucket lets in other addresses than this machine's.
    Network,
    /// A perimeter or a policy of the organisation stands in the way.
    Perimeter,
    /// The requester has to pay.
    Payer,
    /// A project can not be billed.
    Billing,
}

impl Vendor for Config {
    fn right(&self, call: Call) -> &'static str {
        match call {
            Call::DeleteObject => "storage.objects.delete",
            Call::GetObject => "storage.objects.get",
            Call::ListBuckets => "storage.buckets.list",
            Call::ListObjects => "storage.objects.list",
            Call::PutObject => "storage.objects.create",
            // A GCS link has no role to take on.
            Call::AssumeRole | Call::GetCallerIdentity => "iam.serviceAccounts.getAccessToken",
        }
    }

    fn version_right(&self) -> &'static str {
        "storage.objects.delete"
    }

    fn version_parameter(&self) -> &'static str {
        "generation"
    }

    fn version_header(&self) -> &'static str {
        // XML API, x-goog-generation.
        "x-goog-generation"
    }

    fn diagnose(&self, asked: Asked<'_>, fault: &Fault) -> Diagnosis {
        self.explain(asked, fault)
    }

    fn not_this_service(&self, asked: Asked<'_>) -> Diagnosis {
        crate::explain::not_this_service(asked)
    }
}

impl Config {
    /// The vendor's code first, the status second.
    pub(crate) fn code(&self, asked: Asked<'_>, fault: &Fault) -> Code {
        let remote = fault.code.as_deref().unwrap_or_default();
        if self.is_switched_off(fault) {
            return Code::AuthenticateMethodDisabled;
        }
        // The word of fake-gcs-server, with a status of 500.
        if fault.status >= 500 && says(fault, "no bucket named") {
            return Code::AccessNotFound;
        }
        if let Some(reason) = reason(fault) {
            return self.refused(asked.call, reason);
        }
        if remote.starts_with("CloudKms") {
            return match asked.call {
                Call::PutObject => Code::WriteKmsDenied,
                _ => Code::ReadKmsDenied,
            };
        }
        if let Some((_, code)) = CODES.iter().find(|(name, _)| *name == remote) {
            return match (*code, asked.call) {
                (Code::AccessServerError, _) if fault.retry_after.is_some() => {
                    Code::AccessThrottled
                }
                (Code::AccessThrottled, Call::PutObject) if remote == "InsufficientQuota" => {
                    Code::WriteNoSpace
                }
                (code, _) => code,
            };
        }
        let document = matches!(fault.root_element(), Some("Error"));
        match (remote, fault.status) {
            // MinIO with a region of its own; also other faults of the header, such as a `/` in
            // the id.
            ("AuthorizationHeaderMalformed", _) if fault.named_region().is_some() => {
                Code::AccessWrongRegion
            }
            ("AuthorizationHeaderMalformed", _) => Code::AuthenticateUnknownKey,
            // The project is asked for only after the signature was looked at.
            (_, 400) if asked.call == Call::ListBuckets && says(fault, "project") => {
                Code::AccessDenied
            }
            (_, 401) if document => self.unauthorized(fault),
            (_, 429) => Code::AccessThrottled,
            (_, 507) if asked.call == Call::PutObject => Code::WriteNoSpace,
            (_, 301 | 302 | 303 | 307 | 308) if fault.location.is_some() => Code::AccessRedirected,
            (_, 503) if fault.retry_after.is_some() => Code::AccessThrottled,
            // [XML]: nothing is broken, the service does not do this.
            ("NotImplemented", _) => Code::AccessRequestRefused,
            (_, 500..) => Code::AccessServerError,
            // An error document of the protocol, with a code that means nothing special here.
            (_, 400..) if document && !remote.is_empty() => Code::AccessRequestRefused,
            _ => Code::AccessNotThisService,
        }
    }

    /// Returns whether the key, or this kind of key, was switched off: an inactive HMAC key, a
    /// disabled account, or the constraint `storage.restrictAuthTypes` of the organisation.
    fn is_switched_off(&self, fault: &Fault) -> bool {
        let about_key = matches!(
            fault.code.as_deref(),
            Some("AccessDenied" | "InvalidAccessKeyId" | "InvalidSecurity")
        );
        // Not "is disabled" alone, which Google also says of an API.
        let words = ["inactive", "deactivated", "account is disabled"];
        !matches!(self.auth, Auth::Anonymous)
            && (says(fault, "restrictAuthTypes")
                || (about_key && words.iter().any(|word| says(fault, word))))
    }

    fn refused(&self, call: Call, reason: Reason) -> Code {
        match (reason, call) {
            (Reason::Payer | Reason::Billing, _) => Code::AccessDenied,
            (Reason::MissingRight, _) if matches!(self.auth, Auth::Anonymous) => {
                Code::AuthenticateRequired
            }
            (_, Call::GetObject) => Code::ReadDenied,
            (_, Call::PutObject | Call::DeleteObject) => Code::WriteDenied,
            _ => Code::AccessDenied,
        }
    }

    /// Returns by how much the clocks of this machine and of Google may differ.
    pub(crate) const fn max_skew(&self) -> Duration {
        match self.auth {
            Auth::ServiceAccount(_) => MAX_TOKEN_SKEW,
            Auth::Anonymous | Auth::Hmac(_) => MAX_SIGNATURE_SKEW,
        }
    }

    /// A token that an account signed for itself is refused without a reason; the clocks are the
    /// one cause that can be seen from here.
    fn unauthorized(&self, fault: &Fault) -> Code {
        match self.auth {
            Auth::Anonymous => Code::AuthenticateRequired,
            Auth::Hmac(_) => Code::AuthenticateBadCredentials,
            Auth::ServiceAccount(_) => match fault.server_time.map(seconds_ahead) {
                Some(skew) if skew.unsigned_abs() > self.max_skew().as_secs() => {
                    Code::AuthenticateClockSkew
                }
                _ => Code::AuthenticateBadCredentials,
            },
        }
    }
}

/// Returns why a request was refused, where the answer is about that and not about who asks.
pub(crate) fn reason(fault: &Fault) -> Option<Reason> {
    let remote = fault.code.as_deref().unwrap_or_default();
    if PAYER.contains(&remote) || says(fault, "requester pays") {
        return Some(Reason::Payer);
    }
    if BILLING.contains(&remote) {
        return Some(Reason::Billing);
    }
    // Cloud Storage, Bucket IP filtering.
    if says(fault, "IP filtering condition") {
        return Some(Reason::Network);
    }
    if remote == "SecurityPolicyViolated"
        || says(fault, "vpcServiceControls")
        || says(fault, "organization's policy")
    {
        return Some(Reason::Perimeter);
    }
    if says(fault, "uniform bucket-level access") {
        return Some(Reason::UniformAccess);
    }
    matches!(remote, "AccessDenied" | "Forbidden").then_some(Reason::MissingRight)
}

/// Returns whether a sentence of the answer has these words, in whatever letter case.
fn says(fault: &Fault, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    [Some(&fault.message), fault.details.as_ref()]
        .into_iter()
        .flatten()
        .any(|text| text.to_ascii_lowercase().contains(&words))
}
