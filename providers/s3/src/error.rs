//! What S3, STS and the stores that speak their protocol answer, and what it means.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use linkdial_core::net::{client_certificate_fault, plain_text_refused};
use linkdial_core::{Code, Diagnosis, Endpoint, KeyPlace, Retry};

use crate::config::{Auth, Config, KEY_ID, PATH_STYLE, REGION, ROLE, SECRET, TOKEN};
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
    ("AuthorizationHeaderMalformed", Code::AccessWrongRegion), // [S3]
    ("PermanentRedirect", Code::AccessWrongRegion),       // [S3]
    ("TemporaryRedirect", Code::AccessWrongRegion),       // [S3]
    (
        "IllegalLocationConstraintException",
        Code::AccessWrongRegion,
    ), // [S3]
    ("IncorrectEndpoint", Code::AccessWrongRegion),       // [S3]
    ("AllAccessDisabled", Code::AccessDenied),            // [S3]
    ("AccountProblem", Code::AccessDenied),               // [S3]
    ("NotSignedUp", Code::AccessDenied),                  // [S3]
    ("UnauthorizedAccess", Code::AccessDenied),           // [S3]
    ("NoSuchBucket", Code::AccessNotFound),               // [S3]
    ("NoSuchKey", Code::AccessNotFound),                  // [S3]
    ("InvalidBucketName", Code::AccessNotFound),          // [S3]
    ("SlowDown", Code::AccessThrottled),                  // [S3]
    ("Throttling", Code::AccessThrottled),                // [STS]
    ("ThrottlingException", Code::AccessThrottled),       // [STS]
    ("RequestLimitExceeded", Code::AccessThrottled),      // [S3]
    ("TooManyRequests", Code::AccessThrottled),           // [MINIO]
    ("ServiceUnavailable", Code::AccessThrottled),        // [S3]
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
    const fn name(self) -> &'static str {
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
        return Diagnosis::new(Code::AccessNotThisService, "the request could not be sent")
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
            .or_else(|| http_date(&header("date")?)),
        location: header("location"),
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

