use super::*;
use crate::clause::ClauseName;
use crate::link::Kind;

/// Longer than what the search leaves of a part's edge.
const PIECE: usize = 70;

const SECRET: &str = "s3cr+t/Value&more";

fn redacted(text: &str) -> String {
    let mut redactor = Redactor::default();
    redactor.add(SECRET);
    redactor.redacted(text)
}

#[test]
fn every_form_of_a_secret_is_taken_out() {
    for form in [
        SECRET.to_owned(),
        "s3cr%2Bt%2FValue%26more".to_owned(),
        "s3cr%2bt%2fValue%26more".to_owned(),
        "s3cr+t%2FValue&more".to_owned(),
        "s3cr&#43;t/Value&amp;more".to_owned(),
        "s3cr&#x2B;t&#x2F;Value&#38;more".to_owned(),
        "s3cr+t\\/Value&more".to_owned(),
        "s3cr\\u002Bt/Value\\u0026more".to_owned(),
        "s3cr\\u002bt/Value\\u0026more".to_owned(),
        "s3cr+t/Value&amp;more".to_owned(),
        STANDARD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
    ] {
        assert_eq!(redacted(&format!("a {form} b")), format!("a {REDACTED} b"));
    }
}

#[test]
fn every_habit_of_an_echoing_peer_is_known() {
    let secret = "QzXjKvWpYb7/a+Bc9dEf";
    let mut redactor = Redactor::default();
    redactor.add(secret);
    let each = |write: fn(char) -> String| secret.chars().map(write).collect::<String>();
    for form in [
        "QzXjKvWpYb7/a%2BBc9dEf".to_owned(),
        secret.to_lowercase(),
        secret.to_uppercase(),
        "QZXJKVWPYB7%2FA%2bBC9DEF".to_owned(),
        STANDARD.encode(secret).to_lowercase(),
        each(|c| format!("%{:02X}", u32::from(c))),
        each(|c| format!("%{:02x}", u32::from(c))),
        each(|c| format!("%25{:02x}", u32::from(c))),
        each(|c| format!("\\u{:04X}", u32::from(c))),
        each(|c| format!("\\\\u{:04x}", u32::from(c))),
        each(|c| format!("&#{};", u32::from(c))),
        each(|c| format!("&#x{:x};", u32::from(c))),
        each(|c| format!("&amp;#{};", u32::from(c))),
        secret[..19].to_owned(),
        secret[..8].to_owned(),
    ] {
        assert_eq!(
            redactor.redacted(format!("it wants {form}, and the link sends Bearer")),
            format!("it wants {REDACTED}, and the link sends Bearer"),
            "{form}"
        );
    }
    let chance = "it wants QzXjKvW, and the link sends Bearer";
    assert_eq!(redactor.redacted(chance), chance);
}

#[test]
fn what_is_left_of_a_secret_is_one() {
    let secret = "QzXjKvWpYb7/a+Bc9dEf";
    let mut redactor = Redactor::default();
    redactor.add(secret);
    for part in [
        &secret[1..],
        &secret[8..],
        &secret[4..17],
        "XjKvWpYb7%2Fa%2BB",
    ] {
        assert_eq!(
            redactor.redacted(format!("it has {part}, and no more")),
            format!("it has {REDACTED}, and no more"),
            "{part}"
        );
    }
    let chance = "it has KvWpYb7/a, and no more";
    assert_eq!(redactor.redacted(chance), chance);
}

#[test]
fn the_bytes_of_a_key_in_base64_are_known_in_other_forms() {
    let bytes: Vec<u8> = (190..=222).collect();
    let mut redactor = Redactor::default();
    redactor.add(&STANDARD.encode(&bytes));
    for form in [
        URL_SAFE.encode(&bytes),
        URL_SAFE_NO_PAD.encode(&bytes),
        hex(&bytes, ""),
        hex(&bytes, ":").to_uppercase(),
    ] {
        assert_eq!(
            redactor.redacted(format!("a {form} b")),
            format!("a {REDACTED} b")
        );
    }
}

#[test]
fn a_sentence_keeps_its_words() {
    let mut redactor = Redactor::default();
    for secret in ["service_account", "AccountName=orders;Key=x", "pass"] {
        redactor.add(secret);
    }
    for (text, shown) in [
        (
            "`service_account_key` is a key",
            "`service_account_key` is a key",
        ),
        ("take AccountName out of it", "take AccountName out of it"),
        ("a password passes", "a password passes"),
        ("it is `service_account`", "it is `[redacted]`"),
        ("it is AccountName=orders;Key=x", "it is [redacted]"),
        ("it is pass", "it is [redacted]"),
    ] {
        let mut text = text.to_owned();
        redactor.abridge_sentence(&mut text);
        assert_eq!(text, shown);
    }
    assert_eq!(redactor.redacted("a password"), "a [redacted]word");
}

