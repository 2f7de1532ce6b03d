//! Long scripts are read to their end, and everything in them is placed.
//!
//! No clock: a scan that starts anew at every statement would not end in the patience of a person.

use std::fmt::Write as _;

use linkdial::script::{Script, ScriptOptions};

fn script(statements: usize, separator: &str) -> String {
    let mut text = String::new();
    for index in 0..statements / 2 {
        write!(
            text,
            "CREATE LINK l{index} AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"A\",\"aws_secret_access_key\":\"${{PW}}\"}}' \
             CONFIG '{{\"region\":\"x\",\"region\":\"y\"}}';{separator}\
             CREATE PIPELINE p AS LOAD DATA LINK l{index} 'bucket/{index}' INTO TABLE t;{separator}"
        )
        .unwrap();
    }
    text
}

fn read(text: String) -> Script {
    Script::read(
        vec![(String::from("a.sql"), text)],
        &ScriptOptions::default(),
    )
}

#[test]
fn a_hundred_thousand_statements_are_read_and_each_error_is_placed() {
    let script = read(script(100_000, "\n"));
    assert_eq!(script.errors.len(), 50_000, "one unbound variable a link");
    let last = &script.errors[49_999];
    assert_eq!(last.place.line, 99_999);
    assert!(last.excerpt.text.contains("CREATE LINK l49999"));
}

#[test]
fn a_single_line_may_hold_them_all() {
    let script = read(script(10_000, " "));
    assert_eq!(script.errors.len(), 5_000);
    let last = &script.errors[4_999];
    assert_eq!(last.place.line, 1);
    assert!(last.excerpt.text.chars().count() <= 160);
}

#[test]
fn a_script_full_of_unknown_links_is_read() {
    let mut text = String::new();
    for index in 0..5_000 {
        writeln!(
            text,
            "CREATE LINK l{index} AS S3 CREDENTIALS '{{}}';\n\
             CREATE PIPELINE p{index} AS LOAD DATA LINK x{index} 'bucket' INTO TABLE t;"
        )
        .unwrap();
    }
    let script = read(text);
    assert_eq!(script.links.len(), 5_000);
    assert_eq!(script.skipped.len(), 5_000);
}

#[test]
fn slips_without_end_are_read() {
    for (slip, count) in [
        ("CREATE LINK l AS S3 CREDENTIALS '{\"a\":\"b;\n", 20_000),
        ("SELECT 'a;\n\\", 50_000),
        ("CREATE LINK l AS S3 junk 'x' ", 20_000),
        ("-- linkdial: verify\n", 20_000),
    ] {
        let script = read(slip.repeat(count));
        assert!(!script.errors.is_empty(), "{slip}");
        assert!(script.links.is_empty(), "{slip}");
    }
}
