//! Entry points for hostile bytes, as those of `linkdial_core::fuzz`.

use linkdial_core::fuzz::Target;

/// The readers of this crate.
pub const TARGETS: &[Target] = &[("http_headers", crate::error::fuzz)];
