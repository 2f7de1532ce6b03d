//! What Azure's blob service and its emulator answer, and what it means.

use std::time::Duration;

use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{RawResponse, StatusCode};
use jiff::Timestamp;
use linkdial_core::clock::{http_date, seconds_ahead};
use linkdial_core::net::tls_refusal;
use linkdial_core::xml::{element, root_element};
use linkdial_core::{Blame, Code, Diagnosis, Endpoint};

use crate::config::{Auth, Config};
use crate::explain::not_this_service;
use crate::wire::Transport;

/// The vendor's error codes. Sources, all of the Azure Storage REST API: [COMMON] Common REST API
/// error codes; [BLOB] Blob service error codes; [SAS] SAS error codes. [SHARED] is Azure, Prevent
/// Shared Key authorization for a storage account. [AZURITE] are answers of the emulator, recorded
/// in the tests.
///
/// Codes that carry more than one fault are handled in [`Fault::code`].
const CODES: &[(&str, Code)] = &[
    (
        "NoAuthenticationInformation",
        Code::AuthenticateRequired, // [COMMON]
    ),
    ("AccountIsDisabled", Code::AuthenticateMethodDisabled), // [COMMON]
    (
        "KeyBasedAuthenticationNotPermitted",
        Code::AuthenticateMethodDisabled, // [SHARED]
    ),
    ("AuthorizationPermissionMismatch", Code::AccessDenied), // [SAS]
    ("AuthorizationResourceTypeMismatch", Code::AccessDenied), // [SAS]
    ("AuthorizationServiceMismatch", Code::AccessDenied),    // [SAS]
    ("AuthorizationSourceIPMismatch", Code::AccessDenied),   // [SAS]
    ("InsufficientAccountPermissions", Code::AccessDenied),  // [COMMON]
    ("ContainerDisabled", Code::AccessDenied),               // [BLOB]
    ("BlobImmutableDueToPolicy", Code::AccessDenied),        // [BLOB]
    ("AuthorizationProtocolMismatch", Code::TlsRequired),    // [SAS]
    ("AccountRequiresHttps", Code::TlsRequired),             // [COMMON]
    ("ContainerNotFound", Code::AccessNotFound),             // [BLOB]
    ("ContainerBeingDeleted", Code::AccessNotFound),         // [BLOB]
    ("BlobNotFound", Code::AccessNotFound),                  // [BLOB]
    ("InvalidResourceName", Code::AccessNotFound),           // [BLOB]
    ("ServerBusy", Code::AccessThrottled),                   // [COMMON]
    ("InternalError", Code::AccessServerError),              // [COMMON]
    ("OperationTimedOut", Code::AccessServerError),          // [COMMON]
    ("AccountBeingCreated", Code::AccessServerError),        // [COMMON]
    ("BlobArchived", Code::ReadArchived),                    // [BLOB]
    ("BlobBeingRehydrated", Code::ReadArchived),             // [BLOB]
    (
        "BlobUsesCustomerSpecifiedEncryption",
        Code::ReadKeyRequired, // [BLOB]
    ),
];

/// Azure refuses a signature whose date is further from its own clock (Authorize with Shared Key,
/// Specifying the Date header), and takes clocks of machines to differ that much (Create a service
/// SAS, Specify the access policy).
pub(crate) const MAX_SKEW: Duration = Duration::from_mins(15);

/// The call that was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    DeleteBlob,
    GetBlob,
    GetBlobProperties,
    GetServiceProperties,
    ListBlobs,
    ListContainers,
    PutBlob,
}

impl Call {
    /// Returns the name of the operation in the vendor's reference.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DeleteBlob => "Delete Blob",
            Self::GetBlob => "Get Blob",
            Self::GetBlobProperties => "Get Blob Properties",
            Self::GetServiceProperties => "Get Blob Service Properties",
            Self::ListBlobs => "List Blobs",
            Self::ListContainers => "List Containers",
            Self::PutBlob => "Put Blob",
        }
    }

    /// Returns the code of a missing right.
    pub(crate) const fn denied(self) -> Code {
        match self {
            Self::GetBlob | Self::GetBlobProperties => Code::ReadDenied,
            Self::DeleteBlob | Self::PutBlob => Code::WriteDenied,
            Self::GetServiceProperties | Self::ListBlobs | Self::ListContainers => {
                Code::AccessDenied
            }
        }
    }
}

