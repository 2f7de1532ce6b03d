//! The AWS clients, on the ladder's own stream.

use aws_credential_types::Credentials;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use linkdial_core::net::HttpClient;
use linkdial_core::{Diagnosis, Reached};

use crate::config::Keys;

/// One connection of a link, in the form in which an AWS client takes its transport.
///
/// Implementing only `http_connector` also keeps the SDK from building, and throwing away, a
/// stock client with all root certificates for every link.
#[derive(Clone, Debug)]
pub(crate) struct Transport(HttpClient<SdkBody>);

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
    pub(crate) async fn fault_context(&self) -> Option<linkdial_core::net::FaultContext> {
        self.0.fault_context().await
    }

    fn shared(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl SdkHttpClient for Transport {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let request = origin_form(request)?;
            let response = client
                .send(request)
                .await
                // The probe reports the diagnosis itself; the SDK only has to stop.
                .map_err(|fault| ConnectorError::io(fault.message.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Moves the authority from the URI to `Host` (RFC 9112, section 3.2.1).
fn origin_form(
    mut request: http::Request<SdkBody>,
) -> Result<http::Request<SdkBody>, ConnectorError> {
    let uri = request.uri().clone();
    if let Some(authority) = uri.authority()
        && !request.headers().contains_key(HOST)
    {
        let host = HeaderValue::from_str(authority.as_str())
            .map_err(|error| ConnectorError::user(error.into()))?;
        request.headers_mut().insert(HOST, host);
    }
    let path = uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    Ok(request)
}

/// What every client of a link is made of.
pub(crate) struct Client<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) endpoint: &'a str,
    pub(crate) region: &'a str,
    pub(crate) keys: Option<&'a Keys>,
}

impl Client<'_> {
    /// Makes an S3 client that retries nothing and asks nobody for an identity.
    pub(crate) fn s3(&self, path_style: bool) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.to_owned()))
            .endpoint_url(self.endpoint)
            .force_path_style(path_style)
            .http_client(self.transport.shared())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Other stores than AWS refuse the checksum trailers of the default.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        config = match self.keys {
            Some(keys) => config.credentials_provider(credentials(keys)),
            None => config.allow_no_auth(),
        };
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Makes a client of the security token service.
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.to_owned()))
            .endpoint_url(self.endpoint)
            .http_client(self.transport.shared())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(keys) = self.keys {
            config = config.credentials_provider(credentials(keys));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }
}

fn credentials(keys: &Keys) -> Credentials {
    let token = keys.token.as_ref().map(|token| token.expose().to_owned());
    Credentials::new(&keys.id, keys.secret.expose(), token, None, "link")
}
