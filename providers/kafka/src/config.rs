//! What the two clauses mean. Pure: no file, clock, environment or socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use linkdial_core::clause::escape_pointer;
use linkdial_core::{Clauses, Code, Diagnosis, Key, KeyPlace, Secret, Settings};

use crate::gssapi;
use crate::keys::{
    BOOTSTRAP, BROKER_TLS, CA_FILE, CA_PEM, CACHE, CERTIFICATE_FILE, CERTIFICATE_PEM, CLIENT_ID,
    KEY_FILE, KEY_PASSWORD, KEY_PEM, KEYS, KEYTAB, MECHANISM, MECHANISMS, OAUTH_EXTENSIONS,
    OAUTH_ID, OAUTH_METHOD, OAUTH_SCOPE, OAUTH_SECRET, OAUTH_TOKEN, OAUTH_URL, PASSWORD, PRINCIPAL,
    PROTOCOL, REFUSED, SERVICE, SPOOF, TIMEOUT, USERNAME,
};
use crate::login::Login;
use crate::material::Tls;
use crate::schema_registry::Registry;
use crate::scram::Hash;
use crate::target::Address;
use crate::token::is_spelled;
use crate::token_endpoint::Oidc;
use crate::web::Service;

const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
const KNOWN_MECHANISMS: [&str; 5] = [
    "GSSAPI",
    "PLAIN",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "OAUTHBEARER",
];

/// What only a protocol with SASL uses.
const OF_SASL: [&str; 12] = [
    MECHANISM,
    MECHANISMS,
    USERNAME,
    PASSWORD,
    OAUTH_METHOD,
    OAUTH_ID,
    OAUTH_SECRET,
    OAUTH_URL,
    OAUTH_TOKEN,
    PRINCIPAL,
    KEYTAB,
    SERVICE,
];

/// What is not handed on to the client library.
const NOT_THE_CLIENTS: [&str; 15] = [
    SPOOF,
    TIMEOUT,
    BOOTSTRAP[0],
    BOOTSTRAP[1],
    CACHE[0],
    CACHE[1],
    KEYTAB,
    PRINCIPAL,
    "sasl.kerberos.disable.kinit",
    "sasl.tmpdir",
    "enable.auto.commit",
    "enable.idempotence",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "group.id",
    "transactional.id",
];

/// What only a protocol with TLS uses.
const OF_TLS: [&str; 7] = [
    CA_FILE,
    CA_PEM,
    CERTIFICATE_FILE,
    CERTIFICATE_PEM,
    KEY_FILE,
    KEY_PEM,
    KEY_PASSWORD,
];

