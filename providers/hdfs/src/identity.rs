//! Who the link is, once its realm has been asked.

use std::ffi::OsString;

use linkdial_core::{Halt, Probe};
use linkdial_kerberos::{Identity, Login as Ticket, Material, Proof, Settled, Source, Stated};

use crate::config::{Config, Kerberos, Login};

/// Who the link is.
#[derive(Debug)]
pub(crate) enum Who {
    /// Whom it says that it is.
    Simple(String),
    Kerberos(Box<Known>),
    /// What proves it is on the cluster's nodes; the reason, for a note.
    NotHere(&'static str),
}

/// An identity of Kerberos.
#[derive(Debug)]
pub(crate) struct Known {
    /// What gets tickets for servers; why there is none where only the client library can log in.
    pub(crate) ticket: Result<Ticket, &'static str>,
    /// The principal, and the path of its keytab here.
    pub(crate) keytab: Option<(String, String)>,
    /// What the client library needs; the error says why there is nothing.
    pub(crate) environment: Result<Vec<(&'static str, OsString)>, &'static str>,
    /// Keeps the files of the environment.
    _environment: linkdial_kerberos::Environment,
}

/// Reads the files that a link with Kerberos names; `None` for other links. No packet is sent.
///
/// # Errors
///
/// When a file is here and wrong; the record says why.
pub(crate) async fn prepare(probe: &mut Probe, config: &Config) -> Result<Option<Material>, Halt> {
    let Login::Kerberos(kerberos) = &config.login else {
        return Ok(None);
    };
    let stated = Stated {
        principal: kerberos.principal.as_ref(),
        source: &kerberos.source,
        guilty: &kerberos.guilty,
    };
    Material::read(probe, stated).await.map(Some)
}

/// Finds out who the link is: logs in at the KDC of the realm; `None` where that is not to be walked.
///
/// # Errors
///
/// When the KDC gives no ticket; the record says why.
pub(crate) async fn settle(
    probe: &mut Probe,
    config: &Config,
    material: Option<Material>,
) -> Result<Option<Who>, Halt> {
    let (kerberos, material) = match (&config.login, material) {
        (Login::Kerberos(kerberos), Some(material)) => (kerberos, material),
        (Login::Simple { user }, _) => return Ok(Some(Who::Simple(simple(user.as_deref())))),
        (Login::Kerberos(_), None) => return Ok(None),
    };
    let keytab = material
        .identity()
        .and_then(|it| keytab(probe, kerberos, it));
    Ok(material.log_in(probe).await?.map(|settled| {
        let (ticket, environment) = match settled {
            Settled::NotHere(reason) => return Who::NotHere(reason),
            Settled::Done { login, environment } => (Ok(login), environment),
            Settled::ByLibrary {
                environment,
                reason,
            } => (Err(reason), environment),
        };
        Who::Kerberos(Box::new(Known {
            ticket,
            keytab,
            environment: environment.variables(),
            _environment: environment,
        }))
    }))
}

/// The user of the link, else that of the operating system, as Hadoop's own client has it.
fn simple(user: Option<&str>) -> String {
    let system = || whoami::username().unwrap_or_else(|_| "nobody".to_owned());
    user.map_or_else(system, str::to_owned)
}

fn keytab(probe: &Probe, kerberos: &Kerberos, identity: &Identity) -> Option<(String, String)> {
    let (Proof::Keytab(_), Source::Keytab(path)) = (&identity.proof, &kerberos.source) else {
        return None;
    };
    let local = probe.settings().local_path(path);
    Some((identity.principal.to_string(), local.display().to_string()))
}

impl Who {
    /// Names it on the record.
    pub(crate) fn note(&self, probe: &mut Probe) {
        match self {
            Self::Simple(user) => probe.note("user", user),
            Self::Kerberos(known) => match &known.ticket {
                Ok(ticket) => probe.note("principal", ticket.principal()),
                Err(reason) => probe.note("login", format!("by libkrb5 alone: {reason}")),
            },
            Self::NotHere(_) => {}
        }
    }
}
