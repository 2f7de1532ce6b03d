//! An answer that is not the one asked for, before anybody says what it means.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use jiff::Timestamp;
use linkdial_core::clock::http_date;
use linkdial_core::xml::{element, root_element};

/// More of an error body is not read, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// What a store answered instead: the facts of status, headers and error document.
///
/// What they mean is the vendor's side, although some headers and elements are those of one vendor
/// alone. Texts are the peer's own and may hold anything; the probe redacts them.
#[derive(Debug)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The code of the error document.
    pub code: Option<String>,
    /// Its sentence; empty where there is none.
    pub message: String,
    /// What Google adds to the sentence.
    pub details: Option<String>,
    /// The region that the answer names.
    pub region: Option<String>,
    /// What the service's support asks for.
    pub request_id: Option<String>,
    /// The server's clock.
    pub server_time: Option<Timestamp>,
    /// Where a redirect leads, without its query: a signed address carries its signature there.
    pub location: Option<String>,
    /// The time to wait, as the server wrote it.
    pub retry_after: Option<String>,
    /// How the server wants to be logged in to.
    pub challenge: Option<String>,
    /// The body, cut to 64 KiB.
    pub body: String,
}

impl Fault {
    /// Reads an error of the SDK; `None` where no answer came.
    pub(crate) fn read<E>(error: &SdkError<E, HttpResponse>) -> Option<Self>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let raw = error.raw_response()?;
        let body = raw.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT)]).into_owned();
        let header = |name: &str| raw.headers().get(name).map(str::to_owned);
        let meta = error.as_service_error();
        Some(Self {
            status: raw.status().as_u16(),
            code: meta
                .and_then(|error| error.code().map(str::to_owned))
                .or_else(|| element(&body, "Code"))
                .or_else(|| header("x-minio-error-code")),
            message: meta
                .and_then(|error| error.message().map(str::to_owned))
                .or_else(|| element(&body, "Message"))
                .unwrap_or_default(),
            details: element(&body, "Details"),
            region: header("x-amz-bucket-region")
                .or_else(|| element(&body, "Region"))
                .or_else(|| region_in(&element(&body, "Endpoint")?)),
            request_id: header("x-amz-request-id")
                .or_else(|| element(&body, "RequestId"))
                .or_else(|| header("x-guploader-uploadid")),
            server_time: element(&body, "ServerTime")
                .and_then(|time| time.parse().ok())
                .or_else(|| server_time_in(&element(&body, "Message")?))
                .or_else(|| http_date(&header("date")?)),
            location: header("location")
                .map(|it| it.split('?').next().unwrap_or_default().to_owned()),
            retry_after: header("retry-after"),
            challenge: header("www-authenticate"),
            body,
        })
    }

    /// Returns the local name of the body's root element.
    pub fn root_element(&self) -> Option<&str> {
        root_element(&self.body)
    }

    /// Returns the region that the answer asks for; the message names it where the body does not.
    pub fn named_region(&self) -> Option<String> {
        self.region.clone().or_else(|| {
            let (_, rest) = self.message.split_once("expecting '")?;
            rest.split('\'').next().map(str::to_owned)
        })
    }
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

/// Feeds a body to the reader of errors; its first byte is a part of the status.
pub(crate) fn fuzz(bytes: &[u8]) {
    let (&first, body) = bytes.split_first().unwrap_or((&0, &[]));
    let status = StatusCode::try_from(300 + u16::from(first)).expect("it has three digits");
    let raw = HttpResponse::new(status, SdkBody::from(body));
    let error = ErrorMetadata::builder().build();
    if let Some(fault) = Fault::read(&SdkError::service_error(error, raw)) {
        fault.root_element();
        fault.named_region();
        // What is no UTF-8 becomes longer.
        assert!(fault.body.len() <= 3 * MAX_TEXT);
    }
    let text = String::from_utf8_lossy(body);
    region_in(&text);
    server_time_in(&text);
}
