//! GSSAPI: the login at the realm's KDC before any broker is dialled, and what the brokers are told
//! then.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linkdial_core::{Clauses, Code, Diagnosis, Halt, KeyPlace, Outcome, Probe, Settings, Stage};
use linkdial_kerberos::{
    Guilty, Identity, KerberosFault, KeytabFile, Krb5Conf, LogIn, Principal, Proof, TicketCache,
    Unproved, log_in,
};

use tempfile::{NamedTempFile, TempPath};

use crate::config::Config;
use crate::keys::{CACHE, KEYTAB, MECHANISM, NO_KINIT, PRINCIPAL, SERVICE};
use crate::login::Login;

/// What the link says of the login.
#[derive(Debug)]
pub(crate) struct Gssapi {
    /// The first part of the brokers' own principals.
    pub(crate) service: String,
    /// Who logs in; the owner of the ticket cache where it is left out.
    pub(crate) principal: Option<Principal>,
    pub(crate) source: Source,
}

/// Where the proof of an identity lies on the cluster's nodes.
#[derive(Debug)]
pub(crate) enum Source {
    Keytab(PathBuf),
    /// The name of a ticket cache, such as `FILE:/tmp/cache`.
    Cache(String),
    /// A cache that somebody on the nodes keeps fresh, at a place of `SingleStore`'s choice.
    Nodes,
}

/// A login at the KDC, as the brokers are shown it.
#[derive(Debug)]
pub(crate) struct Kerberos {
    pub(crate) login: linkdial_kerberos::Login,
    pub(crate) service: String,
    pub(crate) guilty: Guilty,
    /// What makes the client library log in as the same principal; the error says why nothing does.
    pub(crate) environment: Environment,
    /// libkrb5 would ask DNS for the canonical name of a host, and then for a ticket of that name.
    pub(crate) canonicalizes: bool,
}

/// A login that only the client library can carry out.
#[derive(Debug)]
pub(crate) struct ByClient {
    /// As in [`Kerberos`].
    pub(crate) environment: Environment,
    /// Why.
    pub(crate) reason: &'static str,
}

/// Reads what both clauses say of Kerberos.
pub(crate) fn define(clauses: &mut Clauses<'_>) -> Option<Login> {
    let spelled = spelled(clauses);
    if clauses.has(KEYTAB) && !clauses.has(PRINCIPAL) {
        clauses.missing(
            PRINCIPAL,
            "a keytab is given, and nothing says for whom",
            format!("add `{PRINCIPAL}`: `klist -k KEYTAB` lists what it holds"),
        );
    }
    let cache = CACHE.into_iter().find_map(|key| clauses.text(key));
    let source = match (clauses.text(KEYTAB), cache) {
        (Some(path), _) => Source::Keytab(path.into()),
        (None, Some(name)) => Source::Cache(name),
        (None, None) if clauses.boolean(NO_KINIT) == Some(true) => Source::Nodes,
        (None, None) => {
            clauses.missing(
                KEYTAB,
                "GSSAPI is given neither a keytab nor a ticket cache",
                format!("add `{KEYTAB}` and `{PRINCIPAL}`, or `{}`", CACHE[0]),
            );
            return None;
        }
    };
    let principal = clauses.text(PRINCIPAL);
    let parsed = principal.as_deref().map(str::parse::<Principal>);
    if spelled && let Some(Err(_)) = parsed {
        let place = clauses.place(PRINCIPAL);
        clauses.add(
            Diagnosis::new(
                Code::DefineInvalidValue,
                format!("`{PRINCIPAL}` is no name of Kerberos"),
            )
            .key(place)
            .hint("write NAME[/INSTANCE]@REALM"),
        );
    }
    Some(Login::Gssapi(Box::new(Gssapi {
        service: clauses.text(SERVICE).unwrap_or_else(|| "kafka".to_owned()),
        principal: parsed.and_then(Result::ok),
        source,
    })))
}

