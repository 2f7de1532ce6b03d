//! Arguments that stand where something else belongs: what they hold may be secret, so no sentence
//! about them quotes it.

use std::path::Path;

use clap::error::{ContextKind, ContextValue};

/// Options whose values may hold a login, a signature or the value of a variable.
const SECRETIVE: [&str; 3] = ["--proxy", "--target", "--var"];

/// Takes out of an error of the argument parser what may be secret.
pub(super) fn mask(error: &mut clap::Error) {
    let string = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let argument = string(ContextKind::InvalidArg).unwrap_or_default();
    let option = argument.split(' ').next().unwrap_or_default();
    let masked: Vec<ContextKind> = [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ]
    .into_iter()
    .filter(|kind| {
        let is_secretive = *kind == ContextKind::InvalidValue && SECRETIVE.contains(&option);
        is_secretive || string(*kind).is_some_and(|text| is_statement(text) || has_login(text))
    })
    .collect();
    if masked.is_empty() {
        return;
    }
    for kind in masked {
        error.insert(kind, ContextValue::String("***".to_owned()));
    }
    // Tips quote the argument once more.
    error.remove(ContextKind::Suggested);
}

/// The words that statements begin with.
const FIRST_WORDS: [&str; 20] = [
    "ALTER", "BEGIN", "CALL", "CHECK", "CREATE", "DELETE", "DROP", "EXPLAIN", "GRANT", "INSERT",
    "LOAD", "REPLACE", "REVOKE", "SELECT", "SET", "SHOW", "START", "UPDATE", "USE", "WITH",
];

/// Returns whether the name of a file is rather a statement, or JSON.
pub(super) fn is_statement(text: &str) -> bool {
    let trimmed = text.trim_start();
    let first = trimmed.split_once(char::is_whitespace);
    let is_word = |word: &str| {
        FIRST_WORDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    };
    text.contains(['{', '\'', '\n', '\r'])
        || first.is_some_and(|(word, _)| is_word(word))
        || trimmed.starts_with("-- ")
}

/// Returns whether a text has the form `[SCHEME:]//USER:PASSWORD@HOST` or `SCHEME:USER:PASSWORD@HOST`.
pub(super) fn has_login(text: &str) -> bool {
    let Some((before, _)) = text.rsplit_once('@') else {
        return false;
    };
    // What begins so is a path.
    let is_path = text.starts_with(['.', '/']) || text.get(1..3) == Some(":\\");
    (!is_path || text.starts_with("//")) && before.contains(':')
}

/// Returns whether the name of a key file is rather a key.
pub(super) fn is_key(path: &Path) -> bool {
    let text = path.to_string_lossy();
    // 32 bytes in Base64.
    let is_sealing = |word: &str| word.len() == 44 && word.ends_with('=');
    text.split_whitespace().any(is_sealing) || text.starts_with("linkdial-key-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_from_a_file() {
        for text in [
            "CREATE LINK a AS S3",
            "  create\tlink a",
            "use shop",
            "-- a comment",
            "{\"a\": 1}",
            "a\nb",
            "it's",
        ] {
            assert!(is_statement(text), "{text}");
        }
        for text in [
            "links.sql",
            "create.sql",
            "my links.sql",
            "users 1.sql",
            "-",
        ] {
            assert!(!is_statement(text), "{text}");
        }
    }

    #[test]
    fn a_login_is_told_from_a_path() {
        for text in ["sqlite://u:p@h/x", "//u:p@h", "postgres:u:p@h", "u:p@h"] {
            assert!(has_login(text), "{text}");
        }
        for text in [
            "links.db",
            "/a:b@c.db",
            "./a:b@c.db",
            "a@b.db",
            "sqlite:a.db",
        ] {
            assert!(!has_login(text), "{text}");
        }
    }
}
