//! What hdfs-native says to its log alone: where blocks are, and why a `DataNode` did not serve.

use std::sync::{Mutex, MutexGuard, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::order::Replica;

/// Lines beyond this many say nothing new.
const MAX_LINES: usize = 20;

/// More of a line is not kept.
const MAX_LINE: usize = 300;

/// More copies of a block are not looked at.
const MAX_REPLICAS: usize = 10;

/// What was said since the last time somebody asked.
#[derive(Debug)]
struct Heard {
    replicas: Vec<Replica>,
    warnings: Vec<(Option<Replica>, String)>,
}

#[derive(Debug)]
struct Ear(Mutex<Heard>);

static EAR: Ear = Ear(Mutex::new(Heard {
    replicas: Vec::new(),
    warnings: Vec::new(),
}));

/// Begins to listen. Nothing is written anywhere.
pub(super) fn listen() {
    if log::set_logger(&EAR).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// Forgets what was said.
pub(super) fn forget() {
    let mut heard = EAR.lock();
    heard.replicas.clear();
    heard.warnings.clear();
}

/// Returns the copies of the block that the `NameNode` told of last.
pub(super) fn replicas() -> Vec<Replica> {
    EAR.lock().replicas.clone()
}

/// Returns the warnings, and forgets them.
pub(super) fn warnings() -> Vec<(Option<Replica>, String)> {
    std::mem::take(&mut EAR.lock().warnings)
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hdfs_native")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if record.level() <= Level::Warn {
            let line = record.args().to_string();
            let mut heard = self.lock();
            if heard.warnings.len() < MAX_LINES {
                heard
                    .warnings
                    .push((replicas_of(&line).pop(), reason(&line)));
            }
        } else if record.target().ends_with("::protocol") {
            let line = record.args().to_string();
            if line.starts_with("getBlockLocations response") {
                // The first block: the others have lists of their own.
                let first = line.split("LocatedBlockProto {").nth(1).unwrap_or_default();
                self.lock().replicas = replicas_of(first);
            }
        }
    }

    fn flush(&self) {}
}

/// Reads the addresses of `DatanodeIdProto { ip_addr: "..", host_name: "..", .., xfer_port: .. }`, and
/// nothing else: what is printed beside them holds tokens.
fn replicas_of(line: &str) -> Vec<Replica> {
    let nodes = line.split("DatanodeIdProto {").skip(1).take(MAX_REPLICAS);
    let read = nodes.filter_map(|node| {
        let text = |name: &str| {
            let (_, rest) = node.split_once(name)?;
            rest.split('"').next().map(str::to_owned)
        };
        let (_, port) = node.split_once("xfer_port: ")?;
        let digits = port
            .find(|it: char| !it.is_ascii_digit())
            .unwrap_or(port.len());
        Some(Replica {
            address: text("ip_addr: \"")?,
            name: text("host_name: \"")?,
            port: port[..digits].parse().ok()?,
        })
    });
    read.collect()
}

/// Returns what a line says without the description of the `DataNode`.
fn reason(line: &str) -> String {
    let words = line.split("DatanodeIdProto").next().unwrap_or_default();
    let error = line.rsplit_once(" }: ").or_else(|| line.rsplit_once(": "));
    let error = error.map_or("", |(_, error)| error);
    let text = if line.contains("DatanodeIdProto") {
        format!("{} {error}", words.trim())
    } else {
        line.to_owned()
    };
    text.chars().take(MAX_LINE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "DatanodeIdProto { ip_addr: \"127.0.0.1\", host_name: \"node-1\", \
        datanode_uuid: \"x\", xfer_port: 9866, info_port: 9864, ipc_port: 9867, info_secure_port: Some(0) }";

    #[test]
    fn a_warning_names_the_datanode_and_the_reason() {
        let line = format!("Failed to connect to DataNode {NODE}: IOError(Kind(UnexpectedEof))");
        assert_eq!(
            replicas_of(&line),
            [Replica {
                address: "127.0.0.1".to_owned(),
                name: "node-1".to_owned(),
                port: 9866
            }]
        );
        assert_eq!(
            reason(&line),
            "Failed to connect to DataNode IOError(Kind(UnexpectedEof))"
        );
    }

    #[test]
    fn nothing_of_a_token_is_kept() {
        let line = format!(
            "getBlockLocations response: LocatedBlockProto {{ locs: [{NODE}], \
            block_token: TokenProto {{ identifier: [1, 2], password: [3, 4] }} }}"
        );
        assert_eq!(replicas_of(&line).len(), 1);
        assert!(replicas_of("no node at all").is_empty());
    }
}
