//! What hdfs-native says to its log alone: where blocks are, and why a `DataNode` did not serve.

use std::fmt::{self, Write};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::order::{Heard as Warning, Replica};

/// Lines beyond this many say nothing new.
const MAX_LINES: usize = 20;

/// More of a line is not kept.
const MAX_LINE: usize = 300;

/// More of what the client prints is not kept: one line describes every block of a file.
const MAX_PRINTED: usize = 64 * 1024;

/// More copies of a block are not read: erasure coding has 14.
const MAX_REPLICAS: usize = 64;

/// What was said since the last time somebody asked.
#[derive(Debug)]
struct Heard {
    /// Nothing where the client has not said it in words that are known here.
    replicas: Option<Vec<Replica>>,
    warnings: Vec<Warning>,
    /// Class and message of an exception after which the `NameNode` hangs up: it belongs to no call, so
    /// the client drops it.
    fatal: Option<(String, String)>,
}

#[derive(Debug)]
struct Ear(Mutex<Heard>);

static EAR: Ear = Ear(Mutex::new(Heard {
    replicas: None,
    warnings: Vec::new(),
    fatal: None,
}));

/// Begins to listen. Nothing is written anywhere.
///
/// # Errors
///
/// When somebody else listens already.
pub(super) fn listen() -> io::Result<()> {
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
}

/// Returns the copies of the block that the `NameNode` told of last; `None` where that was not said.
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
            let line = printed(record);
            let mut heard = self.lock();
            if heard.warnings.len() < MAX_LINES {
                let about = replicas_of(&line).and_then(|mut nodes| nodes.pop());
                heard.warnings.push((about, reason(&line)));
            }
        } else if record.target().ends_with("::protocol") {
            let line = printed(record);
            if line.starts_with("getBlockLocations response") {
                // The first block: the others have lists of their own.
                let first = line.split("LocatedBlockProto {").nth(1).unwrap_or_default();
                self.lock().replicas = replicas_of(first);
            }
        } else if record.target().ends_with("::connection") {
            let line = printed(record);
            if line.starts_with("RPC header response") && line.contains("status: Fatal") {
                let class = quoted(&line, "exception_class_name: Some(\"");
                let words = quoted(&line, "error_msg: Some(\"");
                self.lock().fatal = class.zip(words);
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

/// Returns what stands in quotes behind a label.
fn quoted(line: &str, label: &str) -> Option<String> {
    let (_, rest) = line.split_once(label)?;
    let end = rest.find('"')?;
    Some(rest[..end].chars().take(MAX_LINE).collect())
}

/// Reads the addresses of `DatanodeIdProto { ip_addr: "..", host_name: "..", .., xfer_port: .. }`, and
/// nothing else: what is printed beside them holds tokens. `None` where one of them has another form.
fn replicas_of(line: &str) -> Option<Vec<Replica>> {
    let nodes = line.split("DatanodeIdProto {").skip(1).take(MAX_REPLICAS);
    let read = nodes.map(|node| {
        let (_, port) = node.split_once("xfer_port: ")?;
        let digits = port.find(|it: char| !it.is_ascii_digit())?;
        Some(Replica {
            address: quoted(node, "ip_addr: \"")?,
            name: quoted(node, "host_name: \"")?,
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
            Some(vec![Replica {
                address: "127.0.0.1".to_owned(),
                name: "node-1".to_owned(),
                port: 9866
            }])
        );
        assert_eq!(
            reason(&line),
            "Failed to connect to DataNode IOError(Kind(UnexpectedEof))"
        );
    }

    #[test]
    fn nothing_of_a_token_is_kept() {
        let token = "block_token: TokenProto { identifier: [116, 111], password: [115, 101] }";
        let line = format!("Failed to read {NODE} with {token}: IOError(Kind(TimedOut))");
        let told = format!("{:?} {}", replicas_of(&line), reason(&line));
        assert!(told.contains("TimedOut"), "{told}");
        assert!(
            !told.contains("116") && !told.contains("password"),
            "{told}"
        );
    }

    #[test]
    fn what_has_another_form_is_no_list() {
        assert_eq!(replicas_of("no node at all"), Some(Vec::new()));
        assert_eq!(replicas_of("DatanodeIdProto { address: 1 }"), None);
    }

    #[test]
    fn a_long_line_is_cut_at_a_letter() {
        let mut text = Bounded(String::new());
        assert!(write!(text, "{}", "\u{e4}".repeat(MAX_PRINTED)).is_err());
        assert_eq!(text.0.len(), MAX_PRINTED);
    }
}
