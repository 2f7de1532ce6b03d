//! The walk through the stages of an S3 link.

use linkdial_core::store::{Bucket, Needs};
use linkdial_core::{
    Clauses, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage, Target, Wrong,
};

use crate::address::Address;
use crate::config::{self, Auth, Config, KEYS, SECRET, place};
use crate::contents::Contents;
use crate::error::Amazon;
use crate::explain::{not_this_service, shows_secret};
use crate::keys::Keys;
use crate::policy;
use crate::session::{Asked, Call, Session, diagnose};
use crate::target::{NAMING, fits_host};
use crate::wire::{Access, Client, Transport};

/// An S3 link, ready to be dialled.
#[derive(Debug)]
pub struct S3 {
    config: Config,
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
            probe.finding(None, Bucket::unnamed(&NAMING));
        }
        let keys = self.identity(probe).await?;
        let walked = match bucket {
            Some(bucket) => {
                let walked = self.probe_bucket(probe, &bucket, keys.as_ref()).await;
                if walked.is_err() {
                    let needs = Needs::of(probe);
                    probe.amend(|it| policy::attach(it, &self.config, &bucket, needs));
                }
                walked
            }
            None => self.probe_alone(probe, keys.as_ref()).await,
        };
        // A role lends a token as well.
        let sends_secret =
            keys.is_some_and(|keys| keys.token.is_some()) || shows_secret(&self.config);
        if walked.is_err() && !sends_secret {
            probe.offer_plain_http();
        }
        walked
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        let Auth::Keys(keys) = &self.config.auth else {
            return Wrong::Nothing("the link has none");
        };
        Wrong::of(keys.secret.changed(), place(SECRET), |secret| {
            let mut config = self.config.clone();
            config.auth = Auth::Keys(Keys {
                secret,
                ..keys.clone()
            });
            Self { config }
        })
    }
}

impl S3 {
    fn address(&self, bucket: Option<&Bucket>) -> Address {
        let base = &self.config.base;
        // Path style is the safe choice with a store of one's own, the host name on AWS.
        let path_style = self.config.path_style.unwrap_or(self.config.base_given);
        let hosted =
            bucket.filter(|bucket| !path_style && base.domain().is_some() && fits_host(bucket));
        let mut address = Address::of(base, Role::Endpoint);
        if let Some(bucket) = hosted {
            address.endpoint.host = format!("{}.{}", bucket.name, address.endpoint.host);
            address.virtual_host = true;
        }
        if let Some(key) = self.config.base_key() {
            address.endpoint = address.endpoint.named_by(place(key));
        }
        address
    }

    fn sts_address(&self) -> Address {
        let (base, key) = &self.config.sts;
        let mut address = Address::of(base, Role::Sts);
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
        // A secret may have been put in its place.
        if keys.shown_id().is_empty() {
            probe.add_secret(&keys.id);
        } else if !config::has_form_of_id(&keys.id) {
            probe.withhold(&keys.id);
        }
        let Some(role) = &self.config.role else {
            return Ok(Some(keys.clone()));
        };
        let address = self.sts_address();
        let transport = address.reach(probe).await?;
        let client = self.token_client(&transport, &address, keys);
        let asked = Asked {
            call: Call::AssumeRole,
            endpoint: &address.endpoint,
            resource: &role.arn,
        };
        let vendor = self.vendor(&address, None);
        let work = async {
            let request = client
                .assume_role()
                .role_arn(&role.arn)
                .set_external_id(role.external_id.clone())
                .role_session_name("linkdial")
                .duration_seconds(900);
            match Box::pin(request.send()).await {
                Ok(lent) => lent.credentials.ok_or_else(|| not_this_service(asked)),
                Err(error) => Err(diagnose(&vendor, asked, &transport, error).await),
            }
        };
        let lent = probe
            .step(&address.endpoint, &[Stage::Authenticate], work)
            .await;
        let lent = lent.inspect_err(|_| {
            probe.amend(|it| policy::attach_role(it, &self.config));
        })?;
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
            self.address(None).reach(probe).await?;
            return Ok(());
        };
        if !self.config.own_store {
            return self.who_am_i(probe, keys).await;
        }
        let address = self.address(None);
        let vendor = self.vendor(&address, self.role());
        let access = Access::Keys(keys);
        let session = Session::open(probe, &address, self.config.region(), access, &vendor).await?;
        let buckets = session.list_buckets(probe, None).await?;
        probe.note("key_id", keys.shown_id());
        if let Some(buckets) = buckets {
            probe.note("buckets", buckets);
        }
        probe.note("unproven", Bucket::untried(&NAMING));
        Ok(())
    }

    async fn who_am_i(&self, probe: &mut Probe, keys: &Keys) -> Result<(), Halt> {
        let address = self.sts_address();
        let transport = address.reach(probe).await?;
        let client = self.token_client(&transport, &address, keys);
        let asked = Asked {
            call: Call::GetCallerIdentity,
            endpoint: &address.endpoint,
            resource: "*",
        };
        let vendor = self.vendor(&address, self.role());
        let work = async {
            match Box::pin(client.get_caller_identity().send()).await {
                Ok(answer) => answer.arn.ok_or_else(|| not_this_service(asked)),
                Err(error) => Err(diagnose(&vendor, asked, &transport, error).await),
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
        let vendor = self.vendor(&address, self.role());
        let access = keys.map_or(Access::Anonymous, Access::Keys);
        let session = Session::open(probe, &address, self.config.region(), access, &vendor).await?;
        if matches!(self.config.auth, Auth::Cluster) {
            return Ok(());
        }
        let contents = Contents::new(session, bucket)
            .suffixes(&self.config.suffixes)
            .encryption(&self.config.encryption)
            .requester_pays(self.config.requester_pays);
        let listing = contents.list(probe).await?;
        if let Some(keys) = keys {
            probe.note("key_id", keys.shown_id());
        }
        if self.config.guesses_region() {
            probe.note(
                "region",
                format!("{} (none is given)", self.config.region()),
            );
        }
        contents.try_objects(probe, &listing).await
    }

    fn vendor<'a>(&'a self, address: &Address, role: Option<&'a str>) -> Amazon<'a> {
        Amazon {
            config: &self.config,
            virtual_host: address.virtual_host,
            role,
        }
    }

    fn token_client(
        &self,
        transport: &Transport,
        address: &Address,
        keys: &Keys,
    ) -> aws_sdk_sts::Client {
        let client = Client {
            transport,
            endpoint: &address.base,
            region: self.config.region(),
            access: Access::Keys(keys),
        };
        client.sts()
    }
}

fn parse(target: &Target) -> Result<Bucket, Diagnosis> {
    Bucket::parse(target, &NAMING)
}
