//! Dials one AZURE link the way the program does.
#![allow(dead_code, reason = "each test binary uses another part")]

use linkdial_azure::Azure;
use linkdial_core::testing::{self, Link, record};
use linkdial_core::{Driver, Intent, Kind, Opened, Settings, Step};
use linkdial_testcontainers::{Answer, Certificates, ScriptedHttp};

/// Reads a definition.
pub(crate) fn open(credentials: &str, config: &str) -> Opened {
    Driver::of::<Azure>().open(&testing::definition(Kind::Azure, config, credentials))
}

/// Settings with short deadlines that trust the throw-away CA.
pub(crate) fn settings() -> Settings {
    testing::settings_trusting(Certificates::shared().ca_pem())
}

/// One dial, on a runtime of its own. Its record is without the warnings about keys of our own, which
/// a link to a server of ours always has.
pub(crate) fn dial_with(
    credentials: &str,
    config: &str,
    target: Option<&str>,
    intent: Intent,
    settings: Settings,
) -> Vec<Step> {
    let link = Link::new(Kind::Azure, config, credentials, target);
    let driver = Driver::of::<Azure>();
    record::without_extensions(testing::dial_blocking(&driver, &link, settings, intent))
}

/// One dial that reads.
pub(crate) fn dial(credentials: &str, config: &str, target: Option<&str>) -> Vec<Step> {
    dial_with(credentials, config, target, Intent::READ, settings())
}

/// One listing that is answered so.
pub(crate) fn listed(credentials: &str, answer: Answer) -> Vec<Step> {
    let server = ScriptedHttp::always([answer]);
    dial(credentials, &config(&server), Some("box/in/"))
}

/// What Azure says to a signature that it does not accept.
pub(crate) const UNPROVED: &str = "Server failed to authenticate the request. Make sure the value of \
    Authorization header is formed correctly including the signature.";

/// A marked key of the right form.
pub(crate) const KEY: &str =
    "m4rk3dm4rk3dm4rk3d/key+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

/// The account with that key.
pub(crate) const SHARED_KEY: &str = r#"{"account_name":"orders","account_key":"m4rk3dm4rk3dm4rk3d/key+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}"#;

/// A marked signature as it stands in a SAS.
pub(crate) const SIGNATURE: &str = "m4rk3dm4rk3d%2Fsig%2BAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

/// The account with a SAS of these parameters and a marked signature.
pub(crate) fn sas(parameters: &str) -> String {
    format!(
        r#"{{"account_name":"orders","sas_token":"sv=2024-11-04&{parameters}&sig={SIGNATURE}"}}"#
    )
}

/// A SAS that may read and list one container, for long.
pub(crate) fn good_sas() -> String {
    sas("sr=c&sp=rl&se=2099-01-01T00:00:00Z")
}

/// A listing of a container, with these blobs inside.
pub(crate) fn listing(blobs: &str) -> Answer {
    xml(format!(
        r#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://orders.blob.core.windows.net/" ContainerName="box"><Prefix>in/</Prefix><MaxResults>100</MaxResults><Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>"#
    ))
}

/// A blob of a listing.
pub(crate) fn blob(name: &str, length: u64, more: &str) -> String {
    format!(
        "<Blob><Name>{name}</Name><Properties><Content-Length>{length}</Content-Length>\
         <BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties>{more}</Blob>"
    )
}

/// The first byte of a blob.
pub(crate) fn one_byte() -> Answer {
    Answer::status(206)
        .header("content-range", "bytes 0-0/6")
        .header("x-ms-blob-type", "BlockBlob")
        .header("etag", "\"0x8D\"")
        .body("h")
}

/// A good answer.
pub(crate) fn xml(body: String) -> Answer {
    Answer::status(200)
        .header("content-type", "application/xml")
        .header("x-ms-request-id", REQUEST_ID)
        .body(body)
}

/// The request id of every scripted answer.
pub(crate) const REQUEST_ID: &str = "a7c15331-501e-0094-6847-7d350f000000";

/// An error document of the blob service.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    detailed(status, code, message, "")
}

/// An error document with what Azure adds about a signature.
pub(crate) fn detailed(status: u16, code: &str, message: &str, detail: &str) -> Answer {
    let detail = match detail {
        "" => String::new(),
        detail => format!("<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>"),
    };
    Answer::status(status)
        .header("content-type", "application/xml")
        .header("x-ms-error-code", code)
        .header("x-ms-request-id", REQUEST_ID)
        .body(format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code>\
             <Message>{message}\nRequestId:{REQUEST_ID}\nTime:2026-11-25T10:16:22.8096444Z\
             </Message>{detail}</Error>"
        ))
}

/// CONFIG that names a server.
pub(crate) fn config(server: &ScriptedHttp) -> String {
    format!(r#"{{"endpoint_url":"{}"}}"#, server.url())
}
