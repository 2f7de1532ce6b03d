//! `host:port[,host:port...][/topic]`: what a Kafka link is used with.

use std::fmt;
use std::net::Ipv6Addr;

use linkdial_core::{Code, Diagnosis, Endpoint, Role};

/// What the client itself takes where no port is given.
const USUAL_PORT: u16 = 9092;

/// Kafka takes no longer name of a topic.
const TOPIC_LENGTH: usize = 249;

/// Host and port as the link or the cluster names them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Address {
    /// A name or an address; IPv6 without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Reads `host:port`, where the port may not be left out.
    pub(crate) fn parse_whole(text: &str) -> Result<Self, String> {
        let address = Self::parse(text)?;
        let bare = text.trim().trim_start_matches('[');
        let written = bare
            .rsplit_once(':')
            .is_some_and(|(host, _)| host.trim_end_matches(']') == address.host);
        if written {
            Ok(address)
        } else {
            Err(format!("has no port after `{}`", address.host))
        }
    }

    /// Reads `host[:port]`; the error says what is wrong with it. Without a port it is 9092, as for the
    /// client library.
    ///
    /// That one itself takes less care of others: it dials port 99999 as 34463.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("names no broker between two commas".to_owned());
        }
        if text.contains("://") {
            return Err("has a scheme in front of the host".to_owned());
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once(']')
                    .ok_or("has a bracket that is not closed")?;
                if host.parse::<Ipv6Addr>().is_err() {
                    return Err(format!("has `[{host}]`, which is no IPv6 address"));
                }
                (host, rest)
            }
            None if text.matches(':').count() > 1 => {
                return Err("has an IPv6 address without brackets".to_owned());
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        if !is_host(host) {
            return Err("has a host that no broker can have".to_owned());
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => Some(USUAL_PORT),
            None => None,
            Some(digits) => {
                let number = digits.bytes().all(|byte| byte.is_ascii_digit());
                digits.parse().ok().filter(|port| *port > 0 && number)
            }
        };
        Ok(Self {
            host: host.to_owned(),
            port: port.ok_or("has a port that is not a number from 1 to 65535")?,
        })
    }

    /// Reads a list with commas, every address once.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut addresses = Vec::new();
        for entry in text.split(',') {
            let address = Self::parse(entry)?;
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    /// Returns it as something to dial.
    pub(crate) fn endpoint(&self, role: Role) -> Endpoint {
        Endpoint::new(role, &self.host, self.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint(Role::Bootstrap).fmt(formatter)
    }
}

/// Returns whether a text can be the host of a broker; a cluster may advertise anything.
pub(crate) fn is_host(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// What a statement that uses the link names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Brokers {
    pub(crate) bootstrap: Vec<Address>,
    pub(crate) topic: Option<String>,
}

impl Brokers {
    /// Splits a target at its last `/`.
    pub(crate) fn parse(target: &str) -> Result<Self, Diagnosis> {
        if target.contains("://") {
            return Err(invalid("has a scheme in front of the host"));
        }
        let (list, topic) = target.rsplit_once('/').unwrap_or((target, ""));
        let bootstrap = Address::parse_list(list).map_err(|what| invalid(&what))?;
        let topic = Some(topic).filter(|topic| !topic.is_empty());
        if let Some(what) = topic.and_then(bad_topic) {
            return Err(invalid(what));
        }
        Ok(Self {
            bootstrap,
            topic: topic.map(str::to_owned),
        })
    }
}

/// The rules of `org.apache.kafka.common.internals.Topic`.
fn bad_topic(name: &str) -> Option<&'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !name.bytes().all(known) {
        return Some("has a topic with a character that no topic has");
    }
    if name == "." || name == ".." {
        return Some("has a topic that no cluster can have");
    }
    (name.len() > TOPIC_LENGTH).then_some("has a topic longer than 249 characters")
}

fn invalid(what: &str) -> Diagnosis {
    Diagnosis::new(Code::DefineTargetInvalid, format!("the target {what}")).hint(format!(
        "write HOST[:PORT][,HOST[:PORT]...][/TOPIC]; the port is {USUAL_PORT} where it is left out"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str) -> (Vec<String>, Option<String>) {
        let brokers = Brokers::parse(target).unwrap();
        let bootstrap = brokers.bootstrap.iter().map(Address::to_string).collect();
        (bootstrap, brokers.topic)
    }

    #[test]
    fn the_last_slash_divides_brokers_and_topic() {
        let orders = Some("orders".to_owned());
        for (target, bootstrap, topic) in [
            ("b1:9092", vec!["b1:9092"], None),
            ("b1:9092/", vec!["b1:9092"], None),
            ("b1:9092/orders", vec!["b1:9092"], orders.clone()),
            (
                "b1.x-y_z:1, b2:65535/orders",
                vec!["b1.x-y_z:1", "b2:65535"],
                orders.clone(),
            ),
            ("[::1]:9092/orders", vec!["[::1]:9092"], orders),
            ("b:1,b:1", vec!["b:1"], None),
            ("b1/orders", vec!["b1:9092"], Some("orders".to_owned())),
            ("[::1],b2", vec!["[::1]:9092", "b2:9092"], None),
        ] {
            let bootstrap = bootstrap.into_iter().map(str::to_owned).collect();
            assert_eq!(parse(target), (bootstrap, topic), "{target}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!("b:1/{}", "t".repeat(250));
        for (target, what) in [
            ("b1:99999/orders", "a number from 1 to 65535"),
            ("b1:0", "a number from 1 to 65535"),
            ("b1:+9", "a number from 1 to 65535"),
            ("b1:", "a number from 1 to 65535"),
            ("::1:9092", "IPv6 address without brackets"),
            ("[::1:9092", "not closed"),
            ("[b1]:9092", "no IPv6 address"),
            ("[::1]9092", "a number from 1 to 65535"),
            ("", "names no broker"),
            ("b1:9092,,b2:9092", "names no broker"),
            ("kafka://b1:9092/orders", "a scheme"),
            ("b 1:9092", "a host that no broker can have"),
            (":9092", "a host that no broker can have"),
            ("b1:9092/or ders", "a topic with a character"),
            ("b1:9092/..", "a topic that no cluster can have"),
            (&long, "longer than 249"),
        ] {
            let finding = Brokers::parse(target).unwrap_err();
            assert_eq!(finding.code, Code::DefineTargetInvalid);
            assert!(
                finding.message.contains(what),
                "{target}: {}",
                finding.message
            );
        }
    }
}
