//! One byte of one object, and the sentinel of the write stage.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectStorageClass, ServerSideEncryption};
use linkdial_core::{Code, Diagnosis, Halt, Probe, Stage};

use crate::config::{CUSTOMER_KEY, Encryption};
use crate::error::{Call, place};
use crate::provider::Session;

/// What the sentinel holds.
const SENTINEL: &[u8] = b"written by linkdial to prove that this link can write; safe to delete\n";

/// An object of the listing that the read stage may try.
#[derive(Debug)]
pub(crate) struct Object {
    key: String,
    empty: bool,
}

impl Object {
    /// Takes an object that a pipeline would read: not a folder marker, with one of the suffixes,
    /// online and not empty where there is such a one.
    pub(crate) fn choose(
        objects: &[&aws_sdk_s3::types::Object],
        suffixes: &[String],
    ) -> Option<Self> {
        let wanted = |key: &str| {
            !key.ends_with('/')
                && (suffixes.is_empty() || suffixes.iter().any(|suffix| key.ends_with(suffix)))
        };
        objects
            .iter()
            .filter_map(|object| {
                let key = object.key().filter(|key| wanted(key))?;
                let online = !matches!(
                    object.storage_class(),
                    Some(ObjectStorageClass::Glacier | ObjectStorageClass::DeepArchive)
                );
                let empty = object.size().unwrap_or_default() == 0;
                Some((online, key, empty))
            })
            // The first of the best.
            .min_by_key(|(online, _, empty)| (!online, *empty))
            .map(|(_, key, empty)| Self {
                key: key.to_owned(),
                empty,
            })
    }
}

/// Reads one byte. With a customer key, the read without it must be refused as well: some stores
/// drop the key's headers without a word.
pub(crate) async fn read(
    probe: &mut Probe,
    session: &Session<'_>,
    object: Option<Object>,
) -> Result<(), Halt> {
    let Some(object) = object else {
        probe.skip(Stage::Read, "nothing to read below the target");
        return Ok(());
    };
    let resource = format!("{}/{}", session.bucket.name, object.key);
    let work = async {
        let customer = matches!(session.config.encryption, Encryption::Customer { .. });
        let with = session.get(&object, customer).await;
        match (with, customer) {
            (Ok(answer), false) => Ok(answer),
            (Ok(answer), true) => {
                let confirmed = answer.sse_customer_algorithm().is_some();
                match session.get(&object, false).await {
                    Err(refused) if refused.code == Code::ReadKeyRequired && confirmed => {
                        Ok(answer)
                    }
                    Err(refused) if refused.code != Code::ReadKeyRequired && confirmed => {
                        Err(refused)
                    }
                    _ => Err(not_encrypted(&resource)),
                }
            }
            // A wrong customer key and a missing right look alike on some stores. Without any key
            // the store asks for one only after it has granted the right.
            (Err(denied), true) if denied.code == Code::ReadDenied => {
                match session.get(&object, false).await {
                    Err(without) if without.code == Code::ReadKeyRequired => {
                        Err(key_mismatch(&resource, denied))
                    }
                    _ => Err(denied),
                }
            }
            (Err(diagnosis), _) => Err(diagnosis),
        }
    };
    let answer = probe.step(&session.endpoint, &[Stage::Read], work).await?;
    probe.note("object", &resource);
    if let Some(encryption) = answer.server_side_encryption() {
        probe.note("encryption", encryption.as_str());
    } else if answer.sse_customer_algorithm().is_some() {
        probe.note("encryption", "SSE-C");
    }
    Ok(())
}

/// Writes a sentinel under a name of its own, reads it back, compares and deletes it.
pub(crate) async fn write(probe: &mut Probe, session: &Session<'_>) -> Result<(), Halt> {
    if !probe.may_write() {
        probe.skip(
            Stage::Write,
            "the right to write was not tried; --write tries it",
        );
        return Ok(());
    }
    let object = Object {
        key: format!(
            "{}.linkdial-{:016x}{:016x}",
            folder(&session.bucket.prefix),
            random(),
            random()
        ),
        empty: false,
    };
    let resource = format!("{}/{}", session.bucket.name, object.key);
    let work = async {
        session.put(&object, &resource).await?;
        session.compare(&object, &resource).await
    };
    let walked = probe.step(&session.endpoint, &[Stage::Write], work).await;
    // A write that was refused left nothing; one that was cut short may have.
    let refused = matches!(
        probe.last_code(),
        Some(Code::WriteDenied | Code::WriteKmsDenied | Code::WriteNoSpace)
    );
    if !refused {
        if walked.is_ok() {
            probe.note("sentinel", &resource);
        }
        if let Err(left) = probe.cleanup(session.delete(&object, &resource)).await {
            probe.finding(Some(&session.endpoint), leftover(&resource, &left));
        }
    }
    walked
}

