//! The AWS clients, on the ladder's own stream.

use std::sync::OnceLock;

use aws_credential_types::Credentials;
use aws_sdk_s3::config::{
    BehaviorVersion, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
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
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use linkdial_core::net::HttpClient;
use linkdial_core::{Diagnosis, Reached, Secret};

use crate::keys::Keys;

/// What a session shows for itself.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// Nothing is signed.
    Anonymous,
    /// Signature Version 4 with a key pair.
    Keys(&'a Keys),
    /// A bearer token in every request, and no signature.
    Bearer(&'a Secret),
}

/// One connection of a link, in the form in which an AWS client takes its transport.
///
/// Implementing only `http_connector` also keeps the SDK from building, and throwing away, a
/// stock client with all root certificates for every link.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: HttpClient<SdkBody>,
    bearer: Option<Secret>,
    version_header: &'static str,
}

impl Transport {
    /// Takes the ladder's stream.
    pub(crate) fn new(reached: Reached) -> Self {
        Self {
            client: HttpClient::new(reached.dialled, reached.dialler),
            bearer: None,
            version_header: VERSION_HEADER,
        }
    }

    /// Takes the version of an object from another header than that of S3.
    pub(crate) fn with_version_header(self, version_header: &'static str) -> Self {
        Self {
            version_header,
            ..self
        }
    }

    /// Sends a token in every request. It is added here, below everything that logs.
    pub(crate) fn with_bearer(self, token: &Secret) -> Self {
        Self {
            bearer: Some(token.clone()),
            ..self
        }
    }

    /// Takes what the transport itself saw go wrong, which the SDK's error would blur.
    pub(crate) fn take_fault(&self) -> Option<Diagnosis> {
        self.client.take_fault()
    }

    /// Returns whether the server asked for a client certificate.
    pub(crate) async fn fault_context(&self) -> Option<linkdial_core::net::FaultContext> {
        self.client.fault_context().await
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
        let Self {
            client,
            bearer,
            version_header,
        } = self.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            if let Some(token) = bearer {
                authorize(&mut request, &token)?;
            }
            let mut response = client
                .send(request)
                .await
                // The probe reports the diagnosis itself; the SDK only has to stop.
                .map_err(|fault| ConnectorError::io(fault.message.into()))?;
            name_version(response.headers_mut(), version_header);
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn authorize(request: &mut http::Request<SdkBody>, token: &Secret) -> Result<(), ConnectorError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|error| ConnectorError::user(error.into()))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The header in which S3, and so the SDK, names the version of an object.
pub(crate) const VERSION_HEADER: &str = "x-amz-version-id";

/// Shows the SDK the version of an object under the name that it reads.
fn name_version(headers: &mut HeaderMap, named: &'static str) {
    if let Some(version) = headers.get(named).cloned() {
        headers.entry(VERSION_HEADER).or_insert(version);
    }
}

/// What every client of a link is made of.
pub(crate) struct Client<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) endpoint: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access: Access<'a>,
}

impl Client<'_> {
    /// Makes an S3 client that retries nothing and asks nobody for an identity.
    pub(crate) fn s3(&self, path_style: bool) -> LinkClient {
        let link = aws_sdk_s3::Config::builder()
            .region(Region::new(self.region.to_owned()))
            .endpoint_url(self.endpoint)
            .force_path_style(path_style)
            .http_client(self.transport.shared());
        match self.access {
            Access::Keys(keys) => LinkClient {
                sdk: keyed().clone(),
                link: link
                    .credentials_provider(credentials(keys))
                    .identity_cache(IdentityCache::no_cache()),
            },
            Access::Anonymous | Access::Bearer(_) => LinkClient {
                sdk: aws_sdk_s3::Client::from_conf(common().allow_no_auth().build()),
                link,
            },
        }
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
        if let Access::Keys(keys) = self.access {
            config = config.credentials_provider(credentials(keys));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }
}

/// An S3 client with what is the link's own: keys, region, address, connection.
#[derive(Clone, Debug)]
pub(crate) struct LinkClient {
    /// Makes requests; to be sent with [`LinkClient::link`] only.
    pub(crate) sdk: aws_sdk_s3::Client,
    link: aws_sdk_s3::config::Builder,
}

impl LinkClient {
    /// Returns what every request of the link is customised with.
    pub(crate) fn link(&self) -> aws_sdk_s3::config::Builder {
        self.link.clone()
    }
}

/// Returns the client that all links with keys share: setting one up costs more than a request.
/// It knows no key, no address and no connection; a request without those of its link fails.
fn keyed() -> &'static aws_sdk_s3::Client {
    static KEYED: OnceLock<aws_sdk_s3::Client> = OnceLock::new();
    KEYED.get_or_init(|| aws_sdk_s3::Client::from_conf(common().build()))
}

/// What is the same for every link.
fn common() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Other stores than AWS refuse the checksum trailers of the default.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // Both would carry what one server said over to the requests of another link.
        .disable_clock_skew_correction(true)
        .disable_s3_express_session_auth(true)
}

fn credentials(keys: &Keys) -> Credentials {
    let token = keys.token.as_ref().map(|token| token.expose().to_owned());
    Credentials::new(&keys.id, keys.secret.expose(), token, None, "link")
}
