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
        writeln!(out, "{link:?} {}", link.excerpt().unwrap().text).unwrap();
        for taken in &link.uses {
            writeln!(out, "{:?}", link.locate_target(taken)).unwrap();
        }
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
CREATE LINK `e` AS S3 CREDENTIALS '{\"x\":[\"HIDDENHIDDEN\"]}' CONFIG '{\"pwd\":\"HIDDENHIDDEN\"}' \
DESCRIPTION “l'été”;
";
    // Half of the word, so that a sign put into its middle hides nothing from the test.
    assert_eq!(script.matches("HIDDENHIDDEN").count(), 8);
    let mut leaks: Vec<String> = Vec::new();
    let boundaries = script.char_indices().map(|(at, _)| at);
    for at in boundaries {
        for slip in [
            "'", "\"", "`", ";", ";\n", "\n", "{", "\\", "’", "“", "# ", "/*", " ", "",
        ] {
            let mut text = String::from(&script[..at]);
            text.push_str(slip);
            let mut kept = script[at..].chars();
            if slip.is_empty() {
                kept.next();
            }
            let kept = kept.as_str();
            text.push_str(kept);
            let shown = shown(&read(text));
            if let Some(line) = shown.lines().find(|line| line.contains("HIDDEN")) {
                leaks.push(format!(
                    "with {slip:?} at {at} ({:?}): {line}",
                    kept.chars().take(30).collect::<String>()
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

/// Each of these was shown once.
#[test]
fn no_known_slip_shows_a_secret() {
    let cases = [
        r#"CREATE LINK a AS S3 CONFIG '{"headers":{"Authorization":"Bearer QZXJKV"}}' junk;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"pwd":"QZXJKV","sasl.passwrd":"QZXJKV"}' junk;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"api_key":"QZXJKV","n":7392817465}' junk;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"aws_sercet_access_key":"QZXJKV"}' junk;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"x-amz-server-side-encryption-custmer-key":"QZXJKV"}' j;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"http://u:QZXJKV@h"}' junk;"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"http://:QZXJKV@h"}';"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"http://h/?sig=QZXJKV"}';"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"http://h/#QZXJKV"}';"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"u:QZXJKV@127.0.0.1:1"}';"#,
        r#"CREATE LINK a AS S3 CONFIG '{"endpoint_url":"http:///u:QZXJKV@h"}';"#,
        r#"CREATE LINK a AS S3 CONFIG "{\"endpoint_url\":\"http://u:QZXJKV@h\"}" junk;"#,
        "CREATE EXTERNAL FUNCTION f() AS REMOTE SERVICE https://u:QZXJKV@h/p?sig=QZXJKV FORMAT JSON LINK a;",
        "CREATE EXTERNAL FUNCTION f() AS REMOTE LINK a SERVICE https://h/p#QZXJKV FORMAT JSON;",
        "CREATE EXTERNAL FUNCTION f() AS REMOTE SERVICE https:user:QZXJKV@h FORMAT JSON LINK a;",
        "CREATE EXTERNAL FUNCTION f() AS REMOTE SERVICE '//user:QZXJKV@h' LINK a FORMAT JSON;",
        "CREATE EXTERNAL FUNCTION f() AS REMOTE SERVICE 'https://user:pa/QZXJKV@h' LINK a FORMAT JSON;",
        "CREATE EXTERNAL FUNCTION f() AS REMOTE LINK a SERVICE 'https://user:pa/QZXJKV@h';",
        "CREATE LINK a AS HTTP CREDENTIALS '{}';\n\
         -- linkdial: target 'https://user:pa/QZXJKV@h/?sig=QZXJKV' wrong\n\
         CREATE LINK a AS HTTP CREDENTIALS '{}';",
        "CREATE LINK `e AS S3 CREDENTIALS '{\"x\":[\"QZXJKV\"],\"n\":7392817465}';",
        "CREATE LINK `e AS S3 CREDENTIALS '{\"x\":[\"a`QZXJKV\"],\"n\":7392817465}';",
        "CREATE LINK `e AS S3 CREDENTIALS '{\"x\":[\"a` QZXJKV\"],\"n\":7392817465}';",
        "CREATE LINK `e AS S3 CREDENTIALS '{\"x\":[\"a;QZXJKV\"],\"n\":7392817465}';",
        "CREATE LINK e AS S3 CREDENTI`ALS '{\"x\":[\"QZXJKV\"],\"n\":7392817465}';",
        "ALTER LINK e SET CREDENTIALS ::k QZXJKV;",
        "ALTER LINK e SET CREDENTIALS ::QZXJKV;",
        "ALTER LINK e SET CREDENTIALS ::k = QZXJKV more;",
        "ALTER LINK e SET CONFIG ::password = my QZXJKV;",
        "ALTER LINK e SET CONFIG ::pwd = 'QZXJKV' junk;",
        "ALTER LINK e SET CONFIG ::endpoint_url = 'http://u:QZXJKV@h' junk;",
        "ALTER LINK e SET PASSWORD = QZXJKV;",
        "CREATE LINK e AS S3 SECRET QZXJKV KEY QZXJKV;",
        "CREATE LINK e AS S3 CONFIG QZXJKV;",
        "CREATE LINK e AS S3 '{\"k\":[\"QZXJKV\"]}' 7392817465;",
        "-- CREATE LINK z AS S3 CREDENTIALS '{\"k\":\"\nQZXJKV\"}';",
        "CREATE LINK e AS S3 CONFIG '{\"region\"{\"o\":[\"QZXJKV\",7392817465]}}';",
        "CREATE LINK e AS S3 CONFIG '{\"a\":\"QZXJKV\",}' junk;",
        "/* CREATE LINK e AS S3 CREDENTIALS QZXJKV;",
        "GRANT SHOW LINK ON *.* TO a IDENTIFIED BY QZXJKV;",
        "GRANT SHOW LINK ON *.* TO a IDENTIFIED BY `QZXJKV`, b IDENTIFIED WITH x AS QZXJKV;",
        "GRANT SHOW LINK ON d.t TO 'a'@'QZXJKV' IDENTIFIED BY \"QZXJKV\";",
        "CHECK LINK a ON 'https://u:QZXJKV@h/?sig=QZXJKV' FOR;",
        "CHECK LINK a ON https://u:QZXJKV@h;",
        "SELECT CONFIG, x FROM information_schema.LINKS WHERE LINK = 'QZXJKV' OR 'QZXJKV';",
        "SELECT CONFIG FROM information_schema.LINKS WHERE TYPE LIKE '{\"k\":\"QZXJKV\"}' x;",
    ];
    for case in cases {
        let shown = shown(&read(String::from(case)));
        assert!(
            !shown.contains("QZXJKV") && !shown.contains("7392817465"),
            "{case}\n{shown}"
        );
        let faulty = read(String::from(case));
        assert!(
            !faulty.errors.is_empty() || !faulty.links.is_empty() || !faulty.skipped.is_empty(),
            "{case}"
        );
    }
}

/// What is no secret stays readable.
#[test]
fn an_excerpt_still_shows_where_the_slip_is() {
    for (text, expected) in [
        (
            "CREATE LINK a AS S3 junk CREDENTIALS '{\"k\":\"v\"}';",
            "CREATE LINK a AS S3 junk CREDENTIALS '{\"k\":\"…\"}';",
        ),
        (
            "CREATE LINK a AS S3 CONFIG '{\"region\":\"eu\",\"endpoint_url\":\"http://h:9000\"}' junk;",
            "CREATE LINK a AS S3 CONFIG '{\"region\":\"eu\",\"endpoint_url\":\"http://h:9000\"}' …;",
        ),
        (
            "ALTER LINK a SET CONFIG ::region = 'eu' CONFIG '{}';",
            "ALTER LINK a SET CONFIG ::region = 'eu' CONFIG '{}';",
        ),
        (
            "CREATE EXTERNAL FUNCTION f() AS REMOTE LINK a SERVICE 'https://h/p';",
            "CREATE EXTERNAL FUNCTION f() AS REMOTE LINK a SERVICE 'https://h/p';",
        ),
        (
            "CREATE LINK `a b` AS S3 CREDENTAILS '{}';",
            "CREATE LINK `a b` AS S3 CREDENTAILS '…';",
        ),
    ] {
        let script = read(String::from(text));
        assert_eq!(script.errors[0].excerpt.text, expected);
    }
}

#[test]
fn a_secret_variable_stays_secret_wherever_it_goes() {
    let mut options = ScriptOptions::default();
    options.variables.set("CONF", "{\"a\":\"b\"}", false);
    options.variables.set("S", "QZXJKV-one", true);
    let text = "CREATE LINK l AS S3 CONFIG '${CONF}' CREDENTIALS '{\"k\":\"v1:${S}\"}';\n\
                ALTER LINK l SET CONFIG ::region = '${S}';\n\
                CREATE LINK m AS S3 CREDENTIALS '{}';";
    let script = Script::read(vec![(String::from("a.sql"), text.into())], &options);
    assert!(script.errors.is_empty(), "{:?}", script.errors);
    let config = script.links[0].definition.config.members().iter();
    let secret: Vec<_> = config
        .map(|member| (member.key.as_str(), member.value.secret))
        .collect();
    assert_eq!(secret, [("a", false), ("region", true)]);
    assert_eq!(script.links[0].secrets[0].expose(), "QZXJKV-one");
    assert!(script.links[1].secrets.is_empty());
}

#[test]
fn no_excerpt_turns_the_reading_direction() {
    let script = read(String::from("CREATE LINK a AS S3 ju\u{202e}nk \u{61c};"));
    let text = &script.errors[0].excerpt.text;
    assert!(!text.contains(['\u{202e}', '\u{61c}']), "{text:?}");
}

#[test]
fn a_comment_is_for_its_statement_alone_and_only_a_warning_is_ignored() {
    let text = "-- linkdial: verify deferred\n\
                -- linkdial: ignore define.unknown-key mine\n\
                CREATE LINK l AS S3 CREDENTIALS '{}';\n\
                CREATE OR REPLACE LINK l AS S3 CREDENTIALS '{\"a\":\"b\"}';\n\
                -- linkdial: ignore connect.refused one of several\n\
                CREATE LINK m AS S3 CREDENTIALS '{}';";
    let script = read(String::from(text));
    let link = &script.links[0];
    assert!(!link.deferred && link.ignored.is_empty(), "{link:?}");
    let message = &script.errors[0].message;
    assert!(
        message.contains("only a warning can be ignored"),
        "{message}"
    );
}