/// A link, ready to be dialled.
#[derive(Debug)]
pub(crate) struct Config {
    /// Brokers that the link itself names, and where.
    pub(crate) bootstrap: Option<(Vec<Address>, KeyPlace)>,
    pub(crate) tls: Option<Tls>,
    pub(crate) login: Option<Login>,
    pub(crate) registry: Registry,
    spoof: BTreeMap<Address, (Address, KeyPlace)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) client_id: String,
    /// What the client library is given as it stands there.
    options: Vec<(&'static str, Secret)>,
    places: Vec<(&'static str, KeyPlace)>,
}

impl Config {
    /// Reads both clauses; every finding goes to `clauses`.
    pub(crate) fn read(clauses: &mut Clauses<'_>) -> Option<Self> {
        refuse(clauses);
        let protocol = protocol(clauses);
        let (sasl, encrypted) = match protocol {
            Some(protocol) => (protocol.starts_with("sasl"), protocol.ends_with("ssl")),
            None => (false, false),
        };
        if let Some(protocol) = protocol {
            unused(clauses, protocol, sasl, encrypted);
        }
        let config = Self {
            bootstrap: bootstrap(clauses),
            tls: encrypted.then(|| Tls::read(clauses, &BROKER_TLS)),
            registry: Registry::read(clauses),
            login: sasl.then(|| login(clauses)).flatten(),
            spoof: spoof(clauses),
            timeout: clauses
                .text(TIMEOUT)
                .and_then(|text| text.parse().ok())
                .map(Duration::from_millis),
            client_id: clauses
                .text(CLIENT_ID)
                .unwrap_or_else(|| "linkdial".to_owned()),
            options: options(clauses),
            places: KEYS
                .iter()
                .filter(|key| clauses.has(key.name))
                .map(|key| (key.name, clauses.place(key.name)))
                .collect(),
        };
        (!clauses.failed()).then_some(config)
    }

    /// Returns where a key stands, or would stand.
    pub(crate) fn place(&self, key: &str) -> KeyPlace {
        let known = self.places.iter().find(|(name, _)| *name == key);
        known.map_or_else(|| Key::place_in(KEYS, key), |(_, place)| place.clone())
    }

    /// Returns the link's own options of the client library, with the files that are meant here.
    pub(crate) fn client_options(&self, settings: &Settings) -> Vec<(String, String)> {
        let option = |(name, value): &(&str, Secret)| {
            let value = value.expose();
            let local = [CA_FILE, CERTIFICATE_FILE, KEY_FILE].contains(name) && value != "probe";
            let value = if local {
                settings.local_path(Path::new(value)).display().to_string()
            } else {
                value.to_owned()
            };
            ((*name).to_owned(), value)
        };
        self.options.iter().map(option).collect()
    }

    /// Returns whether the link has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.places.iter().any(|(name, _)| *name == key)
    }

    /// Returns whether the link means to log in, whatever its protocol says.
    pub(crate) fn names_a_login(&self) -> bool {
        self.login.is_some() || OF_SASL.iter().any(|key| self.has(key))
    }

    /// Returns the offered mechanisms that the link's user and password can be used with, those first
    /// that do not show the password. It is never shown to whom the link as it stands would not.
    pub(crate) fn usable(&self, offered: &[&str]) -> Vec<&'static str> {
        if !(self.has(USERNAME) && self.has(PASSWORD)) {
            return Vec::new();
        }
        let plain = self.tls.is_some() || matches!(self.login, Some(Login::Plain { .. }));
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
            .into_iter()
            .filter(|it| offered.contains(it) && (*it != "PLAIN" || plain))
            .collect()
    }

    /// Returns whether the login shows nobody what it is made with.
    pub(crate) const fn hides_its_secret(&self) -> bool {
        matches!(self.login, None | Some(Login::Scram { .. }))
    }

    /// Returns whether any broker is dialled in place of another.
    pub(crate) fn has_spoofs(&self) -> bool {
        !self.spoof.is_empty()
    }

    /// Returns where a broker is dialled in place of what it advertises.
    pub(crate) fn spoofed(&self, advertised: &Address) -> Option<&(Address, KeyPlace)> {
        self.spoof.get(advertised)
    }
}

/// Reads what the client library knows. It is nobody's group here and writes nothing, tokens and
/// tickets come to it ready, and what is `SingleStore`'s own it would refuse.
fn options(clauses: &Clauses<'_>) -> Vec<(&'static str, Secret)> {
    let ours = |name: &str| {
        NOT_THE_CLIENTS.contains(&name)
            || name.starts_with("schema.registry.")
            || name.starts_with("sasl.oauthbearer.")
    };
    let keys = KEYS.iter().filter(|key| !ours(key.name));
    let value = |key: &Key| Some((key.name, clauses.secret(key.name)?));
    keys.filter_map(value).collect()
}

fn refuse(clauses: &mut Clauses<'_>) {
    for group in REFUSED {
        for (option, harmless) in group.options {
            let Some(value) = clauses.text(option) else {
                continue;
            };
            if harmless.contains(&value.to_ascii_lowercase().as_str()) {
                continue;
            }
            let place = clauses.place(option);
            clauses.add(
                Diagnosis::new(
                    Code::DefineRefusedOption,
                    format!("`{option}` {}", group.reason),
                )
                .evidence("harmless", harmless.join(", "))
                .key(place)
                .hint(group.hint),
            );
        }
    }
}

/// Returns the protocol in lower case; `None` when it is none.
fn protocol(clauses: &mut Clauses<'_>) -> Option<&'static str> {
    let Some(written) = clauses.text(PROTOCOL) else {
        return Some(PROTOCOLS[0]);
    };
    let known = PROTOCOLS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(written.trim()));
    if known.is_none() {
        invalid_word(clauses, PROTOCOL, &written, &PROTOCOLS);
    }
    known
}

fn invalid_word(clauses: &mut Clauses<'_>, key: &str, found: &str, allowed: &[&str]) {
    let place = clauses.place(key);
    clauses.add(
        Diagnosis::new(
            Code::DefineInvalidValue,
            format!("`{key}` has a value that is not allowed"),
        )
        .evidence("found", found)
        .evidence("allowed", allowed.join(", "))
        .key(place.clone())
        .hint(format!("write one of: {}", allowed.join(", ")))
        .repair_word(place, found, allowed),
    );
}

