//! What the vendor's pages say a store may answer, where no server here gives it.

use super::super::peers::LISTING_ALONE;
use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{ENDPOINT, KEY_ID, KMS_KEY, REGION, ROLE, SECRET, TOKEN, found, link, temporary};
use crate::broken::{self, Broken};
use crate::{Answer, Match, ScriptedHttp};

const ERRORS: &str = "Amazon S3 API Reference, Error responses: List of error codes";
const STS: &str = "AWS STS API Reference, Common errors and AssumeRole";
const SERVER: &str = "scripted answer";

/// A listing of one object.
pub(in super::super) const ONE: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>orders</Name><Prefix></Prefix><KeyCount>1</KeyCount><MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key><Size>6</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"#;

/// An error document of S3.
fn error(status: u16, code: &str, message: &str, more: &str) -> Answer {
    Answer::status(status)
        .header("content-type", "application/xml")
        .header("x-amz-request-id", "4442587FB7D0A2F9")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>{message}</Message>{more}<RequestId>4442587FB7D0A2F9</RequestId></Error>"
        ))
}

fn answered(
    name: &str,
    expected: Expected,
    source: &'static str,
    seed: impl Fn(&Mark) -> Seeded + Send + Sync + 'static,
) -> Fault {
    let seed = move |mark: &Mark| Ok(seed(mark));
    Fault::new(
        Kind::S3,
        Family::Service,
        name,
        SERVER,
        expected,
        source,
        seed,
    )
}

/// An answer to whatever is asked.
fn always(mark: &Mark, answer: Answer) -> Seeded {
    let server = ScriptedHttp::always([answer]);
    Seeded::read(mark, link(mark, &server.url()), "orders").hold(server)
}

type Row = (
    &'static str,
    u16,
    &'static str,
    &'static str,
    &'static str,
    Expected,
);

/// Error documents for the listing of a bucket: name, status, code, message, more elements.
#[expect(clippy::too_many_lines, reason = "a table")]
fn listing() -> Vec<Row> {
    let id = |code| found(code).key(KEY_ID);
    vec![
        (
            "answer-invalid-access-key-id",
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            "",
            id("authenticate.unknown-key"),
        ),
        (
            "answer-signature-does-not-match",
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            "",
            found("authenticate.bad-secret").key(SECRET),
        ),
        (
            "answer-request-time-too-skewed",
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "<RequestTime>20200101T000000Z</RequestTime><ServerTime>2020-01-01T01:00:00Z</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>",
            found("authenticate.clock-skew"),
        ),
        (
            "answer-not-signed-up",
            403,
            "NotSignedUp",
            "Your account is not signed up for the Amazon S3 service.",
            "",
            id("authenticate.unknown-key"),
        ),
        (
            "answer-access-denied",
            403,
            "AccessDenied",
            "Access Denied",
            "",
            id("access.denied"),
        ),
        (
            "answer-account-problem",
            403,
            "AccountProblem",
            "There is a problem with your AWS account that prevents the operation from completing successfully.",
            "",
            id("access.denied"),
        ),
        (
            "answer-all-access-disabled",
            403,
            "AllAccessDisabled",
            "All access to this Amazon S3 resource has been disabled.",
            "",
            found("access.denied"),
        ),
        (
            "answer-region-in-header",
            400,
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            "<Region>eu-west-1</Region>",
            found("access.wrong-region").key(REGION),
        ),
        (
            "answer-permanent-redirect",
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
            "<Endpoint>orders.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>orders</Bucket>",
            found("access.wrong-region").key(REGION),
        ),
        (
            "answer-illegal-location",
            400,
            "IllegalLocationConstraintException",
            "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
            "",
            found("access.wrong-region").key(REGION),
        ),
        (
            "answer-no-such-bucket",
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
            "<BucketName>orders</BucketName>",
            found("access.not-found"),
        ),
        (
            "answer-invalid-bucket-name",
            400,
            "InvalidBucketName",
            "The specified bucket is not valid.",
            "",
            found("access.not-found"),
        ),
        (
            "answer-slow-down",
            503,
            "SlowDown",
            "Please reduce your request rate.",
            "",
            found("access.throttled").warn(),
        ),
        (
            "answer-service-unavailable",
            503,
            "ServiceUnavailable",
            "Service is unable to handle request.",
            "",
            found("access.server-error"),
        ),
        (
            "answer-internal-error",
            500,
            "InternalError",
            "An internal error occurred. Try again.",
            "",
            found("access.server-error"),
        ),
        (
            "answer-not-implemented",
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented.",
            "",
            found("access.request-refused"),
        ),
        (
            "answer-method-not-allowed",
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            "",
            found("access.request-refused"),
        ),
        (
            "answer-request-timeout",
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
            "",
            found("access.timed-out").key(ENDPOINT),
        ),
        (
            "answer-missing-security-header",
            400,
            "MissingSecurityHeader",
            "Your request is missing a required header.",
            "",
            found("access.request-refused"),
        ),
    ]
}

