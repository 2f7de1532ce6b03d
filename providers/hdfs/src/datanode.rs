//! The `DataNode`s of one block: each reached as the client would, then one byte read.

use std::pin::pin;

use futures_util::future::join_all;
use linkdial_core::{Change, Code, Diagnosis, Endpoint, Halt, Outcome, Probe, Role, Stage};
use tokio::time::timeout;

use crate::client::{Answer, Block, Failure, Kind, Question, Replica, Status};
use crate::config::Config;
use crate::error::Asked;
use crate::keys::{DATA_PROTECTION, USE_HOSTNAME};
use crate::namenode::Session;
use crate::negotiation::protections;

/// Reads one byte of a file from where the `NameNode` says that it is.
///
/// # Errors
///
/// When it can not be read; the record says why.
pub(crate) async fn read(
    probe: &mut Probe,
    config: &Config,
    session: &Session,
    file: &Status,
) -> Result<(), Halt> {
    let path = file.path.as_str();
    let asked = |endpoint| Asked {
        endpoint,
        config,
        stage: Stage::Read,
        call: "getBlockLocations",
        path,
    };
    let block = locate(probe, &asked(&session.endpoint), session).await?;
    if file.length == 0 && block.empty {
        probe.note("object", path);
        probe.note("unproven", "the file is empty: no DataNode was asked");
        return Ok(());
    }
    // Where it is, is not yet that it can be read.
    probe.take_back();
    if block.replicas.is_empty() || block.empty {
        return Err(probe.halt(Some(&session.endpoint), nowhere(path)));
    }
    let alive = reach(probe, config, &block).await?;
    let Some(endpoint) = alive.first().cloned() else {
        return Err(probe.halt(Some(&session.endpoint), nowhere(path)));
    };
    let asked = Asked {
        call: "readBlock",
        ..asked(&endpoint)
    };
    let mut silent = Vec::new();
    let mut challenge = None;
    let mut twice = None;
    let reading = async {
        let mut read = |answer| match answer {
            Ok(Answer::Read(log, asked_for)) => {
                (silent, challenge) = (log, asked_for);
                Ok(())
            }
            Ok(_) => Err(Failure::foreign()),
            Err(failure) => Err(failure),
        };
        let Err(failure) = read(session.client.ask(Question::Read).await?) else {
            return Ok(());
        };
        if failure.kind != Kind::Data {
            return Err(asked.explain(&failure));
        }
        let again = |otherwise| Question::ReadAgain {
            path: path.to_owned(),
            otherwise,
        };
        // What passes with the same settings was no fault of theirs.
        if read(session.client.ask(again(false)).await?).is_ok() {
            twice = Some(failure);
            return Ok(());
        }
        let other = session.client.ask(again(true)).await;
        let works = matches!(other, Ok(Ok(_)));
        Err(refused(&asked, &failure, works))
    };
    if let Err(halt) = probe.step(&endpoint, &[Stage::Read], reading).await {
        // Whoever resets what is protected would have the protection removed.
        if !probe.is_near() {
            probe.amend(Diagnosis::without_repairs);
        }
        return Err(halt);
    }
    probe.note("object", path);
    probe.note("replicas", block.replicas.len());
    if let Some(finding) = challenge.and_then(|it| judge_level(&asked, &it)) {
        return Err(probe.halt(Some(&endpoint), finding));
    }
    if let Some(failure) = twice {
        let finding = refused(&asked, &failure, false).outcome(Outcome::Warn);
        probe.finding(
            Some(&endpoint),
            finding.hint("it gave the block when it was asked again"),
        );
    }
    // Copies that did not serve before one did.
    for (replica, words) in silent {
        let Some(replica) = replica else { continue };
        let endpoint = endpoint_of(&replica, config.use_hostname);
        if !alive.contains(&endpoint) {
            continue;
        }
        let failure = Failure {
            log: vec![(Some(replica), words)],
            ..Failure::foreign()
        };
        let asked = Asked {
            endpoint: &endpoint,
            ..asked
        };
        let finding = refused(&asked, &failure, false).outcome(Outcome::Warn);
        probe.finding(Some(&endpoint), finding);
    }
    Ok(())
}

