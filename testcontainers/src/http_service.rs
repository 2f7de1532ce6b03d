//! What the HTTP services have in common: who may call them, and the statements that do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::LinkStatement;

/// The realm of every challenge.
pub(crate) const REALM: &str = "lab";

/// Who may call `/basic`.
pub(crate) const USER: &str = "lab";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "lab-secret";
/// The token that `/bearer` wants.
const TOKEN: &str = "lab-token";

/// The answer of `/function` to a batch of zero rows.
pub(crate) const NO_ROWS: &str = r#"{"data":[]}"#;

/// The answer of `/login`.
pub(crate) const LOGIN_PAGE: &str = "<!doctype html><title>Log in</title>\
     <form method=post action=/session><input name=user><input name=password type=password></form>\n";

pub(crate) fn basic() -> (&'static str, String) {
    let login = BASE64.encode(format!("{USER}:{PASSWORD}"));
    ("Authorization", format!("Basic {login}"))
}

pub(crate) fn bearer() -> (&'static str, String) {
    ("Authorization", format!("Bearer {TOKEN}"))
}

pub(crate) fn api_key() -> (&'static str, String) {
    ("X-Api-Key", "lab-key".to_owned())
}

/// A link that sends these header fields.
pub(crate) fn link<'a>(
    name: &str,
    headers: impl IntoIterator<Item = (&'a str, String)>,
) -> LinkStatement {
    let headers: Map<_, _> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    LinkStatement::new(name, "HTTP").credential("headers", headers)
}

/// A function that calls a URL through a link.
pub(crate) fn function(name: &str, url: &str, link: &LinkStatement) -> String {
    format!(
        "CREATE EXTERNAL FUNCTION {name}(a INT) RETURNS INT\n\
         AS REMOTE SERVICE \"{url}\" FORMAT JSON LINK {};\n",
        link.quoted_name()
    )
}
