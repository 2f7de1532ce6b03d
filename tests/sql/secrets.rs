//! No value of CREDENTIALS is shown, however broken the script is.

use std::fmt::Write as _;

use linkdial::script::{Script, ScriptOptions};
use linkdial_core::{Clause, Code, KeyPlace};

/// Everything of a script that a report may print.
fn shown(script: &Script) -> String {
    let mut out = String::new();
    for error in &script.errors {
        writeln!(out, "{} {error:?}", error.excerpt.text).unwrap();
    }
    for skipped in &script.skipped {
        writeln!(out, "{skipped:?}").unwrap();
    }
    for link in &script.links {
        writeln!(out, "{link:?} {}", link.excerpt().text).unwrap();
        for clause in [&link.definition.credentials, &link.definition.config] {
            excerpts(link, clause, &mut out);
        }
    }
    out
}

fn excerpts(link: &linkdial::script::ScriptLink, clause: &Clause, out: &mut String) {
    let members = clause
        .members()
        .iter()
        .map(|member| KeyPlace::key(clause.name(), &member.key));
    let faults = clause.faults().iter().flat_map(|fault| fault.keys.clone());
    for key in members.chain(faults) {
        for code in [Code::DefineUnknownKey, Code::DefineInvalidValue] {
            if let Some((_, excerpt)) = link.locate_for(code, &key) {
                writeln!(out, "{excerpt:?}").unwrap();
            }
        }
    }
}

fn read(text: String) -> Script {
    Script::read(
        vec![(String::from("a.sql"), text)],
        &ScriptOptions::default(),
    )
}

#[test]
fn no_script_of_the_folder_shows_its_secrets() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        seen += text.matches("secret-marker").count();
        let shown = shown(&read(text));
        for line in shown.lines() {
            assert!(
                !line.contains("secret-marker"),
                "{}: {line}",
                path.display()
            );
        }
    }
    assert!(seen > 40, "the scripts hold no secrets to look for");
}

/// One slip anywhere in a script: a sign too much, or one missing.
#[test]
fn no_slip_of_the_pen_shows_a_secret() {
    let script = "\
CREATE LINK a AS S3 CREDENTIALS '{\"aws_access_key_id\":\"HIDDENHIDDEN\",
  \"aws_secret_access_key\": \"HIDDENHIDDEN\"}' CONFIG '{\"region\":\"us-east-1\"}';
CREATE LINK b AS KAFKA CONFIG \"{\\\"sasl.mechanism\\\":\\\"PLAIN\\\"}\" \
CREDENTIALS \"{\\\"sasl.password\\\":\\\"HIDDENHIDDEN\\\"}\";
ALTER LINK b SET CREDENTIALS ::sasl.password = 'HIDDENHIDDEN';
CREATE PIPELINE p AS LOAD DATA LINK a 'bucket/prefix' INTO TABLE t;
CREATE LINK c AS HTTP CREDENTIALS '{\"headers\":{\"Authorization\":\"HIDDENHIDDEN\"}}'; \
CREATE LINK d AS S3 CREDENTIALS '{\"k\":\"HIDDENHIDDEN\"}' DESCRIPTION 'text';
SELECT 1 INTO LINK d 'bucket/out';
";
    // Half of the word, so that a sign put into its middle hides nothing from the test.
    assert_eq!(script.matches("HIDDENHIDDEN").count(), 6);
    let mut leaks: Vec<String> = Vec::new();
    for at in 0..script.len() {
        for slip in [
            "'", "\"", "`", ";", ";\n", "\n", "{", "\\", "’", "“", "# ", "/*", " ", "",
        ] {
            let mut text = String::from(&script[..at]);
            text.push_str(slip);
            let kept = &script[at + usize::from(slip.is_empty())..];
            text.push_str(kept);
            let shown = shown(&read(text));
            if let Some(line) = shown.lines().find(|line| line.contains("HIDDEN")) {
                leaks.push(format!(
                    "with {slip:?} at {at} ({:?}): {line}",
                    &kept[..kept.len().min(30)]
                ));
            }
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks: {:#?}",
        leaks.len(),
        &leaks[..leaks.len().min(8)]
    );
}
