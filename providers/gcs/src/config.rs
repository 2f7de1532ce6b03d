//! What the two clauses of a GCS link become.

use linkdial_core::{Clauses, Code, Diagnosis, Key, KeyPlace, Shape};
use linkdial_s3::{Keys, Pair, PairForm, endpoint_url};
use url::{Host, Url};

use crate::service_account::{self, ServiceAccount};

/// Access id of the link's HMAC key.
pub(crate) const ACCESS_ID: &str = "access_id";
/// Secret of the HMAC key.
pub(crate) const SECRET: &str = "secret_key";
/// Key file of a service account.
pub(crate) const SERVICE_ACCOUNT: &str = "service_account_key";
/// Region that signs.
pub(crate) const REGION: &str = "region";
/// Another address than Google's.
pub(crate) const ENDPOINT: &str = "endpoint_url";

/// Google's own word for any region (Cloud Storage, V4 signing, credential scope).
const ANY_REGION: &str = "auto";

/// The XML API (Cloud Storage, Request endpoints).
const GOOGLE: &str = "https://storage.googleapis.com";

/// Every key of a GCS link: CREATE LINK and CREATE PIPELINE of the SingleStore documentation;
/// extensions are ours.
pub(crate) const KEYS: &[Key] = &[
    Key::credential(ACCESS_ID, Shape::Token).also(&[
        "aws_access_key_id",
        "access_key_id",
        "access_key",
        "account_name",
    ]),
    Key::credential(SECRET, Shape::Token).secret().also(&[
        "aws_secret_access_key",
        "secret_access_key",
        "secret",
        "account_key",
    ]),
    Key::credential(SERVICE_ACCOUNT, Shape::Document)
        .secret()
        .extension()
        .also(&[
            "google_application_credentials",
            "service_account",
            "service_account_json",
        ]),
    Key::config(REGION, Shape::Text),
    Key::config(ENDPOINT, Shape::Text).extension(),
    Key::config("disable_gunzip", Shape::Boolean),
    Key::config("suffixes", Shape::TextList),
];

/// Who the link is; nothing else can be built from its keys.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Nothing is signed: a public bucket.
    Anonymous,
    /// An HMAC key.
    Hmac(Keys),
    /// A service account with its private key.
    ServiceAccount(ServiceAccount),
}

/// A GCS link that means something.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) auth: Auth,
    /// The region that signs.
    pub(crate) region: String,
    /// Where the service is: `endpoint_url`, else Google.
    pub(crate) base: Url,
    /// Whether `endpoint_url` names it.
    pub(crate) base_given: bool,
    pub(crate) suffixes: Vec<String>,
}

impl Config {
    /// Returns the name of the evidence for who the link is, and who that is.
    pub(crate) fn principal(&self) -> (&'static str, &str) {
        match &self.auth {
            Auth::Anonymous => ("key_id", "anonymous"),
            // Longer than a secret, and yet none.
            Auth::Hmac(keys) if looks_like_id(&keys.id) => ("key_id", &keys.id),
            Auth::Hmac(keys) => ("key_id", keys.shown_id()),
            Auth::ServiceAccount(account) => ("principal", &account.email),
        }
    }
}

/// Reads both clauses. Every rule runs, so that all findings come at once.
pub(crate) fn define(clauses: &mut Clauses<'_>) -> Option<Config> {
    let auth = auth(clauses);
    let region = region(clauses);
    let endpoint = endpoint_url(clauses, ENDPOINT);
    if let Some((reason, hint)) = endpoint.as_ref().and_then(other_service) {
        clauses.add(
            Diagnosis::new(Code::DefineInvalidValue, format!("`{ENDPOINT}` {reason}"))
                .key(clauses.place(ENDPOINT))
                .hint(hint),
        );
    }
    let base_given = endpoint.is_some();
    let auth = auth?;
    if matches!(auth, Auth::ServiceAccount(_)) && endpoint.as_ref().is_some_and(in_the_clear) {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("`{SERVICE_ACCOUNT}` needs https, and `{ENDPOINT}` is http"),
            )
            .key(clauses.place(ENDPOINT))
            .key(clauses.place(SERVICE_ACCOUNT))
            .hint(
                "write https:// in front: the token of a service account travels with each \
                 request, and whoever reads it on the way can use it for an hour",
            ),
        );
        return None;
    }
    Some(Config {
        auth,
        region: region.unwrap_or_else(|| ANY_REGION.to_owned()),
        base: match endpoint {
            Some(url) => url,
            None => Url::parse(GOOGLE).ok()?,
        },
        base_given,
        suffixes: clauses.list("suffixes"),
    })
}

