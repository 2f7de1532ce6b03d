//! What the two clauses of an HDFS link become.

use linkdial_core::{Clauses, Code, Diagnosis, KeyPlace, Outcome};
use linkdial_kerberos::{Guilty, Principal, Source};

use crate::keys::{
    AUTHENTICATION, CACHE, DATA_PROTECTION, DEFAULT_FS, FALLBACK, KEYS, KEYTAB, NAMENODE_PATTERN,
    NAMENODE_PRINCIPAL, NAMENODES, OLD_DEFAULT_FS, PROXY_PROVIDER, RPC_ADDRESS, RPC_ADDRESS_ROW,
    RPC_PROTECTION, SERVICES, SUFFIXES, USE_HOSTNAME, USER,
};
use crate::target::{Authority, Location};

/// No user has a longer name, in bytes.
const MAX_USER: usize = 255;

/// Hadoop's words for levels of protection (core-default.xml, `hadoop.rpc.protection`).
const PROTECTIONS: [&str; 3] = ["authentication", "integrity", "privacy"];

/// Nobody has more name services, or more NameNodes behind one name.
const MAX_NAMES: usize = 10;

/// What stands for the host of a server in its principal (Hadoop, `SecurityUtil.HOSTNAME_PATTERN`).
const HOST: &str = "_HOST";

/// Options of the link that hdfs-native knows, besides those that are set for every check.
const PASSED_ON: [&str; 4] = [
    "dfs.client.block.write.replace-datanode-on-failure.best-effort",
    "dfs.client.block.write.replace-datanode-on-failure.enable",
    "dfs.client.block.write.replace-datanode-on-failure.policy",
    USE_HOSTNAME,
];

/// How the link logs in.
#[derive(Debug)]
pub(crate) enum Login {
    /// Nobody asks who it is.
    Simple {
        /// Whom it says that it is; else the user of the operating system.
        user: Option<String>,
    },
    Kerberos(Box<Kerberos>),
}

/// A login with Kerberos.
#[derive(Debug)]
pub(crate) struct Kerberos {
    /// The owner of the ticket cache where it is left out.
    pub(crate) principal: Option<Principal>,
    pub(crate) source: Source,
    pub(crate) guilty: Guilty,
    /// Whether Hadoop's own client would go on without Kerberos as well.
    pub(crate) fallback: bool,
}

/// A name service: a name for several `NameNode`s.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    namenodes: Vec<Namenode>,
}

/// A `NameNode` of the link.
#[derive(Clone, Debug)]
pub(crate) struct Namenode {
    pub(crate) address: Authority,
    /// The key that names it.
    pub(crate) place: Option<KeyPlace>,
}

/// An HDFS link that means something.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) login: Login,
    /// As the link has it, with `_HOST`.
    pub(crate) namenode_principal: Option<String>,
    /// A pattern in its place.
    pub(crate) namenode_pattern: Option<String>,
    /// Levels that the link takes for calls; empty where it says nothing.
    pub(crate) rpc_protections: Vec<String>,
    pub(crate) data_protection: Option<String>,
    pub(crate) use_hostname: bool,
    /// What is passed on to the client as it is.
    pub(crate) options: Vec<(String, String)>,
    services: Vec<Service>,
    default: Option<(Location, KeyPlace)>,
    pub(crate) suffixes: Vec<String>,
    places: Vec<(&'static str, KeyPlace)>,
}

impl Config {
    /// Returns the `NameNode`s of a file system; `None` where the link names none.
    pub(crate) fn namenodes(&self, authority: Option<&Authority>) -> Option<Vec<Namenode>> {
        let (authority, place) = match (authority, &self.default) {
            (Some(authority), _) => (authority, None),
            (None, Some((default, place))) => (default.authority.as_ref()?, Some(place.clone())),
            (None, None) => return None,
        };
        let named = |it: &&Service| authority.port.is_none() && it.name == authority.host;
        Some(match self.services.iter().find(named) {
            Some(service) => service.namenodes.clone(),
            None => vec![Namenode {
                address: authority.clone(),
                place,
            }],
        })
    }

