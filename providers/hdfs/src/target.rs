//! `hdfs://host[:port]/path`, `hdfs://nameservice/path`, `/path`: what an HDFS link is used with.

use std::net::Ipv6Addr;

use linkdial_core::{Code, Diagnosis, Target};
use wildmatch::WildMatch;

/// The port of a `NameNode` where none is given (hdfs-default.xml, `dfs.namenode.rpc-address`).
const USUAL_PORT: u16 = 8020;

/// A `NameNode`, or the name of a pair of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Authority {
    /// A name or an address; IPv6 without brackets.
    pub(crate) host: String,
    /// Left out for a name service.
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Reads `host[:port]`; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("has a scheme in front of its host");
        }
        if text.contains(',') {
            return Err("is a list, which needs a name service");
        }
        if text.contains('@') {
            return Err("has a user in front of its host");
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or("has an open bracket")?;
                if host.parse::<Ipv6Addr>().is_err() {
                    return Err("has brackets without an IPv6 address");
                }
                (host, port)
            }
            None if text.matches(':').count() > 1 => {
                return Err("has an IPv6 address without brackets");
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() {
            return Err("names no host");
        }
        if !host.bytes().all(letter) || host.len() > 253 {
            return Err("has a host that no NameNode can have");
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err("has something behind its host that is no port"),
            Some(digits) => {
                let number = !digits.starts_with('+');
                let port = digits.parse().ok().filter(|port| *port > 0 && number);
                Some(port.ok_or("has a port that is not a number from 1 to 65535")?)
            }
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// Returns the port that is dialled.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(USUAL_PORT)
    }
}

/// A place in a file system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Location {
    /// Which file system; the link's own where it is left out.
    pub(crate) authority: Option<Authority>,
    /// The folder or file, from the root on.
    pub(crate) path: String,
    /// The whole path, where it has a wildcard; `path` is then the folder before it.
    pattern: Option<String>,
    /// Whether the pattern is one of files in that folder, by `*` and `?` alone.
    pub(crate) followed: bool,
}

impl Location {
    /// Splits a target; the failure is a finding about it.
    pub(crate) fn parse(target: &Target) -> Result<Self, Diagnosis> {
        Self::read(target.as_str()).map_err(|(reason, hint)| {
            Diagnosis::new(
                Code::DefineTargetInvalid,
                format!("the target `{target}` {reason}"),
            )
            .hint(hint)
        })
    }

    /// The same for any text; the error is what is wrong, and what to write.
    pub(crate) fn read(text: &str) -> Result<Self, (&'static str, &'static str)> {
        const FORM: &str = "write hdfs://HOST:PORT/PATH";
        let (authority, path) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("hdfs") => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let authority = match authority {
                    "" => None,
                    text => Some(Authority::parse(text).map_err(|reason| (reason, FORM))?),
                };
                (authority, path)
            }
            Some((scheme, _)) if is_web(scheme) => {
                return Err((
                    "is an address of the web interface, which pipelines do not use",
                    "write hdfs://HOST:PORT/PATH with the port of the NameNode's calls, usually 8020",
                ));
            }
            Some(_) => return Err(("is a URL of another kind", FORM)),
            None if text.starts_with('/') => (None, text),
            None if text.contains(':') => return Err(("has no hdfs:// in front", FORM)),
            None => {
                return Err((
                    "is neither a path from the root on nor a URL",
                    "write hdfs://HOST:PORT/PATH, or /PATH with `fs.defaultFS`",
                ));
            }
        };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(("has `.` or `..` in its path", "write the path without them"));
        }
        let wild = |part: &&str| part.contains(['*', '?', '{', '[']);
        let literal = parts.iter().take_while(|part| !wild(part));
        let literal: Vec<&str> = literal.copied().collect();
        let whole = |parts: &[&str]| format!("/{}", parts.join("/"));
        Ok(Self {
            authority,
            path: whole(&literal),
            pattern: (literal.len() < parts.len()).then(|| whole(&parts)),
            followed: literal.len() + 1 >= parts.len() && !path.contains(['{', '[']),
        })
    }

    /// Returns whether a file belongs to the target.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_none_or(|pattern| WildMatch::new(pattern).matches(path))
    }
}

fn is_web(scheme: &str) -> bool {
    ["http", "https", "webhdfs", "swebhdfs"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Location {
        Location::parse(&Target::new(text)).unwrap()
    }

    #[test]
    fn a_target_names_a_file_system_and_a_path() {
        let location = parse("hdfs://nn1.example.com:8020//data/in/");
        let authority = location.authority.clone().unwrap();
        assert_eq!(
            (authority.host.as_str(), authority.port()),
            ("nn1.example.com", 8020)
        );
        assert_eq!(location.path, "/data/in");
        let authority = parse("HDFS://[::1]/x").authority.unwrap();
        assert_eq!((authority.host.as_str(), authority.port), ("::1", None));
        assert_eq!(authority.port(), 8020);
        assert_eq!(parse("hdfs:///x").authority, None);
        assert_eq!(parse("/x/y").path, "/x/y");
        assert_eq!(parse("hdfs://lake").path, "/");
    }

    #[test]
    fn a_wildcard_ends_the_folder_that_is_listed() {
        let location = parse("hdfs://lake/in/day-*/part-?.csv");
        assert_eq!(location.path, "/in");
        assert!(location.holds("/in/day-1/part-7.csv"));
        assert!(!location.holds("/in/day-1/part-77.csv"));
        assert!(parse("/in").holds("/in/anything"));
        assert!(!location.followed && parse("/in/*.csv").followed && parse("/in").followed);
        let location = parse("/in/{a,b}.csv");
        assert!(location.path == "/in" && !location.followed);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for (text, reason) in [
            ("data/in", "is neither a path from the root on nor a URL"),
            ("s3://bucket/x", "is a URL of another kind"),
            (
                "webhdfs://nn1:9870/x",
                "is an address of the web interface, which pipelines do not use",
            ),
            (
                "hdfs://nn1:99999/x",
                "has a port that is not a number from 1 to 65535",
            ),
            (
                "hdfs://nn1:+80/x",
                "has a port that is not a number from 1 to 65535",
            ),
            ("hdfs://u:p@nn1/x", "has a user in front of its host"),
            ("hdfs://fe80::1/x", "has an IPv6 address without brackets"),
            ("/a/../b", "has `.` or `..` in its path"),
        ] {
            let finding = Location::parse(&Target::new(text)).unwrap_err();
            assert_eq!(finding.code, Code::DefineTargetInvalid, "{text}");
            assert!(finding.message.ends_with(reason), "{}", finding.message);
        }
    }
}
