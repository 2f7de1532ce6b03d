//! The walk through the stages of an AZURE link.

use azure_core::Error;
use azure_storage_blob::models::{
    BlobContainerClientListBlobsOptions, BlobServiceClientListContainersOptions,
    ListBlobsIncludeItem,
};
use azure_storage_blob::{BlobClient, BlobServiceClient};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use linkdial_core::net::TlsOptions;
use linkdial_core::store::{self, Bucket, LISTED, Listing, Needs};
use linkdial_core::xml::root_element;
use linkdial_core::{
    Blame, Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Role, Stage,
    Target, Wrong,
};

use crate::config::{self, Auth, Config, KEYS};
use crate::error::{Asked, Call, diagnose};
use crate::explain::not_this_service;
use crate::object;
use crate::policy;
use crate::sas::Sas;
use crate::target::NAMING;
use crate::wire::{Transport, client};

/// An AZURE link, ready to be dialled.
#[derive(Debug)]
pub struct Azure {
    config: Config,
}

/// What the later stages need of the earlier ones.
pub(crate) struct Session<'a> {
    pub(crate) container: &'a Bucket,
    pub(crate) config: &'a Config,
    /// Whether the listing showed nothing below the prefix, not a directory either: a put then makes
    /// those on its way.
    pub(crate) bare: bool,
    endpoint: &'a Endpoint,
    transport: &'a Transport,
    client: BlobServiceClient,
}

impl Provider for Azure {
    const KIND: Kind = Kind::Azure;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        config::define(clauses).map(|config| Self { config })
    }

    fn endpoint(&self, _target: Option<&Target>) -> Option<Endpoint> {
        Some(self.address())
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let parsed = probe.target().map(|it| Bucket::parse(it, &NAMING));
        let container = match parsed.transpose() {
            Ok(container) => container,
            Err(diagnosis) => return Err(probe.halt(None, diagnosis)),
        };
        if let Some(warning) = container.as_ref().and_then(Bucket::scheme_warning) {
            probe.finding(None, warning);
        }
        if let Some(other) = container.as_ref().and_then(|it| self.other_account(it)) {
            return Err(probe.halt(None, other));
        }
        if let Auth::Sas(sas) = &self.config.auth {
            let examined = self.examine(probe, sas, container.is_some());
            examined.inspect_err(|_| self.add_policy(probe, container.as_ref()))?;
        }
        match container {
            Some(container) => {
                let walked = self.probe_container(probe, &container).await;
                walked.inspect_err(|_| self.add_policy(probe, Some(&container)))
            }
            None => self.probe_alone(probe).await,
        }
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        let (auth, secret) = match &self.config.auth {
            Auth::SharedKey(key) => {
                let Some(key) = key.changed() else {
                    return Wrong::Nothing("its secret has no character that can be changed");
                };
                (Auth::SharedKey(key.clone()), key)
            }
            Auth::Sas(sas) => {
                let Some(sas) = sas.with_wrong_signature() else {
                    return Wrong::Nothing("its signature has no character that can be changed");
                };
                let signature = sas.signature[0].clone();
                (Auth::Sas(sas), signature)
            }
        };
        let mut config = self.config.clone();
        config.auth = auth;
        Wrong::Link {
            provider: Self { config },
            key: self.config.places.proof.clone(),
            secret: Some(secret),
        }
    }
}

impl Azure {
    fn address(&self) -> Endpoint {
        let base = &self.config.base;
        let host = base.host_str().unwrap_or_default();
        let port = base.port_or_known_default().unwrap_or(443);
        let endpoint = Endpoint::new(Role::Endpoint, host, port);
        if self.config.base_given {
            endpoint.named_by(self.config.places.endpoint.clone())
        } else {
            endpoint
        }
    }

    /// Adds what grants the rights that the finding recorded last is about.
    fn add_policy(&self, probe: &mut Probe, container: Option<&Bucket>) {
        if let Some(container) = container {
            let needs = Needs::of(probe);
            probe.amend(|it| policy::attach(it, &self.config, container, needs));
        }
    }

    /// Returns the finding that the target, as Hadoop writes it, belongs to another account.
    fn other_account(&self, container: &Bucket) -> Option<Diagnosis> {
        let (host, ours) = (container.account.as_ref()?, &self.config.account);
        let named = host.split('.').next().unwrap_or_default();
        if named.is_empty()
            || named
                .trim_end_matches("-secondary")
                .eq_ignore_ascii_case(ours)
        {
            return None;
        }
        Some(
            Diagnosis::new(
                Code::DefineTargetInvalid,
                format!("the target is in the account `{named}`, and the link is to `{ours}`"),
            )
            .key(self.config.places.account.clone())
            .hint("use a link to that account, or write the container and prefix alone"),
        )
    }