/// What the answer was an answer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) call: Call,
    pub(crate) config: &'a Config,
    pub(crate) endpoint: &'a Endpoint,
    /// Account, container or blob.
    pub(crate) resource: &'a str,
}

/// Turns an error of the SDK into a finding. Its own text may hold a whole answer and is not shown.
pub(crate) async fn diagnose(asked: Asked<'_>, transport: &Transport, error: Error) -> Diagnosis {
    if let Some(fault) = transport.take_fault() {
        return fault.evidence("operation", asked.call.name());
    }
    let raw = match error.kind() {
        ErrorKind::HttpResponse {
            raw_response: Some(raw),
            ..
        } => raw,
        // A success that the SDK could not read: it is another document.
        ErrorKind::DataConversion => return not_this_service(asked),
        _ => {
            return Diagnosis::new(
                Code::AccessRequestRefused,
                "the client gave up without an answer",
            )
            .blame(Blame::Tool)
            .evidence("operation", asked.call.name())
            .evidence("kind", error.kind());
        }
    };
    let fault = Fault::read(raw);
    let context = transport.fault_context().await;
    let below = tls_refusal(asked.endpoint, context.as_ref(), fault.status, &fault.body);
    if let Some(diagnosis) = below {
        return diagnosis;
    }
    fault.diagnose(asked)
}

/// More of an error body is not read.
const MAX_TEXT: usize = 64 * 1024;

