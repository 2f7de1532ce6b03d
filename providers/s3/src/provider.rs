//! The walk through the stages of an S3 link.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::RequestPayer;
use linkdial_core::net::TlsOptions;
use linkdial_core::store::{self, Bucket, Object};
use linkdial_core::{
    Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage, Target,
};
use url::Url;

use crate::config::{self, Auth, Config, ENDPOINT, KEYS, Keys};
use crate::error::{Asked, Call, diagnose, place};
use crate::explain::not_this_service;
use crate::object;
use crate::target::{NAMING, fits_host};
use crate::wire::{Client, LinkClient, Transport};

/// Enough keys to find one that the target's wildcard and the link's suffixes let through.
const LISTED: i32 = 100;

/// An S3 link, ready to be dialled.
#[derive(Debug)]
pub struct S3 {
    config: Config,
}

/// What the later stages need of the earlier ones.
pub(crate) struct Session<'a> {
    pub(crate) config: &'a Config,
    pub(crate) endpoint: Endpoint,
    pub(crate) transport: Transport,
    pub(crate) client: LinkClient,
    pub(crate) bucket: &'a Bucket,
    pub(crate) virtual_host: bool,
}

impl Provider for S3 {
    const KIND: Kind = Kind::S3;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        config::define(clauses).map(|config| Self { config })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let bucket = target.and_then(|target| parse(target).ok());
        Some(self.address(bucket.as_ref()).endpoint)
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let bucket = match probe.target().map(parse).transpose() {
            Ok(bucket) => bucket,
            Err(diagnosis) => return Err(probe.halt(None, diagnosis)),
        };
        if let Some(warning) = bucket.as_ref().and_then(Bucket::scheme_warning) {
            probe.finding(None, warning);
        }
        if bucket.is_none() && matches!(self.config.auth, Auth::Anonymous) {
            probe.finding(None, no_target());
        }
        let keys = self.identity(probe).await?;
        match bucket {
            Some(bucket) => self.probe_bucket(probe, &bucket, keys.as_ref()).await,
            None => self.probe_alone(probe, keys.as_ref()).await,
        }
    }
}

/// Where the ladder goes, and what the client is told.
struct Address {
    endpoint: Endpoint,
    /// Scheme, host and port for the client, without the bucket.
    base: String,
    tls: bool,
    virtual_host: bool,
}

impl S3 {
    fn address(&self, bucket: Option<&Bucket>) -> Address {
        let base = &self.config.base;
        // Path style is the safe choice with a store of one's own, the host name on AWS.
        let path_style = self.config.path_style.unwrap_or(self.config.base_given);
        let hosted =
            bucket.filter(|bucket| !path_style && base.domain().is_some() && fits_host(bucket));
        let mut address = address(base, Role::Endpoint);
        if let Some(bucket) = hosted {
            address.endpoint.host = format!("{}.{}", bucket.name, address.endpoint.host);
            address.virtual_host = true;
        }
        if self.config.base_given {
            address.endpoint = address.endpoint.named_by(place(ENDPOINT));
        }
        address
    }

    fn sts_address(&self) -> Address {
        let (base, key) = &self.config.sts;
        let mut address = address(base, Role::Sts);
        if let Some(key) = key {
            address.endpoint = address.endpoint.named_by(place(key));
        }
        address
    }

    /// Returns the keys that sign: the link's own, or those of its role.
    async fn identity(&self, probe: &mut Probe) -> Result<Option<Keys>, Halt> {
        let keys = match &self.config.auth {
            Auth::Anonymous | Auth::Cluster => return Ok(None),
            Auth::Keys(keys) => keys,
        };
        let Some(role) = &self.config.role else {
            return Ok(Some(keys.clone()));
        };
        let address = self.sts_address();
        let transport = reach(probe, &address).await?;
        let client = self.wire(&transport, &address, Some(keys)).sts();
        let asked = Asked {
            call: Call::AssumeRole,
            config: &self.config,
            endpoint: &address.endpoint,
            resource: &role.arn,
            virtual_host: false,
            role: None,
        };
        let work = async {
            let request = client
                .assume_role()
                .role_arn(&role.arn)
                .set_external_id(role.external_id.clone())
                .role_session_name("linkdial")
                .duration_seconds(900);
            match Box::pin(request.send()).await {
                Ok(lent) => lent.credentials.ok_or_else(|| not_this_service(asked)),
                Err(error) => Err(diagnose(asked, &transport, error).await),
            }
        };
        let lent = probe
            .step(&address.endpoint, &[Stage::Authenticate], work)
            .await?;
        probe.add_secret(&lent.secret_access_key);
        probe.add_secret(&lent.session_token);
        probe.note("role", &role.arn);
        Ok(Some(Keys {
            id: lent.access_key_id,
            secret: linkdial_core::Secret::new(lent.secret_access_key),
            token: Some(linkdial_core::Secret::new(lent.session_token)),
        }))
    }

