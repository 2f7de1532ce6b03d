//! What a link logs in with: files of the cluster's nodes, as far as they are on this machine.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linkdial_core::{Code, Diagnosis, Halt, KeyPlace, Outcome, Probe, Role, Settings, Stage};
use tempfile::{NamedTempFile, TempPath};

use crate::cache::TicketCache;
use crate::conf::Krb5Conf;
use crate::fault::{Guilty, KerberosFault};
use crate::identity::{Identity, Proof};
use crate::keytab::KeytabFile;
use crate::login::{LogIn, Login, Unproved, log_in};
use crate::principal::Principal;

/// Where the proof of an identity lies on the cluster's nodes.
#[derive(Clone, Debug)]
pub enum Source {
    /// A keytab.
    Keytab(PathBuf),
    /// The name of a ticket cache, such as `FILE:/tmp/cache`.
    Cache(String),
    /// A cache that somebody on the nodes keeps fresh, at a place that the link does not name.
    Nodes,
}

impl Source {
    /// Takes the name of a keytab, with `FILE:` in front or without.
    pub fn keytab(name: &str) -> Self {
        Self::Keytab(name.strip_prefix("FILE:").unwrap_or(name).into())
    }
}

/// What makes libkrb5 log in with the same proof, in a process of its own.
#[derive(Clone, Debug)]
pub enum Environment {
    /// These variables.
    Ready(Ready),
    /// Nothing does, and why.
    None(&'static str),
}

/// Variables of libkrb5, and what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    variables: Vec<(&'static str, OsString)>,
    /// A ticket cache of its own, which goes with the last of these.
    cache: Option<Arc<TempPath>>,
    /// Where KDCs listen.
    ports: Vec<u16>,
}

/// The port of KDCs that other realms are referred to.
const KERBEROS: u16 = 88;

