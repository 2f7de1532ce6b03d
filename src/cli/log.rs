//! Events on standard error, for people who look into linkdial itself.

use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::exit::Failure;

/// Starts writing events. Those of libraries are left out at every level: they print requests,
/// headers and keys as they like; ours hold no secret.
pub(super) fn install(filter: &str) -> Result<(), Failure> {
    let chosen = EnvFilter::try_new(filter)
        .map_err(|error| Failure::Usage(format!("`--log` does not read `{filter}`: {error}")))?;
    let ours = filter_fn(|event| event.target().starts_with("linkdial"));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(chosen);
    tracing_subscriber::registry()
        .with(layer.with_filter(ours))
        .try_init()
        .map_err(|error| Failure::Broken(format!("cannot start the log: {error}")))
}