#[test]
fn only_the_private_members_of_a_key_file_are_secret() {
    const KEYS: &[Key] = &[Key::credential("file", Shape::Document).secret()];

    let file = r#"{"type":"service_account","project_id":"orders","private_key":"s3cr3t/key","private_key_id":"0123abcd"}"#;
    let mut filled = Clause::parse(ClauseName::Credentials, format!(r#"{{"file":{file}}}"#));
    filled.members_mut()[0].value.secret = true;
    let text = serde_json::Value::from(file);
    let text = Clause::parse(ClauseName::Credentials, format!(r#"{{"file":{text}}}"#));
    for credentials in [filled, text, Clause::parse(ClauseName::Credentials, file)] {
        let definition = Definition {
            kind: Kind::Gcs,
            credentials,
            config: Clause::empty(ClauseName::Config),
        };
        let redactor = Redactor::new(&definition, KEYS);
        let shown = redactor.redacted("service_account of orders: s3cr3t/key 0123abcd");
        assert_eq!(shown, "service_account of orders: [redacted] [redacted]");
    }
}

#[test]
fn what_every_secret_of_a_sort_begins_with_may_be_shown() {
    let mut redactor = Redactor::default();
    redactor.add("https://hooks.example.com/s3cr3t");
    redactor.add("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC");
    for text in [
        "https://example.com answered",
        "no -----BEGIN PRIVATE KEY----- there",
    ] {
        assert_eq!(redactor.redacted(text), text);
    }
    assert_eq!(
        redactor.redacted("a MIIEvQIBADANBgkq b"),
        "a MIIEvQIBADANBgkq b"
    );
    let cut = "a -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg b";
    assert_eq!(redactor.redacted(cut), format!("a {REDACTED} b"));
}

#[test]
fn a_long_secret_is_taken_out_whole_and_in_parts() {
    let words: Vec<String> = (0..1000_u32).map(|it| format!("{:x}", it * 7919)).collect();
    let secret = words.join(".");
    let mut redactor = Redactor::default();
    redactor.add(&secret);
    assert_eq!(
        redactor.redacted(format!("a {secret} b")),
        format!("a {REDACTED} b")
    );
    let part = redactor.redacted(&secret[500..1500]);
    assert!(
        part.starts_with(&secret[500..504]) && part.ends_with(REDACTED),
        "{part}"
    );
    assert!(part.len() < PIECE + REDACTED.len(), "{part}");
}

#[test]
fn a_short_secret_that_begins_longer_ones_is_found_between_them() {
    let mut redactor = Redactor::default();
    for secret in ["s3cr", "s3crab", "s3crz"] {
        redactor.add(secret);
    }
    assert_eq!(
        redactor.redacted("s3crq s3crab"),
        format!("{REDACTED}q {REDACTED}")
    );
}

#[test]
fn a_text_for_the_record_is_short() {
    let mut redactor = Redactor::default();
    redactor.add(SECRET);
    let mut text = format!("{SECRET} {}", "ü".repeat(1_000_000));
    redactor.abridge(&mut text);
    assert_eq!(text.chars().count(), SHOWN_LENGTH);
    assert!(text.starts_with(REDACTED) && text.ends_with("ü…"), "{text}");
    let mut text = "ü".repeat(SHOWN_LENGTH);
    redactor.abridge(&mut text);
    assert_eq!(text, "ü".repeat(SHOWN_LENGTH));
}

#[test]
fn many_and_long_secrets_take_no_time() {
    let started = std::time::Instant::now();
    let many: Vec<String> = (0..5000_u32)
        .map(|it| {
            format!(
                "\"k{it}\":\"v4lue-{}-of-many\"",
                it.wrapping_mul(2_654_435_761)
            )
        })
        .collect();
    let definition = Definition {
        kind: Kind::S3,
        credentials: Clause::parse(ClauseName::Credentials, format!("{{{}}}", many.join(","))),
        config: Clause::empty(ClauseName::Config),
    };
    let mut redactor = Redactor::new(&definition, &[]);
    redactor.add(&"a".repeat(100_000));
    for _ in 0..500 {
        assert!(
            redactor
                .redacted("it got v4lue-0-of-many there")
                .contains(REDACTED)
        );
    }
    assert_eq!(redactor.redacted("a".repeat(100_000)), REDACTED);
    // Squared, any of these would take a minute; a slow machine takes two seconds.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn base64_of_a_text_around_the_secret_gives_nothing_away() {
    for before in ["", "x", "xx"] {
        let encoded = STANDARD.encode(format!("{before}{SECRET} and more"));
        let shown = redacted(&encoded);
        let longest = shown
            .split(REDACTED)
            .map(str::len)
            .max()
            .unwrap_or_default();
        assert!(shown.contains(REDACTED), "{before}: {shown}");
        assert!(longest < encoded.len() / 2, "{before}: {shown}");
    }
}

#[test]
fn secrets_that_overlap_leave_nothing_behind() {
    let mut redactor = Redactor::default();
    redactor.add("abcdef");
    redactor.add("defghijk");
    assert_eq!(
        redactor.redacted("an abcdefghijk"),
        format!("an {REDACTED}")
    );
}

#[test]
fn a_secret_may_look_like_an_escape_itself() {
    for secret in ["a%25b+c", "\\\\u002Bx", "&amp;amp;"] {
        let mut redactor = Redactor::default();
        redactor.add(secret);
        assert_eq!(redactor.redacted(secret), REDACTED);
        let escaped = serde_json::Value::from(secret).to_string();
        assert_eq!(redactor.redacted(escaped), format!("\"{REDACTED}\""));
    }
}

#[test]
fn the_beginning_of_a_secret_at_a_cut_end_is_taken_out() {
    assert_eq!(redacted("key s3cr+t/Va"), format!("key {REDACTED}"));
    assert_eq!(redacted("key s3cr%2bt%"), format!("key {REDACTED}"));
    assert_eq!(redacted("key s3cr+t/"), "key s3cr+t/");
}
