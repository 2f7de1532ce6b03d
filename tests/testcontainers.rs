//! The example that the README of linkdial-testcontainers shows, as it stands there.

// README begins
use std::sync::Arc;

use linkdial::linkdial_core::Outcome;
use linkdial::script::{Script, ScriptOptions};
use linkdial::sweep::Limits;
use linkdial_testcontainers::{Minio, User};

#[test]
fn team_reads_its_objects() -> Result<(), Box<dyn std::error::Error>> {
    let minio = Minio::start()?; // gone with the handle
    let link = minio.create_link("store", &User::ReadOnly.login()); // CREATE LINK store AS S3 ...
    let text = format!("-- linkdial: target 'private/team'\n{link}");
    let script = Script::read(vec![("t.sql".into(), text)], &ScriptOptions::default());
    let report = linkdial::verify(script, &Arc::default(), &Limits::default(), |_| {})?;
    assert_eq!(report.checks[0].verdict(), Outcome::Pass, "{report:#?}");
    Ok(())
}
// README ends

#[test]
fn readme_shows_this_example() {
    let source = include_str!("testcontainers.rs");
    let example = source.split("// README begins\n").nth(1);
    let example = example.and_then(|rest| rest.split("// README ends").next());
    let readme = include_str!("../testcontainers/README.md");
    assert!(readme.contains(&format!("```rust\n{}```", example.unwrap_or_default())));
}
