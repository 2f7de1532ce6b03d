//! The words for what S3, STS and compatible stores answered: message, guilty key and hint.

use std::time::Duration;

use linkdial_core::clock::clock_skew;
use linkdial_core::{Change, Code, Diagnosis, Setting};

use crate::config::{
    Auth, CUSTOMER_KEY, Config, ENDPOINT, Encryption, KEY_ID, KMS_KEY, PATH_STYLE, REGION, ROLE,
    SECRET, STS_ENDPOINT, TOKEN, place,
};
use crate::error::Amazon;
use crate::fault::Fault;
use crate::session::{Asked, Call, Vendor as _};

/// S3 and STS refuse a signature of a clock that is further off ([S3], `RequestTimeTooSkewed`).
const MAX_SKEW: Duration = Duration::from_mins(15);

/// How a page for people begins.
const PAGE: &[u8] = b"<!doctype html";

/// Message, guilty key and hint.
type Words = (String, Option<&'static str>, String);

impl Fault {
    /// Returns the finding that the answer is.
    pub(crate) fn diagnose(&self, asked: Asked<'_>, link: &Amazon<'_>) -> Diagnosis {
        let code = self.code(asked, link);
        let diagnosis = match code {
            Code::AccessWrongRegion => self.wrong_region(asked, link),
            Code::AuthenticateClockSkew => clock_skew(asked.endpoint, self.server_time, MAX_SKEW),
            Code::AccessWrongStyle => wrong_style(asked),
            Code::AccessNotThisService => self.not_this_service(asked, link),
            Code::AuthenticateRoleRefused => self.role_refused(asked),
            code => self.plain(code, asked, link),
        };
        let principal = match (&link.config.auth, link.role) {
            (_, Some(role)) => role,
            (Auth::Keys(keys), None) => keys.shown_id(),
            (Auth::Anonymous | Auth::Cluster, None) => "anonymous",
        };
        diagnosis
            .evidence("operation", link.right(asked.call))
            .evidence("resource", asked.resource)
            .evidence("remote_code", self.code.as_deref().unwrap_or_default())
            .evidence("remote_message", &self.message)
            .evidence("status", self.status)
            .evidence("request_id", self.request_id.as_deref().unwrap_or_default())
            .evidence(
                if link.role.is_some() {
                    "role"
                } else {
                    "key_id"
                },
                principal,
            )
    }

    fn plain(&self, code: Code, asked: Asked<'_>, link: &Amazon<'_>) -> Diagnosis {
        let (message, key, hint) = about_identity(code, asked, link)
            .unwrap_or_else(|| self.about_resource(code, asked, link));
        let mut diagnosis = Diagnosis::new(code, message).hint(hint);
        if let Some(key) = key {
            // What a lent key may not do is the role's matter.
            let lent = link.role.is_some() && matches!(key, KEY_ID | SECRET | TOKEN);
            diagnosis = diagnosis.key(place(if lent { ROLE } else { key }));
        }
        diagnosis
            .retry_after(self.retry_after.as_deref())
            .evidence("location", self.location.as_deref().unwrap_or_default())
    }

    fn about_resource(&self, code: Code, asked: Asked<'_>, link: &Amazon<'_>) -> Words {
        let Asked {
            endpoint, resource, ..
        } = asked;
        let operation = link.right(asked.call);
        match code {
            // [S3]: whoever asks.
            Code::AccessDenied if self.code.as_deref() == Some("AllAccessDisabled") => (
                format!("`{resource}` is switched off for everybody"),
                None,
                "ask the support of the service why, with the request id".to_owned(),
            ),
            Code::AccessTimedOut => (
                format!("{endpoint} gave up waiting for the request"),
                None,
                "try again; if it stays, something between here and the server holds requests back"
                    .to_owned(),
            ),
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
                Some(ENDPOINT),
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
                Some(CUSTOMER_KEY),
                "add the three x-amz-server-side-encryption-customer keys to CONFIG".to_owned(),
            ),
            Code::ReadKeyMismatch => (
                format!("`{resource}` is encrypted with another customer key"),
                Some(CUSTOMER_KEY),
                "give the key that it was written with".to_owned(),
            ),
            Code::ReadNotEncrypted => (
                format!("`{resource}` is not encrypted with a customer key"),
                Some(CUSTOMER_KEY),
                "remove the customer keys, or write the objects with them".to_owned(),
            ),
            Code::ReadKmsDenied | Code::WriteKmsDenied => (
                format!("the key that encrypts `{resource}` can not be used"),
                match code {
                    Code::WriteKmsDenied => Some(KMS_KEY),
                    // Nobody names the key for reading: the identity lacks the right.
                    _ => (self.code.as_deref() == Some("AccessDenied")).then_some(KEY_ID),
                },
                "allow the identity to use the KMS key, and check that the key exists".to_owned(),
            ),
            Code::WriteNoSpace => (
                format!("{endpoint} has no space for `{resource}`"),
                None,
                "free space, or raise the quota".to_owned(),
            ),
            Code::AccessRequestRefused => (
                format!(
                    "{endpoint} refused {operation} on `{resource}`: {}",
                    self.code.as_deref().unwrap_or_default()
                ),
                None,
                "the service's own words stand in the evidence; look the code up in its documentation"
                    .to_owned(),
            ),
            _ => (
                format!("{endpoint} answered {}", self.status),
                None,
                "try again later; the service's own log says more".to_owned(),
            ),
        }
    }

    fn wrong_region(&self, asked: Asked<'_>, link: &Amazon<'_>) -> Diagnosis {
        let ours = link.config.region();
        let theirs = self.named_region();
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
            Some(theirs) if theirs != ours => {
                let diagnosis = diagnosis.hint(format!("set `{REGION}` to `{theirs}` in CONFIG"));
                if is_region(&theirs) {
                    diagnosis.repair(Change::set(place(REGION), theirs))
                } else {
                    diagnosis
                }
            }
            _ => diagnosis.hint(format!("set `{REGION}` to the bucket's region in CONFIG")),
        }
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

    fn not_this_service(&self, asked: Asked<'_>, link: &Amazon<'_>) -> Diagnosis {
        let root = self.root_element().unwrap_or_default();
        let finding = not_this_service(asked).evidence("root_element", root);
        let page = self.body.trim_start().as_bytes();
        let page = &page[..page.len().min(PAGE.len())];
        // The console of MinIO has the port behind that of its service, as others have learned from it.
        // A token would be shown to whoever is there.
        let is_page = page.eq_ignore_ascii_case(PAGE) || root.eq_ignore_ascii_case("html");
        match asked.endpoint.key.clone() {
            Some(place) if is_page && !shows_secret(link.config) && asked.endpoint.port > 1024 => {
                let port = asked.endpoint.port - 1;
                finding.repair(Change::Port { place, port })
            }
            _ => finding,
        }
    }
}

