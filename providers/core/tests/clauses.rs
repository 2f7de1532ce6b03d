//! The Define stage's table checks, over real clause texts.

use linkdial_core::{
    Clause, ClauseName, Clauses, Code, Definition, Diagnosis, Key, Kind, Outcome, Shape,
};

const KEYS: &[Key] = &[
    Key::credential("user_name", Shape::Text),
    Key::credential("pass_word", Shape::Text).secret(),
    Key::config("flag", Shape::Boolean),
    Key::config("size_mb", Shape::Integer(5, 100)),
    Key::config("mode", Shape::Word(&["fast", "safe"])),
    Key::config("names", Shape::TextList),
    Key::config("headers", Shape::Object),
    Key::credential("sign_key", Shape::Token).secret(),
    Key::config("extra", Shape::Text).extension(),
    Key::credential("file", Shape::Document).secret(),
];

fn definition(credentials: &str, config: &str) -> Definition {
    Definition {
        kind: Kind::S3,
        credentials: Clause::parse(ClauseName::Credentials, credentials),
        config: Clause::parse(ClauseName::Config, config),
    }
}

fn findings(credentials: &str, config: &str) -> Vec<Diagnosis> {
    Clauses::new(&definition(credentials, config), KEYS).into_findings()
}

/// The only finding, with the text that its first place covers.
fn only(credentials: &str, config: &str) -> (Diagnosis, String) {
    let definition = definition(credentials, config);
    let mut found = Clauses::new(&definition, KEYS).into_findings();
    assert_eq!(found.len(), 1, "{found:#?}");
    let finding = found.remove(0);
    let place = finding.keys.first().expect("every finding names a place");
    let clause = match place.clause {
        ClauseName::Config => &definition.config,
        ClauseName::Credentials => &definition.credentials,
    };
    let span = clause.locate(place).expect("the place exists");
    let covered = clause.text().expose()[span].to_owned();
    (finding, covered)
}

#[test]
fn good_clauses_have_no_finding() {
    let found = findings(
        r#"{"user_name":"u","pass_word":"p w"}"#,
        r#"{"flag":"true","size_mb":"5","mode":"safe","names":["a"],"headers":{"a":"b"}}"#,
    );
    assert!(found.is_empty(), "{found:#?}");
    assert!(findings("", "{}").is_empty());
}

