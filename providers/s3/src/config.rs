//! What the two clauses of an S3 link become.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::{Clauses, Code, Diagnosis, Key, KeyPlace, Outcome, Secret, Shape};
use md5::{Digest as _, Md5};
use url::Url;

use crate::address::endpoint_url;
use crate::keys::{Keys, Pair, PairForm};

/// Key id of the link's own key pair.
pub(crate) const KEY_ID: &str = "aws_access_key_id";
/// Secret of the pair.
pub(crate) const SECRET: &str = "aws_secret_access_key";
/// Token of a temporary pair.
pub(crate) const TOKEN: &str = "aws_session_token";
/// Role to take on.
pub(crate) const ROLE: &str = "role_arn";
/// Region that signs.
pub(crate) const REGION: &str = "region";
/// Another store than AWS.
pub(crate) const ENDPOINT: &str = "endpoint_url";
/// Where the role is lent, when that is not the endpoint.
pub(crate) const STS_ENDPOINT: &str = "sts_endpoint_url";
/// Bucket in the path instead of the host name.
pub(crate) const PATH_STYLE: &str = "s3_force_path_style";
/// The customer key of SSE-C.
pub(crate) const CUSTOMER_KEY: &str = "x-amz-server-side-encryption-customer-key";
/// The key of SSE-KMS.
pub(crate) const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const CUSTOMER_MD5: &str = "x-amz-server-side-encryption-customer-key-MD5";
const ENCRYPTION: &str = "x-amz-server-side-encryption";
const CREDS_MODE: &str = "creds_mode";
const EXTERNAL_ID: &str = "external_id";
const PAYER: &str = "request_payer";

/// The region of a link that names none (CREATE LINK, S3).
const DEFAULT_REGION: &str = "us-east-1";

/// Every key of an S3 link: CREATE LINK, CREATE PIPELINE and BACKUP DATABASE of the SingleStore
/// documentation; extensions are ours.
pub(crate) const KEYS: &[Key] = &[
    Key::credential(KEY_ID, Shape::Token).also(&[
        "access_id",
        "access_key_id",
        "access_key",
        "aws_access_key",
        "account_name",
    ]),
    Key::credential(SECRET, Shape::Token).secret().also(&[
        "secret_key",
        "aws_secret_key",
        "secret_access_key",
        "secret",
        "account_key",
    ]),
    Key::credential(TOKEN, Shape::Token)
        .secret()
        .also(&["session_token", "aws_security_token"]),
    Key::credential(ROLE, Shape::Text),
    Key::credential(EXTERNAL_ID, Shape::Text).extension(),
    Key::config(CREDS_MODE, Shape::Word(&["eks_irsa"])),
    Key::config(REGION, Shape::Text).also(&["aws_region"]),
    Key::config(ENDPOINT, Shape::Text),
    Key::config(STS_ENDPOINT, Shape::Text).extension(),
    Key::config(PATH_STYLE, Shape::Boolean),
    Key::config(
        ENCRYPTION,
        Shape::Word(&["AES256", "aws:kms", "aws:kms:dsse"]),
    ),
    Key::config(KMS_KEY, Shape::Text),
    Key::config(CUSTOMER_ALGORITHM, Shape::Text),
    Key::config(CUSTOMER_KEY, Shape::Text).secret(),
    Key::config(CUSTOMER_MD5, Shape::Text),
    Key::config(PAYER, Shape::Word(&["requester"])),
    Key::config("disable_gunzip", Shape::Boolean),
    Key::config("suffixes", Shape::TextList),
    Key::config("compatibility_mode", Shape::Boolean),
    Key::config("file_time_threshold", Shape::Integer(0, i64::MAX)),
    // The limits of a part of a multipart upload: 5 MiB to 5 GiB (Amazon S3, Quotas).
    Key::config("multipart_chunk_size_mb", Shape::Integer(5, 5120)),
];

/// Who the link is; nothing else can be built from its keys.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Nothing is signed.
    Anonymous,
    /// A key pair, with a token when it is temporary.
    Keys(Keys),
    /// The identity belongs to the cluster and can not be taken on here.
    Cluster,
}

/// A role to take on with the key pair.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
}

/// Encryption at rest that the link asks for.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    /// The bucket decides.
    Bucket,
    /// SSE-S3 and SSE-KMS: asked for on writing, nothing to send on reading.
    Managed {
        algorithm: String,
        key_id: Option<String>,
    },
    /// SSE-C: the key travels with every request for an object.
    Customer { key: Secret, md5: String },
}

