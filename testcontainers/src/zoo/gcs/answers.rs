//! What stores answer: MinIO with the region `auto` where signatures are checked, fake-gcs-server
//! where none is, and the vendor's pages for the rest.

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{ACCESS_ID, ENDPOINT, ID, KEY_FILE, SECRET, found, link};
use crate::{
    Answer, DnsAnswer, DnsServer, FakeGcs, LinkStatement, Login, Match, Minio, ScriptedHttp,
    ServiceAccount, User,
};

const XML: &str = "Cloud Storage, HTTP status and error codes for XML";
const JSON: &str = "Cloud Storage, HTTP status and error codes for JSON";
const MINIO: &str =
    "Cloud Storage, HTTP status and error codes for XML; the answer of MinIO is recorded";

fn row(
    name: &str,
    server: &'static str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark) -> Seeded + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| Ok(seed(mark));
    Fault::new(
        Kind::Gcs,
        Family::Service,
        name,
        server,
        expected,
        source,
        seed,
    )
}

pub(super) fn faults() -> Vec<Fault> {
    [stores(), listing(), objects(), strangers()].concat()
}

fn reads(mark: &Mark, user: User, target: &str) -> Seeded {
    let login = user.hmac_login();
    let link = Minio::shared_gcs().create_gcs_link("l", &login);
    Seeded::read(mark, link, target).secret(login.secret_access_key)
}

fn stores() -> Vec<Fault> {
    let minio =
        |name, expected, seed: fn(&Mark) -> Seeded| row(name, "MinIO", expected, MINIO, seed);
    vec![
        minio(
            "secret-wrong",
            found("authenticate.bad-secret").key(SECRET),
            |mark| {
                let login = Login::new(User::ReadOnly.hmac_login().access_key_id, mark.secret());
                Seeded::read(
                    mark,
                    Minio::shared_gcs().create_gcs_link("l", &login),
                    "private",
                )
            },
        ),
        minio(
            "id-unknown",
            found("authenticate.unknown-key").key(ACCESS_ID),
            |mark| {
                let login = Login::new(ID, mark.secret());
                Seeded::read(
                    mark,
                    Minio::shared_gcs().create_gcs_link("l", &login),
                    "private",
                )
            },
        ),
        minio(
            "key-inactive",
            found("authenticate.method-disabled").key(ACCESS_ID),
            |mark| reads(mark, User::Disabled, "private"),
        ),
        minio("bucket-missing", found("access.not-found"), |mark| {
            reads(mark, User::Root, "no-such-bucket")
        }),
        minio(
            "list-denied",
            found("access.denied").key(ACCESS_ID),
            |mark| reads(mark, User::NoList, "private"),
        ),
        minio(
            "list-denied-below-prefix",
            found("access.denied").key(ACCESS_ID),
            |mark| reads(mark, User::Prefix, "private/other/"),
        ),
        minio("read-denied", found("read.denied").key(ACCESS_ID), |mark| {
            reads(mark, User::ListOnly, "private")
        }),
        minio(
            "anonymous",
            found("authenticate.required").key(ACCESS_ID),
            |mark| Seeded::read(mark, Minio::shared_gcs().anonymous_gcs_link("l"), "private"),
        ),
        minio(
            "write-denied",
            found("write.denied").key(ACCESS_ID),
            |mark| {
                let login = User::ReadOnly.hmac_login();
                let link = Minio::shared_gcs().create_gcs_link("l", &login);
                Seeded::write(mark, &link, "empty/zoo/").secret(login.secret_access_key)
            },
        ),
        row(
            "bucket-missing-anonymous",
            "fake-gcs-server",
            found("access.not-found"),
            "Cloud Storage, HTTP status and error codes for XML: NoSuchBucket; the answer of fake-gcs-server is recorded",
            |mark| {
                Seeded::read(
                    mark,
                    FakeGcs::shared().anonymous_link("l"),
                    "no-such-bucket",
                )
            },
        ),
        Fault::new(
            Kind::Gcs,
            Family::World,
            "google-without-name",
            "name server: NXDOMAIN",
            found("resolve.not-found"),
            "Cloud Storage, Request endpoints: storage.googleapis.com; RFC 1035, 4.1.1",
            |mark| {
                let server = DnsServer::always(DnsAnswer::NotFound);
                let link = link(mark, "").without("endpoint_url");
                Ok(Seeded::read(mark, link, "orders").name_server(server))
            },
        ),
    ]
}

