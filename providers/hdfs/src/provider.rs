//! The walk through the stages of an HDFS link.

use std::sync::Arc;

use futures_util::future::join_all;
use linkdial_core::{
    Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage, Target,
    Wrong,
};
use linkdial_kerberos::{Material, Source};

use crate::client::{Listing, Status};
use crate::config::{self, Config, Login, Namenode};
use crate::datanode;
use crate::error::Asked;
use crate::identity;
use crate::keys::{KEYS, KEYTAB};
use crate::namenode::{Place, Session, State, Visit};
use crate::target::Location;
use crate::write;

/// An HDFS link, ready to be dialled.
#[derive(Debug)]
pub struct Hdfs {
    config: Arc<Config>,
    /// Whether the keys of the keytab are made wrong on purpose.
    wrong: bool,
}

impl Provider for Hdfs {
    const KIND: Kind = Kind::Hdfs;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        config::define(clauses).map(|config| Self {
            config: Arc::new(config),
            wrong: false,
        })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let location = target.map(Location::parse).transpose().ok()?;
        let nodes = self.namenodes(location.as_ref())?;
        let first = nodes.first()?;
        Some(Endpoint::new(
            Role::Namenode,
            &first.address.host,
            first.address.port(),
        ))
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let location = match probe.target().map(Location::parse).transpose() {
            Ok(location) => location,
            Err(finding) => return Err(probe.halt(None, finding)),
        };
        let nodes = self.namenodes(location.as_ref());
        if nodes.is_none() {
            probe.finding(None, no_target(location.is_some()));
        }
        let mut material = identity::prepare(probe, &self.config).await?;
        if self.wrong {
            material = material.map(Material::with_wrong_keys);
        }
        let who = identity::settle(probe, &self.config, material).await?;
        let Some(nodes) = nodes else {
            return Ok(());
        };
        let root = Location::read("/").ok();
        let Some(location) = location.or(root) else {
            return Ok(());
        };
        let place = Place::default();
        let visit = Visit {
            config: &self.config,
            who: who.as_ref(),
            path: &location.path,
            obstacle: self.obstacle(probe),
            place: &place,
        };
        let Some(session) = visit_all(probe, visit, &nodes).await? else {
            return Ok(());
        };
        self.use_path(probe, &session, &location).await
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        match &self.config.login {
            Login::Simple { .. } => Wrong::Nothing("the login `simple` has none"),
            Login::Kerberos(kerberos) if matches!(kerberos.source, Source::Keytab(_)) => {
                Wrong::Link {
                    provider: Self {
                        config: Arc::clone(&self.config),
                        wrong: true,
                    },
                    key: self.config.place(KEYTAB),
                    secret: None,
                }
            }
            Login::Kerberos(_) => Wrong::Nothing("a ticket cache holds no key"),
        }
    }
}

impl Hdfs {
    fn namenodes(&self, location: Option<&Location>) -> Option<Vec<Namenode>> {
        let authority = location.and_then(|location| location.authority.as_ref());
        self.config
            .namenodes(authority)
            .filter(|nodes| !nodes.is_empty())
    }

