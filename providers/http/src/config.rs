//! What the two clauses and the target mean. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::clause::escape_pointer;
use linkdial_core::define::is_placeholder;
use linkdial_core::net::TlsOptions;
use linkdial_core::{
    ClauseName, Clauses, Code, Diagnosis, Endpoint, Key, KeyPlace, Outcome, Role, Secret, Shape,
    Wrong,
};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// Every key of an HTTP link.
pub(crate) const KEYS: &[Key] = &[Key::credential("headers", Shape::Object).secret()];

/// Headers that belong to one connection or one request (RFC 9110, section 7.6.1), not to a link.
const NOT_A_LINKS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a link sends with every request.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) headers: HeaderMap,
    places: Vec<(HeaderName, KeyPlace)>,
}

impl Config {
    /// Reads the headers; every finding goes to `clauses`.
    pub(crate) fn read(clauses: &mut Clauses<'_>) -> Self {
        let root = clauses.place("headers");
        let mut config = Self {
            headers: HeaderMap::new(),
            places: Vec::new(),
        };
        for (written, value) in clauses.members("headers") {
            let pointer = format!("{}/{}", root.pointer, escape_pointer(&written));
            let place = KeyPlace::pointer(root.clause, pointer);
            let Some(name) = header_name(clauses, &written, &place) else {
                continue;
            };
            if let Some((_, first)) = config.places.iter().find(|(known, _)| *known == name) {
                clauses.add(
                    Diagnosis::new(
                        Code::DefineConflictingKeys,
                        format!("the header `{name}` is given twice"),
                    )
                    .key(place.clone())
                    .key(first.clone())
                    .hint("header names ignore letter case: keep one of the two"),
                );
            }
            let value = value.expose();
            if name == AUTHORIZATION
                && let Some(finding) = check_authorization(value)
            {
                clauses.add(finding.key(place.clone()));
            }
            // White space at the ends is already a finding of its own.
            match HeaderValue::from_str(value.trim()) {
                Ok(mut value) if value.to_str().is_ok() => {
                    value.set_sensitive(true);
                    config.headers.insert(name.clone(), value);
                }
                _ => clauses.add(
                    Diagnosis::new(
                        Code::DefineInvalidValue,
                        format!("the value of header `{name}` can not be sent"),
                    )
                    .evidence("allowed", "printable ASCII, space and tab")
                    .key(place.clone())
                    .hint("remove line breaks, control characters and letters beyond ASCII"),
                ),
            }
            config.places.push((name, place));
        }
        config
    }

    /// Returns where the header stands that says who we are; `None` when none does.
    pub(crate) fn credential(&self) -> Option<(&HeaderName, &KeyPlace)> {
        let tells = |name: &HeaderName| {
            ["key", "token", "auth", "secret", "cookie", "signature"]
                .iter()
                .any(|word| name.as_str().contains(word))
        };
        let authorization = self.places.iter().find(|(name, _)| name == AUTHORIZATION);
        authorization
            .or_else(|| self.places.iter().find(|(name, _)| tells(name)))
            .map(|(name, place)| (name, place))
    }

    /// Returns the same with one character of the credential changed, and the wrong value; `None`
    /// where nothing says who we are.
    pub(crate) fn with_wrong_credential(&self) -> Option<Wrong<Self>> {
        let (name, place) = self.credential()?;
        let value = self.headers.get(name)?.to_str().ok()?;
        let changed = match value.split_once('=') {
            // The name of a cookie is no secret, and the server may drop what it does not know.
            Some((cookie, value)) if name == COOKIE => {
                let changed = Secret::new(value).changed_token();
                changed.map(|it| Secret::new(format!("{cookie}={}", it.expose())))
            }
            _ => Secret::new(value).changed_header(),
        };
        let changed = changed.filter(|it| HeaderValue::from_str(it.expose()).is_ok());
        Some(Wrong::of(changed, place.clone(), |wrong| {
            let mut config = self.clone();
            if let Ok(mut value) = HeaderValue::from_str(wrong.expose()) {
                value.set_sensitive(true);
                config.headers.insert(name.clone(), value);
            }
            config
        }))
    }

    /// Returns the place of the longest value.
    pub(crate) fn longest(&self) -> Option<&KeyPlace> {
        let length = |name| self.headers.get(name).map(HeaderValue::len);
        let longest = self.places.iter().max_by_key(|(name, _)| length(name));
        longest.map(|(_, place)| place)
    }

