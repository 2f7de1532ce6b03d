//! What the HTTP services have in common: who may call them, and the function that does.

use crate::LinkStatement;

/// The realm of every challenge.
pub(crate) const REALM: &str = "lab";

/// Who may call `/basic`.
pub(crate) const USER: &str = "lab";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "lab-secret";
/// The token that `/bearer` wants.
pub(crate) const TOKEN: &str = "lab-token";

/// The answer of `/function` to a batch of zero rows.
pub(crate) const NO_ROWS: &str = r#"{"data":[]}"#;

/// The answer of `/login`.
pub(crate) const LOGIN_PAGE: &str = "<!doctype html><title>Log in</title>\
     <form method=post action=/session><input name=user><input name=password type=password></form>\n";

/// A function that calls a URL through a link.
pub(crate) fn function(name: &str, url: &str, link: &LinkStatement) -> String {
    format!(
        "CREATE EXTERNAL FUNCTION {name}(a INT) RETURNS INT\n\
         AS REMOTE SERVICE \"{url}\" FORMAT JSON LINK {};\n",
        link.quoted_name()
    )
}
