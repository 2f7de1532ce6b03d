//! What the two clauses of an AZURE link become.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::{
    Change, Clauses, Code, Diagnosis, Key, KeyPlace, Outcome, Secret, Shape, UrlForm,
};
use url::Url;

use crate::sas::Sas;

/// The storage account.
pub(crate) const ACCOUNT: &str = "account_name";
/// One of its two keys.
pub(crate) const ACCOUNT_KEY: &str = "account_key";
/// A shared access signature in the key's place.
pub(crate) const SAS_TOKEN: &str = "sas_token";
/// Where the account's blob service is, when that is not the public cloud.
pub(crate) const ENDPOINT: &str = "endpoint_url";

/// Every key of an AZURE link: CREATE LINK and the Azure Blob pipelines of the SingleStore
/// documentation; extensions are ours.
pub(crate) const KEYS: &[Key] = &[
    Key::credential(ACCOUNT, Shape::Text).also(&[
        "account",
        "storage_account",
        "storage_account_name",
        "azure_storage_account",
        "aws_access_key_id",
        "access_id",
    ]),
    Key::credential(ACCOUNT_KEY, Shape::Token).secret().also(&[
        "key",
        "access_key",
        "storage_account_key",
        "azure_storage_key",
        "aws_secret_access_key",
        "secret_key",
    ]),
    Key::credential(SAS_TOKEN, Shape::Token)
        .secret()
        .extension()
        .also(&["sas", "shared_access_signature"]),
    Key::config(ENDPOINT, Shape::Text).extension(),
    Key::config("disable_gunzip", Shape::Boolean),
    Key::config("suffixes", Shape::TextList),
];

/// The length of an account key in bytes (Azure, Manage storage account access keys).
const KEY_LENGTH: usize = 64;

/// Who the link is; nothing else can be built from its keys.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Every request is signed with the account's key.
    SharedKey(Secret),
    /// Every request carries the signature that somebody made.
    Sas(Sas),
}

/// Where the keys stand that a finding may be about.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) account: KeyPlace,
    /// The key or the signature, whichever the link has.
    pub(crate) proof: KeyPlace,
    pub(crate) endpoint: KeyPlace,
}

/// An AZURE link that means something.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) account: String,
    pub(crate) auth: Auth,
    /// The account's blob service, without a slash at its end where it has a path.
    pub(crate) base: Url,
    /// Whether `endpoint_url` names it.
    pub(crate) base_given: bool,
    pub(crate) suffixes: Vec<String>,
    pub(crate) places: Places,
}

impl Config {
    /// Returns whether one address serves many accounts, as that of an emulator does: the account then
    /// stands in the path. The product has a host name for each, in every cloud.
    pub(crate) fn serves_many_accounts(&self) -> bool {
        let named = |host: &str| host.contains('.');
        self.base.path() != "/" || !self.base.domain().is_some_and(named)
    }
}

/// Reads both clauses. Every rule runs, so that all findings come at once.
pub(crate) fn define(clauses: &mut Clauses<'_>) -> Option<Config> {
    if other_login(clauses) {
        return None;
    }
    let account = account(clauses);
    let endpoint = endpoint(clauses, account.as_deref());
    let auth = auth(clauses, endpoint.as_ref());
    let (account, auth) = (account?, auth?);
    let base_given = endpoint.is_some();
    let base = match endpoint {
        Some(url) => url,
        // Azure, Storage account overview, Standard endpoints.
        None => Url::parse(&format!("https://{account}.blob.core.windows.net")).ok()?,
    };
    let proof = match auth {
        Auth::SharedKey(_) => ACCOUNT_KEY,
        Auth::Sas(_) => SAS_TOKEN,
    };
    Some(Config {
        account,
        auth,
        base,
        base_given,
        suffixes: clauses.list("suffixes"),
        places: Places {
            account: clauses.place(ACCOUNT),
            proof: clauses.place(proof),
            endpoint: clauses.place(ENDPOINT),
        },
    })
}

/// Logins of Azure that no link has.
fn other_login(clauses: &mut Clauses<'_>) -> bool {
    let is = |names: &'static [&'static str]| {
        move |key: &str| {
            let key = key.to_ascii_lowercase().replace(['-', '_'], "");
            names.contains(&key.as_str())
        }
    };
    clauses.foreign(
        is(&["connectionstring", "azurestorageconnectionstring"]),
        "a link has no connection string",
        format!(
            "take AccountName and AccountKey out of it, and write them as `{ACCOUNT}` and \
             `{ACCOUNT_KEY}`"
        ),
    ) || clauses.foreign(
        is(&["tenantid", "clientid", "clientsecret"]),
        "a link logs in to Azure with no application of Entra ID",
        format!("SingleStore logs in with the account's key only: write `{ACCOUNT_KEY}`"),
    )
}

