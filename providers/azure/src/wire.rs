//! The vendor's client, on the ladder's own stream, and what authorises its requests.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, Context, HttpClient as SdkHttpClient, Request,
    RetryOptions, StatusCode, Transport as SdkTransport,
};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::header::{AUTHORIZATION, DATE};
use http_body_util::{BodyDataStream, Full};
use linkdial_core::net::{FaultContext, HttpClient};
use linkdial_core::{Diagnosis, Reached, Secret};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use crate::config::{Auth, Config};

/// The version of the protocol: one that emulators and private clouds know as well, which refuse what
/// is newer than they are. All that is asked for was there by then.
const VERSION: &str = "2021-08-06";

/// One connection of a link, in the form in which the SDK takes its transport.
#[derive(Clone, Debug)]
pub(crate) struct Transport(HttpClient<Full<Bytes>>);

impl Transport {
    /// Takes the ladder's stream.
    pub(crate) fn new(reached: Reached) -> Self {
        Self(HttpClient::new(reached.dialled, reached.dialler))
    }

    /// Takes what the transport itself saw go wrong, which the SDK's error would blur.
    pub(crate) fn take_fault(&self) -> Option<Diagnosis> {
        self.0.take_fault()
    }

    /// Returns whether the server asked for a client certificate.
    pub(crate) async fn fault_context(&self) -> Option<FaultContext> {
        self.0.fault_context().await
    }
}

#[async_trait]
impl SdkHttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            Body::Bytes(bytes) => Full::new(bytes.clone()),
            Body::SeekableStream(_) => return Err(unsendable("a body that is a stream")),
        };
        let request = head(request).body(body).map_err(unsendable)?;
        let answer = self
            .0
            .send(request)
            .await
            // The probe reports the diagnosis itself; the SDK only has to stop.
            .map_err(|fault| Error::with_message(ErrorKind::Other, fault.message))?;
        let (head, body) = answer.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &head.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.insert(name.as_str().to_owned(), value);
        }
        let body = BodyDataStream::new(body).map_err(|error| Error::new(ErrorKind::Other, error));
        let status = StatusCode::from(head.status.as_u16());
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

/// Says who asks: a signature over each request, or the one that is shared.
///
/// The SDK has neither (it takes tokens of Entra ID); the Shared Key signature is that of
/// `object_store`.
enum Authorize {
    SharedKey {
        account: String,
        credential: AzureCredential,
    },
    Sas(Secret),
}

impl fmt::Debug for Authorize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SharedKey { .. } => "SharedKey",
            Self::Sas(_) => "Sas",
        })
    }
}

impl Authorize {
    fn new(config: &Config) -> azure_core::Result<Self> {
        Ok(match &config.auth {
            Auth::SharedKey(key) => Self::SharedKey {
                account: config.account.clone(),
                credential: AzureCredential::AccessKey(
                    AzureAccessKey::try_new(key.expose()).map_err(|_| unsendable("the key"))?,
                ),
            },
            Auth::Sas(sas) => Self::Sas(sas.query.clone()),
        })
    }

    fn apply(&self, request: &mut Request) -> azure_core::Result<()> {
        match self {
            Self::SharedKey {
                account,
                credential,
            } => {
                let unsigned = head(request).body(HttpRequestBody::empty());
                let mut signed: HttpRequest = unsigned.map_err(unsendable)?;
                AzureAuthorizer::new(credential, account)
                    .try_authorize(&mut signed)
                    .map_err(unsendable)?;
                for name in [AUTHORIZATION, DATE] {
                    let value = signed.headers().get(&name).and_then(|it| it.to_str().ok());
                    let value = value.ok_or_else(|| unsendable("a signature"))?.to_owned();
                    request.insert_header(name.as_str().to_owned(), value);
                }
            }
            Self::Sas(sas) => {
                let url = request.url_mut();
                let query = match url.query() {
                    Some(query) => format!("{query}&{}", sas.expose()),
                    None => sas.expose().to_owned(),
                };
                url.set_query(Some(&query));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Policy for Authorize {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        self.apply(request)?;
        let (first, others) = next
            .split_first()
            .ok_or_else(|| unsendable("no transport"))?;
        first.send(context, request, others).await
    }
}

/// Makes a client that retries nothing and asks nobody for an identity.
pub(crate) fn client(
    transport: &Transport,
    config: &Config,
) -> azure_core::Result<BlobServiceClient> {
    let client_options = ClientOptions {
        per_try_policies: vec![Arc::new(Authorize::new(config)?)],
        retry: RetryOptions::none(),
        transport: Some(SdkTransport::new(Arc::new(transport.clone()))),
        ..ClientOptions::default()
    };
    let options = BlobServiceClientOptions {
        client_options,
        version: VERSION.to_owned(),
    };
    BlobServiceClient::new(config.base.clone(), None, Some(options))
}

/// Copies everything of a request but its body.
fn head(request: &Request) -> http::request::Builder {
    let mut copy = http::Request::builder()
        .method(request.method().as_ref())
        .uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        copy = copy.header(name.as_str(), value.as_str());
    }
    copy
}

/// The request can not be made; the reason may quote it and is dropped.
fn unsendable<T>(_reason: T) -> Error {
    Error::with_message(ErrorKind::Other, "the request could not be built")
}