/// An answer that is not the one asked for.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    /// The service's sentence, without the lines of request id and time that it adds.
    pub(crate) message: String,
    /// What the service adds about a signature that it refuses.
    detail: String,
    pub(crate) request_id: Option<String>,
    /// Whether a store that speaks the protocol of S3 answers.
    speaks_s3: bool,
    pub(crate) server_time: Option<Timestamp>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Fault {
    fn read(raw: &RawResponse) -> Self {
        let header = |name: &'static str| {
            let name = HeaderName::from_static(name);
            raw.headers().get_optional_string(&name)
        };
        let body = raw.body().as_ref();
        let body = String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT)]).into_owned();
        let message = element(&body, "Message").unwrap_or_default();
        Self {
            status: u16::from(raw.status()),
            code: header("x-ms-error-code").or_else(|| element(&body, "Code")),
            message: message.lines().next().unwrap_or_default().to_owned(),
            detail: element(&body, "AuthenticationErrorDetail").unwrap_or_default(),
            request_id: header("x-ms-request-id"),
            speaks_s3: header("x-amz-request-id").is_some(),
            server_time: header("date").and_then(|date| http_date(&date)),
            // A signed location carries its signature in the query.
            location: header("location")
                .map(|it| it.split('?').next().unwrap_or_default().to_owned()),
            retry_after: header("retry-after"),
            body,
        }
    }

    /// The vendor's code first, the status second.
    pub(crate) fn code(&self, asked: Asked<'_>) -> Code {
        if self.speaks_s3 && self.request_id.is_none() {
            return Code::AccessNotThisService;
        }
        let remote = self.code.as_deref().unwrap_or_default();
        if let Some((_, code)) = CODES.iter().find(|(name, _)| *name == remote) {
            return match code {
                Code::AccessDenied => asked.call.denied(),
                code => *code,
            };
        }
        // KeyVaultEncryptionKeyNotFound, KeyVaultVaultNotFound, KeyVaultAccessTokenCannotBeAcquired
        // [COMMON].
        if remote.starts_with("KeyVault") {
            return match asked.call {
                Call::PutBlob => Code::WriteKmsDenied,
                _ => Code::ReadKmsDenied,
            };
        }
        match (remote, self.status) {
            ("AuthenticationFailed", _) => self.code_of_failed_login(asked),
            // It is about the form of what was sent, before a key is looked at [COMMON].
            ("InvalidAuthenticationInfo", _) => match asked.config.auth {
                Auth::SharedKey(_) => Code::AuthenticateBadCredentials,
                Auth::Sas(_) => Code::AuthenticateTokenInvalid,
            },
            // The emulator says so of a wrong key, Azure of its firewall.
            ("AuthorizationFailure", _) if self.message.contains("failed to authenticate") => {
                self.code_of_failed_login(asked)
            }
            ("AuthorizationFailure", _) => asked.call.denied(),
            // The emulator's word for an account that it does not have [AZURITE].
            ("ResourceNotFound", 404) if asked.config.serves_many_accounts() => {
                Code::AuthenticateUnknownKey
            }
            ("ResourceNotFound", 404) => Code::AccessNotFound,
            (_, 429) => Code::AccessThrottled,
            (_, 301 | 302 | 303 | 307 | 308) if self.location.is_some() => Code::AccessRedirected,
            (_, 503) if self.retry_after.is_some() => Code::AccessThrottled,
            (_, 500..) => Code::AccessServerError,
            // An error document of the protocol, with a code that means nothing special here.
            (_, 400..) if !remote.is_empty() && self.is_error_document() => {
                Code::AccessRequestRefused
            }
            _ => Code::AccessNotThisService,
        }
    }

    /// Returns whether an answer that means `code` is the refusal of a firewall, which does not look
    /// at the identity. The emulator has the same word for a wrong key.
    pub(crate) fn refused_by_firewall(&self, code: Code) -> bool {
        matches!(
            code,
            Code::AccessDenied | Code::ReadDenied | Code::WriteDenied
        ) && matches!(
            self.code.as_deref(),
            Some("AuthorizationFailure" | "AuthorizationSourceIPMismatch")
        )
    }

    /// Returns whether the service refuses a name before it looks at the identity.
    pub(crate) fn refused_for_its_name(&self) -> bool {
        self.code.as_deref() == Some("InvalidResourceName")
    }

    /// Returns whether the account as a whole is in a state that forbids the call, whoever asks.
    pub(crate) fn refused_for_its_account(&self) -> bool {
        self.code.as_deref() == Some("InsufficientAccountPermissions")
    }

    /// Returns what is refused where the service says that nobody was authenticated.
    fn code_of_failed_login(&self, asked: Asked<'_>) -> Code {
        match &asked.config.auth {
            Auth::SharedKey(_) if self.is_skewed() => Code::AuthenticateClockSkew,
            // The account is known: it is the host that answered.
            Auth::SharedKey(_) => Code::AuthenticateBadSecret,
            // It holds no time of this machine: the server's own clock is what counts.
            Auth::Sas(sas)
                if self.is_past() || self.server_time.is_some_and(|it| sas.ended(it)) =>
            {
                Code::AuthenticateTokenExpired
            }
            Auth::Sas(_) => Code::AuthenticateTokenInvalid,
        }
    }

    fn is_skewed(&self) -> bool {
        let far = |time| seconds_ahead(time).unsigned_abs() > MAX_SKEW.as_secs();
        self.detail.starts_with("Request date header") || self.server_time.is_some_and(far)
    }

    /// "Signature not valid in the specified time frame: Start [A] - Expiry [B] - Current [C]", or
    /// "Signed expiry time [B] must be after signed start time [C]" for one without a start.
    fn is_past(&self) -> bool {
        let time = |label: &str| {
            let (_, rest) = self.detail.split_once(label)?;
            http_date(rest.split(']').next()?)
        };
        let now = time("Current [").or_else(|| time("start time ["));
        let end = time("Expiry [").or_else(|| time("expiry time ["));
        matches!((end, now), (Some(end), Some(now)) if end <= now)
    }

    fn is_error_document(&self) -> bool {
        self.request_id.is_some() || root_element(&self.body) == Some("Error")
    }
}

/// Feeds a body to the reader of errors; its first byte is a part of the status.
pub(crate) fn fuzz(bytes: &[u8]) {
    let (&first, body) = bytes.split_first().unwrap_or((&0, &[]));
    let status = StatusCode::from(300 + u16::from(first));
    let raw = RawResponse::from_bytes(status, Headers::new(), body.to_vec());
    let fault = Fault::read(&raw);
    assert!(!fault.message.contains('\n'));
    // What is no UTF-8 becomes longer.
    assert!(fault.body.len() <= 3 * MAX_TEXT);
}