    /// Says what the signature says about itself, before a packet is sent.
    fn examine(&self, probe: &mut Probe, sas: &Sas, container: bool) -> Result<(), Halt> {
        for secret in &sas.signature {
            probe.add_secret(secret.expose());
        }
        let key = &self.config.places.proof;
        if probe.walks(Stage::Authenticate)
            && let Some(finding) = sas.check_time(Timestamp::now())
        {
            return Err(probe.halt(None, finding.key(key.clone())));
        }
        if container {
            let mut calls = vec![(Call::ListBlobs, Stage::Access)];
            if probe.intent().reads() {
                calls.push((Call::GetBlob, Stage::Read));
            }
            // Reading `sp` leaves no trace, so it needs no leave to write.
            if probe.intent().write {
                calls.push((Call::PutBlob, Stage::Write));
            }
            for (call, stage) in calls {
                if probe.walks(stage)
                    && let Some(finding) = sas.refuses(call)
                {
                    return Err(probe.halt(None, finding.key(key.clone())));
                }
            }
        }
        Ok(())
    }

    /// Resolves, connects and shakes hands; the client then runs on that stream.
    async fn reach(&self, probe: &mut Probe, endpoint: &Endpoint) -> Result<Transport, Halt> {
        let tls = (self.config.base.scheme() == "https").then(TlsOptions::http1);
        match probe.reach(endpoint, tls).await {
            Ok(reached) => Ok(Transport::new(reached)),
            Err(halt) => {
                // A signature over a request gives nothing away; one in a URL is the key itself.
                if matches!(self.config.auth, Auth::SharedKey(_)) {
                    probe.offer_plain_http();
                }
                // Every account has a name of its own in the public cloud.
                if !self.config.base_given && probe.last_code() == Some(Code::ResolveNotFound) {
                    let place = self.config.places.account.clone();
                    probe.amend(|finding| {
                        finding.key(place).hint(
                            "no storage account has that name; one of another cloud needs \
                             `endpoint_url`",
                        )
                    });
                }
                Err(halt)
            }
        }
    }

    /// Proves what the link can prove without a container.
    async fn probe_alone(&self, probe: &mut Probe) -> Result<(), Halt> {
        let endpoint = self.address();
        let call = match &self.config.auth {
            Auth::SharedKey(_) => Some(Call::GetServiceProperties),
            Auth::Sas(sas) => [Call::GetServiceProperties, Call::ListContainers]
                .into_iter()
                .find(|&call| sas.lacks(call).is_none()),
        };
        let Some(call) = call else {
            probe.finding(None, no_target());
            self.reach(probe, &endpoint).await?;
            return Ok(());
        };
        let transport = self.reach(probe, &endpoint).await?;
        let Ok(client) = client(&transport, &self.config) else {
            return Err(probe.halt(Some(&endpoint), no_client()));
        };
        let asked = Asked {
            call,
            config: &self.config,
            endpoint: &endpoint,
            resource: &self.config.account,
        };
        let work = async {
            match ask_service(&client, call).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(not_this_service(asked)),
                Err(error) => match diagnose(asked, &transport, error).await {
                    // Being refused that right proves the signature.
                    denied if denied.code == Code::AccessDenied && denied.proves_identity => Ok(()),
                    diagnosis => Err(diagnosis),
                },
            }
        };
        probe.step(&endpoint, &[Stage::Authenticate], work).await?;
        self.note_identity(probe);
        probe.note("unproven", Bucket::untried(&NAMING));
        Ok(())
    }

    /// Lists the prefix, reads one byte of one blob, and writes a sentinel where that is asked for.
    async fn probe_container(&self, probe: &mut Probe, container: &Bucket) -> Result<(), Halt> {
        let endpoint = self.address();
        let transport = self.reach(probe, &endpoint).await?;
        let Ok(client) = client(&transport, &self.config) else {
            return Err(probe.halt(Some(&endpoint), no_client()));
        };
        let mut session = Session {
            container,
            config: &self.config,
            bare: false,
            endpoint: &endpoint,
            transport: &transport,
            client,
        };
        let stages = &[Stage::Authenticate, Stage::Access];
        let (listing, bare) = probe.step(&endpoint, stages, session.list()).await?;
        session.bare = bare;
        self.note_identity(probe);
        probe.note("objects", listing.count());
        if probe.intent().reads() {
            let read = store::read(probe, &endpoint, &session, &listing);
            Box::pin(read).await?;
        }
        if probe.intent().write {
            if let Some(lacking) = self.can_not_clean_up(probe) {
                probe.skip(Stage::Write, "what is written could not be removed");
                probe.note("unproven", lacking);
                return Ok(());
            }
            let write = store::write(probe, &endpoint, &session, &container.prefix);
            Box::pin(write).await?;
        }
        Ok(())
    }

    /// Returns what a signature that may write lacks to read back and to delete.
    fn can_not_clean_up(&self, probe: &Probe) -> Option<String> {
        let Auth::Sas(sas) = &self.config.auth else {
            return None;
        };
        let calls = [Call::GetBlob, Call::DeleteBlob];
        let lacking = calls.into_iter().find_map(|call| sas.lacks(call));
        lacking
            .filter(|_| probe.may_write())
            .map(|lacking| format!("writing was not tried: the signature lacks {lacking}"))
    }

    fn note_identity(&self, probe: &mut Probe) {
        probe.note("account", &self.config.account);
        if let Auth::Sas(sas) = &self.config.auth
            && let Some(hours) = sas.hours_left(Timestamp::now())
        {
            probe.note("sas_hours_left", hours);
        }
    }
}