    /// Returns the place of the credential, or the one where it is missing.
    pub(crate) fn guilty_key(&self) -> KeyPlace {
        self.credential().map_or_else(
            || KeyPlace::pointer(ClauseName::Credentials, "/headers/Authorization"),
            |(_, place)| place.clone(),
        )
    }
}

/// Names are tokens (RFC 9110, section 5.6.2), and some are not the link's to set.
fn header_name(clauses: &mut Clauses<'_>, written: &str, place: &KeyPlace) -> Option<HeaderName> {
    let finding = |code, message: String, hint: &str| {
        Diagnosis::new(code, message).key(place.clone()).hint(hint)
    };
    let fault = match HeaderName::from_bytes(written.as_bytes()) {
        Ok(name) if !NOT_A_LINKS.contains(&name.as_str()) => return Some(name),
        Ok(name) => finding(
            Code::DefineInvalidValue,
            format!("the header `{name}` belongs to the connection, not to a link"),
            "remove it: the client sets it for each request",
        ),
        Err(_) if HeaderName::from_bytes(written.trim().as_bytes()).is_ok() => finding(
            Code::DefineStrayWhitespace,
            format!(
                "the header name `{}` has white space around it",
                written.trim()
            ),
            "remove the white space inside the quotes",
        ),
        Err(_) => finding(
            Code::DefineInvalidValue,
            format!(
                "`{}` can not be the name of a header",
                written.escape_debug()
            ),
            "use letters, digits and dashes only; the colon does not belong to the name",
        ),
    };
    clauses.add(fault);
    None
}

/// `Basic` is RFC 7617, `Bearer` RFC 6750. Other schemes are passed on as they are.
fn check_authorization(value: &str) -> Option<Diagnosis> {
    let value = value.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    // The value as a whole is looked at by the table of keys.
    if is_placeholder(token) {
        return Some(
            Diagnosis::new(
                Code::DefinePlaceholderValue,
                "`Authorization` still has the documentation's placeholder behind its scheme",
            )
            .hint("put the real value there"),
        );
    }
    let invalid = |message: &str, hint: &str| {
        Some(Diagnosis::new(Code::DefineInvalidValue, message).hint(hint))
    };
    if scheme.eq_ignore_ascii_case("basic") {
        let encode = "write Basic and the output of: printf '%s' 'user:password' | base64 -w0";
        let Ok(payload) = STANDARD.decode(token) else {
            return invalid("the `Basic` payload is not base64", encode);
        };
        if !payload.contains(&b':') {
            return invalid("the `Basic` payload does not hold user:password", encode);
        }
        if payload.ends_with(b"\n") || payload.ends_with(b"\r") {
            return Some(
                Diagnosis::new(
                    Code::DefineStrayWhitespace,
                    "the password in the `Basic` payload ends with a line break",
                )
                // Some servers trim it, and the vendor's own example has one.
                .outcome(Outcome::Warn)
                .hint(
                    "`echo` adds it: encode again with `printf '%s' 'user:password' | base64 -w0`",
                ),
            );
        }
    } else if scheme.eq_ignore_ascii_case("bearer") {
        let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() {
            return invalid(
                "`Bearer` has no token",
                "write Bearer, one space and the token",
            );
        }
        if !token.bytes().all(spelled) {
            return invalid(
                "the `Bearer` token holds characters that no token has",
                "paste the token alone: no quotes, no spaces, no second `Bearer`",
            );
        }
    }
    None
}

/// The URL of a target, split for the ladder.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) url: Url,
    pub(crate) endpoint: Endpoint,
}

impl Address {
    /// Reads the URL of a target.
    pub(crate) fn parse(target: &str) -> Result<Self, Diagnosis> {
        let invalid = |message: &str, hint: &str| {
            Diagnosis::new(Code::DefineTargetInvalid, message).hint(hint)
        };
        let whole = "write the URL of the service, such as https://host/path";
        let url = Url::parse(target.trim())
            .map_err(|error| invalid("the target is no URL", whole).evidence("reason", error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("the target is no http or https URL", whole));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "the target's URL holds a user or password",
                "take it out of the URL and send it in the link's Authorization header",
            ));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(invalid("the target's URL names no host", whole));
        };
        let endpoint = Endpoint::new(Role::Endpoint, host, port);
        Ok(Self { url, endpoint })
    }

    /// Returns TLS as the URL asks for it.
    pub(crate) fn tls(&self) -> Option<TlsOptions> {
        (self.url.scheme() == "https").then(TlsOptions::http1)
    }
}
