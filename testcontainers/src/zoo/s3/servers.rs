//! What real stores answer: MinIO, and moto where roles are refused.

use super::super::{Expected, Family, Fault, Kind, Mark, Seeded};
use super::{CUSTOMER_KEY, KEY_ID, KMS_KEY, REGION, ROLE, SECRET, TOKEN, found};
use crate::{DnsAnswer, DnsServer, LinkStatement, Login, Minio, Moto, SSE_C_KEY, User};

const MINIO: &str = "MinIO";
const ERRORS: &str = "Amazon S3 API Reference, Error responses; the answer of MinIO is recorded";

fn answer(
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
        MINIO,
        expected,
        source,
        seed,
    )
}

/// A user of MinIO with a right that is not enough.
fn reads(mark: &Mark, user: User, target: &str) -> Seeded {
    let login = user.login();
    let link = Minio::shared().create_link("l", &login);
    Seeded::read(mark, link, target).secret(login.secret_access_key)
}

fn writes(mark: &Mark, user: User, change: fn(LinkStatement) -> LinkStatement) -> Seeded {
    let login = user.login();
    let link = change(Minio::shared().create_link("l", &login));
    Seeded::write(mark, &link, "empty/zoo/").secret(login.secret_access_key)
}

pub(super) fn faults() -> Vec<Fault> {
    [identities(), rights(), encryption()].concat()
}

fn identities() -> Vec<Fault> {
    vec![
        answer(
            "secret-wrong",
            found("authenticate.bad-secret").key(SECRET),
            ERRORS,
            |mark| {
                let login = Login::new(User::ReadOnly.login().access_key_id, mark.secret());
                Seeded::read(mark, Minio::shared().create_link("l", &login), "private")
            },
        ),
        answer(
            "id-unknown",
            found("authenticate.unknown-key").key(KEY_ID),
            ERRORS,
            |mark| {
                let login = Login::new(super::ID, mark.secret());
                Seeded::read(mark, Minio::shared().create_link("l", &login), "private")
            },
        ),
        answer(
            "user-disabled",
            found("authenticate.method-disabled").key(KEY_ID),
            "MinIO, ErrAccessKeyDisabled: InvalidAccessKeyId with `Your account is disabled`",
            |mark| reads(mark, User::Disabled, "private"),
        ),
        answer(
            "token-garbage",
            found("authenticate.token-invalid").key(TOKEN),
            ERRORS,
            |mark| {
                let mut login = User::ReadOnly.login();
                let temporary = Minio::shared().assume_role(User::ReadOnly);
                if let Ok(temporary) = temporary {
                    login = temporary;
                }
                login.session_token = Some(mark.secret());
                let link = Minio::shared().create_link("l", &login);
                Seeded::read(mark, link, "private").secret(login.secret_access_key)
            },
        ),
        answer(
            "anonymous",
            found("authenticate.required").key(KEY_ID),
            ERRORS,
            |mark| Seeded::read(mark, Minio::shared().anonymous_link("l"), "private"),
        ),
        Fault::new(
            Kind::S3,
            Family::Service,
            "role-refused",
            "moto",
            Expected::fail("authenticate.role-refused")
                .at("sts")
                .key(ROLE),
            "AWS STS API Reference, AssumeRole: AccessDenied; the answer of moto is recorded",
            |mark| {
                let moto = Moto::shared();
                let login = moto.stranger();
                let link = moto.role_link("l", login);
                Ok(Seeded::read(mark, link, "private").secret(login.secret_access_key.as_str()))
            },
        ),
        Fault::new(
            Kind::S3,
            Family::World,
            "region-misspelt",
            "name server: NXDOMAIN",
            found("resolve.not-found").key(REGION),
            "AWS General Reference, Amazon S3 endpoints: s3.REGION.amazonaws.com; RFC 1035, 4.1.1",
            |mark| {
                let server = DnsServer::always(DnsAnswer::NotFound);
                let link = super::link(mark, "http://127.0.0.1:9")
                    .without("endpoint_url")
                    .config("region", "us-esat-1");
                Ok(Seeded::read(mark, link, "orders").name_server(server))
            },
        ),
    ]
}

fn rights() -> Vec<Fault> {
    vec![
        answer(
            "bucket-missing",
            found("access.not-found"),
            ERRORS,
            |mark| reads(mark, User::Root, "no-such-bucket/2026"),
        ),
        answer(
            "list-denied",
            found("access.denied").key(KEY_ID),
            ERRORS,
            |mark| reads(mark, User::NoList, "private"),
        ),
        answer(
            "list-denied-below-prefix",
            found("access.denied").key(KEY_ID),
            ERRORS,
            |mark| reads(mark, User::Prefix, "private/other/"),
        ),
        answer(
            "without-any-right",
            found("access.denied").key(KEY_ID),
            ERRORS,
            |mark| reads(mark, User::NoPolicy, "private"),
        ),
        answer(
            "read-denied",
            found("read.denied").key(KEY_ID),
            ERRORS,
            |mark| reads(mark, User::ListOnly, "private"),
        ),
        answer(
            "region-wrong",
            found("access.wrong-region").key(REGION).mended(),
            ERRORS,
            |mark| {
                let login = User::ReadOnly.login();
                let link = Minio::shared()
                    .create_link("l", &login)
                    .config("region", "eu-west-1");
                Seeded::read(mark, link, "private").secret(login.secret_access_key)
            },
        ),
        answer(
            "write-denied",
            found("write.denied").key(KEY_ID),
            ERRORS,
            |mark| writes(mark, User::ReadOnly, |link| link),
        ),
        answer(
            "delete-denied",
            found("write.leftover").warn().key(KEY_ID),
            "Amazon S3 API Reference, DeleteObject: s3:DeleteObject; AccessDenied",
            |mark| writes(mark, User::NoDelete, |link| link),
        ),
        answer(
            "kms-key-missing",
            found("write.kms-denied").key(KMS_KEY),
            "AWS KMS API Reference, Encrypt: NotFoundException; the answer of MinIO is recorded",
            |mark| {
                writes(mark, User::Writer, |link| {
                    link.config("x-amz-server-side-encryption", "aws:kms")
                        .config(&KMS_KEY.1[1..], "no-such-key")
                })
            },
        ),
    ]
}

fn encryption() -> Vec<Fault> {
    let source = super::super::SSE_C;
    let key = |mark: &Mark| {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(mark.word().bytes().cycle()) {
            *to = from;
        }
        key
    };
    vec![
        answer(
            "customer-key-wrong",
            found("read.key-mismatch").key(CUSTOMER_KEY),
            source,
            move |mark| {
                let login = User::ReadOnly.login();
                let link = Minio::shared_tls().encrypted_link("l", &login, &key(mark));
                Seeded::read(mark, link, "sse-c")
                    .secret(login.secret_access_key)
                    .secret(mark.base64(32))
            },
        ),
        answer(
            "customer-key-not-given",
            found("read.key-required").key(CUSTOMER_KEY),
            source,
            |mark| {
                let login = User::ReadOnly.login();
                let link = Minio::shared_tls().create_link("l", &login);
                Seeded::read(mark, link, "sse-c").secret(login.secret_access_key)
            },
        ),
        answer(
            "customer-key-for-plain-object",
            found("read.not-encrypted").key(CUSTOMER_KEY),
            source,
            |mark| {
                let login = User::ReadOnly.login();
                let link = Minio::shared_tls().encrypted_link("l", &login, SSE_C_KEY);
                Seeded::read(mark, link, "private").secret(login.secret_access_key)
            },
        ),
    ]
}
