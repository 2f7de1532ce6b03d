//! What hdfs-native says to its log alone: where blocks are, and why a `DataNode` did not serve.
//!
//! Each line comes before the client acts on what it tells. So this is also the last gate: where a
//! `NameNode` leads the client to another login or another address than linkdial has seen, a panic ends
//! the client's task there and then.

use std::fmt::{self, Write};
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use linkdial_core::net::Policy;
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::order::{Heard as Warning, Kind, Replica};
use super::words;

/// Lines beyond this many say nothing new.
const MAX_LINES: usize = 20;

/// More of a line is not kept.
const MAX_LINE: usize = 300;

/// More of what the client prints is not kept: one line describes every block of a file.
const MAX_PRINTED: usize = 256 * 1024;

/// What was said since the last time somebody asked.
#[derive(Debug)]
struct Heard {
    /// Nothing where the client has not said it in words that are known here.
    replicas: Option<Vec<Replica>>,
    warnings: Vec<Warning>,
    /// An exception of no call, which the client drops.
    fatal: Option<(String, String)>,
    /// What a `DataNode` has asked for first.
    challenge: Option<Vec<u8>>,
    /// The service and the host that a login with Kerberos is for.
    service: Option<(String, String)>,
    /// Why the gate was shut.
    shut: Option<Kind>,
}

impl Heard {
    const NOTHING: Self = Self {
        replicas: None,
        warnings: Vec::new(),
        fatal: None,
        challenge: None,
        service: None,
        shut: None,
    };
}

#[derive(Debug)]
struct Ear(Mutex<Heard>);

static EAR: Ear = Ear(Mutex::new(Heard::NOTHING));

/// Begins to listen. Nothing is written anywhere. A login with Kerberos is for this service and host.
///
/// # Errors
///
/// When somebody else listens already.
pub(super) fn listen(service: Option<(String, String)>) -> io::Result<()> {
    EAR.lock().service = service;
    log::set_logger(&EAR).map_err(io::Error::other)?;
    log::set_max_level(LevelFilter::Debug);
    Ok(())
}

/// Forgets what was said.
pub(super) fn forget() {
    let mut heard = EAR.lock();
    heard.replicas = None;
    heard.warnings.clear();
    heard.fatal = None;
    heard.challenge = None;
}

/// Returns the copies of the first block of the file that the `NameNode` told of last; `None` where that
/// was not said.
pub(super) fn replicas() -> Option<Vec<Replica>> {
    EAR.lock().replicas.clone()
}

/// Returns the warnings, and forgets them.
pub(super) fn warnings() -> Vec<Warning> {
    std::mem::take(&mut EAR.lock().warnings)
}

/// Returns class and message of the exception after which the `NameNode` hung up, and forgets them.
pub(super) fn fatal() -> Option<(String, String)> {
    EAR.lock().fatal.take()
}

/// Returns what a `DataNode` has asked for first, where blocks are protected.
pub(super) fn challenge() -> Option<Vec<u8>> {
    EAR.lock().challenge.take()
}

/// Returns why the gate was shut.
pub(super) fn shut() -> Option<Kind> {
    EAR.lock().shut
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the task that has just been told something.
    fn shut(&self, kind: Kind) -> ! {
        self.lock().shut = Some(kind);
        panic!("{kind:?}");
    }

    fn take_warning(&self, line: &str) {
        let about = words::datanodes(line).and_then(|mut nodes| nodes.pop());
        let mut heard = self.lock();
        if heard.warnings.len() < MAX_LINES {
            heard.warnings.push((about, reason(line)));
        }
    }

    fn take_answer(&self, line: &str) {
        if line.starts_with("getBlockLocations response") {
            let nodes = words::first_block(line);
            // What is no address would be resolved once more.
            let plain = |nodes: &Vec<Replica>| nodes.iter().all(|node| address(node).is_some());
            self.lock().replicas = nodes.filter(plain);
            return;
        }
        // Where a new block goes is told to nobody before it is dialled.
        let told = ["addBlock response", "getAdditionalDatanode response"];
        if told.iter().any(|words| line.starts_with(words)) {
            let policy = Policy::default();
            let may = |node: &Replica| address(node).is_some_and(|it| policy.refuses(it).is_none());
            if !words::datanodes(line).is_some_and(|nodes| nodes.iter().all(may)) {
                self.shut(Kind::Forbidden);
            }
        }
    }

    fn take_offer(&self, line: &str) {
        let Some(service) = self.lock().service.clone() else {
            return;
        };
        let offer = words::offer(line);
        let same = |(method, named): &(String, Option<(String, String)>)| {
            method == "KERBEROS" && named.as_ref() == Some(&service)
        };
        if !offer.iter().any(same) || offer.iter().any(|(method, _)| method == "SIMPLE") {
            self.shut(Kind::Downgraded);
        }
    }
}

fn address(node: &Replica) -> Option<IpAddr> {
    node.address.parse().ok()
}

impl Log for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hdfs_native")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let target = record.target();
        if record.level() <= Level::Warn {
            self.take_warning(&printed(record));
        } else if target.ends_with("::protocol") {
            self.take_answer(&printed(record));
        } else if target.ends_with("::connection") {
            let line = printed(record);
            if line.starts_with("RPC header response")
                && let Some(fatal) = words::fatal(&line)
            {
                self.lock().fatal = Some(fatal);
            }
        } else if target.ends_with("::sasl") {
            let line = printed(record);
            if line.starts_with("Handling SASL message") && line.contains("state: Negotiate") {
                self.take_offer(&line);
            } else if line.starts_with("Data transfer encryptor response") {
                let mut heard = self.lock();
                let payload = words::payload(&line);
                heard.challenge = heard.challenge.take().or(payload);
            }
        }
    }

    fn flush(&self) {}
}

/// Returns the beginning of what a record says.
fn printed(record: &Record<'_>) -> String {
    let mut text = Bounded(String::new());
    // It ends early on purpose.
    let _complete = write!(text, "{}", record.args());
    text.0
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = MAX_PRINTED - self.0.len();
        if text.len() > left {
            let end = (0..=left).rev().find(|end| text.is_char_boundary(*end));
            self.0.push_str(&text[..end.unwrap_or(0)]);
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
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
        let ear = Ear(Mutex::new(Heard::NOTHING));
        ear.take_warning(&line);
        let heard = ear.lock();
        let (node, words) = &heard.warnings[0];
        assert_eq!(node.as_ref().map(|it| it.port), Some(9866));
        assert_eq!(
            words,
            "Failed to connect to DataNode IOError(Kind(UnexpectedEof))"
        );
    }

    #[test]
    fn nothing_of_a_token_is_kept() {
        let token = "block_token: TokenProto { identifier: [116, 111], password: [115, 101] }";
        let line = format!("Failed to read {NODE} with {token}: IOError(Kind(TimedOut))");
        let told = reason(&line);
        assert!(told.contains("TimedOut"), "{told}");
        assert!(
            !told.contains("116") && !told.contains("password"),
            "{told}"
        );
    }

    #[test]
    fn a_long_line_is_cut_at_a_letter() {
        let mut text = Bounded(String::new());
        assert!(write!(text, "{}", "\u{e4}".repeat(MAX_PRINTED)).is_err());
        assert_eq!(text.0.len(), MAX_PRINTED);
    }
}