pub(super) fn faults() -> Vec<Fault> {
    let listing = listing().into_iter();
    let listing = listing.map(|(name, status, code, message, more, expected)| {
        answered(name, expected, ERRORS, move |mark| {
            always(mark, error(status, code, message, more))
        })
    });
    listing
        .chain(tokens())
        .chain(objects())
        .chain(roles())
        .chain(strangers())
        .collect()
}

fn tokens() -> Vec<Fault> {
    let row = |name: &str, code: &'static str, message: &'static str, expected| {
        answered(name, found(expected).key(TOKEN), ERRORS, move |mark| {
            let server = ScriptedHttp::always([error(400, code, message, "")]);
            Seeded::read(mark, temporary(mark, &server.url()), "orders").hold(server)
        })
    };
    vec![
        row(
            "answer-expired-token",
            "ExpiredToken",
            "The provided token has expired.",
            "authenticate.token-expired",
        ),
        row(
            "answer-invalid-token",
            "InvalidToken",
            "The provided token is malformed or otherwise not valid.",
            "authenticate.token-invalid",
        ),
        row(
            "answer-token-refresh-required",
            "TokenRefreshRequired",
            "The provided token must be refreshed.",
            "authenticate.token-expired",
        ),
    ]
}

/// Answers to the request for an object of a bucket that was listed.
fn objects() -> Vec<Fault> {
    let row = |name: &str, status, code: &'static str, message: &'static str, expected| {
        answered(name, expected, ERRORS, move |mark| {
            let list = Answer::status(200)
                .header("content-type", "application/xml")
                .body(ONE);
            let server = ScriptedHttp::script()
                .on(Match::any().query("list-type=2"), [list])
                .on(Match::any(), [error(status, code, message, "")])
                .start();
            let mut seeded = Seeded::read(mark, link(mark, &server.url()), "orders");
            seeded.untold = Some(LISTING_ALONE);
            seeded.hold(server)
        })
    };
    vec![
        row(
            "answer-object-archived",
            403,
            "InvalidObjectState",
            "The operation is not valid for the current state of the object.",
            found("read.archived"),
        ),
        row(
            "answer-object-denied",
            403,
            "AccessDenied",
            "Access Denied",
            found("read.denied").key(KEY_ID),
        ),
        row(
            "answer-object-kms-denied",
            403,
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/loader is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext",
            found("read.kms-denied").key(KEY_ID),
        ),
        row(
            "answer-object-kms-disabled",
            400,
            "KMS.DisabledException",
            "arn:aws:kms:us-east-1:123456789012:key/zoo is disabled.",
            found("read.kms-denied"),
        ),
        row(
            "answer-object-gone",
            404,
            "NoSuchKey",
            "The specified key does not exist.",
            found("access.not-found"),
        ),
        answered(
            "answer-write-without-space",
            found("write.no-space"),
            "MinIO, ErrStorageFull: XMinioStorageFull, 507",
            |mark| {
                let list = Answer::status(200)
                    .header("content-type", "application/xml")
                    .body(ONE);
                let server = ScriptedHttp::script()
                    .on(Match::any().query("list-type=2"), [list])
                    .on(Match::any().method("PUT"), [error(507, "XMinioStorageFull",
                        "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.", "")])
                    .on(Match::any(), [error(404, "NoSuchKey", "The specified key does not exist.", "")])
                    .start();
                Seeded::write(mark, &link(mark, &server.url()), "orders/out/").hold(server)
            },
        ),
        answered(
            "answer-write-kms-denied",
            found("write.kms-denied").key(KMS_KEY),
            "AWS KMS API Reference, GenerateDataKey: NotFoundException; Amazon S3 API Reference, PutObject",
            |mark| {
                let list = Answer::status(200)
                    .header("content-type", "application/xml")
                    .body(ONE);
                let server = ScriptedHttp::script()
                    .on(Match::any().query("list-type=2"), [list])
                    .on(
                        Match::any().method("PUT"),
                        [error(400, "KMS.NotFoundException", "Invalid keyId", "")],
                    )
                    .on(
                        Match::any(),
                        [error(
                            404,
                            "NoSuchKey",
                            "The specified key does not exist.",
                            "",
                        )],
                    )
                    .start();
                let link = link(mark, &server.url())
                    .config("x-amz-server-side-encryption", "aws:kms")
                    .config(&KMS_KEY.1[1..], "alias/zoo");
                Seeded::write(mark, &link, "orders/out/").hold(server)
            },
        ),
    ]
}

