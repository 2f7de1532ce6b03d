//! The demo passes when linkdial judges every link as it should, and only then.

#![cfg(unix)] // stands in for linkdial with a shell script
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use linkdial_testcontainers::Scratch;

/// Runs the demo with this script in the place of linkdial.
///
/// The script is called as linkdial is: `verify FILE --ca-file CA --timeout 1s --output json=REPORT`.
fn demo(script: &str) -> Output {
    let folder = Scratch::new("fake").unwrap();
    let program = folder
        .write("linkdial", format!("#!/bin/sh\n{script}\n"))
        .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    run(&program)
}

fn run(linkdial: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command
        .args(["demo", "--linkdial"])
        .arg(linkdial)
        .output()
        .unwrap()
}

/// A report on every link of the script, where these pass.
fn report(passing: &str) -> String {
    format!(
        r#"
links=$(sed -n 's/^CREATE LINK \([a-z_]*\) .*/\1/p' "$2")
for link in $links; do
    case " {passing} " in *" $link "*) verdict=pass ;; *) verdict=fail ;; esac
    checks="$checks${{checks:+,}}{{\"link\":\"$link\",\"verdict\":\"$verdict\"}}"
done
echo "{{\"checks\":[$checks]}}" >"${{8#json=}}"
[ "$1" = verify ] && [ -f "$4" ] && exit 1
exit 2"#
    )
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn right_verdicts_end_well() {
    let output = demo(&report("orders orders_tls scores"));
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Every verdict is as it should be")
    );
}

#[test]
fn wrong_verdicts_do_not() {
    let output = demo(&report("orders orders_tls"));
    assert!(
        error(&output).contains("link scores has to pass"),
        "{output:?}"
    );
    let output = demo(&report("orders orders_tls scores silent"));
    assert!(
        error(&output).contains("link silent is broken, and passed"),
        "{output:?}"
    );
}

#[test]
fn linkdial_that_does_not_run_does_not() {
    assert!(error(&run(Path::new("/nowhere/linkdial"))).contains("is not there"));
    assert!(error(&demo("exit 0")).contains("the broken links ask for 1"));
    assert!(error(&demo("exit 3")).contains("the broken links ask for 1"));
}
