//! What S3, STS and the stores that speak their protocol answer, and what it means.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use linkdial_core::clock::http_date;
use linkdial_core::net::{client_certificate_fault, plain_text_refused};
use linkdial_core::xml::{element, root_element};
use linkdial_core::{Blame, Code, Diagnosis, Endpoint, KeyPlace};

use crate::config::{Auth, Config, Encryption};
use crate::wire::Transport;

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

/// The call that was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    AssumeRole,
    DeleteObject,
    GetCallerIdentity,
    GetObject,
    ListBuckets,
    ListObjects,
    PutObject,
}

impl Call {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::DeleteObject => "s3:DeleteObject",
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::GetObject => "s3:GetObject",
            Self::ListBuckets => "s3:ListAllMyBuckets",
            Self::ListObjects => "s3:ListBucket",
            Self::PutObject => "s3:PutObject",
        }
    }
}

/// What the answer was an answer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) call: Call,
    pub(crate) config: &'a Config,
    pub(crate) endpoint: &'a Endpoint,
    /// Bucket, object or role.
    pub(crate) resource: &'a str,
    /// Whether the bucket stood in the host name.
    pub(crate) virtual_host: bool,
    /// The role that signs, where one was taken on.
    pub(crate) role: Option<&'a str>,
}

/// Turns an error of the SDK into a finding.
pub(crate) async fn diagnose<E>(
    asked: Asked<'_>,
    transport: &Transport,
    error: SdkError<E, HttpResponse>,
) -> Diagnosis
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(fault) = transport.take_fault() {
        return fault.evidence("operation", asked.call.name());
    }
    let Some(raw) = error.raw_response() else {
        return Diagnosis::new(Code::AccessRequestRefused, "the request could not be built")
            .blame(Blame::Tool)
            .evidence("operation", asked.call.name())
            .evidence(
                "error",
                aws_smithy_types::error::display::DisplayErrorContext(&error),
            );
    };
    let body = raw.body().bytes().unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT)]).into_owned();
    let header = |name: &str| raw.headers().get(name).map(str::to_owned);
    let meta = error.as_service_error();
    let fault = Fault {
        status: raw.status().as_u16(),
        code: meta
            .and_then(|error| error.code().map(str::to_owned))
            .or_else(|| element(&body, "Code"))
            .or_else(|| header("x-minio-error-code")),
        message: meta
            .and_then(|error| error.message().map(str::to_owned))
            .or_else(|| element(&body, "Message"))
            .unwrap_or_default(),
        region: header("x-amz-bucket-region")
            .or_else(|| element(&body, "Region"))
            .or_else(|| region_in(&element(&body, "Endpoint")?)),
        request_id: header("x-amz-request-id").or_else(|| element(&body, "RequestId")),
        server_time: element(&body, "ServerTime")
            .and_then(|time| time.parse().ok())
            .or_else(|| server_time_in(&element(&body, "Message")?))
            .or_else(|| http_date(&header("date")?)),
        // A signed location carries its signature in the query.
        location: header("location").map(|it| it.split('?').next().unwrap_or_default().to_owned()),
        retry_after: header("retry-after"),
        body,
    };
    if let Some(diagnosis) = plain_text_refused(asked.endpoint, fault.status, &fault.body) {
        return diagnosis;
    }
    if let Some(context) = transport.fault_context().await
        && let Some(diagnosis) =
            client_certificate_fault(asked.endpoint, &context, fault.status, &fault.body)
    {
        return diagnosis;
    }
    fault.diagnose(asked)
}

/// More of an error body is not read.
const MAX_TEXT: usize = 64 * 1024;

/// An answer that is not the one asked for.
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) region: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) server_time: Option<Timestamp>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Fault {
    /// The vendor's code first, the status second.
    pub(crate) fn code(&self, asked: Asked<'_>) -> Code {
        let anonymous = !matches!(asked.config.auth, Auth::Keys(_));
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
        let customer = matches!(asked.config.encryption, Encryption::Customer { .. });
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
            (_, 500..) => Code::AccessServerError,
            // A success that the SDK could not read: it is another document, or none.
            (_, 200..=299)
                if asked.virtual_host
                    && root_element(&self.body) == Some("ListAllMyBucketsResult") =>
            {
                Code::AccessWrongStyle
            }
            // An error document of the protocol, with a code that means nothing special here.
            (_, 400..)
                if !remote.is_empty()
                    && matches!(root_element(&self.body), Some("Error" | "ErrorResponse")) =>
            {
                Code::AccessRequestRefused
            }
            _ => Code::AccessNotThisService,
        }
    }

    /// The region that the answer asks for; the message names it where the body does not.
    pub(crate) fn named_region(&self) -> Option<String> {
        self.region.clone().or_else(|| {
            let (_, rest) = self.message.split_once("expecting '")?;
            rest.split('\'').next().map(str::to_owned)
        })
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

/// Returns the place of a key in the clause it is documented in.
pub(crate) fn place(key: &str) -> KeyPlace {
    let clause = crate::config::KEYS
        .iter()
        .find(|known| known.name == key)
        .map_or(linkdial_core::ClauseName::Config, |known| known.clause);
    KeyPlace::key(clause, key)
}

/// Takes the region out of a host such as `bucket.s3.eu-west-1.amazonaws.com`.
fn region_in(host: &str) -> Option<String> {
    let before = host.split(".amazonaws.com").next()?;
    let region = before.rsplit(['.']).next()?.trim_start_matches("s3-");
    region.contains('-').then(|| region.to_owned())
}

/// Takes the server's time out of "Signature expired: A is now earlier than B (C - 15 min.)".
fn server_time_in(message: &str) -> Option<Timestamp> {
    let (_, rest) = message.split_once('(')?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", rest.split(' ').next()?).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(300).collect()
}
