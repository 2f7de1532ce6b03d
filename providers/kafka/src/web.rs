//! A service of HTTP: one request on the ladder's stream, one bounded answer. No opinion about
//! either.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use linkdial_core::net::{HttpClient, tls_refusal};
use linkdial_core::{Diagnosis, Endpoint, Reached, Role, Secret};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::{Position, Url};

/// A server's own words, as far as a report shows them, in bytes.
const SHOWN: usize = 200;

/// Where a service is, as a link or a statement names it.
#[derive(Clone)]
pub(crate) struct Service {
    url: Url,
    uri: Uri,
    host: HeaderValue,
}

impl fmt::Debug for Service {
    /// A URL may hold a login or a key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.url[Position::BeforeHost..Position::AfterPort];
        write!(formatter, "Service({}://{shown})", self.url.scheme())
    }
}

impl Service {
    /// Reads an http or https URL; `None` when it is none that can be asked.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        if !matches!(url.scheme(), "http" | "https") || url.port_or_known_default() == Some(0) {
            return None;
        }
        Some(Self {
            uri: url[Position::BeforePath..Position::AfterQuery]
                .parse()
                .ok()?,
            host: url[Position::BeforeHost..Position::AfterPort]
                .parse()
                .ok()?,
            url,
        })
    }

    /// Returns the resource below its path, without the query.
    pub(crate) fn below(mut self, name: &str) -> Option<Self> {
        let path = format!("{}/{name}", self.url.path().trim_end_matches('/'));
        self.uri = path.parse().ok()?;
        Some(self)
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns it as something to dial.
    pub(crate) fn endpoint(&self, role: Role) -> Endpoint {
        let port = self.url.port_or_known_default().unwrap_or_default();
        Endpoint::new(role, self.url.host_str().unwrap_or_default(), port)
    }

    /// Returns the path that is asked for.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns user and password of the URL itself.
    pub(crate) fn login(&self) -> Option<(String, Secret)> {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = decoded(self.url.username());
        let password = decoded(self.url.password().unwrap_or_default());
        (!user.is_empty() || !password.is_empty()).then(|| (user, Secret::new(password)))
    }

    /// Begins a request in origin form.
    pub(crate) fn request(&self, method: Method, body: String) -> Request<String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        request
    }
}

/// Returns the value of `Basic` (RFC 7617).
pub(crate) fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())))
}

/// Lets a request say who asks.
pub(crate) fn authorize(request: &mut Request<String>, basic: &Secret) {
    let value = HeaderValue::from_str(&format!("Basic {}", basic.expose()));
    let mut value = value.expect("base64 can stand in a header");
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Whether the body went on beyond the bound.
    pub(crate) cut: bool,
}

impl Answer {
    /// Returns a header as text, as far as a report shows it; empty when it is not there.
    pub(crate) fn header(&self, name: HeaderName) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        short(value.unwrap_or_default())
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header(CONTENT_TYPE)
    }

    /// Returns the body, or its beginning.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Returns the whole body as JSON, where it is some.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body)
            .ok()
            .filter(|_| !self.cut)
    }

    /// Returns whether a page for people came.
    pub(crate) fn is_html(&self) -> bool {
        let body = self.text();
        let begins = |mark| {
            let start = body.trim_start().get(..str::len(mark));
            start.is_some_and(|start| start.eq_ignore_ascii_case(mark))
        };
        self.content_type().starts_with("text/html") || begins("<!doctype html") || begins("<html")
    }
}

/// Feeds a body to the readers of an answer, whole and cut.
pub(crate) fn fuzz(bytes: &[u8]) {
    for cut in [false, true] {
        let answer = Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: bytes.to_vec(),
            cut,
        };
        assert!(!(cut && answer.json().is_some()));
        answer.is_html();
        assert!(short(&answer.text()).len() <= SHOWN);
    }
    if let Some(service) = Service::parse(&String::from_utf8_lossy(bytes)) {
        assert!(!format!("{service:?}").contains('@'), "{service:?}");
        service.login();
        assert!(!service.path().is_empty());
    }
}

/// Cuts a server's own words to what a report shows. A secret at the cut is still redacted.
pub(crate) fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN)]
}

/// Sends one request on the ladder's stream and reads the answer up to a bound in bytes.
///
/// Redirects are answers: nothing is sent to another host.
pub(crate) async fn ask(
    endpoint: &Endpoint,
    reached: Reached,
    request: Request<String>,
    bound: usize,
) -> Result<Answer, Diagnosis> {
    let context = reached.dialled.context().clone();
    let client = HttpClient::new(reached.dialled, reached.dialler);
    let (head, body) = client.send(request).await?.into_parts();
    let (body, cut) = body.read_up_to(bound).await?;
    let answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.into(),
        cut,
    };
    let (status, text) = (answer.status, answer.text());
    match tls_refusal(endpoint, Some(&context), status, &text) {
        Some(finding) => Err(finding),
        None => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_and_their_logins_are_not_shown() {
        let service = Service::parse("https://u%40x:p%3Aw0rd@[::1]/a/b/?key=QZX").unwrap();
        let shown = format!("{service:?}");
        assert_eq!(shown, "Service(https://[::1])");
        assert_eq!(
            service.endpoint(Role::Token),
            Endpoint::new(Role::Token, "::1", 443)
        );
        assert!(service.is_tls());
        let (user, password) = service.login().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("u@x", "p:w0rd"));
        let request = service.request(Method::GET, String::new());
        assert_eq!(request.uri(), "/a/b/?key=QZX");
        assert_eq!(request.headers()[HOST], "[::1]");
        let below = service.below("subjects").unwrap();
        assert_eq!(
            below.request(Method::GET, String::new()).uri(),
            "/a/b/subjects"
        );
        for wrong in [
            "",
            "idp.example.com",
            "ftp://h/",
            "http://",
            "https://h:0/",
            "http://h:99999/",
        ] {
            assert!(Service::parse(wrong).is_none(), "{wrong}");
        }
    }
}
