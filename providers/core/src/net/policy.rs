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

/// Metadata services that are not link-local: Alibaba, Azure's wire server, Oracle; over IPv6 AWS,
/// the credentials of its pods (EKS Pod Identity), Scaleway, Google, and Oracle.
const METADATA: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
];

/// The names under which the same services answer: Google, Azure's wire server, AWS, Alibaba, Tencent.
const METADATA_NAMES: [&str; 8] = [
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.azure.internal",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.alibaba-inc.com",
    "metadata.tencentyun.com",
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
        let forms = forms(address);
        // A network may be given in the form that is written or in the one that is reached.
        let within = |nets: &[IpNet], form: &IpAddr| nets.iter().any(|net| net.contains(form));
        let reached = forms.last().unwrap_or(&address);
        let among = |nets: &[IpNet]| within(nets, &address) || within(nets, reached);
        if !self.only.is_empty() && !among(&self.only) {
            return Some("outside --only-net");
        }
        if within(&self.allow, &address) {
            return None;
        }
        forms
            .into_iter()
            .filter(|form| !within(&self.allow, form))
            .find_map(refused_by_default)
    }
}

fn refused_by_default(address: IpAddr) -> Option<&'static str> {
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

/// Returns an address as written, and the IPv4 addresses that an IPv6 form of it leads to.
///
/// Mapped, compatible (RFC 4291, section 2.5.5) and translated (RFC 2765) addresses, NAT64
/// (RFC 6052; RFC 8215 for the local prefix, which may be cut into longer ones: each layout of
/// RFC 6052, section 2.2), 6to4 (RFC 3056), ISATAP (RFC 5214, section 6.1: any prefix) and Teredo
/// (RFC 4380: the server, and the client with its bits inverted). Site-local addresses (`fec0::/10`, deprecated by RFC 3879) embed nothing and may be dialled.
fn forms(address: IpAddr) -> Vec<IpAddr> {
    let mut forms = vec![address];
    let IpAddr::V6(v6) = address else {
        return forms;
    };
    let bits = v6.to_bits();
    let v4 = |shift: u32| Ipv4Addr::from_bits(u32::try_from(bits >> shift & MASK).unwrap_or(0));
    let last = v4(0);
    match v6.segments() {
        // The loopback and the unspecified address look like compatible ones.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => {}
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
        | [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => forms.push(last.into()),
        [0x64, 0xff9b, 1, ..] => {
            // Bits 64 to 71 are left out in every layout.
            let packed = bits >> 64 << 56 | bits & ((1 << 56) - 1);
            let layouts = [40, 32, 24].map(|shift: u32| packed >> shift & MASK);
            let layouts = layouts.map(|it| Ipv4Addr::from_bits(u32::try_from(it).unwrap_or(0)));
            forms.extend(layouts.map(IpAddr::from));
            forms.push(last.into());
        }
        [0x2002, ..] => forms.push(v4(80).into()),
        [0x2001, 0, ..] => forms.extend([v4(64).into(), (!last).into()] as [IpAddr; 2]),
        _ => {}
    }
    forms
}

/// The bits of an IPv4 address.
const MASK: u128 = 0xffff_ffff;

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
            "fd00:ec2::23",
            "fd00:42::42",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:ff::a9fe:a9fe",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:ffa9:fe:a9fe::",
            "64:ff9b:1:ffff:a9:fea9:fe00::",
            "2001:db8::5efe:a9fe:a9fe",
            "2001:db8::200:5efe:a9fe:a9fe",
            "fd00:c1::a9fe:a9fe",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "2001:0:a9fe:a9fe::1",
            "2001:0:808:808::5601:5601",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
        ] {
            assert!(refused(&policy, address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "::1",
            "::",
            "fec0::1",
            "64:ff9b::808:808",
            "64:ff9b:1::808:808",
            "64:ff9b:1:808:8:800::",
            "2001:db8::a9fe:a9fe",
            "2001:db8::5efe:808:808",
            "10.1.2.3",
            "192.168.0.1",
            "8.8.8.8",
        ] {
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

    #[test]
    fn a_network_may_be_named_as_written_or_as_reached() {
        for net in ["64:ff9b::a9fe:a9fe/128", "169.254.169.254/32"] {
            let net: IpNet = net.parse().unwrap();
            let allow = Policy {
                allow: vec![net],
                only: Vec::new(),
            };
            assert!(!refused(&allow, "64:ff9b::a9fe:a9fe"), "{net}");
            assert!(refused(&allow, "64:ff9b::a9fe:a9fd"), "{net}");
            let only = Policy {
                allow: vec![net],
                only: vec![net],
            };
            assert!(!refused(&only, "64:ff9b::a9fe:a9fe"), "{net}");
            assert!(refused(&only, "64:ff9b::808:808"), "{net}");
        }
    }
}
