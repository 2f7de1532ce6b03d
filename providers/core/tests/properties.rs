//! Properties of clauses and of the redactor, for texts of chance.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use linkdial_core::{Clause, ClauseName, REDACTED, Redactor};
use proptest::prelude::*;

/// JSON of any depth, with keys and strings of chance.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        // Binary fractions: another reader may round the last digit of any other.
        any::<i32>().prop_map(|number| serde_json::Value::from(f64::from(number) / 64.0)),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = serde_json::Value> {
    proptest::collection::btree_map(any::<String>(), json(), 0..6)
        .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
}

/// A secret as vendors make them: long enough to be none of a sentence's words.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9+/=._~&%:;@!\\- ]{10,60}",
        "[A-Za-z0-9+/]{43}=",
        "[a-zA-Z0-9éüß\"'\\\\<>{}]{12,40}",
    ]
    // A space at an end is no part of a secret, and a text of one letter is none.
    .prop_map(|secret| format!("k{}Q", secret.trim()))
    .prop_filter("too few letters", |secret| {
        let mut letters: Vec<char> = secret.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        letters.len() > 5
    })
}

fn each(secret: &str, write: impl Fn(u8) -> String) -> String {
    secret.bytes().map(write).collect()
}

/// How a secret comes back from a peer.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let percent = |byte: u8| {
        if unreserved(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let mut escaped = String::new();
    for unit in secret.encode_utf16() {
        write!(escaped, "\\u{unit:04x}").expect("a String takes everything");
    }
    vec![
        ("raw", secret.to_owned()),
        ("JSON", json.clone()),
        ("JSON in JSON", {
            let twice = serde_json::Value::from(json).to_string();
            twice[1..twice.len() - 1].to_owned()
        }),
        ("JSON, every letter", escaped),
        ("URL", each(secret, percent)),
        (
            "URL, every byte",
            each(secret, |byte| format!("%{byte:02x}")),
        ),
        ("form", each(secret, percent).replace("%20", "+")),
        ("HTML", html),
        ("base64", STANDARD.encode(secret)),
        ("base64 without padding", STANDARD_NO_PAD.encode(secret)),
        ("base64 of URLs", URL_SAFE.encode(secret)),
        (
            "base64 of URLs without padding",
            URL_SAFE_NO_PAD.encode(secret),
        ),
        ("hexadecimal", each(secret, |byte| format!("{byte:02x}"))),
    ]
}

fn redactor(secret: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add(secret);
    redactor
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_clause_writes_reads_as_before(value in object()) {
        let text = value.to_string();
        let clause = Clause::parse(ClauseName::Credentials, text.as_str());
        prop_assert!(clause.faults().is_empty(), "{:?}", clause.faults());
        let written = clause.to_json();
        let again = Clause::parse(ClauseName::Credentials, written.expose());
        prop_assert!(again.faults().is_empty());
        prop_assert_eq!(&again.to_json(), &written);
        // Every number keeps its letters, so another reader finds the same.
        let read: serde_json::Value = serde_json::from_str(written.expose()).unwrap();
        prop_assert_eq!(read, value);
        for member in clause.members() {
            prop_assert!(text.get(member.key_span.clone()).is_some());
            prop_assert!(text.get(member.value.span.clone()).is_some());
        }
    }

    #[test]
    fn no_form_of_a_secret_is_left(
        secret in secret(),
        before in "[ a-zA-Z0-9:='\"/é]{0,40}",
        after in "[ a-zA-Z0-9:='\"/é]{0,40}",
        times in 1_usize..3,
    ) {
        let redactor = redactor(&secret);
        for (name, form) in forms(&secret) {
            let text = format!("{before} {} {after}", vec![form.as_str(); times].join(" "));
            let shown = redactor.redacted(text.as_str());
            prop_assert!(shown.contains(REDACTED), "{}: {}", name, shown);
            prop_assert!(!shown.contains(&form), "{}: {}", name, shown);
            prop_assert!(!shown.contains(&secret), "{}: {}", name, shown);
        }
    }

    /// A peer's text is cut somewhere: what is left of a secret at the cut says nothing.
    #[test]
    fn no_beginning_of_a_secret_is_left_at_a_cut(
        secret in "[A-Za-z0-9+/]{20,60}",
        before in "[ a-z:=]{0,30}",
        cut in 10_usize..20,
    ) {
        let secret = format!("k{secret}Q");
        let shown = redactor(&secret).redacted(format!("{before} {}", &secret[..cut]));
        prop_assert!(!shown.contains(&secret[..cut]), "{}", shown);
    }

    /// The redactor sees whole texts. One that came in chunks has been put together before.
    #[test]
    fn a_secret_inside_longer_base64_is_left_in_no_part(
        secret in "[A-Za-z0-9]{24,48}",
        before in any::<[u8; 5]>(),
        length in 0_usize..6,
    ) {
        let inside = [&before[..length.min(5)], secret.as_bytes(), b" and more"].concat();
        let shown = redactor(&secret).redacted(STANDARD.encode(inside));
        prop_assert!(shown.contains(REDACTED), "{}", shown);
        // Of what is left no eight letters are of the secret.
        for part in shown.split(REDACTED) {
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let decoded = engine.decode(&part[..part.len() / 4 * 4]).unwrap_or_default();
                let text = String::from_utf8_lossy(&decoded);
                let windows = secret.as_bytes().windows(8);
                let known = windows.filter_map(|it| std::str::from_utf8(it).ok());
                prop_assert!(known.into_iter().all(|it| !text.contains(it)), "{}", shown);
            }
        }
    }
}
