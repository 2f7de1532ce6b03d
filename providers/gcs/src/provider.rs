//! The walk through the stages of a GCS link.

use linkdial_core::store::{Bucket, Needs};
use linkdial_core::{
    Clauses, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Secret, Stage, Target, Wrong,
};
use linkdial_s3::{Access, Address, Contents, Keys, Session};

use crate::config::{self, Auth, Config, ENDPOINT, KEYS, SECRET, SERVICE_ACCOUNT, place};
use crate::policy;
use crate::target::NAMING;

/// A GCS link, ready to be dialled.
#[derive(Debug)]
pub struct Gcs {
    config: Config,
}

impl Provider for Gcs {
    const KIND: Kind = Kind::Gcs;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        config::define(clauses).map(|config| Self { config })
    }

    fn endpoint(&self, _target: Option<&Target>) -> Option<Endpoint> {
        Some(self.address().endpoint)
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let target = probe.target();
        let bucket = match target.map(|it| Bucket::parse(it, &NAMING)).transpose() {
            Ok(bucket) => bucket,
            Err(diagnosis) => return Err(probe.halt(None, diagnosis)),
        };
        if let Some(warning) = bucket.as_ref().and_then(Bucket::scheme_warning) {
            probe.finding(None, warning);
        }
        if bucket.is_none() && matches!(self.config.auth, Auth::Anonymous) {
            probe.finding(None, Bucket::unnamed(&NAMING));
        }
        // A secret may have been put in its place.
        if let Auth::Hmac(keys) = &self.config.auth {
            if self.config.principal().1.is_empty() {
                probe.add_secret(&keys.id);
            } else if !config::has_form_of_id(&keys.id) {
                probe.withhold(&keys.id);
            }
        }
        let token = self.token(probe).await?;
        let access = match (&self.config.auth, &token) {
            (Auth::Hmac(keys), _) => Access::Keys(keys),
            (_, Some(token)) => Access::Bearer(token),
            (_, None) => Access::Anonymous,
        };
        let region = &self.config.region;
        let opened = Session::open(probe, &self.address(), region, access, &self.config).await;
        // A signature gives nothing away, a token does.
        if opened.is_err() && !matches!(access, Access::Bearer(_)) {
            probe.offer_plain_http();
        }
        let session = opened?;
        match &bucket {
            Some(bucket) => {
                let walked = self.probe_bucket(probe, bucket, session).await;
                if walked.is_err() {
                    let needs = Needs::of(probe);
                    probe.amend(|it| policy::attach(it, &self.config, bucket, needs));
                }
                walked
            }
            None => self.probe_alone(probe, &session).await,
        }
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        let with = |auth| {
            let mut config = self.config.clone();
            config.auth = auth;
            Self { config }
        };
        match &self.config.auth {
            Auth::Anonymous => Wrong::Nothing("the link has none"),
            Auth::Hmac(keys) => Wrong::of(keys.secret.changed(), place(SECRET), |secret| {
                with(Auth::Hmac(Keys {
                    secret,
                    ..keys.clone()
                }))
            }),
            Auth::ServiceAccount(account) => Wrong::Link {
                provider: with(Auth::ServiceAccount(account.with_wrong_signature())),
                key: place(SERVICE_ACCOUNT),
                secret: None,
            },
        }
    }
}

impl Gcs {
    /// Buckets stand in the path: names with a dot fit no certificate of Google's.
    fn address(&self) -> Address {
        let mut address = Address::of(&self.config.base, Role::Endpoint);
        if self.config.base_given {
            address.endpoint = address.endpoint.named_by(place(ENDPOINT));
        }
        address
    }

    /// Returns the token that requests carry, where the link is a service account.
    async fn token(&self, probe: &mut Probe) -> Result<Option<Secret>, Halt> {
        let Auth::ServiceAccount(account) = &self.config.auth else {
            return Ok(None);
        };
        // The stages before need none.
        if !probe.walks(Stage::Authenticate) {
            return Ok(None);
        }
        let endpoint = self.address().endpoint;
        let signing = account.token();
        let token = probe
            .step(&endpoint, &[Stage::Authenticate], signing)
            .await?;
        // That it can be signed proves nothing yet: nobody has looked at it.
        probe.take_back();
        probe.add_secret(token.expose());
        Ok(Some(token))
    }

    /// Lists the prefix, reads one byte of one object, and writes a sentinel where that is asked
    /// for.
    async fn probe_bucket(
        &self,
        probe: &mut Probe,
        bucket: &Bucket,
        session: Session<'_>,
    ) -> Result<(), Halt> {
        let contents = Contents::new(session, bucket).suffixes(&self.config.suffixes);
        let listing = contents.list(probe).await?;
        if !matches!(self.config.auth, Auth::Anonymous) {
            let (name, principal) = self.config.principal();
            probe.note(name, principal);
        }
        contents.try_objects(probe, &listing).await
    }

    /// Proves what the link can prove without a bucket.
    async fn probe_alone(&self, probe: &mut Probe, session: &Session<'_>) -> Result<(), Halt> {
        let project = match &self.config.auth {
            Auth::Anonymous => return Ok(()),
            Auth::Hmac(_) => None,
            Auth::ServiceAccount(account) => account.project.as_deref(),
        };
        let buckets = session.list_buckets(probe, project).await?;
        let (name, principal) = self.config.principal();
        probe.note(name, principal);
        if let Some(buckets) = buckets {
            probe.note("buckets", buckets);
        }
        probe.note("unproven", Bucket::untried(&NAMING));
        Ok(())
    }
}
