//! One connection to a store, and whoever knows what its vendor's answers mean.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use linkdial_core::net::tls_refusal;
use linkdial_core::{Blame, Code, Diagnosis, Endpoint, Halt, Probe, Stage};

use crate::address::Address;
use crate::fault::Fault;
use crate::wire::{Access, Client, LinkClient, Transport};

/// A call of the protocol, or of the token service beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// Takes on a role, at the token service.
    AssumeRole,
    /// Deletes an object.
    DeleteObject,
    /// Asks the token service who the identity is.
    GetCallerIdentity,
    /// Reads an object.
    GetObject,
    /// Lists the buckets of an identity.
    ListBuckets,
    /// Lists the objects of a bucket.
    ListObjects,
    /// Writes an object.
    PutObject,
}

/// What an answer was an answer to.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The call.
    pub call: Call,
    /// Who was asked.
    pub endpoint: &'a Endpoint,
    /// Bucket, object or role.
    pub resource: &'a str,
}

/// The side of a kind: it knows its vendor's answers, its keys and its words.
pub trait Vendor: Sync {
    /// Returns the right that a call needs, as the vendor names it.
    fn right(&self, call: Call) -> &'static str;

    /// Returns the right to delete one version of an object.
    fn version_right(&self) -> &'static str;

    /// Returns the parameter of a URL that names one version of an object.
    fn version_parameter(&self) -> &'static str;

    /// Returns the header of an answer that names the version of an object.
    fn version_header(&self) -> &'static str;

    /// Says what an answer means: code, guilty keys, evidence and hint.
    fn diagnose(&self, asked: Asked<'_>, fault: &Fault) -> Diagnosis;

    /// Says that something else than this vendor's service answers.
    fn not_this_service(&self, asked: Asked<'_>) -> Diagnosis;
}

/// One connection to a store, for one identity.
#[expect(
    missing_debug_implementations,
    reason = "the SDK's client would print what it is made of"
)]
pub struct Session<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) transport: Transport,
    pub(crate) client: LinkClient,
    pub(crate) vendor: &'a dyn Vendor,
    pub(crate) anonymous: bool,
}

impl<'a> Session<'a> {
    /// Resolves, connects and shakes hands, each on the record, and makes a client on that stream.
    ///
    /// It retries nothing, and only `access` signs: no environment, no profile, no metadata server.
    pub async fn open(
        probe: &mut Probe,
        address: &Address,
        region: &str,
        access: Access<'_>,
        vendor: &'a dyn Vendor,
    ) -> Result<Self, Halt> {
        let transport = address.reach(probe).await?;
        let transport = transport.with_version_header(vendor.version_header());
        let transport = match access {
            Access::Bearer(token) => transport.with_bearer(token),
            Access::Anonymous | Access::Keys(_) => transport,
        };
        let client = Client {
            transport: &transport,
            endpoint: &address.base,
            region,
            access,
        };
        Ok(Self {
            client: client.s3(!address.virtual_host),
            endpoint: address.endpoint.clone(),
            transport,
            vendor,
            anonymous: matches!(access, Access::Anonymous),
        })
    }

    /// Lists the buckets of the identity, which proves it, and returns how many there are.
    ///
    /// The right to list buckets is seldom given; being refused it proves the identity as well, and
    /// returns none. A `project` is sent along where the vendor keeps buckets in projects.
    pub async fn list_buckets(
        &self,
        probe: &mut Probe,
        project: Option<&str>,
    ) -> Result<Option<usize>, Halt> {
        let work = async {
            let mut request = self.client.sdk.list_buckets().customize();
            // What is no header would end the program.
            let project = project.filter(|it| it.bytes().all(|byte| byte.is_ascii_graphic()));
            if let Some(project) = project.map(str::to_owned) {
                request = request.mutate_request(move |request| {
                    request
                        .headers_mut()
                        .insert("x-amz-project-id", project.clone());
                });
            }
            match Box::pin(request.config_override(self.client.link()).send()).await {
                Ok(answer) if answer.buckets.is_none() && answer.owner.is_none() => {
                    Err(self.not_this_service(Call::ListBuckets, "*"))
                }
                Ok(answer) => Ok(Some(answer.buckets().len())),
                Err(error) => match self.diagnose(Call::ListBuckets, "*", error).await {
                    denied if denied.code == Code::AccessDenied && denied.proves_identity => {
                        Ok(None)
                    }
                    diagnosis => Err(diagnosis),
                },
            }
        };
        probe
            .step(&self.endpoint, &[Stage::Authenticate], work)
            .await
    }

    const fn asked<'b>(&'b self, call: Call, resource: &'b str) -> Asked<'b> {
        Asked {
            call,
            endpoint: &self.endpoint,
            resource,
        }
    }

    /// Turns an error of a call on this session into a finding.
    pub(crate) async fn diagnose<E>(
        &self,
        call: Call,
        resource: &str,
        error: SdkError<E, HttpResponse>,
    ) -> Diagnosis
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let asked = self.asked(call, resource);
        diagnose(self.vendor, asked, &self.transport, error).await
    }

    /// Returns the finding that another service answers.
    pub(crate) fn not_this_service(&self, call: Call, resource: &str) -> Diagnosis {
        self.vendor.not_this_service(self.asked(call, resource))
    }
}

/// Turns an error of the SDK into a finding: the transport's own fault first, the vendor's words
/// last.
pub(crate) async fn diagnose<E>(
    vendor: &dyn Vendor,
    asked: Asked<'_>,
    transport: &Transport,
    error: SdkError<E, HttpResponse>,
) -> Diagnosis
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let right = vendor.right(asked.call);
    if let Some(fault) = transport.take_fault() {
        return fault.evidence("operation", right);
    }
    let Some(fault) = Fault::read(&error) else {
        return Diagnosis::new(Code::AccessRequestRefused, "the request could not be built")
            .blame(Blame::Tool)
            .evidence("operation", right)
            .evidence("error", DisplayErrorContext(&error));
    };
    let context = transport.fault_context().await;
    let below = tls_refusal(asked.endpoint, context.as_ref(), fault.status, &fault.body);
    if let Some(diagnosis) = below {
        return diagnosis;
    }
    vendor.diagnose(asked, &fault)
}
