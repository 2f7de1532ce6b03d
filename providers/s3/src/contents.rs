//! What is in a bucket, as a link uses it: list, read, write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::types::RequestPayer;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use linkdial_core::store::{self, Bucket, LISTED, Listing};
use linkdial_core::{Diagnosis, Halt, Probe, Stage};

use crate::config::Encryption;
use crate::object;
use crate::session::{Call, Session};

/// What is in a bucket, at the end of a session, and how the link uses it.
#[expect(
    missing_debug_implementations,
    reason = "the SDK's client would print what it is made of"
)]
pub struct Contents<'a> {
    pub(crate) session: Session<'a>,
    pub(crate) bucket: &'a Bucket,
    pub(crate) encryption: &'a Encryption,
    suffixes: &'a [String],
    requester_pays: bool,
}

impl<'a> Contents<'a> {
    /// Takes a session to the bucket. By default every object counts, the bucket decides how it
    /// encrypts, and its owner pays.
    pub const fn new(session: Session<'a>, bucket: &'a Bucket) -> Self {
        Self {
            session,
            bucket,
            encryption: &Encryption::Bucket,
            suffixes: &[],
            requester_pays: false,
        }
    }

    /// Reads only objects whose names end with one of these; all where there is none.
    #[must_use]
    pub const fn suffixes(mut self, suffixes: &'a [String]) -> Self {
        self.suffixes = suffixes;
        self
    }

    /// Encrypts as the link asks for.
    #[must_use]
    pub(crate) const fn encryption(mut self, encryption: &'a Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// Pays for what is asked.
    #[must_use]
    pub const fn requester_pays(mut self, pays: bool) -> Self {
        self.requester_pays = pays;
        self
    }

    /// Lists the prefix: one call that carries identity and access.
    pub async fn list(&self, probe: &mut Probe) -> Result<Listing, Halt> {
        let stages: &[Stage] = if self.session.anonymous {
            &[Stage::Access]
        } else {
            &[Stage::Authenticate, Stage::Access]
        };
        let listing = probe
            .step(&self.session.endpoint, stages, self.try_list())
            .await?;
        probe.note("objects", listing.count());
        Ok(listing)
    }

    /// Reads one byte of one object and, where that is asked for, writes a sentinel, reads it back
    /// and deletes it: as the uses of the target do.
    pub async fn try_objects(&self, probe: &mut Probe, listing: &Listing) -> Result<(), Halt> {
        if probe.intent().reads() {
            let read = store::read(probe, &self.session.endpoint, self, listing);
            if let Some(answer) = Box::pin(read).await? {
                object::note_encryption(probe, &answer);
            }
        }
        if probe.intent().write {
            let write = store::write(probe, &self.session.endpoint, self, &self.bucket.prefix);
            Box::pin(write).await?;
        }
        Ok(())
    }

    /// Returns the header of a requester-pays bucket.
    pub(crate) fn payer(&self) -> Option<RequestPayer> {
        self.requester_pays.then_some(RequestPayer::Requester)
    }

    async fn try_list(&self) -> Result<Listing, Diagnosis> {
        let bucket = &self.bucket.name;
        let session = &self.session;
        let whole = Whole::default();
        let request = session
            .client
            .sdk
            .list_objects_v2()
            .bucket(bucket)
            .set_prefix((!self.bucket.prefix.is_empty()).then(|| self.bucket.prefix.clone()))
            .max_keys(LISTED)
            .set_request_payer(self.payer())
            .customize()
            .interceptor(whole.clone())
            .config_override(session.client.link());
        let resource = self.bucket.resource();
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => return Err(session.diagnose(Call::ListObjects, &resource, error).await),
        };
        if !whole.seen() {
            return Err(session
                .not_this_service(Call::ListObjects, &resource)
                .evidence("answer", "a listing that does not end"));
        }
        // Any server can answer 200: only a listing of this bucket counts.
        // Ceph names a bucket of another tenant `tenant:bucket` and answers without the tenant.
        let wanted = bucket.rsplit(':').next().unwrap_or(bucket);
        let listed = answer.name().unwrap_or_default();
        if listed != wanted && listed != bucket {
            return Err(session
                .not_this_service(Call::ListObjects, &resource)
                .evidence("listed", listed));
        }
        let page = answer.contents().iter().filter_map(object::listed);
        let more = answer.is_truncated() == Some(true);
        Ok(Listing::new(self.bucket, page, more, self.suffixes))
    }
}

/// Whether a listing came to its end: the SDK takes one that was cut off for a shorter one.
#[derive(Clone, Debug, Default)]
struct Whole(Arc<AtomicBool>);

impl Whole {
    fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        let whole = body.trim_ascii_end().ends_with(b"ListBucketResult>");
        self.0.store(whole, Ordering::Relaxed);
        Ok(())
    }
}