/// An error document of Google.
fn error(status: u16, code: &str, message: &str, details: &str) -> Answer {
    let details = match details {
        "" => String::new(),
        details => format!("<Details>{details}</Details>"),
    };
    Answer::status(status)
        .header("content-type", "application/xml; charset=UTF-8")
        .header("x-guploader-uploadid", "AHmUCY0zoo")
        .header("server", "UploadServer")
        .body(format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>\
             <Message>{message}</Message>{details}</Error>"
        ))
}

/// Name, status, code, message, details, what to say, source.
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
    let id = |code| found(code).key(ACCESS_ID);
    let rows: Vec<Row> = vec![
        (
            "answer-invalid-security",
            403,
            "InvalidSecurity",
            "The provided security credentials are not valid.",
            "Incorrect Authorization header",
            id("authenticate.unknown-key"),
            XML,
        ),
        (
            "answer-signature-does-not-match",
            403,
            "SignatureDoesNotMatch",
            "Access denied.",
            "The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method.",
            found("authenticate.bad-secret").key(SECRET),
            XML,
        ),
        (
            "answer-request-time-too-skewed",
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the server's time is too large.",
            "",
            found("authenticate.clock-skew"),
            XML,
        ),
        (
            "answer-key-types-restricted",
            403,
            "AccessDenied",
            "Access denied.",
            "Constraint constraints/storage.restrictAuthTypes violated for the project.",
            id("authenticate.method-disabled"),
            "Organization Policy Service, Cloud Storage constraints: storage.restrictAuthTypes",
        ),
        (
            "answer-access-denied",
            403,
            "AccessDenied",
            "Access denied.",
            "zoo@zoo.iam.gserviceaccount.com does not have storage.objects.list access to the Google Cloud Storage bucket.",
            id("access.denied"),
            XML,
        ),
        (
            "answer-requester-pays",
            400,
            "UserProjectMissing",
            "Bucket is a requester pays bucket but no user project provided.",
            "",
            found("access.denied"),
            XML,
        ),
        (
            "answer-billing-closed",
            403,
            "UserProjectAccountProblem",
            "There is a problem with the project used in the request that prevents the operation from completing successfully.",
            "",
            found("access.denied"),
            XML,
        ),
        (
            "answer-perimeter",
            403,
            "SecurityPolicyViolated",
            "Request violates VPC Service Controls.",
            "Request is prohibited by organization's policy.",
            found("access.denied"),
            "VPC Service Controls, Troubleshoot common issues: prohibited by organization's policy",
        ),
        (
            "answer-no-such-bucket",
            404,
            "NoSuchBucket",
            "The specified bucket does not exist.",
            "",
            found("access.not-found"),
            XML,
        ),
        (
            "answer-invalid-bucket-name",
            400,
            "InvalidBucketName",
            "The specified bucket is not valid.",
            "",
            found("access.not-found"),
            XML,
        ),
        (
            "answer-internal-error",
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
            "",
            found("access.server-error"),
            XML,
        ),
        (
            "answer-service-unavailable",
            503,
            "ServiceUnavailable",
            "Service unavailable. Please retry.",
            "",
            found("access.server-error"),
            XML,
        ),
        (
            "answer-method-not-allowed",
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            "",
            found("access.request-refused"),
            XML,
        ),
        (
            "answer-not-implemented",
            501,
            "NotImplemented",
            "A header or query you provided requested a function that is not implemented.",
            "",
            found("access.request-refused"),
            XML,
        ),
        (
            "answer-credentials-not-supported",
            400,
            "CredentialsNotSupported",
            "This request does not support credentials.",
            "",
            found("access.request-refused"),
            XML,
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, status, code, message, details, expected, source)| {
            row(name, "scripted answer", expected, source, move |mark| {
                let server = ScriptedHttp::always([error(status, code, message, details)]);
                Seeded::read(mark, link(mark, &server.url()), "orders").hold(server)
            })
        });
    rows.chain([row(
        "answer-token-refused",
        "scripted answer",
        found("authenticate.bad-credentials").key(KEY_FILE),
        XML,
        |mark| {
            let server = ScriptedHttp::always([error(
                401,
                "AuthenticationRequired",
                "Authentication required.",
                "",
            )
            .header(
                "www-authenticate",
                "Bearer realm=\"https://accounts.google.com/\"",
            )]);
            let link = LinkStatement::new("l", "GCS")
                .credential("service_account_key", ServiceAccount::shared().json())
                .config("endpoint_url", server.url());
            let mut seeded = Seeded::read(mark, link, "orders").hold(server);
            let pem = ServiceAccount::shared().private_key_pem();
            let lines = pem
                .lines()
                .filter(|line| line.len() > 40)
                .map(str::to_owned);
            seeded.secrets.extend(lines);
            seeded
        },
    )])
    .collect()
}