/// User and password alone switch nothing on: the client goes out without them.
fn unused(clauses: &mut Clauses<'_>, protocol: &str, sasl: bool, encrypted: bool) {
    let given = |keys: &[&'static str], used: bool| {
        let given = keys.iter().filter(|key| !used && clauses.has(key));
        given.copied().collect::<Vec<_>>()
    };
    let mut keys = given(&OF_SASL, sasl);
    let login = !keys.is_empty();
    keys.extend(given(&OF_TLS, encrypted));
    let Some(first) = keys.first() else { return };
    let written = clauses.has(PROTOCOL);
    let wanted = match (
        login || sasl,
        encrypted || keys.iter().any(|key| OF_TLS.contains(key)),
    ) {
        (true, true) => "sasl_ssl",
        (true, false) => "sasl_plaintext or sasl_ssl",
        _ => "ssl",
    };
    let missing = if written {
        ""
    } else {
        " where it is not given"
    };
    let mut finding = Diagnosis::new(
        Code::DefineUnusedCredentials,
        format!("`{PROTOCOL}` is {protocol}{missing}, and `{first}` is not used by it"),
    )
    .evidence("unused", keys.join(", "))
    .hint(format!("set `{PROTOCOL}` to {wanted}, or remove them"));
    for key in keys {
        finding = finding.key(clauses.place(key));
    }
    if written {
        finding = finding.key(clauses.place(PROTOCOL));
    }
    clauses.add(finding);
}

fn bootstrap(clauses: &mut Clauses<'_>) -> Option<(Vec<Address>, KeyPlace)> {
    let key = BOOTSTRAP.into_iter().find(|key| clauses.has(key))?;
    let place = clauses.place(key);
    match Address::parse_list(&clauses.text(key)?) {
        Ok(addresses) => Some((addresses, place)),
        Err(what) => {
            clauses.add(
                Diagnosis::new(Code::DefineInvalidValue, format!("`{key}` {what}"))
                    .key(place)
                    .hint(
                        "write HOST[:PORT][,HOST[:PORT]...]; the port is 9092 where it is left out",
                    ),
            );
            None
        }
    }
}

fn spoof(clauses: &mut Clauses<'_>) -> BTreeMap<Address, (Address, KeyPlace)> {
    let root = clauses.place(SPOOF);
    let mut map = BTreeMap::new();
    for (advertised, dialled) in clauses.members(SPOOF) {
        let pointer = format!("{}/{}", root.pointer, escape_pointer(&advertised));
        let place = KeyPlace::pointer(root.clause, pointer);
        let dialled = Address::parse_whole(dialled.expose());
        match (Address::parse_whole(&advertised), dialled) {
            (Ok(advertised), Ok(dialled)) => {
                map.insert(advertised, (dialled, place));
            }
            (Err(what), _) | (_, Err(what)) => clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("an entry of `{SPOOF}` {what}"),
                )
                .key(place)
                .hint("write \"ADVERTISED_HOST:PORT\": \"HOST:PORT\""),
            ),
        }
    }
    map
}