/// STS at the store's own address, as MinIO has it.
fn roles() -> Vec<Fault> {
    let row = |name: &str, code: &'static str, message: &'static str, expected: Expected| {
        answered(name, expected.at("sts"), STS, move |mark| {
            let document = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                 <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>"
            );
            let answer = Answer::status(403)
                .header("content-type", "text/xml")
                .body(document);
            let server = ScriptedHttp::always([answer]);
            let link = link(mark, &server.url())
                .credential("role_arn", "arn:aws:iam::123456789012:role/loader");
            Seeded::read(mark, link, "orders").hold(server)
        })
    };
    vec![
        row(
            "sts-invalid-client-token",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            found("authenticate.unknown-key").key(KEY_ID),
        ),
        row(
            "sts-signature",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
            found("authenticate.bad-secret").key(SECRET),
        ),
        row(
            "sts-signature-expired",
            "SignatureDoesNotMatch",
            "Signature expired: 20200101T000000Z is now earlier than 20200101T004500Z (20200101T010000Z - 15 min.)",
            found("authenticate.clock-skew"),
        ),
        row(
            "sts-access-denied",
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/loader is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/loader",
            found("authenticate.role-refused").key(ROLE),
        ),
    ]
}

/// What answers in the place of a store.
fn strangers() -> Vec<Fault> {
    let html = |status, body: &'static str| {
        Answer::status(status)
            .header("content-type", "text/html")
            .body(body)
    };
    let page = "<html><head><title>Login</title></head><body><form><input type=\"password\"></form></body></html>";
    vec![
        answered(
            "login-page",
            found("access.not-this-service").key(ENDPOINT),
            "Amazon S3 API Reference, ListObjectsV2: the answer is XML",
            move |mark| always(mark, html(200, page)),
        ),
        answered(
            "gateway-without-store",
            found("access.server-error"),
            "RFC 9110, 15.6.3: 502 Bad Gateway",
            move |mark| {
                always(
                    mark,
                    html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
                )
            },
        ),
        answered(
            "firewall-page",
            found("access.not-this-service").key(ENDPOINT),
            "Amazon S3 API Reference, Error responses: an error is XML with a code",
            move |mark| {
                always(
                    mark,
                    html(403, "<html><body><h1>403 Forbidden</h1></body></html>"),
                )
            },
        ),
        answered(
            "another-api",
            found("access.not-this-service").key(ENDPOINT),
            "Amazon S3 API Reference, Error responses: an error is XML with a code",
            |mark| {
                always(
                    mark,
                    Answer::status(404)
                        .header("content-type", "application/json")
                        .body("{\"message\":\"no Route matched with those values\"}"),
                )
            },
        ),
        answered(
            "redirect-to-login",
            found("access.redirected").key(ENDPOINT),
            "RFC 9110, 15.4.3: 302 Found",
            |mark| {
                always(
                    mark,
                    Answer::status(302).header("location", "http://127.0.0.1:9/login"),
                )
            },
        ),
        answered(
            "too-many-requests",
            found("access.throttled").warn(),
            "RFC 6585, 4: 429 Too Many Requests",
            |mark| always(mark, Answer::status(429).header("retry-after", "7")),
        ),
        answered(
            "bucket-in-host-not-known",
            found("access.wrong-style").key(("CONFIG", "/s3_force_path_style")),
            "Amazon S3 User Guide, Virtual hosting of buckets; ListBuckets is what the bare host answers",
            |mark| {
                let server = ScriptedHttp::always([Answer::status(200)
                    .header("content-type", "application/xml")
                    .body("<?xml version=\"1.0\"?><ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>zoo</ID></Owner><Buckets></Buckets></ListAllMyBucketsResult>")]);
                let url = format!("http://store.zoo.test:{}", server.addr().port());
                let link = link(mark, &url).config("s3_force_path_style", "false");
                Seeded::read(mark, link, "orders")
                    .own_option(
                        "--resolve",
                        "orders.store.zoo.test:127.0.0.1",
                        "the name is known to linkdial alone",
                    )
                    .hold(server)
            },
        ),
        answered(
            "answer-cut",
            found("connect.reset").key(ENDPOINT),
            "RFC 9112, 8: the connection closes before the whole answer is there",
            |mark| {
                let server = Broken::start(broken::Fault::CloseAfter { bytes: 200 });
                Seeded::read(mark, link(mark, &server.url()), "orders").hold(server)
            },
        ),
    ]
}