/// Says why a host of a public cloud can not be that of the service, and what to write.
fn other_service(url: &Url) -> Option<(&'static str, &'static str)> {
    let host = url.domain()?;
    if host.ends_with(".amazonaws.com") {
        return Some(("names a service of Amazon", "make an S3 link for it"));
    }
    if host.ends_with(".core.windows.net") {
        return Some(("names a service of Azure", "make an AZURE link for it"));
    }
    host.ends_with(".storage.googleapis.com").then_some((
        "names a bucket",
        "write https://storage.googleapis.com, or leave it out; the bucket belongs to the target",
    ))
}

/// Returns whether requests can be read on their way; they have none on this machine.
fn in_the_clear(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !here
}

/// Returns the place of a key in the clause it is documented in.
pub(crate) fn place(key: &str) -> KeyPlace {
    Key::place_in(KEYS, key)
}

const PAIR: PairForm = PairForm {
    id: ACCESS_ID,
    secret: SECRET,
    looks_like_id,
    hint: "the id is the one that starts with GOOG",
};

fn auth(clauses: &mut Clauses<'_>) -> Option<Auth> {
    let file = clauses.node("private_key").is_some() && clauses.node("client_email").is_some();
    if file && !clauses.has(ACCESS_ID) && !clauses.has(SERVICE_ACCOUNT) {
        clauses.foreign(
            |_| true,
            "CREDENTIALS is the key file of a service account, which SingleStore does not take",
            format!(
                "make an HMAC key for the account, and write `{ACCESS_ID}` and `{SECRET}`; linkdial alone \
                 reads the file, as the value of `{SERVICE_ACCOUNT}`"
            ),
        );
        return None;
    }
    if !clauses.has(SERVICE_ACCOUNT) {
        return match Pair::read(clauses, &PAIR) {
            Pair::Whole(keys) => Some(Auth::Hmac(keys)),
            Pair::Absent => Some(Auth::Anonymous),
            Pair::Half => None,
        };
    }
    let account = service_account::read(clauses);
    if let Some(key) = [ACCESS_ID, SECRET].into_iter().find(|key| clauses.has(key)) {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("an HMAC key and `{SERVICE_ACCOUNT}` exclude each other"),
            )
            .key(clauses.place(SERVICE_ACCOUNT))
            .key(clauses.place(key))
            .hint("keep the HMAC key: SingleStore knows no other identity for GCS"),
        );
        return None;
    }
    account.map(Auth::ServiceAccount)
}

/// Access ids start with GOOG and hold capitals and digits, 24 characters for a user and 61 for a
/// service account; secrets are 40 characters of base64 (Cloud Storage, HMAC keys).
fn looks_like_id(text: &str) -> bool {
    matches!(text.len(), 24 | 61) && has_form_of_id(text)
}

/// Returns whether a text can be shown as an id before Google has said that it knows it.
pub(crate) fn has_form_of_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.starts_with("GOOG") && text.bytes().all(good)
}

fn region(clauses: &mut Clauses<'_>) -> Option<String> {
    let region = clauses.text(REGION)?;
    // Locations are written in capitals as well (Cloud Storage, Bucket locations).
    let good = region
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !good {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{REGION}` is not the name of a location"),
            )
            .evidence("found", &region)
            .key(clauses.place(REGION))
            .hint("write it as Google does, such as us-east1, or leave it out"),
        );
    }
    Some(region)
}