    /// Returns the names of its name services.
    pub(crate) fn service_names(&self) -> Vec<&str> {
        self.services.iter().map(|it| it.name.as_str()).collect()
    }

    /// Returns where a key stands, or would stand.
    pub(crate) fn place(&self, key: &str) -> KeyPlace {
        let known = self.places.iter().find(|(name, _)| *name == key);
        known.map_or_else(
            || KeyPlace::key(linkdial_core::ClauseName::Config, key),
            |(_, place)| place.clone(),
        )
    }

    /// Returns whether the link expects a `NameNode` of this service and host; of this realm, where both are
    /// known.
    pub(crate) fn expects(&self, service: &str, host: &str, realm: Option<&str>) -> bool {
        let expected = self.namenode_principal.as_deref().unwrap_or_default();
        let (name, wanted_realm) = match expected.split_once('@') {
            Some((name, realm)) => (name, Some(realm)),
            None => (expected, None),
        };
        let (wanted, instance) = name.split_once('/').unwrap_or((name, HOST));
        // What `_HOST` becomes is the business of DNS.
        let same_host = instance == HOST || instance.eq_ignore_ascii_case(host);
        let same_realm = wanted_realm
            .zip(realm)
            .is_none_or(|(wanted, realm)| wanted == realm);
        wanted == service && same_host && same_realm
    }
}

/// Reads both clauses. Every rule runs, so that all findings come at once.
pub(crate) fn define(clauses: &mut Clauses<'_>) -> Option<Config> {
    let login = login(clauses);
    let namenode_principal = server_principal(clauses);
    let rpc_protections = protections(clauses, RPC_PROTECTION);
    let data_protections = protections(clauses, DATA_PROTECTION);
    let services = services(clauses);
    let default = default(clauses);
    let options = PASSED_ON
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), clauses.text(key)?)));
    Some(Config {
        options: options.collect(),
        namenode_principal,
        namenode_pattern: clauses.text(NAMENODE_PATTERN),
        rpc_protections,
        data_protection: (!data_protections.is_empty()).then(|| data_protections.join(",")),
        use_hostname: clauses.boolean(USE_HOSTNAME).unwrap_or(false),
        services,
        default,
        suffixes: clauses.list(SUFFIXES),
        places: KEYS
            .iter()
            .filter(|key| !key.name.ends_with('*'))
            .map(|key| (key.name, clauses.place(key.name)))
            .collect(),
        login: login?,
    })
}