impl Session<'_> {
    async fn get(&self, object: &Object, customer: bool) -> Result<GetObjectOutput, Diagnosis> {
        let resource = format!("{}/{}", self.bucket.name, object.key);
        let mut request = self
            .client
            .sdk
            .get_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_request_payer(self.payer());
        if !object.empty {
            request = request.range("bytes=0-0");
        }
        if let (true, Encryption::Customer { key, md5 }) = (customer, &self.config.encryption) {
            request = request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key.expose())
                .sse_customer_key_md5(md5);
        }
        let request = request.customize().config_override(self.client.link());
        match Box::pin(request.send()).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.diagnose(Call::GetObject, &resource, error).await),
        }
    }

    async fn put(&self, object: &Object, resource: &str) -> Result<(), Diagnosis> {
        let mut request = self
            .client
            .sdk
            .put_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_request_payer(self.payer())
            .content_type("text/plain")
            .body(ByteStream::from_static(SENTINEL));
        request = match &self.config.encryption {
            Encryption::Bucket => request,
            Encryption::Managed { algorithm, key_id } => request
                .server_side_encryption(ServerSideEncryption::from(algorithm.as_str()))
                .set_ssekms_key_id(key_id.clone()),
            Encryption::Customer { key, md5 } => request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key.expose())
                .sse_customer_key_md5(md5),
        };
        let request = request.customize().config_override(self.client.link());
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.diagnose(Call::PutObject, resource, error).await),
        };
        let confirmed = match &self.config.encryption {
            Encryption::Bucket => true,
            Encryption::Managed { algorithm, .. } => answer
                .server_side_encryption()
                .is_some_and(|it| it.as_str() == algorithm),
            Encryption::Customer { .. } => answer.sse_customer_algorithm().is_some(),
        };
        if confirmed {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::WriteNotEncrypted,
            format!(
                "{} did not confirm the encryption that the link asks for",
                self.endpoint
            ),
        )
        .evidence("resource", resource)
        .hint("this store ignores the x-amz-server-side-encryption keys of CONFIG"))
    }

    async fn compare(&self, object: &Object, resource: &str) -> Result<(), Diagnosis> {
        let whole = Object {
            key: object.key.clone(),
            // Without a range, the whole object comes back.
            empty: true,
        };
        let answer = self.get(&whole, true).await?;
        let read = answer.body.collect().await.map_err(|error| {
            self.transport.take_fault().unwrap_or_else(|| {
                Diagnosis::new(
                    Code::WriteReadbackDiffers,
                    "the sentinel could not be read back",
                )
                .evidence("error", error)
            })
        })?;
        if read.into_bytes().as_ref() == SENTINEL {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::WriteReadbackDiffers,
            format!("`{resource}` came back other than it was written"),
        )
        .hint("something between here and the store changes objects"))
    }

    async fn delete(&self, object: &Object, resource: &str) -> Result<(), Diagnosis> {
        let request = self
            .client
            .sdk
            .delete_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_request_payer(self.payer());
        let request = request.customize().config_override(self.client.link());
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.diagnose(Call::DeleteObject, resource, error).await),
        }
    }
}

/// The sentinel stands beside the objects, never below one of them.
fn folder(prefix: &str) -> &str {
    prefix.rfind('/').map_or("", |at| &prefix[..=at])
}

/// A number nobody else draws; the standard library's hasher is seeded by the system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
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

fn leftover(resource: &str, left: &Diagnosis) -> Diagnosis {
    Diagnosis::new(
        Code::WriteLeftover,
        format!("the sentinel `{resource}` could not be deleted"),
    )
    .evidence("reason", &left.message)
    .hint(format!(
        "delete it by hand; allow s3:DeleteObject on `{resource}`"
    ))
}
