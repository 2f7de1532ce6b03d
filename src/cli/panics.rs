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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use linkdial_core::testing::leaked;

    const SECRET: &str = "hK4/vXq+8mLz2wTb6nR9yPcJ";
    /// Set in the process that panics.
    const CHILD: &str = "LINKDIAL_TEST_PANICS";

    /// A hook is that of a whole process, so another one panics.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    fn the_message_of_a_panic_is_not_written() {
        if std::env::var_os(CHILD).is_some() {
            super::install();
            panic!("the peer said {SECRET}");
        }
        let name = "cli::panics::tests::the_message_of_a_panic_is_not_written";
        for backtrace in ["0", "full"] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(CHILD, "1")
                .env("RUST_BACKTRACE", backtrace)
                .output()
                .unwrap();
            assert!(!output.status.success());
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(
                said.contains("linkdial: internal error (panics.rs:"),
                "{said}"
            );
            assert_eq!(leaked(&said, &[SECRET]), None, "{said}");
        }
    }
}