/// An S3 link that means something.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) auth: Auth,
    pub(crate) role: Option<Role>,
    region: Option<String>,
    /// Where the service is: `endpoint_url`, else AWS in the region.
    pub(crate) base: Url,
    /// Whether `endpoint_url` names it.
    pub(crate) base_given: bool,
    /// Whether it is another store than AWS.
    pub(crate) own_store: bool,
    /// Where roles are lent, and the key that says so.
    pub(crate) sts: (Url, Option<&'static str>),
    pub(crate) path_style: Option<bool>,
    pub(crate) encryption: Encryption,
    pub(crate) requester_pays: bool,
    pub(crate) suffixes: Vec<String>,
}

impl Config {
    /// Returns whether AWS itself lends the role, whose word counts.
    pub(crate) fn asks_aws_for_roles(&self) -> bool {
        is_aws(&self.sts.0) && self.sts.0.scheme() == "https"
    }

    /// Returns whether AWS itself keeps the objects, whose word counts.
    pub(crate) fn asks_aws(&self) -> bool {
        is_aws(&self.base) && self.base.scheme() == "https"
    }

    /// Returns the region that signs.
    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(DEFAULT_REGION)
    }

    /// Returns the key that says where the service is: AWS has a host name for each region.
    pub(crate) fn base_key(&self) -> Option<&'static str> {
        if self.base_given {
            Some(ENDPOINT)
        } else {
            self.region.as_ref().map(|_| REGION)
        }
    }

    /// Returns whether nothing names a region, nor a store of one's own that has none.
    pub(crate) fn guesses_region(&self) -> bool {
        self.region.is_none() && !self.base_given
    }
}

/// Reads both clauses. Every rule runs, so that all findings come at once.
pub(crate) fn define(clauses: &mut Clauses<'_>) -> Option<Config> {
    let auth = auth(clauses);
    let role = role(clauses);
    let region = region(clauses);
    let endpoint = endpoint_url(clauses, ENDPOINT);
    let sts_endpoint = endpoint_url(clauses, STS_ENDPOINT);
    let encryption = encryption(clauses, endpoint.as_ref());
    let mut auth = auth?;
    let cluster = clauses.text(CREDS_MODE).is_some();
    if cluster || (role.is_some() && matches!(auth, Auth::Anonymous)) {
        let key = if cluster { CREDS_MODE } else { ROLE };
        clauses.add(
            Diagnosis::new(
                Code::DefineIdentityNotHere,
                format!(
                    "`{key}` uses the identity of the cluster, which this machine can not take on"
                ),
            )
            .key(clauses.place(key))
            .hint("what needs no identity is still dialled; prove the rest on the cluster"),
        );
        auth = Auth::Cluster;
    }
    let signing = region.as_deref().unwrap_or(DEFAULT_REGION);
    let own_store = endpoint.as_ref().is_some_and(|url| !is_aws(url));
    let sts = match (sts_endpoint, &endpoint) {
        (Some(url), _) => (url, Some(STS_ENDPOINT)),
        (None, Some(url)) if own_store => (url.clone(), Some(ENDPOINT)),
        (None, _) => (aws_url("sts", signing)?, None),
    };
    let base_given = endpoint.is_some();
    let base = match endpoint {
        Some(url) => url,
        None => aws_url("s3", signing)?,
    };
    Some(Config {
        auth,
        role,
        region,
        base,
        base_given,
        own_store,
        sts,
        path_style: clauses.boolean(PATH_STYLE),
        encryption: encryption?,
        requester_pays: clauses.text(PAYER).is_some(),
        suffixes: clauses.list("suffixes"),
    })
}

/// Returns the place of a key in the clause it is documented in.
pub(crate) fn place(key: &str) -> KeyPlace {
    Key::place_in(KEYS, key)
}

const PAIR: PairForm = PairForm {
    id: KEY_ID,
    secret: SECRET,
    looks_like_id,
    hint: "the id is the one that starts with AKIA or ASIA",
};

