//! What the link does with single objects: reads one byte, writes the sentinel.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectStorageClass, ServerSideEncryption};
use aws_smithy_types::byte_stream::AggregatedBytes;
use bytes::Bytes;
use linkdial_core::store::{Deleted, Object, Put, SENTINEL, Store, Written};
use linkdial_core::{Code, Diagnosis, Probe};
use url::form_urlencoded::byte_serialize;

use crate::config::{CUSTOMER_KEY, Encryption, place};
use crate::contents::Contents;
use crate::session::Call;

/// Versions are no longer than this (Amazon S3, Versioning: 1,024 bytes); what a request can hold is
/// far more.
const LONGEST_VERSION: usize = 3 * 1024;

/// Takes what matters of an object of the listing.
pub(crate) fn listed(object: &aws_sdk_s3::types::Object) -> Option<Object> {
    Some(Object {
        key: object.key()?.to_owned(),
        empty: object.size().unwrap_or_default() == 0,
        offline: matches!(
            object.storage_class(),
            Some(ObjectStorageClass::Glacier | ObjectStorageClass::DeepArchive)
        ),
    })
}

/// Notes how the object that was read is encrypted.
pub(crate) fn note_encryption(probe: &mut Probe, answer: &GetObjectOutput) {
    if let Some(encryption) = answer.server_side_encryption() {
        probe.note("encryption", encryption.as_str());
    } else if answer.sse_customer_algorithm().is_some() {
        probe.note("encryption", "SSE-C");
    }
}

impl Store for Contents<'_> {
    type Answer = GetObjectOutput;

    fn resource(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket.name)
    }

    /// Proves as well that a customer key is really needed: some stores drop its headers without
    /// a word.
    async fn read(&self, object: &Object) -> Result<GetObjectOutput, Diagnosis> {
        if !matches!(self.encryption, Encryption::Customer { .. }) {
            return self.read_byte(object, false).await;
        }
        let resource = self.resource(&object.key);
        match self.read_byte(object, true).await {
            Ok(answer) => match self.read_byte(object, false).await {
                Ok(_) => Err(not_encrypted(&resource)),
                Err(refused) if refused.code == Code::ReadKeyRequired => Ok(answer),
                Err(other) => Err(other),
            },
            // A wrong customer key and a missing right look alike on some stores. Without any key
            // the store asks for one only after it has granted the right.
            Err(denied) if denied.code == Code::ReadDenied => {
                match self.read_byte(object, false).await {
                    Err(without) if without.code == Code::ReadKeyRequired => {
                        Err(key_mismatch(&resource, denied))
                    }
                    _ => Err(denied),
                }
            }
            Err(diagnosis) => Err(diagnosis),
        }
    }

    async fn put(&self, key: &str) -> Put {
        let mut request = self
            .session
            .client
            .sdk
            .put_object()
            .bucket(&self.bucket.name)
            .key(key)
            .set_request_payer(self.payer())
            .content_type("text/plain")
            .body(ByteStream::from_static(SENTINEL));
        request = match self.encryption {
            Encryption::Bucket => request,
            Encryption::Managed { algorithm, key_id } => request
                .server_side_encryption(ServerSideEncryption::from(algorithm.as_str()))
                .set_ssekms_key_id(key_id.clone()),
            Encryption::Customer { key, md5 } => request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key.expose())
                .sse_customer_key_md5(md5),
        };
        let resource = self.resource(key);
        let request = request
            .customize()
            .config_override(self.session.client.link());
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.raw_response().map(|it| it.status().as_u16());
                let diagnosis = self
                    .session
                    .diagnose(Call::PutObject, &resource, error)
                    .await;
                return Put::unconfirmed(status, diagnosis);
            }
        };
        let confirmed = match self.encryption {
            Encryption::Bucket => true,
            Encryption::Managed { algorithm, .. } => answer
                .server_side_encryption()
                .is_some_and(|it| it.as_str() == algorithm),
            Encryption::Customer { .. } => answer.sse_customer_algorithm().is_some(),
        };
        let unconfirmed = (!confirmed).then(|| {
            Diagnosis::new(
                Code::WriteNotEncrypted,
                format!(
                    "{} did not confirm the encryption that the link asks for",
                    self.session.endpoint
                ),
            )
            .evidence("resource", &resource)
            .hint("this store ignores the x-amz-server-side-encryption keys of CONFIG")
        });
        let written = Written {
            version: answer.version_id().map(str::to_owned),
            etag: None,
        };
        Put::Written(written, unconfirmed)
    }

    async fn fetch(&self, key: &str) -> Result<Bytes, Diagnosis> {
        let answer = self.get(key, true, false).await?;
        let read = answer.body.collect().await;
        read.map(AggregatedBytes::into_bytes).map_err(|error| {
            self.session.transport.take_fault().unwrap_or_else(|| {
                Diagnosis::new(
                    Code::WriteReadbackDiffers,
                    "the sentinel could not be read back",
                )
                .evidence("error", error)
            })
        })
    }

    async fn delete(&self, key: &str, written: Option<&Written>) -> Result<Deleted, Diagnosis> {
        let request = self
            .session
            .client
            .sdk
            .delete_object()
            .bucket(&self.bucket.name)
            .key(key)
            .set_request_payer(self.payer());
        let mut request = request
            .customize()
            .config_override(self.session.client.link());
        if let Some(version) = written.and_then(|written| written.version.as_ref()) {
            let parameter = self.session.vendor.version_parameter();
            let version: String = byte_serialize(version.as_bytes()).collect();
            if version.len() > LONGEST_VERSION {
                let resource = self.resource(key);
                return Err(self
                    .session
                    .not_this_service(Call::DeleteObject, &resource)
                    .evidence("answer", "a version of that length is none"));
            }
            request = request.mutate_request(move |request| {
                let uri = request.uri().to_owned();
                let join = if uri.contains('?') { '&' } else { '?' };
                // It was a good address before, and is little longer.
                let longer = format!("{uri}{join}{parameter}={version}");
                request.set_uri(longer).unwrap_or_default();
            });
        }
        match Box::pin(request.send()).await {
            // S3 answers the same where nothing is.
            Ok(_) if written.is_none() => Ok(Deleted::Unsaid),
            Ok(_) => Ok(Deleted::Gone(Vec::new())),
            Err(error) => {
                let resource = self.resource(key);
                let call = Call::DeleteObject;
                match self.session.diagnose(call, &resource, error).await {
                    // It never arrived, or somebody else removed it: Google says so, S3 does not.
                    gone if gone.code == Code::AccessNotFound => Ok(Deleted::Absent),
                    other => Err(other),
                }
            }
        }
    }

    fn leftover_hint(&self, resource: &str, written: Option<&Written>) -> String {
        let vendor = self.session.vendor;
        if written.is_some_and(|written| written.version.is_some()) {
            let right = vendor.version_right();
            format!("delete that version by hand; allow {right} on `{resource}`")
        } else {
            let right = vendor.right(Call::DeleteObject);
            format!("delete it by hand; allow {right} on `{resource}`")
        }
    }
}

