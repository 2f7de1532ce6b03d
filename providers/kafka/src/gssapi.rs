//! GSSAPI: the login at the realm's KDC before any broker is dialled, and what the brokers are told
//! then.

use linkdial_core::{Clauses, Code, Diagnosis, Halt, KeyPlace, Probe};
use linkdial_kerberos::{Environment, Guilty, Material, Principal, Settled, Source, Stated};

use crate::config::Config;
use crate::keys::{CACHE, KEYTAB, MECHANISM, NO_KINIT, PRINCIPAL, SERVICE};
use crate::login::Login;

/// What the link says of the login.
#[derive(Clone, Debug)]
pub(crate) struct Gssapi {
    /// The first part of the brokers' own principals.
    pub(crate) service: String,
    /// Who logs in; the owner of the ticket cache where it is left out.
    pub(crate) principal: Option<Principal>,
    pub(crate) source: Source,
    /// Whether the keys of the keytab are made wrong on purpose.
    pub(crate) wrong: bool,
}

/// A login at the KDC, as the brokers are shown it.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
        (Some(path), _) => Source::keytab(&path),
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
        wrong: false,
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
    material: Material,
    service: String,
    guilty: Guilty,
}

/// Reads the files that a link with GSSAPI names; `None` for other links. No packet is sent.
///
/// # Errors
///
/// When a file is here and wrong; the record says why.
pub(crate) async fn prepare(
    probe: &mut Probe,
    config: &Config,
    login: Option<&Login>,
) -> Result<Option<Prepared>, Halt> {
    let Some(Login::Gssapi(gssapi)) = login else {
        return Ok(None);
    };
    let guilty = guilty(config, &gssapi.source);
    let stated = Stated {
        principal: gssapi.principal.as_ref(),
        source: &gssapi.source,
        guilty: &guilty,
    };
    let mut material = Material::read(probe, stated).await?;
    if gssapi.wrong {
        material = material.with_wrong_keys();
    }
    Ok(Some(Prepared {
        material,
        service: gssapi.service.clone(),
        guilty,
    }))
}

/// Logs in at the KDC of the realm; `None` where the login is not to be walked.
///
/// # Errors
///
/// When the KDC gives no ticket; the record says why.
pub(crate) async fn settle(probe: &mut Probe, prepared: Prepared) -> Result<Option<Login>, Halt> {
    let Prepared {
        material,
        service,
        guilty,
    } = prepared;
    let canonicalizes = material.conf().canonicalizes_hosts();
    // The library takes the first principal of a keytab, whichever was meant.
    let is_first = material.is_first_of_keytab();
    let checked = |environment| {
        if is_first {
            environment
        } else {
            Environment::None("it would log in as another principal of the keytab")
        }
    };
    Ok(material.log_in(probe).await?.map(|settled| match settled {
        Settled::Done { login, environment } => Login::Kerberos(Box::new(Kerberos {
            login,
            service,
            guilty,
            environment: checked(environment),
            canonicalizes,
        })),
        Settled::NotHere(reason) => Login::Unproven {
            mechanism: "GSSAPI",
            code: Code::DefineIdentityNotHere,
            reason,
        },
        Settled::ByLibrary {
            environment,
            reason,
        } => Login::ByClient(Box::new(ByClient {
            environment: checked(environment),
            reason,
        })),
    }))
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