/// Answers to the request for an object of a bucket that was listed.
fn objects() -> Vec<Fault> {
    let listed = || {
        Answer::status(200).header("content-type", "application/xml").body(
            "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>\
             <Name>orders</Name><Prefix></Prefix><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents>\
             <Key>a.csv</Key><Generation>1700000000000001</Generation><MetaGeneration>1</MetaGeneration>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>6</Size></Contents></ListBucketResult>")
    };
    let of_object = |name, status, code: &'static str, message: &'static str, expected, source| {
        row(name, "scripted answer", expected, source, move |mark| {
            let server = ScriptedHttp::script()
                .on(Match::any().query("list-type=2"), [listed()])
                .on(Match::any(), [error(status, code, message, "")])
                .start();
            Seeded::read(mark, link(mark, &server.url()), "orders").hold(server)
        })
    };
    vec![
        of_object(
            "answer-object-denied",
            403,
            "AccessDenied",
            "Access denied.",
            found("read.denied").key(ACCESS_ID),
            XML,
        ),
        of_object(
            "answer-object-customer-key",
            400,
            "ResourceIsEncryptedWithCustomerEncryptionKey",
            "The target object is encrypted by a customer-supplied encryption key.",
            found("read.key-required"),
            JSON,
        ),
        of_object(
            "answer-object-kms-disabled",
            400,
            "CloudKmsDisabledKey",
            "Cloud KMS key is disabled, destroyed, or scheduled to be destroyed.",
            found("read.kms-denied"),
            XML,
        ),
        row(
            "answer-object-retained",
            "scripted answer",
            found("write.denied"),
            JSON,
            move |mark| {
                let server = ScriptedHttp::script()
                .on(Match::any().query("list-type=2"), [listed()])
                .on(Match::any().method("PUT"), [error(403, "RetentionPolicyNotMet",
                    "Object is subject to bucket's retention policy and cannot be deleted or overwritten.", "")])
                .on(Match::any(), [error(404, "NoSuchKey", "The specified key does not exist.", "")])
                .start();
                Seeded::write(mark, &link(mark, &server.url()), "orders/out/").hold(server)
            },
        ),
    ]
}

fn strangers() -> Vec<Fault> {
    let always = |name, answer: fn() -> Answer, expected, source| {
        row(name, "scripted answer", expected, source, move |mark| {
            let server = ScriptedHttp::always([answer()]);
            Seeded::read(mark, link(mark, &server.url()), "orders").hold(server)
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
            "Cloud Storage, XML API, List objects: the answer is XML",
        ),
        always(
            "redirect",
            || Answer::status(302).header("location", "http://127.0.0.1:9/login"),
            found("access.redirected").key(ENDPOINT),
            "RFC 9110, 15.4.3: 302 Found",
        ),
        always(
            "firewall-page",
            || {
                Answer::status(403)
                    .header("content-type", "text/html")
                    .body("<html><h1>403 Forbidden</h1></html>")
            },
            found("access.not-this-service").key(ENDPOINT),
            "Cloud Storage, HTTP status and error codes for XML: an error is XML with a code",
        ),
    ]
}