/// Asks the `NameNode` where the first block is.
async fn locate(probe: &mut Probe, asked: &Asked<'_>, session: &Session) -> Result<Block, Halt> {
    let question = Question::Locate {
        path: asked.path.to_owned(),
    };
    let locating = async {
        match session.client.ask(question).await? {
            Ok(Answer::Located(block)) => Ok(block),
            Ok(_) => Err(asked.explain(&Failure::foreign())),
            Err(failure) => Err(asked.explain(&failure)),
        }
    };
    probe.step(asked.endpoint, &[Stage::Read], locating).await
}

/// Reaches every copy, side by side, and returns those that answer, one at least. One that is dead is a
/// warning where another one lives.
///
/// # Errors
///
/// When none answers, or one has an address that must not be dialled: the client would.
async fn reach(probe: &mut Probe, config: &Config, block: &Block) -> Result<Vec<Endpoint>, Halt> {
    let visits = block.replicas.iter().map(|replica| {
        let endpoint = endpoint_of(replica, config.use_hostname);
        let mut fork = probe.fork();
        let aside = probe.fork();
        async move {
            let other = other_way(aside, config, replica);
            let (reached, other) = reach_or_find(&mut fork, &endpoint, other).await;
            if reached.is_ok() {
                let registered = format!("{} at {}", replica.name, replica.address);
                fork.note("registered_as", registered);
            } else if let Some(other) = other {
                fork.amend(|finding| by_name(finding, config, &other));
            }
            (fork, endpoint, reached)
        }
    });
    let mut alive = Vec::new();
    let mut halted = None;
    let mut forbidden = false;
    for (fork, endpoint, reached) in join_all(visits).await {
        forbidden |= fork.has_code(Code::ResolveAddressRefused);
        probe.join(fork);
        match reached {
            Ok(()) => alive.push(endpoint),
            Err(halt) => halted = Some(halt),
        }
    }
    match halted {
        Some(halt) if forbidden || alive.is_empty() => Err(halt),
        Some(_) => {
            probe.tolerate(Role::Datanode);
            Ok(alive)
        }
        None => Ok(alive),
    }
}

/// Reaches a `DataNode`; where it can not be reached, finds the other way. Where it is silent, the other
/// way is looked for meanwhile: both together cost one stage.
async fn reach_or_find(
    probe: &mut Probe,
    endpoint: &Endpoint,
    other: impl Future<Output = Option<Endpoint>>,
) -> (Result<(), Halt>, Option<Endpoint>) {
    let patience = probe.stage_timeout() / 4;
    let mut reaching = pin!(probe.reach(endpoint, None));
    let reached = timeout(patience, &mut reaching).await;
    let mut other = pin!(timeout(patience * 3, other));
    let (reached, found) = if let Ok(reached) = reached {
        (reached, None)
    } else {
        tokio::select! {
            biased;
            reached = &mut reaching => (reached, None),
            found = &mut other => (reaching.await, Some(found)),
        }
    };
    let Err(halt) = reached else {
        return (Ok(()), None);
    };
    let found = match found {
        Some(found) => found,
        None => other.await,
    };
    (Err(halt), found.ok().flatten())
}

fn endpoint_of(replica: &Replica, by_name: bool) -> Endpoint {
    let host = if by_name {
        &replica.name
    } else {
        &replica.address
    };
    Endpoint::new(Role::Datanode, host, replica.port)
}

/// Returns the other address of a `DataNode`, where it answers there.
async fn other_way(mut aside: Probe, config: &Config, replica: &Replica) -> Option<Endpoint> {
    let other = endpoint_of(replica, !config.use_hostname);
    if replica.name == replica.address {
        return None;
    }
    // Beside the record: nothing that the link uses.
    aside.reach(&other, None).await.ok()?;
    Some(other)
}