/// The client library pastes these into the command line of kinit: nothing that a shell reads.
fn spelled(clauses: &mut Clauses<'_>) -> bool {
    let mut spelled = true;
    let rules: [(&str, &[u8], &str); 5] = [
        (SERVICE, b"-._", "letters, digits, dashes and dots"),
        (PRINCIPAL, b"-._/@", "NAME[/INSTANCE]@REALM"),
        (KEYTAB, b"-._/@+:", "a path without spaces"),
        (CACHE[0], b"-._/@+:", "a path without spaces"),
        (CACHE[1], b"-._/@+:", "a path without spaces"),
    ];
    for (key, others, allowed) in rules {
        let text = clauses.text(key).unwrap_or_default();
        let good = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        if !text.bytes().all(good) || text.starts_with('-') || text.matches('@').count() > 1 {
            spelled = false;
            let place = clauses.place(key);
            clauses.add(
                Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{key}` holds characters that it can not have"),
                )
                .evidence("allowed", allowed)
                .key(place)
                .hint("it reaches a command line on the cluster: keep to what is allowed"),
            );
        }
    }
    spelled
}

/// What a link with GSSAPI logs in with, as far as it is here.
pub(crate) struct Prepared {
    conf: Krb5Conf,
    identity: Option<Identity>,
    service: String,
    environment: Environment,
    guilty: Guilty,
}

/// What the process of the client library is given as its environment.
#[derive(Clone, Debug)]
pub(crate) enum Environment {
    /// Variables of libkrb5, and a ticket cache of its own, which goes with the last of these.
    Ready(Vec<(&'static str, OsString)>, Option<Arc<TempPath>>),
    /// Nothing makes it log in as the link does, and why.
    None(&'static str),
}

impl Environment {
    /// Returns the variables; the error says why there are none.
    pub(crate) fn variables(&self) -> Result<Vec<(&'static str, OsString)>, &'static str> {
        match self {
            Self::Ready(variables, cache) => {
                let mut variables = variables.clone();
                if let Some(cache) = cache {
                    let mut name = OsString::from("FILE:");
                    name.push(cache.as_os_str());
                    variables.push(("KRB5CCNAME", name));
                }
                Ok(variables)
            }
            Self::None(reason) => Err(reason),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        if let Self::Ready(variables, _) = &mut self {
            variables.push((name, value.into()));
        }
        self
    }
}

/// Reads the files that a link with GSSAPI names; `None` for other links. No packet is sent.
///
/// # Errors
///
/// When a file is here and wrong; the record says why.
pub(crate) async fn prepare(probe: &mut Probe, config: &Config) -> Result<Option<Prepared>, Halt> {
    let Some(Login::Gssapi(gssapi)) = &config.login else {
        return Ok(None);
    };
    let settings = Arc::clone(probe.settings());
    let guilty = guilty(config, &gssapi.source);
    let halt =
        |probe: &mut Probe, fault: KerberosFault| probe.halt(None, fault.into_diagnosis(&guilty));
    let conf = match Krb5Conf::read(&settings.krb5_conf).await {
        Ok(conf) => conf,
        Err(fault) => return Err(halt(probe, fault)),
    };
    let (proof, environment) = match read(probe, config, gssapi, &settings).await {
        Ok(read) => read,
        Err(fault) => return Err(halt(probe, fault)),
    };
    let owner = match &proof {
        Proof::Cache(cache) => Some(&cache.principal),
        Proof::Keytab(_) | Proof::Nothing => None,
    };
    let principal = gssapi.principal.as_ref().or(owner).cloned();
    let principal = principal.map(|it| it.or_realm(conf.default_realm().unwrap_or_default()));
    let mut principal = principal;
    if let Some(bare) = principal.take_if(|it| it.realm.is_empty()) {
        let finding = without_realm(config, &bare, &conf);
        if !matches!(proof, Proof::Nothing) {
            return Err(probe.halt(None, finding));
        }
        probe.finding(None, finding.outcome(Outcome::Unverified));
    }
    if let (Proof::Keytab(keytab), Some(principal)) = (&proof, &principal)
        && let Err(fault) = keytab.newest(principal)
    {
        return Err(halt(probe, fault));
    }
    let environment = environment.with("KRB5_CONFIG", settings.krb5_conf.as_os_str());
    let environment = match &proof {
        // The library takes the first principal of a keytab, whichever was meant.
        Proof::Keytab(keytab) if keytab.principals().first().copied() != principal.as_ref() => {
            Environment::None("it would log in as another principal of the keytab")
        }
        _ => environment,
    };
    let identity = principal.map(|principal| Identity {
        principal,
        proof,
        guilty: guilty.clone(),
    });
    Ok(Some(Prepared {
        conf,
        identity,
        service: gssapi.service.clone(),
        environment,
        guilty,
    }))
}

/// Logs in at the KDC of the realm; `None` where the login is not to be walked.
///
/// # Errors
///
/// When the KDC gives no ticket; the record says why.
pub(crate) async fn settle(probe: &mut Probe, prepared: Prepared) -> Result<Option<Login>, Halt> {
    if !probe.walks(Stage::Authenticate) {
        return Ok(None);
    }
    let Some(identity) = &prepared.identity else {
        return Ok(Some(unproven(
            Code::DefineIdentityNotHere,
            "its ticket lies on the nodes of the cluster",
        )));
    };
    let limit = probe.stage_timeout();
    let mut fork = probe.fork();
    let logged_in = log_in(&mut fork, &prepared.conf, identity, limit).await;
    let logged_in = if matches!(identity.proof, Proof::Nothing) {
        // The realm is the cluster's business, and this machine lacks what it would be proved with.
        // The brokers are dialled all the same.
        fork.lower_all(Outcome::Unverified);
        Ok(LogIn::Unproved(Unproved::NoKeys))
    } else {
        logged_in
    };
    probe.join(fork);
    let by_client = |reason| {
        let environment = prepared.environment.clone();
        Login::ByClient(Box::new(ByClient {
            environment,
            reason,
        }))
    };
    Ok(Some(match logged_in? {
        LogIn::Done(login) => Login::Kerberos(Box::new(Kerberos {
            login,
            service: prepared.service,
            guilty: prepared.guilty,
            environment: prepared.environment,
            canonicalizes: prepared.conf.canonicalizes_hosts(),
        })),
        LogIn::Unproved(Unproved::NoKeys) => unproven(
            Code::DefineIdentityNotHere,
            "what proves the identity lies on the nodes of the cluster",
        ),
        LogIn::Unproved(Unproved::EncryptionTypes(_)) => {
            by_client("linkdial can not compute with the encryption types of its keys")
        }
        LogIn::Unproved(Unproved::Proofs(_)) => {
            by_client("the KDC wants another proof than a timestamp")
        }
    }))
}

/// Reads what proves the identity. What is not on this machine is a finding of its own.
async fn read(
    probe: &mut Probe,
    config: &Config,
    gssapi: &Gssapi,
    settings: &Settings,
) -> Result<(Proof, Environment), KerberosFault> {
    match &gssapi.source {
        Source::Keytab(path) => {
            let local = settings.local_path(path);
            if let Some(file) = KeytabFile::read(local).await? {
                probe.pass(Stage::Define, None);
                for (name, value) in file.notes() {
                    probe.note(name, value);
                }
                let environment = Environment::Ready(Vec::new(), None)
                    .with("KRB5_CLIENT_KTNAME", local.as_os_str())
                    .with("KRB5CCNAME", "MEMORY:linkdial");
                return Ok((Proof::Keytab(file.keytab), environment));
            }
            probe.finding(None, not_here(path, config.place(KEYTAB)));
        }
        Source::Cache(name) => {
            let place = cache_place(config);
            let Some(path) = TicketCache::path_of(name) else {
                probe.finding(None, not_a_file(name, place));
                return Ok((Proof::Nothing, Environment::None("its ticket is not here")));
            };
            let local = settings.local_path(path);
            if let Some(cache) = TicketCache::read(local).await? {
                return Ok((Proof::Cache(cache), copied(local)));
            }
            probe.finding(None, not_here(path, place));
        }
        Source::Nodes => {
            let place = config.place(MECHANISM);
            probe.finding(None, on_the_nodes(place));
        }
    }
    let reason = "what proves its identity is not here";
    Ok((Proof::Nothing, Environment::None(reason)))
}

/// Gives the client library a ticket cache of its own: libkrb5 keeps every ticket that it gets there.
fn copied(cache: &Path) -> Environment {
    // Readable for this user alone, and gone with the check.
    let copy = NamedTempFile::new().and_then(|copy| {
        std::fs::copy(cache, copy.path())?;
        Ok(copy.into_temp_path())
    });
    let Ok(copy) = copy else {
        return Environment::None("the ticket cache could not be copied for it");
    };
    Environment::Ready(Vec::new(), Some(Arc::new(copy)))
}

fn guilty(config: &Config, source: &Source) -> Guilty {
    let keys = match source {
        Source::Keytab(_) => config.place(KEYTAB),
        Source::Cache(_) => cache_place(config),
        Source::Nodes => config.place(MECHANISM),
    };
    Guilty {
        principal: Some(config.place(PRINCIPAL)),
        keys: Some(keys),
        service: Some(config.place(SERVICE)),
    }
}

fn cache_place(config: &Config) -> KeyPlace {
    let known = CACHE.into_iter().find(|key| config.has(key));
    config.place(known.unwrap_or(CACHE[0]))
}

fn unproven(code: Code, reason: &'static str) -> Login {
    Login::Unproven {
        mechanism: "GSSAPI",
        code,
        reason,
    }
}

fn not_here(path: &Path, place: KeyPlace) -> Diagnosis {
    let path = path.display();
    Diagnosis::new(
        Code::DefineFileNotHere,
        format!("`{path}` is a file of the cluster that is not on this machine"),
    )
    .evidence("file", &path)
    .key(place)
    .hint(format!("give a copy with --file {path}=LOCAL_PATH"))
}

fn not_a_file(name: &str, place: KeyPlace) -> Diagnosis {
    Diagnosis::new(
        Code::DefineIdentityNotHere,
        "the ticket cache is no file, and stays on the nodes of the cluster",
    )
    .evidence("cache", name)
    .key(place)
    .hint("name a FILE: cache or a keytab to have it checked from here")
}

fn on_the_nodes(place: KeyPlace) -> Diagnosis {
    Diagnosis::new(
        Code::DefineIdentityNotHere,
        "somebody on the nodes of the cluster keeps the ticket, which can not be taken on here",
    )
    .key(place)
    .hint(format!(
        "name `{KEYTAB}` or `{}` to have it checked",
        CACHE[0]
    ))
}

fn without_realm(config: &Config, principal: &Principal, conf: &Krb5Conf) -> Diagnosis {
    Diagnosis::new(
        Code::AuthenticateRealmUnknown,
        format!(
            "`{}` has no realm, and krb5.conf names no default",
            principal.name()
        ),
    )
    .evidence("krb5_conf", conf.shown())
    .key(config.place(PRINCIPAL))
    .hint("write NAME@REALM")
}