fn is_account(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=24).contains(&text.len()) && text.bytes().all(good)
}

/// 3 to 24 lower-case letters and digits (Azure, Storage account overview).
fn account(clauses: &mut Clauses<'_>) -> Option<String> {
    let Some(account) = clauses.text(ACCOUNT) else {
        clauses.missing(
            ACCOUNT,
            format!("an AZURE link needs `{ACCOUNT}`"),
            "add the name of the storage account",
        );
        return None;
    };
    if is_account(&account) {
        return Some(account);
    }
    let decoded = STANDARD.decode(&account).map(|bytes| bytes.len());
    let other = clauses.secret(ACCOUNT_KEY);
    if decoded.is_ok_and(|length| length >= 32) && other.is_some_and(|it| is_account(it.expose())) {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{ACCOUNT}` and `{ACCOUNT_KEY}` are swapped"),
            )
            .key(clauses.place(ACCOUNT))
            .key(clauses.place(ACCOUNT_KEY))
            .hint("the key is the longer one")
            .repair(Change::Swap(
                clauses.place(ACCOUNT),
                clauses.place(ACCOUNT_KEY),
            )),
        );
        return None;
    }
    // Its value stays unseen: a secret may have been put here by mistake.
    clauses.add(
        Diagnosis::new(
            Code::DefineInvalidValue,
            format!("`{ACCOUNT}` is not the name of a storage account"),
        )
        .evidence("allowed", "3 to 24 lower-case letters and digits")
        .key(clauses.place(ACCOUNT))
        .hint(if account.contains('.') {
            "write the first part of the host name alone"
        } else {
            "write the name as the portal shows it"
        }),
    );
    None
}

/// The path is the account where one address serves many, as that of an emulator does.
const FORM: UrlForm = UrlForm {
    allowed: "https://ACCOUNT.blob.SUFFIX, or http[s]://host[:port]/ACCOUNT",
    hint: "write the address of the blob service, such as https://example.blob.core.windows.net; \
           that of an emulator ends with the account, http://127.0.0.1:10000/devstoreaccount1",
    path_fault: |path| {
        let more = path.trim_matches('/').contains('/');
        more.then_some(
            "holds more than the account in its path; the container belongs to the target",
        )
    },
};

fn endpoint(clauses: &mut Clauses<'_>, account: Option<&str>) -> Option<Url> {
    let mut url = clauses.service_url(ENDPOINT, &FORM)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    let host = url.host_str().unwrap_or_default().to_owned();
    if let Some((reason, hint)) = other_service(&host, account) {
        clauses.add(
            Diagnosis::new(Code::DefineInvalidValue, format!("`{ENDPOINT}` {reason}"))
                .evidence("found", &host)
                .key(clauses.place(ENDPOINT))
                .hint(hint),
        );
        return None;
    }
    // The account is the host's first part in the product, and the path in front of an emulator.
    let first = host.split('.').next().unwrap_or_default();
    let named = if host.contains(".blob.") {
        first.trim_end_matches("-secondary")
    } else {
        path.trim_start_matches('/')
    };
    if let Some(account) = account
        && !named.is_empty()
        && named != account
    {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("`{ACCOUNT}` and `{ENDPOINT}` name two accounts"),
            )
            .evidence("account_name", account)
            .evidence("endpoint_account", named)
            .key(clauses.place(ACCOUNT))
            .key(clauses.place(ENDPOINT))
            .hint("write the same account in both"),
        );
        return None;
    }
    Some(url)
}

/// Says why a host can not be the blob service of an account, and what to write.
fn other_service(host: &str, account: Option<&str>) -> Option<(String, String)> {
    let labels: Vec<&str> = host.split('.').collect();
    let account = account.unwrap_or("ACCOUNT");
    let core = labels.iter().position(|label| *label == "core");
    for (label, service) in [
        ("dfs", "Data Lake service"),
        ("file", "file service"),
        ("queue", "queue service"),
        ("table", "table service"),
    ] {
        if core.is_some_and(|at| at > 0 && labels[at - 1] == label) {
            return Some((
                format!("names the {service}, not the blob service"),
                format!("write .blob. for .{label}."),
            ));
        }
    }
    // ACCOUNT.blob.core.SUFFIX, with a zone in between for some accounts.
    if core.is_some_and(|at| at < 2) && labels.len() > 2 {
        let suffix = labels[core.unwrap_or_default()..].join(".");
        return Some((
            "names no account".to_owned(),
            format!("write https://{account}.blob.{suffix}"),
        ));
    }
    None
}

fn auth(clauses: &mut Clauses<'_>, endpoint: Option<&Url>) -> Option<Auth> {
    let key = clauses.secret(ACCOUNT_KEY);
    let sas = clauses.secret(SAS_TOKEN);
    match (key, sas) {
        (Some(_), Some(_)) => {
            clauses.add(
                Diagnosis::new(
                    Code::DefineConflictingKeys,
                    format!("`{ACCOUNT_KEY}` and `{SAS_TOKEN}` exclude each other"),
                )
                .key(clauses.place(ACCOUNT_KEY))
                .key(clauses.place(SAS_TOKEN))
                .hint(format!(
                    "keep the one that is meant; SingleStore knows `{ACCOUNT_KEY}` only"
                )),
            );
            None
        }
        // It says already what is wrong with it.
        (Some(_), None) if clauses.failed_at(ACCOUNT_KEY) => None,
        (None, Some(_)) if clauses.failed_at(SAS_TOKEN) => None,
        (Some(key), None) => account_key(clauses, &key, endpoint.is_some()),
        (None, Some(sas)) => shared_access(clauses, &sas, endpoint),
        // One of them is there and empty.
        (None, None) if clauses.failed_at(ACCOUNT_KEY) || clauses.failed_at(SAS_TOKEN) => None,
        (None, None) => {
            clauses.missing(
                ACCOUNT_KEY,
                format!("an AZURE link needs `{ACCOUNT_KEY}`"),
                "add a key of the account: SingleStore has no AZURE links without one",
            );
            None
        }
    }
}

fn account_key(clauses: &mut Clauses<'_>, key: &Secret, own_store: bool) -> Option<Auth> {
    let place = clauses.place(ACCOUNT_KEY);
    let fault = |message: String, hint: &str| {
        Diagnosis::new(Code::DefineInvalidValue, message)
            .key(place.clone())
            .hint(hint)
    };
    let text = key.expose();
    match STANDARD.decode(text.trim()) {
        Ok(bytes) if bytes.len() == KEY_LENGTH => {}
        Ok(bytes) => {
            let finding = fault(
                format!("`{ACCOUNT_KEY}` decodes to {} bytes, not 64", bytes.len()),
                "copy key1 or key2 of the account, whole; it has 88 characters",
            );
            // Emulators take keys of any length.
            clauses.add(if own_store {
                finding.outcome(Outcome::Warn)
            } else {
                finding
            });
        }
        Err(_) => {
            clauses.add(fault(
                format!("`{ACCOUNT_KEY}` is not base64"),
                if text.contains("AccountKey=") {
                    "this is a connection string: write what stands behind AccountKey= alone"
                } else if text.contains("sig=") {
                    "this is a shared access signature: SingleStore takes the account's key only; linkdial \
                     alone reads a signature, as `sas_token`"
                } else {
                    "copy key1 or key2 of the account, whole; a `+` or `/` lost on the way looks \
                     like this"
                },
            ));
            return None;
        }
    }
    Some(Auth::SharedKey(Secret::new(text.trim())))
}

fn shared_access(
    clauses: &mut Clauses<'_>,
    token: &Secret,
    endpoint: Option<&Url>,
) -> Option<Auth> {
    let sas = match Sas::parse(token.expose()) {
        Ok(sas) => sas,
        Err(fault) => {
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{SAS_TOKEN}` {}", fault.message),
                )
                .key(clauses.place(SAS_TOKEN))
                .hint(fault.hint),
            );
            return None;
        }
    };
    if sas.https_only && endpoint.is_some_and(|url| url.scheme() == "http") {
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("`{SAS_TOKEN}` is for https alone, and `{ENDPOINT}` is http"),
            )
            .evidence("spr", "https")
            .key(clauses.place(ENDPOINT))
            .key(clauses.place(SAS_TOKEN))
            .hint("write https:// in front")
            .repair(Change::Scheme {
                place: clauses.place(ENDPOINT),
                scheme: "https",
            }),
        );
        return None;
    }
    Some(Auth::Sas(sas))
}
