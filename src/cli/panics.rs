//! What is said when linkdial itself is at fault.

use std::io::Write as _;
use std::path::Path;

/// Replaces the message of a panic, whose text may quote anything, with where it happened.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|location| {
                let file = Path::new(location.file()).file_name().unwrap_or_default();
                format!(" ({}:{})", file.display(), location.line())
            })
            .unwrap_or_default();
        // Nothing is left to say when even this can not be written.
        writeln!(
            std::io::stderr().lock(),
            "linkdial: internal error{place}; please report it"
        )
        .ok();
    }));
}