fn mechanism(clauses: &mut Clauses<'_>) -> Option<&'static str> {
    let (one, other) = (clauses.text(MECHANISM), clauses.text(MECHANISMS));
    if let (Some(one), Some(other)) = (&one, &other)
        && one != other
    {
        let places = (clauses.place(MECHANISM), clauses.place(MECHANISMS));
        clauses.add(
            Diagnosis::new(
                Code::DefineConflictingKeys,
                format!("`{MECHANISM}` and `{MECHANISMS}` differ, and are the same option"),
            )
            .key(places.0)
            .key(places.1)
            .hint("keep one of the two"),
        );
        return None;
    }
    let key = if one.is_some() { MECHANISM } else { MECHANISMS };
    let Some(written) = one.or(other) else {
        clauses.missing(
            MECHANISM,
            "the protocol uses SASL, and `sasl.mechanism` is not given",
            format!(
                "add `{MECHANISM}`: one of {}; the client would try GSSAPI",
                KNOWN_MECHANISMS.join(", ")
            ),
        );
        return None;
    };
    let known = KNOWN_MECHANISMS.into_iter().find(|known| *known == written);
    if known.is_none() {
        invalid_word(clauses, key, &written, &KNOWN_MECHANISMS);
    }
    known
}

fn login(clauses: &mut Clauses<'_>) -> Option<Login> {
    let mechanism = mechanism(clauses)?;
    if ["GSSAPI", "OAUTHBEARER"].contains(&mechanism) && clauses.has(PASSWORD) {
        let place = clauses.place(PASSWORD);
        clauses.add(
            Diagnosis::new(
                Code::DefineUnusedCredentials,
                format!("{mechanism} does not use `{PASSWORD}`"),
            )
            .evidence("unused", PASSWORD)
            .key(place)
            .hint("remove it, or name the mechanism that is meant"),
        );
    }
    match mechanism {
        "OAUTHBEARER" => oauth(clauses),
        "GSSAPI" => gssapi::define(clauses),
        mechanism => {
            for key in [USERNAME, PASSWORD] {
                if !clauses.has(key) {
                    clauses.missing(
                        key,
                        format!("{mechanism} needs `{key}`"),
                        "add it to CREDENTIALS",
                    );
                }
            }
            let user = clauses.text(USERNAME)?;
            let password = clauses.secret(PASSWORD)?;
            let hash = match mechanism {
                "SCRAM-SHA-256" => Hash::Sha256,
                "SCRAM-SHA-512" => Hash::Sha512,
                _ => return Some(Login::Plain { user, password }),
            };
            Some(Login::Scram {
                hash,
                user,
                password,
            })
        }
    }
}

fn oauth(clauses: &mut Clauses<'_>) -> Option<Login> {
    let oidc = clauses.text(OAUTH_METHOD).as_deref() == Some("oidc");
    if oidc {
        for key in [OAUTH_ID, OAUTH_SECRET, OAUTH_URL] {
            if !clauses.has(key) {
                clauses.missing(
                    key,
                    format!("OAUTHBEARER with the method oidc needs `{key}`"),
                    "add client id, client secret and the URL of the token endpoint",
                );
            }
        }
        let url = clauses.text(OAUTH_URL);
        if url.is_some_and(|url| Service::parse(&url).is_none()) {
            let place = clauses.place(OAUTH_URL);
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{OAUTH_URL}` is no http or https URL"),
                )
                .key(place)
                .hint("write the whole URL, such as https://idp.example.com/oauth2/token"),
            );
        }
    } else if !clauses.has(OAUTH_TOKEN) {
        clauses.missing(
            OAUTH_METHOD,
            "OAUTHBEARER is given neither a token endpoint nor a token",
            format!(
                "set `{OAUTH_METHOD}` to oidc with client id, client secret and token endpoint"
            ),
        );
        return None;
    }
    let extensions = extensions(clauses);
    if let Some(token) = clauses.secret(OAUTH_TOKEN) {
        return bearer(clauses, token, extensions);
    }
    Some(Login::Oidc(Box::new(Oidc {
        service: Service::parse(&clauses.text(OAUTH_URL)?)?,
        id: clauses.text(OAUTH_ID)?,
        secret: clauses.secret(OAUTH_SECRET)?,
        scope: clauses.text(OAUTH_SCOPE),
        extensions,
    })))
}

fn bearer(
    clauses: &mut Clauses<'_>,
    token: Secret,
    extensions: Vec<(String, String)>,
) -> Option<Login> {
    if is_spelled(token.expose()) {
        return Some(Login::Token { token, extensions });
    }
    let place = clauses.place(OAUTH_TOKEN);
    clauses.add(
        Diagnosis::new(
            Code::DefineInvalidValue,
            format!("`{OAUTH_TOKEN}` holds characters that no token has"),
        )
        .key(place)
        .hint("paste the token alone: no quotes, no spaces, no `Bearer`"),
    );
    None
}

/// `name=value[,name=value...]`, as RFC 7628 and KIP-342 spell them.
fn extensions(clauses: &mut Clauses<'_>) -> Vec<(String, String)> {
    let text = clauses.text(OAUTH_EXTENSIONS).unwrap_or_default();
    let mut found = Vec::new();
    for entry in text.split(',').filter(|entry| !entry.is_empty()) {
        let good = |(name, value): &(&str, &str)| {
            !name.is_empty()
                && *name != "auth"
                && name.bytes().all(|byte| byte.is_ascii_alphabetic())
                && value
                    .bytes()
                    .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        };
        if let Some((name, value)) = entry.trim().split_once('=').filter(good) {
            found.push((name.to_owned(), value.to_owned()));
        } else {
            let place = clauses.place(OAUTH_EXTENSIONS);
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{OAUTH_EXTENSIONS}` has an entry that can not be sent"),
                )
                .key(place)
                .hint("write NAME=VALUE[,NAME=VALUE...]; names have letters only"),
            );
        }
    }
    found
}