impl Environment {
    /// Returns the variables; the error says why there are none.
    ///
    /// # Errors
    ///
    /// The reason, for a note.
    pub fn variables(&self) -> Result<Vec<(&'static str, OsString)>, &'static str> {
        match self {
            Self::Ready(ready) => {
                let mut variables = ready.variables.clone();
                if let Some(cache) = &ready.cache {
                    let mut name = OsString::from("FILE:");
                    name.push(cache.as_os_str());
                    variables.push(("KRB5CCNAME", name));
                }
                Ok(variables)
            }
            Self::None(reason) => Err(reason),
        }
    }

    /// Returns the ports of the KDCs.
    pub fn ports(&self) -> &[u16] {
        match self {
            Self::Ready(ready) => &ready.ports,
            Self::None(_) => &[],
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        if let Self::Ready(ready) = &mut self {
            ready.variables.push((name, value.into()));
        }
        self
    }

    /// Lets it go to the KDCs that were asked; libkrb5 would go to a refused one all the same.
    fn reaching(mut self, asked: &Probe) -> Self {
        if asked.has_code(Code::ResolveAddressRefused) {
            return Self::None("an address of a KDC must not be dialled");
        }
        if let Self::Ready(ready) = &mut self {
            let kdcs = asked.endpoints(Role::Kdc).into_iter();
            ready.ports = kdcs.map(|it| it.port).chain([KERBEROS]).collect();
        }
        self
    }
}

/// What a link says of its login.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// Who logs in; the owner of the ticket cache where it is left out.
    pub principal: Option<&'a Principal>,
    /// Where its proof lies.
    pub source: &'a Source,
    /// Where the link says so.
    pub guilty: &'a Guilty,
}

/// What a link logs in with, as far as it is here.
#[derive(Debug)]
pub struct Material {
    conf: Krb5Conf,
    identity: Option<Identity>,
    environment: Environment,
}

/// How the login ended, where it did not fail.
#[derive(Debug)]
pub enum Settled {
    /// The KDC gave a ticket that gets others.
    Done {
        /// The ticket.
        login: Login,
        /// What makes libkrb5 do the same.
        environment: Environment,
    },
    /// What proves the identity lies on the nodes; the reason, for a note.
    NotHere(&'static str),
    /// Only libkrb5 can log in; the reason, for a note.
    ByLibrary {
        /// What it needs.
        environment: Environment,
        /// Why.
        reason: &'static str,
    },
}

impl Material {
    /// Reads the files that a link names. No packet is sent. What is not on this machine is a finding
    /// of its own, and no failure.
    ///
    /// # Errors
    ///
    /// When a file is here and wrong; the record says why.
    pub async fn read(probe: &mut Probe, stated: Stated<'_>) -> Result<Self, Halt> {
        let settings = Arc::clone(probe.settings());
        let halt = |probe: &mut Probe, fault: KerberosFault| {
            probe.halt(None, fault.into_diagnosis(stated.guilty))
        };
        let conf = match Krb5Conf::read(&settings.krb5_conf).await {
            Ok(conf) => conf,
            Err(fault) => return Err(halt(probe, fault)),
        };
        let (proof, environment) = match look(probe, stated, &settings).await {
            Ok(read) => read,
            Err(fault) => return Err(halt(probe, fault)),
        };
        let owner = match &proof {
            Proof::Cache(cache) => Some(&cache.principal),
            Proof::Keytab(_) | Proof::Nothing => None,
        };
        let principal = stated.principal.or(owner).cloned();
        let mut principal =
            principal.map(|it| it.or_realm(conf.default_realm().unwrap_or_default()));
        if let Some(bare) = principal.take_if(|it| it.realm.is_empty()) {
            let finding = without_realm(stated.guilty, &bare, &conf);
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
        let identity = principal.map(|principal| Identity {
            principal,
            proof,
            guilty: stated.guilty.clone(),
        });
        Ok(Self {
            environment: environment.with("KRB5_CONFIG", settings.krb5_conf.as_os_str()),
            conf,
            identity,
        })
    }

    /// Returns the same with one bit of every key of the keytab changed. No library is to log in
    /// with it: that would take the keytab itself.
    #[must_use]
    pub fn with_wrong_keys(mut self) -> Self {
        if let Some(Identity {
            proof: Proof::Keytab(keytab),
            ..
        }) = &mut self.identity
        {
            keytab.spoil();
        }
        self.environment = Environment::None("a wrong key is for the KDC alone");
        self
    }

    /// Returns what `krb5.conf` says.
    pub fn conf(&self) -> &Krb5Conf {
        &self.conf
    }

    /// Returns who logs in, where that is known here.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns whether a library that takes the first principal of a keytab takes the right one.
    pub fn is_first_of_keytab(&self) -> bool {
        match &self.identity {
            Some(Identity {
                principal,
                proof: Proof::Keytab(keytab),
                ..
            }) => keytab.principals().first().copied() == Some(principal),
            _ => true,
        }
    }

    /// Logs in at the KDCs of the realm; `None` where the login is not to be walked.
    ///
    /// # Errors
    ///
    /// When no KDC gives a ticket; the record says why.
    pub async fn log_in(self, probe: &mut Probe) -> Result<Option<Settled>, Halt> {
        if !probe.walks(Stage::Authenticate) {
            return Ok(None);
        }
        let Some(identity) = &self.identity else {
            return Ok(Some(Settled::NotHere(
                "its ticket lies on the nodes of the cluster",
            )));
        };
        let limit = probe.stage_timeout();
        let mut fork = probe.fork();
        let logged_in = log_in(&mut fork, &self.conf, identity, limit).await;
        let logged_in = if matches!(identity.proof, Proof::Nothing) {
            // The realm is the cluster's business, and this machine lacks what it would be proved
            // with. The servers are dialled all the same.
            fork.lower_all(Outcome::Unverified);
            Ok(LogIn::Unproved(Unproved::NoKeys))
        } else {
            logged_in
        };
        let environment = self.environment.reaching(&fork);
        probe.join(fork);
        let by_library = |reason| Settled::ByLibrary {
            environment: environment.clone(),
            reason,
        };
        Ok(Some(match logged_in? {
            LogIn::Done(login) => Settled::Done {
                login,
                environment: environment.clone(),
            },
            LogIn::Unproved(Unproved::NoKeys) => {
                Settled::NotHere("what proves the identity lies on the nodes of the cluster")
            }
            LogIn::Unproved(Unproved::EncryptionTypes(_)) => {
                by_library("linkdial can not compute with the encryption types of its keys")
            }
            LogIn::Unproved(Unproved::Proofs(_)) => {
                by_library("the KDC wants another proof than a timestamp")
            }
        }))
    }
}

/// Reads what proves the identity.
async fn look(
    probe: &mut Probe,
    stated: Stated<'_>,
    settings: &Settings,
) -> Result<(Proof, Environment), KerberosFault> {
    let place = stated.guilty.keys.as_ref();
    match stated.source {
        Source::Keytab(path) => {
            let local = settings.local_path(path);
            if let Some(file) = KeytabFile::read(local).await? {
                probe.pass(Stage::Define, None);
                for (name, value) in file.notes() {
                    probe.note(name, value);
                }
                let environment = Environment::Ready(Ready::default())
                    .with("KRB5_CLIENT_KTNAME", local.as_os_str())
                    .with("KRB5CCNAME", "MEMORY:linkdial");
                return Ok((Proof::Keytab(file.keytab), environment));
            }
            probe.finding(None, at(not_here(path), place));
        }
        Source::Cache(name) => {
            let Some(path) = TicketCache::path_of(name) else {
                probe.finding(None, at(not_a_file(name), place));
                return Ok((Proof::Nothing, Environment::None("its ticket is not here")));
            };
            let local = settings.local_path(path);
            if let Some((cache, bytes)) = TicketCache::load(local).await? {
                return Ok((Proof::Cache(cache), copied(&bytes)));
            }
            probe.finding(None, at(not_here(path), place));
        }
        Source::Nodes => probe.finding(None, at(on_the_nodes(), place)),
    }
    let reason = "what proves its identity is not here";
    Ok((Proof::Nothing, Environment::None(reason)))
}

/// Gives the library a ticket cache of its own: libkrb5 keeps every ticket that it gets there.
fn copied(cache: &[u8]) -> Environment {
    // Readable for this user alone, and gone with the check.
    let copy = NamedTempFile::new().and_then(|mut copy| {
        copy.write_all(cache)?;
        Ok(copy.into_temp_path())
    });
    let Ok(copy) = copy else {
        return Environment::None("the ticket cache could not be copied for it");
    };
    Environment::Ready(Ready {
        cache: Some(Arc::new(copy)),
        ..Ready::default()
    })
}

fn at(finding: Diagnosis, place: Option<&KeyPlace>) -> Diagnosis {
    match place {
        Some(place) => finding.key(place.clone()),
        None => finding,
    }
}

fn not_here(path: &Path) -> Diagnosis {
    let path = path.display();
    Diagnosis::new(
        Code::DefineFileNotHere,
        format!("`{path}` is a file of the cluster that is not on this machine"),
    )
    .evidence("file", &path)
    .hint(format!("give a copy with --file {path}=LOCAL_PATH"))
}

fn not_a_file(name: &str) -> Diagnosis {
    Diagnosis::new(
        Code::DefineIdentityNotHere,
        "the ticket cache is no file, and stays on the nodes of the cluster",
    )
    .evidence("cache", name)
    .hint("name a FILE: cache or a keytab to have it checked from here")
}

fn on_the_nodes() -> Diagnosis {
    Diagnosis::new(
        Code::DefineIdentityNotHere,
        "somebody on the nodes of the cluster keeps the ticket, which can not be taken on here",
    )
    .hint("name a keytab or a ticket cache to have it checked")
}

fn without_realm(guilty: &Guilty, principal: &Principal, conf: &Krb5Conf) -> Diagnosis {
    let finding = Diagnosis::new(
        Code::AuthenticateRealmUnknown,
        format!(
            "`{}` has no realm, and krb5.conf names no default",
            principal.name()
        ),
    )
    .evidence("krb5_conf", conf.shown())
    .hint("write NAME@REALM");
    at(finding, guilty.principal.as_ref())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_copy_of_a_cache_is_for_its_owner_alone() {
        let Environment::Ready(ready) = copied(b"a cache") else {
            panic!("it could not be copied");
        };
        let path = ready.cache.unwrap();
        let mode = std::fs::metadata(&*path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read(&*path).unwrap(), b"a cache");
    }
}
