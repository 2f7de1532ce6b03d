//! One request in, one bounded answer out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::net::{Dialler, FaultContext, HttpClient, Net};
use linkdial_core::{Code, Diagnosis, Reached, Settings};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use reqwest::{Method, Proxy, Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use url::{Position, Url};

use crate::config::{Address, Config};
use crate::own_thread;

/// At most this much of a body is read, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// `OPTIONS` may take this part of the stage; what decides needs the rest.
const OPTIONS_SHARE: u32 = 4;

/// Zero rows in the JSON format of an external function.
const NO_ROWS: &str = r#"{"data":[]}"#;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or its beginning.
    pub(crate) body: String,
    /// Whether the body went on beyond the bound without having said how long it is.
    pub(crate) endless: bool,
}

impl Answer {
    /// Returns a header as text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}

/// Sends requests to one address for one link.
#[derive(Debug)]
pub(crate) struct Client {
    url: Url,
    headers: HeaderMap,
    ladder: HttpClient<String>,
    stream: FaultContext,
    address: SocketAddr,
    reqwest: reqwest::Client,
    /// `reqwest` asks a proxy for a plain URL itself, in absolute form; one that only tunnels
    /// refuses that, and says nothing about the link. There the ladder carries every request.
    tunnelled: bool,
    options_timeout: Duration,
}

impl Client {
    /// Takes the ladder's stream, and pins `reqwest` to the address that the ladder checked.
    pub(crate) fn new(
        settings: &Settings,
        address: &Address,
        config: &Config,
        reached: Reached,
    ) -> Result<Self, Diagnosis> {
        let net = &settings.net;
        Ok(Self {
            address: reached.dialler.address(),
            tunnelled: net.proxy().is_some() && address.tls().is_none(),
            options_timeout: settings.stage_timeout / OPTIONS_SHARE,
            url: address.url.clone(),
            headers: config.headers.clone(),
            stream: reached.dialled.context().clone(),
            reqwest: pinned(net, address, &reached.dialler)?,
            ladder: HttpClient::new(reached.dialled, reached.dialler),
        })
    }

    /// Sends every request on the ladder's stream: no other connection is opened.
    pub(crate) fn on_the_ladder(self) -> Self {
        Self {
            tunnelled: true,
            ..self
        }
    }

    /// Returns what the ladder knows of the stream.
    pub(crate) const fn stream(&self) -> &FaultContext {
        &self.stream
    }

    /// Sends `OPTIONS` on the ladder's stream, which names what answers there when it is not
    /// HTTP. Which answer comes does not matter, nor whether one comes: a server may hang up on
    /// `OPTIONS`, or be silent.
    pub(crate) async fn options(&self) -> Result<(), Diagnosis> {
        let request = self.request(Method::OPTIONS, self.headers.clone(), "")?;
        match timeout(self.options_timeout, self.ladder.send(request)).await {
            Ok(Ok(response)) => {
                // Nothing a server says goes to a log: it may repeat the headers.
                tracing::debug!(status = response.status().as_u16(), "OPTIONS");
                Ok(())
            }
            Ok(Err(fault)) if fault.code == Code::ConnectReset => Ok(()),
            Ok(Err(fault)) => Err(fault),
            Err(_) => {
                tracing::debug!("no answer to OPTIONS");
                Ok(())
            }
        }
    }

    /// Sends one request without a body.
    pub(crate) async fn ask(&self, method: Method) -> Result<Answer, Diagnosis> {
        self.send(method, self.headers.clone(), "").await
    }

    /// Sends one batch of zero rows.
    pub(crate) async fn post_empty(&self, format: Option<&str>) -> Result<Answer, Diagnosis> {
        let (content_type, body) = match format {
            Some("ROWDAT_1") => ("application/octet-stream", ""),
            _ => ("application/json", NO_ROWS),
        };
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.send(Method::POST, headers, body).await
    }

    async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: &'static str,
    ) -> Result<Answer, Diagnosis> {
        if self.tunnelled {
            return self.send_tunnelled(method, headers, body).await;
        }
        let explain = |error: reqwest::Error| {
            if error.is_connect() {
                self.stream.explain_connect(self.address, &error)
            } else {
                self.stream.explain(&error)
            }
        };
        let request = self.reqwest.request(method.clone(), self.url.clone());
        let request = request.headers(headers).body(body);
        let exchange = async move {
            let mut response = request.send().await?;
            let (body, endless) = read(&mut response).await?;
            Ok(Answer {
                method,
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body,
                endless,
            })
        };
        own_thread::run(exchange).await.map_err(explain)
    }

    async fn send_tunnelled(
        &self,
        method: Method,
        headers: HeaderMap,
        body: &str,
    ) -> Result<Answer, Diagnosis> {
        let request = self.request(method.clone(), headers, body)?;
        let (head, rest) = self.ladder.send(request).await?.into_parts();
        let (body, more) = rest.read_up_to(MAX_BODY).await?;
        Ok(Answer {
            method,
            status: head.status.as_u16(),
            endless: more && !head.headers.contains_key(CONTENT_LENGTH),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Makes a request for the ladder's stream.
    fn request(
        &self,
        method: Method,
        mut headers: HeaderMap,
        body: &str,
    ) -> Result<http::Request<String>, Diagnosis> {
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let path = &self.url[Position::BeforePath..Position::AfterQuery];
        headers.insert(HOST, host.parse().map_err(|_| unsendable())?);
        // As `reqwest` does.
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        let mut request = http::Request::new(body.to_owned());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| unsendable())?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Reads a body up to the bound.
async fn read(response: &mut Response) -> Result<(String, bool), reqwest::Error> {
    let mut body = Vec::new();
    let mut endless = false;
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY {
            body.truncate(MAX_BODY);
            endless = response.content_length().is_none();
            break;
        }
    }
    Ok((String::from_utf8_lossy(&body).into_owned(), endless))
}

/// A client that asks no name server, no environment, and nobody twice.
fn pinned(net: &Net, address: &Address, dialler: &Dialler) -> Result<reqwest::Client, Diagnosis> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0);
    let tls = match address.tls() {
        Some(options) => ClientConfig::clone(net.tls_session(&options)?.config()),
        None => no_tls()?,
    };
    builder = builder.tls_backend_preconfigured(tls);
    let checked: &[SocketAddr] = &[dialler.address()];
    let host = address.url.host_str().unwrap_or_default();
    builder = match net.proxy() {
        None => builder.resolve_to_addrs(host, checked),
        Some(proxy) => {
            let url = proxy.url().expose();
            let name = Url::parse(url).ok();
            let name = name.as_ref().and_then(Url::host_str).unwrap_or_default();
            let proxy = Proxy::all(url).map_err(|_| unsendable())?;
            builder.proxy(proxy).resolve_to_addrs(name, checked)
        }
    };
    builder.build().map_err(|_| unsendable())
}

/// What `reqwest` wants for a plain link as well: trusts nobody, and loads no roots.
fn no_tls() -> Result<ClientConfig, Diagnosis> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unsendable())?;
    Ok(builder
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn unsendable() -> Diagnosis {
    Diagnosis::new(
        Code::DefineTargetInvalid,
        "the target's URL can not stand in a request",
    )
    .hint("write the URL of the service, such as https://host/path")
}