impl Contents<'_> {
    /// Asks for the first byte and waits until it is here; an empty object has none.
    async fn read_byte(
        &self,
        object: &Object,
        customer: bool,
    ) -> Result<GetObjectOutput, Diagnosis> {
        let mut answer = self.get(&object.key, customer, !object.empty).await?;
        let resource = self.resource(&object.key);
        let page = answer.content_range().is_none()
            && answer
                .content_type()
                .is_some_and(|it| it.starts_with("text/html"))
            && !object.key.contains(".htm");
        if page {
            return Err(self.session.not_this_service(Call::GetObject, &resource));
        }
        if object.empty {
            return Ok(answer);
        }
        loop {
            match answer.body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(_)) => return Ok(answer),
                Some(Err(error)) => {
                    return Err(self.session.transport.take_fault().unwrap_or_else(|| {
                        self.session
                            .not_this_service(Call::GetObject, &resource)
                            .evidence("error", error)
                    }));
                }
                None => {
                    return Err(self
                        .session
                        .not_this_service(Call::GetObject, &resource)
                        .evidence("answer", "no byte came"));
                }
            }
        }
    }

    async fn get(
        &self,
        key: &str,
        customer: bool,
        one_byte: bool,
    ) -> Result<GetObjectOutput, Diagnosis> {
        let mut request = self
            .session
            .client
            .sdk
            .get_object()
            .bucket(&self.bucket.name)
            .key(key)
            .set_request_payer(self.payer())
            .set_range(one_byte.then(|| "bytes=0-0".to_owned()));
        if let (
            true,
            Encryption::Customer {
                key: customer_key,
                md5,
            },
        ) = (customer, self.encryption)
        {
            request = request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(customer_key.expose())
                .sse_customer_key_md5(md5);
        }
        let request = request
            .customize()
            .config_override(self.session.client.link());
        match Box::pin(request.send()).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let resource = self.resource(key);
                Err(self
                    .session
                    .diagnose(Call::GetObject, &resource, error)
                    .await)
            }
        }
    }
}

fn not_encrypted(resource: &str) -> Diagnosis {
    Diagnosis::new(
        Code::ReadNotEncrypted,
        format!("`{resource}` comes back without the customer key as well"),
    )
    .evidence("resource", resource)
    .key(place(CUSTOMER_KEY))
    .hint("the store ignores SSE-C, or the object was written without it: it is not protected")
}

fn key_mismatch(resource: &str, denied: Diagnosis) -> Diagnosis {
    let mut diagnosis = Diagnosis::new(
        Code::ReadKeyMismatch,
        format!("`{resource}` is encrypted with another customer key"),
    )
    .key(place(CUSTOMER_KEY))
    .hint("give the key that it was written with");
    diagnosis.evidence = denied.evidence;
    diagnosis
}
