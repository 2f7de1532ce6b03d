//! Deferred links that passed count as verified.

use linkdial_core::LinkName;

use crate::apply::is_admitted;
use crate::registered::Registered;
use crate::registry::{Registry, RegistryError, State};
use crate::report::Report;

/// Lets deferred links count as verified whose checks all let them in; returns their names.
pub(super) fn promote(
    registry: &Registry,
    registered: &Registered,
    report: &Report,
    who: &str,
) -> Result<Vec<LinkName>, RegistryError> {
    let mut promoted = Vec::new();
    for link in &registered.links {
        let checks = &report.checks[link.numbers.clone()];
        let Some(revision) = link.revision else {
            continue;
        };
        let is_deferred = matches!(link.state, State::Deferred { .. });
        if is_deferred
            && report.until.is_none()
            && is_admitted(checks)
            && registry.promote(&link.name, revision, who)?
        {
            promoted.push(link.name.clone());
        }
    }
    Ok(promoted)
}