/// Message, guilty key and hint.
type Words = (String, Option<&'static str>, String);

/// An answer that is not the one asked for.
struct Fault {
    status: u16,
    code: Option<String>,
    message: String,
    region: Option<String>,
    request_id: Option<String>,
    server_time: Option<Timestamp>,
    location: Option<String>,
    retry_after: Option<String>,
    body: String,
}

impl Fault {
    fn diagnose(&self, asked: Asked<'_>) -> Diagnosis {
        let code = self.code(asked);
        let diagnosis = match code {
            Code::AccessWrongRegion => self.wrong_region(asked),
            Code::AuthenticateClockSkew => self.clock_skew(asked),
            Code::AccessWrongStyle => wrong_style(asked),
            Code::AccessNotThisService => self.not_this_service(asked),
            Code::AuthenticateRoleRefused => self.role_refused(asked),
            code => self.plain(code, asked),
        };
        let principal = match &asked.config.auth {
            Auth::Keys(keys) => keys.id.as_str(),
            Auth::Anonymous | Auth::Cluster => "anonymous",
        };
        diagnosis
            .evidence("operation", asked.call.name())
            .evidence("resource", asked.resource)
            .evidence("remote_code", self.code.as_deref().unwrap_or_default())
            .evidence("remote_message", shorten(&self.message))
            .evidence("status", self.status)
            .evidence("request_id", self.request_id.as_deref().unwrap_or_default())
            .evidence("key_id", principal)
    }

    /// The vendor's code first, the status second.
    fn code(&self, asked: Asked<'_>) -> Code {
        let anonymous = !matches!(asked.config.auth, Auth::Keys(_));
        let remote = self.code.as_deref().unwrap_or_default();
        if remote == "AccessDenied" || remote == "Forbidden" {
            return self.denied(asked, anonymous);
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
        match (remote, self.status) {
            ("InvalidRequest", 400) if asked.call == Call::GetObject => {
                if self.message.contains("not applicable") {
                    Code::ReadNotEncrypted
                } else {
                    Code::ReadKeyRequired
                }
            }
            ("InvalidArgument", 400) if asked.call == Call::GetObject => Code::ReadKeyMismatch,
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

    fn plain(&self, code: Code, asked: Asked<'_>) -> Diagnosis {
        let (message, key, hint) = self
            .about_identity(code, asked)
            .unwrap_or_else(|| self.about_resource(code, asked));
        let mut diagnosis = Diagnosis::new(code, message).hint(hint);
        if let Some(key) = key {
            diagnosis = diagnosis.key(place(key));
        }
        if let Some(seconds) = self.retry_after.as_ref().and_then(|it| it.parse().ok()) {
            diagnosis = diagnosis
                .evidence("retry_after", format!("{seconds} s"))
                .retry(Retry::After(std::time::Duration::from_secs(seconds)));
        }
        diagnosis.evidence("location", self.location.as_deref().unwrap_or_default())
    }

    fn about_identity(&self, code: Code, asked: Asked<'_>) -> Option<Words> {
        let Asked {
            endpoint, resource, ..
        } = asked;
        Some(match code {
            Code::AuthenticateUnknownKey => (
                format!("{endpoint} does not know the key id"),
                Some(KEY_ID),
                if self.message.contains("disabled") {
                    "the key exists and is disabled: enable it, or use another".to_owned()
                } else if has_token(asked.config) {
                    "check the key id; some stores also say so when the session token has expired"
                        .to_owned()
                } else {
                    "check the key id, and that it belongs to this endpoint".to_owned()
                },
            ),
            Code::AuthenticateBadSecret => (
                format!("{endpoint} knows the key id, and the secret does not belong to it"),
                Some(SECRET),
                "copy the secret again; a `/` or `+` lost on the way, or a backslash that SQL took, \
                 looks like this"
                    .to_owned(),
            ),
            Code::AuthenticateTokenExpired => (
                "the session token has expired".to_owned(),
                Some(TOKEN),
                "a link that lives longer than a token needs a long-lived key or a role".to_owned(),
            ),
            Code::AuthenticateTokenInvalid => (
                "the session token is not valid".to_owned(),
                Some(TOKEN),
                "copy the token that came with this key pair, whole".to_owned(),
            ),
            Code::AuthenticateRequired => (
                format!("{endpoint} refuses anonymous access to `{resource}`"),
                Some(KEY_ID),
                format!("give `{KEY_ID}` and `{SECRET}`, or make the bucket public"),
            ),
            _ => return None,
        })
    }

    fn about_resource(&self, code: Code, asked: Asked<'_>) -> Words {
        let Asked {
            endpoint, resource, ..
        } = asked;
        let operation = asked.call.name();
        match code {
            Code::AccessDenied | Code::ReadDenied | Code::WriteDenied => (
                format!("the identity may not do {operation} on `{resource}`"),
                Some(KEY_ID),
                format!("allow {operation} on it in the identity's or the bucket's policy"),
            ),
            Code::AccessNotFound => (
                format!("`{resource}` does not exist"),
                None,
                "check the spelling of the target, and that the endpoint is the right one"
                    .to_owned(),
            ),
            Code::AccessThrottled => (
                format!("{endpoint} asks to slow down"),
                None,
                "run it again later".to_owned(),
            ),
            Code::AccessRedirected => (
                format!("{endpoint} redirects instead of answering"),
                Some(crate::config::ENDPOINT),
                "S3 is not served there: name the address that is; redirects are not followed with \
                 credentials"
                    .to_owned(),
            ),
            Code::ReadArchived => (
                format!("`{resource}` is archived"),
                None,
                "restore it, or point the link at objects that are online".to_owned(),
            ),
            Code::ReadKeyRequired => (
                format!("`{resource}` is encrypted with a customer key, and the link has none"),
                Some(crate::config::CUSTOMER_KEY),
                "add the three x-amz-server-side-encryption-customer keys to CONFIG".to_owned(),
            ),
            Code::ReadKeyMismatch => (
                format!("`{resource}` is encrypted with another customer key"),
                Some(crate::config::CUSTOMER_KEY),
                "give the key that it was written with".to_owned(),
            ),
            Code::ReadNotEncrypted => (
                format!("`{resource}` is not encrypted with a customer key"),
                Some(crate::config::CUSTOMER_KEY),
                "remove the customer keys, or write the objects with them".to_owned(),
            ),
            Code::ReadKmsDenied | Code::WriteKmsDenied => (
                format!("the key that encrypts `{resource}` can not be used"),
                (code == Code::WriteKmsDenied).then_some(crate::config::KMS_KEY),
                "allow the identity to use the KMS key, and check that the key exists".to_owned(),
            ),
            Code::WriteNoSpace => (
                format!("{endpoint} has no space for `{resource}`"),
                None,
                "free space, or raise the quota".to_owned(),
            ),
            _ => (
                format!("{endpoint} answered {}", self.status),
                None,
                "try again later; the service's own log says more".to_owned(),
            ),
        }
    }

    fn wrong_region(&self, asked: Asked<'_>) -> Diagnosis {
        let ours = &asked.config.region;
        // The message of AuthorizationHeaderMalformed names the region where the body does not.
        let theirs = self.region.clone().or_else(|| {
            let (_, rest) = self.message.split_once("expecting '")?;
            rest.split('\'').next().map(str::to_owned)
        });
        let diagnosis = Diagnosis::new(
            Code::AccessWrongRegion,
            match &theirs {
                Some(theirs) => format!(
                    "`{}` is in {theirs}, and the link signs for {ours}",
                    asked.resource
                ),
                None => format!("`{}` is not in {ours}", asked.resource),
            },
        )
        .evidence("region", ours)
        .evidence("expected_region", theirs.as_deref().unwrap_or_default())
        .key(place(REGION));
        match theirs {
            Some(theirs) if theirs != *ours => {
                diagnosis.hint(format!("set `{REGION}` to `{theirs}` in CONFIG"))
            }
            _ => diagnosis.hint(format!("set `{REGION}` to the bucket's region in CONFIG")),
        }
    }

    fn clock_skew(&self, asked: Asked<'_>) -> Diagnosis {
        let skew = self
            .server_time
            .map(|server| Timestamp::now().duration_since(server).as_secs());
        let message = match skew {
            Some(seconds) if seconds >= 0 => format!(
                "this machine's clock is {seconds} s ahead of {}",
                asked.endpoint
            ),
            Some(seconds) => format!(
                "this machine's clock is {} s behind {}",
                -seconds, asked.endpoint
            ),
            None => format!(
                "the clocks of this machine and {} differ too much",
                asked.endpoint
            ),
        };
        Diagnosis::new(Code::AuthenticateClockSkew, message)
            .evidence(
                "skew_seconds",
                skew.map(|it| format!("{it:+}")).unwrap_or_default(),
            )
            .evidence(
                "server_time",
                self.server_time
                    .map(|it| it.to_string())
                    .unwrap_or_default(),
            )
            .hint("set the clock of this machine; signatures are refused beyond 15 minutes")
    }

    fn role_refused(&self, asked: Asked<'_>) -> Diagnosis {
        // "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole ..."
        let caller = self
            .message
            .split_once("User: ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .unwrap_or_default();
        Diagnosis::new(
            Code::AuthenticateRoleRefused,
            format!("the key pair may not take on the role `{}`", asked.resource),
        )
        .evidence("caller", caller)
        .key(place(ROLE))
        .hint("let the role's trust policy name the caller, and the caller's policy allow sts:AssumeRole")
    }

    fn not_this_service(&self, asked: Asked<'_>) -> Diagnosis {
        let root = root_element(&self.body).unwrap_or_default();
        Diagnosis::new(
            Code::AccessNotThisService,
            format!("{} answers, but not as S3 does", asked.endpoint),
        )
        .evidence("root_element", root)
        .hint("check endpoint_url: a console, a proxy's page or another service listens there")
    }
}

fn wrong_style(asked: Asked<'_>) -> Diagnosis {
    Diagnosis::new(
        Code::AccessWrongStyle,
        format!(
            "{} does not take the bucket from the host name",
            asked.endpoint
        ),
    )
    .evidence("style", "virtual-host")
    .key(place(PATH_STYLE))
    .hint(format!("set `{PATH_STYLE}` to true in CONFIG"))
}

const fn kms(call: Call) -> Code {
    match call {
        Call::PutObject => Code::WriteKmsDenied,
        _ => Code::ReadKmsDenied,
    }
}

fn has_token(config: &Config) -> bool {
    matches!(&config.auth, Auth::Keys(keys) if keys.token.is_some())
}

/// Returns the place of a key in the clause it is documented in.
pub(crate) fn place(key: &str) -> KeyPlace {
    let clause = crate::config::KEYS
        .iter()
        .find(|known| known.name == key)
        .map_or(linkdial_core::ClauseName::Config, |known| known.clause);
    KeyPlace::key(clause, key)
}

/// Returns the text of the first element of that local name; error documents are flat.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    (!text.is_empty() && !text.contains('<')).then(|| text.to_owned())
}

/// Returns the local name of a document's root element.
fn root_element(body: &str) -> Option<&str> {
    let mut rest = body.trim_start_matches('\u{feff}').trim_start();
    while rest.starts_with("<?") || rest.starts_with("<!") {
        rest = rest.split_once('>')?.1.trim_start();
    }
    let name = rest.strip_prefix('<')?;
    let end = name.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
    name[..end].rsplit(':').next()
}

/// Takes the region out of a host such as `bucket.s3.eu-west-1.amazonaws.com`.
fn region_in(host: &str) -> Option<String> {
    let before = host.split(".amazonaws.com").next()?;
    let region = before.rsplit(['.']).next()?.trim_start_matches("s3-");
    region.contains('-').then(|| region.to_owned())
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

fn shorten(text: &str) -> String {
    text.chars().take(300).collect()
}
