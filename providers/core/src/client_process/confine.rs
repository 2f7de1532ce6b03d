//! What the process of the client may do: little.

use std::io;

use rlimit::Resource;

/// Takes from this process what a client does not need: core files, which would hold its secrets,
/// more than so many bytes of memory, and connections to other TCP ports than those of servers that
/// were checked, where these are known beforehand. To be called before there is any thread.
///
/// Ports are held by Linux from 6.7 on; other systems and versions do without.
///
/// # Errors
///
/// When the system refuses.
pub fn confine(ports: Option<&[u16]>, memory: u64) -> io::Result<()> {
    rlimit::setrlimit(Resource::CORE, 0, 0)?;
    rlimit::setrlimit(Resource::AS, memory, memory)?;
    ports.map_or(Ok(()), hold_to)
}

#[cfg(target_os = "linux")]
fn hold_to(ports: &[u16]) -> io::Result<()> {
    use landlock::{Access as _, AccessNet, NetPort, Ruleset, RulesetAttr as _};
    use landlock::{RulesetCreated, RulesetCreatedAttr as _, RulesetError};

    /// Answers that do not fit into a datagram come by TCP.
    const DNS: u16 = 53;

    let rules = ports
        .iter()
        .chain([&DNS])
        .map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    let held = Ruleset::default()
        .handle_access(AccessNet::from_all(landlock::ABI::V4) & AccessNet::ConnectTcp)
        .and_then(Ruleset::create)
        .and_then(|it| it.add_rules(rules))
        .and_then(RulesetCreated::restrict_self);
    held.map(drop).map_err(io::Error::other)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as its twin")]
fn hold_to(_ports: &[u16]) -> io::Result<()> {
    Ok(())
}
