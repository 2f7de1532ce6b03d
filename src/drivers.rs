//! The table of compiled-in providers: the only place that knows which there are.

use linkdial_core::{Code, Definition, Diagnosis, Driver, Kind, Opened, Redactor};

/// Every provider of this build.
pub const DRIVERS: &[Driver] = &[
    #[cfg(feature = "http")]
    Driver::of::<linkdial_http::Http>(),
    #[cfg(feature = "s3")]
    Driver::of::<linkdial_s3::S3>(),
];

/// Reads a definition with the provider of its kind. No packet is sent.
///
/// A kind that this build lacks is a finding, not an error.
pub fn open(definition: &Definition) -> Opened {
    match DRIVERS.iter().find(|driver| driver.kind == definition.kind) {
        Some(driver) => driver.open(definition),
        None => Opened {
            provider: None,
            findings: vec![not_compiled_in(definition.kind)],
            redactor: Redactor::new(definition, &[]),
        },
    }
}

fn not_compiled_in(kind: Kind) -> Diagnosis {
    Diagnosis::new(
        Code::DefineNotCompiledIn,
        format!("this build of linkdial can not dial {kind} links"),
    )
    .hint(format!(
        "use a build that has the feature `{}`",
        kind.as_str().to_ascii_lowercase()
    ))
}
