//! From an answer to a finding.
//!
//! | answer | finding | source |
//! | --- | --- | --- |
//! | 2xx | none | RFC 9110, 15.3 |
//! | 2xx, HTML with a password field or a SAML form; a body without end | `access.not-this-service` | |
//! | 3xx | `access.redirected` | RFC 9110, 15.4 |
//! | 400, "plain HTTP request was sent to HTTPS port" and the like | `tls.required` | Go, nginx, Apache httpd, Jetty |
//! | 400, "No required SSL certificate was sent" | `tls.client-certificate-required` | nginx, `ssl_verify_client` |
//! | 401, the link says who we are | `authenticate.bad-credentials` | RFC 9110, 15.5.2 |
//! | 401, it does not | `authenticate.required` | RFC 9110, 15.5.2 |
//! | 401, `invalid_token` that tells of an expiry | `authenticate.token-expired` | RFC 6750, 3.1 |
//! | 403 | `access.denied` | RFC 9110, 15.5.4 |
//! | 404, 410 | `access.not-found` | RFC 9110, 15.5.5, 15.5.11 |
//! | 407 | `connect.proxy-failed` | RFC 9110, 15.5.8 |
//! | 408 | `access.timed-out` | RFC 9110, 15.5.9 |
//! | 429; 503 with `Retry-After` | `access.throttled` | RFC 6585, 4; RFC 9110, 15.6.4 |
//! | 431; 400, "Request Header Or Cookie Too Large" and the like | `access.request-refused` | RFC 6585, 5; nginx, Apache httpd |
//! | 501 and every other 4xx | `access.method-refused` | RFC 9110, 15.5.6, 15.6.2 |
//! | 511 | `access.not-this-service` | RFC 6585, 6 |
//! | every other 5xx | `access.server-error` | RFC 9110, 15.6 |

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use linkdial_core::net::{FaultContext, tls_refusal};
use linkdial_core::{Change, Code, Diagnosis, Endpoint, Retry, with_scheme};
use reqwest::header::AUTHORIZATION;
use url::Url;

use crate::config::Config;
use crate::wire::Answer;

/// Nobody means a longer `Retry-After` than this.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// What was asked, and with what.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) url: &'a Url,
    pub(crate) config: &'a Config,
    pub(crate) stream: &'a FaultContext,
}

/// Returns what an answer says about the link; `None` when it is good.
pub(crate) fn judge(answer: &Answer, asked: &Asked<'_>) -> Option<Diagnosis> {
    let Asked {
        endpoint, config, ..
    } = asked;
    let Answer {
        status,
        method,
        body,
        ..
    } = answer;
    if let Some(finding) = tls_refusal(endpoint, Some(asked.stream), *status, body) {
        return Some(finding);
    }
    let finding = |code, what: &str, hint: &str| {
        Diagnosis::new(code, format!("{endpoint} {what}")).hint(hint)
    };
    let retry_after = retry_after(answer.header("retry-after"), Timestamp::now());
    let diagnosis = match *status {
        200..=299 => foreign(answer, endpoint)?,
        300..=399 => redirected(answer, asked),
        401 => unauthorized(answer, asked),
        403 => {
            let denied = finding(
                Code::AccessDenied,
                "refuses access to that path",
                "grant the link's identity that path; some gateways answer so to an API key that \
                 they do not know",
            );
            match config.credential() {
                Some((_, place)) => denied.key(place.clone()),
                None => denied.key(config.guilty_key()).hint(
                    "the link sends nothing that says who it is: add a header, or let this \
                     address in on the server",
                ),
            }
        }
        404 | 410 => finding(
            Code::AccessNotFound,
            "has nothing at that path",
            "check the path of the URL in the external function",
        )
        // A path is looked for before or after the identity, as the service likes.
        .without_identity(),
        407 => finding(
            Code::ConnectProxyFailed,
            "is behind a proxy that wants a login",
            "give --proxy a user and password that the proxy accepts",
        ),
        408 => finding(
            Code::AccessTimedOut,
            "gave up waiting for the request",
            "try again; if it stays, something between here and the server holds requests back",
        ),
        429 => finding(Code::AccessThrottled, "is throttling", "try again later"),
        503 if retry_after.is_some() => finding(
            Code::AccessThrottled,
            "asks to come back later",
            "try again later",
        ),
        status if says_too_long(status, body) => too_long(asked),
        400..=499 | 501 => finding(
            Code::AccessMethodRefused,
            &format!("is reachable and does not answer {method}, so the headers are unproven"),
            "an external function uses POST: --post-empty sends one batch of zero rows to prove it",
        )
        .evidence("allow", short(answer.header("allow"))),
        511 => finding(
            Code::AccessNotThisService,
            "was not reached: the network here wants a login first",
            "log in to the network, or dial from another one",
        ),
        500..=599 => finding(
            Code::AccessServerError,
            "failed to answer",
            "look into the log of the service; 502 and 504 come from a gateway without a back end",
        ),
        _ => finding(
            Code::AccessNotThisService,
            "answered with a status that HTTP does not have",
            "this is another service: check host and port",
        ),
    };
    let diagnosis = diagnosis
        .evidence("status", status)
        .evidence("method", method)
        .evidence("path", asked.url.path())
        .evidence("server", short(answer.header("server")))
        .evidence("request_id", short(answer.header("x-request-id")));
    Some(match retry_after {
        Some(wait) => diagnosis
            .evidence("retry_after_s", wait.as_secs())
            .retry(Retry::After(wait)),
        None => diagnosis,
    })
}