impl Session<'_> {
    pub(crate) fn blob(&self, key: &str) -> BlobClient {
        self.client.blob_client(&self.container.name, key)
    }

    fn asked<'a>(&'a self, call: Call, resource: &'a str) -> Asked<'a> {
        Asked {
            call,
            config: self.config,
            endpoint: self.endpoint,
            resource,
        }
    }

    /// Turns an error of a call on this session into a finding.
    pub(crate) async fn diagnose(&self, call: Call, resource: &str, error: Error) -> Diagnosis {
        diagnose(self.asked(call, resource), self.transport, error).await
    }

    /// Returns the finding that something else than Azure answers.
    pub(crate) fn not_azure(&self, call: Call, resource: &str) -> Diagnosis {
        not_this_service(self.asked(call, resource))
    }

    /// Lists the target, and says whether nothing at all is there.
    async fn list(&self) -> Result<(Listing, bool), Diagnosis> {
        let prefix = &self.container.prefix;
        let options = BlobContainerClientListBlobsOptions {
            // Tells directories of a hierarchical namespace from blobs.
            include: Some(vec![ListBlobsIncludeItem::Metadata]),
            maxresults: Some(LISTED),
            prefix: (!prefix.is_empty()).then(|| prefix.clone()),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let resource = self.container.resource();
        let client = self.client.blob_container_client(&self.container.name);
        let page = async {
            client
                .list_blobs(Some(options))?
                .into_pages()
                .try_next()
                .await
        };
        let page = match Box::pin(page).await {
            Ok(page) => page,
            Err(error) => return Err(self.diagnose(Call::ListBlobs, &resource, error).await),
        };
        // Any server can answer 200: only a listing of this container counts.
        let page = page
            .filter(|page| is_listing(page.body().as_ref()))
            .and_then(|page| page.into_model().ok())
            .filter(|page| page.container_name.as_ref() == Some(&self.container.name))
            .ok_or_else(|| self.not_azure(Call::ListBlobs, &resource))?;
        let truncated = page.next_marker.is_some_and(|marker| !marker.is_empty());
        let bare = page.blob_items.is_empty() && !truncated;
        let blobs = page.blob_items.iter().filter_map(object::listed);
        let suffixes = &self.config.suffixes;
        let listing = Listing::new(self.container, blobs, truncated, suffixes);
        Ok((listing, bare))
    }
}

/// Asks what needs no container, and says whether the answer is the one asked for.
async fn ask_service(client: &BlobServiceClient, call: Call) -> Result<bool, Error> {
    if call == Call::ListContainers {
        let options = BlobServiceClientListContainersOptions {
            maxresults: Some(1),
            ..BlobServiceClientListContainersOptions::default()
        };
        let mut pages = client.list_containers(Some(options))?.into_pages();
        let page = pages.try_next().await?;
        return Ok(page.is_some_and(|page| is_listing(page.body().as_ref())));
    }
    let answer = client.get_properties(None).await?;
    let body = String::from_utf8_lossy(answer.body().as_ref());
    Ok(root_element(&body) == Some("StorageServiceProperties"))
}

fn is_listing(body: &[u8]) -> bool {
    root_element(&String::from_utf8_lossy(body)) == Some("EnumerationResults")
}

fn no_target() -> Diagnosis {
    Diagnosis::new(
        Code::DefineNoTarget,
        "nothing says which container this shared access signature is for",
    )
    .hint(
        "add the pipeline that uses the link to the script, or give --target \
         LINK=CONTAINER/PREFIX",
    )
}

fn no_client() -> Diagnosis {
    Diagnosis::new(
        Code::AccessRequestRefused,
        "the client of Azure could not be made of the link",
    )
    .blame(Blame::Tool)
}
