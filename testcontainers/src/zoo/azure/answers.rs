//! What Azurite answers, and what the vendor's pages say of answers that it does not give.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{ACCOUNT, ENDPOINT, KEY, NAME, SAS, found, link, signed};
use crate::{
    Answer, Azurite, DnsAnswer, DnsServer, Error, Match, ScriptedHttp, SharedAccess, StorageAccount,
};

const COMMON: &str = "Azure Storage REST API, Common REST API error codes";
const BLOB: &str = "Azure Storage REST API, Blob service error codes";
const SIGNATURES: &str = "Azure Storage REST API, SAS error codes";
const AZURITE: &str =
    "Azure Storage REST API, Common REST API error codes; the answer of Azurite is recorded";
const REQUEST_ID: &str = "a7c15331-501e-0094-6847-7d350f000000";
const LONG: &str = "sr=c&sp=rl&se=2099-01-01T00:00:00Z";

fn row(
    name: &str,
    server: &'static str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark) -> Result<Seeded, Error> + Send + Sync + 'static,
) -> Fault {
    Fault::new(
        Kind::Azure,
        Family::Service,
        name,
        server,
        expected,
        source,
        seed,
    )
}

pub(super) fn faults() -> Vec<Fault> {
    [azurite(), listing(), signatures(), blobs(), strangers()].concat()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn azurite() -> Vec<Fault> {
    let real = |name, expected, seed: fn(&Mark, &Azurite) -> Result<Seeded, Error>| {
        row(name, "Azurite", expected, AZURITE, move |mark| {
            seed(mark, Azurite::shared())
        })
    };
    vec![
        real(
            "key-wrong",
            found("authenticate.bad-secret").key(KEY),
            |mark, azurite| {
                let account = StorageAccount::new(azurite.account_name(), mark.base64(64));
                let link = azurite.create_link("l", &account);
                Ok(Seeded::read(mark, link, "private").secret(mark.base64(64)))
            },
        ),
        real(
            "account-unknown",
            found("authenticate.unknown-key").key(ACCOUNT),
            |mark, azurite| {
                let account = StorageAccount::new("stranger", mark.base64(64));
                let url = azurite
                    .endpoint_url()
                    .replace(azurite.account_name(), "stranger");
                let link = azurite
                    .create_link("l", &account)
                    .config("endpoint_url", url);
                Ok(Seeded::read(mark, link, "private").secret(mark.base64(64)))
            },
        ),
        real(
            "container-missing",
            found("access.not-found"),
            |mark, azurite| {
                let link = azurite.create_link("l", &azurite.account());
                Ok(Seeded::read(mark, link, "no-such-container").secret(azurite.account_key()))
            },
        ),
        real(
            "signature-expired",
            Expected::fail("authenticate.token-expired").key(SAS),
            |mark, azurite| {
                shared(
                    mark,
                    azurite,
                    &SharedAccess::container("private")
                        .permissions("rl")
                        .expires_in(-3600),
                )
            },
        ),
        real(
            "signature-not-yet-valid",
            Expected::fail("authenticate.token-invalid").key(SAS),
            |mark, azurite| {
                shared(
                    mark,
                    azurite,
                    &SharedAccess::container("private")
                        .permissions("rl")
                        .starts_in(7200)
                        .expires_in(10_800),
                )
            },
        ),
        real(
            "signature-without-list",
            Expected::fail("access.denied").key(SAS),
            |mark, azurite| {
                shared(
                    mark,
                    azurite,
                    &SharedAccess::container("private")
                        .permissions("r")
                        .expires_in(3600),
                )
            },
        ),
        real(
            "signature-forged",
            found("authenticate.token-invalid").key(SAS),
            |mark, azurite| {
                let other = StorageAccount::new(azurite.account_name(), mark.base64(64));
                let token = SharedAccess::container("private").sign(&other)?;
                let link = azurite.shared_access_link("l", &token);
                Ok(Seeded::read(mark, link, "private").secret(signature_of(&token)))
            },
        ),
        real(
            "signature-without-write",
            Expected::fail("write.denied").key(SAS),
            |mark, azurite| {
                let access = SharedAccess::container("private")
                    .permissions("rl")
                    .expires_in(3600);
                let token = access.sign(&azurite.account())?;
                let link = azurite.shared_access_link("l", &token);
                Ok(Seeded::write(mark, &link, "private/out/").secret(signature_of(&token)))
            },
        ),
        real("blob-archived", found("read.archived"), |mark, azurite| {
            let blobs = azurite.blobs();
            let container = format!("zoo-archived-{}", TIMES.fetch_add(1, Ordering::Relaxed));
            let container = container.as_str();
            blobs.make_container(container)?;
            blobs.put(container, "a.csv", b"hello")?;
            blobs.set_tier(container, "a.csv", "Archive")?;
            let link = azurite.create_link("l", &azurite.account());
            Ok(Seeded::read(mark, link, container).secret(azurite.account_key()))
        }),
        Fault::new(
            Kind::Azure,
            Family::World,
            "account-without-name",
            "name server: NXDOMAIN",
            found("resolve.not-found").key(ACCOUNT),
            "Azure, Storage account overview: ACCOUNT.blob.core.windows.net; RFC 1035, 4.1.1",
            |mark| {
                let server = DnsServer::always(DnsAnswer::NotFound);
                let link = link(mark, "").without("endpoint_url");
                Ok(super::read(mark, link).name_server(server))
            },
        ),
    ]
}

/// An archived blob can not be written again, so each time has a container of its own.
static TIMES: AtomicUsize = AtomicUsize::new(0);

fn shared(mark: &Mark, azurite: &Azurite, access: &SharedAccess) -> Result<Seeded, Error> {
    let token = access.sign(&azurite.account())?;
    let link = azurite.shared_access_link("l", &token);
    Ok(Seeded::read(mark, link, "private").secret(signature_of(&token)))
}

fn signature_of(token: &str) -> &str {
    token
        .split_once("sig=")
        .map_or(token, |(_, rest)| rest.split('&').next().unwrap_or(rest))
}

/// An error document of the blob service.
fn error(status: u16, code: &str, message: &str, detail: &str) -> Answer {
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

const UNPROVED: &str = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";

/// Name, status, code, message, detail, what to say, source.
type Row = (
    &'static str,
    u16,
    &'static str,
    &'static str,
    &'static str,
    Expected,
    &'static str,
);

#[expect(clippy::too_many_lines, reason = "a table")]
fn listing() -> Vec<Fault> {
    let rows: Vec<Row> = vec![
        (
            "answer-no-authentication",
            401,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
            "",
            found("authenticate.required").key(KEY),
            COMMON,
        ),
        (
            "answer-invalid-authentication",
            401,
            "InvalidAuthenticationInfo",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
            "",
            found("authenticate.bad-credentials").key(KEY),
            COMMON,
        ),
        (
            "answer-account-disabled",
            403,
            "AccountIsDisabled",
            "The specified account is disabled.",
            "",
            found("authenticate.method-disabled").key(ACCOUNT),
            COMMON,
        ),
        (
            "answer-keys-not-permitted",
            403,
            "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account.",
            "",
            found("authenticate.method-disabled").key(KEY),
            "Azure, Prevent Shared Key authorization for an Azure Storage account",
        ),
        (
            "answer-authentication-failed",
            403,
            "AuthenticationFailed",
            UNPROVED,
            "The MAC signature found in the HTTP request is not the same as any computed signature.",
            found("authenticate.bad-secret").key(KEY),
            COMMON,
        ),
        (
            "answer-date-too-old",
            403,
            "AuthenticationFailed",
            UNPROVED,
            "Request date header too old: 'Wed, 01 Jan 2020 00:00:00 GMT'",
            found("authenticate.clock-skew"),
            "Azure, Authorize with Shared Key: Specifying the Date header, 15 minutes",
        ),
        (
            "answer-firewall",
            403,
            "AuthorizationFailure",
            "This request is not authorized to perform this operation.",
            "",
            found("access.denied"),
            "Azure, Configure Azure Storage firewalls: requests from elsewhere are not authorized",
        ),
        (
            "answer-account-without-right",
            403,
            "InsufficientAccountPermissions",
            "The account being accessed does not have sufficient permissions to execute this operation.",
            "",
            found("access.denied").key(ACCOUNT),
            COMMON,
        ),
        (
            "answer-account-needs-https",
            400,
            "AccountRequiresHttps",
            "The account being accessed does not support http.",
            "",
            found("tls.required").key(ENDPOINT),
            COMMON,
        ),
        (
            "answer-container-not-found",
            404,
            "ContainerNotFound",
            "The specified container does not exist.",
            "",
            found("access.not-found"),
            BLOB,
        ),
        (
            "answer-container-being-deleted",
            409,
            "ContainerBeingDeleted",
            "The specified container is being deleted. Try operation later.",
            "",
            found("access.not-found"),
            BLOB,
        ),
        (
            "answer-container-disabled",
            403,
            "ContainerDisabled",
            "The specified container has been disabled by the administrator.",
            "",
            found("access.denied"),
            BLOB,
        ),
        (
            "answer-internal-error",
            500,
            "InternalError",
            "The server encountered an internal error. Please retry the request.",
            "",
            found("access.server-error"),
            COMMON,
        ),
        (
            "answer-operation-timed-out",
            500,
            "OperationTimedOut",
            "The operation could not be completed within the permitted time.",
            "",
            found("access.server-error"),
            COMMON,
        ),
        (
            "answer-verb-unsupported",
            405,
            "UnsupportedHttpVerb",
            "The resource doesn't support the specified HTTP verb.",
            "",
            found("access.request-refused"),
            COMMON,
        ),
        (
            "answer-query-invalid",
            400,
            "InvalidQueryParameterValue",
            "A value specified for one of the query parameters in the request URI is invalid.",
            "",
            found("access.request-refused"),
            COMMON,
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, status, code, message, detail, expected, source)| {
            row(name, "scripted answer", expected, source, move |mark| {
                let server = ScriptedHttp::always([error(status, code, message, detail)]);
                Ok(super::read(mark, link(mark, &server.url())).hold(server))
            })
        });
    rows.collect()
}

fn signatures() -> Vec<Fault> {
    let rows: Vec<Row> = vec![
        (
            "answer-permission-mismatch",
            403,
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
            "",
            found("access.denied").key(SAS),
            SIGNATURES,
        ),
        (
            "answer-address-mismatch",
            403,
            "AuthorizationSourceIPMismatch",
            "This request is not authorized to perform this operation using this source IP.",
            "",
            found("access.denied").key(SAS),
            SIGNATURES,
        ),
        (
            "answer-protocol-mismatch",
            403,
            "AuthorizationProtocolMismatch",
            "This request is not authorized to perform this operation using this protocol.",
            "",
            found("tls.required").key(ENDPOINT),
            SIGNATURES,
        ),
        (
            "answer-signature-wrong",
            403,
            "AuthenticationFailed",
            UNPROVED,
            "Signature did not match.",
            found("authenticate.token-invalid").key(SAS),
            COMMON,
        ),
        (
            "answer-signature-past",
            403,
            "AuthenticationFailed",
            UNPROVED,
            "Signature not valid in the specified time frame: Start [Wed, 01 Jan 2020 00:00:00 GMT] - Expiry [Thu, 02 Jan 2020 00:00:00 GMT] - Current [Fri, 03 Jan 2020 00:00:00 GMT]",
            found("authenticate.token-expired").key(SAS),
            COMMON,
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, status, code, message, detail, expected, source)| {
            row(name, "scripted answer", expected, source, move |mark| {
                let server = ScriptedHttp::always([error(status, code, message, detail)]);
                Ok(Seeded::read(mark, signed(mark, &server.url(), LONG), "orders").hold(server))
            })
        });
    rows.collect()
}

/// Answers to the request for a blob of a container that was listed.
fn blobs() -> Vec<Fault> {
    let listed = || {
        Answer::status(200)
            .header("content-type", "application/xml")
            .header("x-ms-request-id", REQUEST_ID)
            .body(format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
                 ServiceEndpoint=\"https://{NAME}.blob.core.windows.net/\" ContainerName=\"orders\">\
                 <Prefix>2026/</Prefix><MaxResults>100</MaxResults><Blobs><Blob><Name>2026/a.csv</Name>\
                 <Properties><Content-Length>6</Content-Length><BlobType>BlockBlob</BlobType>\
                 <AccessTier>Hot</AccessTier></Properties></Blob></Blobs><NextMarker /></EnumerationResults>"
            ))
    };
    let of_blob = |name, status, code: &'static str, message: &'static str, expected, source| {
        row(name, "scripted answer", expected, source, move |mark| {
            let server = ScriptedHttp::script()
                .on(Match::any().query("comp=list"), [listed()])
                .on(Match::any(), [error(status, code, message, "")])
                .start();
            Ok(super::read(mark, link(mark, &server.url())).hold(server))
        })
    };
    vec![
        of_blob(
            "answer-blob-archived",
            409,
            "BlobArchived",
            "This operation is not permitted on an archived blob.",
            found("read.archived"),
            BLOB,
        ),
        of_blob(
            "answer-blob-rehydrated",
            409,
            "BlobBeingRehydrated",
            "This operation is not permitted because the blob is being rehydrated.",
            found("read.archived"),
            BLOB,
        ),
        of_blob(
            "answer-blob-customer-key",
            409,
            "BlobUsesCustomerSpecifiedEncryption",
            "The blob is encrypted with customer specified encryption, but it was not provided in the request.",
            found("read.key-required"),
            BLOB,
        ),
        of_blob(
            "answer-key-vault",
            403,
            "KeyVaultEncryptionKeyNotFound",
            "The key vault key is not found to unwrap the encryption key.",
            found("read.kms-denied"),
            COMMON,
        ),
        row(
            "answer-blob-immutable",
            "scripted answer",
            found("write.denied"),
            BLOB,
            move |mark| {
                let server = ScriptedHttp::script()
                .on(Match::any().query("comp=list"), [listed()])
                .on(Match::any().method("PUT"), [error(409, "BlobImmutableDueToPolicy",
                    "This operation is not permitted as the blob is immutable due to a policy.", "")])
                .on(Match::any(), [error(404, "BlobNotFound", "The specified blob does not exist.", "")])
                .start();
                let link = link(mark, &server.url());
                Ok(Seeded::write(mark, &link, "orders/out/")
                    .secret(mark.base64(64))
                    .hold(server))
            },
        ),
    ]
}

fn strangers() -> Vec<Fault> {
    let always = |name, answer: fn() -> Answer, expected, source| {
        row(name, "scripted answer", expected, source, move |mark| {
            let server = ScriptedHttp::always([answer()]);
            Ok(super::read(mark, link(mark, &server.url())).hold(server))
        })
    };
    vec![
        always(
            "login-page",
            || {
                Answer::status(200)
                    .header("content-type", "text/html")
                    .body("<html><body><form><input type=\"password\"></form></body></html>")
            },
            found("access.not-this-service").key(ENDPOINT),
            "Azure Storage REST API, List Blobs: the answer is XML",
        ),
        always(
            "store-of-s3",
            || {
                Answer::status(403)
            .header("content-type", "application/xml").header("x-amz-request-id", "4442587FB7D0A2F9")
            .body("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
            },
            found("access.not-this-service").key(ENDPOINT),
            "Amazon S3 API Reference, Common response headers: x-amz-request-id",
        ),
        always(
            "redirect",
            || Answer::status(302).header("location", "http://127.0.0.1:9/login"),
            found("access.redirected").key(ENDPOINT),
            "RFC 9110, 15.4.3: 302 Found",
        ),
        always(
            "gateway-without-service",
            || {
                Answer::status(502)
                    .header("content-type", "text/html")
                    .body("<html></html>")
            },
            found("access.server-error"),
            "RFC 9110, 15.6.3: 502 Bad Gateway",
        ),
    ]
}
