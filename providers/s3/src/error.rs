//! What S3, STS and the stores that speak their protocol answer, and what it means.

use linkdial_core::{Code, Diagnosis};

use crate::config::{Auth, Config, Encryption};
use crate::explain::not_this_service;
use crate::fault::Fault;
use crate::session::{Asked, Call, Vendor};
use crate::wire::VERSION_HEADER;

/// The vendor's error codes. Sources: [S3] Amazon S3 API Reference, Error responses; [STS] AWS STS
/// API Reference, Common errors and `AssumeRole`; [MINIO] answers of MinIO, recorded in the tests.
///
/// `AccessDenied` and the codes that carry more than one fault are handled in [`Fault::code`].
const CODES: &[(&str, Code)] = &[
    ("InvalidAccessKeyId", Code::AuthenticateUnknownKey), // [S3]
    ("InvalidClientTokenId", Code::AuthenticateUnknownKey), // [STS]
    ("UnrecognizedClientException", Code::AuthenticateUnknownKey), // [STS]
    ("SignatureDoesNotMatch", Code::AuthenticateBadSecret), // [S3] [STS]
    ("ExpiredToken", Code::AuthenticateTokenExpired),     // [S3] [STS]
    ("ExpiredTokenException", Code::AuthenticateTokenExpired), // [STS]
    ("TokenRefreshRequired", Code::AuthenticateTokenExpired), // [S3]
    ("InvalidToken", Code::AuthenticateTokenInvalid),     // [S3]
    ("InvalidTokenId", Code::AuthenticateTokenInvalid),   // [MINIO]
    ("RequestTimeTooSkewed", Code::AuthenticateClockSkew), // [S3]
    ("RequestExpired", Code::AuthenticateClockSkew),      // [STS]
    ("PermanentRedirect", Code::AccessWrongRegion),       // [S3]
    ("TemporaryRedirect", Code::AccessWrongRegion),       // [S3]
    (
        "IllegalLocationConstraintException",
        Code::AccessWrongRegion,
    ), // [S3]
    ("IncorrectEndpoint", Code::AccessWrongRegion),       // [S3]
    ("AllAccessDisabled", Code::AccessDenied),            // [S3]
    ("AccountProblem", Code::AccessDenied),               // [S3]
    ("NotSignedUp", Code::AuthenticateUnknownKey),        // [S3]: the account has no S3
    ("UnauthorizedAccess", Code::AccessDenied),           // [S3]
    ("NoSuchBucket", Code::AccessNotFound),               // [S3]
    ("NoSuchKey", Code::AccessNotFound),                  // [S3]
    ("InvalidBucketName", Code::AccessNotFound),          // [S3]
    ("RequestTimeout", Code::AccessTimedOut),             // [S3]
    ("SlowDown", Code::AccessThrottled),                  // [S3]
    ("Throttling", Code::AccessThrottled),                // [STS]
    ("ThrottlingException", Code::AccessThrottled),       // [STS]
    ("RequestLimitExceeded", Code::AccessThrottled),      // [S3]
    ("TooManyRequests", Code::AccessThrottled),           // [MINIO]
    ("InternalError", Code::AccessServerError),           // [S3]
    ("XMinioServerNotInitialized", Code::AccessServerError), // [MINIO]
    ("InvalidObjectState", Code::ReadArchived),           // [S3]
    ("XMinioStorageFull", Code::WriteNoSpace),            // [MINIO]
    ("QuotaExceeded", Code::WriteNoSpace),                // [S3 compatible stores]
    ("XMinioAdminBucketQuotaExceeded", Code::WriteNoSpace), // [MINIO]
];

/// What the answers to an S3 link hang on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amazon<'a> {
    pub(crate) config: &'a Config,
    /// Whether the bucket stands in the host name.
    pub(crate) virtual_host: bool,
    /// The role that signs, where one was taken on.
    pub(crate) role: Option<&'a str>,
}

impl Vendor for Amazon<'_> {
    fn right(&self, call: Call) -> &'static str {
        match call {
            Call::AssumeRole => "sts:AssumeRole",
            Call::DeleteObject => "s3:DeleteObject",
            Call::GetCallerIdentity => "sts:GetCallerIdentity",
            Call::GetObject => "s3:GetObject",
            Call::ListBuckets => "s3:ListAllMyBuckets",
            Call::ListObjects => "s3:ListBucket",
            Call::PutObject => "s3:PutObject",
        }
    }

    fn version_right(&self) -> &'static str {
        "s3:DeleteObjectVersion"
    }

    fn version_parameter(&self) -> &'static str {
        "versionId"
    }

    fn version_header(&self) -> &'static str {
        VERSION_HEADER
    }

    fn diagnose(&self, asked: Asked<'_>, fault: &Fault) -> Diagnosis {
        fault.diagnose(asked, self)
    }

    fn not_this_service(&self, asked: Asked<'_>) -> Diagnosis {
        not_this_service(asked)
    }
}

