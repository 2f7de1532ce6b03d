//! The HTTP service that an external function calls, in this process.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::http_service::{self, LOGIN_PAGE, NO_ROWS, PASSWORD, REALM, TOKEN, USER};
use crate::web::{Answer, Recorded, WebServer};
use crate::{LinkStatement, ServerTls};

/// An HTTP service as an external function would call it, with one path for each kind of answer.
///
/// | path | answer |
/// | --- | --- |
/// | `/` | 200 |
/// | `/function` | 200 and zero rows to `POST`, 405 to everything else |
/// | `/401` `/403` `/404` `/405` `/500` | this status; 401 with a challenge, 405 with `Allow: POST` |
/// | `/429` `/503` | this status with `Retry-After: 7` |
/// | `/redirect` | 302 to `/echo` under another host name of the same server |
/// | `/login` | 200 and a login page in HTML |
/// | `/basic` | 200 for [`HttpEndpoint::basic`], else 401 |
/// | `/bearer` | 200 for [`HttpEndpoint::bearer`], else 401 |
/// | `/header` | 200 for [`HttpEndpoint::api_key`], else 403 |
/// | `/echo` | 200 with the request's header in the body |
/// | `/echo-401` | 401 with the request's header in the body and in a header field |
///
/// Every other path is a 404.
#[derive(Debug)]
pub struct HttpEndpoint(WebServer);

impl HttpEndpoint {
    /// Starts the service in plain text.
    pub fn start() -> Self {
        Self(WebServer::start(None, answer))
    }

    /// Starts the service with TLS; with
    /// [`Certificates::mutual_tls`](crate::Certificates::mutual_tls) it asks for a certificate too.
    pub fn start_tls(tls: ServerTls) -> Self {
        Self(WebServer::start(Some(tls), answer))
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.0.address
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.url())
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.requests()
    }

    /// The header field that `/basic` wants.
    pub fn basic() -> (&'static str, String) {
        let login = BASE64.encode(format!("{USER}:{PASSWORD}"));
        ("Authorization", format!("Basic {login}"))
    }

    /// The header field that `/bearer` wants.
    pub fn bearer() -> (&'static str, String) {
        ("Authorization", format!("Bearer {TOKEN}"))
    }

    /// The header field that `/header` wants.
    pub fn api_key() -> (&'static str, String) {
        ("X-Api-Key", "lab-key".to_owned())
    }

    /// A ready `CREATE LINK` that sends these header fields, to this service or to
    /// [`Nginx`](crate::Nginx).
    pub fn create_link<'a>(
        name: &str,
        headers: impl IntoIterator<Item = (&'a str, String)>,
    ) -> LinkStatement {
        let headers: Map<_, _> = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        LinkStatement::new(name, "HTTP").credential("headers", headers)
    }

    /// A ready `CREATE EXTERNAL FUNCTION` that calls a path through a link.
    pub fn create_function(&self, function: &str, path: &str, link: &LinkStatement) -> String {
        http_service::function(function, &self.url(path), link)
    }
}

fn answer(request: &Recorded) -> Answer {
    let has = |(name, value): (&str, String)| request.header(name) == Some(value.as_str());
    let either = |right, wrong| {
        if right {
            Answer::status(200).body("ok\n")
        } else {
            wrong
        }
    };
    let post = request.method == "POST";
    let retry = |status| Answer::status(status).header("retry-after", "7");
    match request.path.as_str() {
        "/" => Answer::status(200).body("ok\n"),
        "/function" if post => Answer::status(200)
            .header("content-type", "application/json")
            .body(NO_ROWS),
        "/function" | "/405" => Answer::status(405).header("allow", "POST"),
        "/401" => challenge(Answer::status(401), "Bearer"),
        "/403" => Answer::status(403),
        "/429" => retry(429),
        "/500" => Answer::status(500),
        "/503" => retry(503),
        "/redirect" => Answer::status(302).header("location", &elsewhere(request)),
        "/login" => Answer::status(200)
            .header("content-type", "text/html; charset=utf-8")
            .body(LOGIN_PAGE),
        "/basic" => either(
            has(HttpEndpoint::basic()),
            challenge(Answer::status(401), "Basic"),
        ),
        "/bearer" => either(
            has(HttpEndpoint::bearer()),
            challenge(Answer::status(401), "Bearer"),
        ),
        "/header" => either(has(HttpEndpoint::api_key()), Answer::status(403)),
        "/echo" => Answer::status(200).body(echo(request)),
        "/echo-401" => {
            let line = echo(request).replace('\n', " | ");
            challenge(Answer::status(401), "Bearer")
                .header("x-echo", line.trim())
                .body(echo(request))
        }
        // Also what the table promises for `/404`.
        _ => Answer::status(404),
    }
}

fn challenge(answer: Answer, scheme: &str) -> Answer {
    answer.header("www-authenticate", &format!("{scheme} realm=\"{REALM}\""))
}

/// The same server under its other name.
fn elsewhere(request: &Recorded) -> String {
    let host = request.header("host").unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let other = if name == "localhost" {
        "127.0.0.1"
    } else {
        "localhost"
    };
    format!("http://{other}:{port}/echo")
}

fn echo(request: &Recorded) -> String {
    let mut text = String::new();
    for (name, value) in &request.headers {
        text.extend([
            name.as_str(),
            ": ",
            &String::from_utf8_lossy(value.as_bytes()),
            "\n",
        ]);
    }
    text
}