fn login(clauses: &mut Clauses<'_>) -> Option<Login> {
    let method = clauses.text(AUTHENTICATION);
    let user = clauses.text(USER);
    match method.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("simple") => {
            if clauses.has(KEYTAB) || clauses.has(CACHE) {
                let key = if clauses.has(KEYTAB) { KEYTAB } else { CACHE };
                let mut finding = Diagnosis::new(
                    Code::DefineUnusedCredentials,
                    format!("`{key}` is given, and the link does not log in with Kerberos"),
                );
                if method.is_some() {
                    finding = finding.key(clauses.place(AUTHENTICATION));
                }
                clauses.add(finding.key(clauses.place(key)).hint(format!(
                    "set `{AUTHENTICATION}` to kerberos, or remove `{key}`"
                )));
            }
            // The realm of a principal means nothing to a server that does not ask.
            let user =
                user.map(|user| user.split(['/', '@']).next().unwrap_or_default().to_owned());
            let good = |user: &str| {
                !user.is_empty() && user.len() <= MAX_USER && !user.contains(char::is_control)
            };
            if user.as_deref().is_some_and(|user| !good(user)) {
                clauses.add(
                    Diagnosis::new(
                        Code::DefineInvalidValue,
                        format!("`{USER}` is no name of a user"),
                    )
                    .key(clauses.place(USER))
                    .hint("write the name that HDFS knows the user by"),
                );
                return None;
            }
            Some(Login::Simple { user })
        }
        Some("kerberos") => {
            kerberos(clauses, user.as_deref()).map(|it| Login::Kerberos(Box::new(it)))
        }
        Some(_) => {
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{AUTHENTICATION}` has a value that is not allowed"),
                )
                .evidence("found", method.unwrap_or_default())
                .evidence("allowed", "simple, kerberos")
                .key(clauses.place(AUTHENTICATION))
                .hint("write simple or kerberos"),
            );
            None
        }
    }
}

fn kerberos(clauses: &mut Clauses<'_>, user: Option<&str>) -> Option<Kerberos> {
    let (keytab, cache) = (clauses.text(KEYTAB), clauses.text(CACHE));
    if user.is_none() && cache.is_none() {
        clauses.missing(
            USER,
            "the link logs in with Kerberos, and nothing says as whom",
            format!("add `{USER}`, such as loader@EXAMPLE.COM"),
        );
    }
    let (source, keys) = match (keytab, cache) {
        (Some(path), _) => (Source::keytab(&path), KEYTAB),
        (None, Some(name)) => (Source::Cache(name), CACHE),
        (None, None) => {
            clauses.missing(
                KEYTAB,
                "the link logs in with Kerberos, and names neither a keytab nor a ticket cache",
                format!("add `{KEYTAB}`, the path of a keytab on every node of the cluster"),
            );
            return None;
        }
    };
    let principal = user.map(str::parse::<Principal>);
    if let Some(Err(_)) = principal {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{USER}` is no name of Kerberos"),
            )
            .key(clauses.place(USER))
            .hint("write NAME[/INSTANCE]@REALM"),
        );
    }
    if !clauses.has(NAMENODE_PRINCIPAL) && !clauses.has(NAMENODE_PATTERN) {
        let place = clauses.place(NAMENODE_PRINCIPAL);
        clauses.add(
            Diagnosis::new(
                Code::DefineMissingKey,
                "nothing says whom the NameNode has to be, and Hadoop's own client asks for that",
            )
            .outcome(Outcome::Warn)
            .key(place)
            .hint(format!(
                "add `{NAMENODE_PRINCIPAL}` as the cluster's hdfs-site.xml has it"
            )),
        );
    }
    Some(Kerberos {
        principal: principal.and_then(Result::ok),
        source,
        guilty: Guilty {
            principal: Some(clauses.place(USER)),
            keys: Some(clauses.place(keys)),
            service: Some(clauses.place(NAMENODE_PRINCIPAL)),
        },
        fallback: clauses.boolean(FALLBACK).unwrap_or(false),
    })
}

/// Reads whom the `NameNode` has to be.
fn server_principal(clauses: &mut Clauses<'_>) -> Option<String> {
    let text = clauses.text(NAMENODE_PRINCIPAL)?;
    let parsed = text.parse::<Principal>();
    if parsed.is_ok_and(|it| it.components.len() == 2) {
        return Some(text);
    }
    clauses.add(
        Diagnosis::new(
            Code::DefineInvalidValue,
            format!("`{NAMENODE_PRINCIPAL}` is no principal of a server"),
        )
        .evidence("found", &text)
        .key(clauses.place(NAMENODE_PRINCIPAL))
        .hint("write SERVICE/_HOST@REALM, as the cluster's hdfs-site.xml has it"),
    );
    None
}

