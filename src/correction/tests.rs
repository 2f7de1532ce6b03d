use linkdial_core::clause::Value;
use linkdial_core::{Change, ClauseName, KeyPlace, Setting};
use proptest::prelude::*;

use super::draft::{Draft, read};
use super::edits::edits;
use super::shown::{Guard, statement};
use crate::script::{ScriptLink, ScriptOptions, Variables};

fn config(key: &str) -> KeyPlace {
    KeyPlace::key(ClauseName::Config, key)
}

fn credential(key: &str) -> KeyPlace {
    KeyPlace::key(ClauseName::Credentials, key)
}

fn changed(text: &str, change: &Change) -> Option<String> {
    let draft = Draft::new(text);
    let link = draft.read(&ScriptOptions::default()).unwrap();
    let draft = draft.apply(edits(&link, text, change)?).unwrap();
    // What is written is a link again.
    draft.read(&ScriptOptions::default()).unwrap();
    Some(draft.text().to_owned())
}

#[test]
fn a_change_is_written_as_the_statement_is() {
    let set = |place, value: &str| Change::set(place, value);
    for (text, change, expected) in [
        (
            r#"CREATE LINK a AS S3 CONFIG '{"region": "x", "b": 1}'"#,
            set(config("region"), "eu-1"),
            r#"CREATE LINK a AS S3 CONFIG '{"region": "eu-1", "b": 1}'"#,
        ),
        // Written as the members before it are.
        (
            "CREATE LINK a AS S3 CONFIG '{\n  \"b\" : 1,\n  \"c\" : 2\n}'",
            set(config("region"), "eu-1"),
            "CREATE LINK a AS S3 CONFIG '{\n  \"b\" : 1,\n  \"c\" : 2,\n  \"region\" : \"eu-1\"\n}'",
        ),
        (
            r#"CREATE LINK a AS S3 CREDENTIALS '{"x": "y"}' DESCRIPTION 'd'"#,
            set(config("region"), "eu-1"),
            "CREATE LINK a AS S3 CREDENTIALS '{\"x\": \"y\"}'\nCONFIG '{\"region\": \"eu-1\"}' \
             DESCRIPTION 'd'",
        ),
        (
            "CREATE LINK a AS S3 CREDENTIALS '' CONFIG '{ }'",
            set(config("region"), "it's \\ \"q\""),
            r#"CREATE LINK a AS S3 CREDENTIALS '' CONFIG '{"region": "it\'s \\\\ \\"q\\"" }'"#,
        ),
        (
            "CREATE LINK a AS S3 CREDENTIALS ''",
            set(credential("role_arn"), "r"),
            r#"CREATE LINK a AS S3 CREDENTIALS '{"role_arn": "r"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG "{\"k\": \"v\\\\\"}""#,
            set(config("region"), "r"),
            r#"CREATE LINK a AS S3 CONFIG "{\"k\": \"v\\\\\", \"region\": \"r\"}""#,
        ),
        // It stands in the other clause, which counts.
        (
            r#"CREATE LINK a AS S3 CREDENTIALS '{"region": "x"}' CONFIG '{}'"#,
            set(config("region"), "r"),
            r#"CREATE LINK a AS S3 CREDENTIALS '{"region": "r"}' CONFIG '{}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"a": 1, "b": 2}' CREDENTIALS "{\"c\": 3}""#,
            Change::Move(config("b")),
            r#"CREATE LINK a AS S3 CONFIG '{"a": 1}' CREDENTIALS "{\"c\": 3, \"b\": 2}""#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"a": 1, "b": 2}'"#,
            Change::Remove(config("a")),
            r#"CREATE LINK a AS S3 CONFIG '{"b": 2}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"regoin": "r"}'"#,
            Change::Rename {
                place: config("regoin"),
                to: "region".into(),
            },
            r#"CREATE LINK a AS S3 CONFIG '{"region": "r"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"k": "\\u0020 \\ufeff\\"x\\\\\\" \\t"}'"#,
            Change::Trim(config("k")),
            r#"CREATE LINK a AS S3 CONFIG '{"k": "x\\\\"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"k": "a\nb\r\n"}'"#,
            Change::EscapeLineBreaks(config("k")),
            r#"CREATE LINK a AS S3 CONFIG '{"k": "a\\nb\\n"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"u": "HTTP://h:9001/p"}'"#,
            Change::Port {
                place: config("u"),
                port: 9000,
            },
            r#"CREATE LINK a AS S3 CONFIG '{"u": "HTTP://h:9000/p"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"u": "h:9001"}'"#,
            Change::Scheme {
                place: config("u"),
                scheme: "https",
            },
            r#"CREATE LINK a AS S3 CONFIG '{"u": "https://h:9001"}'"#,
        ),
        (
            r#"CREATE LINK a AS S3 CONFIG '{"p": "no"}'"#,
            Change::Set {
                place: config("p"),
                value: Setting::Boolean(true),
            },
            r#"CREATE LINK a AS S3 CONFIG '{"p": true}'"#,
        ),
    ] {
        assert_eq!(
            changed(text, &change).as_deref(),
            Some(expected),
            "{change:?}"
        );
    }
}