impl Fault {
    /// The vendor's code first, the status second.
    pub(crate) fn code(&self, asked: Asked<'_>, link: &Amazon<'_>) -> Code {
        let anonymous = !matches!(link.config.auth, Auth::Keys(_));
        let remote = self.code.as_deref().unwrap_or_default();
        if remote == "AccessDenied" || remote == "Forbidden" {
            return self.denied(asked, anonymous);
        }
        // STS tells a skewed clock by the message alone.
        let stale = ["Signature expired", "Signature not yet current"]
            .iter()
            .any(|start| self.message.starts_with(start));
        if stale
            && matches!(
                remote,
                "SignatureDoesNotMatch" | "InvalidSignatureException"
            )
        {
            return Code::AuthenticateClockSkew;
        }
        // [MINIO]: it knows the key, and has one word for both.
        if remote == "InvalidAccessKeyId" && self.message.contains("disabled") {
            return Code::AuthenticateMethodDisabled;
        }
        if remote.starts_with("KMS.") || remote.starts_with("kms:") {
            return kms(asked.call);
        }
        if let Some((_, code)) = CODES.iter().find(|(name, _)| *name == remote) {
            return match (*code, asked.call) {
                (Code::WriteNoSpace, Call::PutObject) => Code::WriteNoSpace,
                (Code::WriteNoSpace, _) => Code::AccessServerError,
                (code, _) => code,
            };
        }
        let reads = asked.call == Call::GetObject;
        let customer = matches!(link.config.encryption, Encryption::Customer { .. });
        let says = |text: &str| self.message.contains(text);
        match (remote, self.status) {
            // It also stands for other faults of the header, such as a `/` in the key id.
            ("AuthorizationHeaderMalformed", _) if self.named_region().is_some() => {
                Code::AccessWrongRegion
            }
            ("AuthorizationHeaderMalformed", _) => Code::AuthenticateUnknownKey,
            ("InvalidRequest", 400) if reads && says("not applicable") && customer => {
                Code::ReadNotEncrypted
            }
            ("InvalidRequest", 400) if reads && says("Server Side Encryption") => {
                Code::ReadKeyRequired
            }
            ("InvalidArgument", 400) if reads && customer => Code::ReadKeyMismatch,
            ("ServiceUnavailable", _) if says("educe") || self.retry_after.is_some() => {
                Code::AccessThrottled
            }
            (_, 429) => Code::AccessThrottled,
            (_, 507) => Code::WriteNoSpace,
            (_, 301 | 302 | 303 | 307 | 308) if self.location.is_some() => Code::AccessRedirected,
            (_, 503) if self.retry_after.is_some() => Code::AccessThrottled,
            // [S3]: nothing is broken, the service does not do this.
            ("NotImplemented", _) => Code::AccessRequestRefused,
            (_, 500..) => Code::AccessServerError,
            // A success that the SDK could not read: it is another document, or none.
            (_, 200..=299)
                if link.virtual_host && self.root_element() == Some("ListAllMyBucketsResult") =>
            {
                Code::AccessWrongStyle
            }
            // An error document of the protocol, with a code that means nothing special here.
            (_, 400..)
                if !remote.is_empty()
                    && matches!(self.root_element(), Some("Error" | "ErrorResponse")) =>
            {
                Code::AccessRequestRefused
            }
            _ => Code::AccessNotThisService,
        }
    }

    /// One word for several faults; the call and the message tell them apart.
    fn denied(&self, asked: Asked<'_>, anonymous: bool) -> Code {
        let says = |text: &str| self.message.contains(text);
        match asked.call {
            // MinIO's STS has one code for all three.
            Call::AssumeRole if says("request signature") => Code::AuthenticateBadSecret,
            Call::AssumeRole if says("Access Key Id") => Code::AuthenticateUnknownKey,
            Call::AssumeRole => Code::AuthenticateRoleRefused,
            Call::GetObject | Call::PutObject if says("kms:") => kms(asked.call),
            _ if anonymous => Code::AuthenticateRequired,
            Call::GetObject => Code::ReadDenied,
            Call::PutObject | Call::DeleteObject => Code::WriteDenied,
            Call::GetCallerIdentity | Call::ListBuckets | Call::ListObjects => Code::AccessDenied,
        }
    }
}

const fn kms(call: Call) -> Code {
    match call {
        Call::PutObject => Code::WriteKmsDenied,
        _ => Code::ReadKmsDenied,
    }
}