/// Reads a list of levels of protection.
fn protections(clauses: &mut Clauses<'_>, key: &'static str) -> Vec<String> {
    let text = clauses.text(key).unwrap_or_default();
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    if words
        .iter()
        .any(|word| !PROTECTIONS.contains(&word.as_str()))
    {
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{key}` has a value that is not allowed"),
            )
            .evidence("found", &text)
            .evidence("allowed", PROTECTIONS.join(", "))
            .key(clauses.place(key))
            .hint(format!("write one of: {}", PROTECTIONS.join(", "))),
        );
    }
    words
}

/// Reads the name services and their `NameNode`s.
fn services(clauses: &mut Clauses<'_>) -> Vec<Service> {
    let mut services = Vec::new();
    for name in list(clauses, SERVICES) {
        let key = format!("{NAMENODES}{name}");
        if clauses.text(&key).is_none() {
            clauses.missing(
                &key,
                format!("`{SERVICES}` names `{name}`, and nothing says which NameNodes it has"),
                format!("add `{key}`, such as nn1,nn2"),
            );
            continue;
        }
        let mut namenodes = Vec::new();
        for id in list(clauses, &key) {
            let address = format!("{RPC_ADDRESS}{name}.{id}");
            namenodes.extend(namenode(clauses, &address, &key, &id));
        }
        proxy_provider(clauses, &name);
        services.push(Service { name, namenodes });
    }
    unnamed(clauses, &services);
    services
}

/// Without it Hadoop's own client takes the name of the service for that of a host.
fn proxy_provider(clauses: &mut Clauses<'_>, service: &str) {
    const USUAL: &str = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider";
    let key = format!("{PROXY_PROVIDER}{service}");
    match clauses.text(&key) {
        None => clauses.missing(
            &key,
            format!("nothing says how the active NameNode of `{service}` is found"),
            format!("add `{key}` with the value {USUAL}"),
        ),
        Some(class) if !class.contains('.') => {
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{key}` is no class of Java with its package"),
                )
                .evidence("found", &class)
                .key(clauses.place(&key))
                .hint(format!("write it whole, such as {USUAL}")),
            );
        }
        Some(_) => {}
    }
}

/// Reads a list of names, each once.
fn list(clauses: &mut Clauses<'_>, key: &str) -> Vec<String> {
    let text = clauses.text(key).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name.is_empty() || names.iter().any(|known| known == name) {
            continue;
        }
        if names.len() == MAX_NAMES {
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{key}` names more than {MAX_NAMES}"),
                )
                .key(clauses.place(key))
                .hint("name those that the link is used with"),
            );
            break;
        }
        names.push(name.to_owned());
    }
    names
}

fn namenode(clauses: &mut Clauses<'_>, key: &str, list: &str, id: &str) -> Option<Namenode> {
    let Some(text) = clauses.text(key) else {
        clauses.missing(
            key,
            format!("`{list}` names `{id}`, and nothing says where it is"),
            format!("add `{key}`, such as nn1.example.com:8020"),
        );
        return None;
    };
    match Authority::parse(&text) {
        Ok(address) => Some(Namenode {
            address,
            place: Some(clauses.place(key)),
        }),
        Err(reason) => {
            clauses.add(
                Diagnosis::new(Code::DefineInvalidValue, format!("`{key}` {reason}"))
                    .evidence("found", &text)
                    .key(clauses.place(key))
                    .hint("write HOST:PORT"),
            );
            None
        }
    }
}

/// An address of a name service that the link does not name counts for nothing.
fn unnamed(clauses: &mut Clauses<'_>, services: &[Service]) {
    for (key, _) in clauses.texts_of(RPC_ADDRESS_ROW) {
        let service = key[RPC_ADDRESS.len()..]
            .split('.')
            .next()
            .unwrap_or_default();
        if !services.iter().any(|it| it.name == service) && !clauses.has(SERVICES) {
            clauses.missing(
                SERVICES,
                format!("`{key}` is the address of a name service that the link does not name"),
                format!("add `{SERVICES}` with the value {service}"),
            );
            return;
        }
    }
}

fn default(clauses: &mut Clauses<'_>) -> Option<(Location, KeyPlace)> {
    let given = [DEFAULT_FS, OLD_DEFAULT_FS];
    let key = given.into_iter().find(|key| clauses.has(key))?;
    let text = clauses.text(key)?;
    let place = clauses.place(key);
    let reason = match Location::read(&text) {
        Ok(location) if location.authority.is_some() => return Some((location, place)),
        Ok(_) => (
            "names no host",
            "write hdfs://HOST:PORT or hdfs://NAMESERVICE",
        ),
        Err(reason) => reason,
    };
    clauses.add(
        Diagnosis::new(Code::DefineInvalidValue, format!("`{key}` {}", reason.0))
            .key(place)
            .hint(reason.1),
    );
    None
}