/// Whether an answer says that the headers are too long, with its status or in its own words.
fn says_too_long(status: u16, body: &str) -> bool {
    let texts = [
        "Request Header Or Cookie Too Large",
        "Size of a request header field exceeds server limit",
    ];
    status == 431 || status == 400 && texts.iter().any(|text| body.contains(text))
}

/// The headers are too long: the limit comes before any look at the identity.
fn too_long(asked: &Asked<'_>) -> Diagnosis {
    let refused = Diagnosis::new(
        Code::AccessRequestRefused,
        format!("{} does not take headers of this length", asked.endpoint),
    )
    .hint(
        "shorten the header, or raise the limit of the server (large_client_header_buffers in \
         nginx)",
    )
    .without_identity();
    match asked.config.longest() {
        Some(place) => refused.key(place.clone()),
        None => refused,
    }
}

/// Returns the finding that a good status comes from something else than a service.
fn foreign(answer: &Answer, endpoint: &Endpoint) -> Option<Diagnosis> {
    let page = answer.body.to_ascii_lowercase();
    let asks_for_login = [
        "type=\"password\"",
        "type='password'",
        "type=password",
        "samlrequest",
    ]
    .iter()
    .any(|mark| page.contains(mark));
    let not_it = |what: &str, hint: &str| {
        Diagnosis::new(Code::AccessNotThisService, format!("{endpoint} {what}")).hint(hint)
    };
    if answer.header("content-type").starts_with("text/html") && asks_for_login {
        return Some(not_it(
            "answered with a login page, not with the service",
            "this is the URL for people: use the one for programs, with a header it accepts",
        ));
    }
    answer.endless.then(|| {
        not_it(
            "answered with a body that does not end",
            "this is no service that answers rows: check host, port and path",
        )
    })
}

/// Where a redirect leads; it is not followed, since the headers are for this host only.
fn redirected(answer: &Answer, asked: &Asked<'_>) -> Diagnosis {
    let from = asked.url;
    let to = from.join(answer.header("location")).ok().map(|mut to| {
        to.set_query(None);
        to.set_fragment(None);
        // Fails only where a URL can hold no login anyway.
        let stripped = to.set_username("").and_then(|()| to.set_password(None));
        tracing::trace!(stripped = stripped.is_ok(), "redirect");
        to
    });
    let same_host = to.as_ref().is_some_and(|to| to.host() == from.host());
    let upgrade = to.as_ref().is_some_and(|to| to.scheme() == "https") && from.scheme() == "http";
    let login = [
        "login",
        "signin",
        "sign-in",
        "oauth",
        "saml",
        "sso",
        "authorize",
    ]
    .iter()
    .any(|word| to.as_ref().is_some_and(|to| to.path().contains(word)));
    let hint = if same_host && upgrade {
        "write https:// in the URL: the server takes no plain text"
    } else if login {
        "it sends people to a login page: use the URL for programs, with a header it accepts"
    } else {
        "write the URL it names in the external function, if that host may have the headers"
    };
    let finding = Diagnosis::new(
        Code::AccessRedirected,
        format!("{} sends requests elsewhere", asked.endpoint),
    )
    .evidence("location", short(to.as_ref().map_or("", Url::as_str)))
    .hint(hint);
    let same_path = |to: &Url| to.path() == from.path();
    // A server may not choose the port that the headers go to.
    let own_port = |to: &Url| to.port().is_none_or(|port| from.port() == Some(port));
    match to.filter(|to| same_host && upgrade && same_path(to) && own_port(to)) {
        Some(to) => {
            // The port of the other scheme is none of this one.
            let port = (to.port().or(from.port())).map(|_| to.port().unwrap_or(443));
            let repaired = with_scheme(from.as_str(), "https", port);
            repaired.map_or_else(
                || finding.clone(),
                |it| finding.clone().repair(Change::Target(it)),
            )
        }
        None => finding,
    }
}

