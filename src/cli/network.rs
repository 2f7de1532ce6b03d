//! Which way the packets go.

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use linkdial_core::net::{Net, Proxy};

use super::environment;
use super::exit::Failure;
use super::input::{MAX_SIDE_FILE, bounded_bytes, unreadable_within};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArguments {
    /// Trust the certificates in this PEM file too; repeatable
    ///
    /// They are added to the system's own. `SSL_CERT_FILE` and the like are not read.
    #[arg(
        long = "ca-file",
        value_name = "FILE",
        env = "LINKDIAL_CA_FILE",
        hide_env_values = true
    )]
    ca_files: Vec<PathBuf>,
    /// Dial through this HTTP proxy; proxy variables of the environment are not read
    #[arg(long, value_name = "URL", value_parser = Proxy::parse)]
    proxy: Option<Proxy>,
    /// Use this address for a name, as curl does; repeatable
    ///
    /// curl's own form `HOST:PORT:ADDRESS` is read as well; the address then holds for every port.
    /// Write an IPv6 address in brackets after a port.
    #[arg(long, value_name = "HOST:ADDRESS", value_parser = host_address)]
    resolve: Vec<(String, IpAddr)>,
    /// Ask this name server instead of the system's; repeatable
    #[arg(long = "dns-server", value_name = "ADDRESS[:PORT]", value_parser = dns_server)]
    dns_servers: Vec<SocketAddr>,
    /// Allow addresses that are refused by default, such as link-local ones; repeatable
    #[arg(long = "allow-net", value_name = "CIDR", value_parser = network)]
    allow: Vec<IpNet>,
    /// Dial no address outside these networks; repeatable
    #[arg(long = "only-net", value_name = "CIDR", value_parser = network)]
    only: Vec<IpNet>,
}

impl NetworkArguments {
    /// Returns the files that certificates are read from.
    pub(super) fn ca_files(&self) -> &[PathBuf] {
        &self.ca_files
    }

    /// Builds the network that all checks share.
    pub(super) fn net(self) -> Result<Net, Failure> {
        let mut net = Net::builder();
        for path in &self.ca_files {
            let file = path.display().to_string();
            // One path that both give is named by either.
            let named = if environment::is_ca_file(path) {
                "LINKDIAL_CA_FILE"
            } else {
                "--ca-file"
            };
            let read = File::open(path).and_then(|it| bounded_bytes(it, MAX_SIDE_FILE));
            let pem = read.map_err(|error| {
                let reason = unreadable_within(&file, &error, MAX_SIDE_FILE);
                Failure::Usage(format!("`{named}`: {reason}"))
            })?;
            net = net
                .ca_pem(&pem)
                .map_err(|error| Failure::Usage(format!("`{named}`: `{file}`: {error}")))?;
        }
        for network in self.allow {
            net = net.allow(network);
        }
        for network in self.only {
            net = net.only(network);
        }
        for (host, address) in self.resolve {
            net = net.resolve(&host, address);
        }
        for server in self.dns_servers {
            net = net.dns_server(server);
        }
        if let Some(proxy) = self.proxy {
            net = net.proxy(proxy);
        }
        Ok(net.build())
    }
}

fn host_address(text: &str) -> Result<(String, IpAddr), String> {
    let (host, address) = text
        .split_once(':')
        .filter(|(host, _)| !host.is_empty())
        .ok_or("write HOST:ADDRESS, such as `s3.example.com:10.0.0.7`")?;
    let address = ip_address(address)
        .or_else(|| {
            let (port, address) = address.split_once(':')?;
            port.parse::<u16>().ok().and_then(|_| ip_address(address))
        })
        .ok_or_else(|| format!("`{address}` is not an IP address"))?;
    Ok((host.to_owned(), address))
}

fn ip_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().ok()
}

fn dns_server(text: &str) -> Result<SocketAddr, String> {
    /// RFC 1035, section 4.2.
    const PORT: u16 = 53;
    text.parse()
        .or_else(|_| {
            text.parse()
                .map(|address: IpAddr| SocketAddr::new(address, PORT))
        })
        .map_err(|_| "write an IP address, with `:PORT` if it is not 53".to_owned())
}

/// A lone address is a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)))
        .map_err(|_| "write a network, such as `10.0.0.0/8`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_split_from_both_families() {
        let v6: IpAddr = "::1".parse().unwrap();
        assert_eq!(host_address("h:::1"), Ok(("h".to_owned(), v6)));
        assert_eq!(host_address("h:[::1]"), Ok(("h".to_owned(), v6)));
        let v4: IpAddr = "10.0.0.7".parse().unwrap();
        assert_eq!(
            host_address("h.example:10.0.0.7"),
            Ok(("h.example".to_owned(), v4))
        );
        // curl's form; the port is not looked at.
        assert_eq!(host_address("h:443:10.0.0.7"), Ok(("h".to_owned(), v4)));
        assert_eq!(host_address("h:443:[::1]"), Ok(("h".to_owned(), v6)));
        assert_eq!(host_address("h:443:::1"), Ok(("h".to_owned(), v6)));
        for text in [
            "",
            "h",
            ":10.0.0.7",
            "h:other",
            "h:https:10.0.0.7",
            "h:65536:10.0.0.7",
            "h:443:other",
        ] {
            assert!(host_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn name_servers_default_to_port_53() {
        assert_eq!(dns_server("127.0.0.1").unwrap().port(), 53);
        assert_eq!(dns_server("[::1]:5353").unwrap().port(), 5353);
        assert!(dns_server("localhost").is_err());
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        assert_eq!(network("10.0.0.7").unwrap().to_string(), "10.0.0.7/32");
        assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert!(network("10.0.0.0/33").is_err());
    }
}
