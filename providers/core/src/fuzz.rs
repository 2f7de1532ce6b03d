//! Entry points for hostile bytes: each reader of what a peer or a file says, as a function of bytes.
//!
//! Each panics where a promise of its reader is broken, and returns nothing. `fuzz/` and the tests of
//! the root package call them; the program does not.

use crate::clause::{Member, Node, Value};
use crate::net::{self, Proxy};
use crate::{
    Clause, ClauseName, Definition, KeyPlace, Kind, Redactor, address, clock, shown_url, xml,
};

/// A name, which its corpus has too, and a reader.
pub type Target = (&'static str, fn(&[u8]));

/// The readers of this crate.
pub const TARGETS: &[Target] = &[
    ("certificate", net::fuzz::certificate),
    ("clause", clause),
    ("error_document", error_document),
    ("first_bytes", net::fuzz::first_bytes),
    ("proxy_answer", net::fuzz::proxy_answer),
    ("url", url),
];

/// Feeds the reader of a name.
///
/// # Panics
///
/// Where the reader breaks a promise, or there is none of that name.
pub fn feed(targets: &[Target], name: &str, bytes: &[u8]) {
    let target = targets.iter().find(|(known, _)| *known == name);
    let (_, read) = target.expect("each target of `fuzz/` has a reader");
    read(bytes);
}

/// The JSON of a clause: every place lies in the text, and what is written reads as before.
fn clause(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let clause = Clause::parse(ClauseName::Credentials, text.as_ref());
    for fault in clause.faults() {
        for place in &fault.keys {
            if let Some(range) = clause.locate(place) {
                assert!(text.get(range.clone()).is_some(), "{range:?}");
            }
        }
    }
    members(&text, &clause, clause.members(), "");
    if clause.faults().is_empty() {
        let written = clause.to_json();
        let again = Clause::parse(ClauseName::Credentials, written.expose());
        assert!(again.faults().is_empty(), "{}", written.expose());
        assert_eq!(again.to_json(), written);
        let shown = Clause::parse(ClauseName::Config, clause.to_shown_json(&|_| true));
        assert!(shown.faults().is_empty());
    }
    let definition = Definition {
        kind: Kind::S3,
        config: Clause::parse(ClauseName::Config, text.as_ref()),
        credentials: clause,
    };
    drop(Redactor::new(&definition, &[]).redacted(text));
}

fn members(text: &str, clause: &Clause, members: &[Member], pointer: &str) {
    for member in members {
        assert!(text.get(member.key_span.clone()).is_some());
        let key = member.key.replace('~', "~0").replace('/', "~1");
        node(text, clause, &member.value, &format!("{pointer}/{key}"));
    }
}

fn node(text: &str, clause: &Clause, found: &Node, pointer: &str) {
    assert!(text.get(found.span.clone()).is_some());
    let place = KeyPlace {
        clause: clause.name(),
        pointer: pointer.to_owned(),
        span: None,
    };
    // Of two keys that are alike a pointer finds one.
    if clause.faults().is_empty() {
        assert_eq!(clause.locate(&place), Some(found.span.clone()), "{pointer}");
    }
    match &found.value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                node(text, clause, item, &format!("{pointer}/{index}"));
            }
        }
        Value::Object(inner) => members(text, clause, inner, pointer),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Elements, roots and dates of an error document, as object stores write it.
fn error_document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(root) = xml::root_element(&text) {
        assert!(text.contains(root));
    }
    for name in ["Code", "Message", "Details", "Region", "ServerTime"] {
        if let Some(element) = xml::element(&text, name) {
            assert!(!element.contains('<'));
        }
    }
    clock::http_date(&text);
}

/// Addresses with logins and signatures in them: what is shown has neither.
fn url(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = shown_url(&text);
    if let Some(login) = address::login(&text) {
        assert!(text.get(login).is_some());
        assert!(shown.contains(crate::REDACTED));
    }
    for range in address::secret_values(&text) {
        assert!(text.get(range).is_some());
    }
    if let Ok(proxy) = Proxy::parse(&text) {
        assert!(!proxy.to_string().contains('@'), "{proxy}");
    }
}