    /// Returns why the client can not be run.
    fn obstacle(&self, probe: &Probe) -> Option<&'static str> {
        let settings = probe.settings();
        if settings.client_program.is_none() {
            return Some("this program has no command for the client");
        }
        if settings.net.proxy().is_some() {
            return Some("the client would not go by --proxy");
        }
        // It resolves the KDC and the names of DataNodes by itself.
        let resolves = matches!(self.config.login, Login::Kerberos(_)) || self.config.use_hostname;
        if resolves && !settings.net.is_the_systems() {
            return Some("the client would not go by --resolve, --dns-server or --only-net");
        }
        None
    }

    /// Lists, reads and writes as the uses of the target do.
    async fn use_path(
        &self,
        probe: &mut Probe,
        session: &Session,
        location: &Location,
    ) -> Result<(), Halt> {
        if !probe.walks(Stage::Access) {
            return Ok(());
        }
        let intent = probe.intent();
        let reads = intent.read || !intent.write;
        if reads && let Some(looked) = &session.looked {
            let asked = Asked {
                endpoint: &session.endpoint,
                config: &self.config,
                stage: Stage::Access,
                call: "getListing",
                path: &location.path,
            };
            match &looked.listing {
                None => datanode::read(probe, &self.config, session, &looked.status).await?,
                Some(Err(failure)) => {
                    return Err(probe.halt(Some(&session.endpoint), asked.explain(failure)));
                }
                Some(Ok(listing)) => self.read_one(probe, session, location, listing).await?,
            }
        }
        if intent.write {
            let folder = match &session.looked {
                Some(looked) if !looked.status.folder => parent(&location.path),
                _ => location.path.as_str(),
            };
            write::write(probe, &self.config, session, folder).await?;
        }
        Ok(())
    }

    /// Reads one byte of one file of a folder.
    async fn read_one(
        &self,
        probe: &mut Probe,
        session: &Session,
        location: &Location,
        listing: &Listing,
    ) -> Result<(), Halt> {
        // A NameNode may name anything.
        let folder = format!("{}/", location.path.trim_end_matches('/'));
        let within = |entry: &&Status| {
            let name = entry.path.strip_prefix(&folder);
            name.is_some_and(|name| !name.contains('/') && !matches!(name, "" | "." | ".."))
        };
        let files = listing
            .entries
            .iter()
            .filter(within)
            .filter(|entry| !entry.folder);
        let files: Vec<&Status> = files.filter(|file| location.holds(&file.path)).collect();
        let more = if listing.truncated { " or more" } else { "" };
        probe.note("files", format!("{}{more}", files.len()));
        if !location.followed {
            probe.skip(Stage::Read, "the pattern was not followed");
            probe.note("unproven", "no file was read: the pattern was not followed");
            return Ok(());
        }
        let folders = listing.entries.iter().filter(|entry| entry.folder).count();
        probe.note("folders", format!("{folders}{more}"));
        let ends = |file: &&&Status| {
            let suffixes = &self.config.suffixes;
            suffixes.is_empty() || suffixes.iter().any(|suffix| file.path.ends_with(suffix))
        };
        // Markers of jobs and the like say less than what is meant to be read.
        let hidden = |file: &Status| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            name.starts_with(['_', '.'])
        };
        let best = files
            .iter()
            .filter(ends)
            .min_by_key(|file| (file.length == 0, hidden(file), file.length));
        if let Some(file) = best {
            return datanode::read(probe, &self.config, session, file).await;
        }
        probe.skip(Stage::Read, "no file that fits the target");
        probe.note(
            "unproven",
            "no file was read: the folder has none that fits the target",
        );
        Ok(())
    }
}

/// Visits every `NameNode` at the same time and returns the one that serves. One that is dead is a warning
/// beside it, a standby is none.
async fn visit_all(
    probe: &mut Probe,
    visit: Visit<'_>,
    nodes: &[Namenode],
) -> Result<Option<Box<Session>>, Halt> {
    let visits = nodes.iter().map(|node| {
        let mut fork = probe.fork();
        async move {
            let state = visit.walk(&mut fork, node).await;
            (fork, state)
        }
    });
    let mut session = None;
    let mut standby = None;
    let mut halted = None;
    let mut unasked = false;
    // A refusal of the path comes from one that serves.
    let mut answered = false;
    for (fork, state) in join_all(visits).await {
        answered |= state.is_err()
            && fork
                .last_code()
                .is_some_and(|code| code.proves_identity() || code == Code::AccessRequestRefused);
        probe.join(fork);
        match state {
            Ok(State::Active(active)) if session.is_none() => session = Some(active),
            Ok(State::Active(_)) => {}
            Ok(State::Standby(endpoint)) => standby = Some(endpoint),
            Ok(State::Unasked) => unasked = true,
            Err(halt) => halted = Some(halt),
        }
    }
    if session.is_some() || unasked {
        if halted.is_some() {
            probe.tolerate(Role::Namenode);
        }
        return Ok(session);
    }
    let standby = standby.filter(|_| !answered && probe.walks(Stage::Access));
    let halted = halted.into_iter().chain(standby.map(|endpoint| {
        let asked = Asked {
            endpoint: &endpoint,
            config: visit.config,
            stage: Stage::Access,
            call: "getFileInfo",
            path: visit.path,
        };
        probe.halt(Some(&endpoint), asked.standby())
    }));
    // Every one of them is on the record.
    halted.last().map_or(Ok(None), Err)
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

fn no_target(named: bool) -> Diagnosis {
    let (message, hint) = if named {
        (
            "the target names no host, and the link no file system",
            "write hdfs://HOST:PORT/PATH, or add `fs.defaultFS`",
        )
    } else {
        (
            "the link names no NameNode, and no pipeline uses it",
            "name it with --target 'LINK=hdfs://HOST:PORT/PATH', or add the CREATE PIPELINE",
        )
    };
    Diagnosis::new(Code::DefineNoTarget, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_file_is_what_is_written_to() {
        assert_eq!(parent("/data/out.csv"), "/data");
        assert_eq!(parent("/out.csv"), "/");
    }
}