    fn role(&self) -> Option<&str> {
        self.config.role.as_ref().map(|role| role.arn.as_str())
    }

    /// Proves what the link can prove without a bucket.
    async fn probe_alone(&self, probe: &mut Probe, keys: Option<&Keys>) -> Result<(), Halt> {
        let Some(keys) = keys else {
            reach(probe, &self.address(None)).await?;
            return Ok(());
        };
        if !self.config.own_store {
            return self.who_am_i(probe, keys).await;
        }
        let address = self.address(None);
        let transport = reach(probe, &address).await?;
        let client = self.client(&transport, &address, Some(keys));
        let asked = Asked {
            call: Call::ListBuckets,
            config: &self.config,
            endpoint: &address.endpoint,
            resource: "*",
            virtual_host: false,
            role: self.role(),
        };
        let work = async {
            let request = client.sdk.list_buckets().customize();
            match Box::pin(request.config_override(client.link()).send()).await {
                Ok(answer) if answer.buckets.is_none() && answer.owner.is_none() => {
                    Err(not_this_service(asked))
                }
                Ok(answer) => Ok(Some(answer.buckets().len())),
                Err(error) => match diagnose(asked, &transport, error).await {
                    // The right to list buckets is seldom given; being refused it proves the key.
                    denied if denied.code == Code::AccessDenied => Ok(None),
                    diagnosis => Err(diagnosis),
                },
            }
        };
        let buckets = probe
            .step(&address.endpoint, &[Stage::Authenticate], work)
            .await?;
        probe.note("key_id", keys.shown_id());
        if let Some(buckets) = buckets {
            probe.note("buckets", buckets);
        }
        probe.note("unproven", Bucket::untried(&NAMING));
        Ok(())
    }

    async fn who_am_i(&self, probe: &mut Probe, keys: &Keys) -> Result<(), Halt> {
        let address = self.sts_address();
        let transport = reach(probe, &address).await?;
        let client = self.wire(&transport, &address, Some(keys)).sts();
        let asked = Asked {
            call: Call::GetCallerIdentity,
            config: &self.config,
            endpoint: &address.endpoint,
            resource: "*",
            virtual_host: false,
            role: self.role(),
        };
        let work = async {
            match Box::pin(client.get_caller_identity().send()).await {
                Ok(answer) => answer.arn.ok_or_else(|| not_this_service(asked)),
                Err(error) => Err(diagnose(asked, &transport, error).await),
            }
        };
        let caller = probe
            .step(&address.endpoint, &[Stage::Authenticate], work)
            .await?;
        probe.note("caller", caller);
        probe.note("unproven", Bucket::untried(&NAMING));
        Ok(())
    }

    /// Lists the prefix, reads one byte of one object, and writes a sentinel where that is asked
    /// for.
    async fn probe_bucket(
        &self,
        probe: &mut Probe,
        bucket: &Bucket,
        keys: Option<&Keys>,
    ) -> Result<(), Halt> {
        let address = self.address(Some(bucket));
        let transport = reach(probe, &address).await?;
        if matches!(self.config.auth, Auth::Cluster) {
            return Ok(());
        }
        let client = self.client(&transport, &address, keys);
        let session = Session {
            config: &self.config,
            endpoint: address.endpoint,
            transport,
            client,
            bucket,
            virtual_host: address.virtual_host,
        };
        let stages: &[Stage] = if keys.is_some() {
            &[Stage::Authenticate, Stage::Access]
        } else {
            &[Stage::Access]
        };
        let listed = probe
            .step(&session.endpoint, stages, session.list())
            .await?;
        probe.note("objects", &listed.count);
        if self.config.guesses_region() {
            probe.note(
                "region",
                format!("{} (none is given)", self.config.region()),
            );
        }
        if probe.intent().read || !probe.intent().write {
            let (endpoint, candidates) = (&session.endpoint, &listed.candidates);
            let read = store::read(probe, endpoint, &session, candidates, listed.truncated);
            if let Some(answer) = Box::pin(read).await? {
                object::note_encryption(probe, &answer);
            }
        }
        if probe.intent().write {
            let write = store::write(probe, &session.endpoint, &session, &bucket.prefix);
            Box::pin(write).await?;
        }
        Ok(())
    }