fn about_identity(code: Code, asked: Asked<'_>, link: &Amazon<'_>) -> Option<Words> {
    let Asked {
        endpoint, resource, ..
    } = asked;
    Some(match code {
        Code::AuthenticateMethodDisabled => (
            format!("{endpoint} knows the key id, and its account is disabled"),
            Some(KEY_ID),
            "enable the account, or use another key".to_owned(),
        ),
        Code::AuthenticateUnknownKey => (
            format!("{endpoint} does not know the key id"),
            Some(KEY_ID),
            if shows_secret(link.config) {
                "check the key id, and that id and secret are not swapped; some stores also say so \
                 when the session token has expired"
                    .to_owned()
            } else {
                "check the key id, that it belongs to this endpoint, and that id and secret are not \
                 swapped"
                    .to_owned()
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
        Code::AuthenticateTokenInvalid if !has_token(link) => (
            format!("{endpoint} wants a session token with this key, and the link has none"),
            Some(TOKEN),
            format!("add the `{TOKEN}` that came with this key pair, or use a long-lived key"),
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

/// Returns whether requests carry a token: the link's own, or that of the keys that a role lent.
fn has_token(link: &Amazon<'_>) -> bool {
    link.role.is_some() || matches!(&link.config.auth, Auth::Keys(keys) if keys.token.is_some())
}

/// Returns the finding that something else than S3 or its token service answers.
pub(crate) fn not_this_service(asked: Asked<'_>) -> Diagnosis {
    let (service, keys) = match asked.call {
        Call::AssumeRole | Call::GetCallerIdentity => (
            "the security token service",
            format!("{ENDPOINT} and {STS_ENDPOINT}"),
        ),
        _ => ("S3", ENDPOINT.to_owned()),
    };
    Diagnosis::new(
        Code::AccessNotThisService,
        format!("{} answers, but not as {service} does", asked.endpoint),
    )
    .hint(format!(
        "check {keys}: a console, a proxy's page or another service listens there"
    ))
}

/// Returns whether a text is the name of a region, which becomes part of a host name.
fn is_region(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(good)
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
    .repair(Change::Set {
        place: place(PATH_STYLE),
        value: Setting::Boolean(true),
    })
}

/// Returns whether requests show something secret: a signature gives nothing away, and a token and a
/// customer's key travel as they are.
pub(crate) fn shows_secret(config: &Config) -> bool {
    matches!(&config.auth, Auth::Keys(keys) if keys.token.is_some())
        || matches!(config.encryption, Encryption::Customer { .. })
}
