//! Secret variables in the definitions of a registry: they stay secret after the run that set them.

use super::*;

/// Has to be escaped in JSON.
const ESCAPED: &str = "Tok\"en\nM4rked";
const MARK: &str = "M4rked";

/// Applies a script without a dial, then shows the link in every way from a run of its own.
fn shown_later(script: &str, variables: &serde_json::Value) -> String {
    let folder = Folder::new();
    let script = folder.write("links.sql", script);
    let variables = folder.write("vars.json", &variables.to_string());
    let registry = folder.path("links.db");
    let apply = [
        "apply",
        "--registry",
        &registry,
        "--defer",
        "--offline",
        "--format",
        "json",
    ];
    let set = run(&[&apply[..], &["--vars", &variables, &script]].concat());
    assert_eq!(code(&set), 0, "{}{}", stdout(&set), stderr(&set));
    let change = "ALTER LINK shop.a SET CONFIG ::other = '1';\
                  SHOW LINKS ON shop; SHOW CREATE LINK shop.a; CHECK LINK shop.a;";
    let later = run(&[&apply[..], &["-e", change]].concat());
    let mut text = format!("{}{}", stdout(&set), stdout(&later));
    let check = run(&["check", "--registry", &registry, "--offline", "-v"]);
    text.push_str(stdout(&check));
    for name in ["links.db", "links.db-wal"] {
        let bytes = fs::read(folder.path(name)).unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    text
}

#[test]
fn a_key_that_was_set_to_an_escaped_secret_stays_secret() {
    let text = shown_later(
        "CREATE LINK shop.a AS S3 CREDENTIALS '{}' CONFIG '{\"region\": \"us-east-1\"}';\n\
         ALTER LINK shop.a SET CONFIG ::endpoint_url = 'http://127.0.0.1:1/${V}';",
        &serde_json::json!({ "V": ESCAPED }),
    );
    assert!(!text.contains(MARK), "{text}");
    // Its neighbours are no secrets.
    assert!(text.contains("us-east-1"), "{text}");
}

#[test]
fn the_values_of_a_whole_secret_clause_stay_secret() {
    let whole = serde_json::json!({ "endpoint_url": format!("http://127.0.0.1:1/{MARK}") });
    let text = shown_later(
        "CREATE LINK shop.a AS S3 CREDENTIALS '{}' CONFIG '${W}';",
        &serde_json::json!({ "W": whole.to_string() }),
    );
    assert!(!text.contains(MARK), "{text}");
}
