//! Faults of HTTP links.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Expected, Family, Fault, Kind, Mark, Seeded};
use crate::broken::{self, Broken};
use crate::{Answer, HttpEndpoint, LinkStatement, Nginx, ScriptedHttp};

const AUTHORIZATION: (&str, &str) = ("CREDENTIALS", "/headers/Authorization");
const HEADERS: (&str, &str) = ("CREDENTIALS", "/headers");
const PAGE: &str = "SingleStore, CREATE LINK: headers is an object of names and values";

/// What is found at the only endpoint.
fn found(code: &'static str) -> Expected {
    Expected::fail(code).at("endpoint")
}

/// A link that sends a marked token.
pub(super) fn link(mark: &Mark) -> LinkStatement {
    with("Authorization", &format!("Bearer {}", mark.word()))
}

fn with(name: &str, value: &str) -> LinkStatement {
    LinkStatement::new("l", "HTTP").credential("headers", json!({ name: value }))
}

pub(super) fn faults() -> Vec<Fault> {
    [statements(), schemes(), nginx(), answers()].concat()
}

fn keys(
    name: &str,
    expected: Expected,
    source: &'static str,
    make: fn(&Mark) -> LinkStatement,
) -> Fault {
    let seed = move |mark: &Mark| Ok(Seeded::call(mark, make(mark), "https://127.0.0.1:9/score"));
    Fault::undialled(Kind::Http, name, expected, source, seed)
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn statements() -> Vec<Fault> {
    let define = Expected::define;
    let names = "RFC 9110, 5.1: a field name is a token";
    let target = "SingleStore, CREATE EXTERNAL FUNCTION: REMOTE SERVICE takes a URL";
    let call = |name, expected, source, seed: fn(&Mark) -> Seeded| {
        let seed = move |mark: &Mark| Ok(seed(mark));
        Fault::undialled(Kind::Http, name, expected, source, seed)
    };
    vec![
        keys(
            "headers-as-text",
            define("define.wrong-type", HEADERS),
            PAGE,
            |mark| {
                LinkStatement::new("l", "HTTP")
                    .credential("headers", format!("Authorization: Bearer {}", mark.word()))
            },
        ),
        keys(
            "colon-in-name",
            define(
                "define.invalid-value",
                ("CREDENTIALS", "/headers/Authorization:"),
            ),
            names,
            |mark| with("Authorization:", &format!("Bearer {}", mark.word())),
        ),
        keys(
            "host-header",
            define("define.invalid-value", ("CREDENTIALS", "/headers/Host")),
            "RFC 9110, 7.2: Host is the request's own",
            |mark| {
                LinkStatement::new("l", "HTTP").credential("headers",
                json!({"Authorization": format!("Bearer {}", mark.word()), "Host": "ml.example.com"}))
            },
        ),
        keys(
            "header-twice",
            define(
                "define.conflicting-keys",
                ("CREDENTIALS", "/headers/authorization"),
            ),
            "RFC 9110, 5.1: field names ignore letter case",
            |mark| {
                LinkStatement::new("l", "HTTP").credential("headers",
                json!({"Authorization": format!("Bearer {}", mark.word()), "authorization": mark.secret()}))
            },
        ),
        keys(
            "value-with-line-feed",
            define("define.stray-whitespace", AUTHORIZATION),
            "RFC 9110, 5.5: a field value ends without white space",
            |mark| with("Authorization", &format!("Bearer {}\n", mark.word())),
        ),
        keys(
            "value-of-two-lines",
            define(
                "define.invalid-value",
                ("CREDENTIALS", "/headers/X-Api-Key"),
            ),
            "RFC 9110, 5.5: no line break in a field value",
            |mark| with("X-Api-Key", &format!("{}\n{}", mark.word(), mark.word())),
        ),
        keys(
            "value-beyond-ascii",
            define(
                "define.invalid-value",
                ("CREDENTIALS", "/headers/X-Api-Key"),
            ),
            "RFC 9110, 5.5: characters beyond ASCII are opaque and not to be sent",
            |mark| with("X-Api-Key", &format!("{}\u{2013}", mark.word())),
        ),
        call(
            "url-without-scheme",
            Expected::fail("define.target-invalid"),
            target,
            |mark| Seeded::call(mark, link(mark), "ml.example.com/score"),
        ),
        call(
            "url-with-password",
            Expected::fail("define.target-invalid"),
            target,
            |mark| {
                Seeded::call(
                    mark,
                    link(mark),
                    format!("https://loader:{}@127.0.0.1:9/score", mark.word()),
                )
            },
        ),
        call(
            "url-of-another-kind",
            Expected::fail("define.target-invalid"),
            target,
            |mark| Seeded::call(mark, link(mark), "s3://orders/score"),
        ),
        call(
            "function-missing",
            Expected::fail("define.no-target").unverified(),
            "SingleStore, CREATE LINK: the URL stands in the external function",
            |mark| Seeded::script(mark, link(mark).to_string()),
        ),
        Fault::undialled(
            Kind::Http,
            "headers-misspelt",
            define("define.unknown-key", ("CREDENTIALS", "/headres")).mended(),
            PAGE,
            |mark| {
                let server = HttpEndpoint::start();
                let link = LinkStatement::new("l", "HTTP").credential(
                    "headres",
                    json!({"Authorization": format!("Bearer {}", mark.word())}),
                );
                Ok(Seeded::call(mark, link, server.url("/")).hold(server))
            },
        ),
    ]
}

fn schemes() -> Vec<Fault> {
    let invalid = Expected::define("define.invalid-value", AUTHORIZATION);
    let basic = "RFC 7617, 2: base64 of user:password";
    let bearer = "RFC 6750, 2.1: Bearer, a space, b64token";
    vec![
        keys("basic-not-base64", invalid, basic, |mark| {
            with("Authorization", &format!("Basic loader:{}", mark.word()))
        }),
        keys("basic-without-colon", invalid, basic, |mark| {
            with(
                "Authorization",
                &format!("Basic {}", STANDARD.encode(mark.word())),
            )
        }),
        keys("bearer-without-token", invalid, bearer, |_| {
            with("Authorization", "Bearer")
        }),
        keys("bearer-twice", invalid, bearer, |mark| {
            with("Authorization", &format!("Bearer Bearer {}", mark.word()))
        }),
        keys("bearer-in-quotes", invalid, bearer, |mark| {
            with("Authorization", &format!("Bearer \"{}\"", mark.word()))
        }),
        keys(
            "bearer-placeholder",
            Expected::define("define.placeholder-value", AUTHORIZATION),
            "the placeholder of every page of an API: `Authorization: Bearer <token>`",
            |_| with("Authorization", "Bearer <token>"),
        ),
        keys(
            "api-key-placeholder",
            Expected::define(
                "define.placeholder-value",
                ("CREDENTIALS", "/headers/X-Api-Key"),
            ),
            "the placeholder of every page of an API: `X-Api-Key: <api-key>`",
            |_| with("X-Api-Key", "<api-key>"),
        ),
        Fault::new(
            Kind::Http,
            Family::Statement,
            "basic-with-line-feed",
            "HTTP service",
            Expected::define("define.stray-whitespace", AUTHORIZATION).warn(),
            "SingleStore, CREATE LINK: the HTTP example decodes to a text that ends with a line feed",
            |mark| {
                let server = HttpEndpoint::start();
                let payload = STANDARD.encode(format!("loader:{}\n", mark.word()));
                let link = with("Authorization", &format!("Basic {payload}"));
                Ok(Seeded::call(mark, link, server.url("/"))
                    .secret(payload)
                    .hold(server))
            },
        ),
    ]
}

/// What nginx answers.
#[expect(clippy::too_many_lines, reason = "a table")]
fn nginx() -> Vec<Fault> {
    let real = |name, path: &'static str, expected, source, make: fn(&Mark) -> LinkStatement| {
        Fault::new(
            Kind::Http,
            Family::Service,
            name,
            "nginx",
            expected,
            source,
            move |mark| Ok(Seeded::call(mark, make(mark), Nginx::shared().url(path))),
        )
    };
    let none = |_: &Mark| LinkStatement::new("l", "HTTP").with_empty_credentials();
    vec![
        real(
            "login-required",
            "/bearer",
            found("authenticate.required").key(AUTHORIZATION),
            "RFC 9110, 15.5.2: 401 Unauthorized",
            none,
        ),
        real(
            "token-wrong",
            "/bearer",
            found("authenticate.bad-credentials").key(AUTHORIZATION),
            "RFC 9110, 15.5.2: 401 Unauthorized",
            link,
        ),
        real(
            "password-wrong",
            "/basic",
            found("authenticate.bad-credentials").key(AUTHORIZATION),
            "RFC 7617, 2; RFC 9110, 15.5.2: 401 Unauthorized",
            |mark| {
                with(
                    "Authorization",
                    &format!("Basic {}", STANDARD.encode(format!("lab:{}", mark.word()))),
                )
            },
        ),
        real(
            "scheme-wrong",
            "/basic",
            found("authenticate.bad-credentials").key(AUTHORIZATION),
            "RFC 9110, 11.6.1: the challenge names the scheme",
            link,
        ),
        real(
            "api-key-wrong",
            "/header",
            found("access.denied").key(("CREDENTIALS", "/headers/X-Api-Key")),
            "RFC 9110, 15.5.4: 403 Forbidden",
            |mark| with("X-Api-Key", &mark.word()),
        ),
        real(
            "forbidden",
            "/403",
            found("access.denied").key(AUTHORIZATION),
            "RFC 9110, 15.5.4: 403 Forbidden",
            link,
        ),
        real(
            "path-wrong",
            "/no/such/path",
            found("access.not-found"),
            "RFC 9110, 15.5.5: 404 Not Found",
            link,
        ),
        real(
            "method-refused",
            "/405",
            found("access.method-refused").warn(),
            "RFC 9110, 15.5.6: 405 Method Not Allowed",
            link,
        ),
        real(
            "too-many-requests",
            "/429",
            found("access.throttled").warn(),
            "RFC 6585, 4: 429 Too Many Requests",
            link,
        ),
        real(
            "internal-error",
            "/500",
            found("access.server-error"),
            "RFC 9110, 15.6.1: 500 Internal Server Error",
            link,
        ),
        real(
            "come-back-later",
            "/503",
            found("access.throttled").warn(),
            "RFC 9110, 15.6.4: 503 with Retry-After",
            link,
        ),
        real(
            "redirect",
            "/redirect",
            found("access.redirected"),
            "RFC 9110, 15.4.3: 302 Found",
            link,
        ),
        real(
            "login-page",
            "/login",
            found("access.not-this-service"),
            "a form with a password where rows were asked for; recorded",
            link,
        ),
        Fault::new(
            Kind::Http,
            Family::World,
            "plain-to-nginx-with-tls",
            "nginx",
            found("tls.required").mended(),
            "nginx: 400, `The plain HTTP request was sent to HTTPS port`",
            |mark| {
                Ok(Seeded::call(
                    mark,
                    link(mark),
                    Nginx::shared_tls().url("/").replace("https:", "http:"),
                ))
            },
        ),
        Fault::new(
            Kind::Http,
            Family::World,
            "nginx-wants-a-certificate",
            "nginx",
            found("tls.client-certificate-required"),
            "nginx, ssl_verify_client: 400, `No required SSL certificate was sent`",
            |mark| {
                Ok(Seeded::call(
                    mark,
                    link(mark),
                    Nginx::shared_mutual_tls().url("/"),
                ))
            },
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn answers() -> Vec<Fault> {
    let row = |name, expected, source, answer: fn() -> Answer| {
        Fault::new(
            Kind::Http,
            Family::Service,
            name,
            "scripted answer",
            expected,
            source,
            move |mark| {
                let server = ScriptedHttp::always([answer()]);
                let url = format!("{}/score", server.url());
                Ok(Seeded::call(mark, link(mark), url).hold(server))
            },
        )
    };
    vec![
        row(
            "token-expired",
            found("authenticate.token-expired").key(AUTHORIZATION),
            "RFC 6750, 3.1: invalid_token, `The access token expired`",
            || {
                Answer::status(401).header("www-authenticate",
                "Bearer realm=\"zoo\", error=\"invalid_token\", error_description=\"The access token expired\"")
            },
        ),
        row(
            "scope-missing",
            found("access.denied").key(AUTHORIZATION),
            "RFC 6750, 3.1: insufficient_scope, 403",
            || {
                Answer::status(403).header(
                    "www-authenticate",
                    "Bearer error=\"insufficient_scope\", scope=\"score\"",
                )
            },
        ),
        row(
            "proxy-in-front",
            found("connect.proxy-failed"),
            "RFC 9110, 15.5.8: 407",
            || Answer::status(407).header("proxy-authenticate", "Basic realm=\"zoo\""),
        ),
        row(
            "gave-up-waiting",
            found("access.timed-out"),
            "RFC 9110, 15.5.9: 408 Request Timeout",
            || Answer::status(408),
        ),
        row(
            "gone",
            found("access.not-found"),
            "RFC 9110, 15.5.11: 410 Gone",
            || Answer::status(410),
        ),
        row(
            "header-too-long",
            found("access.request-refused").key(AUTHORIZATION),
            "RFC 6585, 5: 431 Request Header Fields Too Large",
            || Answer::status(431),
        ),
        row(
            "bad-gateway",
            found("access.server-error"),
            "RFC 9110, 15.6.3: 502 Bad Gateway",
            || {
                Answer::status(502)
                    .header("content-type", "text/html")
                    .body("<html></html>")
            },
        ),
        row(
            "gateway-timeout",
            found("access.server-error"),
            "RFC 9110, 15.6.5: 504 Gateway Timeout",
            || Answer::status(504),
        ),
        row(
            "unavailable",
            found("access.server-error"),
            "RFC 9110, 15.6.4: 503 Service Unavailable",
            || Answer::status(503),
        ),
        row(
            "network-login",
            found("access.not-this-service"),
            "RFC 6585, 6: 511 Network Authentication Required",
            || Answer::status(511),
        ),
        row(
            "moved",
            found("access.redirected"),
            "RFC 9110, 15.4.9: 308 Permanent Redirect",
            || Answer::status(308).header("location", "https://127.0.0.1:9/score/v2"),
        ),
        row(
            "unsupported-media",
            found("access.method-refused").warn(),
            "RFC 9110, 15.5.16: 415 Unsupported Media Type",
            || Answer::status(415),
        ),
        row(
            "not-implemented",
            found("access.method-refused").warn(),
            "RFC 9110, 15.6.2: 501, the method is not implemented",
            || Answer::status(501),
        ),
        Fault::new(
            Kind::Http,
            Family::Service,
            "broker-in-its-place",
            "scripted answer",
            found("access.not-this-service"),
            "RFC 9112, 4: a status line begins with HTTP/; Kafka protocol guide: a frame begins with its length",
            |mark| {
                let server = Broken::start(broken::Fault::Answers(vec![
                    0, 0, 0, 10, 0, 0, 0, 1, 0, 35, 0, 0, 0, 0,
                ]));
                let url = format!("{}/score", server.url());
                Ok(Seeded::call(mark, link(mark), url).hold(server))
            },
        ),
    ]
}