#[test]
fn what_has_no_hold_in_the_text_is_not_changed() {
    let text = r#"CREATE LINK a AS S3 CONFIG '{"u": "https://h", "k": "v", "n": {}}'"#;
    for change in [
        Change::Trim(config("k")),
        Change::Trim(config("n")),
        Change::Remove(config("gone")),
        Change::Move(config("gone")),
        Change::set(config("k"), "v"),
        Change::Scheme {
            place: config("u"),
            scheme: "https",
        },
        Change::Port {
            place: config("u"),
            port: 1,
        },
        Change::Rename {
            place: config("u"),
            to: "k".into(),
        },
    ] {
        assert_eq!(changed(text, &change), None, "{change:?}");
    }
}

fn options(variables: &[(&str, &str)]) -> ScriptOptions {
    let mut options = ScriptOptions::default();
    for (name, value) in variables {
        options.variables.set(*name, *value, true);
    }
    options
}

fn shown(text: &str, options: &ScriptOptions) -> Option<String> {
    let link = read(text, options)?;
    statement(&link, text, options, &Guard::of([&link]))
}

#[test]
fn variables_stand_for_secrets() {
    let options = options(&[
        ("TOKEN", "t0k3n-value"),
        ("LOGS_AWS_SECRET_ACCESS_KEY", "other-value"),
    ]);
    for (text, expected) in [
        (
            r#"CREATE LINK shop.logs AS S3 CREDENTIALS '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s3cr3t\'\\\\x"}'"#,
            r#"CREATE LINK shop.logs AS S3 CREDENTIALS '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"${LOGS_AWS_SECRET_ACCESS_KEY_2}"}';"#,
        ),
        (
            r#"CREATE LINK h AS HTTP /* t0p */ CREDENTIALS "{\"headers\":{\"Authorization\":\"Bearer ${TOKEN}\",\"X-Key\":\"k3y-value\"}}" -- x"#,
            r#"CREATE LINK h AS HTTP CREDENTIALS "{\"headers\":{\"Authorization\":\"Bearer ${TOKEN}\",\"X-Key\":\"${H_HEADERS_X_KEY}\"}}";"#,
        ),
        // A key that nobody knows may be the slip of one that is secret.
        (
            r#"CREATE LINK a AS S3 CREDENTIALS '{"aws_secet":"s3cr3t-value"}' CONFIG '{"endpoint_url":"http://u:p4ssw0rd@h"}'"#,
            r#"CREATE LINK a AS S3 CREDENTIALS '{"aws_secet":"${A_AWS_SECET}"}' CONFIG '{"endpoint_url":"${A_ENDPOINT_URL}"}';"#,
        ),
    ] {
        assert_eq!(shown(text, &options).as_deref(), Some(expected), "{text}");
    }
    // A secret that stands where no variable can be.
    let text = r#"CREATE LINK a AS S3 CREDENTIALS '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s3cr3t-value"}' DESCRIPTION 's3cr3t-value'"#;
    assert_eq!(shown(text, &options), None);
}

#[test]
fn a_clause_that_parses_tells_what_is_secret_in_one_that_does_not() {
    let link = |json: &str| {
        let text = format!("CREATE LINK a AS S3 CREDENTIALS '{json}'");
        read(&text, &ScriptOptions::default()).unwrap()
    };
    let right =
        link(r#"{"aws_access_key_id":"lab-root-1","aws_secret_access_key":"s3cr3t-value"}"#);
    let other = link(r#"{"aws_access_key_id":"lab-root-1","aws_secret_access_key":"other-value"}"#);
    for slip in [
        r#"{"aws_access_key_id":"lab-root-1","aws_secret_access_key":"s3cr3t-value",}"#,
        "{“aws_access_key_id”: “lab-root-1”, “aws_secret_access_key”: “s3cr3t-value”}",
    ] {
        let slip = link(slip);
        let guard = Guard::of([&slip, &right]);
        assert!(guard.is_harmless("\"aws_access_key_id\":\"lab-root-1\""));
        assert!(!guard.is_harmless("it is s3cr3t-value"));
        // Nothing tells.
        for guard in [Guard::of([&slip]), Guard::of([&slip, &other])] {
            let all = slip.definition.credentials.text().expose();
            assert!(!guard.is_harmless(all));
        }
    }
}

fn value(link: &ScriptLink, key: &str) -> Option<String> {
    match &link.definition.config.get(key)?.value {
        Value::String(text) => Some(text.expose().to_owned()),
        _ => None,
    }
}

proptest! {
    /// Both escapes are written as they are read, whatever stands there.
    #[test]
    fn what_is_set_is_read_again(
        before in "[^$]{0,12}",
        after in "[^$]{0,12}",
        double in any::<bool>(),
    ) {
        let quote = if double { '"' } else { '\'' };
        let json = serde_json::json!({"other": before, "region": "x"}).to_string();
        let text = format!(
            "CREATE LINK a AS S3 CONFIG {quote}{}{quote}",
            super::edits::sql(&json, quote)
        );
        let options = ScriptOptions { database: None, variables: Variables::default() };
        let draft = Draft::new(&text);
        let link = draft.read(&options).unwrap();
        prop_assert_eq!(value(&link, "other"), Some(before.clone()));
        if let Some(edits) = edits(&link, &text, &Change::set(config("region"), &after)) {
            let link = draft.apply(edits).unwrap().read(&options).unwrap();
            prop_assert_eq!(value(&link, "region"), Some(after));
            prop_assert_eq!(value(&link, "other"), Some(before));
        }
    }
}
