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
    let admitted = registered.links.iter().filter(|link| {
        let is_deferred = matches!(link.state, State::Deferred { .. });
        is_deferred && is_admitted(&report.checks[link.numbers.clone()])
    });
    let admitted: Vec<(&LinkName, u64)> = admitted
        .filter_map(|link| Some((&link.name, link.revision?)))
        .collect();
    if admitted.is_empty() || report.until.is_some() {
        return Ok(Vec::new());
    }
    registry.promote(&admitted, who)
}