fn auth(clauses: &mut Clauses<'_>) -> Option<Auth> {
    let token = clauses.secret(TOKEN);
    if (clauses.has(KEY_ID) || clauses.has(SECRET)) && clauses.text(CREDS_MODE).is_some() {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("a key pair and `{CREDS_MODE}` exclude each other"),
            )
            .key(clauses.place(KEY_ID))
            .key(clauses.place(CREDS_MODE))
            .hint("keep the one that is meant"),
        );
    }
    match Pair::read(clauses, &PAIR) {
        Pair::Whole(keys) => {
            check_token(clauses, &keys.id, token.is_some());
            if token.as_ref().is_some_and(|it| !it.expose().is_ascii()) {
                clauses.add(
                    Diagnosis::new(
                        Code::DefineInvalidValue,
                        format!("`{TOKEN}` holds a character that no header can carry"),
                    )
                    .key(clauses.place(TOKEN))
                    .hint("copy it again, whole"),
                );
            }
            Some(Auth::Keys(Keys { token, ..keys }))
        }
        Pair::Absent if token.is_some() => {
            clauses.missing(
                KEY_ID,
                format!("`{TOKEN}` stands without a key pair"),
                "give the three values of the temporary credentials together",
            );
            None
        }
        Pair::Absent => Some(Auth::Anonymous),
        Pair::Half => None,
    }
}

/// AWS key ids are 20 capitals and digits (AWS IAM, Unique identifiers).
fn looks_like_id(text: &str) -> bool {
    text.len() == 20 && has_form_of_id(text)
}

/// Returns whether a text can be shown as an id before AWS has said that it knows it.
pub(crate) fn has_form_of_id(text: &str) -> bool {
    (text.starts_with("AKIA") || text.starts_with("ASIA")) && of_capitals(text)
}

fn of_capitals(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.bytes().all(good)
}

/// Key ids that start with `ASIA` are temporary and need a token; `AKIA` ones are long-lived
/// (AWS IAM, Unique identifiers).
fn check_token(clauses: &mut Clauses<'_>, id: &str, token: bool) {
    let shown = if has_form_of_id(id) { id } else { "" };
    if id.starts_with("ASIA") && !token {
        clauses.add(
            Diagnosis::new(
                Code::DefineTemporaryKeyWithoutToken,
                format!("`{KEY_ID}` is temporary and `{TOKEN}` is missing"),
            )
            .evidence("key_id", shown)
            .key(clauses.place(TOKEN))
            .key(clauses.place(KEY_ID))
            .hint(format!(
                "add the `{TOKEN}` that came with it, or use a long-lived key"
            )),
        );
    } else if id.starts_with("AKIA") && token {
        clauses.add(
            Diagnosis::new(
                Code::DefineTemporaryKeyWithoutToken,
                format!("`{TOKEN}` stands beside a long-lived key, which has none"),
            )
            .evidence("key_id", shown)
            .key(clauses.place(TOKEN))
            .outcome(Outcome::Warn)
            .hint(format!(
                "remove `{TOKEN}`, or give the key id it belongs to"
            )),
        );
    }
}

fn role(clauses: &mut Clauses<'_>) -> Option<Role> {
    let arn = clauses.text(ROLE)?;
    // arn:PARTITION:iam::ACCOUNT:role/NAME; compatible stores leave the account empty.
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_role = matches!(parts.as_slice(), ["arn", _, "iam", "", _, name]
        if name.strip_prefix("role/").is_some_and(|name| !name.is_empty()));
    if !is_role {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{ROLE}` is not the ARN of a role"),
            )
            .evidence("found", &arn)
            .evidence("allowed", "arn:aws:iam::<account>:role/<name>")
            .key(clauses.place(ROLE))
            .hint("copy the ARN from the role's page, not that of a user or an instance profile"),
        );
        return None;
    }
    Some(Role {
        arn,
        external_id: clauses.text(EXTERNAL_ID),
    })
}

fn region(clauses: &mut Clauses<'_>) -> Option<String> {
    let region = clauses.text(REGION)?;
    let good = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && aws_url("s3", &region).is_some();
    if !good {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{REGION}` is not the name of a region"),
            )
            .evidence("found", &region)
            .key(clauses.place(REGION))
            .hint("write it as AWS does, such as us-east-1"),
        );
    }
    Some(region)
}

/// Returns whether a URL names a service of AWS itself, such as a regional endpoint.
fn is_aws(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

/// Returns the address of a service of AWS in a region.
fn aws_url(service: &str, region: &str) -> Option<Url> {
    Url::parse(&format!(
        "https://{service}.{region}.{}",
        dns_suffix(region)
    ))
    .ok()
}

/// The DNS suffix of a region's partition (AWS General Reference, Service endpoints).
fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else if region.starts_with("us-iso-") {
        "c2s.ic.gov"
    } else if region.starts_with("us-isob-") {
        "sc2s.sgov.gov"
    } else if region.starts_with("eusc-") {
        "amazonaws.eu"
    } else {
        "amazonaws.com"
    }
}