fn by_name(finding: Diagnosis, config: &Config, other: &Endpoint) -> Diagnosis {
    finding
        .evidence("answers_at", other)
        .key(config.place(USE_HOSTNAME))
        .hint(format!(
            "it answers at {other}: set `{USE_HOSTNAME}` to {}",
            !config.use_hostname
        ))
}

/// Compares the levels that a `DataNode` takes with those of the link: this client takes any, Hadoop's own
/// does not.
pub(crate) fn judge_level(asked: &Asked<'_>, challenge: &[u8]) -> Option<Diagnosis> {
    let wanted = asked.config.data_protection.as_deref()?;
    let offered = protections(challenge);
    let meets = |level: &&str| wanted.split(',').any(|wanted| wanted == *level);
    if offered.is_empty() || offered.iter().any(meets) {
        return None;
    }
    let finding = Diagnosis::new(
        Code::AuthenticateProtectionMismatch,
        "a DataNode protects blocks in another way than the link asks for",
    )
    .evidence("offered", offered.join(", "))
    .evidence("asked_for", wanted)
    .key(asked.config.place(DATA_PROTECTION))
    .hint(format!("set `{DATA_PROTECTION}` to {}", offered[0]));
    Some(match no_weaker(wanted.split(','), &offered) {
        Some(level) => finding.repair(Change::set(asked.config.place(DATA_PROTECTION), level)),
        None => finding,
    })
}

/// Returns the weakest level that is offered and no weaker than what is asked for: the offer is not
/// protected itself, and whoever stands on the way may leave the strong ones out.
pub(crate) fn no_weaker<'a>(
    wanted: impl Iterator<Item = &'a str>,
    offered: &[&'static str],
) -> Option<&'static str> {
    const LEVELS: [&str; 3] = ["authentication", "integrity", "privacy"];
    let strength = |level: &str| LEVELS.iter().position(|it| *it == level.trim());
    let least = wanted.filter_map(strength).min().unwrap_or(0);
    let strong = offered.iter().filter(|it| strength(it) >= Some(least));
    strong.min_by_key(|it| strength(it)).copied()
}

fn nowhere(path: &str) -> Diagnosis {
    Diagnosis::new(
        Code::AccessServerError,
        format!("no DataNode that is alive has the first block of `{path}`"),
    )
    .evidence("resource", path)
    .hint("look at `hdfs fsck PATH -files -blocks -locations` and `hdfs dfsadmin -report`")
}

/// Every `DataNode` was reached, and none gave the block.
fn refused(asked: &Asked<'_>, failure: &Failure, otherwise: bool) -> Diagnosis {
    let said = failure.said();
    let has = asked.config.data_protection.is_some();
    let endpoint = asked.endpoint;
    let finding = if otherwise {
        let (wants, hint) = if has {
            (
                "wants none",
                format!("remove `{DATA_PROTECTION}`: the cluster does not have it"),
            )
        } else {
            (
                "wants it",
                format!(
                    "set `{DATA_PROTECTION}` as the cluster's hdfs-site.xml has it, such as privacy"
                ),
            )
        };
        let finding = Diagnosis::new(
            Code::AuthenticateProtectionMismatch,
            format!(
                "the link {} protection of blocks, and {endpoint} {wants}",
                if has { "asks for" } else { "asks for no" }
            ),
        )
        .evidence("other_setting", "works")
        .key(asked.config.place(DATA_PROTECTION))
        .hint(hint);
        if has {
            finding.repair(Change::Remove(asked.config.place(DATA_PROTECTION)))
        } else {
            finding
        }
    } else if said.contains("No data received") || said.contains("Timed out") {
        Diagnosis::new(
            Code::AccessTimedOut,
            format!("{endpoint} accepted and then did not answer"),
        )
        .hint("look at the DataNode's log; it may be stopped, or a firewall answers for it")
    } else {
        Diagnosis::new(
            Code::AccessServerError,
            format!("{endpoint} does not give the block"),
        )
        .hint("look at the DataNode's log, and at `hdfs fsck` of the file")
    };
    finding
        .evidence("operation", asked.call)
        .evidence("resource", asked.path)
        .evidence("client_log", said)
}
