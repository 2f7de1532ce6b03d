//! No secret passes the redactor in any form in which it travels.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use linkdial_core::{Clause, ClauseName, Definition, Key, Kind, REDACTED, Redactor, Shape};

const KEYS: &[Key] = &[
    Key::credential("key_id", Shape::Text),
    Key::credential("secret", Shape::Text).secret(),
    Key::config("region", Shape::Text),
    Key::config("customer", Shape::Text).secret(),
    Key::credential("file", Shape::Document).secret(),
];

fn redactor(credentials: &str, config: &str) -> Redactor {
    let definition = Definition {
        kind: Kind::S3,
        credentials: Clause::parse(ClauseName::Credentials, credentials),
        config: Clause::parse(ClauseName::Config, config),
    };
    Redactor::new(&definition, KEYS)
}

#[test]
fn every_form_is_taken_out() {
    let secret = "s3cr/t +\"\\ü&";
    let json = serde_json::json!({"key_id": "AKIA1", "secret": secret}).to_string();
    let redactor = redactor(&json, "");
    for form in [
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        "s3cr%2Ft%20%2B%22%5C%C3%BC%26".to_owned(),
        "s3cr%2ft%20%2b%22%5c%c3%bc%26".to_owned(),
        "s3cr%2ft+%2b%22%5c%c3%bc%26".to_owned(),
        "s3cr&#x2F;t &#43;&#34;\\&#252;&#38;".to_owned(),
        serde_json::to_string(secret).unwrap(),
        "s3cr/t +&quot;\\ü&amp;".to_owned(),
        format!("{secret:?}"),
    ] {
        let text = redactor.redacted(format!("before {form} after"));
        assert!(text.contains(REDACTED), "{form}: {text}");
        assert!(!text.contains("s3cr"), "{form}: {text}");
        assert!(
            text.starts_with("before ") && text.ends_with(" after"),
            "{text}"
        );
    }
}

#[test]
fn what_may_be_shown_stays() {
    let redactor = redactor(
        r#"{"key_id":"AKIA1","secret":"hunter22","unknown":"hidden99"}"#,
        r#"{"region":"us-east-1","customer":"c4st0mer","my_password":"passw0rd"}"#,
    );
    let text = redactor.redacted("AKIA1 us-east-1 hunter22 hidden99 c4st0mer passw0rd");
    assert_eq!(
        text,
        format!("AKIA1 us-east-1 {REDACTED} {REDACTED} {REDACTED} {REDACTED}")
    );
}

#[test]
fn a_value_below_an_unknown_key_is_secret_unless_a_slip_explains_it() {
    let redactor = redactor(
        "",
        r#"{"regoin":"us-east-1","passphrase":"hunter22","more":["hidden99",{"a":"s3cr3tive"}],
            "customr":"sh0rt","mode":"strict","pin":12345678}"#,
    );
    assert_eq!(
        redactor.redacted("us-east-1 hunter22 hidden99 s3cr3tive sh0rt strict 12345678"),
        format!("us-east-1 {REDACTED} {REDACTED} {REDACTED} {REDACTED} strict 12345678")
    );
}

#[test]
fn a_short_secret_does_not_eat_words() {
    let redactor = redactor(r#"{"secret":"s"}"#, "");
    assert_eq!(
        redactor.redacted("is this s? s"),
        format!("is this {REDACTED}? {REDACTED}")
    );
}

#[test]
fn the_parts_of_an_authorization_header_are_secrets_too() {
    let payload = STANDARD.encode("alice:hunter22\n");
    let redactor = redactor(
        &serde_json::json!({"headers": {"Authorization": format!("Basic {payload}")}}).to_string(),
        "",
    );
    for text in [payload.as_str(), "hunter22", "alice:hunter22"] {
        assert!(!redactor.redacted(text).contains(text), "{text}");
    }
}

#[test]
fn broken_json_hides_its_words() {
    let redactor = redactor(r#"{"secret":"hunter2222",}"#, "");
    assert!(!redactor.redacted("got hunter2222").contains("hunter"));
}

#[test]
fn of_a_file_of_keys_only_the_secrets_are_taken_out() {
    let file = serde_json::json!({
        "type": "service_account",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n",
        "token_uri": "https://oauth2.example.com/token",
        "client_email": "robot@example.com",
    });
    let told = "service_account robot@example.com https://oauth2.example.com/token";
    for value in [file.clone(), file.to_string().into()] {
        let json = serde_json::json!({"file": value}).to_string();
        let private = format!("a {} b", file["private_key"].as_str().unwrap());
        assert_eq!(
            redactor(&json, "").redacted(private),
            format!("a {REDACTED} b")
        );
        assert_eq!(redactor(&json, "").redacted(told), told);
    }
    let broken = r#"{"file":"{\"private_key\": \"hunter22hunter22\""}"#;
    let text = redactor(broken, "").redacted("{\"private_key\": \"hunter22hunter22\"");
    assert_eq!(text, REDACTED);
}

#[test]
fn the_container_of_a_target_of_hadoop_is_no_secret() {
    for (target, shown) in [
        (
            "wasbs://private@acct.blob.core.windows.net/team",
            "wasbs://private@acct.blob.core.windows.net/team",
        ),
        (
            "ABFSS://private@acct.dfs.core.windows.net/",
            "ABFSS://private@acct.dfs.core.windows.net/",
        ),
        (
            "wasbs://user:s3cr3t@acct.blob.core.windows.net/",
            "wasbs://[redacted]@acct.blob.core.windows.net/",
        ),
    ] {
        assert_eq!(linkdial_core::Target::new(target).to_string(), shown);
    }
}
