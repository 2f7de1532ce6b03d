//! `--fix` itself.

use std::fs;

use linkdial_testcontainers::{Minio, User};

use crate::bench::{linkdial, pipeline};

fn script() -> String {
    let link = Minio::shared()
        .create_link("orders", &User::ReadOnly.login())
        .config("region", "eu-west-3");
    format!("{link}{}", pipeline("orders", "private"))
}

#[test]
fn what_can_not_be_is_refused_before_anything_is_dialled() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("links.sql"), script()).unwrap();
    fs::write(path("more.sql"), "").unwrap();
    let (links, more, fixed) = (path("links.sql"), path("more.sql"), path("fixed.sql"));
    let same = format!("sarif={}", path("./fixed.sql"));
    for (arguments, told) in [
        (
            &["--fix", &fixed, "--offline", &links][..],
            "neither `--offline` nor `--until`",
        ),
        (
            &["--fix", &fixed, "--until", "tls", &links],
            "neither `--offline` nor `--until`",
        ),
        (&["--fix", &fixed, &links, &more], "name one FILE"),
        (&["--fix", &links, &links], "would overwrite the script"),
        (
            &["--fix", &fixed, "--output", &same, &links],
            "name the same file",
        ),
    ] {
        let mut all = vec!["verify"];
        all.extend(arguments);
        let output = linkdial(&all);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told), "{error}");
        assert!(!fs::exists(&fixed).unwrap());
    }
    assert_eq!(fs::read_to_string(&links).unwrap(), script());
    let nowhere = path("no/fixed.sql");
    let output = linkdial(&["verify", "--fix", &nowhere, &links]);
    assert_eq!(output.status.code(), Some(3));
}

/// A copy holds the secrets of its script.
#[cfg(unix)]
#[test]
fn nobody_may_read_more_of_a_copy_than_of_its_script() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mode = |name: &str| {
        let found = fs::metadata(path(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    let set = |name: &str, mode: u32| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::write(path("links.sql"), "SELECT 1;").unwrap();
    for (script, old, expected) in [
        (0o600, None, 0o600),
        (0o600, Some(0o644), 0o600),
        (0o644, Some(0o640), 0o640),
        (0o644, Some(0o644), 0o644),
    ] {
        set("links.sql", script);
        if let Some(old) = old {
            fs::write(path("old.sql"), "").unwrap();
            set("old.sql", old);
        }
        let output = linkdial(&["verify", "--fix", &path("old.sql"), &path("links.sql")]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(mode("old.sql"), expected, "{script:o} {old:?}");
    }
}

#[test]
fn a_script_without_a_repair_is_copied_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text =
        "\u{feff}/* ü */ CREATE LINK a AS S3 CREDENTIALS '{}' CONFIG '{}';\r\nSELECT '\\\\';\r\n";
    fs::write(path("links.sql"), text).unwrap();
    let output = linkdial(&[
        "verify",
        "--fix",
        &path("fixed.sql"),
        &path("links.sql"),
        "--only-net",
        "127.0.0.1/32",
    ]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("0 repairs written to"), "{error}");
    assert_eq!(fs::read(path("fixed.sql")).unwrap(), text.as_bytes());
}

/// The statement that mends the link would be undone by the one behind it.
#[test]
fn a_repair_that_other_statements_undo_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = script();
    let config = text.split('\'').nth(3).unwrap();
    let text = format!("{text}ALTER LINK orders SET CONFIG '{config}';\n");
    fs::write(path("links.sql"), &text).unwrap();
    let output = linkdial(&["verify", "--fix", &path("fixed.sql"), &path("links.sql")]);
    let (report, error) = [&output.stdout, &output.stderr]
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .into();
    assert!(report.contains("corrected, and dialled"), "{report}{error}");
    let told = "; 1 repair of `orders` is not in it: other statements change that link";
    assert!(error.contains("0 repairs written to"), "{error}");
    assert!(error.contains(told), "{error}");
    assert_eq!(fs::read_to_string(path("fixed.sql")).unwrap(), text);
}

/// A variable of the script stays, and a clause that one holds is left alone.
#[test]
fn variables_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = script().replace("lab-readonly-secret", "${ORDERS_SECRET}");
    fs::write(path("links.sql"), &text).unwrap();
    fs::write(path("vars"), "ORDERS_SECRET=lab-readonly-secret\n").unwrap();
    let output = linkdial(&[
        "verify",
        "--format",
        "json",
        "--vars",
        &path("vars"),
        "--fix",
        &path("fixed.sql"),
        &path("links.sql"),
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let statement = report["checks"][0]["correction"]["statement"]
        .as_str()
        .unwrap();
    assert!(
        statement.contains("\"aws_secret_access_key\":\"${ORDERS_SECRET}\""),
        "{statement}"
    );
    assert!(statement.contains("us-east-1"), "{statement}");
    assert_eq!(
        fs::read_to_string(path("fixed.sql")).unwrap(),
        text.replace("eu-west-3", "us-east-1")
    );
}

/// A statement that SQL does not read, as word processors leave them.
#[test]
fn quotes_of_a_word_processor_around_the_clauses() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let right = script().replace("eu-west-3", "us-east-1");
    let statement = right.split(';').next().unwrap();
    let slip = statement.replace('\'', "’").replace("’{", "‘{");
    assert_eq!(slip.matches('‘').count(), 2, "{slip}");
    let text = right.replace(statement, &slip);
    fs::write(path("links.sql"), &text).unwrap();
    let fixed = path("fixed.sql");
    let outputs = ["sarif", "html", "markdown", "human"].map(|it| format!("{it}={}", path(it)));
    let mut arguments = vec!["verify", "--format", "json", "--fix", &fixed];
    arguments.extend(outputs.iter().flat_map(|output| ["--output", output]));
    let links = path("links.sql");
    arguments.push(&links);
    let output = linkdial(&arguments);
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let correction = &report["errors"][0]["correction"];
    assert_eq!(correction["verdict"], "pass", "{report:#}");
    let shown = correction["statement"].as_str().unwrap();
    assert!(shown.contains("CREDENTIALS '{"), "{shown}");
    for name in ["sarif", "html", "markdown", "human"] {
        let text = fs::read_to_string(path(name)).unwrap();
        assert!(text.contains("corrected, and dialled"), "{text}");
        assert!(!text.contains("lab-readonly-secret"), "{text}");
    }
    assert!(!report.to_string().contains("lab-readonly-secret"));
    assert_eq!(fs::read_to_string(&fixed).unwrap(), right);

    // The secret is wrong all the same.
    let wrong = text.replace("lab-readonly-secret", "m4rked-wrong");
    fs::write(path("links.sql"), wrong).unwrap();
    let output = linkdial(&["verify", "--format", "json", &links]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["errors"][0]["correction"].is_null(), "{report:#}");
    assert!(!report.to_string().contains("m4rked"), "{report:#}");
}
