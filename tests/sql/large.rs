//! The time to read a script grows with its length and no faster.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

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

fn time(text: String) -> (Duration, Script) {
    let start = Instant::now();
    let script = Script::read(
        vec![(String::from("a.sql"), text)],
        &ScriptOptions::default(),
    );
    (start.elapsed(), script)
}

/// Four times the text may take eight times as long and no longer; were it quadratic, it would
/// take sixteen times as long. A busy machine gets several tries.
fn assert_linear(text: impl Fn(usize) -> String) {
    let (mut small, mut large) = (Duration::MAX, Duration::MAX);
    for _ in 0..8 {
        small = small.min(time(text(1)).0);
        large = large.min(time(text(4)).0);
        if large < small * 8 {
            return;
        }
    }
    panic!("{small:?} for one part, {large:?} for four");
}

#[test]
fn ten_thousand_statements_are_read_and_each_error_is_placed() {
    let (elapsed, script) = time(script(10_000, "\n"));
    assert_eq!(script.errors.len(), 5_000, "one unbound variable a link");
    assert_eq!(script.errors[4_999].place.line, 9_999);
    // A dev build on a busy machine; quadratic work would take minutes.
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
}

#[test]
fn time_grows_with_the_length() {
    assert_linear(|parts| script(1_000 * parts, "\n"));
}

#[test]
fn time_grows_with_the_length_of_a_single_line() {
    assert_linear(|parts| script(1_000 * parts, " "));
}

#[test]
fn time_grows_with_the_number_of_slips() {
    assert_linear(|parts| "CREATE LINK l AS S3 CREDENTIALS '{\"a\":\"b;\n".repeat(2_000 * parts));
    assert_linear(|parts| "SELECT 'a;\n\\".repeat(5_000 * parts));
    assert_linear(|parts| "CREATE LINK l AS S3 junk 'x' ".repeat(2_000 * parts));
    assert_linear(|parts| "-- linkdial: verify\n".repeat(2_000 * parts));
}