    /// Returns what every client of the link is made of.
    fn wire<'a>(
        &'a self,
        transport: &'a Transport,
        address: &'a Address,
        keys: Option<&'a Keys>,
    ) -> Client<'a> {
        Client {
            transport,
            endpoint: &address.base,
            region: self.config.region(),
            keys,
        }
    }

    fn client(&self, transport: &Transport, address: &Address, keys: Option<&Keys>) -> LinkClient {
        self.wire(transport, address, keys)
            .s3(!address.virtual_host)
    }
}

/// What a listing showed.
struct Listed {
    count: String,
    truncated: bool,
    candidates: Vec<Object>,
}

impl Session<'_> {
    /// Returns the header of a requester-pays bucket.
    pub(crate) fn payer(&self) -> Option<RequestPayer> {
        self.config
            .requester_pays
            .then_some(RequestPayer::Requester)
    }

    fn asked<'a>(&'a self, call: Call, resource: &'a str) -> Asked<'a> {
        Asked {
            call,
            config: self.config,
            endpoint: &self.endpoint,
            resource,
            virtual_host: self.virtual_host,
            role: self.config.role.as_ref().map(|role| role.arn.as_str()),
        }
    }

    /// Turns an error of a call on this session into a finding.
    pub(crate) async fn diagnose<E>(
        &self,
        call: Call,
        resource: &str,
        error: SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    ) -> Diagnosis
    where
        E: std::error::Error
            + aws_smithy_types::error::metadata::ProvideErrorMetadata
            + Send
            + Sync
            + 'static,
    {
        diagnose(self.asked(call, resource), &self.transport, error).await
    }

    /// Returns the finding that something else than S3 answers.
    pub(crate) fn not_s3(&self, call: Call, resource: &str) -> Diagnosis {
        not_this_service(self.asked(call, resource))
    }

    async fn list(&self) -> Result<Listed, Diagnosis> {
        let bucket = &self.bucket.name;
        let request = self
            .client
            .sdk
            .list_objects_v2()
            .bucket(bucket)
            .set_prefix((!self.bucket.prefix.is_empty()).then(|| self.bucket.prefix.clone()))
            .max_keys(LISTED)
            .set_request_payer(self.payer())
            .customize()
            .config_override(self.client.link());
        let resource = self.bucket.resource();
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.diagnose(Call::ListObjects, &resource, error).await),
        };
        // Any server can answer 200: only a listing of this bucket counts.
        // Ceph names a bucket of another tenant `tenant:bucket` and answers without the tenant.
        let wanted = bucket.rsplit(':').next().unwrap_or(bucket);
        let listed = answer.name().unwrap_or_default();
        if listed != wanted && listed != bucket {
            return Err(self
                .not_s3(Call::ListObjects, &resource)
                .evidence("listed", listed));
        }
        let listed = answer.contents().iter().filter_map(object::listed);
        let objects: Vec<Object> = listed
            .filter(|object| self.bucket.holds(&object.key))
            .collect();
        let more = answer.is_truncated() == Some(true);
        Ok(Listed {
            count: format!("{}{}", objects.len(), if more { " or more" } else { "" }),
            truncated: more,
            candidates: Object::choose(objects, &self.config.suffixes),
        })
    }
}

fn parse(target: &Target) -> Result<Bucket, Diagnosis> {
    Bucket::parse(target, &NAMING)
}

/// Resolves, connects and shakes hands; the client then runs on that stream.
async fn reach(probe: &mut Probe, address: &Address) -> Result<Transport, Halt> {
    let tls = address.tls.then(TlsOptions::http1);
    let reached = probe.reach(&address.endpoint, tls).await?;
    Ok(Transport::new(reached))
}

fn address(base: &Url, role: Role) -> Address {
    let tls = base.scheme() == "https";
    let host = base.host_str().unwrap_or_default();
    let port = base.port_or_known_default().unwrap_or(443);
    Address {
        endpoint: Endpoint::new(role, host, port),
        base: base.as_str().trim_end_matches('/').to_owned(),
        tls,
        virtual_host: false,
    }
}

fn no_target() -> Diagnosis {
    Diagnosis::new(
        Code::DefineNoTarget,
        "nothing says which bucket this anonymous link is for",
    )
    .hint("add the pipeline that uses it to the script, or give --target LINK=BUCKET/PREFIX")
}