/// 401 (RFC 9110, section 11.6.1): the challenge says which scheme is wanted, and `Bearer` why.
fn unauthorized(answer: &Answer, asked: &Asked<'_>) -> Diagnosis {
    let Asked {
        endpoint, config, ..
    } = asked;
    let challenge = answer.header("www-authenticate");
    let scheme = challenge.split([' ', ',']).next().unwrap_or_default();
    let error = parameter(challenge, "error");
    let description = parameter(challenge, "error_description");
    let expired = error == Some("invalid_token")
        && description.is_some_and(|text| text.to_ascii_lowercase().contains("expired"));
    let diagnosis = match config.credential() {
        _ if expired => Diagnosis::new(
            Code::AuthenticateTokenExpired,
            format!("{endpoint} says that the token has expired"),
        )
        .hint("put a fresh token in the link; ALTER LINK changes it in place"),
        None => Diagnosis::new(
            Code::AuthenticateRequired,
            format!("{endpoint} wants to know who calls, and the link does not say"),
        )
        .hint("add the header it wants, such as Authorization, to CREDENTIALS"),
        Some((name, _)) => {
            let sent = config
                .headers
                .get(AUTHORIZATION)
                .and_then(|value| value.to_str().ok());
            let sent = sent
                .and_then(|value| value.split_once(' '))
                .map(|(scheme, _)| scheme);
            let other =
                sent.filter(|sent| !scheme.is_empty() && !challenge_offers(challenge, sent));
            Diagnosis::new(
                Code::AuthenticateBadCredentials,
                format!("{endpoint} does not accept the header `{name}`"),
            )
            .hint(other.map_or_else(
                || "check the value with whoever runs the service".to_owned(),
                |sent| format!("it wants the scheme {scheme}, and the link sends {sent}"),
            ))
        }
    };
    diagnosis
        .evidence("scheme", short(scheme))
        .evidence(
            "realm",
            short(parameter(challenge, "realm").unwrap_or_default()),
        )
        .evidence("error", short(error.unwrap_or_default()))
        .evidence("error_description", short(description.unwrap_or_default()))
        .key(config.guilty_key())
}

fn challenge_offers(challenge: &str, scheme: &str) -> bool {
    challenge
        .split([' ', ','])
        .any(|word| word.eq_ignore_ascii_case(scheme))
}

/// Returns a parameter of a challenge, written `name="value"` or `name=value`.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = challenge;
    while let Some(at) = rest.find(name) {
        let starts = rest[..at].ends_with([' ', ',']);
        let after = &rest[at + name.len()..];
        if let Some(value) = after.strip_prefix('=').filter(|_| starts) {
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => value.split([',', ' ']).next(),
            };
        }
        rest = after;
    }
    None
}

/// Feeds the value of a header to the readers of headers.
pub(crate) fn fuzz(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes);
    for name in ["error", "error_description", "realm"] {
        if let Some(found) = parameter(&value, name) {
            assert!(value.contains(found));
        }
    }
    challenge_offers(&value, "Basic");
    assert!(short(&value).len() <= 200);
    let wait = retry_after(&value, Timestamp::UNIX_EPOCH);
    assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT));
    says_too_long(400, &value);
}

/// A server's own words, as far as a report shows them. A secret at the cut is still redacted.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let wait = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = DateTimeParser::new().parse_timestamp(value).ok()?;
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}
