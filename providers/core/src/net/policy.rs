//! Which addresses may be dialled at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The address policy.
///
/// Refused unless [`Policy::allow`] lifts it: link-local addresses and the metadata services of
/// the clouds. A link that names one would hand the identity of this machine to whoever wrote
/// the statement.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Lifts the default refusals.
    pub allow: Vec<IpNet>,
    /// When not empty, everything else is refused.
    pub only: Vec<IpNet>,
}

/// Metadata services that are not link-local: Alibaba, Azure's wire server, Oracle, AWS over
/// IPv6, Google over IPv6.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The names under which the same services answer: Google, Azure's wire server, AWS, Alibaba.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.google.internal",
    "metadata.azure.internal",
    "instance-data.ec2.internal",
    "metadata.alibaba-inc.com",
];

impl Policy {
    /// Returns why a name must not be left to a proxy to resolve; `None` when it may.
    pub fn refuses_name(&self, name: &str) -> Option<&'static str> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if METADATA_NAMES.contains(&name.as_str()) {
            return Some("a cloud metadata service");
        }
        (!self.only.is_empty()).then_some("the proxy resolves it, out of reach of --only-net")
    }

    /// Returns why an address must not be dialled; `None` when it may.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let address = embedded(address);
        let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address));
        if !self.only.is_empty() && !within(&self.only) {
            return Some("outside --only-net");
        }
        if within(&self.allow) {
            return None;
        }
        if METADATA.contains(&address) {
            return Some("a cloud metadata service");
        }
        let link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        if link_local {
            return Some("link-local; cloud metadata services live there");
        }
        if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Some("a multicast or broadcast address");
        }
        None
    }
}

/// Takes an IPv4 address out of the IPv6 forms that reach the same host: mapped (`::ffff:a.b.c.d`),
/// the well-known NAT64 prefix (RFC 6052) and 6to4 (RFC 3056).
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    let octets = v6.octets();
    let v4 = |at: usize| IpAddr::from([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => v4(12),
        [0x2002, ..] => v4(2),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(policy: &Policy, address: &str) -> bool {
        policy.refuses(address.parse().unwrap()).is_some()
    }

    #[test]
    fn metadata_and_link_local_are_refused_in_every_form() {
        let policy = Policy::default();
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
        ] {
            assert!(refused(&policy, address), "{address}");
        }
        for address in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "8.8.8.8"] {
            assert!(!refused(&policy, address), "{address}");
        }
    }

    #[test]
    fn allow_lifts_and_only_restricts() {
        let policy = Policy {
            allow: vec!["169.254.169.254/32".parse().unwrap()],
            only: Vec::new(),
        };
        assert!(!refused(&policy, "169.254.169.254"));
        assert!(refused(&policy, "169.254.169.253"));
        let policy = Policy {
            allow: Vec::new(),
            only: vec!["127.0.0.0/8".parse().unwrap()],
        };
        assert!(!refused(&policy, "127.0.0.2"));
        assert!(refused(&policy, "10.0.0.1"));
        assert!(!refused(&policy, "::ffff:127.0.0.1"));
    }
}