fn encryption(clauses: &mut Clauses<'_>, endpoint: Option<&Url>) -> Option<Encryption> {
    let customer = [CUSTOMER_ALGORITHM, CUSTOMER_KEY, CUSTOMER_MD5];
    let present: Vec<&str> = customer
        .into_iter()
        .filter(|key| clauses.has(key))
        .collect();
    let algorithm = clauses.text(ENCRYPTION);
    let key_id = clauses.text(KMS_KEY);
    let managed = if algorithm.is_some() {
        ENCRYPTION
    } else {
        KMS_KEY
    };
    if !present.is_empty() && (algorithm.is_some() || key_id.is_some()) {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                "encryption by the service and by a customer key exclude each other",
            )
            .key(clauses.place(managed))
            .key(clauses.place(present[0]))
            .hint("keep the keys of one of the two"),
        );
        return None;
    }
    if key_id.is_some()
        && !algorithm
            .as_deref()
            .is_some_and(|it| it.starts_with("aws:kms"))
    {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("`{KMS_KEY}` counts only when `{ENCRYPTION}` is aws:kms"),
            )
            .key(clauses.place(ENCRYPTION))
            .key(clauses.place(KMS_KEY))
            .hint(format!(
                "set `{ENCRYPTION}` to aws:kms, or remove the key id"
            )),
        );
    }
    if present.is_empty() {
        return Some(match algorithm {
            Some(algorithm) => Encryption::Managed { algorithm, key_id },
            None => Encryption::Bucket,
        });
    }
    customer_key(clauses, customer, present.len() == customer.len(), endpoint)
}

/// The rules of SSE-C (Amazon S3, Using server-side encryption with customer-provided keys).
fn customer_key(
    clauses: &mut Clauses<'_>,
    customer: [&'static str; 3],
    complete: bool,
    endpoint: Option<&Url>,
) -> Option<Encryption> {
    let before = clauses.failed();
    let fault = |clauses: &mut Clauses<'_>, key: &str, message: String, hint: &str| {
        let place = clauses.place(key);
        clauses.add(
            Diagnosis::new(Code::DefineSseCustomerKey, message)
                .key(place)
                .hint(hint),
        );
    };
    if !complete {
        for key in customer
            .into_iter()
            .filter(|key| !clauses.has(key))
            .collect::<Vec<_>>()
        {
            fault(
                clauses,
                key,
                format!("encryption by a customer key also needs `{key}`"),
                "give algorithm, key and MD5 together",
            );
        }
    }
    if let Some(algorithm) = clauses.text(CUSTOMER_ALGORITHM).filter(|it| it != "AES256") {
        fault(
            clauses,
            CUSTOMER_ALGORITHM,
            format!("`{CUSTOMER_ALGORITHM}` is `{algorithm}`; only AES256 exists"),
            "write AES256",
        );
    }
    let key = clauses.secret(CUSTOMER_KEY);
    let decoded = key.as_ref().map(|key| STANDARD.decode(key.expose()));
    match &decoded {
        Some(Ok(bytes)) if bytes.len() == 32 => {}
        Some(Ok(bytes)) => fault(
            clauses,
            CUSTOMER_KEY,
            format!("`{CUSTOMER_KEY}` decodes to {} bytes, not 32", bytes.len()),
            "make one with `openssl rand -base64 32`",
        ),
        Some(Err(_)) => fault(
            clauses,
            CUSTOMER_KEY,
            format!("`{CUSTOMER_KEY}` is not base64"),
            "write the base64 of the 32 bytes, not the bytes themselves",
        ),
        None => {}
    }
    let md5 = clauses.text(CUSTOMER_MD5);
    if let (Some(Ok(bytes)), Some(md5)) = (&decoded, &md5)
        && bytes.len() == 32
    {
        let expected = STANDARD.encode(Md5::digest(bytes));
        if *md5 != expected {
            fault(
                clauses,
                CUSTOMER_MD5,
                format!("`{CUSTOMER_MD5}` does not belong to the key"),
                "it is the base64 of the MD5 of the 32 decoded bytes",
            );
        }
    }
    if endpoint.is_some_and(|url| url.scheme() == "http") {
        fault(
            clauses,
            ENDPOINT,
            "a customer key must not travel over plain http".to_owned(),
            "write https:// in endpoint_url; S3 refuses the key otherwise",
        );
    }
    if clauses.failed() && !before {
        return None;
    }
    Some(Encryption::Customer {
        key: key?,
        md5: md5?,
    })
}