#[test]
fn broken_json_is_placed() {
    for (text, covered) in [
        (r#"{"flag":true,}"#, ","),
        (r#"["flag"]"#, r#"["flag"]"#),
        ("'x'", "'"),
        (r#"{"flag":true} {"#, "{"),
    ] {
        let (finding, at) = only("", text);
        assert_eq!(finding.code, Code::DefineInvalidJson, "{text}");
        assert!(
            at.starts_with(covered) || covered.starts_with(&at),
            "{text}: {at}"
        );
    }
}

#[test]
fn broken_json_is_mended_by_its_cause() {
    for (text, said, hint) in [
        (
            r#"{"flag":true [,"mode":"x"]}"#,
            "`[`",
            "remove `[` and `]`",
        ),
        (
            r#"{"flag":true, ["mode":"x"]}"#,
            "`[`",
            "remove `[` and `]`",
        ),
        (r#"{"flag":true,}"#, "trailing commas", "remove the comma"),
        ("{“flag”:true}", "`“`", "straight double quotes"),
        (r#"{"mode":’x’}"#, "`’`", "straight double quotes"),
        ("{'flag':true}", "ingle", "double quotes only"),
        (r#"{"mode":"x}"#, "nterminated", "close the string"),
        (r#"{"flag":true "mode":"x"}"#, "comma", "put a comma"),
        (r#"{"flag":true"#, "nterminated", "close the object"),
        ("<redacted>", "", "the real ones"),
    ] {
        let (finding, _) = only("", text);
        assert_eq!(finding.code, Code::DefineInvalidJson, "{text}");
        assert!(finding.message.contains(said), "{text}: {finding:#?}");
        let told = finding.hint.as_ref().unwrap();
        assert!(told.contains(hint), "{text}: {finding:#?}");
    }
    // Nothing of a value is shown.
    let (finding, _) = only(r#"{"pass_word": hunter22}"#, "");
    assert!(!format!("{finding:?}").contains("hunter"), "{finding:#?}");
}

#[test]
fn a_raw_line_break_is_told_from_other_control_characters() {
    let (finding, covered) = only("{\"pass_word\":\"-----BEGIN\nX\"}", "");
    assert_eq!(finding.code, Code::DefineRawLineBreak);
    assert_eq!(finding.keys[0].pointer, "/pass_word");
    assert_eq!(covered, "\n");
    let (finding, _) = only("{\"user_name\":\"a\u{1}b\"}", "");
    assert_eq!(finding.code, Code::DefineInvalidJson);
}

#[test]
fn a_key_twice_names_both_places() {
    let (finding, covered) = only("", r#"{"flag":true,"flag":false}"#);
    assert_eq!(finding.code, Code::DefineDuplicateKey);
    assert_eq!(covered, r#""flag""#);
    let spans: Vec<_> = finding.keys.iter().map(|key| key.span.clone()).collect();
    assert_eq!(spans, [Some(13..19), Some(1..7)]);
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    let (finding, covered) = only("", r#"{"flags":"x"}"#);
    assert_eq!(
        (finding.code, finding.outcome),
        (Code::DefineUnknownKey, Outcome::Warn)
    );
    assert_eq!(finding.hint.as_deref(), Some("did you mean `flag`?"));
    assert_eq!(covered, r#""x""#);
    let (finding, _) = only("", r#"{"something.else":1}"#);
    assert!(!finding.hint.unwrap().contains("did you mean"));
}

#[test]
fn a_near_miss_of_a_required_key_is_the_missing_key() {
    let definition = definition(r#"{"user_nam":"u"}"#, "");
    let mut clauses = Clauses::new(&definition, KEYS);
    clauses.missing("user_name", "no user", "add it");
    let found = clauses.into_findings();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, Code::DefineMissingKey);
    assert_eq!(found[0].keys[0].pointer, "/user_nam");
    assert!(
        found[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("rename it to `user_name`")
    );
}

#[test]
fn a_missing_key_names_all_near_misses_of_its_clause() {
    let definition = definition(r#"{"user_nam":"u"}"#, r#"{"flags":true}"#);
    let mut clauses = Clauses::new(&definition, KEYS);
    clauses.missing("flag", "no flag", "add it");
    let found = clauses.into_findings();
    let hint = found[0].hint.as_deref().unwrap();
    assert_eq!(hint, "`flags` stands there; rename it to `flag`");
}

#[test]
fn a_key_of_a_million_letters_is_read_at_once() {
    let started = std::time::Instant::now();
    let found = findings(&format!(r#"{{"{}":1}}"#, "user_name".repeat(111_111)), "");
    let [finding] = found.as_slice() else {
        panic!("{} findings", found.len());
    };
    assert_eq!(finding.code, Code::DefineUnknownKey);
    assert!(finding.message.len() < 200, "{}", finding.message.len());
    assert!(
        finding.message.contains("`user_nameuser_name"),
        "{}",
        finding.message
    );
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn types_words_and_ranges_are_checked() {
    for (config, code) in [
        (r#"{"flag":"yes"}"#, Code::DefineWrongType),
        (r#"{"size_mb":"five"}"#, Code::DefineWrongType),
        (r#"{"size_mb":5.5}"#, Code::DefineWrongType),
        (r#"{"size_mb":4}"#, Code::DefineInvalidValue),
        (r#"{"mode":"FAST"}"#, Code::DefineInvalidValue),
        (r#"{"names":"a"}"#, Code::DefineWrongType),
        (r#"{"names":[{}]}"#, Code::DefineWrongType),
        (r#"{"headers":[]}"#, Code::DefineWrongType),
        (r#"{"headers":{"a":[]}}"#, Code::DefineWrongType),
        (r#"{"extra":"x"}"#, Code::DefineExtensionKey),
        (r#"{"pass_word":"hunter22"}"#, Code::DefineSecretInConfig),
    ] {
        assert_eq!(only("", config).0.code, code, "{config}");
    }
}

#[test]
fn placeholders_and_stray_white_space_are_found_and_not_shown() {
    for value in [
        "your_access_key_id",
        "<secret>",
        "replace_with_your_key",
        "encrypted_key",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ] {
        let (finding, _) = only(&format!(r#"{{"pass_word":"{value}"}}"#), "");
        assert_eq!(finding.code, Code::DefinePlaceholderValue, "{value}");
    }
    for (value, outcome) in [
        (" hunter22", Outcome::Fail),
        ("hunter22 ", Outcome::Fail),
        (r"hunter22\n", Outcome::Fail),
        ("\u{feff}hunter22", Outcome::Fail),
        ("'hunter22'", Outcome::Warn),
    ] {
        let (finding, _) = only(&format!(r#"{{"pass_word":"{value}"}}"#), "");
        assert_eq!(
            (finding.code, finding.outcome),
            (Code::DefineStrayWhitespace, outcome)
        );
        assert!(!format!("{finding:?}").contains("hunter22"));
    }
}

#[test]
fn all_findings_come_at_once() {
    let found = findings(
        r#"{"user_name":"your_name","pass_word":" p"}"#,
        r#"{"flag":1,"mode":"x","flags":2}"#,
    );
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn credentials_win_over_config_and_null_is_absent() {
    let definition = definition(
        r#"{"user_name":"a","pass_word":null}"#,
        r#"{"user_name":"b"}"#,
    );
    let clauses = Clauses::new(&definition, KEYS);
    assert_eq!(clauses.text("user_name").as_deref(), Some("a"));
    assert!(clauses.secret("pass_word").is_none());
    assert_eq!(clauses.place("user_name").clause, ClauseName::Credentials);
}

#[test]
fn debug_shows_no_value() {
    let definition = definition(r#"{"pass_word":"hunter22"}"#, r#"{"names":["hunter22"]}"#);
    assert!(!format!("{definition:?}").contains("hunter22"));
}

#[test]
fn a_document_is_an_object_or_its_text() {
    for (credentials, place) in [
        (r#"{"file":{"a/b":" x\n","n":1}}"#, "/file/a~1b"),
        (r#"{"file":"{\"a/b\":\" x\\n\",\"n\":1}"}"#, "/file"),
    ] {
        let definition = definition(credentials, "");
        let clauses = Clauses::new(&definition, KEYS);
        let document = clauses.document("file").unwrap();
        assert_eq!(document.text("a/b").unwrap().expose(), " x\n");
        assert_eq!(document.text("n"), None);
        assert_eq!(document.members().len(), 2);
        assert_eq!(clauses.place_in("file", "a/b").pointer, place);
        assert!(clauses.into_findings().is_empty(), "{credentials}");
    }
    for credentials in [r#"{"file":"/a/path"}"#, r#"{"file":"[1]"}"#, "{}"] {
        let definition = definition(credentials, "");
        let clauses = Clauses::new(&definition, KEYS);
        assert!(clauses.document("file").is_none(), "{credentials}");
        assert!(clauses.into_findings().is_empty(), "{credentials}");
    }
    let (found, covered) = only(r#"{"file":[1]}"#, "");
    assert_eq!(found.code, Code::DefineWrongType);
    assert_eq!(covered, "[1]");
    let (found, _) = only(r#"{"file":"<your key file>"}"#, "");
    assert_eq!(found.code, Code::DefinePlaceholderValue);
}

#[test]
fn what_signs_is_one_line() {
    for (value, code, message) in [
        (
            "a\\nb",
            "define.invalid-value",
            "the value of `sign_key` holds a line break",
        ),
        (
            "a\nb",
            "define.raw-line-break",
            "the JSON string of `sign_key` holds a raw line break",
        ),
        (
            "a\\u0000b",
            "define.invalid-value",
            "the value of `sign_key` holds a control character",
        ),
        (
            "a\\u001b[0m",
            "define.invalid-value",
            "the value of `sign_key` holds a control character",
        ),
        (
            "'key'",
            "define.stray-whitespace",
            "the value of `sign_key` stands in quotes of its own",
        ),
    ] {
        let (finding, place) = only(&format!("{{\"sign_key\":\"{value}\"}}"), "");
        assert_eq!(
            (finding.code.as_str(), finding.outcome),
            (code, Outcome::Fail)
        );
        assert_eq!(finding.message, message);
        assert!(finding.hint.unwrap().starts_with("remove it"), "{place}");
    }
}

#[test]
fn a_secret_is_no_file() {
    let long = "x".repeat(64 * 1024 + 1);
    let (finding, _) = only(&format!("{{\"sign_key\":\"{long}\"}}"), "");
    assert_eq!(finding.message, "`sign_key` is longer than any secret");
    assert!(findings(&format!("{{\"sign_key\":\"{}\"}}", &long[1..]), "").is_empty());
}

#[test]
fn a_text_that_is_no_boolean_is_not_blamed_for_its_type() {
    let (finding, _) = only("", r#"{"flag":"yes"}"#);
    assert_eq!(finding.message, "`flag` is another text, not true or false");
    let (finding, _) = only("", r#"{"flag":[]}"#);
    assert_eq!(finding.message, "`flag` is a JSON array, not true or false");
}

#[test]
fn an_object_of_very_many_keys_is_one_finding() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|at| format!(r#""k{at}":"v""#)).collect();
        format!("{{{}}}", members.join(","))
    };
    let (finding, found) = only(&object(1001), "");
    assert_eq!(finding.code, Code::DefineInvalidJson);
    assert_eq!(finding.message, "CREDENTIALS has more than 1,000 keys");
    assert_eq!(found, r#""k1000""#);
    let nested = format!(r#"{{"k":"v","k":"v","headers":{}}}"#, object(1001));
    let (finding, found) = only("", &nested);
    let told = "the object of `headers` in CONFIG has more than 1,000 keys";
    assert_eq!(finding.message, told);
    assert_eq!(found, r#""k1000""#);
    // Of fewer the most that anybody mends are told.
    let found = findings(&object(1000), "");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, Code::DefineUnknownKey);
    assert_eq!(found[0].keys.len(), 100);
    assert_eq!(findings("", &object(1000)).len(), 100);
}
